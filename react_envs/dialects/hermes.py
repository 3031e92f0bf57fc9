"""The `hermes` dialect: JSON calls in <tool_call> tags, as Qwen, Hermes and others emit."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal, Self

from react_envs.dialects.dialect import Limits, check_answer
from react_envs.dialects.thinking import UNCLOSED_THOUGHT, end_of_thought
from react_envs.dialects.truncation import cut_characters
from react_envs.dialects.untrusted import neutralize_chat_tokens, neutralize_tags
from react_envs.errors import ArgumentError
from react_envs.rewards.boxed import extract_boxed
from react_envs.tools.model_json import read_json, read_json_prefix
from react_envs.tools.tool import Tool
from react_envs.types import Message, ParsedTurn, ToolCall

__all__ = ["HermesDialect"]

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_RESPONSE = "<tool_response>"
_TAGS = ("tool_call", "tool_response", "think")
_FENCED = re.compile(r"```(?:json)?[^\S\n]*+\n(.*)\n[^\S\n]*+```", re.DOTALL)


class HermesDialect:
    r"""`<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, answers in `\boxed{}`.

    The first call of a turn counts, further ones are dropped. A turn without a call is an
    answer if it has a non-empty box (the last one counts). Reasoning in `<think>` tags is
    not searched. JSON that does not parse is answered with
    the place and the reason, never passed over.

    Args:
        published: leave observations as they are, tags of the format included.
        max_observation_characters: longest result; None for no limit.
        truncate_side: which side of a longer one stays: `"left"`, `"right"` or `"middle"`, with
            a mark where the rest was, as verl's agent loop does.

    >>> call = '<tool_call>\n{"name": "python", "arguments": {"code": "print(1)"}}\n</tool_call>'
    >>> HermesDialect().parse(call).call
    ToolCall(name='python', arguments={'code': 'print(1)'})
    >>> HermesDialect().parse(r"So it is \boxed{4}.").answer
    '4'
    """

    name = "hermes"
    stop: tuple[str, ...] = (_RESPONSE,)
    documents = "verl"
    limits = Limits(observation="as configured, three ways to cut")

    def __init__(
        self,
        *,
        published: bool = False,
        max_observation_characters: int | None = None,
        truncate_side: Literal["left", "right", "middle"] = "middle",
    ) -> None:
        cut_characters("", 0, truncate_side)  # an unknown side raises here
        self.published = published
        self.max_observation_characters = max_observation_characters
        self.truncate_side = truncate_side

    def for_tools(self, tools: Sequence[Tool]) -> Self:
        return self

    def instructions(self, tools: Sequence[Tool]) -> str:
        answer = "When you know the answer, write it alone in \\boxed{}."
        if not tools:
            return f"Think step by step. {answer}"
        functions = "\n".join(json.dumps(tool.spec, ensure_ascii=False) for tool in tools)
        return (
            "Think step by step and call functions where they help. "
            f"{answer}\n\n"
            f"# Tools\n\nThe functions you may call, as JSON schemas:\n<tools>\n{functions}\n"
            "</tools>\n\n"
            "To call one, write a JSON object with its name and arguments inside tags, "
            "then wait for the response:\n"
            f'{_OPEN}\n{{"name": "<function>", "arguments": {{<arguments>}}}}\n{_CLOSE}'
        )

    def prompt(self, instructions: str, question: str) -> str:
        return f"{instructions}\n\nQuestion: {question}\n\n"

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        end, fabricated = len(action), False
        # cut wherever an engine with this stop string would have stopped, in a thought too
        if (response := action.find(_RESPONSE)) >= 0:
            end = response
            fabricated = bool(action[response + len(_RESPONSE) :].strip())
        start = end_of_thought(action[:end])
        if start is None:
            return ParsedTurn(action[:end], action[end:], None, None, UNCLOSED_THOUGHT, fabricated)
        opening = action.find(_OPEN, start, end)
        if opening < 0:
            return self._answer(action, start, end, fabricated)
        body = opening + len(_OPEN)
        closing = action.find(_CLOSE, body, end)
        if closing >= 0:
            end = closing + len(_CLOSE)
            call, error = _read_call(action[body:closing])
        else:
            call, error, length = _read_unclosed_call(action[body:end])
            end = body + length
        return ParsedTurn(action[:end], action[end:], call, None, error, fabricated)

    def _answer(self, action: str, start: int, end: int, fabricated: bool) -> ParsedTurn:
        answer = extract_boxed(action[start:end])
        error = None
        if answer is None or not answer.strip():
            answer = None
            error = (
                "Error: found neither a tool call nor an answer. "
                f"Write a call inside {_OPEN} and {_CLOSE}, or the answer in \\boxed{{}}."
            )
        return ParsedTurn(action[:end], action[end:], None, answer, error, fabricated)

    def observation(
        self, text: str, kept: str, before: str = "", error: bool = False, note: str = ""
    ) -> str:
        return f"\n{_RESPONSE}\n{self.guard(text, error, note)}\n</tool_response>\n"

    def message(self, text: str, error: bool = False, note: str = "") -> Message:
        return {"role": "tool", "content": self.guard(text, error, note)}

    def guard(self, text: str, error: bool = False, note: str = "") -> str:
        """`text` cut to the limit and, unless `published`, unable to close its tag; the note.

        An error is the environment's own text: it may name the tags of a call.
        """
        text = cut_characters(text, self.max_observation_characters, self.truncate_side)
        if not self.published:
            tags = ("tool_response",) if error else _TAGS
            text = neutralize_chat_tokens(neutralize_tags(text, tags))
        return f"{text}\n{note}" if note else text

    def format_call(self, call: ToolCall, thought: str = "", before: str = "") -> str:
        if isinstance(call.arguments, str):
            raise ArgumentError("hermes calls take an object of arguments, got a string")
        body = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
        # Inside JSON strings "<" may be written as an escape, so no text can close a tag.
        body = re.sub(r"<(?=/?(tool_|think|\|))", r"\\u003c", body)
        return f"{thought}\n{_OPEN}\n{body}\n{_CLOSE}".lstrip("\n")

    def format_answer(self, answer: str, thought: str = "", before: str = "") -> str:
        action = f"{thought}\n\\boxed{{{answer}}}".lstrip("\n")
        return check_answer(self.name, answer, self.parse(action, before))


def _read_call(text: str) -> tuple[ToolCall | None, str | None]:
    """The call that `text` holds as JSON, or what is wrong with it, for the model to read."""
    fenced = _FENCED.fullmatch(text.strip())
    try:
        value = read_json(fenced.group(1) if fenced else text)
    except json.JSONDecodeError as error:
        near = error.doc[max(0, error.pos - 20) : error.pos + 20]
        return None, (
            f"Error: the tool call is not valid JSON: {error.msg} at line {error.lineno} "
            f"column {error.colno}, near {near!r}."
        )
    except ValueError:
        told = "nested too deeply, a number too long, or NaN or Infinity"
        return None, f"Error: the tool call is not valid JSON: {told}."
    return _as_call(value)


def _read_unclosed_call(text: str) -> tuple[ToolCall | None, str | None, int]:
    """As `_read_call` for a call whose tag is not closed, and how much of `text` it takes.

    Engines that stop at the closing tag leave it out; one cut by a length limit has no call.
    """
    try:
        value, end = read_json_prefix(text)
    except ValueError:
        return None, f"Error: {_OPEN} was not closed with {_CLOSE}.", len(text)
    call, error = _as_call(value)
    return call, error, end if text[end:].strip() else len(text)


def _as_call(value: Any) -> tuple[ToolCall | None, str | None]:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None, 'Error: a tool call needs the keys "name" (a string) and "arguments".'
    arguments = value.get("arguments", value.get("parameters", {}))
    if isinstance(arguments, str):
        with suppress(ValueError):
            arguments = read_json(arguments)
    if not isinstance(arguments, dict):
        return None, 'Error: the "arguments" of a tool call must be a JSON object.'
    return ToolCall(value["name"], arguments), None
