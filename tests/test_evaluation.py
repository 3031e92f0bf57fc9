"""Evaluation runs: files, resumption, summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from react_envs.core import ReactEnv
from react_envs.errors import ArgumentError, PolicyFailure
from react_envs.evaluation import evaluate, summarize, wilson_interval
from react_envs.tasks import TaskList
from react_envs.types import Context, Task
from react_envs.wrappers import EpisodeReward, StepLimit

TASKS = TaskList([Task(f"{n}?", (str(n),), index=n, dataset="d", split="s") for n in range(10)])
SETTINGS = {"id": "X", "n": 10, "seed": 0, "env": {"tools": ("a",)}}


def make() -> EpisodeReward:
    return EpisodeReward(StepLimit(ReactEnv(TASKS), 2), grader="numeric")


class Player:
    """Right on even tasks; fails on some; remembers what it played."""

    def __init__(self, failing: tuple[int, ...] = (), interrupt_at: int | None = None) -> None:
        self.failing, self.interrupt_at = failing, interrupt_at
        self.played: list[int] = []

    def __call__(self, context: Context) -> str:
        index = context.info["index"]
        if index == self.interrupt_at:
            raise KeyboardInterrupt
        if index in self.failing:
            raise PolicyFailure("down")
        self.played.append(index)
        return f"Final Answer: {index if index % 2 == 0 else -1}"


def run(out: Path, policy: Player, n: int = 10, **kwargs: Any) -> dict[str, Any]:
    settings = {**SETTINGS, "n": n}
    return evaluate(make, policy, range(n), out, settings=settings, **kwargs)


def lines(out: Path) -> list[dict[str, Any]]:
    text = (out / "results.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def test_results_and_summary_say_what_happened(tmp_path: Path) -> None:
    summary = run(tmp_path, Player(), concurrency=3)
    records = lines(tmp_path)
    assert [record["index"] for record in records] == list(range(10))
    needed = {"index", "reward", "reward_terms", "stop_reason", "turns", "calls", "answer", "trace"}
    assert needed <= set(records[0])
    assert summary["score"] == 0.5
    assert summary["score_interval_95"] == list(wilson_interval(5, 10))
    assert summary["stop_reasons"] == {"answer": 10}
    assert summary["complete"]
    assert (summary["dataset"], summary["split"], summary["fingerprint"]) == (
        "d", "s", TASKS.fingerprint,
    )  # fmt: skip
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert not list(tmp_path.glob("*.new"))


def test_results_do_not_depend_on_concurrency(tmp_path: Path) -> None:
    for concurrency in (1, 5):
        run(tmp_path / str(concurrency), Player(), concurrency=concurrency)
    one, five = (
        [{**record, "seconds": 0} for record in lines(tmp_path / name)] for name in ("1", "5")
    )
    assert one == five


def test_an_interrupt_loses_nothing_finished_and_resume_plays_the_rest(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Player(interrupt_at=6))
    finished = [record["index"] for record in lines(tmp_path)]
    assert finished == list(range(len(finished)))
    assert 1 <= len(finished) <= 6
    assert not json.loads((tmp_path / "summary.json").read_text())["complete"]

    again = Player()
    seen: list[int] = []
    summary = run(tmp_path, again, resume=True, on_episode=lambda r: seen.append(r["index"]))
    assert again.played == list(range(len(finished), 10))
    assert sorted(seen) == list(range(10))
    assert summary["complete"]
    assert summary["score"] == 0.5


def test_a_line_cut_by_a_kill_is_played_again(tmp_path: Path) -> None:
    run(tmp_path, Player())
    path = tmp_path / "results.jsonl"
    path.write_text(path.read_text()[:-40])
    again = Player()
    run(tmp_path, again, resume=True)
    assert again.played == [9]
    assert [record["index"] for record in lines(tmp_path)] == list(range(10))


def test_errors_are_counted_apart_and_retried_on_resume(tmp_path: Path) -> None:
    summary = run(tmp_path, Player(failing=(2, 4)))
    assert (summary["episodes"], summary["errors"], summary["complete"]) == (10, 2, False)
    assert summary["stop_reasons"] == {"answer": 8, "error": 2}
    assert summary["score"] == 3 / 8
    again = Player()
    summary = run(tmp_path, again, resume=True)
    assert again.played == [2, 4]
    assert (summary["errors"], summary["score"], summary["complete"]) == (0, 0.5, True)


def test_a_longer_run_may_resume_a_shorter_one_and_no_other(tmp_path: Path) -> None:
    run(tmp_path, Player(), n=4)
    longer = Player()
    run(tmp_path, longer, n=6, resume=True)
    assert longer.played == [4, 5]
    with pytest.raises(ArgumentError, match="n: was 6, is 3"):
        run(tmp_path, Player(), n=3, resume=True)
    with pytest.raises(ArgumentError, match="seed: was 0, is 1"):
        evaluate(
            make,
            Player(),
            range(6),
            tmp_path,
            settings={**SETTINGS, "n": 6, "seed": 1},
            resume=True,
        )


def test_a_folder_with_results_is_not_overwritten(tmp_path: Path) -> None:
    run(tmp_path, Player())
    with pytest.raises(ArgumentError, match="already holds results"):
        run(tmp_path, Player())


def test_wilson_interval_agrees_with_published_values() -> None:
    """Brown, Cai, DasGupta (2001); also what R's prop.test(correct=FALSE) prints."""
    assert wilson_interval(0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert wilson_interval(5, 10) == (
        pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4),
    )  # fmt: skip
    with pytest.raises(ValueError, match="expected 0 <= successes"):
        wilson_interval(3, 2)


def test_the_summary_of_nothing_is_empty_and_not_a_crash() -> None:
    summary = summarize([], {}, wanted=3)
    assert (summary["episodes"], summary["score"], summary["complete"]) == (0, None, False)
