"""Runs snippets under the policy alone, each in a forked process with plain rlimits.

A program: a JSON list of {"name", "episodes", "policy"} on stdin, one JSON result per line on
stdout. Without "policy" the snippet runs under plain `exec`, to show that the canaries are armed.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from typing import Any

from react_envs.executor.interpreter import Interpreter, TimeLimitExceeded
from react_envs.executor.modules import preload

CPU_S = 0.4
WALL_S = 6
MEMORY_BYTES = 700 << 20
KEPT_CHARS = 20_000


class Sink:
    """A bounded text writer."""

    def __init__(self) -> None:
        self.text = ""
        self.cut = False

    def write(self, text: str) -> int:
        if len(self.text) < KEPT_CHARS:
            self.text += text[:KEPT_CHARS]
        else:
            self.cut = True
        return len(text)

    def flush(self) -> None:
        pass


def run_guarded(episodes: list[str]) -> dict[str, Any]:
    sink, statuses, errors = Sink(), [], []
    for code in episodes:
        outcome = Interpreter().run(code, sink, sink, CPU_S)
        statuses.append(outcome.status)
        errors.append((outcome.error or "")[:2000])
    return {"statuses": statuses, "errors": errors, "output": sink.text, "truncated": sink.cut}


def run_plain(episodes: list[str]) -> dict[str, Any]:
    sink = Sink()
    sys.stdout = sys.stderr = sink
    statuses = []
    for code in episodes:
        try:
            exec(compile(code, "<snippet>", "exec"), {"__name__": "__main__"})
            statuses.append("ok")
        except BaseException as error:
            statuses.append(type(error).__name__)
    return {"statuses": statuses, "errors": [], "output": sink.text, "truncated": sink.cut}


def child(job: dict[str, Any], out: int) -> None:
    def tick(*_: Any) -> None:
        raise TimeLimitExceeded

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(WALL_S)
    signal.signal(signal.SIGPROF, tick)
    signal.setitimer(signal.ITIMER_PROF, CPU_S, 0.05)
    try:
        result = (run_guarded if job["policy"] else run_plain)(job["episodes"])
    except TimeLimitExceeded:
        result = {"statuses": ["timeout"], "errors": [], "output": "", "truncated": False}
    signal.setitimer(signal.ITIMER_PROF, 0)
    with os.fdopen(out, "wb") as pipe:
        pipe.write(json.dumps(result).encode())


def run(job: dict[str, Any]) -> dict[str, Any]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reader)
            child(job, writer)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reply = pipe.read()
    _, status = os.waitpid(pid, 0)
    try:
        result: dict[str, Any] = json.loads(reply)
    except ValueError:  # killed before it could reply, or something else wrote into the pipe
        result = {"statuses": ["killed"], "errors": [str(status)]}
        result |= {"output": reply.decode("utf-8", "replace"), "truncated": False}
    return {"name": job["name"], **result}


def main() -> None:
    jobs = json.load(sys.stdin)
    preload(optional=any("sympy" in "".join(job["episodes"]) for job in jobs))
    stdout = sys.stdout
    for job in jobs:
        stdout.write(json.dumps(run(job)) + "\n")
        stdout.flush()


if __name__ == "__main__":
    main()
