"""`make_retriever` and `make_pages`: a source of documents by plain keywords."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.retrieval.contract import Page, PageSource, Retriever

__all__ = ["PAGE_SOURCES", "RETRIEVERS", "make_pages", "make_retriever"]

# What is imported here is imported when it is asked for: `import react_envs` stays light.


def _bm25(index: str) -> Retriever:
    from react_envs.retrieval.bm25 import BM25Index

    return BM25Index(index)


def _http(url: str, **options: Any) -> Retriever:
    from react_envs.retrieval.http import HttpRetriever

    return HttpRetriever(url, **options)


def _opensearch(url: str, index: str, **options: Any) -> Retriever:
    from react_envs.retrieval.opensearch import OpenSearchRetriever

    return OpenSearchRetriever(url, index, **options)


def _mediawiki(**options: Any) -> Any:
    from react_envs.retrieval.mediawiki import MediaWiki

    return MediaWiki(**options)


def _passages(corpus: str) -> Retriever:
    from react_envs.retrieval.corpus import read_corpus
    from react_envs.retrieval.passages import PassageStore

    return PassageStore(read_corpus(corpus))


def _pages(corpus: str) -> PageSource:
    from react_envs.retrieval.corpus import pages_of, read_corpus
    from react_envs.retrieval.pages import PageStore
    from react_envs.retrieval.titles import name_key

    pages: dict[str, Page] = {}
    for page in pages_of(read_corpus(corpus)):
        key = name_key(page.title)
        if key in pages:  # as `build_page_file` joins a title that comes back later
            first = pages[key]
            listed = first.disambiguation or page.disambiguation
            page = Page(first.title, f"{first.text} {page.text}", listed)
        pages[key] = page
    return PageStore(pages.values())


def _page_file(file: str) -> PageSource:
    from react_envs.retrieval.page_file import PageFile

    return PageFile(file)


RETRIEVERS: dict[str, Callable[..., Retriever]] = {
    "bm25": _bm25,
    "http": _http,
    "mediawiki": _mediawiki,
    "memory": _passages,
    "opensearch": _opensearch,
}
PAGE_SOURCES: dict[str, Callable[..., PageSource]] = {
    "file": _page_file,
    "mediawiki": _mediawiki,
    "memory": _pages,
}

_made: dict[tuple[int, str, str], Any] = {}
_making: dict[tuple[int, str, str], threading.Lock] = {}
"""A lock for each source, so that a slow one holds up no other, and for each process: a thread of
the parent that held one when it forked never lets go of it in the child."""


def make_retriever(source: Mapping[str, Any] | Retriever) -> Retriever:
    """The retriever of `source`: one for the whole process, however often it is asked for.

    A retriever is its own source. Keywords are JSON values: `source` names one of `RETRIEVERS`,
    the others are its arguments, such as `{"source": "bm25", "index": PATH}`,
    `{"source": "http", "url": URL}`, `{"source": "mediawiki", "user_agent": TEXT}`,
    `{"source": "memory", "corpus": FILE}`, `{"source": "opensearch", "url": URL, "index": NAME}`.

    Raises:
        ArgumentError: for an unknown source or arguments that it does not take.
    """
    return source if hasattr(source, "search") else _make(source, RETRIEVERS)  # type: ignore


def make_pages(source: Mapping[str, Any] | PageSource) -> PageSource:
    """The page source of `source`, as `make_retriever` does it.

    `{"source": "file", "file": PATH}`, `{"source": "mediawiki", "user_agent": TEXT}`,
    `{"source": "memory", "corpus": FILE}` (passages are joined to pages).

    Raises:
        ArgumentError: for an unknown source or arguments that it does not take.
    """
    return source if hasattr(source, "page") else _make(source, PAGE_SOURCES)  # type: ignore


def _make(source: Any, known: Mapping[str, Callable[..., Any]]) -> Any:
    if not isinstance(source, Mapping) or source.get("source") not in known:
        raise ArgumentError(
            f'expected a source such as {{"source": NAME, ...}} with NAME one of '
            f"{', '.join(known)}, got {source!r}"
        )
    arguments = {name: value for name, value in source.items() if name != "source"}
    try:
        # the process is part of the key: a forked child makes its own connections
        make = known[source["source"]]
        key = (os.getpid(), make.__name__, json.dumps(arguments, sort_keys=True))
    except TypeError as error:
        raise ArgumentError(f"expected a source of JSON values, got {source!r}") from error
    with _making.setdefault(key, threading.Lock()):
        if key not in _made:
            try:
                _made[key] = make(**arguments)
            except TypeError as error:
                raise ArgumentError(f"source {source['source']!r}: {error}") from error
        return _made[key]
