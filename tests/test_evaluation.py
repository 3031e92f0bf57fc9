"""Evaluation runs: files, resumption, summary."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from react_envs.core import ReactEnv
from react_envs.errors import ArgumentError, PolicyFailure
from react_envs.evaluation import evaluate, summarize, wilson_interval
from react_envs.tasks import TaskList
from react_envs.types import Context, Task
from react_envs.wrappers import EpisodeReward, Record, StepLimit

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
    return evaluate(make, policy, range(n), out, settings={**SETTINGS, "n": n}, **kwargs)


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
    assert finished[:6] == list(range(6))
    assert 6 not in finished  # one or two behind it may have been under way
    assert not json.loads((tmp_path / "summary.json").read_text())["complete"]

    again = Player()
    seen: list[int] = []
    summary = run(tmp_path, again, resume=True, on_episode=lambda r: seen.append(r["index"]))
    assert again.played == [index for index in range(10) if index not in finished]
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


def test_episodes_under_way_at_an_interrupt_are_played_to_their_end_and_kept(
    tmp_path: Path,
) -> None:
    """The interrupt strikes the main thread while it shows progress; the disk must not lag."""
    policy = Player()

    def interrupted(record: Any) -> None:
        time.sleep(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, policy, concurrency=4, on_episode=interrupted)
    assert sorted(policy.played) == [record["index"] for record in lines(tmp_path)]
    assert policy.played


def test_a_bug_loses_no_finished_episode(tmp_path: Path) -> None:
    class Buggy(Player):
        def __call__(self, context: Context) -> str:
            if context.info["index"] == 7:
                raise ZeroDivisionError
            return super().__call__(context)

    policy = Buggy()
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, policy, concurrency=3)
    assert sorted(policy.played) == [record["index"] for record in lines(tmp_path)]


@pytest.mark.parametrize(
    "tail",
    [b'{"answer": "\xc3', b"\x00\xff", b"12", b"{}", b"null", b'{"index": 9, "error": null}'],
    ids=["half-a-character", "binary", "number", "empty", "null", "incomplete"],
)
def test_damaged_lines_are_played_again(tmp_path: Path, tail: bytes) -> None:
    run(tmp_path, Player())
    path = tmp_path / "results.jsonl"
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:9]) + tail)
    again = Player()
    run(tmp_path, again, resume=True)
    assert again.played == [9]
    assert [record["index"] for record in lines(tmp_path)] == list(range(10))


@pytest.mark.parametrize("written", [None, "{", "[1]", "3"], ids=["gone", "cut", "list", "number"])
def test_results_without_readable_settings_are_not_resumed(
    tmp_path: Path, written: str | None
) -> None:
    run(tmp_path, Player())
    path = tmp_path / "settings.json"
    path.unlink() if written is None else path.write_text(written)
    with pytest.raises(ArgumentError, match="choose another --out"):
        run(tmp_path, Player(), resume=True)


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    def second(record: Any) -> None:
        with pytest.raises(ArgumentError, match="another run is writing"):
            run(tmp_path, Player(), resume=True)

    run(tmp_path, Player(), on_episode=second)


def test_a_full_context_counts_as_a_wrong_answer(tmp_path: Path) -> None:
    class Rambling(Player):
        def __call__(self, context: Context) -> str:
            if context.info["index"] >= 5:
                raise PolicyFailure("full", kind="context_length")
            return f"Final Answer: {context.info['index']}"

    summary = run(tmp_path, Rambling())
    assert (summary["score"], summary["complete"], summary["errors"]) == (0.5, True, 0)
    assert summary["stop_reasons"] == {"answer": 5, "context_length": 5}


def test_a_wrong_concurrency_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="concurrency"):
        run(tmp_path / "run", Player(), concurrency=0)
    assert not (tmp_path / "run").exists()


@settings(max_examples=60, deadline=None)
@given(action=st.text() | st.binary().map(lambda b: b.decode("utf-8", "surrogateescape")))
@example(
    action='<tool_call>{"name":"x","arguments":{"y":' + "[" * 600 + "]" * 600 + "}}</tool_call>"
)
@example(action="Action: echo\nAction Input: " + '{"text": ' + "[" * 600 + "]" * 600 + "}")
@example(action="Final Answer: \ud800\x00")
def test_whatever_an_agent_says_can_be_recorded(
    action: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def echo(text: str) -> str:
        """Echo."""
        return text

    for dialect in ("react", "hermes"):
        out = tmp_path_factory.mktemp("run")

        def make_recorded(dialect: str = dialect, out: Path = out) -> Record:
            env = EpisodeReward(StepLimit(ReactEnv(TASKS, [echo], dialect), 1), grader="numeric")
            return Record(env, out / "traces.jsonl")

        evaluate(make_recorded, lambda context: action, range(1), out, settings=SETTINGS)
        (line,) = lines(out)
        assert line["error"] is None
        (turn,) = line["trace"]
        assert turn["kept"] + turn["dropped"] == action
        assert (out / "traces.jsonl").read_bytes().count(b"\n") == 1
