"""The `research` dialect: <search>, <result>, a boxed <answer> (ReSearch, arXiv 2503.19470)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from react_envs.dialects.dialect import Limits
from react_envs.dialects.tags import Tag, TagDialect
from react_envs.tools.tool import Tool
from react_envs.types import ParsedTurn

__all__ = ["ReSearchDialect"]


class ReSearchDialect(TagDialect):
    r"""Reasoning in `<think>`, a query in `<search>`, documents in `<result>`, a boxed `<answer>`.

    Generation stops at `</search>` only, so an answer does not end the turn: what follows it
    stays (`after_answer="keep"`), and the reward `research` judges it. The query begins at the
    last `<search>`. Five documents; no limit of turns, 8,192 tokens for the whole response.

    With `published=True` an empty query is answered "invalid query"; a turn that neither calls nor
    answers, which ends their rollout, is told what to write in both.

    Source: github.com/Agent-RL/ReSearch, branch re-search (vllm_rollout.py, template.py).

    >>> ReSearchDialect().parse(r"<answer> The final answer is \[ \boxed{4} \] </answer>").answer
    '4'
    """

    name = "research"
    documents = "research"
    result = Tag.of("result")
    first_opener = False
    limits = Limits(documents=5)

    def __init__(self, *, after_answer: str = "keep", **options: Any) -> None:
        super().__init__(after_answer=after_answer, **options)

    def instructions(self, tools: Sequence[Tool]) -> str:
        answer = (
            "End with the answer, boxed, inside tags of its own: <answer> The final answer is "
            "\\[ \\boxed{answer here} \\] </answer>."
        )
        if not tools:
            return f"You solve the question step by step, inside <think> and </think>. {answer}"
        return (
            "You solve the question step by step. Think inside <think> and </think>. Where facts "
            "are missing, call a tool; its result is then given to you between <result> and "
            f"</result>, and you think again. {answer}\n\nTools:\n{self.describe(tools)}"
        )

    def prompt(self, instructions: str, question: str) -> str:
        return f"{instructions}\n\nUser: {question.strip()} Assistant:"

    def wrap(self, text: str) -> str:
        return f" <result>\n{text}\n</result>"

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        turn = super().parse(action, before)
        finish_reason = getattr(action, "finish_reason", None)
        if self.published and self._called_for_nothing(turn, finish_reason):
            return replace(turn, error="invalid query")
        return turn

    def write_answer(self, answer: str) -> str:
        return f" The final answer is \\[ \\boxed{{{answer}}} \\] "
