"""What one episode may use; checked where it is made, enforced in the child."""

from __future__ import annotations

from dataclasses import dataclass

from react_envs.errors import ArgumentError

__all__ = ["MAX_CODE_CHARS", "Limits", "exceeded"]

MAX_CODE_CHARS = 65_536
"""Longest code that is sent to a child at all; the interpreter has a finer limit in bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The arguments of a `PythonSession` that travel to its child."""

    seed: int
    cpu_limit_s: float
    wall_limit_s: float
    memory_mb: int
    output_chars: int
    show_last_value: bool

    def __post_init__(self) -> None:
        for name in ("cpu_limit_s", "wall_limit_s", "memory_mb", "output_chars"):
            limit = getattr(self, name)
            if not 0 < limit < float("inf"):
                raise ArgumentError(f"expected {name} to be positive and finite, got {limit!r}")


def exceeded(seconds: float) -> str:
    """What the model reads when it took longer than it may.

    >>> exceeded(5.0)
    'execution exceeded 5 seconds'
    """
    return f"execution exceeded {seconds:g} seconds"
