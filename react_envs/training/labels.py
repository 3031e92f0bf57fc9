"""build_sft_labels: input ids and labels of tokens whose owners are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from react_envs.trace import IGNORE_INDEX, Owner, owner_set

__all__ = ["build_sft_labels"]


def build_sft_labels(
    segments: Iterable[tuple[Sequence[int], Owner | str]],
    train: Iterable[Owner | str] = (Owner.AGENT,),
    ignore_index: int = IGNORE_INDEX,
) -> tuple[list[int], list[int]]:
    """Join segments of ids into input ids, and labels that keep only the owners in `train`.

    A trace has the same in arrays: `Sample.labels(train)`.

    Args:
        segments: `(ids, owner)` in their order; an owner is an `Owner` or its name: `"prompt"`,
            `"agent"`, `"env"` (also `"observation"`), `"scaffold"`.
        train: owners that are trained. AutoCoA's third stage trains observations as well:
            `["agent", "env"]`.
        ignore_index: label of all other positions.

    Returns:
        Two lists of one length. Labels are not shifted: as transformers' models want them, and
        `next_token_labels` shifts them for a loss of one's own.

    >>> build_sft_labels([([5, 6], "prompt"), ([7, 8], "agent"), ([9], "observation")])
    ([5, 6, 7, 8, 9], [-100, -100, 7, 8, -100])
    """
    trained = owner_set(train)
    input_ids: list[int] = []
    labels: list[int] = []
    for ids, owner in segments:
        input_ids += ids
        keep = owner_set([owner]) <= trained
        labels += ids if keep else [ignore_index] * len(ids)
    return input_ids, labels
