"""The `autocoa` dialect: <begin_search> inside the thought (AutoCoA, arXiv 2503.06580)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from react_envs.dialects.dialect import Limits, check_answer
from react_envs.dialects.tags import Tag, TagDialect
from react_envs.tools.tool import Tool
from react_envs.types import ParsedTurn

__all__ = ["AutoCoADialect"]

_END = "</think>"


class AutoCoADialect(TagDialect):
    r"""A long thought with searches in it; after `</think>` the answer in `\boxed{}`.

    The prompt opens `<think>`, and only what comes before the first `</think>` is searched for
    a call: `<begin_search> query </end_search>` (the odd closing tag is theirs). After it the
    turn is the answer: its last box, or all that follows if there is none. (Without a box their
    scorer reads on for "The answer is ..." or a sentence: the reward `autocoa_code` does.)
    Three documents; ten searches, then one that is refused, then the last turn.
    A further tool NAME has the tag `<begin_NAME> ... </end_NAME>`.

    With `published=True` the refusal is in their words. They generate on without a stop
    string and throw the rest away; the stop string here only saves tokens.

    Source: github.com/ADaM-BJTU/AutoCoA (vllm_rollout_coa.py, hotpotqa.py, template.py).

    >>> AutoCoADialect().parse("Who? <begin_search> France </end_search> so").call
    ToolCall(name='search', arguments='France')
    """

    name = "autocoa"
    documents = "autocoa"
    native_tag = Tag("<begin_search>", "</end_search>")
    other_tag = "<begin_{name}> </end_{name}>"
    result = Tag.of("search_result")
    answer = None
    limits = Limits(
        max_turns=12,
        on_limit="refuse",
        note="The limit of calls is reached: no more tools, end the thought and answer.",
        documents=3,
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.published:
            self.limits = replace(self.limits, note="Reach the limit of search times.")

    def instructions(self, tools: Sequence[Tool]) -> str:
        answer = "After </think> write the answer alone, as \\boxed{YOUR_ANSWER}."
        if not tools:
            return f"Think inside <think> and </think>. {answer}"
        return (
            "You reason inside <think> and </think>, and may call tools while you do, never "
            "afterwards. The result is then given to you between <search_result> and "
            f"</search_result>. {answer}\n\nTools:\n{self.describe(tools)}"
        )

    def prompt(self, instructions: str, question: str) -> str:
        return f"<｜User｜>{instructions}\n\n{question.strip()}<｜Assistant｜><think>\n"

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        end, fabricated = self._own_observation(action)
        thought_end = action.find(_END, 0, end)
        ending = self._first_call(action, thought_end if thought_end >= 0 else end)
        if ending is not None:
            return self._called(action, ending, fabricated)
        if thought_end < 0:
            return self._unclosed(action, end, fabricated)
        rest = action[thought_end + len(_END) : end]
        answer = self.read_answer(rest)
        if not answer or (answer == rest.strip() and self._calls_in(rest)):
            return ParsedTurn(action[:end], action[end:], None, None, self.invalid(), fabricated)
        return ParsedTurn(action[:end], action[end:], None, answer, None, fabricated)

    def _calls_in(self, text: str) -> bool:
        return any(tag.open in text for tag in self.tags.values())

    def invalid(self) -> str:
        calls = " or ".join(f"{tag.open} ... {tag.close}" for tag in self.tags.values())
        return (
            f"Error: found no call inside the thought ({calls}) and no answer after </think>. "
            "End the thought with </think> and write the answer in \\boxed{}."
        )

    def wrap(self, text: str) -> str:
        return f"\n\n<search_result> {text} </search_result>\n\n\n\n"

    def write_thought(self, thought: str, before: str) -> str:
        return f"{thought or 'I know what to do.'} "

    def format_answer(self, answer: str, thought: str = "", before: str = "") -> str:
        action = f"{thought or 'I know the answer.'}\n{_END}\n\n\\boxed{{{answer}}}"
        return check_answer(self.name, answer, self.parse(action, before))
