"""The circuit breaker: when it opens, whom it lets through, when it closes."""

from __future__ import annotations

import os
import signal

import pytest

from react_envs.errors import ToolFailure
from react_envs.retrieval.breaker import CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, pause_s=10, clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.enter()
        breaker.failed()


def assert_refused(breaker: CircuitBreaker) -> None:
    with pytest.raises(ToolFailure) as caught:
        breaker.enter()
    assert caught.value.kind == "circuit_open"


def test_it_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.enter()
    breaker.succeeded()
    fail(breaker, 2)
    assert not breaker.is_open
    fail(breaker, 1)
    assert breaker.is_open
    assert_refused(breaker)


def test_one_attempt_is_let_through_after_the_pause(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 9.9
    assert_refused(breaker)
    clock.now += 0.2
    breaker.enter()
    assert_refused(breaker)
    breaker.failed()
    assert_refused(breaker)
    clock.now += 10.1
    breaker.enter()
    breaker.succeeded()
    for _ in range(5):
        breaker.enter()


def test_a_probe_that_never_reports_back_does_not_block_for_good(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 10.1
    breaker.enter()
    clock.now += 10.1
    breaker.enter()


def test_a_forked_child_waits_for_no_thread_of_its_parent(breaker: CircuitBreaker) -> None:
    with breaker._lock():
        pid = os.fork()
        if pid == 0:
            signal.alarm(5)  # ends a child that waits
            breaker.enter()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0


def test_late_failures_of_attempts_in_flight_keep_it_open(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    for _ in range(8):
        breaker.enter()
    for _ in range(8):
        breaker.failed()
        clock.now += 5
    assert_refused(breaker)
