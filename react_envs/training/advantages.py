"""Advantages of trajectories and of turns: GRPO, Dr.GRPO, MT-GRPO, GiGPO, GAE.

Statistics of a group are taken once per trajectory, however many samples or turns it has.
Spread the result over tokens with `per_token`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from react_envs.errors import ArgumentError
from react_envs.training.returns import discounted_returns

__all__ = ["gae", "gigpo_advantages", "group_advantages", "mt_grpo_advantages"]

Std = Literal["population", "sample"] | None
Floats = NDArray[np.float64]
Groups = Sequence[Hashable] | NDArray[Any]


def group_advantages(
    returns: ArrayLike,
    groups: Groups,
    *,
    std: Std = "population",
    eps: float = 1e-6,
    singleton: Literal["zero", "return"] = "zero",
) -> Floats:
    """`(return - mean) / (std + eps)` in each group: GRPO's advantage, one per trajectory.

    Args:
        returns: shape (N,), one per trajectory.
        groups: N names; trajectories of one task share theirs (`EpisodeRow.group_id`).
        std: `"population"` divides by N, `"sample"` by N - 1 (verl, TRL), None does not divide
            by a deviation at all (Dr.GRPO, arXiv 2503.20783).
        eps: added to the deviation.
        singleton: advantage of a trajectory that is alone in its group: 0.0, or its return
            (as verl has it: mean 0, deviation 1).

    Returns:
        Shape (N,). All zero in a group whose returns are equal.

    Raises:
        ArgumentError: if lengths differ, or a return is not finite (an episode that the world
            ended has none: leave it out).

    >>> group_advantages([1.0, 0.0, 1.0, 0.0], ["a"] * 4, eps=0).tolist()
    [1.0, -1.0, 1.0, -1.0]
    >>> group_advantages([1.0, 0.0], ["a", "a"], std=None).tolist()
    [0.5, -0.5]
    """
    values = _finite(returns, "returns")
    groups = groups.tolist() if hasattr(groups, "tolist") else groups  # tensors hash by identity
    if len(groups) != len(values):
        raise ArgumentError(f"expected a group for {len(values)} returns, got {len(groups)}")
    if std not in ("population", "sample", None):
        raise ArgumentError(f'std must be "population", "sample" or None, actually: {std!r}')
    if singleton not in ("zero", "return"):
        raise ArgumentError(f'singleton must be "zero" or "return", actually: {singleton!r}')
    members: dict[Hashable, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        members[group].append(at)
    out = np.zeros_like(values)
    for indices in members.values():
        own = values[indices]
        if len(own) == 1:
            out[indices] = own / (1 + (eps if std else 0)) if singleton == "return" else 0.0
        elif np.ptp(own) <= 1e-12 * np.abs(own).max():
            # equal up to a rounding, which a small eps would blow up
            out[indices] = 0.0
        else:
            centred = own - own.mean()
            scale = 1.0 if std is None else own.std(ddof=1 if std == "sample" else 0) + eps
            out[indices] = centred / scale
    return out


def mt_grpo_advantages(
    turn_rewards: Sequence[ArrayLike],
    outcomes: ArrayLike,
    groups: Groups,
    *,
    alpha: float = 1.0,
    coefficient: float = 1.0,
    std: Std = "sample",
    eps: float = 1e-6,
) -> list[Floats]:
    """Turn-level credit of MT-GRPO (arXiv 2505.11821): one advantage per turn.

    Turn rewards and outcomes are normalised in their groups apart. With K turns, turn k (from
    0) gets `sum over l = k .. K-2 of alpha^(l-k) * c * A_l + alpha^(K-1-k) * A_outcome`, the
    last one the outcome's alone. With two turns, alpha = 1 and c = 1 that is the published
    code: `A_outcome + A_turn` before the first result and `A_outcome` after it. As there, a
    trajectory without a turn counts with reward 0 in that turn's group, and one that has its
    last turn only gets the advantage of all its rewards together (turn rewards and outcome,
    summed for every trajectory of the group).

    Args:
        turn_rewards: for each trajectory, the rewards of its turns but the last: K - 1 numbers.
        outcomes: shape (N,).
        groups: N names.
        alpha: discount from turn to turn.
        coefficient: c, the weight of turn rewards.
        std: see `group_advantages`.
        eps: see `group_advantages`.

    Returns:
        For each trajectory, shape (K,).
    """
    rewards = [_finite(values, "turn_rewards") for values in turn_rewards]
    if len(rewards) != len(groups):
        raise ArgumentError(f"expected {len(groups)} trajectories' rewards, got {len(rewards)}")
    outcome = group_advantages(outcomes, groups, std=std, eps=eps)
    if len(outcome) != len(rewards):
        raise ArgumentError(f"expected {len(rewards)} outcomes, got {len(outcome)}")
    totals = np.asarray(outcomes, dtype=np.float64) + [own.sum() for own in rewards]
    summed = group_advantages(totals, groups, std=std, eps=eps)
    longest = max((len(own) for own in rewards), default=0)
    padded = np.zeros((len(rewards), longest))
    for row, own in zip(padded, rewards, strict=True):
        row[: len(own)] = own
    turns = [group_advantages(padded[:, at], groups, std=std, eps=eps) for at in range(longest)]
    out = []
    for n, own in enumerate(rewards):
        credits = [coefficient * turns[at][n] for at in range(len(own))]
        out.append(discounted_returns([*credits, outcome[n] if len(own) else summed[n]], alpha))
    return out


def gigpo_advantages(
    rewards: Sequence[ArrayLike],
    states: Sequence[Sequence[Hashable]],
    groups: Groups,
    *,
    gamma: float = 0.95,
    omega: float = 1.0,
    std: Std = "sample",
    eps: float = 1e-6,
) -> list[Floats]:
    """Group-in-group advantages (GiGPO, arXiv 2505.10978): one per turn.

    `A_episode + omega * A_step`: the episode's total reward in its group, and the discounted
    return of each step among all steps of the group that were taken in the same state. A state
    that was met once has no step advantage.

    Args:
        rewards: for each trajectory, the rewards of its K turns.
        states: for each trajectory, K keys (`TurnRow.state_key`).
        groups: N names.
        gamma: discount of the step returns.
        omega: weight of the step advantage.
        std: see `group_advantages`; None for the paper's unnormalised variant.
        eps: see `group_advantages`.

    Returns:
        For each trajectory, shape (K,).
    """
    values = [_finite(own, "rewards") for own in rewards]
    if [len(own) for own in values] != [len(keys) for keys in states]:
        raise ArgumentError("expected one state for each reward of each trajectory")
    totals = group_advantages([own.sum() for own in values], groups, std=std, eps=eps)
    returns = [discounted_returns(own, gamma) for own in values]
    keys = [(groups[n], key) for n, own in enumerate(states) for key in own]
    steps = group_advantages(np.concatenate([*returns, []]), keys, std=std, eps=eps)
    out, at = [], 0
    for n, own in enumerate(values):
        out.append(totals[n] + omega * steps[at : at + len(own)])
        at += len(own)
    return out


def gae(
    rewards: ArrayLike,
    values: ArrayLike,
    *,
    last_value: float = 0.0,
    gamma: float = 1.0,
    lam: float = 0.95,
) -> tuple[Floats, Floats]:
    """Generalised advantage estimation over the turns of an episode (turn-level PPO).

    Args:
        rewards: shape (K,).
        values: shape (K,), the critic's value of what each turn answered.
        last_value: value of what followed the last turn: 0.0 if the episode terminated, the
            critic's if it was truncated.
        gamma: discount from turn to turn.
        lam: lambda.

    Returns:
        Advantages and returns (advantage + value), shape (K,) each.
    """
    own, critic = _finite(rewards, "rewards"), _finite(values, "values")
    _finite([last_value], "last_value")
    if own.shape != critic.shape:
        raise ArgumentError(f"expected {len(own)} values, got {len(critic)}")
    following = np.append(critic[1:], last_value) if len(critic) else critic
    deltas = own + gamma * following - critic
    advantages = discounted_returns(deltas, gamma * lam)
    return advantages, advantages + critic


def _finite(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ArgumentError(f"expected {name} to be finite numbers of shape (N,), got {values!r}")
    return array
