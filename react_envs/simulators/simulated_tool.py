"""`SimulatedTool`: looks like the real tool in every way, and is played by a simulator."""

from __future__ import annotations

from typing import Any

from react_envs.simulators.simulator import SimulatedCall, Simulator, call_seed
from react_envs.tools import Tool
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

    @property
    def _function(self) -> Any:
        return self.real._function

    @property
    def description(self) -> str:  # type: ignore[override]
        """The real tool's."""
        return self.real.description

    @property
    def parameters(self) -> dict[str, Any]:  # type: ignore[override]
        """The real tool's."""
        return self.real.parameters

    def start(self, task: Task, seed: int) -> None:
        self._task, self._seed, self._number = task, seed, 0
        self.real.start(task, seed)

    def overhear(self, episode: str, dialect: Any) -> None:
        written = dialect.observation(_RESULT, episode)
        self._opening, _, self._closing = written.partition(_RESULT)
        self._episode = episode

    def __call__(self, **arguments: Any) -> ToolResult:
        assert self._task is not None
        call = SimulatedCall(
            self.real,
            arguments,
            self._task,
            self._episode,
            self._opening,
            self._closing,
            call_seed(self._seed, self._number),
        )
        self._number += 1
        return self.simulator(call)

    def close(self) -> None:
        self.real.close()
