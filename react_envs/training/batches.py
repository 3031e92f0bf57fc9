"""collate and pack: samples of many lengths as rectangular arrays.

What is padding is known from lengths, never from the padding id, which is often the id of the
end-of-turn token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from react_envs.errors import ArgumentError
from react_envs.trace import IGNORE_INDEX, Owner, Sample

__all__ = ["Batch", "Packed", "collate", "pack"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples as rows of equal length, shape (B, T) each."""

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    """1 where there is a token, 0 at padding. It says nothing of what is trained."""
    position_ids: NDArray[np.int64]
    """From 0 at a sample's first token, whichever side is padded; 0 at padding."""
    labels: NDArray[np.int64]
    """Ids where they are trained, -100 elsewhere; not shifted (see `shifted`). The first token
    of a sample is never trained: nothing predicts it."""
    loss_mask: NDArray[np.bool_]
    """Where `labels` are ids."""
    logprobs: NDArray[np.float32]
    """As sampled; NaN where not sampled or unknown."""
    advantages: NDArray[np.float32]
    """As given; 0.0 outside, and everywhere if none were given."""

    def shifted(self) -> Batch:
        """The same with `labels`, `loss_mask`, `logprobs` and `advantages` one to the left.

        There they stand at the position whose logits predict the token, which is where a loss
        needs them: `masked_cross_entropy(logits, labels)`, `token_logprobs(logits, labels)`
        and `policy_gradient_loss(logprobs, advantages, loss_mask, old_logprobs=logprobs)`.
        """
        fill = {"labels": IGNORE_INDEX, "loss_mask": False, "logprobs": np.nan, "advantages": 0.0}
        moved = {}
        for name, value in fill.items():
            array = getattr(self, name)
            last = np.full_like(array[:, :1], value)
            moved[name] = np.concatenate([array[:, 1:], last], axis=1)
        return replace(self, **moved)


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Batch):
    """Samples one after another in rows, shape (R, L) each; each reads only itself."""

    segment_ids: NDArray[np.int64]
    """1, 2, ... for the samples of a row, 0 at padding."""
    placement: tuple[tuple[int, int, int], ...]
    """Row, start and end of each sample, in the order in which they were given."""

    def attention(self) -> NDArray[np.bool_]:
        """Shape (R, L, L): True where the token of a row may read that of a column.

        Padding reads itself, so that no row is empty: a softmax over nothing is NaN.
        """
        same = self.segment_ids[:, :, None] == self.segment_ids[:, None, :]
        length = self.segment_ids.shape[1]
        causal = np.tri(length, dtype=bool)
        padding = (self.segment_ids == 0)[:, :, None]
        allowed: NDArray[np.bool_] = same & causal & ~padding | padding & np.eye(length, dtype=bool)
        return allowed


def collate(
    samples: Sequence[Sample],
    *,
    train: Iterable[Owner | str] = (Owner.AGENT,),
    side: Literal["left", "right"] = "right",
    pad_id: int = 0,
    max_tokens: int | None = None,
    advantages: Sequence[ArrayLike] | None = None,
) -> Batch:
    """Pad samples to the longest of them.

    Args:
        samples: at least one.
        train: owners whose tokens are trained.
        side: where the padding is.
        pad_id: id of padding; any will do.
        max_tokens: longer samples keep their first `max_tokens` tokens, all arrays alike.
        advantages: per sample, one number for each token (see `per_token`).

    Raises:
        ArgumentError: if there are no samples, or advantages of other lengths.
    """
    if side not in ("left", "right"):
        raise ArgumentError(f'side must be "left" or "right", actually: {side!r}')
    rows = _rows(samples, train, advantages, max_tokens)
    width = max(row.input_ids.shape[1] for row in rows)
    out = _empty(len(rows), width, pad_id)
    for at, row in enumerate(rows):
        n = row.input_ids.shape[1]
        start = width - n if side == "left" else 0
        _put(out, row, at, start, n)
    return Batch(**out)


def pack(
    samples: Sequence[Sample],
    max_tokens: int,
    *,
    train: Iterable[Owner | str] = (Owner.AGENT,),
    pad_id: int = 0,
    advantages: Sequence[ArrayLike] | None = None,
) -> Packed:
    """Put samples one after another into rows of `max_tokens` tokens, few of them.

    The longest sample is placed first, each into the first row with room.

    Raises:
        ArgumentError: if a sample is longer than a row (nothing is cut here: see
            `Sample.truncated`), if there are none, or if advantages have other lengths.
    """
    rows = _rows(samples, train, advantages, None)
    lengths = [row.input_ids.shape[1] for row in rows]
    if max(lengths) > max_tokens:
        raise ArgumentError(
            f"expected samples of at most {max_tokens} tokens, the longest has {max(lengths)}; "
            "cut it with Sample.truncated or choose longer rows"
        )
    used: list[int] = []
    members: list[int] = []
    placed: dict[int, tuple[int, int, int]] = {}
    number: dict[int, int] = {}
    for at in sorted(range(len(rows)), key=lambda i: -lengths[i]):
        row = next((r for r, u in enumerate(used) if u + lengths[at] <= max_tokens), len(used))
        if row == len(used):
            used.append(0)
            members.append(0)
        placed[at] = (row, used[row], used[row] + lengths[at])
        used[row] += lengths[at]
        members[row] += 1
        number[at] = members[row]
    out = _empty(len(used), max_tokens, pad_id)
    segment_ids = np.zeros((len(used), max_tokens), dtype=np.int64)
    for at, (row, start, end) in placed.items():
        _put(out, rows[at], row, start, end - start)
        segment_ids[row, start:end] = number[at]
    placement = tuple(placed[at] for at in range(len(rows)))
    return Packed(**out, segment_ids=segment_ids, placement=placement)


def _rows(
    samples: Sequence[Sample],
    train: Iterable[Owner | str],
    advantages: Sequence[ArrayLike] | None,
    max_tokens: int | None,
) -> list[Batch]:
    """Each sample as a batch of one."""
    if not samples:
        raise ArgumentError("expected at least one sample, got none")
    if advantages is not None and len(advantages) != len(samples):
        raise ArgumentError(
            f"expected advantages for {len(samples)} samples, got {len(advantages)}"
        )
    train = tuple(train) if not isinstance(train, str) else train
    rows = []
    for at, sample in enumerate(samples):
        values = np.zeros(len(sample), dtype=np.float32)
        if advantages is not None:
            values = np.asarray(advantages[at], dtype=np.float32)
            if values.shape != (len(sample),):
                raise ArgumentError(
                    f"expected {len(sample)} advantages for sample {at}, got {values.shape}"
                )
        if max_tokens is not None:
            sample, values = sample.truncated(max_tokens), values[:max_tokens]
        rows.append(
            Batch(
                input_ids=sample.ids[None].astype(np.int64),
                attention_mask=sample.attention_mask[None],
                position_ids=sample.position_ids[None],
                labels=sample.labels(train)[None],
                loss_mask=sample.loss_mask(train)[None],
                logprobs=sample.logprob[None],
                advantages=values[None],
            )
        )
    return rows


def _empty(rows: int, width: int, pad_id: int) -> dict[str, Any]:
    shape = (rows, width)
    return {
        "input_ids": np.full(shape, pad_id, dtype=np.int64),
        "attention_mask": np.zeros(shape, dtype=np.int64),
        "position_ids": np.zeros(shape, dtype=np.int64),
        "labels": np.full(shape, IGNORE_INDEX, dtype=np.int64),
        "loss_mask": np.zeros(shape, dtype=bool),
        "logprobs": np.full(shape, np.nan, dtype=np.float32),
        "advantages": np.zeros(shape, dtype=np.float32),
    }


def _put(out: dict[str, Any], row: Batch, at: int, start: int, n: int) -> None:
    for name, array in out.items():
        array[at, start : start + n] = getattr(row, name)[0]
    out["labels"][at, start : start + 1] = IGNORE_INDEX
    out["loss_mask"][at, start : start + 1] = False
