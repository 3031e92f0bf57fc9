"""What a dialect is: how an agent writes calls and answers, and how results come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self, runtime_checkable

from react_envs.errors import ArgumentError
from react_envs.tools.tool import Tool
from react_envs.types import Message, ParsedTurn, ToolCall

__all__ = ["Dialect", "Limits", "check_answer", "describe_tools"]

LAST_TURN = "This is your last turn: no more tools, give your final answer now."


@dataclass(frozen=True, slots=True)
class Limits:
    """What the published system allows an episode; `make_env` takes them unless told otherwise."""

    max_turns: int | None = None
    """Turns of an episode, the forced last one included; None: the paper's loop has no limit."""
    on_limit: Literal["truncate", "answer", "refuse", "finish"] = "truncate"
    """What happens at the last turn (see `react_envs.wrappers.StepLimit`)."""
    note: str = LAST_TURN
    """What the agent is told before a last turn that must answer; "" for nothing."""
    observation: str = "-"
    """Length of an observation that the system allows, in words for the table of dialects."""
    documents: int | None = None
    """Documents that a search of the system gives; None: it says nothing of them."""


@runtime_checkable
class Dialect(Protocol):
    """An action syntax. One file each; add it to `DIALECTS` to reach it by name.

    Laws, which tests/dialects/test_every_dialect.py holds for each one:

    - `parse` takes any string, never raises, in time linear in its length;
    - `kept + dropped` is the action; exactly one of call, answer, error is set;
    - parsing `format_call(c)` or `format_answer(a)` gives back `c` or `a`; a text dialect may
      give back one text for one text argument, which binds to the same arguments;
    - an observation marker that the agent wrote itself is in `dropped`, never in `kept`;
    - no text can close the tag of the observation that it stands in, or look like a turn of
      the agent's (`react_envs.dialects.untrusted`), except with an option that says so.

    `before` is always the text that stands right before the agent's turn: the prompt or the
    last observation. Its end is the environment's own (a scaffold such as `\nThought 2:`);
    nothing but that end may be read, for a tool wrote the rest.
    """

    @property
    def name(self) -> str:
        """What `dialect=` calls it."""
        ...

    @property
    def stop(self) -> tuple[str, ...]:
        """Where generation may stop: at the end of a call, or where an observation would begin.

        An engine may leave the stop string out of its text or in it. What follows is cut in
        any case.
        """
        ...

    @property
    def documents(self) -> str:
        """How a search tool writes its documents: a key of the document formats."""
        ...

    @property
    def limits(self) -> Limits:
        """The published limits."""
        ...

    def for_tools(self, tools: Sequence[Tool]) -> Self:
        """This dialect for these tools. Only dialects with a tag for each tool differ."""
        ...

    def instructions(self, tools: Sequence[Tool]) -> str:
        """How to write calls and answers, and what tools there are."""
        ...

    def prompt(self, instructions: str, question: str) -> str:
        """The whole prompt in completion form."""
        ...

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        """Find the first call or answer of the turn."""
        ...

    def observation(
        self, text: str, kept: str, before: str = "", error: bool = False, note: str = ""
    ) -> str:
        """The text that follows `kept` in the context when a tool says `text`.

        With `error` it is the environment that says what was wrong with the turn. `note` is
        the environment's own word after it, such as that the last turn comes: it is neither
        cut with the text nor changed.
        """
        ...

    def message(self, text: str, error: bool = False, note: str = "") -> Message:
        """The same as a chat message to append."""
        ...

    def format_call(self, call: ToolCall, thought: str = "", before: str = "") -> str:
        """A turn that makes `call`, as a well-trained agent would write it."""
        ...

    def format_answer(self, answer: str, thought: str = "", before: str = "") -> str:
        """A turn that gives `answer`.

        Raises:
            ArgumentError: if the dialect cannot write it, so that it would be read as another.
        """
        ...


def check_answer(name: str, answer: str, turn: ParsedTurn) -> str:
    """The action that was parsed as `turn`, if its answer is `answer`, blanks at the ends aside.

    Raises:
        ArgumentError: if it is not; `name` is the dialect's.
    """
    if turn.answer is None or turn.answer.strip() != answer.strip():
        raise ArgumentError(
            f"{name} cannot write this answer, it would be read as {turn.answer!r:.200}: "
            f"{answer!r:.200}"
        )
    return turn.kept + turn.dropped


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
