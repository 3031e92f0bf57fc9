"""Memory: what a simulator wrote, to be cached, recorded and replayed."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any, Literal, Self

from react_envs.errors import ArgumentError, ToolFailure

__all__ = ["Memory"]


class Memory:
    """Answers by prompt: in this process, and in a file of JSON lines if there is a path.

    A line holds `key` (the prompt's SHA-256), `prompt` and `text`; a line that a crash cut is
    left out. Several processes may append to one file; each reads what stood in it at first.

    Args:
        path: the file; None for this process alone.
        mode: `"cache"` uses and adds; `"record"` adds and never uses, the last answer of a
            prompt wins; `"replay"` uses and never adds: a prompt that is not in it is a failure
            of kind `"not_recorded"`, so no model is ever asked.

    Raises:
        ArgumentError: for another mode, or a replay without a file.
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
        self._texts: dict[str, str] = {}
        if self.path is not None and self.path.exists():
            self._read(self.path)
        elif mode == "replay":
            raise ArgumentError(f"there is no record to replay: {path}")

    @classmethod
    def of(cls, memory: Any) -> Self | None:
        """A `Memory` from what `memory=` may be: None, True, a path, a mapping, a `Memory`."""
        if memory is None or memory is False:
            return None
        if isinstance(memory, cls):
            return memory
        if memory is True:
            return cls()
        if isinstance(memory, dict):
            return cls(**memory)
        return cls(memory)

    def get(self, prompt: str) -> str | None:
        """What was written for a prompt, None if nothing was.

        Raises:
            ToolFailure: of kind `"not_recorded"`, in mode `"replay"`.
        """
        if self.mode == "record":
            return None
        with self._lock:
            text = self._texts.get(_key(prompt))
            self.hits += text is not None
        if text is None and self.mode == "replay":
            raise ToolFailure(f"{self.path} has no answer to this prompt", "not_recorded")
        return text

    def put(self, prompt: str, text: str) -> None:
        """Remember what was written."""
        key = _key(prompt)
        with self._lock:
            self._texts[key] = text
            if self.path is not None:
                line = json.dumps({"key": key, "prompt": prompt, "text": text}) + "\n"
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(line)

    def __len__(self) -> int:
        return len(self._texts)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def _read(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                self._texts[str(row["key"])] = str(row["text"])
            except (ValueError, KeyError, TypeError):
                continue


def _key(prompt: str) -> str:
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
