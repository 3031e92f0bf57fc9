"""`PageFile`: the pages of a big corpus in one SQLite file that all processes share."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval.connections import Connections
from react_envs.retrieval.contract import Page
from react_envs.retrieval.corpus import well_formed
from react_envs.retrieval.titles import Ids, closest, features, name_key, spellings

__all__ = ["PageFile", "build_page_file"]

_FORMAT = 0x52455031  # "REP1" in SQLite's application_id, set when all is written

_TABLES = """
CREATE TABLE pages (id INTEGER PRIMARY KEY, title TEXT, text TEXT, disambiguation INTEGER);
CREATE TABLE names (id INTEGER PRIMARY KEY, key TEXT UNIQUE, page INTEGER);
CREATE TABLE features (feature TEXT PRIMARY KEY, ids BLOB) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB);
"""


class PageFile:
    """A page source on disk: what `PageStore` does, for corpora that memory should not hold.

    Each thread has a connection of its own, and so has a forked child; the file itself is in the
    page cache, once for all processes. Among 600,000 invented titles a page took 0.02 ms, similar
    titles 40 ms, on a busy machine. Copies share it, pickles open the same path.

    Args:
        path: a file that `build_page_file` made.

    Raises:
        ArgumentError: if it is none, or half-written. `check` also reads it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        uri = f"{self.path.as_uri()}?mode=ro&immutable=1"
        self._connections = Connections(
            lambda: sqlite3.connect(uri, uri=True, check_same_thread=False)
        )
        try:
            (found,) = self._connections.get().execute("PRAGMA application_id").fetchone()
        except sqlite3.Error as error:
            raise ArgumentError(f"{self.path} cannot be opened as a page file: {error}") from error
        if found != _FORMAT:
            raise ArgumentError(f"{self.path} is no page file of this version; build it again")

    def page(self, title: str) -> Page | None:
        """The page of that title, other spellings and redirects followed; None if there is none.

        Raises:
            ToolFailure: of kind `pages` if the file cannot be read.
        """
        find = (
            "SELECT title, text, disambiguation FROM names JOIN pages ON pages.id = names.page "
            "WHERE key = ?"
        )
        for key in spellings(well_formed(title)):
            if row := self._first(find, key):
                if not (isinstance(row[0], str) and isinstance(row[1], str)):
                    raise self._damaged("a page that is no text")
                return Page(row[0], row[1], bool(row[2]))
        return None

    def similar(self, title: str, k: int = 5) -> list[str]:
        """Titles of at most `k` different pages whose title, or a redirect to it, is like `title`.

        Raises:
            ToolFailure: of kind `pages` if the file cannot be read.
        """
        find = "SELECT title FROM names JOIN pages ON pages.id = page WHERE names.id = ?"
        ids = closest(well_formed(title), self._postings, self._trigram_counts)
        found: dict[str, None] = {}
        for id in ids:
            if len(found) >= k:
                break
            row = self._first(find, id)
            if row is None or not isinstance(row[0], str):
                raise self._damaged("a name that leads nowhere")
            found[row[0]] = None
        return list(found)

    def check(self) -> None:
        """Read the whole file: its structure as SQLite checks it, every row against their hash.

        Opening looks at a mark only. Not covered: bytes that belong to no row.

        Raises:
            ArgumentError: if anything differs from what was built, or if the file was built by a
                version that kept no hash.
        """
        connection = self._connections.get()
        try:
            (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            row = connection.execute("SELECT value FROM facts WHERE name = 'sha256'").fetchone()
            found = _content_hash(connection)
        except (sqlite3.Error, TypeError) as error:
            raise ArgumentError(
                f"{self.path} is not as it was built ({error}); build it again"
            ) from error
        if said == "ok" and row is None:
            raise ArgumentError(f"{self.path} was built without a hash; build it again to check it")
        if said != "ok" or row[0] != found:
            raise ArgumentError(f"{self.path} is not as it was built ({said}); build it again")

    def close(self) -> None:
        """Close this thread's connection; the source may be used again afterwards."""
        self._connections.close()

    def __len__(self) -> int:
        row = self._first("SELECT value FROM facts WHERE name = ?", "pages")
        if row is None or not isinstance(row[0], int):
            raise self._damaged("no number of pages")
        return row[0]

    def __reduce__(self) -> tuple[type[PageFile], tuple[Path]]:
        return PageFile, (self.path,)

    def __deepcopy__(self, memo: dict[int, Any]) -> PageFile:
        return self

    def _first(self, statement: str, *values: Any) -> Any:
        try:
            return self._connections.get().execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise ToolFailure(f"{self.path}: {error}", kind="pages") from error

    def _postings(self, feature: str) -> Ids:
        row = self._first("SELECT ids FROM features WHERE feature = ?", feature)
        if row is None:
            return np.array([], np.uint32)
        if not isinstance(row[0], bytes) or len(row[0]) % 4:
            raise self._damaged("a list of titles that is none")
        ids = np.frombuffer(row[0], np.uint32)
        if ids.max(initial=0) >= max(1, len(self._trigram_counts)):
            raise self._damaged("titles that are not there")
        return ids

    @cached_property
    def _trigram_counts(self) -> NDArray[np.uint8]:
        row = self._first("SELECT value FROM facts WHERE name = ?", "trigram_counts")
        if row is None or not isinstance(row[0], bytes):
            raise self._damaged("no counts of trigrams")
        return np.frombuffer(row[0], np.uint8)

    def _damaged(self, what: str) -> ToolFailure:
        return ToolFailure(f"{self.path} has {what}: it is damaged", kind="pages")


def build_page_file(
    pages: Iterable[Page],
    path: str | os.PathLike[str],
    redirects: Mapping[str, str] | None = None,
    on_page: Callable[[int], object] | None = None,
) -> PageFile:
    """Write `pages` and `redirects` to the file `path` and open it.

    A title that comes back later adds its text to its page. The file has its name only when it is
    whole; a build that breaks off leaves nothing behind but a file that ends in `.building`,
    which the next build replaces. Memory: about 0.3 kB a title.

    Args:
        pages: see `corpus.pages_of` for passages.
        path: the file; there must be none.
        redirects: title that is asked for, to the title of a page. One whose spelling is a title
            is left out, as titles win.
        on_page: called with the number of pages so far, every 1,000 pages.

    Raises:
        ArgumentError: if the file exists, or a redirect leads to no page.
        OSError: if the disk is full.
    """
    path = Path(path).absolute()
    if path.exists():
        raise ArgumentError(f"{path} exists; remove it or pass another name")
    building = path.with_name(path.name + ".building")
    building.unlink(missing_ok=True)
    connection = sqlite3.connect(building)
    try:
        # nothing of a half-written file is ever used, so nothing needs to be rolled back
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES)
        numbers = _write_pages(connection, pages, on_page)
        number_of_pages = len(numbers)
        _add_redirects(numbers, redirects or {})
        rows = ((id, key, page) for id, (key, page) in enumerate(numbers.items()))
        connection.executemany("INSERT INTO names VALUES (?, ?, ?)", rows)
        counts = _write_features(connection, numbers)
        facts = [("pages", number_of_pages), ("trigram_counts", counts.tobytes())]
        connection.executemany("INSERT INTO facts VALUES (?, ?)", facts)
        digest = _content_hash(connection)
        connection.execute("INSERT INTO facts VALUES ('sha256', ?)", (digest,))
        connection.execute(f"PRAGMA application_id = {_FORMAT}")
        connection.commit()
    except sqlite3.Error as error:
        raise OSError(f"{building} could not be written: {error}") from error
    finally:
        connection.close()
    os.replace(building, path)
    return PageFile(path)


def _content_hash(connection: sqlite3.Connection) -> str:
    """SHA-256 of all rows but its own."""
    digest = hashlib.sha256()
    for rows in (
        "SELECT id, title, text, disambiguation FROM pages ORDER BY id",
        "SELECT id, key, page FROM names ORDER BY id",
        "SELECT feature, ids FROM features ORDER BY feature",
        "SELECT name, value FROM facts WHERE name != 'sha256' ORDER BY name",
    ):
        digest.update(rows.encode())
        for row in connection.execute(rows):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def _write_pages(
    connection: sqlite3.Connection,
    pages: Iterable[Page],
    on_page: Callable[[int], object] | None,
) -> dict[str, int]:
    """Number of the page of each title key."""
    numbers: dict[str, int] = {}
    more = "UPDATE pages SET text = text || ' ' || ?, disambiguation = max(disambiguation, ?) "
    for count, page in enumerate(pages, start=1):
        title, text = well_formed(page.title), well_formed(page.text)
        key = name_key(title)
        if key in numbers:
            connection.execute(more + "WHERE id = ?", (text, page.disambiguation, numbers[key]))
        else:
            numbers[key] = len(numbers)
            row = (numbers[key], title, text, page.disambiguation)
            connection.execute("INSERT INTO pages VALUES (?, ?, ?, ?)", row)
        if on_page and count % 1000 == 0:
            on_page(count)
    return numbers


def _add_redirects(numbers: dict[str, int], redirects: Mapping[str, str]) -> None:
    found = {}
    for name, target in redirects.items():
        number = numbers.get(name_key(well_formed(target)))
        if number is None:
            raise ArgumentError(f"expected the redirect {name!r} to lead to a page, got {target!r}")
        found[name_key(well_formed(name))] = number
    for key, number in found.items():
        numbers.setdefault(key, number)


def _write_features(connection: sqlite3.Connection, keys: Iterable[str]) -> NDArray[np.uint8]:
    """Number of trigrams of each key; the features themselves go to the file."""
    postings: dict[str, array[int]] = {}
    counts = array("B")
    for id, key in enumerate(keys):
        found, trigrams = features(key)
        counts.append(min(len(trigrams), 255))
        for feature in (*found, *trigrams):
            postings.setdefault(feature, array("I")).append(id)
    rows = ((feature, ids.tobytes()) for feature, ids in sorted(postings.items()))
    connection.executemany("INSERT INTO features VALUES (?, ?)", rows)
    return np.frombuffer(counts, np.uint8)
