"""The `recall` dialect: JSON calls in Qwen's chat markers, inside a thought (ReCall)."""

from __future__ import annotations

from dataclasses import replace

from react_envs.dialects.dialect import Limits, check_answer
from react_envs.dialects.hermes import HermesDialect
from react_envs.types import Message, ParsedTurn, ToolCall

__all__ = ["ReCallDialect"]

_END, _START = "<|im_end|>", "<|im_start|>"
_THINK = "<think>"
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_PREFIX = "Error: the tool call is not valid JSON: "


class ReCallDialect(HermesDialect):
    r"""As `hermes`, as one text with the chat template of Qwen in it, and each turn a thought.

    After a result the environment opens the next turn with `<think>`, so the agent goes on
    inside it. The observation repeats a call before its result. A call whose JSON cannot be
    read is answered with `Parse tool call failed: ...`, their words. The first call of a turn
    counts; their code runs all of them. A call whose tags do not pair is an error here and no
    call at all in their code. The turn ends at `<|im_end|>`.

    Source: github.com/Agent-RL/ReSearch, branch main (vllm_rollout_spmd.py, template.py).

    >>> turn = ReCallDialect().parse("so</think> It is \\boxed{4}<|im_end|>", "\n<think>")
    >>> turn.answer
    '4'
    """

    name = "recall"
    stop = (_START, "<tool_response>")
    documents = "research"
    limits = Limits(max_turns=5)

    def prompt(self, instructions: str, question: str) -> str:
        return (
            f"{_START}system\n{instructions}{_END}\n"
            f"{_START}user\n{question}{_END}\n{_START}assistant\n"
        )

    def parse(self, action: str, before: str = "") -> ParsedTurn:
        end = min((p for mark in (_START, _END) if (p := action.find(mark)) >= 0), default=None)
        forged = end is not None and action.startswith(_START, end)
        opened = before.endswith(_THINK) and not action.lstrip().startswith(_THINK)
        # a thought that the environment opened is one that the agent opened, for reading it
        lead = _THINK if opened else ""
        turn = super().parse(lead + action[:end])
        kept = turn.kept[len(lead) :]
        if end is not None and len(kept) == end and not forged:
            kept += _END
        _, _, own_turn = action.partition(_START)
        return replace(
            turn,
            kept=kept,
            dropped=action[len(kept) :],
            error=turn.error and turn.error.replace(_PREFIX, "Parse tool call failed: "),
            fabricated_observation=turn.fabricated_observation or bool(own_turn.strip()),
        )

    def observation(
        self, text: str, kept: str, before: str = "", error: bool = False, note: str = ""
    ) -> str:
        end = "" if kept.endswith(_END) else _END
        said = ("" if error else self._repeated(kept)) + self.guard(text, error, note)
        return (
            f"{end}\n{_START}user\n<tool_response>{said}\n</tool_response>\n{_END}\n"
            f"{_START}assistant\n{_THINK}"
        )

    def _repeated(self, kept: str) -> str:
        """The call of the turn and a line break, or nothing if it has none."""
        start = kept.find(_OPEN)
        close = kept.find(_CLOSE, start)
        if start < 0 or close < 0:
            return ""
        return self.guard(kept[start + len(_OPEN) : close].strip()) + "\n"

    def message(self, text: str, error: bool = False, note: str = "") -> Message:
        content = f"<tool_response>\n{self.guard(text, error, note)}\n</tool_response>"
        return {"role": "user", "content": content}

    def format_call(self, call: ToolCall, thought: str = "", before: str = "") -> str:
        return self._thought(thought, before) + super().format_call(call)

    def format_answer(self, answer: str, thought: str = "", before: str = "") -> str:
        action = self._thought(thought, before) + super().format_answer(answer)
        return check_answer(self.name, answer, self.parse(action, before))

    def _thought(self, thought: str, before: str) -> str:
        lead = "" if before.endswith(_THINK) else _THINK
        return f"{lead}{thought or 'I know what to do.'}</think>\n"
