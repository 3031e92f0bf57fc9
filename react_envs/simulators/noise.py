"""The share of noisy results, by how far training is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from react_envs.errors import ArgumentError

__all__ = ["ZEROSEARCH", "NoiseSchedule"]


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """`start + (base ** progress - 1) / (base - 1) * (end - start)`: slow first, then faster.

    ZeroSearch's curriculum (arXiv 2505.04588); `base=1` is a straight line.

    >>> schedule = NoiseSchedule()
    >>> [round(schedule.at(progress), 3) for progress in (0, 0.5, 1)]
    [0.0, 0.167, 0.5]
    """

    start: float = 0.0
    end: float = 0.5
    base: float = 4.0

    def __post_init__(self) -> None:
        for name, value in (("start", self.start), ("end", self.end)):
            if not 0 <= value <= 1:
                raise ArgumentError(f"{name} must be a share in [0, 1], got {value!r}")
        if not 0 < self.base < math.inf:
            raise ArgumentError(f"base must be positive and finite, got {self.base!r}")

    def at(self, progress: float) -> float:
        """The share at `progress` in [0, 1]."""
        bent = progress if self.base == 1 else (self.base**progress - 1) / (self.base - 1)
        return self.start + bent * (self.end - self.start)

    @classmethod
    def of(cls, noise: Any) -> NoiseSchedule:
        """From a share that stays, a mapping of the fields, or a schedule."""
        if isinstance(noise, cls):
            return noise
        if isinstance(noise, Mapping):
            try:
                return cls(**noise)
            except TypeError as error:
                raise ArgumentError(f"expected start, end and base, got {noise!r}") from error
        if isinstance(noise, int | float) and not isinstance(noise, bool):
            return cls(noise, noise)
        raise ArgumentError(f"expected a share or a schedule of noise, got {noise!r}")


ZEROSEARCH = NoiseSchedule()
"""As published: none at first, one half at the end."""
