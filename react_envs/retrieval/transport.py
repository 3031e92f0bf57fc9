"""`Transport`: JSON over HTTP that gives up in time, tries again politely and never storms."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval.breaker import CircuitBreaker

__all__ = ["Transport", "TryAgain", "shown"]

Answer = TypeVar("Answer")

CONNECT_TIMEOUT_S = 5.0
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0
MAX_BYTES = 64 * 2**20
"""Size of the largest answer that is read."""


class TryAgain(Exception):
    """An attempt failed in a way that a later one may not; never leaves this package."""

    def __init__(self, message: str, kind: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.after_s = after_s


def shown(payload: Any) -> str:
    """The beginning of an answer, for a message; nested too deep to be printed, only its type.

    >>> shown({"status": "error"})
    "{'status': 'error'}"
    """
    try:
        return str(payload)[:200]
    except RecursionError:
        return f"a deep {type(payload).__name__}"


class Transport:
    """One server over pooled connections. Threads may share it; a forked child connects anew.

    An attempt that fails by time-out, connection, 429, 5xx or an answer that is no JSON is made
    again after a pause of random length, twice as long on average each time, or as long as the
    server says in Retry-After. All attempts and pauses together end by the deadline. A server that
    keeps failing is left alone (see `CircuitBreaker`), by attempts that are made again, too.

    Not covered: a server that sends the headers of its answer byte by byte outlasts the deadline,
    as `timeout_s` starts anew with every byte; a body sent so cannot.

    Args:
        headers: sent with every request.
        timeout_s: seconds that the server may be silent.
        deadline_s: seconds that one call may take, attempts, pauses and waiting included.
        retries: attempts after the first one.
        concurrency: requests in flight at once, of all threads of this process.
        breaker: when to leave the server alone.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        deadline_s: float,
        retries: int,
        concurrency: int,
        breaker: CircuitBreaker,
    ) -> None:
        if timeout_s <= 0 or deadline_s <= 0 or retries < 0 or concurrency < 1:
            raise ArgumentError(
                "expected timeout_s > 0, deadline_s > 0, retries >= 0 and concurrency >= 1, got "
                f"{timeout_s}, {deadline_s}, {retries} and {concurrency}"
            )
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._retries = retries
        self._concurrency = concurrency
        self._breaker = breaker
        self._connect()

    def _connect(self) -> None:
        self._random = random.Random()
        self._slots = threading.BoundedSemaphore(self._concurrency)
        self._session = requests.Session()
        self._session.headers.update(self._headers)
        self._session.max_redirects = 3
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=self._concurrency))
        # last: another thread that finds its process here uses what was made above
        self._pid = os.getpid()

    def call(
        self, understand: Callable[[Any], Answer], method: str, url: str, **request: Any
    ) -> Answer:
        """What `understand` makes of the JSON that the server answers.

        Args:
            understand: raises `TryAgain` for an answer that a later attempt may better.
            method: HTTP method; the request has to be one that may be repeated.
            url: address.
            request: `params` or `json` of `requests`.

        Raises:
            ToolFailure: of kind `timeout`, `connection`, `rate_limited`, `server_error`,
                `refused` (4xx), `bad_response` or `circuit_open`.
        """
        if os.getpid() != self._pid:
            self._connect()
        deadline = time.monotonic() + self._deadline_s
        for attempt in count():
            self._breaker.enter()
            try:
                with self._slot(deadline):
                    answer = understand(self._once(deadline, method, url, request))
            except TryAgain as error:
                self._breaker.failed()
                pause_s = error.after_s
                if pause_s is None:
                    ceiling_s = min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
                    pause_s = self._random.uniform(ceiling_s / 2, ceiling_s)
                if attempt == self._retries or time.monotonic() + pause_s > deadline:
                    raise ToolFailure(
                        f"{url}: {error} (attempt {attempt + 1})", error.kind
                    ) from error
                time.sleep(pause_s)
            except ToolFailure as error:
                if error.kind != "timeout":  # one of our own slots may have been what was missing
                    self._breaker.succeeded()
                raise
            else:
                self._breaker.succeeded()
                return answer
        raise AssertionError("count() ends")  # pragma: no cover

    def close(self) -> None:
        """Close the pooled connections; later calls open new ones."""
        self._session.close()

    @contextmanager
    def _slot(self, deadline: float) -> Iterator[None]:
        slots = self._slots
        if not slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise ToolFailure(
                f"waited {self._deadline_s} s for one of {self._concurrency} connections", "timeout"
            )
        try:
            yield
        finally:
            slots.release()

    def _once(self, deadline: float, method: str, url: str, request: dict[str, Any]) -> Any:
        left_s = max(0.01, deadline - time.monotonic())
        timeouts = (min(CONNECT_TIMEOUT_S, left_s), min(self._timeout_s, left_s))
        try:
            with self._session.request(
                method, url, timeout=timeouts, stream=True, **request
            ) as response:
                _raise_for_status(response)
                body = self._body(response, deadline)
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError) as error:
            raise TryAgain(str(error), "timeout") from error
        except urllib3.exceptions.DecodeError as error:
            raise TryAgain(str(error), "bad_response") from error
        except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
            raise TryAgain(str(error), "connection") from error
        except requests.RequestException as error:
            raise ToolFailure(f"{url}: {error}", "refused") from error
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            message = f"expected JSON, got {body[:80]!r}"
            raise TryAgain(message, "bad_response") from error

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        """The body, unless it drips in until after the deadline or never ends."""
        body = bytearray()
        # read1 gives what has arrived, where iter_content would wait for a whole chunk
        while chunk := response.raw.read1(65536, decode_content=True):
            body += chunk
            if len(body) > MAX_BYTES:
                raise ToolFailure(f"expected at most {MAX_BYTES} bytes", "bad_response")
            if time.monotonic() > deadline:
                raise TryAgain(f"{len(body)} bytes by the deadline", "timeout")
        return bytes(body)


def _raise_for_status(response: requests.Response) -> None:
    if response.status_code == 200:
        return
    message = f"status {response.status_code} {response.reason}"
    if response.status_code == 429:
        raise TryAgain(message, "rate_limited", _retry_after_s(response))
    if response.status_code >= 500 or response.status_code == 408:
        raise TryAgain(message, "server_error", _retry_after_s(response))
    raise ToolFailure(f"{response.url}: {message}", "refused")


def _retry_after_s(response: requests.Response) -> float | None:
    """Seconds of the header Retry-After, which has them or a date; None without it."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
