"""SQuAD exact match and F1, against the definition written out a second time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.rewards.terms import make_terms
from react_envs.rewards.text import exact_match, f1_score, f1_with_yes_no, normalize_answer
from react_envs.rewards.trivia import normalize_trivia, triviaqa_f1, triviaqa_match
from react_envs.types import Episode, Turn


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        pytest.param("The Cat", "cat", id="case-and-article"),
        pytest.param("an apple a day", "apple day", id="articles-inside"),
        pytest.param("  much \t space\n", "much space", id="whitespace"),
        pytest.param("U.S.A.", "usa", id="points-join"),
        pytest.param("T.H.E", "", id="punctuation-goes-before-articles"),
        pytest.param("theatre anarchy", "theatre anarchy", id="articles-are-whole-words"),
        pytest.param("well-known", "wellknown", id="hyphen-joins"),
        pytest.param("“quoted” – Ünïcode", "“quoted” – ünïcode", id="only-ascii-punctuation-goes"),
        pytest.param("", "", id="empty"),
    ],
)
def test_normalize(text: str, normal: str) -> None:
    assert normalize_answer(text) == normal


@pytest.mark.parametrize(
    ("prediction", "targets", "em", "f1"),
    [
        pytest.param("Paris.", ["paris"], 1.0, 1.0, id="equal-after-normalising"),
        pytest.param("Paris, France", ["Paris"], 0.0, 2 / 3, id="partial"),
        pytest.param("Rome", ["Paris"], 0.0, 0.0, id="different"),
        pytest.param("Rome", ["Paris", "The Rome"], 1.0, 1.0, id="best-alias-counts"),
        pytest.param("to be to be", ["to be"], 0.0, 2 / 3, id="multiplicity-counts"),
        pytest.param("", ["Paris"], 0.0, 0.0, id="empty-prediction"),
        pytest.param("the", [""], 1.0, 0.0, id="two-empty-sides-as-in-the-v1.1-script"),
        pytest.param("Paris", [], 0.0, 0.0, id="no-targets"),
        pytest.param("no", ["no it is not"], 0.0, 0.4, id="no-special-rule-for-yes-and-no"),
    ],
)
def test_scores(prediction: str, targets: list[str], em: float, f1: float) -> None:
    assert exact_match(prediction, targets) == em
    assert f1_score(prediction, targets) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("prediction", "targets", "f1"),
    [
        pytest.param("no", ["no it is not"], 0.0, id="no-is-right-as-a-whole-only"),
        pytest.param("Yes!", ["yes"], 1.0, id="equal-after-normalising"),
        pytest.param("yes and no", ["yes"], 0.0, id="gold-is-closed"),
        pytest.param("noanswer", ["the answer"], 0.0, id="noanswer"),
        pytest.param("no", ["yes", "no way", "no"], 1.0, id="best-alias-counts"),
        pytest.param("no way out", ["no way"], 0.8, id="a-longer-answer-is-not-closed"),
        pytest.param("Paris, France", ["Paris"], 2 / 3, id="else-as-squad"),
        pytest.param("Paris", [], 0.0, id="no-targets"),
    ],
)
def test_hotpotqas_f1_takes_yes_and_no_as_a_whole(
    prediction: str, targets: list[str], f1: float
) -> None:
    assert f1_with_yes_no(prediction, targets) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        pytest.param("The_Beatles", "beatles", id="underscore-is-a-blank"),
        pytest.param("rock'n'roll", "rock n roll", id="punctuation-is-a-blank"),
        pytest.param("a ‘quoted’ ´word`", "quoted word", id="four-more-quotes"),
        pytest.param("U.S.A.", "u s", id="so-that-articles-appear"),
        pytest.param("–", "–", id="no-other-unicode"),
    ],
)
def test_trivia_normalisation(text: str, normal: str) -> None:
    assert normalize_trivia(text) == normal


def test_trivia_takes_the_best_alias() -> None:
    aliases = ["Sunset Boulevard", "Sunset Blvd."]
    assert triviaqa_match("sunset-blvd", aliases) == 1.0
    assert exact_match("sunset-blvd", aliases) == 0.0
    assert triviaqa_match("Sunset", aliases) == 0.0
    assert triviaqa_f1("the Sunset", aliases) == pytest.approx(2 / 3)
    assert triviaqa_f1("", [""]) == 0.0


@pytest.mark.parametrize(
    ("grader", "answer", "gold", "em", "f1"),
    [
        ("hotpotqa", "no", ["no way"], 0.0, 0.0),
        ("text", "no", ["no way"], 0.0, 2 / 3),
        ("triviaqa", "rock-n-roll", ["rock n roll"], 1.0, 1.0),
        ("label", "not enough info.", ["NOT ENOUGH INFO"], 1.0, 1.0),
        ("label", "NOT ENOUGH INFORMATION", ["NOT ENOUGH INFO"], 0.0, 0.0),
        ("label", "SUPPORTS or REFUTES", ["SUPPORTS"], 0.0, 0.0),
    ],
)
def test_each_grader_has_its_exact_match_and_its_f1(
    grader: str, answer: str, gold: list[str], em: float, f1: float
) -> None:
    terms, _ = make_terms("exact_match", grader)
    episode = Episode(tuple(gold), (Turn("", "", answer=answer),), "answer")
    assert terms["exact_match"](episode) == em
    assert terms["f1"](episode) == pytest.approx(f1)


@pytest.mark.parametrize(
    "metric", [exact_match, f1_score, f1_with_yes_no, triviaqa_match, triviaqa_f1]
)
@pytest.mark.parametrize("targets", ["Paris", b"Paris", None, 5, [5], [None]])
def test_targets_that_would_grade_in_silence_are_refused(
    metric: Callable[[str, Any], float], targets: Any
) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        metric("Paris", targets)


WORDS = st.lists(
    st.sampled_from(["a", "The", "an", "cat", "Cat!", "dog", "b.c", "bc", "--", "é"]), max_size=7
)


def reference_words(text: str) -> list[str]:
    """The normalised words, one character at a time and without a Counter."""
    kept = "".join(c for c in text.lower() if not (c.isascii() and re.match(r"[^\w\s]|_", c)))
    return [word for word in kept.split() if word not in {"a", "an", "the"}]


def reference_f1(prediction: str, target: str) -> float:
    left, right = reference_words(prediction), reference_words(target)
    rest, common = list(right), 0
    for word in left:
        if word in rest:
            rest.remove(word)
            common += 1
    return 2 * common / (len(left) + len(right)) if common else 0.0


@given(WORDS, st.lists(WORDS, max_size=3))
def test_metrics_agree_with_an_independent_definition(
    prediction: list[str], targets: list[list[str]]
) -> None:
    answer, golds = " ".join(prediction), [" ".join(words) for words in targets]
    expected_f1 = max((reference_f1(answer, gold) for gold in golds), default=0.0)
    expected_em = any(reference_words(answer) == reference_words(gold) for gold in golds)
    assert f1_score(answer, golds) == pytest.approx(expected_f1)
    assert exact_match(answer, golds) == float(expected_em)


@given(st.text(), st.text())
def test_any_text_scores_within_bounds(prediction: str, target: str) -> None:
    assert 0.0 <= f1_score(prediction, [target]) <= 1.0
    assert exact_match(target, [target]) == 1.0
    assert normalize_answer(normalize_answer(prediction)) == normalize_answer(prediction)
