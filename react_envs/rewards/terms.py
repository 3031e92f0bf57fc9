"""Named terms of an episode's reward, and presets that weigh them.

A term is a function of the finished `Episode`. It may read what the agent wrote (kept text,
calls, answer) and whether a tool worked, never a tool's text: nothing that a tool printed or
a document said can score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from react_envs.errors import ArgumentError
from react_envs.rewards.math import math_match
from react_envs.rewards.numeric import numeric_match
from react_envs.rewards.text import exact_match, f1_score, f1_with_yes_no
from react_envs.rewards.trivia import triviaqa_f1, triviaqa_match
from react_envs.types import Episode

__all__ = ["GRADERS", "PRESETS", "Term", "answer_score", "format_score", "make_terms", "tool_use"]

Term = Callable[[Episode], float]

GRADERS: dict[str, Callable[[str, Sequence[str]], float]] = {
    "text": exact_match,
    "numeric": numeric_match,
    "math": math_match,
    "hotpotqa": exact_match,
    "triviaqa": triviaqa_match,
    "label": exact_match,
}
"""How a data set compares an answer with the gold ones: the `exact_match` term."""

F1_SCORES: dict[str, Callable[[str, Sequence[str]], float]] = {
    "text": f1_score,
    "hotpotqa": f1_with_yes_no,
    "triviaqa": triviaqa_f1,
}
"""The `f1` term. A number, a formula or a label is one word: half of one is not half right."""

PRESETS: dict[str, dict[str, float]] = {
    "exact_match": {"exact_match": 1.0},
    "f1": {"f1": 1.0},
    "exact_match_format": {"exact_match": 1.0, "format": 0.1},
}
"""Weights of the terms; terms without a weight are reported and do not count."""


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


def make_terms(
    reward: str | Mapping[str, float] | Term, grader: str = "text"
) -> tuple[dict[str, Term], dict[str, float]]:
    """All terms by name, and the weights that `reward` gives to some of them.

    Args:
        reward: a preset's name, weights by term name, or a function of the `Episode`, which
            becomes a term under its own name with weight 1.
        grader: how the data set compares answers, a key of `GRADERS`.

    Raises:
        ArgumentError: for an unknown preset, term or grader.
        MissingExtraError: if the grader needs a package that is not installed.

    >>> terms, weights = make_terms({"exact_match": 1, "format": 0.2})
    >>> sorted(terms), weights
    (['exact_match', 'f1', 'format', 'tool_use'], {'exact_match': 1.0, 'format': 0.2})
    """
    if grader not in GRADERS:
        raise ArgumentError(f"unknown grader {grader!r}; known: {', '.join(GRADERS)}")
    if grader == "math":
        math_match("1", ["1"])  # raises here if its extra is missing, not in an episode
    terms: dict[str, Term] = {
        "exact_match": partial(answer_score, grade=GRADERS[grader]),
        "f1": partial(answer_score, grade=F1_SCORES.get(grader, GRADERS[grader])),
        "format": format_score,
        "tool_use": tool_use,
    }
    if isinstance(reward, str):
        if reward not in PRESETS:
            raise ArgumentError(f"unknown reward {reward!r}; known: {', '.join(PRESETS)}")
        reward = PRESETS[reward]
    if callable(reward):
        name = getattr(reward, "__name__", type(reward).__name__)
        if name in terms:
            raise ArgumentError(f"a reward function needs a name of its own, {name!r} is taken")
        return {**terms, name: reward}, {name: 1.0}
    if not isinstance(reward, Mapping):
        raise ArgumentError(
            f"reward must be a preset's name, weights by term, or a function, actually: {reward!r}"
        )
    for name in reward:
        if name not in terms:
            raise ArgumentError(f"unknown reward term {name!r}; known: {', '.join(terms)}")
        if not isinstance(reward[name], int | float):
            raise ArgumentError(f"the weight of {name!r} must be a number, got {reward[name]!r}")
    return terms, {name: float(weight) for name, weight in reward.items()}
