"""The Python sandbox: `PythonSession` runs model-written code in a locked-down process.

A language policy (`interpreter`) decides what code may say, and the operating system
(`lockdown`) what its process may do. Only the second is a boundary; see docs/security.md.
"""

from __future__ import annotations

from react_envs.executor.dispatch import run_many
from react_envs.executor.result import ExecutionResult
from react_envs.executor.session import PythonSession
from react_envs.executor.zygote import shut_down

__all__ = ["ExecutionResult", "PythonSession", "run_many", "shut_down"]
