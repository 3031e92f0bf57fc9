"""StepLimit: an episode has a last turn."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from react_envs.dialects.dialect import LAST_TURN
from react_envs.errors import ArgumentError
from react_envs.types import StopReason

__all__ = ["StepLimit"]

ON_LIMIT = ("truncate", "answer", "refuse", "finish")


class StepLimit(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Truncates the episode after `max_steps` turns.

    An answer in the last turn ends the episode as an answer does (`terminated`, never
    `truncated`); a call in it is run, and its result is the last observation. A step that the
    environment calls `unfinished` is not a turn.

    Args:
        env: any text environment.
        max_steps: number of turns, at least 1.
        on_limit: what the last turns are.

            - `"truncate"`: like any other, and the episode is truncated after the last.
            - `"answer"`: the observation before the last turn says that an answer must follow,
              and a call made in it is not run.
            - `"refuse"`: the same, and the call before it is not run either: the note stands
              for its result (AutoCoA).
            - `"finish"`: the episode ends as after an empty answer: truncated, `answer` "" (ReAct).

            `"answer"` and `"refuse"` need an environment with `require_answer` (`ReactEnv` has
            it) and at least 2 turns.
        note: what is said before a last turn that must answer; "" says nothing (Search-R1).
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        max_steps: int,
        on_limit: Literal["truncate", "answer", "refuse", "finish"] = "truncate",
        note: str = LAST_TURN,
    ) -> None:
        RecordConstructorArgs.__init__(self, max_steps=max_steps, on_limit=on_limit, note=note)
        super().__init__(env)
        if on_limit not in ON_LIMIT:
            raise ArgumentError(
                f"on_limit must be one of {', '.join(map(repr, ON_LIMIT))}, actually: {on_limit!r}"
            )
        must_answer = on_limit in ("answer", "refuse")
        least = 2 if must_answer else 1
        if type(max_steps) is not int or max_steps < least:
            raise ArgumentError(
                f"max_steps must be an int of at least {least} with on_limit={on_limit!r}, "
                f"actually: {max_steps!r}"
            )
        if must_answer and not hasattr(env.unwrapped, "require_answer"):
            raise ArgumentError(
                f"on_limit={on_limit!r} needs an environment with require_answer(note); "
                f"{type(env.unwrapped).__name__} has none"
            )
        self.max_steps = max_steps
        self.on_limit = on_limit
        self.note = note
        self._must_answer = must_answer
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
        if self._must_answer and self._steps == self.max_steps - 2:
            refuse = self.on_limit == "refuse"
            self.get_wrapper_attr("require_answer")(self.note, refuse=refuse)
        observation, reward, terminated, truncated, info = super().step(action)
        self._steps += not info.get("unfinished", False)
        if self._steps >= self.max_steps and not terminated and not truncated:
            truncated = True
            info = {**info, "stop_reason": StopReason.MAX_STEPS}
            if self.on_limit == "finish":
                info["answer"] = ""
            if hasattr(self.unwrapped, "reveal"):
                info |= self.unwrapped.reveal()
        return observation, reward, terminated, truncated, info
