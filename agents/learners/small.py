"""A tokenizer and a model made on the spot: small enough to learn tool use on a laptop's CPU."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import gymnasium as gym
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from react_envs.types import ToolCall

__all__ = ["save_model", "scaffolds", "small_model", "small_tokenizer"]

_ARGUMENT = "Zq"
"""A word that no dialect writes by itself."""
_PIECES = r"\d| ?\p{L}[\p{L}_]*| ?[^\s\p{L}\d]+|\s"
"""A digit, a word or a run of signs with the blank before it, any other blank."""


def scaffolds(env: gym.Env[str, str]) -> list[str]:
    """The phrases that the environment's dialect writes round thoughts, arguments and results.

    As single tokens they shorten an episode to what matters.

    >>> import react_envs
    >>> scaffolds(gym.make("ReactGSM8K-v0"))[:2]
    ['\\nAction: python\\nAction Input:', 'Action: python\\nAction Input:']
    """
    here: Any = env.unwrapped
    dialect = here.dialect
    found: set[str] = set()
    for thought in (_ARGUMENT, ""):
        for tool in here.tool_list:
            names = list(tool.parameters["properties"])
            call = ToolCall(tool.name, dict.fromkeys(names, _ARGUMENT))
            found.update(_phrases(dialect.format_call(call, thought, "")))
        found.update(_phrases(dialect.format_answer(_ARGUMENT, thought, "")))
    found.update(_phrases(dialect.observation(_ARGUMENT, _ARGUMENT)))
    found.update(_phrases(dialect.prompt("", _ARGUMENT).lstrip()))
    return sorted(found, key=lambda phrase: (-len(phrase), phrase))


def _phrases(text: str) -> Iterator[str]:
    for phrase in text.split(_ARGUMENT):
        if len(phrase.strip()) > 1:
            yield phrase.rstrip(" ")


def small_tokenizer(
    texts: Iterable[str], phrases: Iterable[str] = (), vocabulary: int = 2500
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of `texts`: any text comes back as it was.

    Digits stand alone. What is frequent becomes one token: give names often enough.

    Args:
        texts: what it learns words from.
        phrases: texts that are one token each, wherever they stand (see `scaffolds`).
        vocabulary: number of tokens, those of `phrases` on top; at least 258.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    phrases = list(phrases)
    between = re.compile("|".join(map(re.escape, phrases)) or r"(?!)")
    tokenizer.train_from_iterator((part for t in texts for part in between.split(t)), trainer)
    tokenizer.add_tokens([AddedToken(p, normalized=False, special=False) for p in phrases])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token="<eos>",
        pad_token="<pad>",
        clean_up_tokenization_spaces=False,
    )


def small_model(
    tokenizer: Any, width: int = 64, layers: int = 2, *, heads: int = 4, seed: int = 0
) -> LlamaForCausalLM:
    """An untrained Llama of `width` and `layers` with tied embeddings.

    64 x 2 and 1,050 tokens are 0.15 million parameters. Contexts have up to 8,192 tokens.
    """
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def save_model(model: Any, tokenizer: Any, path: str | os.PathLike[str]) -> None:
    """Save a checkpoint that `--agent hf --model PATH` and transformers read, without a bar."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model.save_pretrained(path)
        tokenizer.save_pretrained(path)
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
