"""Writes the tables of docs/dialects.md and docs/rewards.md from the code.

    python docs/tables.py            # rewrites what stands between the marks <!-- name -->
    python docs/tables.py --check    # says which page is out of date, exit status 1

A test runs the check.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from react_envs.dialects import DIALECTS, Dialect, make_dialect
from react_envs.rewards.terms import PRESETS
from react_envs.rewards.turn_credit import PAID_PER_TURN
from react_envs.tools import as_tool
from react_envs.types import ToolCall

DOCS = Path(__file__).parent


def search(query: str) -> str:
    """Find pages."""
    return query


def python(code: str) -> str:
    """Run Python code."""
    return code


SEARCH, PYTHON = as_tool(search), as_tool(python)


def code(text: str) -> str:
    """`text` as inline code of a Markdown table, line breaks written out."""
    shown = text.replace("\\", "\\\\").replace("\n", "\\n").replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    pad = " " if fence == "``" or shown[:1] == " " or shown[-1:] == " " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def call(dialect: Dialect, tool: str) -> str:
    arguments = {"query": "Paris"} if tool == "search" else {"code": "print(1)"}
    return _without_thought(dialect.format_call(ToolCall(tool, arguments), "t", _before(dialect)))


def _before(dialect: Dialect) -> str:
    return dialect.prompt("", "q") if dialect.name != "recall" else "\n<think>"


def _without_thought(text: str) -> str:
    """A formatted turn without its reasoning."""
    for thought in ("<think> t </think>\n", "Thought: t\n", "t</think>\n", " t\n", "t\n", "t "):
        text = text.removeprefix(thought)
    return text.strip("\n")


def dialects() -> str:
    rows = []
    for name in DIALECTS:
        tool = PYTHON if name == "retool" else SEARCH
        dialect = make_dialect(name).for_tools([tool])
        limits = dialect.limits
        kept = dialect.format_call(
            ToolCall(tool.name, {"query": "q"} if tool is SEARCH else {"code": "1"}), "t"
        )
        before = _before(dialect)
        answer = dialect.format_answer("x", "t", before)
        rows.append(
            [
                f"`{name}`",
                code(call(dialect, tool.name)),
                code(dialect.observation("...", kept, before)),
                code(_without_thought(answer)),
                " ".join(code(text) for text in dialect.stop),
                f"{limits.documents or ''} `{dialect.documents}`".strip(),
                str(limits.max_turns or "none"),
                f"`{limits.on_limit}`",
                limits.observation,
            ]
        )
    head = ["dialect", "call", "observation", "answer", "stop", "documents", "turns"]
    return table([*head, "at the limit", "longest observation"], rows)


def second_tools() -> str:
    rows = []
    for name in DIALECTS:
        dialect = make_dialect(name).for_tools([SEARCH, PYTHON])
        rows.append([f"`{name}`", code(call(dialect, "search")), code(call(dialect, "python"))])
    return table(["dialect", "`search`", "`python`"], rows)


def invalid_messages() -> str:
    rows = []
    for name in DIALECTS:
        dialect = make_dialect(name).for_tools([PYTHON] if name == "retool" else [SEARCH])
        before = _before(dialect)
        turn = dialect.parse("hm", "" if name == "recall" else before)
        told = dialect.observation(turn.error or "", turn.kept, before, error=True)
        rows.append([f"`{name}`", code(told)])
    return table(["dialect", 'what the agent reads after "hm"'], rows)


def presets() -> str:
    rows = []
    for name, weights in PRESETS.items():
        terms = ", ".join(
            f"{weight:g} `{term}`" + (" (per turn)" if term in PAID_PER_TURN else "")
            for term, weight in weights.items()
        )
        rows.append([f"`{name}`", terms])
    return table(["preset", "weights of its terms"], rows)


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "dialects.md": {
        "dialects": dialects,
        "second tools": second_tools,
        "invalid messages": invalid_messages,
    },
    "rewards.md": {"presets": presets},
}


def rendered(page: str) -> str:
    """The page with its tables made anew."""
    text = (DOCS / page).read_text("utf-8")
    for name, make in TABLES[page].items():
        mark = f"<!-- {name} -->"
        pattern = re.compile(rf"({mark}\n).*?(\n{mark})", re.DOTALL)
        assert pattern.search(text), f"{page} has no pair of marks {mark}"
        made = make()
        text = pattern.sub(lambda match, made=made: match[1] + made + match[2], text)
    return text


if __name__ == "__main__":
    stale = [page for page in TABLES if rendered(page) != (DOCS / page).read_text("utf-8")]
    if "--check" in sys.argv:
        print("\n".join(f"{page} is out of date: python docs/tables.py" for page in stale))
        sys.exit(bool(stale))
    for page in stale:
        (DOCS / page).write_text(rendered(page), "utf-8")
