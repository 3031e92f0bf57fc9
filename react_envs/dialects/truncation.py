"""Observations cut to a length: the text gives way, the tags around it stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from react_envs.errors import ArgumentError, MissingExtraError

__all__ = ["Tokenizer", "cut_characters", "fit_tokens", "load_tokenizer"]

Side = Literal["left", "right", "middle"]


class Tokenizer(Protocol):
    """What is needed of a tokenizer: those of transformers have it."""

    def encode(self, text: str) -> Sequence[Any]: ...

    def decode(self, tokens: Any) -> str: ...


class _FourCharacters:
    """Stands in where no tokenizer is given: a token is four characters.

    An approximation, for English text; who wants the published cut gives the model's tokenizer.
    """

    def encode(self, text: str) -> list[str]:
        return [text[i : i + 4] for i in range(0, len(text), 4)]

    def decode(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)


class _WithoutSpecialTokens:
    """A tokenizer of transformers that adds nothing of its own."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens))


def load_tokenizer(tokenizer: str | Tokenizer | None) -> Tokenizer:
    """A tokenizer from its object, from a name or folder for transformers, or the stand-in.

    Raises:
        MissingExtraError: if a name is given and transformers is not installed.
    """
    if tokenizer is None:
        return _FourCharacters()
    if hasattr(tokenizer, "all_special_tokens"):
        return _WithoutSpecialTokens(tokenizer)
    if not isinstance(tokenizer, str):
        return tokenizer
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtraError.for_extra("transformers", "hf") from error
    return _WithoutSpecialTokens(AutoTokenizer.from_pretrained(tokenizer))


def fit_tokens(
    text: str, wrap: Callable[[str], str], limit: int | None, tokenizer: Tokenizer, hard: bool
) -> str:
    """`wrap(text)`, in at most `limit` tokens: the end of `text` is left out.

    What `wrap` puts around it is never cut, even where it is longer than the limit alone. With
    `hard` the wrapped text itself is cut, as Search-R1 does, and may lose its closing tag.
    """
    wrapped = wrap(text)
    # no tokenizer makes more tokens than there are bytes
    if limit is None or len(wrapped.encode("utf-8", "replace")) <= limit:
        return wrapped
    tokens = tokenizer.encode(wrapped)
    if len(tokens) <= limit:
        return wrapped
    if hard:
        return tokenizer.decode(tokens[:limit])
    kept = tokenizer.encode(text)[: max(0, limit - len(tokenizer.encode(wrap(""))))]
    while kept:
        shorter = tokenizer.decode(kept).rstrip("\ufffd")
        if len(tokenizer.encode(wrap(shorter))) <= limit:
            return wrap(shorter)
        kept = kept[: len(kept) - max(1, len(kept) // 64)]
    return wrap("")


def cut_characters(text: str, limit: int | None, side: Side = "left") -> str:
    """At most `limit` characters of `text`, and a mark where the rest was (as verl cuts).

    Args:
        text: what a tool said.
        limit: number of characters that are kept, the mark not counted; None for all.
        side: `"left"` keeps the beginning, `"right"` the end, `"middle"` both. (verl's names:
            the side that stays.)

    >>> cut_characters("0123456789", 4), cut_characters("0123456789", 4, "middle")
    ('0123...(truncated)', '01...(truncated)...89')
    """
    if side not in ("left", "right", "middle"):
        raise ArgumentError(f"expected side to be 'left', 'right' or 'middle', got {side!r}")
    if limit is None or len(text) <= limit:
        return text
    if side == "left":
        return text[:limit] + "...(truncated)"
    if side == "right":
        return "(truncated)..." + text[len(text) - limit :]
    half = limit // 2
    return text[:half] + "...(truncated)..." + text[len(text) - half :]
