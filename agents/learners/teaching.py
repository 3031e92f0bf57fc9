"""Trajectories to learn from: an oracle's or a model's own, as samples with owners."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import gymnasium as gym
from rich.console import Console
from rich.progress import track

from react_envs.errors import ArgumentError
from react_envs.rollout import EpisodeRecord, Policy, play
from react_envs.tokenization import TokenCodec
from react_envs.trace import Sample
from react_envs.types import Completion, Context
from react_envs.wrappers import TokenProvenance

__all__ = ["Teacher", "TeachingData", "mix", "teach"]

Item = TypeVar("Item")


class Teacher:
    """A policy whose turns end with the student's end-of-text token, so that it learns to stop.

    Args:
        policy: writes text.
        codec: of the student's tokenizer.
        end_id: the student's end-of-text token.
    """

    def __init__(self, policy: Policy, codec: TokenCodec, end_id: int) -> None:
        self.policy = policy
        self.codec = codec
        self.end_id = end_id

    def __call__(self, context: Context) -> Completion:
        text = str(self.policy(context))
        ids = [*self.codec.encode(text), self.end_id]
        return Completion(text, prompt_token_ids=self._read(context), token_ids=ids)

    def _read(self, context: Context) -> list[int]:
        """The ids of all before this turn, as its student would have them."""
        told = sum(len(turn.kept) + len(turn.observation) for turn in context.turns)
        ids = self.codec.encode_prompt(context.prompt[: len(context.prompt) - told])
        for turn in context.turns:
            ids += [*self.codec.encode(turn.kept), self.end_id]
            ids += self.codec.encode(turn.observation)
        return ids


@dataclass(frozen=True)
class TeachingData:
    """Right trajectories, and how many were played for them."""

    samples: list[Sample]
    records: list[EpisodeRecord]
    """Of each sample."""
    played: int


def teach(
    env: gym.Env[str, str],
    policy: Policy,
    tokenizer: Any,
    indices: Iterable[int],
    *,
    seed: int = 0,
    least_reward: float = 1.0,
    progress: str | None = None,
) -> TeachingData:
    """Play `indices` in `env` and keep the trajectories that reach `least_reward`.

    Args:
        env: an environment as `gym.make` builds it.
        policy: the teacher, such as an oracle; it sees what an agent would.
        tokenizer: the student's; it has an end-of-text token.
        indices: tasks to play.
        seed: of the episodes.
        least_reward: of a trajectory that is worth learning.
        progress: what to call this on a progress bar; None for none.

    Raises:
        ArgumentError: if no trajectory reaches `least_reward`.
    """
    recorded = TokenProvenance(env, tokenizer)
    teacher = Teacher(policy, recorded.recorder.codec, tokenizer.eos_token_id)
    samples: list[Sample] = []
    records: list[EpisodeRecord] = []
    played = 0
    indices = list(indices)
    bar = partial(track, console=Console(stderr=True), disable=progress is None, transient=True)
    for index in bar(indices, progress or ""):
        record = play(recorded, teacher, index, seed)
        played += 1
        if record.reward is None or record.reward < least_reward or record.tokens is None:
            continue
        for sample in record.tokens.to_samples():
            samples.append(sample)
            records.append(record)
    if not samples:
        raise ArgumentError(
            f"none of {played} trajectories reached a reward of {least_reward}; "
            "does the policy know this environment?"
        )
    return TeachingData(samples, records, played)


def mix(*parts: tuple[Sequence[Item], int], seed: int = 0) -> list[Item]:
    """Samples of several kinds in a given ratio, shuffled: as many as the scarcest part allows.

    Args:
        *parts: samples with their weight in the ratio, such as `(coa, 5), (cot, 1)`.
        seed: of the order.

    Raises:
        ArgumentError: if a part is empty or has no positive weight.

    >>> sorted(mix((["a"] * 12, 5), (["b"] * 2, 1)))
    ['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'b', 'b']
    """
    for items, weight in parts:
        if not items or weight < 1:
            raise ArgumentError(
                f"expected samples and a weight of at least 1, got {len(items)} and {weight}"
            )
    units = min(len(items) / weight for items, weight in parts)
    mixed = [item for items, weight in parts for item in items[: int(units * weight)]]
    random.Random(seed).shuffle(mixed)
    return mixed
