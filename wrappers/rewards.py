"""Rewards of finished episodes, as named terms in `info["reward_terms"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from react_envs.errors import ArgumentError
from react_envs.rewards.terms import Term, make_terms
from react_envs.types import Episode, Turn

__all__ = ["AnswerReward", "EpisodeReward", "FormatReward"]


class EpisodeReward(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Adds a weighted sum of named terms to the reward of the last step.

    The last `info` carries `reward_terms` (every term's own value, those without a weight
    included) and `episode`: total reward `r`, number of turns `l`, and how many
    `tool_calls`, `tool_failures`, `parse_errors` and `fabricated_observations` it had.

    Args:
        env: a text environment whose last info says `answer` and `gold`; put the wrapper
            outside whatever ends the episode (`StepLimit`).
        reward: a preset's name, weights by term name, or a function of the `Episode`.
        grader: how answers are compared: `"text"`, `"numeric"` or `"math"`.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        reward: str | Mapping[str, float] | Term = "exact_match",
        grader: str = "text",
    ) -> None:
        RecordConstructorArgs.__init__(self, reward=reward, grader=grader)
        super().__init__(env)
        self.terms, self.weights = make_terms(reward, grader)
        self._turns: list[Turn] = []
        self._total = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        self._turns, self._total = [], 0.0
        return super().reset(seed=seed, options=options)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        observation, inner, terminated, truncated, info = super().step(action)
        reward = float(inner)
        self._turns.append(Turn.from_step(action, observation, info))
        if terminated or truncated:
            values = self._score(info)
            reward += sum(weight * values[name] for name, weight in self.weights.items())
            info = {**info, "reward_terms": {**info.get("reward_terms", {}), **values}}
        self._total += reward
        if terminated or truncated:
            info["episode"] = self._totals()
        return observation, reward, terminated, truncated, info

    def _score(self, info: Mapping[str, Any]) -> dict[str, float]:
        if "gold" not in info:
            raise ArgumentError(
                "the environment ended an episode without info['gold']; put the wrapper that "
                "ends episodes inside this one, and let the environment reveal its gold answers"
            )
        episode = Episode(tuple(info["gold"]), tuple(self._turns), info.get("stop_reason"))
        return {name: term(episode) for name, term in self.terms.items()}

    def _totals(self) -> dict[str, Any]:
        return {
            "r": self._total,
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
