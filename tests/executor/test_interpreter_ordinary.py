"""Ordinary code prints under the policy exactly what it prints under CPython."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from corpora import DATA, load_json, own_corpus, run_plainly

from react_envs.executor.interpreter import Interpreter, Outcome


def run(interpreter: Interpreter, code: str) -> tuple[str, Outcome]:
    out = io.StringIO()
    outcome = interpreter.run(code, out, io.StringIO())
    return out.getvalue(), outcome


SHARED: list[dict[str, Any]] = load_json("ordinary_snippets.json") or []


@pytest.mark.skipif(not SHARED, reason="shared/data/executor is absent")
@pytest.mark.parametrize("snippet", SHARED, ids=lambda snippet: snippet["name"])
def test_shared_snippet_prints_what_was_recorded(snippet: dict[str, Any]) -> None:
    if "sympy" in snippet["tags"]:
        pytest.importorskip("sympy")
    turns, recorded = snippet["code"], snippet["stdout"]
    if isinstance(turns, str):
        turns, recorded = [turns], [recorded]
    interpreter = Interpreter()
    for code, stdout in zip(turns, recorded, strict=True):
        printed, outcome = run(interpreter, code)
        assert (printed, outcome) == (stdout, Outcome("ok"))


CORPUS = own_corpus()


@pytest.fixture(scope="module")
def plain_corpus() -> dict[str, tuple[str, str | None]]:
    return dict(zip(CORPUS, run_plainly(list(CORPUS.values())), strict=True))


@pytest.mark.parametrize("name", CORPUS)
def test_own_snippet_prints_what_cpython_prints(
    name: str, plain_corpus: dict[str, tuple[str, str | None]]
) -> None:
    printed, outcome = run(Interpreter(), CORPUS[name])
    assert plain_corpus[name][1] is None
    assert (printed, outcome) == (plain_corpus[name][0], Outcome("ok"))


def test_programs_that_models_wrote_for_gsm_hard_give_their_answers() -> None:
    path = DATA / "gsm_hard" / "test.jsonl"
    if not path.exists():
        pytest.skip("shared/data/gsm_hard is absent")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    codes = [row["code"] + "\nprint(solution())" for row in rows]
    plain = run_plainly(codes)
    assert sum(error is None for _, error in plain) > 0.98 * len(codes)
    different = []
    for code, (stdout, error) in zip(codes, plain, strict=True):
        printed, outcome = run(Interpreter(), code)
        if printed != stdout or (outcome.status == "ok") != (error is None):
            different.append((code, outcome))
    assert not different
