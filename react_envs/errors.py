"""One tree of errors, by whose mistake it is: the model's, the world's or the programmer's.

    ReactEnvsError
    ├── ArgumentError (ValueError)          a caller passed something we cannot use
    ├── DataNotFoundError (FileNotFoundError)  a standard split is on none of the usual places
    ├── MissingExtraError (ImportError)     an optional dependency is not installed
    ├── ToolError (RuntimeError)            a tool tells the model what it did wrong
    ├── ToolFailure (RuntimeError)          the world failed while a tool ran
    │   └── ExecutorError                   the Python executor could not be started or used
    ├── PolicyFailure (RuntimeError)        the world failed while a policy wrote its turn
    └── JudgeFailure (RuntimeError)         a judge could not judge an episode

The environment turns `ToolError` into an observation and `ToolFailure` into a recorded
failure; the rollout records `PolicyFailure`, the reward wrapper `JudgeFailure`. All others are
the programmer's and reach them at once.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "DataNotFoundError",
    "ExecutorError",
    "JudgeFailure",
    "MissingExtraError",
    "PolicyFailure",
    "ReactEnvsError",
    "ToolError",
    "ToolFailure",
    "is_world_failure",
]


class ReactEnvsError(Exception):
    """Root of every error that react-envs raises on purpose."""


class ArgumentError(ReactEnvsError, ValueError):
    """An argument is unusable; the message says what was expected and what came."""


class DataNotFoundError(ReactEnvsError, FileNotFoundError):
    """A data set was asked for by name and found nowhere; never replaced by another."""


class MissingExtraError(ReactEnvsError, ImportError):
    """An optional dependency is missing; the message names the extra to install."""

    @classmethod
    def for_extra(cls, module: str, extra: str) -> MissingExtraError:
        """Error for `module`, which the extra `extra` would bring."""
        return cls(f'{module} is not installed; run: pip install "react-envs[{extra}]"')


class ToolError(ReactEnvsError, RuntimeError):
    """Raise it inside a tool to tell the model what was wrong with its call.

    The message becomes the observation, word for word; the episode goes on.
    """


class ToolFailure(ReactEnvsError, RuntimeError):
    """The world failed while a tool ran (time-out, no network, a dead process).

    Raise it inside a tool: the episode goes on, the model reads one fixed sentence,
    and `kind` is recorded and counted. It never becomes text that looks like a result.
    """

    def __init__(self, message: str, kind: str = "tool_failure") -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.kind)


class ExecutorError(ToolFailure):
    """The Python executor itself failed, not the code that it was given."""

    def __init__(self, message: str, kind: str = "executor") -> None:
        super().__init__(message, kind)


class PolicyFailure(ReactEnvsError, RuntimeError):
    """The world failed while a policy wrote its turn (server down, out of memory)."""

    def __init__(self, message: str, kind: str = "policy_failure") -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.kind)


class JudgeFailure(ReactEnvsError, RuntimeError):
    """A judge gave no judgement (its server is down, its reply unreadable, its budget spent).

    It is no judgement of the episode: nothing is scored 0.0 for it.
    """

    def __init__(self, message: str, kind: str = "judge_failure") -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.kind)


_WRONG_PATH = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)


def is_world_failure(error: BaseException) -> bool:
    """True for what nobody in the loop did wrong: it is recorded and the run goes on.

    These are `ToolFailure`, `PolicyFailure`, `JudgeFailure`, `MemoryError` and the `OSError` family
    (connections, time-outs, all exceptions of requests), except paths that do not fit.

    >>> is_world_failure(TimeoutError()), is_world_failure(FileNotFoundError())
    (True, False)
    """
    if isinstance(error, ToolFailure | PolicyFailure | JudgeFailure | MemoryError):
        return True
    return isinstance(error, OSError) and not isinstance(error, _WRONG_PATH)
