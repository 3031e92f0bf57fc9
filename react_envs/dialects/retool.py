"""The `retool` dialect: Python in <code>, output in <interpreter> (ReTool, arXiv 2504.11536)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from react_envs.dialects.dialect import Limits
from react_envs.dialects.tags import Tag, TagDialect
from react_envs.rewards.boxed import extract_boxed
from react_envs.rewards.retool import retool_answer
from react_envs.tools.tool import Tool
from react_envs.types import ParsedTurn

__all__ = ["ReToolDialect"]

HALF = 200
"""Characters of either end that stay of a longer output."""


class ReToolDialect(TagDialect):
    r"""A fenced program in `<code>`, its output in `<interpreter>`, a boxed `<answer>`.

    The program is what follows the last ```` ```python ```` of the tag, or all of it. Outputs
    of more than 400 characters keep 200 at either end. A turn without code that holds a box
    is an answer, whether the box is in `<answer>` or not. No limit of turns.

    With `published=True`, as in their code: every backtick is taken out of the program; an empty
    program is answered "None"; and a turn without code is an answer if it holds a number, of
    which the last one counts. Here such a turn is told to box its answer.

    Source: github.com/ReTool-RL/ReTool (evaluation/eval.py, executor.py).

    >>> ReToolDialect().parse("<code>\n```python\nprint(1)\n```\n</code>").call
    ToolCall(name='python', arguments='print(1)')
    """

    name = "retool"
    documents = "plain"
    native_tool = "python"
    native_tag = Tag.of("code")
    result = Tag.of("interpreter")
    first_opener = False
    limits = Limits(observation="403 characters")

    def instructions(self, tools: Sequence[Tool]) -> str:
        answer = "Write the final answer as <answer>\n\\boxed{the answer alone}\n</answer>."
        if not tools:
            return f"Solve the problem step by step. {answer}"
        code = (
            " Python goes into a fence, and what it prints is what you see:\n"
            "<code>\n```python\nprint(...)\n```\n</code>"
            if self.native_tool in self.tags
            else ""
        )
        return (
            "Solve the problem step by step. You may call tools on the way; their output is given "
            "to you between <interpreter> and </interpreter>, and you go on from there."
            f"{code}\n\n{answer}\n\nTools:\n{self.describe(tools)}"
        )

    def prompt(self, instructions: str, question: str) -> str:
        return f"{instructions}\n\nUser question:\n{question.strip()}\n\n"

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        turn = super().parse(action, before)
        finish_reason = getattr(action, "finish_reason", None)
        if self.published and self._called_for_nothing(turn, finish_reason):
            return replace(turn, error="None")
        if turn.error is None or any(tag.open in turn.kept for tag in self.tags.values()):
            return turn
        read = retool_answer if self.published else extract_boxed
        answer = (read(turn.kept) or "").strip()
        return replace(turn, answer=answer, error=None) if answer else turn

    def read_body(self, tool: str, text: str) -> str:
        if self.tags.get(tool) != self.native_tag or text.lstrip().startswith("{"):
            return text.strip()
        _, fence, code = text.rpartition("```python")
        if self.published:
            return code.replace("`", "").strip()
        if not fence:
            return text.strip()
        code = code.rstrip()
        return code.removesuffix("```").rstrip(" \t").strip("\n")

    def write_body(self, tool: str, text: str) -> str:
        return f"\n```python\n{text}\n```\n" if tool == self.native_tool else f" {text} "

    def write_thought(self, thought: str, before: str) -> str:
        return f"{thought}\n" if thought else ""

    def write_answer(self, answer: str) -> str:
        return f"\n\\boxed{{{answer}}}\n"

    def wrap(self, text: str) -> str:
        return f"\n<interpreter>\n{text}</interpreter>\n\n"

    def _observed(self, text: str, note: str) -> str:
        if len(text) > 2 * HALF:
            text = f"{text[:HALF]}...{text[-HALF:]}"
        return super()._observed(text, note)
