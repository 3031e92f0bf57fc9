"""Runs snippets in their sessions: all sent first, then read as they answer, each in its time."""

from __future__ import annotations

import select
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from react_envs.errors import ArgumentError, ExecutorError
from react_envs.executor.exchange import Exchange
from react_envs.executor.frames import FrameError, Reply, encode
from react_envs.executor.limits import MAX_CODE_CHARS, exceeded
from react_envs.executor.result import ExecutionResult, Status
from react_envs.executor.zygote import zygote_for

if TYPE_CHECKING:
    from react_envs.executor.session import PythonSession

__all__ = ["run_many"]

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
    for run in runs:
        if run.failure is not None:
            raise run.failure
    return [run.result for run in runs if run.result is not None]


def _finish(runs: Sequence[_Run]) -> None:
    """Move the runs on as their sockets allow, until each has its result."""
    if len(runs) == 1:
        _finish_one(runs[0])
        return
    poller = select.poll()
    pending: dict[int, _Run] = {}

    def watch(run: _Run) -> None:
        if not run.done:
            pending[run.descriptor] = run
            poller.register(run.descriptor, run.exchange.events)

    for run in runs:
        watch(run)
    while pending:
        patience_s = min(run.deadline for run in pending.values()) - time.monotonic()
        ready = [d for d, _ in poller.poll(max(0.0, patience_s * 1000))]
        now = time.monotonic()
        late = [d for d, run in pending.items() if run.deadline <= now]
        for descriptor in {*ready, *late}:
            run = pending.pop(descriptor)
            poller.unregister(descriptor)
            if descriptor in ready:
                run.advance()
            else:
                run.expire()
            watch(run)


def _finish_one(run: _Run) -> None:
    """The same for a single run, which is most of them, at half the cost."""
    while not run.done:
        poller = select.poll()
        poller.register(run.descriptor, run.exchange.events)
        patience_s = run.deadline - time.monotonic()
        if poller.poll(max(0.0, patience_s * 1000)):
            run.advance()
        else:
            run.expire()


class _Run:
    """One snippet on its way through one session."""

    def __init__(self, session: PythonSession, code: str) -> None:
        if not session._busy.acquire(blocking=False):
            raise ArgumentError("expected each session to run one snippet at a time")
        self.session = session
        self.code = code
        self.result: ExecutionResult | None = None
        self.failure: ExecutorError | None = None
        self.exchange: Exchange
        self.deadline = 0.0
        self._started = 0.0
        self._attempts = 0
        self._lost = False
        self._expired = False

    @property
    def done(self) -> bool:
        """True once there is a result or a failure."""
        return self.result is not None or self.failure is not None

    @property
    def descriptor(self) -> int:
        """The socket to wait for."""
        return self._child.channel.fileno()

    def start(self) -> None:
        """Send the code, unless a look at it is enough."""
        if not isinstance(self.code, str):
            self._refuse(f"TypeError: the code must be text, not {type(self.code).__name__}")
        elif len(self.code) > MAX_CODE_CHARS:
            self._refuse(
                f"the code has {len(self.code)} characters; at most {MAX_CODE_CHARS} are allowed"
            )
        else:
            self._dispatch()

    def advance(self) -> None:
        """Go on after the socket became ready."""
        try:
            reply = self.exchange.advance()
        except FrameError:
            self._end("killed", "the interpreter process misbehaved and was killed")
        except ExecutorError as failure:
            self.session._state.start_over()
            self.failure = failure
        except ConnectionError:
            self._hung_up()
        else:
            self._child.greeted = self.exchange.greeted
            if reply is not None:
                self._accept(reply)

    def expire(self) -> None:
        """Kill the child at its deadline; if that does not help, its zygote."""
        if self._expired:
            zygote_for(self._child.flavour, instead_of=self._child.zygote)
            self._end_late()
            return
        self._expired = True
        self.deadline += DEATH_LIMIT_S
        self._child.zygote.kill(self._child.identity)

    def release(self) -> None:
        """Let the session go; if the run was interrupted, its process cannot be trusted."""
        if not self.done:
            self.session._state.start_over()
        self.session._busy.release()

    def _dispatch(self) -> None:
        session = self.session
        try:
            self._child, replay, lost = session._child_for(self.code)
        except ExecutorError as failure:
            self.failure = failure
            return
        self._lost |= lost
        self._attempts += 1
        request = encode({"code": self.code, "replay": replay})
        if not self._child.introduced:
            self._child.introduced = True
            request = encode(asdict(session._limits)) + request
        self.exchange = Exchange(
            self._child.channel, request, session._limits.output_chars, self._child.greeted
        )
        self._started = time.monotonic()
        self.deadline = self._started + session._limits.wall_limit_s
        self.exchange.send()

    def _hung_up(self) -> None:
        if self._expired:
            self._end_late()
        elif self.exchange.greeted or self._attempts > 1:
            self._end("killed", "the interpreter process died (a crash, or out of memory)")
        else:
            # None of the code has run: the zygote went while the order was on its way.
            self.session._state.drop_child()
            self._dispatch()

    def _accept(self, reply: Reply) -> None:
        if self._expired:
            self._end_late()
            return
        session = self.session
        if reply.last:
            session._state.start_over()
        else:
            if reply.fresh:
                session._state.forget()
            session._state.remember(self.code, reply.status)
        self.result = ExecutionResult(
            reply.stdout,
            reply.stderr,
            reply.error,
            reply.value,
            reply.status,
            reply.cpu_s,
            time.monotonic() - self._started,
            reply.truncated,
            restarted=self._lost or reply.fresh or reply.last,
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
