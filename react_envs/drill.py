"""The four functions of the "ReAct tool call loop" drill, each a few lines over what is here.

    parse_react_step      one turn of Thought / Action / Action Input / Final Answer
    run_react_loop        think, act, observe, until an answer or the last step
    build_sft_labels      labels that train the agent's tokens only (react_envs.training)
    masked_cross_entropy  their loss (react_envs.training, needs torch)

Names, fields and messages are the drill's (github.com/fzhiy/agent-post-training-playbook,
drills/react-tool-call-loop). Its four faults are mended by the dialect and the tools beneath:
an observation that the model writes itself is cut and never trained; `Final Answer:` counts at
the start of a line, so a thought may mention it; an exception inside a tool is an observation;
an Action without an Action Input is an error and calls nothing.

The environments do the same and more; this module is for reading and for comparing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from react_envs.dialects.react import ReactDialect, fields_of
from react_envs.tools.tool import Tool, call_tool

__all__ = [
    "ReActStep",
    "Trajectory",
    "build_sft_labels",  # noqa: F822 - from react_envs.training, when asked for
    "masked_cross_entropy",  # noqa: F822
    "parse_react_step",
    "run_react_loop",
]

_UNREADABLE = "Error: could not parse an Action or Final Answer"


@dataclass(frozen=True, slots=True)
class ReActStep:
    """One turn of the model: an action, a final answer, or neither (then `error` says why)."""

    thought: str
    action: str | None
    action_input: str | None
    final_answer: str | None
    is_final: bool
    error: str | None = None
    fabricated_observation: bool = False
    """The model wrote an observation itself; it is not part of the transcript."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """An episode: its text, and whose each piece of it is."""

    transcript: str
    steps: list[ReActStep]
    calls: list[tuple[str | None, str | None, str]]
    """Tool, input and observation of each turn without an answer; no tool for a bad turn."""
    final_answer: str | None
    stop_reason: str
    """`"final_answer"` or `"max_steps"`."""
    segments: list[tuple[str, str]] = field(default_factory=list)
    """Pieces of the transcript with their role: prompt, agent or observation."""


def parse_react_step(text: str) -> ReActStep:
    """Read one turn. A final answer wins over an action and is the rest of its line.

    >>> parse_react_step("Thought: add\\nAction: calc\\nAction Input: 2 + 3\\n").action_input
    '2 + 3'
    """
    step, _ = _read(text)
    return step


def _read(text: str) -> tuple[ReActStep, str]:
    """The step, and the part of `text` that stays in the transcript."""
    turn = ReactDialect().parse(text)
    answer = None if turn.answer is None else turn.answer.partition("\n")[0].strip()
    step = ReActStep(
        thought=_thought(turn.kept),
        action=turn.call.name if turn.call else None,
        action_input=str(turn.call.arguments) if turn.call else None,
        final_answer=answer,
        is_final=answer is not None,
        error=turn.error,
        fabricated_observation=turn.fabricated_observation,
    )
    return step, turn.kept


def _thought(text: str) -> str:
    fields = list(fields_of(text, 0, len(text)))
    for i, found in enumerate(fields):
        if found.name == "Thought":
            end = fields[i + 1].start if i + 1 < len(fields) else len(text)
            return text[found.content : end].strip()
    return ""


def run_react_loop(
    llm: Callable[[str], str],
    tools: Mapping[str, Callable[[str], Any]],
    question: str,
    *,
    max_steps: int = 8,
    observation_prefix: str = "Observation: ",
) -> Trajectory:
    """Play an episode with `llm`, which completes the transcript, until it answers.

    Args:
        llm: the next turn from the transcript; give its engine the stop string
            "\\nObservation:" (what it writes from there on is cut in any case).
        tools: functions of one text, by name.
        question: what is asked.
        max_steps: turns until the loop gives up.
        observation_prefix: what a result begins with.

    >>> replies = iter(["Action: add\\nAction Input: 2 3\\n", "Final Answer: 5"])
    >>> add = lambda text: sum(map(int, text.split()))
    >>> run_react_loop(lambda prompt: next(replies), {"add": add}, "2 + 3?").calls
    [('add', '2 3', '5')]
    """
    dialect = ReactDialect()
    segments = [(f"Question: {question}\n", "prompt")]
    steps: list[ReActStep] = []
    calls: list[tuple[str | None, str | None, str]] = []
    stop_reason, answer = "max_steps", None
    for _ in range(max_steps):
        step, kept = _read(llm(_join(segments)))
        steps.append(step)
        segments.append((kept, "agent"))
        if step.is_final:
            stop_reason, answer = "final_answer", step.final_answer
            break
        observation = dialect.guard(_observe(step, tools))
        calls.append((step.action, step.action_input, observation))
        line_break = "" if kept.endswith("\n") else "\n"
        segments.append((f"{line_break}{observation_prefix}{observation}\n", "observation"))
    return Trajectory(_join(segments), steps, calls, answer, stop_reason, segments)


def _observe(step: ReActStep, tools: Mapping[str, Callable[[str], Any]]) -> str:
    if step.action is None:
        return _UNREADABLE if "neither" in (step.error or "") else step.error or _UNREADABLE
    if step.action not in tools:
        return f"Error: unknown tool '{step.action}'"
    return call_tool(_TextTool(step.action, tools[step.action]), {"text": step.action_input}).text


class _TextTool(Tool):
    """A function of one text as a tool, so that whatever it raises becomes text."""

    def __init__(self, name: str, function: Callable[[str], Any]) -> None:
        self.name = name
        self.function = function

    def __call__(self, text: str) -> str:
        """Call the function."""
        return str(self.function(text))


def _join(segments: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in segments)


def __getattr__(name: str) -> Any:
    if name in ("build_sft_labels", "masked_cross_entropy"):
        return getattr(importlib.import_module("react_envs.training"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
