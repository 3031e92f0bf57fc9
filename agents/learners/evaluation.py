"""Held-out evaluation of a model: greedy turns, all episodes at once."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from react_envs.agents.learners.teaching import Teacher
from react_envs.agents.policies import make_policy
from react_envs.agents.policies.hf import HFPolicy
from react_envs.rollout import BatchPolicy, EpisodeRecord, play, play_together
from react_envs.simulators import Fidelity, SimulatedCall, Simulator, fidelity
from react_envs.tokenization import as_codec
from react_envs.tools import call_tool
from react_envs.types import ToolResult

__all__ = ["Evaluator", "simulator_fidelity", "summary_of"]


class Evaluator:
    """Plays the same tasks greedily whenever it is called.

    Args:
        model: a causal model of transformers.
        tokenizer: its own.
        make_env: an environment's id, or what makes one; one is kept for each task.
        indices: tasks that no training uses.
        mode: as for `HFPolicy`.
        max_new_tokens: of a turn.
        batch_size: turns written at a time.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        make_env: str | Callable[[], gym.Env[str, str]],
        indices: Sequence[int],
        *,
        mode: Literal["completion", "chat"] = "completion",
        max_new_tokens: int = 48,
        batch_size: int = 256,
    ) -> None:
        self.policy: BatchPolicy = HFPolicy(
            model,
            tokenizer,
            mode=mode,
            max_new_tokens=max_new_tokens,
            temperature=0,
            batch_size=batch_size,
        )
        self.indices = list(indices)
        self._make_env = partial(gym.make, make_env) if isinstance(make_env, str) else make_env
        self._envs: list[gym.Env[str, str]] = []
        self.records: list[EpisodeRecord] = []
        """Of the last call."""

    def __call__(self) -> dict[str, float]:
        if not self._envs:
            self._envs = [self._make_env() for _ in self.indices]
        seeds = [0] * len(self.indices)
        self.records = play_together(self._envs, self.policy, self.indices, seeds)
        return summary_of(self.records)

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs:
            env.close()
        self._envs = []


def summary_of(records: Sequence[EpisodeRecord]) -> dict[str, float]:
    """Means over episodes: `reward`, `em`, `f1`, `format`, `calls`, `turns`; and `failures`.

    An episode that the world ended counts in `failures` alone; where it ended all, means are NaN.
    """
    whole = [record for record in records if record.error is None]

    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else math.nan

    def term(name: str) -> float:
        return mean([float(record.reward_terms.get(name, 0.0)) for record in whole])

    return {
        "reward": mean([float(record.reward or 0.0) for record in whole]),
        "em": term("exact_match"),
        "f1": term("f1"),
        "format": term("format"),
        "calls": mean([float(record.calls) for record in whole]),
        "turns": mean([float(len(record.turns)) for record in whole]),
        "failures": float(len(records) - len(whole)),
    }


def simulator_fidelity(
    simulator: Simulator,
    make_env: Callable[..., gym.Env[str, str]],
    indices: Sequence[int],
    tokenizer: Any = None,
    **oracle: Any,
) -> Fidelity:
    """How near a simulator comes to the real tool on the calls that the oracle makes.

    Args:
        simulator: answers the same calls, in the same contexts, as the real tool.
        make_env: makes the real environment; it takes `simulate=`.
        indices: tasks that the oracle plays.
        tokenizer: of the model that simulates, whose turns end with its end-of-text token; None
            for a simulator that reads text.
        **oracle: options of the oracle.
    """
    heard = _Eavesdropper()
    env = make_env(simulate=heard)
    policy = make_policy("oracle", env, **oracle)
    if tokenizer is not None:
        policy = Teacher(policy, as_codec(tokenizer), tokenizer.eos_token_id)
    for index in indices:
        play(env, policy, index)
    env.close()
    said = simulator.many(heard.asked)
    for call in heard.asked:
        call.tool.close()
    return fidelity(["" if isinstance(s, Exception) else s.text for s in said], heard.results)


class _Eavesdropper(Simulator):
    """Lets the real tool answer, and notes call and result."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[SimulatedCall] = []
        self.results: list[str] = []

    def prompt(self, call: SimulatedCall) -> str:
        return call.episode

    def write(self, prompt: str, call: SimulatedCall) -> ToolResult:
        # a script may ask the tool later, and is to find it as it was
        self.asked.append(replace(call, tool=copy.deepcopy(call.tool)))
        result = call_tool(call.tool, call.arguments)
        self.results.append(result.text)
        return result
