"""ReTool's reward: +1 if the answer is equivalent to the gold one, else -1; format is free.

Source: arXiv 2504.11536 and github.com/ReTool-RL/ReTool, evaluation/eval.py (the training code
is not published): what follows the last "boxed", braces balanced, else the last number. They
compare with symeval; `retool_score` compares with `numeric_match`, or with math-verify if it is
given `math_match`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from react_envs.rewards.numeric import numeric_match
from react_envs.rewards.research import closing_brace
from react_envs.types import Episode

__all__ = ["retool", "retool_answer", "retool_score"]

_NUMBER = re.compile(r"-?\d[\d,]*+(?:\.\d++)?+")


def retool_answer(text: str) -> str | None:
    r"""What `text` answers: the content of its last box, else its last number, else None.

    >>> retool_answer(r"so <answer>\boxed{\frac{1}{2}}</answer>"), retool_answer("it is 1,000.")
    ('\\frac{1}{2}', '1,000')
    """
    start = text.rfind("boxed")
    if start >= 0:
        brace = text.find("{", start)
        end = closing_brace(text, brace) if brace >= 0 else None
        if end is not None:
            return text[brace + 1 : end]
    numbers = _NUMBER.findall(text)
    return numbers[-1].rstrip(",") if numbers else None


def retool_score(
    text: str,
    gold: Collection[str],
    grade: Callable[[str, Collection[str]], float] = numeric_match,
) -> float:
    """1.0 if the answer of `text` is right by `grade`, else -1.0."""
    answer = retool_answer(text)
    return 1.0 if answer is not None and grade(answer, gold) else -1.0


def retool(episode: Episode, grade: Callable[[str, Sequence[str]], float]) -> float:
    """1.0 if the agent's answer is right by `grade`, the data set's own, else -1.0."""
    return 1.0 if episode.answer is not None and grade(episode.answer, episode.gold) else -1.0
