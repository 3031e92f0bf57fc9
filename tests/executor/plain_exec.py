"""An interpreter without any policy, so that tests can see what the operating system denies."""

from __future__ import annotations

import contextlib
import traceback
from typing import Any

from react_envs.executor.interpreter import Outcome, TextWriter, TimeLimitExceeded


class PlainExec:
    """`exec` with everything that Python has; same interface as `Interpreter`."""

    def __init__(self, *, seed: int = 0, show_last_value: bool = False) -> None:
        self._namespace: dict[str, Any] = {"__name__": "__main__"}

    def run(
        self, source: str, stdout: TextWriter, stderr: TextWriter, time_limit_s: float | None = None
    ) -> Outcome:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):  # type: ignore[type-var]
            try:
                exec(compile(source, "<snippet>", "exec"), self._namespace)
            except TimeLimitExceeded:
                return Outcome("timeout", f"execution exceeded {time_limit_s:g} seconds", None)
            except MemoryError:
                return Outcome("memory", "MemoryError", None)
            except BaseException:
                return Outcome("error", traceback.format_exc(), None)
        return Outcome("ok", None, None)
