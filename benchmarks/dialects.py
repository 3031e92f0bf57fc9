"""Parsing time of every dialect: on a usual turn, and on a megabyte of the worst.

    python benchmarks/dialects.py

For each dialect: microseconds for a formatted call and answer; then, over all adversarial units (a
marker of some dialect, repeated, in something that opens and closes), the slowest parse and the
slowest observation of 1 MB, and how much longer the slowest parse takes than the same of 250 kB.
Linear work gives a ratio of about 4, quadratic work 16. CPU seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from react_envs.dialects import DIALECTS, Dialect, make_dialect
from react_envs.tools import as_tool
from react_envs.types import ToolCall

UNITS = [
    "Thought:", "Action:", "Action Input:", "Observation:", "Final Answer:", "\n", " ", "a", "```",
    "`", "````python\n", "<tool_call>", "</tool_call>", "<tool_response>", "<think>", "</think>",
    "{", "}", '{"name": "python", "arguments": {"code": "1"}}', "\\boxed{", "\\boxed{1}", "**",
    "<search>", "</search>", "<answer>", "</answer>", "<information>", "<result>", "<code>",
    "</code>", "<", "</", "<interpreter>", "<begin_search>", "</end_search>", "<search_result>",
    "<|im_end|>", "<|im_start|>", "Thought 2:", "Action 1: ", "Search[", "]", "finish[",
    "<search><answer>", "* ", "\n```", "\t:",
]  # fmt: skip
AROUND = [
    ("", ""),
    ("Action: a\nAction Input:", ""),
    ("<tool_call>", "x</tool_call>"),
    ("<search>", "x</search>"),
    ("<think>", "</think>x"),
    ("Action 1: Search[", "x]"),
    ("<code>", "x</code>"),
    ("<answer>", "x</answer>"),
]
MEGABYTE = 1_000_000


def search(query: str) -> str:
    """Find pages."""
    return query


def python(code: str) -> str:
    """Run code."""
    return code


def seconds(function: Callable[[], object], repeats: int = 3) -> float:
    """CPU seconds of the fastest of `repeats` calls."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)


def usual(dialect: Dialect) -> tuple[float, float]:
    """Microseconds to parse a formatted call and a formatted answer."""
    code = "total = 0\nfor i in range(10):\n    total += i\nprint(total)"
    call = dialect.format_call(
        ToolCall("python", {"code": code}), "I compute the sum of ten numbers."
    )
    answer = dialect.format_answer("45", "The sum of the ten numbers is known now.")
    loops = 1_000
    return (
        seconds(lambda: [dialect.parse(call) for _ in range(loops)]) / loops * 1e6,
        seconds(lambda: [dialect.parse(answer) for _ in range(loops)]) / loops * 1e6,
    )


def slowest(work: Callable[[str], object]) -> tuple[float, tuple[str, str], str]:
    """Seconds of the slowest megabyte, what stands around its units, and the unit."""
    found = []
    for unit in UNITS:
        for around in AROUND:
            text = (unit * (MEGABYTE // len(unit))).join(around)
            found.append((seconds(lambda text=text: work(text), 1), around, unit))  # type: ignore[misc]
    return max(found)


def growth(work: Callable[[str], object], around: tuple[str, str], unit: str) -> float:
    """How much longer a megabyte takes than a quarter of one."""
    whole, quarter = ((unit * (n // len(unit))).join(around) for n in (MEGABYTE, MEGABYTE // 4))
    return seconds(lambda: work(whole)) / seconds(lambda: work(quarter))


def row(name: str) -> str:
    dialect = make_dialect(name).for_tools([as_tool(search), as_tool(python)])
    call, answer = usual(dialect)
    parse, around, unit = slowest(dialect.parse)
    ratio = growth(dialect.parse, around, unit)
    observe, _, _ = slowest(lambda text: dialect.observation(text, "x"))
    shown = repr(f"{around[0]}{unit}...{around[1]}").replace("|", "\\|").replace("`", "'")
    return (
        f"| `{name}` | {call:.1f} | {answer:.1f} | {parse * 1e3:.0f} | {shown} | {ratio:.1f} "
        f"| {observe * 1e3:.0f} |"
    )


if __name__ == "__main__":
    head = ["call µs", "answer µs", "1 MB ms", "slowest unit", "1 MB / 250 kB", "observation ms"]
    print(f"| dialect | {' | '.join(head)} |")
    print("|---|---:|---:|---:|---|---:|---:|")
    for name in DIALECTS:
        print(row(name), flush=True)
