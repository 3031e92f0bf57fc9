"""ContextIds: the token ids of growing contexts, in which sampled tokens stay as sampled."""

from __future__ import annotations

import copy
import inspect
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.tokenization import as_codec
from react_envs.types import Context, Message

__all__ = ["ContextIds", "EncodedContext"]

MAX_EPISODES = 512
"""Episodes remembered at a time; the one that was silent longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class EncodedContext:
    """A context as the model reads it."""

    ids: array[int]
    prompt: str
    template_ids: array[int]
    """What the chat template makes of the messages, all turns encoded anew; empty in
    completion mode."""


@dataclass(frozen=True, slots=True)
class _SampledTurn:
    number: int
    encoded: EncodedContext
    token_ids: array[int]

    def is_answer_to(self, context: Context, template_ids: array[int]) -> bool:
        """True if this turn was sampled for that very context, which is asked for again."""
        return (
            self.number == len(context.turns)
            and self.encoded.prompt == context.prompt
            and self.encoded.template_ids == template_ids
        )


class ContextIds:
    """Encodes contexts so that each one extends what the model read and wrote before.

    `encode(decode(ids))` may differ from `ids`, so a context that is tokenised as a whole may
    differ from the tokens that were sampled, and a learner would train on a history that
    never was. Here the ids of turn k + 1 are the ids of turn k, the sampled ids, and the
    encoding of the new text alone. Where the environment kept only part of a turn, the
    longest run of sampled tokens that fits the kept text stays and the rest is encoded. A
    sampled end-of-text or end-of-turn token stays and is never doubled.

    Only the template (or this class, for the BOS that the tokenizer asks for) writes control
    tokens: a special token that is spelt out in a message, a tool's output for instance, is
    encoded as the ordinary text that it is. Added tokens that are not special, such as
    `<tool_call>` of Qwen's tokenizers, are tokens wherever they stand.

    What is not covered: a chat template that rewrites earlier turns (Qwen3 drops the thoughts
    before the last user message, some trim white space inside), or ends them with text rather
    than a special token. Such a context is encoded anew, as the template wants it, and counted
    in `forks`. So is one whose last turn was not sampled here.

    Args:
        tokenizer: a `transformers` tokenizer; copied, so its settings stay as they are.
        mode: `"chat"` renders the messages, `"completion"` reads the prompt.
    """

    forks: int
    """Contexts of later turns that could not extend the ids of the turn before."""

    def __init__(self, tokenizer: Any, mode: str) -> None:
        self._tokenizer = tokenizer = copy.deepcopy(tokenizer)
        self._chat = mode == "chat"
        if self._chat:
            _check_chat(tokenizer)
            # Only special tokens are neutralised in messages: a dialect's `<tool_call>` in the
            # system prompt must be the very token that the model is to write.
            tokenizer.chat_control_tokens = []
        self._codec = as_codec(tokenizer)
        self._episodes: OrderedDict[tuple[int, str], _SampledTurn] = OrderedDict()
        # A tokenizer's settings are switched while it encodes, so one thread at a time.
        self._lock = threading.RLock()
        self.forks = 0

    def encode(self, context: Context) -> EncodedContext:
        """The ids for `context`, extending those of its last turn where that is possible.

        Raises:
            ArgumentError: if the chat template refuses the messages.
        """
        with self._lock:
            template_ids = self._render(context.messages) if self._chat else array("i")
            now = EncodedContext(template_ids, context.prompt, template_ids)
            last = self._episodes.get(_episode(context))
            if last is not None and last.is_answer_to(context, template_ids):
                return last.encoded
            ids = None
            if last is not None and last.number == len(context.turns) - 1:
                extend = self._extend_chat if self._chat else self._extend_text
                ids = extend(last, now, context.turns[-1].kept)
            if ids is None:
                self.forks += len(context.turns) > 0
                ids = template_ids if self._chat else self._encode_prompt(context.prompt)
            return EncodedContext(ids, context.prompt, template_ids)

    def given(self, context: Context) -> EncodedContext | None:
        """The context in the ids that its maker knows, if it does."""
        if context.prompt_token_ids is None:
            return None
        return EncodedContext(array("i", context.prompt_token_ids), context.prompt, array("i"))

    def encode_text(self, text: str) -> list[int]:
        """Ids of text in the midst of a context."""
        with self._lock:
            return list(self._codec.encode(text))

    def remember(self, context: Context, encoded: EncodedContext, token_ids: Sequence[int]) -> None:
        """Note what was sampled after `encoded`, for the next turn of the episode."""
        turn = _SampledTurn(len(context.turns), encoded, array("i", token_ids))
        with self._lock:
            self._episodes[_episode(context)] = turn
            self._episodes.move_to_end(_episode(context))
            while len(self._episodes) > MAX_EPISODES:
                self._episodes.popitem(last=False)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of ids that follow other text: special tokens left out, spaces as they are."""
        return self._codec.readable(token_ids)

    def _extend_text(self, last: _SampledTurn, now: EncodedContext, kept: str) -> array[int] | None:
        """Ids of `last`, of its kept tokens and of the text after them; None if it forked."""
        before = last.encoded
        if not now.prompt.startswith(before.prompt + kept):
            return None
        kept_ids, chars = self._kept_ids(last.token_ids, kept)
        return before.ids + kept_ids + self._encode_more(now.prompt[len(before.prompt) + chars :])

    def _extend_chat(self, last: _SampledTurn, now: EncodedContext, kept: str) -> array[int] | None:
        """Ids of `last`, of its kept tokens and of the messages after it; None if it forked."""
        before, template_ids = last.encoded, now.template_ids
        start = len(before.template_ids)
        if template_ids[:start] != before.template_ids:
            return None
        # No message can hold a special token: the next one is the template's end of turn.
        ends = (
            at
            for at in range(start, len(template_ids))
            if template_ids[at] in self._codec.special_ids
        )
        end = next(ends, None)
        if end is None or self.decode(template_ids[start:end]).strip() != kept.strip():
            return None
        kept_ids, chars = self._kept_ids(last.token_ids, kept)
        missing = self._encode_more(kept[chars:])
        if kept_ids and not missing and kept_ids[-1] == template_ids[end]:
            end += 1
        return before.ids + kept_ids + missing + template_ids[end:]

    def _kept_ids(self, token_ids: array[int], kept: str) -> tuple[array[int], int]:
        """The longest run of sampled ids whose text begins `kept`, and its number of characters."""
        count = bisect_right(
            range(len(token_ids) + 1), len(kept), key=lambda n: len(self.decode(token_ids[:n]))
        )
        # A token that ends inside a character decodes to a replacement character: step back.
        for n in range(count - 1, 0, -1):
            text = self.decode(token_ids[:n])
            if kept.startswith(text):
                return token_ids[:n], len(text)
        return array("i"), 0

    def _encode_more(self, text: str) -> array[int]:
        """Ids of text that follows other text: without the space that some tokenizers prepend."""
        return array("i", self._codec.encode(text))

    def _encode_prompt(self, text: str) -> array[int]:
        return array("i", self._codec.encode_prompt(text))

    def _render(self, messages: Sequence[Message]) -> array[int]:
        from jinja2 import TemplateError

        valid = [{key: _valid(value) for key, value in message.items()} for message in messages]
        try:
            ids = self._tokenizer.apply_chat_template(
                valid,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=False,
                sanitize_control_tokens=True,
                tokenizer_kwargs={"verbose": False},
            )
        except TemplateError as error:
            roles = [message.get("role") for message in messages]
            raise ArgumentError(
                f"the model's chat template refuses messages with the roles {roles}: {error}; "
                'choose another dialect or mode="completion"'
            ) from error
        return array("i", ids)


def _check_chat(tokenizer: Any) -> None:
    if not tokenizer.chat_template:
        raise ArgumentError(
            'mode="chat" needs a tokenizer with a chat template and this one has none; '
            'use mode="completion"'
        )
    parameters = inspect.signature(tokenizer.apply_chat_template).parameters
    if "sanitize_control_tokens" not in parameters:
        raise ArgumentError(
            'mode="chat" needs a transformers that keeps control tokens out of messages '
            "(sanitize_control_tokens); upgrade transformers to 5.23 or newer"
        )


def _valid(value: Any) -> Any:
    """`value` with lone surrogates, which no tokenizer takes, replaced if it is a string."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _episode(context: Context) -> tuple[int, str]:
    """What tells the episode of `context` from others: its seed and its first prompt."""
    grown = sum(len(turn.kept) + len(turn.observation) for turn in context.turns)
    return context.seed, context.prompt[: len(context.prompt) - grown]
