"""ReCall's reward: ReSearch's tiers, with the format checked in every turn of the agent's.

Source: github.com/Agent-RL/ReSearch, branch main, src/verl/utils/reward_score/re_call.py. As
published: the names of a call's keys are looked for in its text before its JSON is read, a call
may be any JSON value, and only the last turn needs a box.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from react_envs.rewards.published import Verdict, ended, inside
from react_envs.rewards.research import general_tiers, score_box
from react_envs.types import Episode

__all__ = ["recall", "recall_score"]

EOS = "<|im_end|>"
_ASSISTANT = "<|im_start|>assistant\n"


def recall_score(text: str, gold: Collection[str], *, eos: str = EOS) -> Verdict:
    r"""The score of `text`, a dialogue in Qwen's chat markers, and the published reason.

    >>> recall_score("<|im_start|>assistant\n<think>t</think> \\boxed{Rome}<|im_end|>", ["Rome"])
    Verdict(value=1.0, reason='correct answer, get f1 score: 1.0')
    """
    if not text.endswith(eos):
        return Verdict(0.0, "not end with eos token")
    turns = list(_turns(text))
    if not turns:
        return Verdict(0.0, "bad format: no assistant response found")
    for turn in turns:
        fault = _turn_fault(turn)
        if fault is not None:
            return Verdict(0.0, f"bad format: {fault}")
    if "\\box" not in turns[-1]:
        return Verdict(0.0, "bad format: the last response is missing \\boxed")
    return score_box(turns[-1], gold, monotone=False)


def _turns(text: str) -> Iterator[str]:
    return (turn.strip() for turn in inside(text, _ASSISTANT, "<|im_end|>"))


def _turn_fault(turn: str) -> str | None:
    opened, closed = turn.count("<think>"), turn.count("</think>")
    if opened != closed:
        return f"<think> and </think> are not paired: think={opened}, think_end={closed}"
    if not opened:
        return "missing <think> tag"
    opened, closed = turn.count("<tool_call>"), turn.count("</tool_call>")
    if opened != closed:
        return (
            f"<tool_call> and </tool_call> are not paired: tool_call={opened}, "
            f"tool_call_end={closed}"
        )
    for call in inside(turn, "<tool_call>", "</tool_call>"):
        call = call.strip()
        if '"name"' not in call or '"arguments"' not in call:
            return "tool_call is missing name or arguments field"
        if not _is_json(call):
            return f"tool_call is not a valid json: {call}"
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):  # their code would die of nesting that is too deep
        return False
    return True


def recall(episode: Episode) -> float:
    """`recall_score` of the agent's turns in the dialect `recall`.

    The `<think>` that the environment opened a turn with belongs to that turn, and a turn that
    did not run out of length has ended. In another dialect good format is the term `format`.
    """
    if episode.dialect not in ("recall", ""):
        return general_tiers(episode)
    text, opened = "", False
    for i, turn in enumerate(episode.turns):
        lead = "<think>" if opened and not turn.kept.lstrip().startswith("<think>") else ""
        last = i == len(episode.turns) - 1
        complete = turn.kept.endswith(EOS) or (last and not ended(episode))
        text += f"{_ASSISTANT}{lead}{turn.kept}" + ("" if complete else EOS)
        opened = turn.observation.endswith("<think>")
    return recall_score(text, episode.gold).value
