"""Rewards of single turns and of the outcome, as multi-turn GRPO takes them (arXiv 2505.11821).

`tool_execution` and `retrieved` are paid as they come: `EpisodeReward` adds to each step what
it changed of them, so their sum over an episode is their value at its end and a trainer has
both parts, the turns' and the outcome's. The weights of the preset `turn_credit` are theirs.

Source: github.com/SiliangZeng/Multi-Turn-RL-Agent and the XML parser of verifiers that it uses.
Their format has the tags reasoning, tool, answer; here the tags of any dialect with tags will
do, those of the tools that were called included, and a dialect without tags (`react`,
`react_paper`) scores 0.0 in `xml_format` and `xml_tags`. A stop string that the engine left out
counts as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from react_envs.rewards.published import closed
from react_envs.rewards.text import normalize_answer
from react_envs.types import Episode, Turn

__all__ = [
    "PAID_PER_TURN",
    "answer_present",
    "literal_match",
    "retrieved",
    "tool_execution",
    "xml_format",
    "xml_tags",
]

PAID_PER_TURN = frozenset({"tool_execution", "retrieved"})
"""Terms whose change is the reward of a step."""

_REASONING = ("think", "reasoning")
_CALLS = ("tool", "tool_call", "search", "begin_search", "code")
_WITHOUT_TAGS = ("react", "react_paper")
_ACTION = re.compile(r"^[ \t*]{0,8}Action[ \t]?\d{0,4}:", re.MULTILINE)


def _call_tags(episode: Episode) -> tuple[str, ...]:
    """Tags that call a tool: the known ones, and those of the tools called in the episode."""
    names = {turn.call.name for turn in episode.turns if turn.call is not None}
    return (*_CALLS, *sorted(names), *sorted(f"begin_{name}" for name in names))


def tool_execution(episode: Episode) -> float:
    """Share of the calls so far that worked; 0.0 without one.

    A call that could not be read counts as one that did not work; an answer by a call does not
    count.
    """
    tags = _call_tags(episode)
    calls = [turn for turn in episode.turns if turn.answer is None and _attempted(turn, tags)]
    return sum(bool(turn.tool_ok) for turn in calls) / len(calls) if calls else 0.0


def _attempted(turn: Turn, tags: Iterable[str]) -> bool:
    if turn.call is not None or turn.parse_error is None:
        return turn.call is not None
    return any(f"<{tag}>" in turn.kept for tag in tags) or bool(_ACTION.search(turn.kept))


def retrieved(episode: Episode) -> float:
    """1.0 if a gold answer is in the result of a call so far.

    By its definition this depends on what a tool said. It says nothing about the answer, and
    what an agent writes between the tags of a result is cut and never counted. A tool that
    repeats its input lets the agent earn it: use it with retrieval. Whole words count: "us" is
    not in "museum".
    """
    results = [turn.tool_result for turn in episode.turns if turn.tool_ok and turn.tool_result]
    return float(any(_mentions(text, gold) for text in results for gold in episode.gold))


def _mentions(text: str, gold: str) -> bool:
    """Whether the words of `gold` stand in `text`, as written or normalised; never no words."""
    words = normalize_answer(gold)
    if not words:
        return False
    literal = rf"(?<!\w){re.escape(gold.strip())}(?!\w)"
    return f" {words} " in f" {normalize_answer(text)} " or bool(
        re.search(literal, text, re.IGNORECASE)
    )


def answer_present(episode: Episode) -> float:
    """1.0 if the agent gave an answer."""
    return float(episode.answer is not None)


def literal_match(episode: Episode) -> float:
    """1.0 if the answer is a gold one but for case and blanks at its ends."""
    answer = (episode.answer or "").strip().lower()
    return float(episode.answer is not None and answer in {g.strip().lower() for g in episode.gold})


def xml_format(episode: Episode) -> float:
    """Mean over the turns, in [0, 1]: both parts present 0.4 (one: 0.2), spacing 0.2, begins
    with the first part 0.2, ends with the second 0.2."""
    if episode.dialect in _WITHOUT_TAGS:
        return 0.0
    ends = (*_call_tags(episode), "answer")
    return _mean([_format_of(_written(turn).strip(), ends) for turn in episode.turns])


def _written(turn: Turn) -> str:
    """What the agent wrote, with the stop string that its engine left out."""
    text = closed(turn)
    unclosed = turn.answer is not None and text.rfind("<answer>") > text.rfind("</answer>")
    return text + "</answer>" if unclosed else text


def _format_of(text: str, ends: tuple[str, ...]) -> float:
    fields = (_REASONING, ends)  # the parts of a turn; one tag of each is to be there
    present = [any(f"<{tag}>" in text or _close(tag) in text for tag in tags) for tags in fields]
    paired = any(f"<{tag}>" in text and _close(tag) in text for tags in fields for tag in tags)
    score = 0.4 * sum(present) / len(fields) if paired else 0.0
    score += 0.2  # spacing: their parser finds the same fields with and without it
    score += 0.2 * text.startswith(tuple(f"<{tag}>" for tag in _REASONING))
    return score + 0.2 * text.endswith(tuple(map(_close, ends)))


def xml_tags(episode: Episode) -> float:
    """Mean over the turns: how exactly each tag in use is opened and closed once."""
    if episode.dialect in _WITHOUT_TAGS:
        return 0.0
    tags = dict.fromkeys((*_REASONING, *_call_tags(episode), "answer"))
    return max(0.0, _mean([_tags_of(_written(turn), tags) for turn in episode.turns]))


def _tags_of(text: str, tags: Iterable[str]) -> float:
    scores = []
    for tag in tags:
        opened, closed = text.count(f"<{tag}>"), text.count(_close(tag))
        if opened or closed:
            scores += [1 - abs(opened - 1), 1 - abs(closed - 1)]
    return _mean(scores)


def _close(tag: str) -> str:
    return f"</{tag.replace('begin_', 'end_', 1)}>"


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / len(values) if values else 0.0
