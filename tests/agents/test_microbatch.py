"""MicroBatcher: who shares a batch, who gets which result, and what happens on errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from react_envs.agents.policies.microbatch import MicroBatcher
from react_envs.errors import PolicyFailure


class SlowSquares:
    """Squares a batch slowly enough for others to queue up, and notes the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.running = 0

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.running += 1
        assert self.running == 1, "two batches at a time"
        time.sleep(0.02)
        self.batches.append(list(items))
        self.running -= 1
        return [item * item for item in items]


def test_every_thread_gets_its_own_result_and_requests_that_wait_are_merged() -> None:
    run = SlowSquares()
    batcher = MicroBatcher(run, max_size=8)
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(batcher, range(96))) == [n * n for n in range(96)]
    assert sorted(n for batch in run.batches for n in batch) == list(range(96))
    assert max(map(len, run.batches)) == 8
    assert len(run.batches) < 24


def test_a_lone_caller_does_not_wait_for_others() -> None:
    batcher: MicroBatcher[int, int] = MicroBatcher(lambda items: items, max_size=8)
    started = time.perf_counter()
    assert [batcher(n) for n in range(5)] == list(range(5))
    assert time.perf_counter() - started < 1.0


def test_a_caller_that_missed_a_batch_joins_the_others_in_the_next() -> None:
    # Without the linger one of them would run alone and the other seven together, for ever.
    run = SlowSquares()
    batcher = MicroBatcher(run, max_size=8, linger_s=0.5)
    gate = threading.Event()

    def episode(number: int) -> None:
        if number:
            gate.wait()
        for turn in range(5):
            batcher(turn)
            gate.set()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(episode, range(8)))
    assert [len(batch) for batch in run.batches].count(8) >= 4


def test_an_error_reaches_every_caller_of_its_batch_and_the_next_batch_runs() -> None:
    def run(items: Sequence[int]) -> Sequence[int]:
        time.sleep(0.02)
        if 13 in items:
            raise PolicyFailure("no memory", kind="out_of_memory")
        return items

    batcher = MicroBatcher(run, max_size=100, linger_s=0.2)
    barrier = threading.Barrier(4)

    def ask(item: int) -> str:
        barrier.wait()
        try:
            return str(batcher(item))
        except PolicyFailure as failure:
            return f"{failure.kind}: {failure}"

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, [11, 12, 13, 14])) == ["out_of_memory: no memory"] * 4
        assert list(pool.map(ask, [1, 2, 3, 4])) == ["1", "2", "3", "4"]


def test_a_bug_reaches_every_caller_of_its_batch_as_what_it_is() -> None:
    bug = TypeError("expected a str, got None")
    sizes: list[int] = []

    def run(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        raise bug

    batcher = MicroBatcher(run, max_size=4, linger_s=5.0)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(batcher, item) for item in range(4)]
        assert [future.exception() for future in futures] == [bug] * 4
    assert sizes == [4]


def test_a_wrong_number_of_results_is_an_error_and_not_a_mix_up() -> None:
    batcher: MicroBatcher[int, int] = MicroBatcher(lambda items: [1, 2, 3], max_size=8)
    with pytest.raises(ValueError, match="zip"):
        batcher(1)


def test_an_interrupt_stops_its_own_caller_only() -> None:
    def run(items: Sequence[int]) -> Sequence[int]:
        if 0 in items:
            raise KeyboardInterrupt
        return items

    batcher = MicroBatcher(run, max_size=1)
    with pytest.raises(KeyboardInterrupt):
        batcher(0)
    assert batcher(1) == 1


def test_who_shares_a_batch_with_an_interrupted_caller_gets_a_failure() -> None:
    def run(items: Sequence[int]) -> Sequence[int]:
        raise KeyboardInterrupt

    batcher = MicroBatcher(run, max_size=3, linger_s=5.0)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(batcher, item) for item in range(3)]
        errors = [future.exception() for future in futures]
    failures = [error for error in errors if isinstance(error, PolicyFailure)]
    assert [failure.kind for failure in failures] == ["interrupted"] * 2
    assert [type(error) for error in errors].count(KeyboardInterrupt) == 1
