"""Values that the published systems' own scorers gave, through functions and through episodes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "published_systems.md").read_text("utf-8")
spec = importlib.util.spec_from_file_location(
    "published_rewards", ROOT / "benchmarks" / "published_rewards.py"
)
assert spec is not None
assert spec.loader is not None
published = importlib.util.module_from_spec(spec)
spec.loader.exec_module(published)
CROSS = published.CROSS


def test_every_case_as_a_function(data: Path) -> None:
    cases = published.load_cases(data)
    assert len(cases) >= 60
    for case in cases:
        assert published.score_text(case) == case["value"], (case["scorer"], case["note"])


def test_every_case_as_an_episode_that_writes_the_same_text(data: Path) -> None:
    for case in published.load_cases(data):
        value, info, text = published.play(case)
        if info["fabricated_observation"]:
            # a result that no call asked for: their scorers take it, an environment cannot
            assert value in (0.0, [0.0, 0.0]), (case["scorer"], case["note"])
            continue
        assert published.same(value, case["value"]), (case["scorer"], case["note"], value)
        # the episode's text is the case's, but for layout and the marks of the chat template
        written = "".join(published.response_of(case).split())
        for mark in ("<|endoftext|>", "<|im_end|>", "<|im_start|>assistant"):
            written = written.replace(mark, "")
        if case["dialect"] != "recall" and info["stop_reason"] == "answer":
            assert "".join(text.split()) == written


def test_the_cross_table_of_the_docs_is_what_the_script_prints() -> None:
    assert published.cross_table() in PAGE


def test_the_vector_table_of_the_docs_is_what_the_script_prints(data: Path) -> None:
    cases = published.load_cases(data)
    if len(cases) != 60:
        pytest.skip(f"the table in the docs is of 60 cases, here are {len(cases)}")
    assert published.vector_table(cases) in PAGE


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
    column = [CROSS[name](answer, gold) for answer, gold in published.ANSWERS]
    for other, score in CROSS.items():
        if other != name and frozenset({name, other}) not in twins:
            assert column != [score(answer, gold) for answer, gold in published.ANSWERS], other
