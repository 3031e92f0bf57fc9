"""The `react` dialect: Thought / Action / Action Input / Observation / Final Answer as text.

The four faults of the loop this form is usually taught with are mended: an observation that
the model writes itself is cut; `Final Answer:` counts at the start of a line only, so a
thought may mention it; an Action without an Action Input is an error, not a call with
nothing; an exception in a tool is text (`react_envs.tools.call_tool`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, Self

from react_envs.dialects.dialect import Limits, check_answer, describe_tools
from react_envs.dialects.thinking import UNCLOSED_THOUGHT, end_of_thought
from react_envs.dialects.untrusted import neutralize_chat_tokens, neutralize_lines
from react_envs.errors import ArgumentError
from react_envs.tools.tool import Tool
from react_envs.types import Message, ParsedTurn, ToolCall

__all__ = ["Field", "ReactDialect", "fields_of"]

# A field begins a line. Numbers ("Action 2:", "Action 2 Input:") and bold are accepted, and
# any case of the names of two words; "action:" alone may be a line of code.
# All repetitions are possessive: a long run of blanks must not be tried in every split.
_FIELD = re.compile(
    r"^[ \t*]*+(?:(?P<name>Thought|(?i:Action Input)|Action|Observation|(?i:Final Answer)|Question)"
    r"[ \t]*+\d{0,4}+|Action[ \t]*+\d{1,4}+[ \t]*+(?P<input>Input))[ \t*]*+[:：]\**+",
    re.MULTILINE,
)
_OBSERVATION = re.compile(r"^[ \t*]*+Observation[ \t]*+\d{0,4}+[ \t*]*+[:：]", re.MULTILINE)
_FIELDS = ("Thought", "Action", "Action Input", "Observation", "Final Answer", "Question")
_IN_BACKTICKS = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"\s*+(`{3,}+)[\w+-]*+[ \t]*+\r?+\n")

_HELP = (
    "Write either 'Action: <tool>' and 'Action Input: <input>' on lines of their own, "
    "or 'Final Answer: <answer>'."
)


class Field(NamedTuple):
    """A line that begins `Thought:`, `Action:` and so on."""

    name: str
    start: int
    """Where its line begins."""
    content: int
    """Where the text after its colon begins."""


class ReactDialect:
    """Thought / Action / Action Input / Observation / Final Answer.

    Args:
        on_conflict: what a turn with an action *and* a final answer is: `"final_wins"` takes
            the answer, `"error"` asks the agent to choose.
        published: leave observations as they are; otherwise a line of a tool's that begins
            like one of the agent's, such as `Final Answer:`, is quoted with `> `.

    An input in a ``` fence runs to the closing fence; without one it ends at the next field.
    A final answer may have several lines and ends there too. A line that begins with
    `Observation:` is cut wherever it stands, as an engine would with the stop string.
    Reasoning in `<think>` tags is not searched.

    >>> turn = ReactDialect().parse("Thought: add\\nAction: python\\nAction Input: print(2 + 2)\\n")
    >>> turn.call
    ToolCall(name='python', arguments='print(2 + 2)')
    >>> turn = ReactDialect().parse("Action: python\\nAction Input: 1\\nObservation: 5\\n")
    >>> turn.kept, turn.fabricated_observation
    ('Action: python\\nAction Input: 1\\n', True)
    """

    name = "react"
    stop = ("\nObservation:",)
    documents = "plain"
    limits = Limits()

    def __init__(
        self,
        on_conflict: Literal["final_wins", "error"] = "final_wins",
        *,
        published: bool = False,
    ) -> None:
        if on_conflict not in ("final_wins", "error"):
            raise ArgumentError(
                f"on_conflict must be 'final_wins' or 'error', actually: {on_conflict!r}"
            )
        self.on_conflict = on_conflict
        self.published = published

    def for_tools(self, tools: Sequence[Tool]) -> Self:
        return self

    def instructions(self, tools: Sequence[Tool]) -> str:
        if not tools:
            return (
                "Think step by step, then answer. Use this format:\n\n"
                "Thought: your reasoning\n"
                "Final Answer: the answer alone"
            )
        names = ", ".join(tool.name for tool in tools)
        return (
            "Solve the task in turns of thinking and acting. Use this format:\n\n"
            "Thought: what you know and what to do next\n"
            f"Action: the tool to call, one of: {names}\n"
            "Action Input: the tool's input\n"
            "Observation: the tool's result, which you will be given; never write it yourself\n"
            "... (these four can repeat)\n"
            "Thought: why you are ready to answer\n"
            "Final Answer: the answer alone\n\n"
            f"Tools:\n{describe_tools(tools)}"
        )

    def prompt(self, instructions: str, question: str) -> str:
        return f"{instructions}\n\nQuestion: {question}\n"

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        end, fabricated = len(action), False
        # cut wherever an engine with the stop string would have stopped, in a fence too
        observation = _OBSERVATION.search(action)
        if observation is not None:
            end = observation.start()
            fabricated = bool(action[observation.end() :].strip())
        start = end_of_thought(action[:end])
        if start is None:
            return _turn(action, end, fabricated, error=f"{UNCLOSED_THOUGHT} {_HELP}")
        fields = list(fields_of(action, start, end))
        names = [field.name for field in fields]

        if "Action" in names and "Final Answer" in names and self.on_conflict == "error":
            error = "Error: found an Action and a Final Answer in one turn. " + _HELP
            return _turn(action, end, fabricated, error=error)
        if "Final Answer" in names:
            return self._answer(action, fields, names.index("Final Answer"), end, fabricated)
        if "Action" in names:
            return self._call(action, fields, names.index("Action"), end, fabricated)
        error = "Error: found neither an Action nor a Final Answer. " + _HELP
        return _turn(action, end, fabricated, error=error)

    def _answer(
        self, action: str, fields: list[Field], i: int, end: int, fabricated: bool
    ) -> ParsedTurn:
        end = fields[i + 1].start if i + 1 < len(fields) else end
        answer = action[fields[i].content : end].strip()
        if not answer:
            return _turn(
                action, end, fabricated, error="Error: the Final Answer is empty. " + _HELP
            )
        return _turn(action, end, fabricated, answer=answer)

    def _call(
        self, action: str, fields: list[Field], i: int, end: int, fabricated: bool
    ) -> ParsedTurn:
        tool_end = fields[i + 1].start if i + 1 < len(fields) else end
        line = action[fields[i].content : tool_end].strip().partition("\n")[0]
        tool = line.strip("`*\"'[]. \t")
        if not tool:
            error = "Error: the Action names no tool. " + _HELP
            return _turn(action, tool_end, fabricated, error=error)
        if i + 1 >= len(fields) or fields[i + 1].name != "Action Input":
            error = "Error: the Action has no 'Action Input:' after it. " + _HELP
            return _turn(action, tool_end, fabricated, error=error)
        end = fields[i + 2].start if i + 2 < len(fields) else end
        start = fields[i + 1].content
        fence = _Fence.find(action, start, end)
        if fence is not None:
            call = ToolCall(tool, action[fence.start : fence.end])
            return _turn(action, fence.after, fabricated, call=call)
        text = action[start:end].strip()
        if _IN_BACKTICKS.fullmatch(text):
            text = text[1:-1]
        return _turn(action, end, fabricated, call=ToolCall(tool, text))

    def observation(
        self, text: str, kept: str, before: str = "", error: bool = False, note: str = ""
    ) -> str:
        line_break = "" if kept.endswith("\n") else "\n"
        return f"{line_break}{self.message(text, error, note)['content']}\n"

    def message(self, text: str, error: bool = False, note: str = "") -> Message:
        content = f"Observation: {self.guard(text)}" + (f"\n{note}" if note else "")
        return {"role": "user", "content": content}

    def guard(self, text: str) -> str:
        """`text` without lines that could pass for the agent's, unless `published`."""
        if self.published:
            return text
        return neutralize_chat_tokens(neutralize_lines(text, _FIELDS))

    def format_call(self, call: ToolCall, thought: str = "", before: str = "") -> str:
        text = _as_text(call.arguments)
        plain = "\n" not in text and text == text.strip() and "`" not in text
        if not plain or _FIELD.match(text):
            longest = max((len(run) for run in re.findall("`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            written = f"{fence}\n{text}\n{fence}"
        else:
            written = text
        action = f"{_thought(thought)}Action: {call.name}\nAction Input: {written}\n"
        if self.parse(action).call != ToolCall(call.name, text):
            raise ArgumentError(
                "react cannot write this call: a line of it is 'Observation:' or '</think>', "
                f"or its tool has no plain name: {action[:200]!r}"
            )
        return action

    def format_answer(self, answer: str, thought: str = "", before: str = "") -> str:
        action = f"{_thought(thought)}Final Answer: {answer}\n"
        return check_answer(self.name, answer, self.parse(action, before))


class _Fence(NamedTuple):
    start: int
    """Where the fenced text begins."""
    end: int
    """Where it ends, without the line break before the closing fence."""
    after: int
    """Where what follows the closing fence's line begins."""

    @classmethod
    def find(cls, action: str, start: int, end: int) -> _Fence | None:
        """The closed fenced block that `action[start:end]` begins with, if it does."""
        opening = _FENCE.match(action, start, end)
        if opening is None:
            return None
        # the code's own "\r" before a bare line break is code
        line_break = r"\r?+\n" if opening.group().endswith("\r\n") else r"\n"
        closing = re.compile(
            rf"(?:{line_break})?^[ \t]*+{opening.group(1)}[ \t]*+\r?+(?:\n|\Z)", re.MULTILINE
        )
        match = closing.search(action, opening.end() - 1, end)
        if match is None:
            return None
        return cls(opening.end(), max(match.start(), opening.end()), match.end())


def fields_of(action: str, start: int, end: int) -> Iterator[Field]:
    """The fields in order; what the first Action Input has in a fence is skipped."""
    text = action[start:end]  # so that a field may follow </think> on its line
    position, fence_allowed = 0, True
    while (match := _FIELD.search(text, position)) is not None:
        name = "Action Input" if match.group("input") else match.group("name").title()
        yield Field(name, start + match.start(), start + match.end())
        position = match.end()
        if name == "Action Input" and fence_allowed:
            fence = _Fence.find(text, position, len(text))
            position = fence.after if fence else position
            fence_allowed = False


def _as_text(arguments: str | dict[str, Any]) -> str:
    """The input of a call: its one text argument as it is, several arguments as JSON."""
    if isinstance(arguments, str):
        return arguments
    if len(arguments) == 1 and isinstance(text := next(iter(arguments.values())), str):
        return text
    return json.dumps(arguments, ensure_ascii=False)


def _thought(thought: str) -> str:
    return f"Thought: {thought}\n" if thought else ""


def _turn(
    action: str,
    end: int,
    fabricated: bool,
    call: ToolCall | None = None,
    answer: str | None = None,
    error: str | None = None,
) -> ParsedTurn:
    return ParsedTurn(action[:end], action[end:], call, answer, error, fabricated)
