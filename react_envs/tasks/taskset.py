"""What a task set is, and the one that holds its tasks in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Protocol

from react_envs.errors import ArgumentError
from react_envs.types import Task

__all__ = ["TaskList", "TaskSet"]


class TaskSet(Protocol):
    """Problems by index; indices run from 0 and never wrap round."""

    fingerprint: str
    """Hash of the content: two sets with one fingerprint hold the same problems."""

    def __len__(self) -> int:
        """Number of tasks; a generator gives its largest index plus one."""
        ...

    def __getitem__(self, index: int) -> Task:
        """The task at `index`; IndexError if there is none."""
        ...


class TaskList:
    """Tasks in memory.

    The fingerprint depends on questions, answers and their order only, so the same split
    from a file and from a hub has the same one.

    >>> tasks = TaskList([Task("2 + 2?", ("4",))])
    >>> len(tasks), tasks[0].answers, tasks.fingerprint
    (1, ('4',), 'sha256:94697060b580ec91')
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = tuple(tasks)
        if not self._tasks:
            raise ArgumentError("expected at least one task, got none")
        digest = hashlib.sha256()
        for task in self._tasks:
            digest.update(json.dumps([task.question, *task.answers]).encode() + b"\n")
        self.fingerprint = f"sha256:{digest.hexdigest()[:16]}"

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self._tasks):
            raise IndexError(f"task index {index} is outside 0..{len(self._tasks) - 1}")
        return self._tasks[index]
