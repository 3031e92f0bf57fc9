"""StepLimit: an episode has a last turn."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from react_envs.errors import ArgumentError
from react_envs.types import StopReason

__all__ = ["StepLimit"]

LAST_TURN = "This is your last turn: no more tools, give your final answer now."


class StepLimit(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Truncates the episode after `max_steps` turns.

    An answer in the last turn ends the episode as an answer does (`terminated`, never
    `truncated`); a call in it is run, and its result is the last observation.

    Args:
        env: any text environment.
        max_steps: number of turns, at least 1.
        on_limit: `"truncate"`, or `"answer"`: the observation before the last turn says that
            an answer must follow, and a call made in it is not run. That needs an
            environment with `require_answer` (`ReactEnv` has it) and at least 2 turns.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        max_steps: int,
        on_limit: Literal["truncate", "answer"] = "truncate",
    ) -> None:
        RecordConstructorArgs.__init__(self, max_steps=max_steps, on_limit=on_limit)
        super().__init__(env)
        if on_limit not in ("truncate", "answer"):
            raise ArgumentError(f"on_limit must be 'truncate' or 'answer', actually: {on_limit!r}")
        least = 2 if on_limit == "answer" else 1
        if type(max_steps) is not int or max_steps < least:
            raise ArgumentError(
                f"max_steps must be an int of at least {least} with on_limit={on_limit!r}, "
                f"actually: {max_steps!r}"
            )
        if on_limit == "answer" and not hasattr(env.unwrapped, "require_answer"):
            raise ArgumentError(
                f"on_limit='answer' needs an environment with require_answer(note); "
                f"{type(env.unwrapped).__name__} has none"
            )
        self.max_steps = max_steps
        self.on_limit = on_limit
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        observation, info = super().reset(seed=seed, options=options)
        self._steps = 0
        return observation, {**info, "max_steps": self.max_steps}

    def step(self, action: str) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        if self._steps >= self.max_steps:
            raise gym.error.ResetNeeded("the episode was truncated: call reset() first")
        if self.on_limit == "answer" and self._steps == self.max_steps - 2:
            self.get_wrapper_attr("require_answer")(LAST_TURN)
        observation, reward, terminated, truncated, info = super().step(action)
        self._steps += 1
        if self._steps >= self.max_steps and not terminated and not truncated:
            truncated = True
            info = {**info, "stop_reason": StopReason.MAX_STEPS}
            if hasattr(self.unwrapped, "reveal"):
                info |= self.unwrapped.reveal()
        return observation, reward, terminated, truncated, info
