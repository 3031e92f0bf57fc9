"""Exact match and F1 of TriviaQA, whose script normalises in its own way."""

from __future__ import annotations

import re
import string
from collections.abc import Collection

from react_envs.rewards.text import check_targets, exact_match, f1_score

__all__ = ["normalize_trivia", "triviaqa_f1", "triviaqa_match"]

_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "‘’´`", " "))
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def normalize_trivia(text: str) -> str:
    """`text` as TriviaQA compares it: punctuation, underscores included, becomes blanks.

    Four quotation marks outside ASCII count as punctuation; SQuAD's script deletes punctuation
    instead. Source: `normalize_answer` of triviaqa_evaluation.py (Joshi et al., 2017).

    >>> normalize_trivia("The_Rolling-Stones’")
    'rolling stones'
    """
    without_punctuation = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLE.sub(" ", without_punctuation).split())


def triviaqa_match(prediction: str, targets: Collection[str]) -> float:
    """1.0 if `prediction` equals one of the aliases after `normalize_trivia`, else 0.0."""
    check_targets(targets)
    return exact_match(normalize_trivia(prediction), [normalize_trivia(t) for t in targets])


def triviaqa_f1(prediction: str, targets: Collection[str]) -> float:
    """Token F1 against the alias that fits best, over words of `normalize_trivia`."""
    check_targets(targets)
    return f1_score(normalize_trivia(prediction), [normalize_trivia(t) for t in targets])
