"""Runs snippets in their sessions: all sent first, then read as they answer, each in its time."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from react_envs.errors import ArgumentError, ExecutorError
from react_envs.executor.connection import Child
from react_envs.executor.frames import FrameError, Reply, encode_request, frame
from react_envs.executor.limits import MAX_CODE_CHARS, exceeded
from react_envs.executor.result import ExecutionResult, Status
from react_envs.executor.zygote import zygote_for

if TYPE_CHECKING:
    from react_envs.executor.session import PythonSession

__all__ = ["run_many", "run_one"]

DEATH_LIMIT_S = 2.0
"""A killed child is gone within milliseconds; if not, its zygote is stuck."""


def run_many(jobs: Iterable[tuple[PythonSession, str]]) -> list[ExecutionResult]:
    """Run each code in its session, all at the same time; results come in the order given.

    Every run has its session's own limits, counted from here, so a slow one delays no other
    (except by using the machine's cores).

    Raises:
        ArgumentError: if a session occurs twice or is running in another thread.
        ExecutorError: if an interpreter could not be started; the other runs are finished first.
    """
    runs: list[_Run] = []
    try:
        for session, code in jobs:
            runs.append(_Run(session, code))
        for run in runs:
            run.start()
        _finish(runs)
    finally:
        for run in runs:
            run.release()
    return [run.outcome() for run in runs]


def run_one(session: PythonSession, code: str) -> ExecutionResult:
    """The same for a single run, without the poll that many need; raises as `run_many`."""
    run = _Run(session, code)
    try:
        run.start()
        if run.result is None and run.failure is None and not run.child.unsent:
            run.wait()
        if run.result is None:
            _finish([run])
    finally:
        run.release()
    return run.outcome()


def _finish(runs: Sequence[_Run]) -> None:
    """Move the runs on as their sockets allow, until each has its result."""
    poller = select.poll()
    pending: dict[int, _Run] = {}

    def watch(run: _Run) -> None:
        if not run.done:
            descriptor = run.child.channel.fileno()
            pending[descriptor] = run
            poller.register(descriptor, run.child.events)

    for run in runs:
        watch(run)
    while pending:
        patience_s = min(run.deadline for run in pending.values()) - time.monotonic()
        ready = dict(poller.poll(max(0.0, patience_s * 1000)))
        now = time.monotonic()
        late = [d for d, run in pending.items() if run.deadline <= now]
        for descriptor in {*ready, *late}:
            run = pending.pop(descriptor)
            poller.unregister(descriptor)
            if descriptor in ready:
                run.advance(ready[descriptor])
            else:
                run.expire()
            watch(run)


class _Run:
    """One snippet on its way through one session."""

    __slots__ = (
        "_attempts",
        "_expired",
        "_lost",
        "_started",
        "child",
        "code",
        "deadline",
        "failure",
        "result",
        "session",
    )
    _started: float
    child: Child
    deadline: float

    def __init__(self, session: PythonSession, code: str) -> None:
        if not session._busy.acquire(blocking=False):
            raise ArgumentError("expected each session to run one snippet at a time")
        self.session = session
        self.code = code
        self.result: ExecutionResult | None = None
        self.failure: ExecutorError | None = None
        self._attempts = 0
        self._lost = False
        self._expired = False

    @property
    def done(self) -> bool:
        """True once there is a result or a failure."""
        return self.result is not None or self.failure is not None

    def start(self) -> None:
        """Send the code, unless a look at it is enough."""
        session, code = self.session, self.code
        if not isinstance(code, str):
            self._refuse(f"TypeError: the code must be text, not {type(code).__name__}")
            return
        if len(code) > MAX_CODE_CHARS:
            self._refuse(
                f"the code has {len(code)} characters; at most {MAX_CODE_CHARS} are allowed"
            )
            return
        try:
            child, replay, lost = session._child_for(code)
        except ExecutorError as failure:
            self.failure = failure
            return
        request = encode_request(code, replay)
        if not child.introduced:
            child.introduced = True
            request = frame(json.dumps(asdict(session._limits)).encode("ascii")) + request
        self._started = time.monotonic()
        child.send(request)
        self.child = child
        self._lost |= lost
        self._attempts += 1
        self.deadline = self._started + session._limits.wall_limit_s

    def wait(self) -> None:
        """Sleep until the reply begins to come or the time is up; most come in one piece."""
        try:
            self.advance(select.POLLIN)
        except TimeoutError:
            self.expire()

    def advance(self, events: int) -> None:
        """Go on after poll gave `events` for the socket.

        Raises:
            TimeoutError: if nothing came within the time of a run; never where poll was right.
        """
        child = self.child
        try:
            if child.unsent:
                child.send(child.unsent)
            reply = None if events == select.POLLOUT else child.receive()
        except FrameError:
            self._end("killed", "the interpreter process misbehaved and was killed")
        except ExecutorError as failure:
            self.session._state.start_over()
            self.failure = failure
        except ConnectionError:
            self._hung_up()
        else:
            if reply is not None:
                self._accept(reply)

    def expire(self) -> None:
        """Kill the child at its deadline; if that does not help, its zygote."""
        if self._expired:
            zygote_for(self.child.flavour, instead_of=self.child.zygote)
            self._end_late()
            return
        self._expired = True
        self.deadline += DEATH_LIMIT_S
        self.child.zygote.kill(self.child.identity)

    def release(self) -> None:
        """Let the session go; if the run was interrupted, its process cannot be trusted."""
        if not self.done:
            self.session._state.start_over()
        self.session._busy.release()

    def outcome(self) -> ExecutionResult:
        """The result; raises the failure if there is one."""
        if self.failure is not None:
            raise self.failure
        assert self.result is not None
        return self.result

    def _hung_up(self) -> None:
        if self._expired:
            self._end_late()
        elif self.child.greeted or self._attempts > 1:
            self._end("killed", "the interpreter process died (a crash, or out of memory)")
        else:
            # None of the code has run: the zygote went while the order was on its way.
            self.session._state.drop_child()
            self.start()

    def _accept(self, reply: Reply) -> None:
        if self._expired:
            self._end_late()
            return
        state = self.session._state
        if reply.last:
            state.start_over()
        else:
            if reply.fresh:
                state.forget()
            state.remember(self.code, reply.status)
        self.result = ExecutionResult(
            reply.stdout,
            reply.stderr,
            reply.error,
            reply.value,
            reply.status,
            reply.cpu_s,
            time.monotonic() - self._started,
            reply.truncated,
            self._lost or reply.fresh or reply.last,
        )

    def _end_late(self) -> None:
        self._end("timeout", exceeded(self.session._limits.wall_limit_s))

    def _end(self, status: Status, error: str) -> None:
        """The process is lost; its successor starts with the next run."""
        self.session._state.start_over()
        wall_s = time.monotonic() - self._started
        self.result = ExecutionResult(
            "", "", error, None, status, 0.0, wall_s, truncated=False, restarted=True
        )

    def _refuse(self, error: str) -> None:
        self.result = ExecutionResult("", "", error, None, "error", 0.0, 0.0, truncated=False)
