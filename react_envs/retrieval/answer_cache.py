"""`AnswerCache`: good answers of a server, in one SQLite file for all processes."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval.connections import Connections

__all__ = ["AnswerCache"]

_TABLE = "CREATE TABLE IF NOT EXISTS answers (question TEXT PRIMARY KEY, answer TEXT) WITHOUT ROWID"


class AnswerCache:
    """JSON answers by question. Threads and processes may share the file.

    Args:
        path: the file; made with its folders if there is none.

    Raises:
        ArgumentError: if the file is something else.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self._connections = Connections(
            lambda: sqlite3.connect(
                self.path, timeout=10, isolation_level=None, check_same_thread=False
            )
        )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connections.get().execute("PRAGMA journal_mode = WAL")
            self._connections.get().execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise ArgumentError(f"{self.path} cannot be used as a cache: {error}") from error

    def get(self, question: str) -> Any | None:
        """The answer, None if there is none yet, or a damaged one.

        Raises:
            ToolFailure: of kind `cache` if the file went bad.
        """
        # as bytes: text that is no UTF-8 is a damaged answer, too
        find = "SELECT CAST(answer AS BLOB) FROM answers WHERE question = ?"
        row = self._execute(find, question)
        try:
            return None if row is None else json.loads(row[0])
        except (ValueError, TypeError, RecursionError):
            return None  # asked for again, and replaced

    def put(self, question: str, answer: Any) -> None:
        """Keep an answer.

        Raises:
            ToolFailure: of kind `cache` if the file cannot be written.
        """
        self._execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", question, json.dumps(answer))

    def close(self) -> None:
        """Close this thread's connection; the cache may be used again afterwards."""
        self._connections.close()

    def _execute(self, statement: str, *values: str) -> Any | None:
        try:
            return self._connections.get().execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise ToolFailure(f"{self.path}: {error}", kind="cache") from error
