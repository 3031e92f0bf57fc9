"""Values that the published systems' own scorers gave, through functions and through episodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.published_rewards import (
    ANSWERS,
    CROSS,
    SCORERS,
    cross_table,
    load_cases,
    play,
    same,
    score_text,
    vector_table,
)

README = (Path(__file__).parents[2] / "docs" / "published_systems.md").read_text("utf-8")


def test_every_case_as_a_function(data: Path) -> None:
    cases = load_cases(data)
    assert len(cases) >= 60
    for case in cases:
        assert score_text(case) == case["value"], (case["scorer"], case["note"])


def test_every_case_as_an_episode_that_writes_the_same_text(data: Path) -> None:
    for case in load_cases(data):
        value, info, text = play(case)
        assert same(value, case["value"]), (case["scorer"], case["note"], value)
        assert not info["fabricated_observation"]
        # the episode's text is the case's, but for layout and the marks of the chat template
        response = case["text"].partition(SCORERS[case["scorer"]].response or "\0")
        written = "".join((response[2] or case["text"]).split())
        for mark in ("<|endoftext|>", "<|im_end|>", "<|im_start|>assistant"):
            written = written.replace(mark, "")
        if case["dialect"] not in ("recall",) and info["stop_reason"] == "answer":
            assert "".join(text.split()) == written


def test_the_cross_table_of_the_docs_is_what_the_script_prints() -> None:
    assert cross_table() in README


def test_the_vector_table_of_the_docs_is_what_the_script_prints(data: Path) -> None:
    cases = load_cases(data)
    if len(cases) != 60:
        pytest.skip(f"the table in the docs is of 60 cases, here are {len(cases)}")
    assert vector_table(cases) in README


@pytest.mark.parametrize("name", CROSS)
def test_no_two_scorers_agree_on_every_answer(name: str) -> None:
    """They are different measures; a figure has to name the one that it was made with."""
    twins = {
        frozenset({"research", "recall"}),  # one formula, two formats
        frozenset({"exact_match", "search_r1"}),
        frozenset({"exact_match", "autocoa_strict"}),
        frozenset({"search_r1", "autocoa_strict"}),
        frozenset({"f1", "zerosearch"}),
    }
    column = [CROSS[name](answer, gold) for answer, gold in ANSWERS]
    for other, score in CROSS.items():
        if other != name and frozenset({name, other}) not in twins:
            assert column != [score(answer, gold) for answer, gold in ANSWERS], other
