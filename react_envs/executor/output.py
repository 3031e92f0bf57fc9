"""A text sink of bounded size that keeps the head and the tail of what is written to it."""

from __future__ import annotations

__all__ = ["HeadTail"]


class HeadTail:
    """Keeps the first and the last half of `max_chars` characters and counts the rest.

    What it holds never exceeds about twice `max_chars` characters, whatever is written.

    >>> sink = HeadTail(8)
    >>> for word in ("abc", "defgh", "ijkl"):
    ...     _ = sink.write(word)
    >>> sink.text()
    'abcd\\n... [4 characters cut] ...\\nijkl'
    """

    __slots__ = ("_head", "_head_room", "_max_chars", "_tail", "_tail_chars", "_total")

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._head: list[str] = []
        self._head_room = max_chars - max_chars // 2
        self._tail: list[str] = []
        self._tail_chars = 0
        self._total = 0

    def write(self, text: str) -> int:
        """Take `text`; return its length, as a text stream does."""
        if type(text) is not str:
            # A subclass made by the snippet could lie about its length and its slices.
            text = str.__str__(text)
        size = len(text)
        self._total += size
        if self._head_room:
            head = text[: self._head_room]
            self._head.append(head)
            self._head_room -= len(head)
            text = text[len(head) :]
        if text:
            text = text[-self._max_chars :]
            self._tail.append(text)
            self._tail_chars += len(text)
            if self._tail_chars > self._max_chars:
                self._shorten_tail()
        return size

    def flush(self) -> None:
        """Do nothing; `print(..., flush=True)` calls it."""

    @property
    def truncated(self) -> bool:
        """True if characters are missing from the middle."""
        return self._total > self._max_chars

    def text(self) -> str:
        """All that was kept, with a note where characters are missing."""
        if not self.truncated:
            return "".join(self._head) + "".join(self._tail)
        self._shorten_tail()
        cut = self._total - self._max_chars
        return f"{''.join(self._head)}\n... [{cut} characters cut] ...\n{self._tail[0]}"

    def _shorten_tail(self) -> None:
        tail = "".join(self._tail)
        room = self._max_chars // 2
        self._tail = [tail[len(tail) - room :] if len(tail) > room else tail]
        self._tail_chars = len(self._tail[0])
