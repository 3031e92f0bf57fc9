"""What a dialect is: how an agent writes calls and answers, and how results come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from react_envs.tools.tool import Tool
from react_envs.types import Message, ParsedTurn, ToolCall

__all__ = ["Dialect", "describe_tools"]


@runtime_checkable
class Dialect(Protocol):
    """An action syntax. One file each; add it to `DIALECTS` to reach it by name.

    Laws, which tests/dialects/test_every_dialect.py holds for each one:

    - `parse` takes any string, never raises, in time linear in its length;
    - `kept + dropped` is the action; exactly one of call, answer, error is set;
    - parsing `format_call(c)` or `format_answer(a)` gives back `c` or `a`; a text dialect may
      give back one text for one text argument, which binds to the same arguments;
    - an observation marker that the agent wrote itself is in `dropped`, never in `kept`.
    """

    @property
    def name(self) -> str:
        """What `dialect=` calls it."""
        ...

    @property
    def stop(self) -> tuple[str, ...]:
        """Where generation may stop. The text from a stop string on is cut in any case."""
        ...

    def instructions(self, tools: Sequence[Tool]) -> str:
        """How to write calls and answers, and what tools there are."""
        ...

    def prompt(self, instructions: str, question: str) -> str:
        """The whole prompt in completion form."""
        ...

    def parse(self, action: str) -> ParsedTurn:
        """Find the first call or answer of the turn."""
        ...

    def observation(self, text: str, kept: str) -> str:
        """The text that follows `kept` in the context when a tool, or an error, says `text`."""
        ...

    def message(self, text: str) -> Message:
        """The same as a chat message to append."""
        ...

    def format_call(self, call: ToolCall, thought: str = "") -> str:
        """A turn that makes `call`, as a well-trained agent would write it."""
        ...

    def format_answer(self, answer: str, thought: str = "") -> str:
        """A turn that gives `answer`."""
        ...


def describe_tools(tools: Sequence[Tool]) -> str:
    """One line per tool: `python(code: string): Run Python code ...`."""
    lines = []
    for tool in tools:
        arguments = ", ".join(
            f"{name}: {schema.get('type', 'any')}"
            for name, schema in tool.parameters["properties"].items()
        )
        lines.append(f"{tool.name}({arguments}): {tool.description}")
    return "\n".join(lines)
