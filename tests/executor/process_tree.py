"""What /proc says about the processes and descriptors that a test leaves behind (Linux)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def children(pid: int) -> list[int]:
    """Process ids of the children of `pid`, zombies included."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def descendants(pid: int) -> list[int]:
    """Process ids of all that `pid` started, and what those started."""
    return [d for child in children(pid) for d in (child, *descendants(child))]


def alive(pid: int) -> bool:
    """True if `pid` exists and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter if it goes while we read
        return False


def open_descriptors() -> int:
    """Number of descriptors that this process holds."""
    return len(os.listdir("/proc/self/fd"))


def wait_until(condition: Callable[[], bool], limit_s: float = 10.0) -> bool:
    """True as soon as `condition` holds, False if it does not within `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
