"""`PassageStore`: BM25 over some passages in memory, without any dependency."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from react_envs.errors import ArgumentError
from react_envs.retrieval.contract import Document, Hit
from react_envs.retrieval.titles import words

__all__ = ["K1", "STOP_WORDS", "B", "PassageStore", "check_search"]

K1 = 1.2
B = 0.75
"""BM25's parameters: Lucene's defaults, which tantivy has built in."""

_STOP_WORDS = """
a an and are as at be but by for if in into is it no not of on or such that the their then there
these they this to was will with
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Lucene's English stop words. Left out of a query unless it has no other words."""


class PassageStore:
    """A retriever for a small corpus, such as the pages of one synthetic world.

    Scores are Lucene's BM25 (k1 1.2, b 0.75) over title and text, without case and accents and
    with English plural endings cut (after Harman's s-stemmer, 1991). Of equal scores the earlier
    passage comes first. The index is made at the first search, at about 0.2 ms a passage of 100
    words; `BM25Index` is for more than some 10,000. The store never changes: copies share it.

    >>> store = PassageStore([Document("0", "Fox", "It is red."), Document("1", "Sky", "Blue.")])
    >>> [[hit.document.title for hit in hits] for hits in store.search(["foxes", "cat"], k=2)]
    [['Fox'], []]
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = tuple(documents)

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """At most `k` passages for each query, best first; only those that have a word of it."""
        check_search(queries, k)
        return [self._search(query, k) for query in queries]

    def _search(self, query: str, k: int) -> list[Hit]:
        postings, norms = self._index
        scores = np.zeros(len(self._documents))
        asked = Counter(map(_stem, words(query)))
        informative = {term: n for term, n in asked.items() if term not in STOP_WORDS}
        for term, times in (informative or asked).items():
            if term in postings:
                ids, counts = np.frombuffer(postings[term], np.uintc).reshape(-1, 2).T
                idf = math.log(1 + (len(norms) - len(ids) + 0.5) / (len(ids) + 0.5))
                scores[ids] += times * idf * (K1 + 1) * counts / (counts + norms[ids])
        best = np.argsort(-scores, kind="stable")[:k]
        return [Hit(self._documents[i], float(scores[i])) for i in best if scores[i] > 0]

    def close(self) -> None:
        """Nothing is held open."""

    def __len__(self) -> int:
        return len(self._documents)

    def __deepcopy__(self, memo: dict[int, Any]) -> PassageStore:
        return self

    @cached_property
    def _index(self) -> tuple[dict[str, array[int]], NDArray[np.float64]]:
        """Passages that have a term, each before how often; BM25's norm of each passage."""
        postings: dict[str, array[int]] = {}
        lengths = np.zeros(len(self._documents))
        for number, document in enumerate(self._documents):
            found = words(f"{document.title} {document.text}")
            lengths[number] = len(found)
            for term, count in Counter(map(_stem, found)).items():
                postings.setdefault(term, array("I")).extend((number, count))
        mean = lengths.mean() if lengths.any() else 1.0
        return postings, K1 * (1 - B + B * lengths / mean)


def check_search(queries: Sequence[str], k: int) -> None:
    """Refuse arguments of `Retriever.search` that only a programmer's mistake can give.

    Raises:
        ArgumentError: for one string instead of a list of queries, and for `k` below 1.
    """
    if isinstance(queries, str) or not all(isinstance(query, str) for query in queries):
        raise ArgumentError(f"expected a list of queries, each a string, got {queries!r}"[:200])
    if not isinstance(k, int) or k < 1:
        raise ArgumentError(f"expected k to be a positive number of documents, got {k!r}")


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    """`word` without its English plural ending.

    >>> [_stem(word) for word in ["cities", "foxes", "news", "glass", "bus", "is"]]
    ['city', 'fox', 'new', 'glass', 'bus', 'is']
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("us", "ss")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word[:-1]
