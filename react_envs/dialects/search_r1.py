"""The `search_r1` dialect: <search>, <information>, <answer> (Search-R1, arXiv 2503.09516)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from react_envs.dialects.dialect import Limits
from react_envs.dialects.tags import Tag, TagDialect
from react_envs.tools.tool import Tool
from react_envs.types import ParsedTurn, ToolCall

__all__ = ["SearchR1Dialect"]

_ANSWER = Tag.of("answer")


class SearchR1Dialect(TagDialect):
    """Reasoning in `<think>`, a query in `<search>`, documents in `<information>`, an `<answer>`.

    Source: github.com/PeterGriffinJin/Search-R1 (search_r1/llm_agent/generation.py): the turn
    is cut at `</search>`, else at `</answer>`; the first pair of tags counts, and the answer is
    its text as it stands, a box included; three documents; an observation has 500 tokens; four
    turns and a last one without search (paper, v0.3).

    Mended, and as in their code with `published=True`: the 500 tokens are a hard cut, which may
    lose `</information>`; nothing announces the last turn; an empty query is searched for and an
    empty answer ends the episode, where here both are told as invalid; and a turn that answers
    and then searches is cut after the search, where here it is cut after the answer (the answer
    counts in both).

    >>> SearchR1Dialect().parse("<think> Who? </think> <search> France </search>").call
    ToolCall(name='search', arguments='France')
    """

    name = "search_r1"
    documents = "search_r1"
    result = Tag.of("information")
    stops_at_answer = True
    wraps_errors = False
    limits = Limits(max_turns=5, on_limit="answer", observation="500 tokens", documents=3)

    def __init__(self, *, max_observation_tokens: int | None = 500, **options: Any) -> None:
        super().__init__(max_observation_tokens=max_observation_tokens, **options)
        if self.published:
            self.limits = replace(self.limits, note="")

    def instructions(self, tools: Sequence[Tool]) -> str:
        answer = "When you know the answer, write it alone: <answer> Beijing </answer>."
        if not tools:
            return f"Answer the question. Reason inside <think> and </think> first. {answer}"
        return (
            "Answer the question. Reason inside <think> and </think> first, and again each time "
            "you are given new information. If you lack knowledge you may call a tool, as often "
            "as you want; its result is then given to you between <information> and "
            f"</information>, which you never write yourself. {answer}\n\n"
            f"Tools:\n{self.describe(tools)}"
        )

    def prompt(self, instructions: str, question: str) -> str:
        question = question.strip()
        if not question.endswith("?"):  # theirs asks for no other end
            question += "?"
        return f"{instructions}\n\nQuestion: {question}\n"

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        if not self.published or self.after_answer == "keep":
            return super().parse(action, before)
        end, fabricated = self._own_observation(action)
        ending = self._first_call(action, end)
        answered = action.find(_ANSWER.close, 0, end)
        left_out = ""
        if ending is not None:
            end = ending.end
        elif answered >= 0:
            end = answered + len(_ANSWER.close)
        elif getattr(action, "finish_reason", None) != "length" and end == len(action):
            opened = [(action.rfind(tag.open), tag.close) for tag in (*self.tags.values(), _ANSWER)]
            left_out = max(opened)[1]
        call, answer = self._first_pair(action[:end] + left_out)
        error = self.invalid() if call is None and answer is None else None
        return ParsedTurn(action[:end], action[end:], call, answer, error, fabricated)

    def _first_pair(self, text: str) -> tuple[ToolCall | None, str | None]:
        """What the first pair of tags holds, if anything at all."""
        pairs = []
        for name, tag in (*self.tags.items(), ("", _ANSWER)):
            opening = text.find(tag.open)
            start = opening + len(tag.open)
            closing = text.find(tag.close, start) if opening >= 0 else -1
            if closing >= 0:
                pairs.append((opening, name, text[start:closing].strip()))
        if not pairs:
            return None, None
        _, name, body = min(pairs)
        return (ToolCall(name, body), None) if name else (None, body)

    def _answer_opening(self, text: str, closing: int) -> int:
        """The first `<answer>` after the answer before, as their pattern finds it."""
        before = text.rfind(_ANSWER.close, 0, closing)
        return text.find(_ANSWER.open, max(before, 0), closing)

    def read_answer(self, text: str) -> str:
        """All of it: a box is a part of the answer."""
        return text.strip()

    def wrap(self, text: str) -> str:
        return f"\n\n<information>{text.strip()}</information>\n\n"

    def invalid(self) -> str:
        """The message of the published code, with a sentence for each further tool."""
        how = "".join(
            f" If I want to call {name}, I should put its input between {tag.open} and {tag.close}."
            for name, tag in self.tags.items()
            if tag != self.native_tag
        )
        if self.native_tag in self.tags.values():
            how = (
                " If I want to search, I should put the query between <search> and </search>." + how
            )
        return (
            f"My previous action is invalid.{how} If I want to give the final answer, I should "
            "put the answer between <answer> and </answer>. Let me try again."
        )
