"""Transcript: the whole history as the observation."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

__all__ = ["Transcript"]


class Transcript(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Gives a policy without memory all it needs: prompt, kept actions and observations.

    The observation is exactly the context of a policy in completion form. `info` stays as
    it is; the new text of a step is in `info["new_text"]`.
    """

    def __init__(self, env: gym.Env[str, str]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        self._history = ""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        prompt, info = super().reset(seed=seed, options=options)
        self._history = info.get("new_text", prompt)
        return self._history, {**info, "new_text": self._history}

    def step(self, action: str) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        new_text = info.get("new_text", observation)
        self._history += info.get("kept", action) + new_text
        info = {**info, "new_text": new_text}
        return self._history, reward, terminated, truncated, info
