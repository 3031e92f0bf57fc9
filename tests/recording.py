"""Small tokenizers made on the spot, and an engine whose every token is known by construction."""

from __future__ import annotations

import functools
import json
import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from react_envs.tokenization import ByteTokenizer, TokenCodec, as_codec
from react_envs.trace import Owner
from react_envs.types import Completion

CORPUS = [
    "Question: Ann has 3 apples and buys 12 more. How many apples does she have?\n\n",
    "Thought 1: She has 3 + 12 apples.\nAction: python\nAction Input: print(3 + 12)\n",
    "Observation: 15\nThought 2: I know the answer.\nFinal Answer: 15\n",
    '<tool_call>\n{"name": "python", "arguments": {"code": "print(3 + 12)"}}\n</tool_call>\n',
    "<think> I need the capital. </think>\n<search> capital of France </search>\n\n",
    "<information>Doc 1(Title: Paris) Paris is the capital. </information>\n\n<answer> Paris",
    "<code>\n```python\nprint(48/2)\n```\n</code>\n<interpreter>\n24.0\n</interpreter>\n\n",
    "the there then than that this thing think thought through other another mother\n",
    "<begin_search> who </end_search>\n\n<search_result> result 1: it is he. </search_result>\n\n",
] * 3
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN.replace(r"\p{N}|", r"\p{N}{1,3}|")
SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]


def _byte_bpe(pattern: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _sentencepiece_bpe() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>", "<s>", "</s>", *fallback], show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return _without_added(tokenizer, fallback)


def _unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.UnigramTrainer(
        vocab_size=600,
        special_tokens=["<unk>", "<s>", "</s>", *fallback],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _without_added(tokenizer, fallback)


def _without_added(tokenizer: Tokenizer, ordinary: list[str]) -> Tokenizer:
    """The trainers take bytes in as special tokens only; they are ordinary ones."""
    state = json.loads(tokenizer.to_str())
    state["model"]["byte_fallback"] = True
    state["added_tokens"] = [t for t in state["added_tokens"] if t["content"] not in ordinary]
    return Tokenizer.from_str(json.dumps(state))


def _mistral(name: str) -> Any:
    import mistral_common
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    assert mistral_common.__file__ is not None
    folder = os.path.join(os.path.dirname(mistral_common.__file__), "data")
    return MistralTokenizer.from_file(os.path.join(folder, name))


TOKENIZERS: dict[str, Callable[[], Any]] = {
    "bytes": ByteTokenizer,
    "gpt2": lambda: _byte_bpe(GPT2),
    "qwen": lambda: _byte_bpe(QWEN),
    "llama3": lambda: _byte_bpe(LLAMA3),
    "sentencepiece": _sentencepiece_bpe,
    "unigram": _unigram,
    "tekken": lambda: _mistral("tekken_240911.json"),
    "mistral-v3": lambda: _mistral("mistral_instruct_tokenizer_240323.model.v3"),
}


@functools.cache
def codec(name: str) -> TokenCodec:
    """The codec of one of `TOKENIZERS`, made once."""
    return as_codec(TOKENIZERS[name]())


CHAT_CONTROL = re.compile(
    r"<\|[^|<> ]*\|>|<｜[^<>｜]*｜>|<(?:start|end)_of_turn>|\[/?[A-Z_]+\]|<turn\|>|<\|turn>|</?s>"
)


def chat_templates() -> dict[str, str]:
    """Those that the trl package ships, by name."""
    import trl

    assert trl.__file__ is not None
    folder = Path(trl.__file__).parent / "chat_templates"
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.jinja"))}


@functools.cache
def chat_tokenizer(name: str) -> Any:
    """A byte-level BPE with the control tokens of a template, and the template."""
    template = chat_templates()[name]
    special = ["<bos>", "<eos>", *sorted(set(CHAT_CONTROL.findall(template)))]
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    model.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=450 + len(special),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    model.train_from_iterator([*CORPUS, "user\nassistant\nsystem\n\n\n"] * 4, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=model, bos_token="<bos>", eos_token="<eos>", chat_template=template
    )


@dataclass(frozen=True)
class Format:
    """How a published system writes a call and its result."""

    call: str
    result: str


FORMATS = {
    "react": Format("Thought 1: hm\nAction: python\nAction Input: {}\n", "Observation: {}\n"),
    "hermes": Format(
        '<tool_call>\n{{"name": "python", "arguments": {{"code": "{}"}}}}\n</tool_call>',
        "\n<tool_response>\n{}\n</tool_response>\n",
    ),
    "search_r1": Format("<search> {} </search>", "\n\n<information>{}</information>\n\n"),
    "retool": Format("<code>\n{}\n</code>", "\n<interpreter>\n{}\n</interpreter>\n\n"),
    "inline": Format("so <<{}=", "24>>24"),
}


CONTROL = ["<|im_end|>", "<|im_start|>assistant\n", "</s>", "<s>", "[INST]", "<|endoftext|>"]
PIECES = st.sampled_from(
    ["hm", " the thing", "\n", "\n\n", " ", "3 + 12", "é", "🙂", "<answer>", "print(1)", "ß "]
)
TEXT = st.lists(PIECES, max_size=6).map("".join)
UNTRUSTED = st.lists(st.one_of(PIECES, st.sampled_from(CONTROL)), max_size=6).map("".join)
TURN = st.tuples(TEXT, UNTRUSTED, st.sampled_from([*FORMATS]), st.integers(0, 3))
CONVERSATION = st.fixed_dictionaries(
    {
        "tokenizer": st.sampled_from([*TOKENIZERS]),
        "seed": st.integers(0, 2**16),
        "perturbed": st.sampled_from([0.0, 0.01, 0.1]),
        "keeps_cut_token": st.booleans(),
        "ends": st.booleans(),
        "gives_prompts": st.booleans(),
        "prompt": TEXT.map(lambda text: f"Question: {text}\n"),
        "turns": st.lists(TURN, min_size=1, max_size=4),
    }
)


@dataclass
class Engine:
    """Samples given texts off the canonical path, and feeds its own tokens back, as a server
    that takes and gives token ids does. Beside each id it notes who put it there."""

    codec: TokenCodec
    seed: int = 0
    perturbed: float = 0.0
    """Share of tokens that are split off the canonical path."""
    keeps_cut_token: bool = False
    """Whether a token that the cut goes through stays whole in the next context."""
    end: int | None = None
    """An end-of-turn token that is sampled after each turn."""
    ids: list[int] = field(default_factory=list)
    owners: list[tuple[Owner, int]] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    contexts: list[list[int]] = field(default_factory=list)
    turn: int = -1

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def read_prompt(self, text: str) -> None:
        self._add(self.codec.encode_prompt(text), Owner.PROMPT)

    def write(self, text: str, finish_reason: str = "stop") -> Completion:
        self.turn += 1
        self.contexts.append(list(self.ids))
        self.sampled = self.scattered(text) + ([] if self.end is None else [self.end])
        self.sampled_logprobs = [-self.rng.random() for _ in self.sampled]
        return Completion(
            self.codec.bytes_of(self.sampled).decode("utf-8", "replace"),
            prompt_token_ids=self.ids,
            token_ids=self.sampled,
            logprobs=self.sampled_logprobs,
            finish_reason=finish_reason,
        )

    def scattered(self, text: str) -> list[int]:
        """Ids of `text`, some tokens of which are written as several."""
        ids: list[int] = []
        for index in self.codec.encode(text):
            piece = self.codec.bytes_of([index])
            if len(piece) > 1 and self.rng.random() < self.perturbed:
                cut = self.rng.randrange(1, len(piece))
                try:
                    parts = [piece[:cut].decode(), piece[cut:].decode()]
                    split = [i for part in parts for i in self.codec.encode(part)]
                except UnicodeDecodeError:
                    split = []
                if self.codec.bytes_of(split) == piece:
                    ids += split
                    continue
            ids.append(index)
        return ids

    def read(self, kept: str, observation: str) -> None:
        """Go on with the sampled tokens that fit `kept`, then with the encoded rest."""
        data = kept.encode("utf-8", "replace")
        pieces = self.codec.pieces(self.sampled)
        count = size = 0
        whole = len(b"".join(pieces)) == len(data)
        while count < len(pieces) and size + len(pieces[count]) <= len(data):
            if size == len(data) and not whole:
                break
            size += len(pieces[count])
            count += 1
        rest = data[size:]
        if rest and self.keeps_cut_token:
            count, rest = count + 1, b""
        self._add(self.sampled[:count], Owner.AGENT, self.sampled_logprobs[:count])
        self.kept_tokens = count
        position = 0
        for index in self.codec.encode(rest.decode("utf-8", "replace") + observation):
            self._add([index], Owner.SCAFFOLD if position < len(rest) else Owner.ENV)
            position += len(self.codec.bytes_of([index]))

    def _add(self, ids: list[int], owner: Owner, logprobs: list[float] | None = None) -> None:
        self.ids += ids
        self.owners += [(owner, self.turn)] * len(ids)
        self.logprobs += logprobs or [float("nan")] * len(ids)


def without_prompt(completion: Completion) -> Completion:
    return Completion(
        str(completion),
        token_ids=completion.token_ids,
        logprobs=completion.logprobs,
        finish_reason=completion.finish_reason,
    )
