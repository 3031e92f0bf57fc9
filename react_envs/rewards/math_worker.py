"""The child process that compares LaTeX with math-verify; run by `math_process`, never imported.

It reads one JSON list `[prediction, gold, cpu_seconds]` per line and writes one word per
line: `ready` at the start, then `equal`, `different`, `unreadable` or `memory`. It imports
nothing of react_envs, so that it starts fast. The kernel ends it when a comparison uses up
its CPU time, even inside one long C call, and even if the parent is gone.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
from typing import Any

MEMORY_BYTES = 2 * 1024**3
"""Limit on the address space of the worker (Linux)."""


def read_expressions(latex: str) -> list[Any]:
    """What math-verify makes of `latex`: at most one expression."""
    from math_verify import LatexExtractionConfig, parse
    from math_verify.parser import NormalizationConfig

    # units=True would take the last letters of 3d and 2ab for units and drop them.
    normalization = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True
    )
    found: list[Any] = parse(
        f"${latex}$",
        [LatexExtractionConfig(normalization_config=normalization)],
        fallback_mode="no_fallback",
        parsing_timeout=None,  # its timers are signals; ours are in main()
    )
    return found


def compare(prediction: str, gold: str) -> str:
    """The worker's answer to one request."""
    from math_verify import verify

    try:
        expected, answer = read_expressions(gold), read_expressions(prediction)
        if not expected or not answer:
            return "unreadable"
        return "equal" if verify(expected, answer, timeout_seconds=None) else "different"
    except MemoryError:
        return "memory"
    except Exception:  # whatever a parser of untrusted text may raise
        return "unreadable"


def limit_memory() -> None:
    """Cap the address space where the system can do that."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> None:
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # a library's print must not look like a reply
    logging.disable()
    compare(r"\frac{1}{2}", "0.5")  # loads sympy and the grammar
    limit_memory()
    print("ready", file=replies, flush=True)
    for line in sys.stdin.buffer:
        prediction, gold, cpu_seconds = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # its signal kills by default
        reply = compare(prediction, gold)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(reply, file=replies, flush=True)
        if reply == "memory":
            return


if __name__ == "__main__":
    main()
