"""What the trainer holds of one episode: its child and the snippets that made its variables."""

from __future__ import annotations

from dataclasses import dataclass, field

from react_envs.executor.connection import Child
from react_envs.executor.limits import MAX_CODE_CHARS
from react_envs.executor.result import Status

__all__ = ["EpisodeState"]

MAX_REPLAY_CHARS = 4 * MAX_CODE_CHARS


@dataclass(slots=True)
class EpisodeState:
    """What a session holds; apart from it, so that a finalizer can outlive the session."""

    child: Child | None = None
    history: list[tuple[str, Status]] | None = field(default_factory=list)
    """Snippets that made the present variables, with how each ended; None if running them
    again might not give the same variables."""
    history_chars: int = 0

    def drop_child(self) -> None:
        if self.child is not None:
            self.child.end()
            self.child = None

    def start_over(self) -> None:
        self.drop_child()
        self.forget()

    def forget(self) -> None:
        self.history = []
        self.history_chars = 0

    def remember(self, code: str, status: Status) -> None:
        self.history_chars += len(code)
        if status == "timeout" or self.history_chars > MAX_REPLAY_CHARS:
            self.history = None
        if self.history is not None:
            self.history.append((code, status))
