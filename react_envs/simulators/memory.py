"""Memory: what a simulator wrote, to be cached, recorded and replayed."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.types import ToolResult

__all__ = ["Memory"]


class Memory:
    """Results by prompt: in this process, and in a file of JSON lines if there is a path.

    A line holds `key` (the prompt's SHA-256), `prompt`, and the result's `text`, `ok` and `meta`;
    a line that a crash cut is left out. Several processes may append to one file; each reads what
    stood in it at first.

    Args:
        path: the file; None for this process alone.
        mode: `"cache"` uses and adds; `"record"` adds and never uses, the last answer of a
            prompt wins; `"replay"` uses and never adds: a prompt that is not in it is a failure
            of kind `"not_recorded"`, so no model is ever asked.

    Raises:
        ArgumentError: for another mode, a replay without a file, or a path in no folder.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        mode: Literal["cache", "record", "replay"] = "cache",
    ) -> None:
        if mode not in ("cache", "record", "replay"):
            raise ArgumentError(f"mode must be 'cache', 'record' or 'replay', actually: {mode!r}")
        self.path = None if path is None else Path(path)
        self.mode = mode
        self.hits = 0
        self._lock = threading.Lock()
        self._results: dict[str, ToolResult] = {}
        self._torn = False
        if self.path is not None and self.path.is_file():
            self._read(self.path)
        elif mode == "replay":
            raise ArgumentError(f"there is no record to replay: {path}")
        elif self.path is not None and (self.path.exists() or not self.path.parent.is_dir()):
            raise ArgumentError(f"expected a file in a folder that exists, got {path}")

    @classmethod
    def of(cls, memory: Any) -> Self | None:
        """A `Memory` from what `memory=` may be: None, True, a path, a mapping, a `Memory`."""
        if memory is None or memory is False:
            return None
        if isinstance(memory, cls):
            return memory
        if memory is True:
            return cls()
        try:
            return cls(**memory) if isinstance(memory, Mapping) else cls(memory)
        except TypeError as error:
            raise ArgumentError(
                f'expected memory to be True, a path, {{"path": ..., "mode": ...}} or a Memory, '
                f"got {memory!r}"
            ) from error

    def get(self, prompt: str) -> ToolResult | None:
        """What was written for a prompt, None if nothing was.

        Raises:
            ToolFailure: of kind `"not_recorded"`, in mode `"replay"`.
        """
        if self.mode == "record":
            return None
        with self._lock:
            result = self._results.get(_key(prompt))
            self.hits += result is not None
        if result is None and self.mode == "replay":
            raise ToolFailure(f"{self.path} has no answer to this prompt", "not_recorded")
        return result

    def put(self, prompt: str, result: ToolResult) -> ToolResult:
        """Remember what was written; the result that counts is what another thread wrote first."""
        key = _key(prompt)
        with self._lock:
            if self.mode == "cache" and key in self._results:
                return self._results[key]
            self._results[key] = result
            if self.path is not None:
                row = {"key": key, "prompt": prompt, "text": result.text, "ok": result.ok}
                line = json.dumps({**row, "meta": dict(result.meta)}, default=str) + "\n"
                # unbuffered: one write, which no other process's can come between
                with self.path.open("ab", buffering=0) as file:
                    file.write(("\n" * self._torn + line).encode())
                self._torn = False
        return result

    def __len__(self) -> int:
        return len(self._results)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def _read(self, path: Path) -> None:
        *lines, rest = path.read_text(encoding="utf-8", errors="replace").split("\n")
        self._torn = bool(rest)
        for line in lines:
            try:
                row = json.loads(line)
                result = ToolResult(str(row["text"]), row["ok"], meta=row["meta"])
                self._results[str(row["key"])] = result
            except (ValueError, KeyError, TypeError):
                continue


def _key(prompt: str) -> str:
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
