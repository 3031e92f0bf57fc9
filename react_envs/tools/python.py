"""The `python` tool: runs code in a locked-down interpreter that lives for one episode."""

from __future__ import annotations

from typing import Any

from react_envs.executor import PythonSession
from react_envs.tools.tool import Tool
from react_envs.types import Task, ToolResult

__all__ = ["PythonTool"]


RETOOL_NO_PRINT = "TypeError: a bytes-like object is required, not 'list'"
"""What ReTool's published executor says of every program that prints nothing."""


class PythonTool(Tool):
    """Python for the agent; variables persist from turn to turn, never across episodes.

    Takes the keyword arguments of `react_envs.executor.PythonSession` (limits, isolation,
    `show_last_value`). `docs/security.md` says what holds the code.

    Args:
        retool_no_print: answer a program that prints nothing as ReTool's published executor
            does: with an error of its own, instead of the value of the last expression.
        session_options: those of `PythonSession`.
    """

    name = "python"

    def __init__(self, *, retool_no_print: bool = False, **session_options: Any) -> None:
        self._retool_no_print = retool_no_print
        self._options = session_options
        self._seed = 0
        self._session: PythonSession | None = PythonSession(**session_options)

    def start(self, task: Task, seed: int) -> None:
        """Give the next call a fresh interpreter whose `random` is seeded with `seed`."""
        self._seed = seed
        self.session.reset(seed=seed)

    def __call__(self, code: str) -> ToolResult:
        """Run Python code and read what it prints. Variables persist between calls.

        Args:
            code: Python source; use print() to see a value
        """
        result = self.session.run(code)
        failed = self._retool_no_print and result.status == "ok" and not result.stdout
        return ToolResult(
            RETOOL_NO_PRINT if failed else result.text,
            ok=result.status == "ok" and not failed,
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
        """The executor session of this environment; a process is forked at its first run."""
        if self._session is None:
            self._session = PythonSession(**{**self._options, "seed": self._seed})
        return self._session

    def close(self) -> None:
        """End the interpreter; a later call starts a new one."""
        self.session.close()
        self._session = None

    def __getstate__(self) -> dict[str, Any]:
        # A session belongs to one environment of one process: copies start their own.
        return {**self.__dict__, "_session": None}
