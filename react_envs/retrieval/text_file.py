"""`TextFile`: the passages of an index, each compressed by itself and read only when it is a hit.

They are most of an index's bytes, and a search touches five of a million. So they are read with
`pread` instead of mapped: a process that searches for days holds the lists of words, not the texts.
A dictionary of what passages have in common lets each be compressed alone about as well as in
blocks, so that a hit is one read of some hundred bytes.

Files of a folder: `frames` (a Zstandard frame for each passage), `ends` (where each of them ends:
unsigned little-endian integers of 64 bits, the first 0), `dictionary`.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from react_envs.errors import MissingExtraError
from react_envs.retrieval.contract import Document

if TYPE_CHECKING:
    import zstandard

__all__ = ["DICTIONARY", "ENDS", "FRAMES", "TextFile", "TextFileWriter"]

FRAMES, ENDS, DICTIONARY = "frames", "ends", "dictionary"
DICTIONARY_BYTES = 64 * 2**10
SAMPLES = 4_000
"""Passages from which the dictionary is made: the first ones."""
SAMPLE_BYTES = 8 * 2**20
"""Of these passages at most so many bytes, or so many and one passage."""
LEVEL = 3
_WIDTH = 8


class TextFile:
    """Reads passages by their position in the corpus. Threads and forked children may share it.

    Args:
        folder: where a `TextFileWriter` wrote.

    Raises:
        MissingExtraError: without zstandard.
        OSError: if a file is missing or cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._zstandard = import_zstandard()
        self._dictionary = _dictionary(folder)
        self._local = threading.local()
        self._frames = _opened(self, folder / FRAMES)
        self._ends = _opened(self, folder / ENDS)

    def read(self, positions: Sequence[int]) -> list[Document]:
        """The passages at `positions`.

        Raises:
            Exception: if they are not as they were written; of several kinds, as the bytes have it.
        """
        return [self._document(position) for position in positions]

    def _document(self, position: int) -> Document:
        bounds = os.pread(self._ends, 2 * _WIDTH, _WIDTH * position)
        start = int.from_bytes(bounds[:_WIDTH], "little")
        end = int.from_bytes(bounds[_WIDTH:], "little")
        frame = os.pread(self._frames, end - start, start)
        lengths, _, content = self._decompressor().decompress(frame).decode().partition("\n")
        id_end, title_end = map(int, lengths.split(" "))
        return Document(content[:id_end], content[id_end:title_end], content[title_end:])

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        """Of this thread: one must not be used by two at once."""
        try:
            found: zstandard.ZstdDecompressor = self._local.decompressor
        except AttributeError:
            found = self._zstandard.ZstdDecompressor(dict_data=self._dictionary)
            self._local.decompressor = found
        return found


class TextFileWriter:
    """Appends passages to the files of `folder`.

    Args:
        folder: is made if it is not there.
        done: passages that are kept of an earlier writer; what follows them is cut off.

    Raises:
        MissingExtraError: without zstandard.
        OSError: if the files cannot be written.
        ValueError: if the files do not have as many as `done`.
    """

    def __init__(self, folder: Path, done: int = 0) -> None:
        self._zstandard = import_zstandard()
        self._folder = folder
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._compressor: Any = None
        folder.mkdir(exist_ok=True)
        if done:
            self._compressor = self._made(_dictionary(folder))
        self._frames = open(folder / FRAMES, "ab")  # noqa: SIM115, closed by `close`
        self._ends = open(folder / ENDS, "ab")  # noqa: SIM115
        try:
            self._cut(done)
        except BaseException:
            self.close()
            raise

    def _cut(self, done: int) -> None:
        self._end = 0
        if done:
            with open(self._folder / ENDS, "rb") as ends:
                ends.seek(_WIDTH * done)
                self._end = int.from_bytes(ends.read(_WIDTH), "little")
            if not 0 < self._end <= self._frames.tell():
                raise ValueError(f"{self._folder} has no {done} passages")
        self._frames.truncate(self._end)
        self._ends.truncate(_WIDTH * (done + 1) if done else 0)
        if not done:
            self._ends.write(bytes(_WIDTH))

    def add(self, document: Document) -> None:
        """Append a passage; none of its strings may have lone surrogates."""
        id, title, text = document.id, document.title, document.text
        passage = f"{len(id)} {len(id) + len(title)}\n{id}{title}{text}".encode()
        if self._compressor is not None:
            self._write(passage)
            return
        self._waiting.append(passage)
        self._waiting_bytes += len(passage)
        if len(self._waiting) >= SAMPLES or self._waiting_bytes >= SAMPLE_BYTES:
            self._begin()

    def flush(self) -> None:
        """Put all passages so far on the disk."""
        if self._compressor is None:
            self._begin()
        for file in (self._frames, self._ends):
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the files; what was not flushed may be lost."""
        for file in (self._frames, self._ends):
            with suppress(OSError):  # of what could not be written, `add` or `flush` told
                file.close()

    def _begin(self) -> None:
        """Make the dictionary and write what waited for it."""
        try:
            content = self._zstandard.train_dictionary(DICTIONARY_BYTES, self._waiting).as_bytes()
        except self._zstandard.ZstdError:  # too few passages to learn from
            content = b""
        with open(self._folder / DICTIONARY, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._compressor = self._made(_dictionary(self._folder))
        waiting, self._waiting = self._waiting, []
        for passage in waiting:
            self._write(passage)

    def _made(self, dictionary: Any) -> Any:
        return self._zstandard.ZstdCompressor(
            level=LEVEL,
            dict_data=dictionary,
            write_checksum=True,
            write_content_size=True,
            write_dict_id=False,
        )

    def _write(self, passage: bytes) -> None:
        frame = self._compressor.compress(passage)
        self._end += len(frame)
        self._frames.write(frame)
        self._ends.write(self._end.to_bytes(_WIDTH, "little"))


def import_zstandard() -> Any:
    """The module zstandard.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtraError.for_extra("zstandard", "search") from error
    return zstandard


def _dictionary(folder: Path) -> Any:
    content = (folder / DICTIONARY).read_bytes()
    return import_zstandard().ZstdCompressionDict(content) if content else None


def _opened(owner: TextFile, path: Path) -> int:
    """A file descriptor that is closed with its owner."""
    descriptor = os.open(path, os.O_RDONLY)
    weakref.finalize(owner, os.close, descriptor)
    return descriptor
