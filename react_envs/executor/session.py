"""`PythonSession`: an episode's Python interpreter in a locked-down process of its own."""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

from react_envs.errors import ArgumentError, ExecutorError
from react_envs.executor.connection import Child
from react_envs.executor.dispatch import run_one
from react_envs.executor.episode_state import EpisodeState
from react_envs.executor.limits import Limits
from react_envs.executor.lockdown import level
from react_envs.executor.result import ExecutionResult, Status
from react_envs.executor.zygote import Flavour, Zygote, zygote_for

__all__ = ["PythonSession"]

_SLIM, _FULL = Flavour(libraries=False), Flavour(libraries=True)


class PythonSession:
    """One episode's Python interpreter: variables persist from run to run, also after errors.

    Its process is forked at the first `run` from a zygote that all sessions of this trainer
    share, and is locked down by the operating system before it reads any code; docs/security.md
    says what that covers. Different sessions may run in different threads at once.

    The first code that names numpy or sympy moves the session to a process that has them
    loaded. The variables come along because the earlier snippets run again there, silently and
    with the same seed (what they took from the clock may differ). Where that cannot work, as
    after a time-out, the result says `restarted`.

    >>> with PythonSession() as session:
    ...     _ = session.run("x = 20")
    ...     session.run("print(x + 1)").text
    '21'
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        cpu_limit_s: float = 5.0,
        wall_limit_s: float = 10.0,
        memory_mb: int = 512,
        output_chars: int = 10_000,
        show_last_value: bool = False,
        isolation: Literal["auto", "strict"] = "auto",
    ) -> None:
        """Describe a session; no process is started yet.

        Args:
            seed: of the snippet's `random` (and `numpy.random`) at the start of the episode.
            cpu_limit_s: CPU seconds for one run; beyond, the snippet is stopped and the
                variables are kept.
            wall_limit_s: seconds for one run by the clock, waiting for a free core included;
                beyond, the process is killed and the variables are lost.
            memory_mb: MiB that the snippet's variables may take beside the interpreter itself.
            output_chars: characters kept of stdout, and as many of stderr: the first and the
                last half.
            show_last_value: give the `repr` of a last expression as a notebook does.
            isolation: `"strict"` refuses to run where the system-call filter is not in force;
                `"auto"` runs with what there is, see `PythonSession.isolation`.

        Raises:
            ArgumentError: for a limit that is not positive or an unknown `isolation`.
        """
        if isolation not in ("auto", "strict"):
            raise ArgumentError(f"expected isolation 'auto' or 'strict', got {isolation!r}")
        self._limits = Limits(
            int(seed), cpu_limit_s, wall_limit_s, memory_mb, output_chars, show_last_value
        )
        self._strict = isolation == "strict"
        self._flavours = (_SLIM, _FULL)
        self._state = EpisodeState()
        self._busy = threading.Lock()
        weakref.finalize(self, self._state.drop_child).atexit = False
        _sessions.add(self)

    def run(self, code: str) -> ExecutionResult:
        """Run a snippet and wait for its end; bad code of any kind is a result, not an exception.

        Raises:
            ExecutorError: if no interpreter could be started.
            ArgumentError: if this session is running in another thread.
        """
        return run_one(self, code)

    def prefork(self) -> None:
        """Fork the process now instead of at the first `run`, say while the model still writes.

        Raises:
            ExecutorError: if it could not be started.
        """
        if self._state.child is None:
            self._state.child = self._spawn(self._flavours[0])

    def reset(self, *, seed: int | None = None) -> None:
        """Begin a new episode with a fresh interpreter; nothing of the old one remains.

        Args:
            seed: None keeps the seed that the session has.
        """
        self._state.start_over()
        if seed is not None:
            self._limits = replace(self._limits, seed=int(seed))

    def close(self) -> None:
        """End the process; a closed session may be used again and then starts anew."""
        self._state.start_over()

    @property
    def isolation(self) -> dict[str, Any]:
        """Which measures are in force, as JSON values: `level` and each rung of the ladder.

        Starts the zygote if it does not run yet.
        """
        zygote = self._state.child.zygote if self._state.child else zygote_for(self._flavours[0])
        return {"level": level(zygote.rungs), "policy": True, **zygote.rungs}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PythonSession holds a process and cannot be pickled; make one there")

    def _spawn(self, flavour: Flavour) -> Child:
        dead: Zygote | None = None
        for _ in range(3):
            try:
                zygote = zygote_for(flavour, instead_of=dead)
                if self._strict and not zygote.rungs["seccomp"]:
                    raise ExecutorError(
                        "isolation='strict' wants the system-call filter, which is not in "
                        f"force here: {zygote.rungs}"
                    )
                channel, identity = zygote.spawn()
                channel.settimeout(self._limits.wall_limit_s)  # see `dispatch.run_one`
                return Child(channel, identity, zygote, flavour, self._limits.output_chars)
            except (ConnectionError, TimeoutError):
                dead = zygote
            except OSError as error:
                raise ExecutorError(f"no interpreter could be started: {error}") from error
        raise ExecutorError("no interpreter could be started: its zygote keeps dying")

    def _child_for(self, code: str) -> tuple[Child, list[tuple[str, Status]], bool]:
        """A child that can run `code`, what it must replay first, and if variables are lost."""
        state = self._state
        flavour = self._flavours["numpy" in code or "sympy" in code]
        if state.child is not None and state.child.flavour in (flavour, self._flavours[1]):
            return state.child, [], False
        state.drop_child()
        state.child = self._spawn(flavour)
        if state.history is not None:
            return state.child, state.history, False
        state.forget()
        return state.child, [], True


_sessions: weakref.WeakSet[PythonSession] = weakref.WeakSet()


def _leave_children_to_the_parent() -> None:
    """In a forked process: the parent's children are not ours to talk to or to keep alive."""
    for session in list(_sessions):
        session._busy = threading.Lock()
        if session._state.child is not None:
            session._state.child.channel.close()
            session._state.child = None


os.register_at_fork(after_in_child=_leave_children_to_the_parent)
