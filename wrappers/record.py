"""Record: episodes as lines of JSON."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from react_envs.types import Turn

__all__ = ["Record", "append_json_line"]


class Record(gym.Wrapper[str, str, str, str], RecordConstructorArgs):
    """Appends a line to a JSONL file for each episode; put it outside all other wrappers.

    A line holds what `reset` said (`dataset`, `split`, `index`, `fingerprint`, `max_steps`),
    the `prompt`, each turn (see `react_envs.types.Turn`), `reward`, `reward_terms`, `episode`,
    `stop_reason` and `gold`; where a judge failed, `reward_failure`, and null for the reward. An
    episode that is left unfinished by `reset` or `close` is written too, with `stop_reason`
    null. A line is written in one piece, so several environments and processes may share a
    file.
    """

    def __init__(self, env: gym.Env[str, str], path: str | os.PathLike[str]) -> None:
        RecordConstructorArgs.__init__(self, path=os.fspath(path))
        super().__init__(env)
        self.path = os.fspath(path)
        self._line: dict[str, Any] = {}
        self._turns: list[Turn] = []
        self._rewards: list[float] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        self._write({"stop_reason": None})
        prompt, info = super().reset(seed=seed, options=options)
        named = ("dataset", "split", "index", "fingerprint", "max_steps")
        self._line = {**{name: info.get(name) for name in named}, "prompt": prompt}
        return prompt, info

    def step(self, action: str) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        self._turns.append(Turn.from_step(action, observation, info))
        self._rewards.append(float(reward))
        if terminated or truncated:
            named = ("reward_terms", "reward_failure", "episode", "stop_reason", "gold")
            self._write({name: info.get(name) for name in named})
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        self._write({"stop_reason": None})
        super().close()

    def _write(self, end: dict[str, Any]) -> None:
        """Write the episode that has turns, if there is one, and forget it."""
        if self._turns:
            # a reward that a judge owes is null: JSON has no nan
            rewards = [None if math.isnan(reward) else reward for reward in self._rewards]
            total = None if None in rewards else sum(self._rewards)
            line = {**self._line, "reward": total, "rewards": rewards, **end}
            append_json_line(self.path, {**line, "turns": [asdict(turn) for turn in self._turns]})
        self._line, self._turns, self._rewards = {}, [], []


def append_json_line(path: str | os.PathLike[str], value: Any) -> None:
    """Append `value` as one line of JSON, in a single write.

    Text is written as it is, not as escapes; lone surrogates, which UTF-8 cannot hold, become
    the escapes that JSON has for them.
    """
    line = json.dumps(value, ensure_ascii=False, default=str) + "\n"
    data = line.encode("utf-8", errors="backslashreplace")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)
