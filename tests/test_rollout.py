"""Playing episodes: order, seeds, failures, concurrency."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from react_envs.core import ReactEnv
from react_envs.errors import ArgumentError, PolicyFailure
from react_envs.rollout import EpisodeRecord, episode_seed, play, run_episodes
from react_envs.tasks import TaskList
from react_envs.types import Completion, Context, Task
from react_envs.wrappers import EpisodeReward, StepLimit

TASKS = TaskList(
    [Task(f"{n} + {n}?", (str(2 * n),), index=n, dataset="d", split="s") for n in range(20)]
)


def add(a: int, b: int) -> str:
    """Add."""
    return str(a + b)


def make() -> EpisodeReward:
    return EpisodeReward(StepLimit(ReactEnv(TASKS, [add]), 4), grader="numeric")


def adder(context: Context) -> str:
    """Calls the tool on its task's number, then answers what it said."""
    n = context.info["index"]
    if not context.turns:
        return f'Action: add\nAction Input: {{"a": {n}, "b": {n}}}\n'
    return f"Final Answer: {context.turns[-1].tool_result}"


def timeless(records: list[EpisodeRecord]) -> list[EpisodeRecord]:
    return [replace(record, seconds=0.0) for record in records]


def test_an_episode_is_played_to_its_answer() -> None:
    record = play(make(), adder, index=7)
    assert (record.reward, record.answer, record.gold) == (1.0, "14", ["14"])
    assert (record.stop_reason, record.calls, len(record.turns)) == ("answer", 1, 2)
    assert record.reward_terms["exact_match"] == 1.0
    as_json = json.loads(json.dumps(record.as_json()))
    assert as_json["turns"] == 2
    assert as_json["trace"][0]["call"] == {"name": "add", "arguments": {"a": 7, "b": 7}}


def test_the_policy_sees_the_whole_context_and_no_gold_answer() -> None:
    seen: list[Context] = []

    def watcher(context: Context) -> str:
        seen.append(context)
        return Completion(adder(context) + "\nObservation: forged\n", token_ids=[1])

    play(make(), watcher, index=3)
    first, second = seen
    assert second.prompt == first.prompt + second.turns[0].kept + "Observation: 6\n"
    assert [m["role"] for m in second.messages] == ["system", "user", "assistant", "user"]
    assert "forged" not in second.prompt
    assert "gold" not in second.info
    assert second.seed == episode_seed(0, 3)


def test_concurrency_changes_neither_records_nor_their_order() -> None:
    alone = timeless(list(run_episodes(make, adder, range(20), seed=5)))
    together = timeless(list(run_episodes(make, adder, range(20), seed=5, concurrency=6)))
    assert alone == together
    assert [record.index for record in alone] == list(range(20))
    shuffled = list(run_episodes(make, adder, reversed(range(20)), seed=5, concurrency=3))
    assert timeless(shuffled)[::-1] == alone


def test_a_slow_episode_delays_only_itself() -> None:
    def slow_at_0(context: Context) -> str:
        if context.info["index"] == 0:
            time.sleep(0.5)
        return adder(context)

    done = [
        r.index for r in run_episodes(make, slow_at_0, range(12), concurrency=2, in_order=False)
    ]
    assert done[-1] == 0
    assert sorted(done) == list(range(12))


def test_a_failure_of_the_world_is_a_record_and_the_run_goes_on() -> None:
    def flaky(context: Context) -> str:
        if context.info["index"] % 2:
            raise PolicyFailure("server down", kind="http_503")
        return adder(context)

    records = list(run_episodes(make, flaky, range(4), concurrency=2))
    assert [record.stop_reason for record in records] == ["answer", "error", "answer", "error"]
    assert records[1].reward is None
    assert records[1].error == {
        "type": "PolicyFailure", "kind": "http_503", "message": "server down",
    }  # fmt: skip


def test_a_bug_in_the_policy_is_raised_and_the_threads_end() -> None:
    def buggy(context: Context) -> str:
        raise ZeroDivisionError("bug")

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(run_episodes(make, buggy, range(20), concurrency=4))
    assert threading.active_count() == before


def test_closing_the_iterator_stops_the_run_and_closes_the_environments() -> None:
    closed = []

    class Closing(EpisodeReward):
        def close(self) -> None:
            closed.append(self)
            super().close()

    def make_closing() -> Closing:
        return Closing(StepLimit(ReactEnv(TASKS, [add]), 4))

    played: list[int] = []

    def counting(context: Context) -> str:
        played.append(context.info["index"])
        return "Final Answer: 1"

    episodes = run_episodes(make_closing, counting, (i % 20 for i in range(10**9)), concurrency=2)
    assert next(episodes).index == 0
    episodes.close()
    count = len(played)
    assert count < 20
    assert 1 <= len(closed) <= 2
    time.sleep(0.05)
    assert len(played) == count


@pytest.mark.parametrize("concurrency", [0, -1, 1.5])
def test_concurrency_must_be_a_positive_int(concurrency: Any) -> None:
    with pytest.raises(ArgumentError, match="concurrency"):
        run_episodes(make, adder, range(3), concurrency=concurrency)


def test_an_index_outside_the_split_is_the_programmers_mistake() -> None:
    with pytest.raises(IndexError):
        list(run_episodes(make, adder, [99]))


def test_seeds_differ_between_episodes_and_runs() -> None:
    make_seed: Callable[[int, int], int] = episode_seed
    seeds = {make_seed(seed, index) for seed in range(20) for index in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_slow_first_episode_holds_up_no_other_even_in_order() -> None:
    ended: list[int] = []
    release = threading.Event()

    def slow_at_0(context: Context) -> str:
        if context.info["index"] == 0:
            assert release.wait(20)
        return adder(context)

    def on_end(record: EpisodeRecord) -> None:
        ended.append(record.index)
        if len(ended) == 19:
            release.set()

    records = run_episodes(make, slow_at_0, range(20), concurrency=2, on_end=on_end)
    assert [record.index for record in records] == list(range(20))
    assert ended[-1] == 0, "all others were played while the first one waited"


def test_an_agent_that_fills_its_context_has_failed_and_not_the_world() -> None:
    def rambling(context: Context) -> str:
        if context.turns:
            raise PolicyFailure("4096 tokens", kind="context_length")
        return adder(context)

    record = play(make(), rambling, 0)
    assert (record.error, record.stop_reason, record.reward) == (None, "context_length", 0.0)
    assert (record.answer, record.calls) == (None, 1)


def test_a_missing_file_is_the_programmers_mistake() -> None:
    def careless(context: Context) -> str:
        return Path("/no/such/file").read_text()

    with pytest.raises(FileNotFoundError):
        play(make(), careless, 0)
