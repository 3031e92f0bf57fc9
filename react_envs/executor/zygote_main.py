"""The zygote: a small, clean process that forks one child per episode and reaps it.

It is started by `zygote.Zygote` with a JSON configuration as its only argument and imports all
that snippets may need up front, because its children can open no file. It never sees a byte of
the model's code: the children read it from their own socket.

On its control socket it sends one frame when it is ready (`{"rungs": {...}}` or `{"error":
"..."}`) and then reads orders of nine bytes: `S` and an id fork a child for the descriptor that
comes along, `K` and the id kill it. End of file means that the trainer is gone: all die.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable
from typing import Any, NoReturn

from react_envs.executor import child, lockdown, preload
from react_envs.executor.frames import ORDER, frame

__all__ = ["main"]


def main(config: dict[str, Any]) -> NoReturn:
    """Import, give up every right that can be given up, and serve until the trainer is gone."""
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=config["control"])
    try:
        ladder = lockdown.Ladder(config["only"])
        if ladder.enter_namespaces():
            _continue_as_first_process(control)
        make_interpreter = _imported(config)
        address_space = _address_space()
        ladder.confine_zygote(address_space)
        if ladder.rungs["namespaces"]:
            lockdown.die_with_parent()
    except BaseException as error:
        control.sendall(_report({"error": f"{type(error).__name__}: {error}"}))
        os._exit(1)
    control.sendall(_report({"rungs": ladder.rungs}))
    _serve(control, lambda: child.live(make_interpreter, address_space, ladder.rungs))
    os._exit(0)


def _report(fields: dict[str, Any]) -> bytes:
    return frame(json.dumps(fields).encode("ascii"))


def _imported(config: dict[str, Any]) -> Callable[..., Any]:
    """The interpreter to make for each episode, after everything it may want is imported."""
    preload.load(config["libraries"])
    module, _, name = config["interpreter"].partition(":")
    make_interpreter: Callable[..., Any] = getattr(importlib.import_module(module), name)
    signal.signal(signal.SIGPROF, child.raise_when_time_is_up)
    child.warm_up(make_interpreter)
    # What is imported stays: out of the collector's sight it is never written to again,
    # and the children share its memory.
    gc.collect()
    gc.freeze()
    return make_interpreter


def _continue_as_first_process(control: socket.socket) -> None:
    """Fork into the new PID namespace; this process stays behind only to be waited for.

    The first process of a PID namespace takes all others with it when it dies.
    """
    inside = os.fork()
    if inside:
        control.close()
        os.waitpid(inside, 0)
        os._exit(0)


def _address_space() -> int | None:
    """Bytes of virtual memory of this process, None where they cannot be told."""
    with contextlib.suppress(OSError), open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return None


def _serve(control: socket.socket, live: Callable[[], NoReturn]) -> None:
    children = _Children(live)
    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda signum, frame: None)
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(woken, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == woken:
                os.read(woken, 4096)
                children.reap()
                continue
            order, descriptors, _, _ = socket.recv_fds(control, ORDER.size, 1)
            if not order:
                children.kill_all()
                return
            kind, identity = ORDER.unpack(order)
            if kind == b"K":
                children.kill(identity)
            for channel in descriptors:
                children.spawn(identity, channel)


class _Children:
    """The living children by the trainer's ids; an unreaped pid is never used again."""

    def __init__(self, live: Callable[[], NoReturn]) -> None:
        self._live = live
        self._pids: dict[int, int] = {}
        self._identities: dict[int, int] = {}

    def spawn(self, identity: int, channel: int) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            with contextlib.suppress(OSError):
                os.write(channel, frame(f"fork failed: {error}".encode()))
            os.close(channel)
            return
        if pid == 0:
            self._become_child(channel)
        os.close(channel)
        self._pids[identity] = pid
        self._identities[pid] = identity

    def kill(self, identity: int) -> None:
        if identity in self._pids:
            os.kill(self._pids[identity], signal.SIGKILL)

    def kill_all(self) -> None:
        for identity in self._pids:
            self.kill(identity)

    def reap(self) -> None:
        while self._pids:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._pids.pop(self._identities.pop(pid, -1), None)

    def _become_child(self, channel: int) -> NoReturn:
        try:
            lockdown.die_with_parent()
            signal.set_wakeup_fd(-1)
            os.dup2(channel, child.CHANNEL)
            os.closerange(child.CHANNEL + 1, 1024)
            self._live()
        except BaseException as error:
            with contextlib.suppress(BaseException):
                os.write(child.CHANNEL, frame(f"{type(error).__name__}: {error}".encode()))
        finally:
            os._exit(1)
