"""One episode's process: lock down, then run snippets until the session hangs up.

The first frame that it sends is empty once it is locked down, or says what went wrong; since
none of the model's code has run by then, the trainer may believe it.

The first frame that it gets holds the episode's `Limits`, each later one a snippet, now and then
with a replay, which brings the state of an earlier child to this one: those snippets run again,
their output is discarded, and if one ends otherwise than it did at first, the new snippet runs in
a fresh interpreter and the reply says `fresh`.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from react_envs.executor import lockdown
from react_envs.executor.frames import (
    ERROR_CHARS,
    HEADER_BYTES,
    VALUE_CHARS,
    Reply,
    decode_request,
    encode_reply,
    encode_request,
    frame,
    payload_bytes,
)
from react_envs.executor.interpreter import Outcome, TimeLimitExceeded
from react_envs.executor.limits import Limits, exceeded
from react_envs.executor.output import HeadTail

__all__ = ["live", "raise_when_time_is_up", "warm_up"]

CHANNEL = 3
"""The one descriptor of a child besides /dev/null as its three standard streams."""

TICK_S = 0.05
"""CPU seconds between two attempts to stop a snippet that swallows the first."""

WARM_UP_RUNS = 30
WARM_UP = """
import math
numbers = [n * n for n in range(3)]
total = 0
for i, n in enumerate(numbers):
    if n % 2 == 0:
        total += n / (i + 1)

def area(radius: float) -> float:
    return math.pi * radius ** 2

prices = {"a": 1.5, "b": 2}
prices["a"] += area(1.0)
print(f"total {total:.2f}", round(prices["a"], 2), len(numbers), sorted(prices))
"""


class _Clock:
    running = False


def raise_when_time_is_up(signum: int, frame: object) -> None:
    """Handler of the CPU timer; set once in the zygote, since forks inherit it."""
    if _Clock.running:
        raise TimeLimitExceeded


def live(
    make_interpreter: Callable[..., Any], address_space: int | None, rungs: dict[str, bool]
) -> NoReturn:
    """Serve the session at the other end of `CHANNEL`; never returns.

    Args:
        make_interpreter: called with `seed` and `show_last_value`; see `interpreter.Interpreter`.
        address_space: bytes of virtual memory that this process takes before it runs anything.
        rungs: what the zygote found to hold, see `lockdown.confine_child`.
    """
    requests = _requests()
    limits = Limits(**json.loads(next(requests)[HEADER_BYTES:]))
    memory = None if address_space is None else address_space + (limits.memory_mb << 20)
    lockdown.confine_child(rungs, memory)
    os.write(CHANNEL, frame(b""))
    # Made while memory is still there to be had.
    farewell = encode_reply(
        Reply("memory", "", "", "MemoryError", None, False, 0.0, fresh=False, last=True)
    )
    try:
        interpreter = make_interpreter(seed=limits.seed, show_last_value=limits.show_last_value)
        for request in requests:
            code, replay = decode_request(request)
            fresh = bool(replay) and not _replay(interpreter, replay, limits)
            if fresh:
                interpreter = make_interpreter(
                    seed=limits.seed, show_last_value=limits.show_last_value
                )
            _send(encode_reply(_answer(interpreter, code, limits, fresh)))
            signal.setitimer(signal.ITIMER_REAL, 0)
    except MemoryError:
        # The snippet's variables left no room even for this loop.
        os.write(CHANNEL, farewell)
    os._exit(0)


def warm_up(make_interpreter: Callable[..., Any]) -> None:
    """Answer a few requests of our own, so that every child finds its code paths warm.

    Python specializes bytecode while it runs; done before the fork, the children share the
    result instead of each making, and paying for, a copy of it.
    """
    limits = Limits(0, 1.0, 1.0, 1, 1000, show_last_value=False)
    interpreter = make_interpreter(seed=0, show_last_value=False)
    for _ in range(WARM_UP_RUNS):
        code, _ = decode_request(encode_request(WARM_UP, []))
        encode_reply(_answer(interpreter, code, limits, fresh=False))
    for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)


def _requests() -> Iterator[bytes]:
    """The frames of the requests as they come, until the session hangs up."""
    buffer = b""
    while True:
        while len(buffer) < HEADER_BYTES or len(buffer) < HEADER_BYTES + payload_bytes(buffer):
            chunk = os.read(CHANNEL, 16384)
            if not chunk:
                return
            buffer += chunk
        end = HEADER_BYTES + payload_bytes(buffer)
        yield buffer[:end]
        buffer = buffer[end:]


def _replay(interpreter: Any, snippets: Sequence[tuple[str, str]], limits: Limits) -> bool:
    """Run earlier snippets again; False if one of them ends otherwise than it did."""
    for code, status in snippets:
        outcome = _run_timed(interpreter, code, HeadTail(0), HeadTail(0), limits)
        if outcome.status != status:
            return False
    return True


def _answer(interpreter: Any, code: str, limits: Limits, fresh: bool) -> Reply:
    """Run `code`."""
    stdout, stderr = HeadTail(limits.output_chars), HeadTail(limits.output_chars)
    started = time.thread_time()
    outcome = _run_timed(interpreter, code, stdout, stderr, limits)
    return Reply(
        outcome.status,
        stdout.text(),
        stderr.text(),
        outcome.error and _cut(outcome.error, ERROR_CHARS),
        outcome.value and _cut(outcome.value, VALUE_CHARS),
        stdout.truncated or stderr.truncated,
        time.thread_time() - started,
        fresh,
        last=False,
    )


def _run_timed(
    interpreter: Any, code: str, stdout: HeadTail, stderr: HeadTail, limits: Limits
) -> Outcome:
    """Run `code` under the soft CPU limit, which keeps the variables."""
    # If trainer and zygote both fail to stop a snippet, the kernel does: SIGALRM kills. `live`
    # disarms it when the reply is out.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_limit_s + 1.0)
    # Nobody disarms this one: it stands still while the child waits, and each run sets it anew.
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_limit_s, TICK_S)
    try:
        _Clock.running = True
        outcome: Outcome = interpreter.run(code, stdout, stderr, limits.cpu_limit_s)
        _Clock.running = False
    except TimeLimitExceeded:
        # The tick came after the interpreter's own handler; the next is 50 ms of CPU away.
        _Clock.running = False
        outcome = Outcome("timeout", exceeded(limits.cpu_limit_s), None)
    return outcome


def _cut(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    sink = HeadTail(max_chars)
    sink.write(text)
    return sink.text()


def _send(reply: bytes) -> None:
    while reply:
        reply = reply[os.write(CHANNEL, reply) :]
