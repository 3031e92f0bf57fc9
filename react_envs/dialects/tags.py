"""What the dialects with tags share: a call, an answer and a result are each inside a tag.

The published formats have one tool and one tag for it. With several tools each has a tag: the
format's own stands for the tool that the format is about (`search`, or `python` in `retool`),
or for the first tool if no tool has that name, and every other tool is called by a tag of its
name: `<python>print(1)</python>`. All results come in the one result tag of the format. A tool
of several arguments takes them as a JSON object inside its tag.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Self

from react_envs.dialects.dialect import Limits, check_answer
from react_envs.dialects.truncation import Tokenizer, fit_tokens, load_tokenizer
from react_envs.dialects.untrusted import neutralize_chat_tokens, neutralize_tags
from react_envs.errors import ArgumentError
from react_envs.rewards.boxed import extract_boxed
from react_envs.tools.tool import Tool
from react_envs.types import Message, ParsedTurn, ToolCall

__all__ = ["Tag", "TagDialect"]


class Tag(NamedTuple):
    """The two ends of a tag."""

    open: str
    close: str

    @classmethod
    def of(cls, name: str) -> Tag:
        return cls(f"<{name}>", f"</{name}>")

    @property
    def names(self) -> tuple[str, str]:
        """What stands between the angle brackets, slashes aside."""
        return self.open.strip("</>"), self.close.strip("</>")


class TagDialect:
    """Calls, answers and results in tags: see the dialects that are made of it.

    A turn ends where an engine with the stop strings would have ended it: at the first closing
    tag of a call, wherever it stands, or at an observation that the agent began itself. An
    unclosed call at the end of a turn is taken (engines leave their stop string out), unless
    the engine says that it ran out of length; the observation then closes it.

    Args:
        published: reproduce what the published code does where this suite mends it: the
            observation is neither guarded (`untrusted`) nor cut with care, and the last turn
            comes unannounced. Each dialect says more.
        max_observation_tokens: longest observation, wrapper included; None for no limit.
        tokenizer: what counts these tokens: a name for transformers or an object with `encode`
            and `decode`. Without one, four characters count as a token.
        after_answer: `"cut"` ends the turn at the first answer. `"keep"` lets it go on as the
            agent wrote it, and the last answer counts.
    """

    name: str
    documents: str
    native_tool: ClassVar[str] = "search"
    native_tag: ClassVar[Tag] = Tag.of("search")
    other_tag: ClassVar[str] = "<{name}> </{name}>"
    result: ClassVar[Tag]
    answer: ClassVar[Tag | None] = Tag.of("answer")
    first_opener: ClassVar[bool] = True
    """Whether a call begins at the first opening tag of the turn, or at the last one."""
    stops_at_answer: ClassVar[bool] = False
    wraps_errors: ClassVar[bool] = True
    """Whether what was wrong with a call comes in the result tag, as its result would."""
    limits = Limits()

    def __init__(
        self,
        *,
        published: bool = False,
        max_observation_tokens: int | None = None,
        tokenizer: str | Tokenizer | None = None,
        after_answer: str = "cut",
    ) -> None:
        if after_answer not in ("cut", "keep"):
            raise ArgumentError(f"after_answer must be 'cut' or 'keep', actually: {after_answer!r}")
        if max_observation_tokens is not None and max_observation_tokens < 1:
            raise ArgumentError(
                f"max_observation_tokens must be at least 1, actually: {max_observation_tokens!r}"
            )
        self.published = published
        self.max_observation_tokens = max_observation_tokens
        self.after_answer = after_answer
        self._tokenizer = load_tokenizer(tokenizer)
        self.tags: dict[str, Tag] = {self.native_tool: self.native_tag}

    # --- Tools ---------------------------------------------------------------------------

    def for_tools(self, tools: Sequence[Tool]) -> Self:
        """This dialect with a tag for each of `tools`.

        Raises:
            ArgumentError: if the name of a tool is that of another tag of the format.
        """
        names = [tool.name for tool in tools]
        bound = copy.copy(self)
        native = self.native_tool if self.native_tool in names else None
        if native is None:
            native = next((name for name in names if name != "finish"), None)
        bound.tags = {name: self._tag_of(name, name == native) for name in names}
        return bound

    def _tag_of(self, name: str, native: bool) -> Tag:
        if native:
            return self.native_tag
        tag = Tag(*self.other_tag.format(name=name).split())
        if set(tag.names) & {*self.result.names, *self._reserved(), *self.native_tag.names}:
            raise ArgumentError(
                f"the dialect {self.name!r} uses {tag.open} itself: give the tool {name!r} "
                "another name"
            )
        return tag

    def _reserved(self) -> tuple[str, ...]:
        return ("think", *(self.answer.names if self.answer else ()))

    @property
    def stop(self) -> tuple[str, ...]:
        answer = (self.answer.close,) if self.stops_at_answer and self.answer else ()
        return (*dict.fromkeys(tag.close for tag in self.tags.values()), *answer)

    def describe(self, tools: Sequence[Tool]) -> str:
        """A line for each tool: how it is called and what it does."""
        lines = []
        for tool in tools:
            names = list(tool.parameters["properties"])
            argument = names[0] if len(names) == 1 else json.dumps(dict.fromkeys(names, "..."))
            tag = self.tags.get(tool.name) or self._tag_of(tool.name, native=False)
            lines.append(f"{tag.open} {argument} {tag.close}: {tool.description}")
        return "\n".join(lines)

    # --- Reading -------------------------------------------------------------------------

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        result, fabricated = self._own_observation(action)
        ending = self._first_call(action, result)
        if self.answer and self.after_answer == "cut":
            answered = action.find(self.answer.close, 0, ending.start if ending else result)
            if answered >= 0 and self.answer.open in action[:answered]:
                return self._answered(action, answered + len(self.answer.close), fabricated)
        if ending is not None:
            return self._called(action, ending, fabricated)
        if self.answer and self.answer.close in action[:result]:
            return self._answered(action, result, fabricated)
        return self._unclosed(action, result, fabricated)

    def _own_observation(self, action: str) -> tuple[int, bool]:
        """Where the agent begins an observation itself, and whether it wrote more than that."""
        start = action.find(self.result.open)
        if start < 0:
            return len(action), False
        return start, bool(action[start + len(self.result.open) :].strip())

    def _first_call(self, action: str, end: int) -> _Ending | None:
        """The closing tag of a call that comes first in `action[:end]`."""
        found = [
            _Ending(start, start + len(tag.close), name, tag)
            for name, tag in self.tags.items()
            if (start := action.find(tag.close, 0, end)) >= 0
        ]
        return min(found, default=None)

    def _called(self, action: str, ending: _Ending, fabricated: bool) -> ParsedTurn:
        find = action.find if self.first_opener else action.rfind
        opening = find(ending.tag.open, 0, ending.start)
        body = action[opening + len(ending.tag.open) : ending.start] if opening >= 0 else ""
        return self._turn(action, ending.end, fabricated, ending.name, body)

    def _unclosed(self, action: str, end: int, fabricated: bool) -> ParsedTurn:
        """A turn without any closing tag: an engine may have stopped right before it."""
        openings = [(action.rfind(tag.open, 0, end), name, tag) for name, tag in self.tags.items()]
        start, name, tag = max(openings, default=(-1, "", self.native_tag))
        answer = action.rfind(self.answer.open, 0, end) if self.answer else -1
        ran_out = getattr(action, "finish_reason", None) == "length" or end < len(action)
        if self.answer and answer > start and self.stops_at_answer and not ran_out:
            return self._answered(action, end, fabricated)
        body = "" if start < 0 or ran_out else action[start + len(tag.open) : end]
        return self._turn(action, end, fabricated, name, body)

    def _answered(self, action: str, end: int, fabricated: bool) -> ParsedTurn:
        assert self.answer is not None
        text = action[:end]
        closing = text.rfind(self.answer.close)
        closing = closing if closing >= 0 else end
        opening = self._answer_opening(text, closing)
        answer = self.read_answer(text[opening + len(self.answer.open) : closing])
        if opening < 0 or not answer:
            return ParsedTurn(text, action[end:], None, None, self.invalid(), fabricated)
        return ParsedTurn(text, action[end:], None, answer, None, fabricated)

    def _answer_opening(self, text: str, closing: int) -> int:
        """Where the answer that ends at `closing` is opened, -1 if nowhere."""
        assert self.answer is not None
        return text.rfind(self.answer.open, 0, closing)

    def _turn(self, action: str, end: int, fabricated: bool, tool: str, body: str) -> ParsedTurn:
        """The call of `tool` with what stands in its tag; invalid if that is nothing."""
        argument = self.read_body(tool, body)
        call = ToolCall(tool, argument) if argument else None
        error = None if argument else self.invalid()
        return ParsedTurn(action[:end], action[end:], call, None, error, fabricated)

    def read_body(self, tool: str, text: str) -> str:
        """The argument of a call from the text inside its tag."""
        return text.strip()

    def read_answer(self, text: str) -> str:
        """The answer from the text inside its tag: its last box, or all of it."""
        boxed = extract_boxed(text)
        return (text if boxed is None else boxed).strip()

    def invalid(self) -> str:
        """What the agent reads after a turn with neither a call nor an answer."""
        calls = " or ".join(f"{tag.open} ... {tag.close}" for tag in self.tags.values())
        answer = f"{self.answer.open} ... {self.answer.close}" if self.answer else "\\boxed{...}"
        return f"Error: found no call and no answer. Write {calls or 'an answer,'} or {answer}."

    # --- Observing -----------------------------------------------------------------------

    def wrap(self, text: str) -> str:
        """The text of an observation with its tag."""
        raise NotImplementedError

    def correct(self, text: str) -> str:
        """The text that tells the agent what was wrong with its turn."""
        return f"\n{text}\n"

    def observation(
        self, text: str, kept: str, before: str = "", error: bool = False, note: str = ""
    ) -> str:
        close = self._missing_close(kept)
        if not error:
            return close + self._observed(text, note)
        text = self._error(text, note)
        called = close or kept.rstrip().endswith(self._closings())
        return close + (self.wrap(text) if self.wraps_errors and called else self.correct(text))

    def _error(self, text: str, note: str) -> str:
        """The environment's own words, which may quote what the agent wrote."""
        text = neutralize_chat_tokens(neutralize_tags(text, self.result.names))
        return f"{text}\n{note}" if note else text

    def _observed(self, text: str, note: str) -> str:
        """A result in its tag, guarded and cut; the note stays whole."""
        if not self.published:
            tags = [name for tag in self.tags.values() for name in tag.names]
            text = neutralize_tags(text, [*self.result.names, *self._reserved(), *tags])
            text = neutralize_chat_tokens(text)

        def wrap(text: str) -> str:
            return self.wrap(f"{text}\n{note}" if note else text)

        limit = self.max_observation_tokens
        return fit_tokens(text, wrap, limit, self._tokenizer, hard=self.published)

    def _called_for_nothing(self, turn: ParsedTurn, finish_reason: str | None) -> bool:
        """Whether the turn is wrong for a tag of a call in which there is nothing."""
        open_end = bool(self._missing_close(turn.kept)) and finish_reason != "length"
        return turn.error is not None and (turn.kept.endswith(self._closings()) or open_end)

    def _closings(self) -> tuple[str, ...]:
        return tuple(tag.close for tag in self.tags.values())

    def _missing_close(self, kept: str) -> str:
        """The closing tag of a call that an engine cut off before it."""
        opened = [(kept.rfind(tag.open), tag.close) for tag in self.tags.values()]
        start, close = max(opened, default=(-1, ""))
        return close if start >= 0 and close not in kept[start:] else ""

    def message(self, text: str, error: bool = False, note: str = "") -> Message:
        content = self._error(text, note) if error else self._observed(text, note).strip()
        return {"role": "user", "content": content}

    # --- Writing -------------------------------------------------------------------------

    def write_body(self, tool: str, text: str) -> str:
        """The text inside the tag of a call."""
        return f" {text} "

    def write_thought(self, thought: str, before: str) -> str:
        """Reasoning before a call or an answer."""
        return f"<think> {thought or 'I know what to do.'} </think>\n"

    def format_call(self, call: ToolCall, thought: str = "", before: str = "") -> str:
        """A turn that makes `call`; what a tag cannot hold as it is goes in as a JSON object.

        Raises:
            ArgumentError: if the text of the call cannot be written: it has no name that JSON
                would need, and holds a tag of the format or blanks at its ends.
        """
        tag = self.tags.get(call.name) or self._tag_of(call.name, native=False)
        head = self.write_thought(thought, before)
        arguments = call.arguments
        text: str | None
        if isinstance(arguments, str):
            text = arguments
        else:
            values = list(arguments.values())
            text = values[0] if len(values) == 1 and isinstance(values[0], str) else None
        if text is not None and (text is arguments or not text.lstrip().startswith("{")):
            action = f"{head}{tag.open}{self.write_body(call.name, text)}{tag.close}"
            if self.parse(action, before).call == ToolCall(call.name, text):
                return action
        if isinstance(arguments, str):
            raise ArgumentError(
                f"{self.name} cannot write this text in {tag.open}: pass the arguments as an "
                f"object: {arguments[:200]!r}"
            )
        # inside JSON strings "<" may be written as an escape, so no text can close a tag
        body = json.dumps(arguments, ensure_ascii=False).replace("<", "\\u003c")
        return f"{head}{tag.open}{body}{tag.close}"

    def format_answer(self, answer: str, thought: str = "", before: str = "") -> str:
        assert self.answer is not None
        head = self.write_thought(thought, before)
        action = f"{head}{self.answer.open}{self.write_answer(answer)}{self.answer.close}"
        return check_answer(self.name, answer, self.parse(action, before))

    def write_answer(self, answer: str) -> str:
        """The text inside the tag of the answer."""
        return f" {answer} "


class _Ending(NamedTuple):
    """The closing tag that ends a turn with a call."""

    start: int
    end: int
    name: str
    tag: Tag
