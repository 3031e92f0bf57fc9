"""Rewards of single turns and of the outcome, as multi-turn GRPO takes them (arXiv 2505.11821).

`tool_execution` and `retrieved` are paid as they come: `EpisodeReward` adds to each step what
it changed of them, so their sum over an episode is their value at its end and a trainer has
both parts, the turns' and the outcome's. The weights of the preset `turn_credit` are theirs.

Source: github.com/SiliangZeng/Multi-Turn-RL-Agent and the XML parser of verifiers that it uses.
Their format has the tags reasoning, tool, answer; here the tags of any dialect with tags will
do, and a dialect without tags scores 0.0 in `xml_format` and `xml_tags`.
"""

from __future__ import annotations

from react_envs.rewards.search_r1 import in_documents
from react_envs.types import Episode

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

_FIELDS = (
    ("think", "reasoning"),
    ("tool", "tool_call", "search", "begin_search", "code", "answer"),
)
"""Tags of each part of a turn; one of each is to be there."""


def tool_execution(episode: Episode) -> float:
    """Share of the calls so far that worked; 0.0 without one."""
    calls = [turn for turn in episode.turns if turn.call is not None]
    return sum(bool(turn.tool_ok) for turn in calls) / len(calls) if calls else 0.0


def retrieved(episode: Episode) -> float:
    """1.0 if a gold answer is in the result of a call so far.

    By its definition this depends on what a tool said. It says nothing about the answer, and
    what an agent writes between the tags of a result is cut and never counted. A tool that
    repeats its input lets the agent earn it: use it with retrieval.
    """
    results = [turn.tool_result for turn in episode.turns if turn.tool_ok and turn.tool_result]
    return float(in_documents(results, episode.gold))


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
    return _mean([_format_of(turn.kept.strip()) for turn in episode.turns])


def _format_of(text: str) -> float:
    present = [any(f"<{tag}>" in text or _close(tag) in text for tag in tags) for tags in _FIELDS]
    closed = any(f"<{tag}>" in text and _close(tag) in text for tags in _FIELDS for tag in tags)
    score = 0.4 * sum(present) / len(_FIELDS) if closed else 0.0
    score += 0.2  # spacing: their parser finds the same fields with and without it
    score += 0.2 * text.startswith(tuple(f"<{tag}>" for tag in _FIELDS[0]))
    return score + 0.2 * text.endswith(tuple(map(_close, _FIELDS[1])))


def xml_tags(episode: Episode) -> float:
    """Mean over the turns: how exactly each tag in use is opened and closed once."""
    return max(0.0, _mean([_tags_of(turn.kept) for turn in episode.turns]))


def _tags_of(text: str) -> float:
    scores = []
    for tag in (tag for tags in _FIELDS for tag in tags):
        opened, closed = text.count(f"<{tag}>"), text.count(_close(tag))
        if opened or closed:
            scores += [1 - abs(opened - 1), 1 - abs(closed - 1)]
    return _mean(scores)


def _close(tag: str) -> str:
    return "</end_search>" if tag == "begin_search" else f"</{tag}>"


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / len(values) if values else 0.0
