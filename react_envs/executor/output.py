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

    __slots__ = ("_head", "_max_chars", "_tail", "_tail_chars", "_total")

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._total = 0
        self._head: list[str] = []  # all of the text, while it fits
        self._tail: list[str] = []
        self._tail_chars = 0

    def write(self, text: str) -> int:
        """Take `text`; return its length, as a text stream does."""
        if type(text) is not str:
            # A subclass made by the snippet could lie about its length and its slices.
            text = str.__str__(text)
        size = len(text)
        if not size:
            return 0
        before = self._total
        # Counted first: the time limit may strike after any of these lines.
        self._total = total = before + size
        if total <= self._max_chars:
            self._head.append(text)
        else:
            self._write_too_much(text, before)
        return size

    def _write_too_much(self, text: str, before: int) -> None:
        start = max(0, len(text) - self._max_chars)
        if before <= self._max_chars:
            # The first text that does not fit: what came before it is split in two.
            kept = "".join(self._head)
            room = self._max_chars - self._max_chars // 2
            missing = max(0, room - len(kept))
            self._tail, self._tail_chars = [kept[room:]], max(0, len(kept) - room)
            self._head = [kept[:room], text[:missing]]
            start = max(start, missing)
        self._tail.append(text[start:])
        self._tail_chars += len(text) - start
        if self._tail_chars > self._max_chars:
            self._shorten_tail()

    def flush(self) -> None:
        """Do nothing; `print(..., flush=True)` calls it."""

    @property
    def truncated(self) -> bool:
        """True if characters are missing from the middle."""
        return self._total > self._max_chars

    def text(self) -> str:
        """All that was kept, with a note where characters are missing."""
        if self._total <= self._max_chars:
            return "".join(self._head)
        self._shorten_tail()
        head = "".join(self._head)[: self._max_chars - self._max_chars // 2]
        cut = self._total - self._max_chars
        return f"{head}\n... [{cut} characters cut] ...\n{self._tail[0]}"

    def _shorten_tail(self) -> None:
        tail = "".join(self._tail)
        room = self._max_chars // 2
        self._tail = [tail[len(tail) - room :] if len(tail) > room else tail]
        self._tail_chars = len(self._tail[0])
