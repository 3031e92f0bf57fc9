"""The `react_paper` dialect: Thought 1, Action 1: Search[...], Observation 1 (ReAct)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Self

from react_envs.dialects.dialect import Limits, check_answer, describe_tools
from react_envs.dialects.untrusted import neutralize_chat_tokens, neutralize_lines
from react_envs.errors import ArgumentError
from react_envs.tools.tool import Tool
from react_envs.types import Message, ParsedTurn, ToolCall

__all__ = ["ReactPaperDialect"]

_OBSERVATION = re.compile(r"^[ \t]*+Observation[ \t]*+\d{0,4}+[ \t]*+(?::|\Z)", re.MULTILINE)
_ACTION = re.compile(r"^[ \t]*+Action[ \t]*+(\d{0,4}+)[ \t]*+:", re.MULTILINE)
_NEXT = re.compile(r"^[ \t]*+(?:Thought|Action)[ \t]*+\d{0,4}+[ \t]*+:", re.MULTILINE)
_CALL = re.compile(r"(\w{1,80}+)\[(.*)\]", re.DOTALL)
_THOUGHT_ASKED = re.compile(r"(?:\A|\n)Thought (\d{1,6}): ?\Z")
_ACTION_ASKED = re.compile(r"\nAction (\d{1,6}): ?\Z")
_FIELDS = ("Thought", "Action", "Observation", "Question", "Claim")


class ReactPaperDialect:
    """`Action 2: Search[Paris]`, numbered, as in ReAct's HotpotQA and FEVER notebooks.

    The environment writes `Thought 1:`, `Observation 1: ...` and `Thought 2:`; the agent goes
    on from there. Whatever tools there are is called `Name[input]`; the first letter's case
    does not matter (`Search` is the tool `search`), the others' does. `Finish[answer]` answers,
    with or without a tool of that name. `think[...]`, which their environment knows too, is the
    tool `think` (`tools=["think"]`). Several arguments go in as a JSON object.

    A turn without an `Action` line is not over: its first line stays as the thought, the
    environment writes `Action 2:`, and the line that follows is the action, whatever it is.
    Such a step does not count as a turn, and cannot follow another one. After seven turns the
    episode is finished with an empty answer (the paper says five for FEVER; the code has seven
    for both).

    With `published=True` every `\\\\n` written as two characters is taken out of observations,
    and they are not trimmed otherwise; and an action is what follows the only `\\nAction 2: ` of
    the turn, with this very number and blank, else it is missing. `question="Claim"` is FEVER's
    word for it.

    Source: github.com/ysymyth/ReAct (hotpotqa.ipynb). Their worked examples are not part of
    the prompt; put them into `instructions`.

    >>> turn = ReactPaperDialect().parse(" I look.\\nAction 1: Search[Paris]", "\\nThought 1:")
    >>> turn.call
    ToolCall(name='search', arguments='Paris')
    """

    name = "react_paper"
    stop = ("\nObservation",)
    documents = "plain"
    limits = Limits(max_turns=7, on_limit="finish", observation="5 sentences")

    def __init__(self, *, published: bool = False, question: str = "Question") -> None:
        self.published = published
        self.question = question
        self._tools: dict[str, str] | None = None

    def for_tools(self, tools: Sequence[Tool]) -> Self:
        """This dialect with these tools: an action that is none of them is told so."""
        bound = type(self)(published=self.published, question=self.question)
        bound._tools = {_first_lower(tool.name): tool.name for tool in tools}
        return bound

    def instructions(self, tools: Sequence[Tool]) -> str:
        actions = [f"{_first_upper(tool.name)}[input]" for tool in tools if tool.name != "finish"]
        actions.append("Finish[answer], which gives the answer and ends the task")
        listed = "\n".join(f"({i}) {action}" for i, action in enumerate(actions, 1))
        described = describe_tools([tool for tool in tools if tool.name != "finish"])
        return (
            "Answer by turns of Thought, Action and Observation. A Thought reasons about what "
            "is known and what comes next; an Action is one of the following, on one line; the "
            f"Observation is its result and is given to you.\n{listed}"
        ) + (f"\n\nWhat they do:\n{described}" if described else "")

    def prompt(self, instructions: str, question: str) -> str:
        return f"{instructions}\n\n{self.question}: {question.strip()}\nThought 1:"

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        end, fabricated = len(action), False
        observation = _OBSERVATION.search(action)
        if observation is not None:
            end = observation.start()
            fabricated = bool(action[observation.end() :].strip())
        end -= action[:end].endswith("\n")
        if _ACTION_ASKED.search(before[-20:]):
            start, end = self._line(action, end)
            return self._do(action, start, end, fabricated)
        if self.published and (mark := self._mark(before)):
            if action[:end].strip().count(mark) != 1:
                return self._ask_for_action(action, end, fabricated)
            return self._do(action, action.rfind(mark, 0, end) + len(mark), end, fabricated)
        field = _ACTION.search(action, 0, end)
        if field is None:
            return self._ask_for_action(action, end, fabricated)
        following = _NEXT.search(action, field.end(), end)
        if following is not None:
            end = following.start() - 1
        return self._do(action, field.end(), max(end, field.end()), fabricated)

    def _mark(self, before: str) -> str | None:
        """Where the published code splits a turn; None if no thought was asked for."""
        asked = _THOUGHT_ASKED.search(before[-20:])
        return f"\nAction {asked[1]}: " if asked else None

    def _line(self, action: str, end: int) -> tuple[int, int]:
        """The first line of `action[:end]` that is not blank."""
        start = len(action[:end]) - len(action[:end].lstrip())
        line_end = action.find("\n", start, end)
        return start, line_end if line_end >= 0 else end

    def _ask_for_action(self, action: str, end: int, fabricated: bool) -> ParsedTurn:
        _, end = self._line(action, end)
        error = "Error: found no Action. Write it now, such as Search[topic] or Finish[answer]."
        return ParsedTurn(action[:end], action[end:], None, None, error, fabricated, True)

    def _do(self, action: str, start: int, end: int, fabricated: bool) -> ParsedTurn:
        kept, dropped = action[:end], action[end:]
        written = _first_lower(action[start:end].strip())
        match = _CALL.fullmatch(written)
        name, text = (match[1], match[2]) if match else (None, "")
        if name == "finish":
            return ParsedTurn(kept, dropped, None, text.strip(), None, fabricated)
        known = self._tools if self._tools is not None else {name: name}
        if name is None or known.get(name) is None:
            error = f"Invalid action: {written[:200]}"
            return ParsedTurn(kept, dropped, None, None, error, fabricated)
        return ParsedTurn(kept, dropped, ToolCall(known[name] or "", text), None, None, fabricated)

    def observation(
        self, text: str, kept: str, before: str = "", error: bool = False, note: str = ""
    ) -> str:
        asked = _ACTION_ASKED.search(before[-20:])
        number = self._number(kept, before)
        mark = self._mark(before) if self.published else None
        acted = mark in kept.strip() if mark else _ACTION.search(kept) is not None
        if error and asked is None and not acted:
            return f"\nAction {number}:"
        return f"\n{self._observed(text, number, note)}\nThought {number + 1}:"

    def message(self, text: str, error: bool = False, note: str = "") -> Message:
        return {"role": "user", "content": self._observed(text, None, note)}

    def _observed(self, text: str, number: int | None, note: str) -> str:
        if self.published:
            text = text.replace("\\n", "")
        else:
            text = neutralize_chat_tokens(neutralize_lines(text, _FIELDS)).strip()
        label = "Observation" if number is None else f"Observation {number}"
        return f"{label}: {text}" + (f"\n{note}" if note else "")

    def _number(self, kept: str, before: str) -> int:
        asked = _THOUGHT_ASKED.search(before[-20:]) or _ACTION_ASKED.search(before[-20:])
        numbered = asked or _ACTION.search(kept)
        return int(numbered[1] or 1) if numbered else 1

    def format_call(self, call: ToolCall, thought: str = "", before: str = "") -> str:
        arguments = call.arguments
        if isinstance(arguments, str):
            text = arguments
        else:
            values = list(arguments.values())
            whole = len(values) == 1 and isinstance(values[0], str)
            text = values[0] if whole and not values[0].lstrip().startswith("{") else ""
            written = self._format(f"{_first_upper(call.name)}[{text}]", thought, before)
            if not whole or self.parse(written, before).call != ToolCall(call.name, values[0]):
                text = json.dumps(arguments, ensure_ascii=False)
        action = self._format(f"{_first_upper(call.name)}[{text}]", thought, before)
        if self.parse(action, before).call != ToolCall(call.name, text):
            raise ArgumentError(
                "react_paper cannot write this call: a line of it begins like a field such as "
                f"'Action 1:', or its tool is unknown: {action[:200]!r}"
            )
        return action

    def format_answer(self, answer: str, thought: str = "", before: str = "") -> str:
        action = self._format(f"Finish[{answer}]", thought, before)
        return check_answer(self.name, answer, self.parse(action, before))

    def _format(self, action: str, thought: str, before: str) -> str:
        if _ACTION_ASKED.search(before[-20:]):
            return f" {action}"
        number = self._number("", before)
        head = "" if _THOUGHT_ASKED.search(before[-20:]) else f"Thought {number}:"
        return f"{head} {thought or 'I know what to do.'}\nAction {number}: {action}"


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
