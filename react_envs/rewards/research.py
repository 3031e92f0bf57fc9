r"""ReSearch's reward: 0 for bad format, 0.1 for a wrong answer in good format, else its F1.

Source: github.com/Agent-RL/ReSearch, branch re-search, src/verl/utils/reward_score/re_search.py.
Faults of the published code that `research_score` reproduces:

- it is not monotone: an answer with an F1 below 0.1 scores less than one that is all wrong
  (`monotone=True` gives 0.1 + 0.9 F1 for good format);
- a `<result>` that the agent wrote itself passes (the environment cuts it before scoring);
- `\boxed{\text{Paris}}` is not "Paris"; a box written `\boxed ` reads on to the next dollar.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from react_envs.rewards.general import format_score
from react_envs.rewards.published import Verdict, ended, inside, written_turns
from react_envs.rewards.text import f1_with_yes_no
from react_envs.types import Episode, Turn

__all__ = [
    "closing_brace",
    "published_box",
    "research",
    "research_monotone",
    "research_score",
    "score_box",
]

_RESULT = re.compile(r"(?:</\w{1,80}>)? <result>\n")
FORMAT_SCORE = 0.1
EOS = "<|endoftext|>"


def research_score(
    text: str, gold: Collection[str], *, eos: str = EOS, monotone: bool = False
) -> Verdict:
    """The score of `text`, prompt and response, and the published reason for it.

    The response is what follows the first `<|im_start|>assistant` line, or else the first
    "Assistant:" (up to another one, as in the published code); a text without either is all
    response. It has to end in `eos`.

    >>> response = "<think>t</think><answer>\\\\boxed{Rome}</answer><|endoftext|>"
    >>> research_score("Assistant: " + response, ["Paris"])
    Verdict(value=0.1, reason='wrong answer but good format: Rome')
    """
    return _score(_response(text), gold, eos, monotone)


def _response(text: str) -> str:
    chat = "<|im_start|>assistant\n"
    parts = text.split(chat if chat in text else "Assistant:")
    return parts[1] if len(parts) > 1 else text


def _score(response: str, gold: Collection[str], eos: str, monotone: bool) -> Verdict:
    fault = _format_fault(response)
    if fault is not None:
        return Verdict(0.0, f"bad format: {fault}")
    if not response.endswith(eos):
        return Verdict(0.0, "over length")
    part = next(inside(response.removesuffix(eos), "<answer>", "</answer>"), None)
    if part is None:
        return Verdict(0.0, "cannot extract answer")
    return score_box(part, gold, monotone)


def score_box(part: str, gold: Collection[str], monotone: bool) -> Verdict:
    """The tiers for an answer in good format: what its box holds against `gold`."""
    try:
        answer = published_box(part)
    except ValueError as error:
        return Verdict(0.0, f"find box error: {error}")
    f1 = f1_with_yes_no(answer, gold)
    if monotone:
        return Verdict(FORMAT_SCORE + (1 - FORMAT_SCORE) * f1, f"good format, f1 score: {f1}")
    if f1 > 0:
        return Verdict(f1, f"correct answer, get f1 score: {f1}")
    return Verdict(FORMAT_SCORE, f"wrong answer but good format: {answer}")


def _format_fault(response: str) -> str | None:
    """What is wrong with the format, checked in the published order; None if nothing is."""
    opened, closed = response.count("<think>"), response.count("</think>")
    if opened != closed:
        return "<think> </think> not paired"
    if not opened:
        return "<think> or </think> not found"
    if response.count("<answer>") != 1 or response.count("</answer>") != 1:
        return "<answer> or </answer> not found"
    position = response.find("<search>")
    while position >= 0:
        query_end = response.find("</search>", position)
        result = response.find("<result>", position)
        result_end = response.find("</result>", result)
        if min(query_end, result, result_end) < 0:
            return "search/result tags are incomplete"
        if not query_end < result < result_end:
            return "search/result tags are nested in the wrong order"
        position = response.find("<search>", result_end)
    start, end = response.find("<answer>"), response.find("</answer>")
    if start > end:
        return "<answer> must be before </answer>"
    if "\\boxed{" not in response[start:end] or "}" not in response[start:end]:
        return "answer is missing \\boxed{} format"
    return None


def published_box(text: str) -> str:
    r"""The last box of `text` as ReSearch and ReCall read it (after MATH's own scripts).

    Raises:
        ValueError: with the words of the error that their code catches.

    >>> published_box(r"\boxed{1}, no: \boxed{\frac{1}{2}}.")
    '\\frac{1}{2}'
    """
    if "\\boxed " in text:
        boxed = "\\boxed " + text.split("\\boxed ")[-1].split("$")[0]
        return boxed[len("\\boxed ") :]
    start = text.rfind("\\boxed")
    if start < 0:
        start = text.rfind("\\fbox")
    end = closing_brace(text, start) if start >= 0 else None
    if end is None:
        raise ValueError("argument of type 'NoneType' is not iterable")
    if not text.startswith("\\boxed{", start):
        raise ValueError("")
    return text[start + len("\\boxed{") : end]


def closing_brace(text: str, start: int) -> int | None:
    """Index of the brace at which `text[start:]` is balanced for the first time."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] == "{":
            depth += 1
        elif text[i] == "}":
            depth -= 1
            if depth == 0:
                return i
    return None


def research(episode: Episode, *, monotone: bool = False) -> float:
    """`research_score` of what the agent wrote in the dialect `research`.

    Results count as empty ones, and a turn that did not run out of length as ended. A turn that
    neither called nor answered would have ended the published rollout without an answer: 0. (An
    empty query is answered in a result there, and costs nothing.) In another dialect good format
    is the term `format`, and the tiers are the same.
    """
    if episode.dialect not in ("research", ""):
        return general_tiers(episode, monotone)
    if any(turn.parse_error is not None and not _in_result(turn) for turn in episode.turns[:-1]):
        return 0.0
    text = written_turns(episode, _result)
    if ended(episode) and not text.endswith(EOS):
        text += EOS
    return _score(text, episode.gold, EOS, monotone).value


def research_monotone(episode: Episode) -> float:
    """As `research`, but never less for a better answer: 0.1 + 0.9 F1 in good format."""
    return research(episode, monotone=True)


def general_tiers(episode: Episode, monotone: bool = False) -> float:
    """The tiers of ReSearch and ReCall for an episode in any dialect."""
    if episode.answer is None or not format_score(episode) or not ended(episode):
        return 0.0
    f1 = f1_with_yes_no(episode.answer, episode.gold)
    if monotone:
        return FORMAT_SCORE + (1 - FORMAT_SCORE) * f1
    return f1 or FORMAT_SCORE


def _in_result(turn: Turn) -> bool:
    """Whether the agent got its answer in a result; the environment begins what it got."""
    return turn.call is not None or _RESULT.match(turn.observation) is not None


def _result(turn: Turn) -> str:
    return " <result>\n\n</result>" if _in_result(turn) else "\n"
