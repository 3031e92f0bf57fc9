"""Reading a corpus: the passages of a file in the formats that the published ones have."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.retrieval.contract import Document, Page
from react_envs.retrieval.pages import lists_meanings

__all__ = ["pages_of", "read_corpus", "well_formed"]


def read_corpus(
    path: str | os.PathLike[str], on_bytes: Callable[[int], object] | None = None
) -> Iterator[Document]:
    """The passages of a file, in its order.

    `.jsonl` (also `.jsonl.gz`) has an object a line: `{"id", "contents"}`, contents being
    `"Title"` in quotes, a line break and the text, or `{"title", "text"}`. `.json` is a list of
    such objects, or one object of titles to texts (a list of sentences is joined). Where there is
    no id, the position in the file is the id.

    Args:
        path: the file.
        on_bytes: called now and then with the number of bytes of the file that were read.

    Raises:
        ArgumentError: with the line or position, for what is none of this.
    """
    path = Path(path)
    rows = _lines(path, on_bytes) if ".jsonl" in path.suffixes else _rows(path)
    for position, row in enumerate(rows):
        yield _document(row, position, path)


def pages_of(documents: Iterable[Document]) -> Iterator[Page]:
    """Whole pages from passages that are in the order of their pages, as wiki-18's are.

    Consecutive passages of one title are joined by a blank: wiki-18 cuts every 100 words, in the
    middle of sentences. Titles may come back later, see `page_file.build_page_file`.
    """
    title, texts = "", list[str]()
    for document in documents:
        if texts and document.title != title:
            yield _page(title, " ".join(texts))
            texts = []
        title = document.title
        texts.append(document.text)
    if texts:
        yield _page(title, " ".join(texts))


def well_formed(text: str) -> str:
    """`text`, or, if it has lone surrogates, the text with U+FFFD in their stead.

    JSON can spell lone surrogates and a model can, too; UTF-8 cannot.

    >>> well_formed("a\\ud83e\\udd8a b\\ud800")
    'a🦊 b�'
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _page(title: str, text: str) -> Page:
    return Page(title, text, lists_meanings(text))


def _lines(path: Path, on_bytes: Callable[[int], object] | None) -> Iterator[Any]:
    # lines end at b"\n" only; str.splitlines would also break at U+2028 inside a JSON string
    zipped = path.suffix == ".gz"
    with open(path, "rb") as raw, gzip.open(raw) if zipped else raw as content:
        for number, line in enumerate(_whole(content, path), start=1):
            if on_bytes and number % 1000 == 0:
                on_bytes(raw.tell())
            if line.isspace():
                continue
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ArgumentError(f"{path}, line {number}: expected JSON: {error}") from error
        if on_bytes:
            on_bytes(path.stat().st_size)


def _whole(content: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """The lines of a file that, if it is zipped, is so to its end."""
    try:
        yield from content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArgumentError(f"{path} is no whole gzip file: {error}") from error


def _rows(path: Path) -> Iterator[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{path}: expected JSON (or name it .jsonl): {error}") from error
    if isinstance(content, Mapping):
        for title, text in content.items():
            yield {"title": title, "text": "".join(text) if isinstance(text, list) else text}
    elif isinstance(content, list):
        yield from content
    else:
        raise ArgumentError(f"{path}: expected a list of passages, got {type(content).__name__}")


def _document(row: Any, position: int, path: Path) -> Document:
    if isinstance(row, Mapping):
        id = str(row.get("id", position))
        match row:
            case {"contents": str(contents)}:
                return Document.from_contents(id, contents)
            case {"title": str(title), "text": str(text)}:
                return Document(id, title, text)
    raise ArgumentError(
        f'{path}, passage {position}: expected {{"id", "contents"}} or {{"title", "text"}}, '
        f"got {str(row)[:80]!r}"
    )
