"""Worker processes for comparisons that may never end: bounded, reused, replaced when they die."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from react_envs.errors import ReactEnvsError

__all__ = ["compare_in_worker"]

MAX_WORKERS = max(1, min(4, os.cpu_count() or 1))
"""Comparisons that run at a time in one process; the next caller waits for a free worker."""
START_TIMEOUT_S = 120.0
"""Wall-clock seconds that a worker may take to load sympy on a busy machine."""

_WORKER_FILE = Path(__file__).with_name("math_worker.py")
# The parent's search path, because the worker must find the same math-verify; not its
# environment, because a process that reads untrusted text has no business with secrets.
_BOOTSTRAP = (
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "runpy.run_path(sys.argv[2], run_name='__main__')"
)
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")


def compare_in_worker(prediction: str, gold: str, timeout_s: float) -> str:
    """`equal`, `different`, `unreadable`, `memory`, `timeout` or `crashed`.

    Safe from any thread and after a fork.

    Args:
        prediction: LaTeX without dollar signs.
        gold: the same.
        timeout_s: CPU seconds of the comparison. CPU time, because then a busy machine
            does not change the verdict; six times as much wall-clock time is the backstop.

    Raises:
        ReactEnvsError: if no worker can be started.
    """
    return _pool.compare(prediction, gold, timeout_s)


class _Worker:
    """One child process and the two pipes to it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOTSTRAP, json.dumps(sys.path), str(_WORKER_FILE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            start_new_session=True,  # ctrl-C in the terminal is the parent's affair
        )
        try:
            greeting = self._read_line(START_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise
        if greeting != "ready":
            self.kill()
            raise ReactEnvsError(
                f"the math-verify worker did not start within {START_TIMEOUT_S:.0f} s "
                f"(exit status {self.process.returncode}); run "
                f"`{sys.executable} {_WORKER_FILE}` to see why"
            )

    def ask(self, prediction: str, gold: str, timeout_s: float) -> str:
        """The worker's reply; after any but the first three replies it is of no more use."""
        request = json.dumps([prediction, gold, timeout_s]) + "\n"
        with contextlib.suppress(BrokenPipeError):  # it then shows as an end of file below
            assert self.process.stdin is not None
            self.process.stdin.write(request.encode("ascii"))
        reply = self._read_line(6 * timeout_s)
        if reply is None:
            return "timeout"
        if reply:
            return reply
        return "timeout" if self.process.wait() == -signal.SIGPROF else "crashed"

    def _read_line(self, timeout_s: float) -> str | None:
        """The next line, "" at the end of the stream, None after `timeout_s` seconds."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + timeout_s
        line = b""
        while not line.endswith(b"\n"):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not poller.poll(remaining * 1000):
                return None
            chunk = os.read(descriptor, 64)
            if not chunk:
                return ""
            line += chunk
        return line.decode("ascii").strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._close_pipes()

    def abandon(self) -> None:
        """Let go of a worker that belongs to the parent of this forked process."""
        self._close_pipes()
        self.process.returncode = 0  # not our child: there is nothing to wait for

    def _close_pipes(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class _Pool:
    """Up to `MAX_WORKERS` workers, started when first needed, the warmest used first."""

    def __init__(self) -> None:
        self.workers: set[_Worker] = set()
        self._places: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(MAX_WORKERS):
            self._places.put(None)

    def compare(self, prediction: str, gold: str, timeout_s: float) -> str:
        worker = self._places.get()
        reply = "crashed"
        try:
            if worker is not None and worker.process.poll() is not None:
                self._drop(worker)
                worker = None
            if worker is None:
                worker = _Worker()
                self.workers.add(worker)
            reply = worker.ask(prediction, gold, timeout_s)
            return reply
        finally:
            # Also on KeyboardInterrupt: a late reply must not answer the next request.
            if worker is not None and reply not in ("equal", "different", "unreadable"):
                self._drop(worker)
                worker = None
            self._places.put(worker)

    def _drop(self, worker: _Worker) -> None:
        self.workers.discard(worker)
        worker.kill()

    def close(self) -> None:
        for worker in list(self.workers):
            self._drop(worker)

    def abandon(self) -> None:
        for worker in self.workers:
            worker.abandon()


_pool = _Pool()


def _start_afresh_in_child() -> None:
    """The parent's workers and locks are of no use in a forked child."""
    global _pool
    _pool.abandon()
    _pool = _Pool()


atexit.register(lambda: _pool.close())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh_in_child)
