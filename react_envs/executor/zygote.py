"""The trainer's handle on its zygotes: started by exec, one per flavour, shared by all sessions.

The trainer itself is never forked for this, so its threads, locks and CUDA contexts are safe. A
zygote ends with its trainer, however that dies, because the kernel closes the control socket. A
process that the trainer forks drops its copies at once and starts zygotes of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import react_envs
from react_envs.errors import ExecutorError
from react_envs.executor.frames import HEADER_BYTES, ORDER, payload_bytes

__all__ = ["Flavour", "Zygote", "shut_down", "zygote_for"]

START_LIMIT_S = 120.0
"""A zygote that imports everything on a cold disk may take a while; a broken one must end."""
ORDER_LIMIT_S = 10.0
"""A zygote that takes no order for so long is stuck and is replaced."""

# The real packages would import Gymnasium, subprocess and more, which no child needs: empty ones
# with the same search path stand in for them. The zygote's own path comes first, so that a
# `random.py` beside the trainer's script replaces nothing.
_BOOTSTRAP = """
import json, sys, types
config = json.loads(sys.argv[1])
sys.path += [entry for entry in config["path"] if entry not in sys.path]
for name, path in config["packages"].items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = path
from react_envs.executor import zygote_main
zygote_main.main(config)
"""

# Python needs the first two on some systems to start at all.
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "PYTHONHOME")
_SET_VARIABLES = {
    "PYTHONHASHSEED": "0",
    # Forking wants a single thread, and numpy's BLAS would start one for each core.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Flavour:
    """What a zygote has in memory when it forks."""

    libraries: bool = False
    """True for numpy and sympy besides the standard library."""
    interpreter: str = "react_envs.executor.interpreter:Interpreter"
    """Where the children's interpreter is found; tests of this layer alone put another one."""
    only: tuple[str, ...] | None = None
    """Rungs of the ladder to climb, None for all that the system offers; tests try each alone."""


class Zygote:
    """One running zygote and the way to order children from it; safe to use from all threads."""

    def __init__(self, flavour: Flavour) -> None:
        """Start it and wait until it is ready.

        Raises:
            ExecutorError: if it could not be started.
        """
        self._identities = itertools.count(1)
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _start(flavour, theirs.fileno())
            except ExecutorError:
                self._control.close()
                raise
        try:
            report = self._read_report()
        except BaseException:
            self.destroy()
            raise
        self.rungs: dict[str, bool] = report["rungs"]
        """Which measures of `lockdown` hold for its children."""
        self._control.settimeout(ORDER_LIMIT_S)

    @property
    def pid(self) -> int:
        """Process id of the zygote, or of its parent where it has a PID namespace."""
        return self._process.pid

    def spawn(self) -> tuple[socket.socket, int]:
        """Order a child; return its socket, usable at once, and its id for `kill`.

        Raises:
            ConnectionError: if the zygote is gone.
            TimeoutError: if it is stuck.
            OSError: if this process has no descriptor left, or the like.
        """
        identity = next(self._identities)
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [ORDER.pack(b"S", identity)], [theirs.fileno()])
            except OSError as error:
                ours.close()
                if error.errno == errno.EBADF:  # another thread found it dead and closed it
                    raise ConnectionError("the zygote is gone") from error
                raise
        ours.setblocking(False)
        return ours, identity

    def kill(self, identity: int) -> None:
        """Order the death of a child; does nothing if it or the zygote is dead already."""
        with contextlib.suppress(OSError):
            # One small write is atomic, so no lock is needed, and none could be taken here:
            # the garbage collector may call this at any point of any thread.
            self._control.send(ORDER.pack(b"K", identity))

    def close(self) -> None:
        """End it with all its children and wait until it is gone."""
        self._control.close()
        try:
            self._process.wait(ORDER_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.destroy()

    def destroy(self) -> None:
        """Kill it with all its children, at once."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Drop this process's copy of a zygote that belongs to the process it was forked from."""
        self._control.close()
        # Otherwise its destructor would warn of a running child that is not ours.
        self._process.returncode = 0

    def _read_report(self) -> dict[str, Any]:
        """Its first and only frame."""
        self._control.settimeout(START_LIMIT_S)
        frame = b""
        try:
            while len(frame) < HEADER_BYTES or len(frame) < HEADER_BYTES + payload_bytes(frame):
                chunk = self._control.recv(65536)
                if not chunk:
                    raise ConnectionError(f"{sys.executable} ended")
                frame += chunk
        except OSError as error:
            raise ExecutorError(
                f"the Python executor did not start: {error or type(error).__name__}"
            ) from error
        report: dict[str, Any] = json.loads(frame[HEADER_BYTES:])
        if "error" in report:
            raise ExecutorError(f"the Python executor did not start: {report['error']}")
        return report


def _start(flavour: Flavour, control: int) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise ExecutorError(
            "expected sys.executable to name a Python interpreter; in an embedded Python, set it"
        )
    package = list(react_envs.__path__)
    config = {
        "control": control,
        "libraries": flavour.libraries,
        "interpreter": flavour.interpreter,
        "only": flavour.only,
        "path": [entry for entry in sys.path if entry],
        "packages": {
            "react_envs": package,
            "react_envs.executor": [os.path.dirname(os.path.abspath(__file__))],
        },
    }
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-s", "-X", "utf8", "-c", _BOOTSTRAP, json.dumps(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[control],
            env=kept | _SET_VARIABLES,
            cwd="/",
            start_new_session=True,  # an interrupt typed at the trainer is not for it
        )
    except OSError as error:
        raise ExecutorError(f"the Python executor did not start: {error}") from error


_zygotes: dict[Flavour, Zygote] = {}
_starting = threading.RLock()


def zygote_for(flavour: Flavour, instead_of: Zygote | None = None) -> Zygote:
    """The zygote of this process for `flavour`, started if need be.

    Args:
        instead_of: a zygote that was found dead or stuck; it is destroyed and replaced.

    Raises:
        ExecutorError: if it could not be started.
    """
    zygote = _zygotes.get(flavour)
    if zygote is not None and zygote is not instead_of:
        return zygote
    with _starting:
        zygote = _zygotes.get(flavour)
        if zygote is None or zygote is instead_of:
            if zygote is not None:
                del _zygotes[flavour]
                zygote.destroy()
            zygote = _zygotes[flavour] = Zygote(flavour)
    return zygote


def shut_down() -> None:
    """End all zygotes of this process and with them every child; runs by itself at exit.

    Sessions stay usable: one that had variables says once that they are lost.
    """
    with _starting:
        while _zygotes:
            _zygotes.popitem()[1].close()


def _forget_all() -> None:
    global _starting
    _starting = threading.RLock()
    while _zygotes:
        _zygotes.popitem()[1].forget()


atexit.register(shut_down)
os.register_at_fork(
    # A fork in the middle of a start would inherit sockets that nobody could find to close.
    before=lambda: _starting.acquire(),
    after_in_parent=lambda: _starting.release(),
    after_in_child=_forget_all,
)
