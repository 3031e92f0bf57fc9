"""MaxScore: the same hits and scores as scoring every passage that has a word."""

from __future__ import annotations

import math
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.retrieval import Document, max_score
from react_envs.retrieval.bm25 import MAX_TERMS, BM25Index
from react_envs.retrieval.index_build import build_index
from react_envs.retrieval.max_score import MaxScore

WORDS = ["river", "mountain", "castle", "violin", "harbour", "comet", "lantern", "walnut", "zebra"]


def passages(number: int) -> list[Document]:
    """Word n is in about every second passage of those that word n - 1 is in."""
    draw = random.Random(7)
    texts = []
    for _ in range(number):
        words = [word for rank, word in enumerate(WORDS) if draw.random() < 0.8 * 0.5**rank]
        words += draw.choices(words, k=draw.randrange(4)) if words else []
        words += [f"filler{draw.randrange(50)}" for _ in range(draw.randrange(20))]
        texts.append(" ".join(words))
    return [Document(str(place), "", text) for place, text in enumerate(texts)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: Any) -> BM25Index:
    # several segments: a bound must hold across them
    folder = tmp_path_factory.mktemp("index")
    return build_index(passages(3000), folder, commit_every=1000)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at the rarer words first whenever they could do, however little it saves."""
    for name in ("LARGE", "WORTHWHILE", "COST"):
        monkeypatch.setattr(max_score, name, 0)


def plain(index: BM25Index, query: str, k: int) -> list[tuple[str, float]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(max_score, "LARGE", math.inf)
        return found(index, query, k)


def found(index: BM25Index, query: str, k: int) -> list[tuple[str, float]]:
    return [(hit.document.id, hit.score) for hit in index.search([query], k)[0]]


def tried(index: BM25Index, query: str, k: int) -> list[float]:
    """The scores to exceed of the queries that there are for `query`."""
    words = index._words(query)
    return [bound for _, bound in index._max_score.queries(words, k)]


@pytest.mark.usefixtures("eager")
@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS, "filler3", "nowhere"]), min_size=1, max_size=12),
    st.integers(1, 40),
    st.floats(0, 4),
)
def test_hits_and_scores_are_those_of_all_passages(
    index: BM25Index, words: list[str], k: int, expected: float
) -> None:
    query = " ".join(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(max_score, "EXPECTED", expected)
        hits = found(index, query, k)
    every = dict(plain(index, query, 3000))
    # sums in another order may differ in the last digit, and so may the order of equals
    assert [score for _, score in hits] == pytest.approx(list(every.values())[:k], rel=2e-5)
    assert [score for _, score in hits] == pytest.approx([every[id] for id, _ in hits], rel=2e-5)
    assert len({id for id, _ in hits}) == len(hits)


@pytest.mark.usefixtures("eager")
def test_common_words_are_only_looked_up_where_the_rare_ones_decide(index: BM25Index) -> None:
    bounds = tried(index, "river zebra", 1)
    assert len(bounds) == 2
    assert bounds[1] == -math.inf
    (best,) = found(index, "river zebra", 1)
    assert best[1] > bounds[0] > 0


@pytest.mark.usefixtures("eager")
def test_no_passage_beats_the_bound_without_a_rare_word(index: BM25Index) -> None:
    (bound, _) = tried(index, "river zebra", 1)
    scores = [score for _, score in plain(index, "river", 3000)]
    assert max(scores) < bound < 1.001 * max(scores)


@pytest.mark.usefixtures("eager")
def test_what_a_common_word_gives_at_most_is_looked_up_once(
    index: BM25Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = index._words("river zebra")
    looking_up = MaxScore(index._searcher, index._max_score._schema)
    bound = next(looking_up.queries(words, 1))[1]
    # a rare word is not kept: there are too many of those
    assert list(looking_up._common) == ["river"]
    monkeypatch.setattr(max_score, "COMMON_FROM", 0)
    assert next(looking_up.queries(words, 1))[1] == bound
    calculating = MaxScore(index._searcher, index._max_score._schema)
    assert next(calculating.queries(words, 1))[1] > 1.05 * bound
    assert not calculating._common


def test_too_few_good_passages_are_searched_for_again(
    index: BM25Index, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(max_score, "EXPECTED", 100.0)
    with_zebra = len(plain(index, "zebra", 3000))
    hits = found(index, "river zebra", with_zebra + 10)
    assert len(hits) == with_zebra + 10
    assert hits == plain(index, "river zebra", with_zebra + 10)


def test_words_asked_for_twice_may_give_twice_as_much(
    index: BM25Index, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(max_score, "EXPECTED", 100.0)
    once, twice = (tried(index, f"zebra walnut {river}", 1)[0] for river in ("", "river river"))
    assert twice > once


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        pytest.param("river zebra", 1, id="a-small-index-is-asked-once"),
        pytest.param("zebra", 1, id="one-word"),
        pytest.param("", 0, id="no-words"),
    ],
)
def test_queries_that_are_asked_at_once(index: BM25Index, query: str, queries: int) -> None:
    assert len(tried(index, query, 5)) == queries


def test_few_postings_and_dear_looks_are_not_worth_it(
    index: BM25Index, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(tried(index, "river zebra", 1)) == 2
    monkeypatch.setattr(max_score, "WORTHWHILE", 10_000)
    assert len(tried(index, "river zebra", 1)) == 1
    monkeypatch.setattr(max_score, "WORTHWHILE", 0)
    monkeypatch.setattr(max_score, "COST", 1_000)
    assert len(tried(index, "river zebra", 1)) == 1


def test_a_thousand_common_words_do_not_overflow_the_stack(
    eager: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(max_score, "EXPECTED", 1e9)
    words = " ".join(f"word{number}" for number in range(MAX_TERMS - 1))
    texts = [words] * 30 + [f"{words} zebra"] + ["another"] * 5
    documents = [Document(str(place), "", text) for place, text in enumerate(texts)]
    index = build_index(documents, tmp_path / "index")
    query = f"zebra {words}"
    assert len(tried(index, query, 1)) == 2
    # a thread as small as some servers give
    before = threading.stack_size(256 * 1024)
    try:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(found, index, query, 1).result()[0][0] == "30"
    finally:
        threading.stack_size(before)


def test_the_corpus_is_what_the_tests_above_need(index: BM25Index, tmp_path: Path) -> None:
    counts = Counter(word for passage in passages(3000) for word in set(passage.text.split()))
    assert counts["river"] > 100 * counts["zebra"] > 0
    assert index._searcher.num_segments > 1
