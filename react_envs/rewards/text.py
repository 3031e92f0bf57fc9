"""Exact match and token F1 of short answers, as the official scripts define them.

SQuAD v1.1 (also NQ-open, PopQA, Bamboogle, MuSiQue), HotpotQA (also 2WikiMultihopQA), TriviaQA.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection

from react_envs.errors import ArgumentError

__all__ = [
    "check_targets",
    "exact_match",
    "f1_score",
    "hotpotqa_f1",
    "normalize_answer",
    "normalize_trivia",
    "triviaqa_f1",
    "triviaqa_match",
]

_DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_TRIVIA_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation + "‘’´`", " "))
_CLOSED_ANSWERS = frozenset({"yes", "no", "noanswer"})


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
    HotpotQA's extra rule for "yes", "no" and "noanswer" is that of `hotpotqa_f1`.

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


def hotpotqa_f1(prediction: str, targets: Collection[str]) -> float:
    """As `f1_score`, but "yes", "no" and "noanswer" are right as a whole or not at all.

    Source: `f1_score` of hotpot_evaluate_v1.py (Yang et al., 2018), which 2WikiMultihopQA's
    script shares; ReAct and ReSearch have it too.

    >>> hotpotqa_f1("no", ["no it is not"]), f1_score("no", ["no it is not"])
    (0.0, 0.4)
    """
    check_targets(targets)
    answer = normalize_answer(prediction)
    scores = [0.0]
    for target in map(normalize_answer, targets):
        if answer == target or _CLOSED_ANSWERS.isdisjoint((answer, target)):
            scores.append(_bag_f1(answer.split(), target.split()))
    return max(scores)


def normalize_trivia(text: str) -> str:
    """`text` as TriviaQA compares it: punctuation, underscores included, becomes blanks.

    Four quotation marks outside ASCII count as punctuation. Source: `normalize_answer` of
    TriviaQA's triviaqa_evaluation.py (Joshi et al., 2017).

    >>> normalize_trivia("The_Rolling-Stones’"), normalize_answer("The_Rolling-Stones’")
    ('rolling stones', 'therollingstones’')
    """
    without_punctuation = text.lower().translate(_TRIVIA_PUNCTUATION)
    return " ".join(_ARTICLE.sub(" ", without_punctuation).split())


def triviaqa_match(prediction: str, targets: Collection[str]) -> float:
    """1.0 if `prediction` equals one of the aliases after `normalize_trivia`, else 0.0."""
    check_targets(targets)
    answer = normalize_trivia(prediction)
    return float(any(answer == normalize_trivia(target) for target in targets))


def triviaqa_f1(prediction: str, targets: Collection[str]) -> float:
    """Token F1 against the alias that fits best, over words of `normalize_trivia`."""
    check_targets(targets)
    words = normalize_trivia(prediction).split()
    return max((_bag_f1(words, normalize_trivia(t).split()) for t in targets), default=0.0)


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
