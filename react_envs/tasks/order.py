"""The tasks of a set in another order, such as the one that ReAct evaluated in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from react_envs.errors import ArgumentError
from react_envs.tasks.taskset import TaskSet
from react_envs.types import Task

__all__ = ["Reordered", "react_order"]

_HOTPOTQA_DEV = 7_405


class Reordered:
    """`tasks` in the given order of indices, which may leave some out.

    A task gets its new place as `index`; the old one is in `metadata["index"]`.
    """

    def __init__(self, tasks: TaskSet, order: Sequence[int]) -> None:
        self.order = tuple(order)
        if not self.order or not all(0 <= index < len(tasks) for index in self.order):
            raise ArgumentError(f"expected indices from 0 to {len(tasks) - 1}, got {order!r:.80}")
        self._tasks = tasks
        digest = hashlib.sha256(f"{tasks.fingerprint} {self.order}".encode())
        self.fingerprint = f"sha256:{digest.hexdigest()[:16]}"

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self.order):
            raise IndexError(f"task index {index} is outside 0..{len(self.order) - 1}")
        task = self._tasks[self.order[index]]
        return replace(task, index=index, metadata={**task.metadata, "index": task.index})


def react_order() -> list[int]:
    """The order of ReAct's evaluations on HotpotQA and FEVER; their figures are of the first 500.

    The FEVER notebook draws from the same 7,405 indices, though its file has 9,999 claims.

    >>> react_order()[:4]
    [3687, 6238, 5388, 3522]
    """
    order = list(range(_HOTPOTQA_DEV))
    Random(233).shuffle(order)
    return order
