"""Exact match and token F1 of short answers, as SQuAD v1.1 defines them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection

from react_envs.errors import ArgumentError

__all__ = [
    "check_targets",
    "contains_match",
    "exact_match",
    "f1_score",
    "f1_with_yes_no",
    "normalize_answer",
]

_DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)
_WHOLE = {"yes", "no", "noanswer"}
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def normalize_answer(text: str) -> str:
    """`text` in lower case, without ASCII punctuation, articles and surplus whitespace.

    The steps come in this order, which matters: "T.H.E" loses its points and then, as
    an article, all its letters. Punctuation outside ASCII and accents stay.

    Source: `normalize_answer` of the SQuAD v1.1 evaluation script (Rajpurkar et al.,
    2016; https://rajpurkar.github.io/SQuAD-explorer/).

    >>> normalize_answer("The  Eiffel-Tower, (a landmark)!")
    'eiffeltower landmark'
    """
    without_punctuation = text.lower().translate(_DELETE_PUNCTUATION)
    return " ".join(_ARTICLE.sub(" ", without_punctuation).split())


def exact_match(prediction: str, targets: Collection[str]) -> float:
    """1.0 if `prediction` equals one of `targets` after `normalize_answer`, else 0.0.

    An answer of nothing but articles and punctuation normalises to the empty string; it
    equals only a target that does the same. No targets at all give 0.0.

    Raises:
        ArgumentError: if `targets` is one string instead of a collection of strings.

    >>> exact_match("the Beatles!", ["Beatles", "The Fab Four"])
    1.0
    >>> exact_match("John Lennon of the Beatles", ["Beatles"])
    0.0
    """
    check_targets(targets)
    answer = normalize_answer(prediction)
    return float(any(answer == normalize_answer(target) for target in targets))


def f1_score(prediction: str, targets: Collection[str]) -> float:
    """Token F1 of `prediction` against the target that it fits best, in [0, 1].

    Words are those of `normalize_answer`, counted with multiplicity. With no common word
    the score is 0.0. That covers every empty side, two empty ones included, as in the
    v1.1 script (SQuAD 2.0 and its unanswerable questions score that case 1.0).
    HotpotQA's extra rule for "yes", "no" and "noanswer" is in `f1_with_yes_no`.

    Raises:
        ArgumentError: if `targets` is one string instead of a collection of strings.

    >>> f1_score("the Eiffel Tower", ["Eiffel Tower, Paris"])
    0.8
    >>> f1_score("", [""])
    0.0
    """
    check_targets(targets)
    words = normalize_answer(prediction).split()
    return max((_bag_f1(words, normalize_answer(t).split()) for t in targets), default=0.0)


def f1_with_yes_no(prediction: str, targets: Collection[str]) -> float:
    """As `f1_score`, but "yes", "no" and "noanswer" are right only as a whole.

    Where either side is one of these words and the other is not the same, the score is 0.0.

    Source: hotpot_evaluate_v1.py of HotpotQA (Yang et al., 2018); ReAct and ReSearch use it.

    >>> f1_with_yes_no("no, Paris", ["no"]), f1_score("no, Paris", ["no"])
    (0.0, 0.6666666666666666)
    """
    check_targets(targets)
    answer = normalize_answer(prediction)
    best = 0.0
    for target in map(normalize_answer, targets):
        if answer == target or not {answer, target} & _WHOLE:
            best = max(best, _bag_f1(answer.split(), target.split()))
    return best


def contains_match(prediction: str, targets: Collection[str]) -> float:
    """1.0 if one of `targets` is a part of `prediction`, both normalised, else 0.0.

    A part of the *text*: "art" is in "Bart". Search-R1 calls this substring match, ZeroSearch
    calls it exact match.

    >>> contains_match("the city of Paris", ["Paris"])
    1.0
    """
    check_targets(targets)
    answer = normalize_answer(prediction)
    return float(any(normalize_answer(target) in answer for target in targets))


def check_targets(targets: Collection[str]) -> None:
    """Raise `ArgumentError` unless `targets` is a collection of strings and not one string.

    A bare string is a sequence of its letters: it would grade in silence, and wrongly.
    """
    if isinstance(targets, (str, bytes)):
        raise ArgumentError(
            f"expected targets to be a sequence of answers, got the single string {targets!r}; "
            f"pass [{targets!r}]"
        )
    if not isinstance(targets, Collection):
        raise ArgumentError(
            f"expected targets to be a sequence of answers, got {targets!r} "
            f"of type {type(targets).__name__}"
        )
    for target in targets:
        if not isinstance(target, str):
            raise ArgumentError(
                f"expected every target to be a str, got {target!r} of type {type(target).__name__}"
            )


def _bag_f1(prediction: list[str], target: list[str]) -> float:
    common = (Counter(prediction) & Counter(target)).total()
    if not common:
        return 0.0
    precision = common / len(prediction)
    recall = common / len(target)
    return 2 * precision * recall / (precision + recall)
