"""Rewards of turns, and their returns, on the tokens of a sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from react_envs.errors import ArgumentError
from react_envs.trace import Owner, Sample

__all__ = ["discounted_returns", "per_token", "token_rewards"]


def discounted_returns(rewards: ArrayLike, gamma: float = 1.0) -> NDArray[np.float64]:
    """`R_t = r_t + gamma * R_{t+1}`, over turns; observations do not interrupt it.

    Args:
        rewards: shape (K,), of the turns of one episode.

    >>> discounted_returns([0.0, 0.2, 1.0], gamma=0.5).tolist()
    [0.35, 0.7, 1.0]
    """
    values = np.asarray(rewards, dtype=np.float64)
    if values.ndim != 1:
        raise ArgumentError(f"expected rewards of one episode, shape (K,), got {values.shape}")
    returns = np.zeros_like(values)
    following = 0.0
    for at in range(len(values) - 1, -1, -1):
        following = values[at] + gamma * following
        returns[at] = following
    return returns


def per_token(sample: Sample, values: ArrayLike) -> NDArray[np.float32]:
    """Spread one value for each turn (or one for all) over the agent's tokens; 0.0 elsewhere.

    Args:
        sample: may hold some of the episode's turns only, where it is one side of a fork.
        values: shape (K,) for the K turns of the *episode*, or a single number.

    Returns:
        Shape (T,).

    Raises:
        ArgumentError: if a turn of the sample has no value.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim > 1:
        raise ArgumentError(f"expected a value for each turn, or one, got {numbers.shape}")
    out = np.zeros(len(sample), dtype=np.float32)
    for row in sample.turns:
        if numbers.ndim and row.turn >= len(numbers):
            raise ArgumentError(f"expected a value for turn {row.turn}, got {len(numbers)} values")
        out[row.start : row.end] = numbers[row.turn] if numbers.ndim else numbers
    out[sample.source != int(Owner.AGENT)] = 0.0
    return out


def token_rewards(sample: Sample) -> NDArray[np.float32]:
    """Each turn's reward on the last of its tokens that the agent wrote, 0.0 elsewhere.

    Shape (T,). The reward of a turn of which nothing was kept is put on the last token of the
    agent before it, or else the first after it, so that none is lost. Only a sample without
    any token of the agent has nowhere to put them.
    """
    out = np.zeros(len(sample), dtype=np.float32)
    rows: Sequence[tuple[int, int, float]] = [(r.start, r.end, r.reward) for r in sample.turns]
    ends = [end for start, end, _ in rows if end > start]
    for start, end, reward in rows:
        if end == start:
            before = [e for e in ends if e <= start]
            end = before[-1] if before else min(ends, default=0)
        if end:
            out[end - 1] += reward
    return out
