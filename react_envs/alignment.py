"""align: owners of the tokens of a text that was encoded as a whole, by the bytes they write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from react_envs.errors import ArgumentError
from react_envs.tokenization import TokenCodec
from react_envs.trace import Owner

__all__ = ["Aligned", "Straddle", "StraddleError", "align"]

Straddle = Literal["exclude", "include", "error"]
"""What becomes of a token that holds bytes of the agent and of another owner: it is the other's
(`exclude`: no foreign byte is trained), the agent's (`include`), or an error."""


class StraddleError(ArgumentError):
    """A token holds bytes of two owners, and `straddle="error"` asked to be told."""


class Aligned:
    """Ids of a whole text, with the part that each is of.

    Attributes:
        ids: shape (T,).
        part: shape (T,), which of the parts each token is of.
        straddles: number of tokens that hold bytes of parts of two owners.
    """

    def __init__(self, ids: list[int], part: NDArray[np.int64], straddles: int) -> None:
        self.ids = ids
        self.part = part
        self.straddles = straddles


def align(
    codec: TokenCodec,
    parts: Sequence[tuple[str, Owner]],
    straddle: Straddle = "exclude",
) -> Aligned:
    """Encode the parts as one text, and say which part each token is of.

    Borders are compared in bytes, which tokens cannot move; neither by lengths of encoded
    prefixes nor by character offsets, both of which are wrong where a token crosses a border.

    Raises:
        StraddleError: if a token crosses a border of the agent's text under `"error"`.
        ArgumentError: if the tokenizer does not give the text back (it normalises), so that
            no byte of a token can be placed.
    """
    data = [text.encode("utf-8", "replace") for text, _ in parts]
    whole = b"".join(data)
    ids = codec.encode_prompt(whole.decode())
    pieces = codec.pieces(ids)
    spelt = b"".join(pieces)
    dummy = spelt == b" " + whole  # the space that some tokenizers put before a text
    if spelt != whole and not dummy:
        raise ArgumentError(
            "this tokenizer changes the text that it encodes (it normalises, or lacks tokens), so "
            'bytes cannot be placed; use text="segments"'
        )
    ends = np.cumsum([len(piece) for piece in pieces]) - dummy
    starts = np.maximum(ends - np.array([len(piece) for piece in pieces]), 0)
    borders = np.cumsum([len(part) for part in data])
    # tokens without bytes are of the part where they stand
    first = np.minimum(np.searchsorted(borders, starts, side="right"), len(parts) - 1)
    last = np.maximum(np.searchsorted(borders, ends - 1, side="right"), first)
    last = np.minimum(last, len(parts) - 1)
    agent = np.array([owner is Owner.AGENT for _, owner in parts])
    first[ends <= 0] = last[ends <= 0] = 0  # the BOS, even before an empty prompt
    part = first.copy()
    straddles = 0
    for at in np.flatnonzero(first != last):
        inside = range(int(first[at]), int(last[at]) + 1)
        touched = [n for n in inside if data[n]]
        if len({parts[n][1] for n in touched}) < 2:
            continue
        straddles += 1
        if straddle == "error" and agent[touched].any():
            raise StraddleError(
                f"token {at} ({pieces[at]!r}) holds bytes of {parts[touched[0]][1].name} and "
                f"{parts[touched[-1]][1].name}"
            )
        wanted = [n for n in touched if agent[n] == (straddle == "include")]
        part[at] = (wanted or touched)[0]
    return Aligned(ids, part, straddles)
