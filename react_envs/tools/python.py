"""The `python` tool: runs code in a locked-down interpreter that lives for one episode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from react_envs.tools.tool import Tool
from react_envs.types import Task, ToolResult

if TYPE_CHECKING:
    from react_envs.executor import PythonSession

__all__ = ["PythonTool"]


class PythonTool(Tool):
    """Python for the agent; variables persist from turn to turn, never across episodes.

    Takes the keyword arguments of `react_envs.executor.PythonSession` (limits, isolation,
    `show_last_value`); the session starts at the first call of an environment, a child
    process at the first call of an episode. `docs/security.md` says what holds the code.
    """

    name = "python"

    def __init__(self, **session_options: Any) -> None:
        self._options = session_options
        self._session: PythonSession | None = None
        self._seed = 0

    def start(self, task: Task, seed: int) -> None:
        """Give the next call a fresh interpreter whose `random` is seeded with `seed`."""
        self._seed = seed
        if self._session is not None:
            self._session.reset(seed=seed)

    def __call__(self, code: str) -> ToolResult:
        """Run Python code and read what it prints. Variables persist between calls.

        Args:
            code: Python source; use print() to see a value
        """
        result = self.session.run(code)
        return ToolResult(
            result.text,
            ok=result.status == "ok",
            meta={
                "status": result.status,
                "printed": bool(result.stdout or result.value),
                "cpu_s": result.cpu_s,
                "wall_s": result.wall_s,
                "truncated": result.truncated,
                "isolation": self.session.isolation["level"],
            },
        )

    @property
    def session(self) -> PythonSession:
        """The executor session of this environment, started on first use."""
        if self._session is None:
            from react_envs.executor import PythonSession

            self._session = PythonSession(seed=self._seed, **self._options)
        return self._session

    def close(self) -> None:
        """End the interpreter; a later call starts a new one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def __getstate__(self) -> dict[str, Any]:
        # A session belongs to one environment of one process: copies start their own.
        return {**self.__dict__, "_session": None}
