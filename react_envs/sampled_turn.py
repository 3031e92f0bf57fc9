"""SampledTurn: what of the ids that an engine sampled may have stayed in the context."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from react_envs.tokenization import TokenCodec

__all__ = ["SampledTurn", "plain_ids", "read_turn"]

_UNUSABLE = (TypeError, ValueError, LookupError, OverflowError)
"""What ids that are none, or none of this tokenizer, raise somewhere."""


@dataclass(frozen=True, slots=True)
class SampledTurn:
    """A turn as it was written, until the next context tells what of it stayed."""

    kept: str
    ids: list[int]
    logprobs: Sequence[float] | None
    exact: bool
    """True if the engine gave the ids, False if they are an encoding of `kept`."""
    counts: list[int]
    """How many of `ids` may have stayed: the first of them unless the context says otherwise."""
    rests: dict[int, str] = field(default_factory=dict)
    """What of `kept` is not covered by so many ids, where that is something."""
    whole: bool = True
    """False if the environment cut the turn, or the engine did before its end."""
    spelt: bool = True
    """False if the ids do not spell the text that the environment read."""
    text: bytes | None = None
    """What all of `ids` write, where it was looked up."""
    problem: str | None = None
    """Why the ids are unusable."""

    def stayed(self, after: list[int], codec: TokenCodec, observation: str) -> int | None:
        """How many ids the next context holds: `after` is what follows the recorded ones.

        None if it holds none of the numbers that are possible. More than fits the kept text
        (a token that the cut goes through, a stop string that is left out of the text) counts
        only if the whole observation still follows: the kept half of a token and the beginning
        of an observation may encode to the very token that was sampled, and was not kept.
        """
        for count in self._candidates(codec):
            if after[:count] != self.ids[:count]:
                continue
            if count <= max(self.counts) or _holds(codec, after[count:], observation):
                return count
        return None

    def _candidates(self, codec: TokenCodec) -> Iterator[int]:
        more = {len(self.ids), *(count + 1 for count in self.rests)} - set(self.counts)
        yield from sorted(more, reverse=True)
        yield from sorted(self.counts, reverse=True)
        # a context of text alone has no place for an end-of-turn token that was sampled
        bare = len(self.ids)
        while bare and self.ids[bare - 1] in codec.special_ids:
            bare -= 1
        if self.counts == [len(self.ids)] and bare < len(self.ids):
            yield bare


def read_turn(codec: TokenCodec, action: str, kept: str) -> SampledTurn:
    """The ids of a `Completion` that fit what the environment kept of it.

    A text without ids is encoded. Unusable ids are a `problem`, and text takes their place.
    """
    ids = getattr(action, "token_ids", None)
    text = str(action)
    whole = kept == text and getattr(action, "finish_reason", None) != "length"
    if ids is None:
        return _encoded(codec, kept, whole)
    try:
        ids = plain_ids(ids)
        logprobs = getattr(action, "logprobs", None)
        if logprobs is not None and len(logprobs) != len(ids):
            raise ValueError(f"{len(logprobs)} log-probabilities of {len(ids)} ids")
        written = codec.bytes_of(ids)
        if kept == text and written == _bytes(kept):  # as it nearly always is
            return SampledTurn(kept, ids, logprobs, True, [len(ids)], whole=whole, text=written)
        fit = _fit(codec, ids, text, kept)
    except _UNUSABLE as error:
        reason = f"ids that the tokenizer does not have: {type(error).__name__}: {error}"
        return _encoded(codec, kept, whole, reason)
    if fit is None:
        return SampledTurn(kept, ids, logprobs, True, [len(ids)], whole=whole, spelt=False)
    counts, rests = fit
    return SampledTurn(kept, ids, logprobs, True, counts, rests, whole)


def plain_ids(ids: Any) -> list[int]:
    """Ids as a list of Python ints, whatever array or tensor they came in.

    A list that begins with an int is believed: who gives one pays nothing.

    Raises:
        TypeError, ValueError, OverflowError: if they are not integers of 32 bits.
    """
    if type(ids) is list and (not ids or type(ids[0]) is int):
        return ids
    if type(ids) is not list and hasattr(ids, "tolist"):
        ids = ids.tolist()
    return array("i", ids).tolist()


def _encoded(codec: TokenCodec, kept: str, whole: bool, problem: str | None = None) -> SampledTurn:
    ids = codec.encode(kept)
    return SampledTurn(kept, ids, None, False, [len(ids)], whole=whole, problem=problem)


def _holds(codec: TokenCodec, reply: list[int], observation: str) -> bool:
    if reply and reply[0] in codec.special_ids:  # no merge crosses the template's own token
        return True
    return _bytes(observation) in codec.bytes_of(reply)


def _fit(
    codec: TokenCodec, ids: list[int], action: str, kept: str
) -> tuple[list[int], dict[int, str]] | None:
    """How many ids fit `kept`; None if the ids do not spell the action."""
    if not action.startswith(kept):
        return None
    for literal in (False, True):
        pieces = codec.pieces(ids, literal)
        raw, wanted = b"".join(pieces), _bytes(action)
        # an engine that decodes a turn by itself may lose the first space
        shift = 0 if raw.startswith(wanted) else 1
        if shift and not (raw[:1] == b" " and raw.startswith(wanted, 1)):
            continue
        ends = [max(end - shift, 0) for end in accumulate(map(len, pieces), initial=0)]
        return _counts(ends, _bytes(kept), len(raw) - shift)
    return _fit_characters(codec, ids, action, kept)


def _counts(ends: list[int], kept: bytes, total: int) -> tuple[list[int], dict[int, str]]:
    """Numbers of ids that write no more than `kept`, and what of it they leave to be written.

    Tokens without bytes (special ones) at the cut may have stayed or not.
    """
    most = bisect_right(ends, len(kept)) - 1
    if ends[most] == len(kept):
        least = bisect_left(ends, len(kept))
        return ([most], {}) if total == len(kept) else (list(range(least, most + 1)), {})
    # a token that ends inside a character leaves a rest that is no text: step back
    while kept[ends[most]] & 0xC0 == 0x80:
        most -= 1
    return [most], {most: kept[ends[most] :].decode()}


def _fit_characters(
    codec: TokenCodec, ids: list[int], action: str, kept: str
) -> tuple[list[int], dict[int, str]] | None:
    """The same for text in which bytes that are no UTF-8 became replacement characters."""
    raw = codec.bytes_of(ids)
    if "\N{REPLACEMENT CHARACTER}" not in action or not _text(raw).startswith(action):
        return None
    if kept == _text(raw):
        return [len(ids)], {}
    ends = [*accumulate(map(len, codec.pieces(ids)), initial=0)]
    count = bisect_right(ends, len(kept), key=lambda end: len(_text(raw[:end]))) - 1
    while not kept.startswith(_text(raw[: ends[count]])):
        count -= 1
    rest = kept[len(_text(raw[: ends[count]])) :]
    return [count], {count: rest} if rest else {}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
