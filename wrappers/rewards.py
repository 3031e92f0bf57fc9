"""Rewards of finished episodes, as named terms in `info["reward_terms"]`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from react_envs.errors import ArgumentError, is_world_failure
from react_envs.rewards.terms import Term, make_terms
from react_envs.rewards.turn_credit import PAID_PER_TURN
from react_envs.types import Episode, Turn

__all__ = ["AnswerReward", "EpisodeReward", "FormatReward"]


class EpisodeReward(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Adds a weighted sum of named terms to the reward of the last step.

    The last `info` carries `reward_terms` (every term's own value, those without a weight
    included) and `episode`: total reward `r`, number of turns `l`, and how many
    `tool_calls`, `tool_failures`, `parse_errors` and `fabricated_observations` it had.

    Terms that are paid per turn (`react_envs.rewards.turn_credit.PAID_PER_TURN`) add to each
    step what it changed of them, weighted; `info["turn_rewards"]` names the parts, and the last
    `info["outcome_reward"]` is the rest. That takes an environment whose `task` is known.

    A term that the world keeps from its value (a judge whose server is down) makes the reward
    `nan`, never 0.0; `info["reward_failure"]` says why, and a rollout records it.

    Args:
        env: a text environment whose last info says `answer` and `gold`; put the wrapper
            outside whatever ends the episode (`StepLimit`).
        reward: a preset's name, weights by term name, or a function of the `Episode` (see
            `react_envs.rewards.terms.make_terms`).
        grader: how answers are compared: `"text"`, `"numeric"` or `"math"`.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        reward: str | Mapping[str, Any] | Term = "exact_match",
        grader: str = "text",
    ) -> None:
        # not copied: a judge is one for all environments, with its cache and its budget
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, reward=reward, grader=grader)
        super().__init__(env)
        self.terms, self.weights = make_terms(reward, grader)
        self._per_turn = [name for name in self.weights if name in PAID_PER_TURN]
        if self._per_turn and not hasattr(env.unwrapped, "task"):
            raise ArgumentError(
                f"{', '.join(self._per_turn)} are paid per turn and need an environment with "
                f"`task`; {type(env.unwrapped).__name__} has none"
            )
        self._turns: list[Turn] = []
        self._paid: dict[str, float] = {}
        self._total = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        self._turns, self._total = [], 0.0
        self._paid = dict.fromkeys(self._per_turn, 0.0)
        return super().reset(seed=seed, options=options)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        observation, inner, terminated, truncated, info = super().step(action)
        reward = float(inner)
        self._turns.append(Turn.from_step(action, observation, info))
        if self._per_turn:
            info = {**info, "turn_rewards": self._turn_rewards()}
            reward += sum(info["turn_rewards"].values())
        if terminated or truncated:
            values, failure = self._score(info)
            info = {**info, "reward_terms": {**info.get("reward_terms", {}), **values}, **failure}
            outcome = sum(
                weight * values.get(name, math.nan)
                for name, weight in self.weights.items()
                if name not in self._paid
            )
            if self._per_turn:
                info["outcome_reward"] = outcome
            reward += outcome
        self._total += reward
        if terminated or truncated:
            info["episode"] = self._totals()
        return observation, reward, terminated, truncated, info

    def _turn_rewards(self) -> dict[str, float]:
        """What this turn changed of the terms that are paid per turn, weighted."""
        task = self.get_wrapper_attr("task")
        episode = self._episode(task.answers, None)
        rewards = {}
        for name in self._per_turn:
            value = self.terms[name](episode)
            rewards[name] = self.weights[name] * (value - self._paid[name])
            self._paid[name] = value
        return rewards

    def _score(self, info: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, Any]]:
        """The terms' values, and `reward_failure` for those that the world kept from one."""
        if "gold" not in info:
            raise ArgumentError(
                "the environment ended an episode without info['gold']; put the wrapper that "
                "ends episodes inside this one, and let the environment reveal its gold answers"
            )
        episode = self._episode(tuple(info["gold"]), info.get("stop_reason"))
        values: dict[str, float] = {}
        failure: dict[str, Any] = {}
        for name, term in self.terms.items():
            try:
                values[name] = term(episode)
            except Exception as error:
                if not is_world_failure(error):
                    raise
                kind = getattr(error, "kind", type(error).__name__)
                why = {"type": type(error).__name__, "kind": kind, "message": str(error)}
                failure = {"reward_failure": {"term": name, **why}}
        return values, failure

    def _episode(self, gold: tuple[str, ...], stop_reason: str | None) -> Episode:
        dialect = getattr(getattr(self.unwrapped, "dialect", None), "name", "")
        task = getattr(self.unwrapped, "task", None)
        return Episode(gold, tuple(self._turns), stop_reason, task, dialect)

    def _totals(self) -> dict[str, Any]:
        return {
            "r": None if math.isnan(self._total) else self._total,
            "l": len(self._turns),
            "tool_calls": sum(turn.tool_ok is not None for turn in self._turns),
            "tool_failures": sum(turn.tool_failure is not None for turn in self._turns),
            "parse_errors": sum(turn.parse_error is not None for turn in self._turns),
            "fabricated_observations": sum(turn.fabricated_observation for turn in self._turns),
        }


class AnswerReward(EpisodeReward):
    """The answer's grade alone: 1.0 for a right one, 0.0 for a wrong one or none."""

    def __init__(self, env: gym.Env[str, str], grader: str = "text", weight: float = 1.0) -> None:
        RecordConstructorArgs.__init__(self, grader=grader, weight=weight)
        super().__init__(env, {"exact_match": weight}, grader)
        self.terms = {"exact_match": self.terms["exact_match"]}


class FormatReward(EpisodeReward):
    """The format's grade alone: `weight` if every turn was well-formed and one answered."""

    def __init__(self, env: gym.Env[str, str], weight: float = 1.0) -> None:
        RecordConstructorArgs.__init__(self, weight=weight)
        super().__init__(env, {"format": weight})
        self.terms = {"format": self.terms["format"]}
