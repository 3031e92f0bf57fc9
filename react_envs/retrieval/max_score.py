"""Top k without scoring the passages that cannot be among them.

MaxScore (Turtle and Flood, "Query evaluation: strategies and optimizations", 1995): a passage that
has only the common words of a query can score no more than the sum of what those can give. Where
the best k that have a rarer word all score more, they are the best k of all, and the long lists of
the common words were only looked into, not read. The engine's own pruning (block-max WAND) reads
nearly all of them where blocks of passages are much alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from react_envs.retrieval.passages import K1

if TYPE_CHECKING:
    import tantivy

__all__ = ["MaxScore"]

LARGE = 300_000
"""Passages from which counting those of each word pays."""
WORTHWHILE = 2_000
"""Postings of all words together from which a look at the rarer words first pays."""
COST = 2
"""Postings read in turn for the price of one look into the list of a common word."""
COMMON = 8
"""Words at most that are only looked up: each is a query around the others, and the engine follows
a thousand of them until its stack ends."""
COMMON_FROM = 100
"""The bound of a word in one passage of so many is looked up, not only calculated: it is about an
eighth lower, and worth the search, as the word will be asked for again."""
EXPECTED = 1.25
"""The k-th best score is guessed as this multiple of ln(passages / k), about which it is for words
that are independent. A guess too high costs a second query, never a hit."""
ROUNDING = 1.0001
"""Room for the engine's sums, which are floats of 32 bits."""


class _Word(NamedTuple):
    clause: tantivy.Query
    passages: int
    most: float
    """No passage gets as much from this word, but for `ROUNDING`."""


class MaxScore:
    """Makes the queries that find the best passages of one index. Threads may share it.

    Args:
        searcher: of an index whose field `contents` is scored.
        schema: of that index.
    """

    def __init__(self, searcher: tantivy.Searcher, schema: tantivy.Schema) -> None:
        self._searcher, self._schema = searcher, schema
        self._common: dict[str, _Word] = {}
        """Words of one passage in `COMMON_FROM`, once they were asked for. Of those there cannot be
        more than `COMMON_FROM` times the different words of a passage."""

    def queries(self, words: Mapping[str, float], k: int) -> Iterator[tuple[tantivy.Query, float]]:
        """Queries to try in turn, each with the score that its k-th best passage must exceed.

        If it does, the query's best k are those of all passages. The last query is for all words
        and must exceed nothing. None at all if there are no words.

        Args:
            words: how often each is asked for.
            k: hits wanted.
        """
        total = self._searcher.num_docs
        if len(words) < 2 or total < LARGE:
            clauses = [_times(self._clause(text), times) for text, times in words.items()]
        else:
            found = [self._word(text, times) for text, times in words.items()]
            clauses = [word.clause for word in found]
            found.sort(key=lambda word: word.most, reverse=True)
            rare, bound = _rare(found, EXPECTED * math.log(total / k))
            if rare < len(found):
                query = _any_of([word.clause for word in found[:rare]])
                for word in found[rare:]:
                    query = _with(query, word.clause)
                yield query, bound * ROUNDING
        if clauses:
            yield _any_of(clauses), -math.inf

    def _word(self, text: str, times: float) -> _Word:
        word = self._common.get(text) or self._looked_up(text)
        clause, passages, most = word
        return word if times == 1 else _Word(_times(clause, times), passages, times * most)

    def _looked_up(self, text: str) -> _Word:
        """A word asked for once: a common one has the most that a passage gets of it in truth."""
        clause, passages = self._clause(text), self._searcher.doc_freq("contents", text)
        total = self._searcher.num_docs
        if COMMON_FROM * passages < total:
            idf = math.log(1 + (total - passages + 0.5) / (passages + 0.5))
            return _Word(clause, passages, idf * (1 + K1))
        ((most, _),) = self._searcher.search(clause, 1, count=False).hits
        return self._common.setdefault(text, _Word(clause, passages, most))

    def _clause(self, text: str) -> tantivy.Query:
        import tantivy

        return tantivy.Query.term_query(self._schema, "contents", text, "freq")


def _rare(words: list[_Word], expected: float) -> tuple[int, float]:
    """How many of the words, rarest first, a passage must have one of; most that the rest give.

    All of them where fewer are not worth it.
    """
    count, bound = len(words), 0.0
    read = postings = sum(word.passages for word in words)
    fewest = max(1, len(words) - COMMON)
    while count > fewest and bound + words[count - 1].most <= expected:
        count -= 1
        bound += words[count].most
        read -= words[count].passages
    looked_up = read * (1 + len(words) - count)
    if postings < WORTHWHILE or COST * looked_up > postings:
        return len(words), 0.0
    return count, bound


def _times(clause: tantivy.Query, times: float) -> tantivy.Query:
    import tantivy

    return clause if times == 1 else tantivy.Query.boost_query(clause, times)


def _any_of(clauses: list[tantivy.Query]) -> tantivy.Query:
    import tantivy

    if len(clauses) == 1:
        return clauses[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, clause) for clause in clauses])


def _with(query: tantivy.Query, other: tantivy.Query) -> tantivy.Query:
    """What `query` finds, with the score of `other` added where that is found too."""
    import tantivy

    return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Should, other)])
