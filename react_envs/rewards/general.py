"""Terms that mean the same in every dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from react_envs.rewards.text import exact_match
from react_envs.types import Episode

__all__ = ["answer_score", "format_score", "tool_use"]


def answer_score(
    episode: Episode, grade: Callable[[str, Sequence[str]], float] = exact_match
) -> float:
    """`grade` of the agent's answer; 0.0 if it gave none."""
    return 0.0 if episode.answer is None else float(grade(episode.answer, episode.gold))


def format_score(episode: Episode) -> float:
    """1.0 if every turn could be parsed, none wrote an observation itself, and one answered."""
    clean = all(t.parse_error is None and not t.fabricated_observation for t in episode.turns)
    return float(clean and episode.answer is not None)


def tool_use(episode: Episode) -> float:
    """1.0 if at least one tool call did what the agent asked."""
    return float(any(turn.tool_ok for turn in episode.turns))
