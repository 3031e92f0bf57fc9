"""What one episode may use; checked where it is made, enforced in the child."""

from __future__ import annotations

from dataclasses import dataclass

from react_envs.errors import ArgumentError

__all__ = ["MAX_CODE_CHARS", "Limits", "exceeded"]

MAX_CODE_CHARS = 65_536
"""Longest code that is sent to a child at all; the interpreter has a finer limit in bytes."""

_MOST = {
    "cpu_limit_s": 1_000_000,
    "wall_limit_s": 1_000_000,
    "memory_mb": 1 << 30,
    "output_chars": 100_000_000,
}
"""Beyond these, the system's timers, limits and frames would overflow."""


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
        for name, most in _MOST.items():
            limit = getattr(self, name)
            if not 0 < limit <= most:
                raise ArgumentError(f"expected {name} above 0 and at most {most:,}, got {limit!r}")
        for name in ("memory_mb", "output_chars"):
            limit = getattr(self, name)
            if not isinstance(limit, int):
                raise ArgumentError(f"expected {name} to be an int, got {limit!r}")


def exceeded(seconds: float) -> str:
    """What the model reads when it took longer than it may.

    >>> exceeded(5.0)
    'execution exceeded 5 seconds'
    """
    return f"execution exceeded {seconds:g} seconds"
