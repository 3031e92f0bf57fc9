"""What is known of a published data set: its files, its hub copy, and how to read a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from react_envs.types import Task

__all__ = ["Dataset"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One published data set."""

    files: Mapping[str, str]
    """Path of each split below a data folder, in the authors' own file format."""
    hub: tuple[str, str | None] | None
    """Repository and configuration on the Hugging Face hub; None if it has no copy."""
    hub_splits: Mapping[str, str | None]
    """What each split of ours is called there; None for one that is only a file."""
    read: Callable[[Row], Task]
    """A task from a row; the same for the file and the hub."""
    grader: Literal["numeric", "math", "text", "hotpotqa", "triviaqa", "label"]
    """How answers are compared (see `react_envs.rewards`)."""
    hub_revision: str | None = None
    where: Mapping[str, Callable[[Row], bool]] = field(default_factory=dict)
    """The rows of a split that is a part of its file; all rows if there is no entry."""
    distinct: str | None = None
    """A column of which each value counts once: some copies repeat a row for each evidence."""
