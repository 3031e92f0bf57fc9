"""`CircuitBreaker`: leave a server alone that does not answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from react_envs.errors import ToolFailure

__all__ = ["CircuitBreaker"]


class CircuitBreaker:
    """Counts failed attempts in a row, of all threads together.

    After `failures` of them it is open: for `pause_s` seconds every attempt fails at once, so that
    many episodes that meet a dead server neither wait for it nor storm it. Then a single attempt is
    let through: its success closes the circuit, its failure opens it again.

    Args:
        failures: failed attempts in a row until it opens.
        pause_s: seconds that it stays open.
        clock: seconds that only grow.

    >>> now = 0.0
    >>> breaker = CircuitBreaker(failures=2, pause_s=10, clock=lambda: now)
    >>> for _ in range(2):
    ...     breaker.enter()
    ...     breaker.failed()
    >>> breaker.is_open
    True
    >>> now = 11.0
    >>> breaker.enter()
    >>> breaker.succeeded()
    >>> breaker.is_open
    False
    """

    def __init__(
        self, failures: int, pause_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._pause_s = pause_s
        self._clock = clock
        self._locks: dict[int, threading.Lock] = {}
        self._in_a_row = 0
        self._closed_at = 0.0
        self._probe_until = 0.0

    @property
    def is_open(self) -> bool:
        """True while attempts fail at once, or a single one may be tried."""
        return self._in_a_row >= self._failures

    def enter(self) -> None:
        """Ask for leave to try.

        Raises:
            ToolFailure: of kind `circuit_open` if there is none.
        """
        with self._lock():
            if not self.is_open:
                return
            now = self._clock()
            if now < self._closed_at or now < self._probe_until:
                raise ToolFailure(
                    f"{self._in_a_row} attempts in a row failed; the server is left alone for "
                    f"{max(self._closed_at, self._probe_until) - now:.1f} s more",
                    kind="circuit_open",
                )
            # a probe that never reports back must not keep the circuit open for good
            self._probe_until = now + self._pause_s

    def failed(self) -> None:
        """An attempt failed by the server's or the network's fault."""
        with self._lock():
            self._in_a_row += 1
            self._closed_at = self._clock() + self._pause_s
            self._probe_until = 0.0

    def succeeded(self) -> None:
        """The server answered, be it with a refusal."""
        with self._lock():
            self._in_a_row = 0
            self._probe_until = 0.0

    def _lock(self) -> threading.Lock:
        """The lock of this process: a forked child would wait for good for one that was held."""
        return self._locks.setdefault(os.getpid(), threading.Lock())
