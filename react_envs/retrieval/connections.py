"""`Connections`: SQLite for threads and forked children, a connection for each."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable

__all__ = ["Connections"]


class Connections:
    """Opens a connection for every thread of every process that asks.

    SQLite forbids to use, and to close, a connection in another process than its own.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._local = threading.local()

    def get(self) -> sqlite3.Connection:
        """The connection of this thread."""
        found: tuple[int, sqlite3.Connection] | None = getattr(self._local, "found", None)
        if found is None or found[0] != os.getpid():
            self._local.parents = found
            found = self._local.found = (os.getpid(), self._connect())
        return found[1]

    def close(self) -> None:
        """Close this thread's connection, if it has one; `get` opens a new one."""
        found = getattr(self._local, "found", None)
        if found is not None and found[0] == os.getpid():
            found[1].close()
            self._local.found = None
