"""`SimulatedTool`: looks like the real tool in every way, and is played by a simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from react_envs.simulators.simulator import SimulatedCall, Simulator, call_seed
from react_envs.tools import Tool
from react_envs.tools.tool import failing_as_the_world
from react_envs.types import Task, ToolResult

__all__ = ["SimulatedTool"]

_RESULT = "Zq"


class SimulatedTool(Tool):
    """Name, description and parameters of the real tool, words of the simulator.

    Args:
        real: the tool that is played.
        simulator: plays it; shared by all environments.
    """

    def __init__(self, real: Tool, simulator: Simulator) -> None:
        self.real = real
        self.name = real.name
        self.simulator = simulator
        self._task: Task | None = None
        self._seed = self._number = 0
        self._episode = self._opening = self._closing = ""
        self._ids: tuple[int, ...] | None = None

    @property
    def _function(self) -> Any:
        return self.real._function

    @property
    def description(self) -> str:
        """The real tool's."""
        return self.real.description

    @property
    def parameters(self) -> dict[str, Any]:
        """The real tool's."""
        return self.real.parameters

    def start(self, task: Task, seed: int) -> None:
        self._task, self._seed, self._number = task, seed, 0
        self.real.start(task, seed)

    def overhear(self, episode: str, action: str, observe: Callable[[str], str]) -> None:
        self._opening, _, self._closing = observe(_RESULT).partition(_RESULT)
        self._episode, self._ids = episode, _ids_of(action)

    def __call__(self, **arguments: Any) -> ToolResult:
        assert self._task is not None
        call = SimulatedCall(
            self.real,
            arguments,
            self._task,
            self._episode,
            self._opening,
            self._closing,
            call_seed(self._seed, self.name, self._number),
            self._ids,
        )
        self._number += 1
        with failing_as_the_world("simulator"):  # its bugs are not for the agent to read
            return self.simulator(call)

    def close(self) -> None:
        self.real.close()


def _ids_of(action: str) -> tuple[int, ...] | None:
    """Ids of the whole episode, if the engine said them."""
    read, wrote = getattr(action, "prompt_token_ids", None), getattr(action, "token_ids", None)
    return None if read is None or wrote is None else (*read, *wrote)
