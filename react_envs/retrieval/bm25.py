"""`BM25Index`: BM25 on disk with tantivy, one memory-mapped index for all processes."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from react_envs.errors import ArgumentError, MissingExtraError, ToolFailure
from react_envs.retrieval.contract import Hit
from react_envs.retrieval.corpus import well_formed
from react_envs.retrieval.max_score import MaxScore
from react_envs.retrieval.passages import STOP_WORDS, check_search
from react_envs.retrieval.text_file import TextFile

if TYPE_CHECKING:
    import tantivy

__all__ = ["ANALYZER", "MANIFEST", "BM25Index", "IndexDamagedError", "analyzer", "schema"]

MANIFEST = "manifest.json"
ENGINE_FOLDER = "tantivy"
TEXT_FOLDER = "texts"
ANALYZER = "english-2"
"""Name of what `analyzer`, `schema` and `text_file` do; an index made with others is refused."""
MAX_TERMS = 1024
"""Different terms of a query that are searched, Lucene's limit; the rest are left out."""
MAX_TIED = 10_000
"""Passages beyond `k` that are looked at to put equal scores in the corpus's order."""
PARALLEL_FROM = 4
"""Queries in a batch from which several threads search."""
MOST_PASSAGES = 2**32
"""An index has no more."""
_MIX = 0x9E3779B1
_UNMIX = pow(_MIX, -1, MOST_PASSAGES)


class IndexDamagedError(ArgumentError):
    """A folder is no whole index: half-built, changed, or made by another version."""


class BM25Index:
    """A retriever over an index that `build_index` made.

    BM25 as in Lucene with k1 1.2 and b 0.75 (tantivy has no others) over title and text together.
    Words are what Unicode calls letters and digits, without case and accents, stemmed by
    Snowball's English stemmer; stop words are searched only if a query has no other words, and
    operators mean nothing. Texts without blanks between words (Chinese, Japanese) are found by
    whole runs only. Equal scores are in the corpus's order, whatever threads built the index (up to
    10,000 of them). In a large index the lists of a query's common words are read only where they
    can change its best passages (`max_score.py`).

    Opening takes milliseconds and tens of MB; the index itself is the page cache's, shared by all
    processes, and is never written to: lists of words are mapped, passages are read when they are
    hits (`text_file.py`). Threads may search at once; a forked child opens the index again by
    itself. Copies share it, pickles open the same path.

    Args:
        path: folder of the index.

    Raises:
        MissingExtraError: without tantivy or zstandard.
        IndexDamagedError: if the folder has no complete index of this version. Only names and
            sizes of the files are compared: `index_build.check_index` also reads them.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self.manifest = read_manifest(self.path)
        for name, file in self.manifest["files"].items():
            found = self.path / name
            if not found.is_file() or found.stat().st_size != file["bytes"]:
                raise IndexDamagedError(
                    f"{found}: expected {file['bytes']} bytes, got "
                    f"{found.stat().st_size if found.is_file() else 'no file'}; build it again"
                )
        try:
            self._texts = TextFile(self.path / TEXT_FOLDER)
        except OSError as error:
            raise IndexDamagedError(
                f"{self.path} cannot be opened ({error}); build it again"
            ) from error
        self._before_fork: list[Any] = []
        self._open()

    def _open(self) -> None:
        tantivy = import_tantivy()
        self._pid = os.getpid()
        self._pool: ThreadPoolExecutor | None = None
        self._analyzer = analyzer()
        try:
            # The engine wants to write a lock file beside the index, which may belong to someone
            # else: it gets a folder of links, needed only until the files are mapped.
            with tempfile.TemporaryDirectory(prefix="react-envs-") as links:
                for file in map(self.path.joinpath, self.manifest["files"]):
                    if file.parent.name == ENGINE_FOLDER:
                        os.symlink(file, Path(links) / file.name)
                index = tantivy.Index.open(links)
                index.register_tokenizer(ANALYZER, self._analyzer)
                index.config_reader("manual", 1)
                index.reload()
                self._searcher = index.searcher()
        except BaseException as error:
            if _is_fault(error):
                raise IndexDamagedError(
                    f"{self.path} cannot be opened ({error}); build it again"
                ) from error
            raise
        self._max_score = MaxScore(self._searcher, index.schema)

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """At most `k` passages for each query, best first; only those that have a word of it.

        Any text is a query. Of a very long one the first 1,024 different words are searched.

        Raises:
            ToolFailure: of kind `index` if the index cannot be read.
        """
        check_search(queries, k)
        if os.getpid() != self._pid:
            # kept: dropping the parent's objects would wait for threads that are not here
            self._before_fork += [self._searcher, self._analyzer, self._pool]
            self._open()
        if len(queries) < PARALLEL_FROM:
            return [self._search(query, k) for query in queries]
        threads = min(8, os.cpu_count() or 1)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(threads, "bm25")
        found: list[list[Hit]] = [[] for _ in queries]
        waiting = iter(enumerate(queries))

        def work(_: int) -> None:
            for place, query in waiting:
                found[place] = self._search(query, k)

        for _ in self._pool.map(work, range(threads)):
            pass
        return found

    def close(self) -> None:
        """End the threads; the index may be used again afterwards."""
        if self._pool is not None and self._pid == os.getpid():
            self._pool.shutdown()
        self._pool = None

    def __len__(self) -> int:
        return int(self.manifest["documents"])

    def __reduce__(self) -> tuple[type[BM25Index], tuple[Path]]:
        return BM25Index, (self.path,)

    def __deepcopy__(self, memo: dict[int, Any]) -> BM25Index:
        return self

    def _search(self, query: str, k: int) -> list[Hit]:
        try:
            ranked = self._ranked(self._words(query), k)
            documents = self._texts.read([position for _, position in ranked])
            return [Hit(d, score) for d, (score, _) in zip(documents, ranked, strict=True)]
        except BaseException as error:
            if _is_fault(error):
                raise ToolFailure(f"{self.path}: {error}", kind="index") from error
            raise

    def _words(self, query: str) -> dict[str, float]:
        """What is searched for, and how often it is asked for."""
        asked = Counter(self._analyzer.analyze(well_formed(query)))
        words = [word for word in asked if word not in STOP_WORDS] or list(asked)
        return {word: float(asked[word]) for word in words[:MAX_TERMS]}

    def _ranked(self, words: dict[str, float], k: int) -> list[tuple[float, int]]:
        """Scores and positions of the best `k`; equal scores in the corpus's order."""
        # the engine sets memory aside for as many as it is asked for
        k = min(k, self._searcher.num_docs)
        ranked: list[tuple[float, int]] = []
        for query, to_exceed in self._max_score.queries(words, k):
            ranked = self._best(query, k)
            if k == len(ranked) > 0 and ranked[-1][0] > to_exceed:
                break
        return ranked

    def _best(self, query: tantivy.Query, k: int) -> list[tuple[float, int]]:
        """Scores and positions of the best `k` that `query` finds.

        The engine orders equal scores by where its threads happened to put them. Scores are
        rounded to the digits that survive any order of adding up.
        """
        limit = k + 1
        while True:
            hits = self._searcher.search(query, limit, count=False).hits
            scored = [(float(f"{score:.5g}"), place) for score, place in hits]
            all_found = len(hits) < limit or scored[-1][0] < scored[k - 1][0]
            if all_found or limit >= k + MAX_TIED:
                break
            limit = min(2 * limit, k + MAX_TIED)
        tied = any(one[0] == other[0] for one, other in pairwise(scored))
        looked_at = scored if tied else scored[:k]
        mixed = self._searcher.fast_field_values("position", [place for _, place in looked_at])
        ranked = [(score, unmix(at)) for (score, _), at in zip(looked_at, mixed, strict=True)]
        if tied:
            ranked.sort(key=lambda one: (-one[0], one[1]))
        return ranked[:k]


def import_tantivy() -> Any:
    """The module tantivy.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import tantivy
    except ImportError as error:
        raise MissingExtraError.for_extra("tantivy", "search") from error
    return tantivy


def analyzer() -> tantivy.TextAnalyzer:
    """What makes terms of passages and of queries."""
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(255),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


def schema() -> tantivy.Schema:
    """Fields of an index: `contents` has two values, title and text, searched as one.

    `position` is the passage's place in the corpus, by which its text is found, `mix`ed.
    """
    fields: tantivy.Schema = (
        import_tantivy()
        .SchemaBuilder()
        .add_text_field("contents", tokenizer_name=ANALYZER, index_option="freq")
        .add_unsigned_field("position", fast=True)
        .build()
    )
    return fields


def mix(position: int) -> int:
    """What an index keeps of a position below `MOST_PASSAGES`: for each another number.

    Of nearly rising numbers the engine reads a description for every 512 of them whenever it is
    asked for one: 0.026 ms among a million. Numbers without any order have none.

    >>> [unmix(mix(position)) for position in (0, 1, 2, MOST_PASSAGES - 1)]
    [0, 1, 2, 4294967295]
    """
    return position * _MIX % MOST_PASSAGES


def unmix(mixed: int) -> int:
    """The position of which `mix` made that."""
    return mixed * _UNMIX % MOST_PASSAGES


def read_manifest(path: Path) -> dict[str, Any]:
    """What an index says about itself.

    Raises:
        IndexDamagedError: if the folder has no manifest of this version.
    """
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text())
        made_by = manifest["analyzer"]
    except FileNotFoundError as error:
        what = "a half-built index" if (path / ENGINE_FOLDER).exists() else "no index"
        raise IndexDamagedError(
            f"{path} has {what}; run: react-envs index build CORPUS {path} --resume"
        ) from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise IndexDamagedError(f"{path / MANIFEST} cannot be read: {error}") from error
    if made_by != ANALYZER:
        raise IndexDamagedError(
            f"{path} was made with analyzer {made_by!r}, this version has {ANALYZER!r}; "
            "build it again"
        )
    return manifest


def _is_fault(error: BaseException) -> bool:
    """True for what the engine raises; its panic is a BaseException without a public name."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
