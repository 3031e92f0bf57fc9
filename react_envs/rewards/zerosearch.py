"""ZeroSearch's reward: word F1 of the last answer. Its "exact match" is substring match.

Source: github.com/Alibaba-NLP/ZeroSearch, verl/utils/reward_score/qa_em.py. F1 has no rule for
"yes" and "no" here, so "yes and no" has a share in both. A response without an answer ends
their scorer with an exception; `zerosearch_score` scores it 0.0 unless `published=True`.
"""

from __future__ import annotations

from collections.abc import Collection

from react_envs.rewards.search_r1 import last_answer
from react_envs.rewards.text import contains_match, f1_score
from react_envs.types import Episode

__all__ = ["zerosearch", "zerosearch_score"]


def zerosearch_score(
    text: str, gold: Collection[str], *, published: bool = False
) -> tuple[float, float]:
    """Substring match and F1 of the last answer of `text`, prompt and response.

    Raises:
        AttributeError: with `published`, if there is no answer, as their code does.

    >>> prompt = "such as <answer> Beijing </answer>."
    >>> zerosearch_score(prompt + "<answer>the city of Paris</answer>", ["Paris"])
    (1.0, 0.5)
    """
    answer = last_answer(text)
    if answer is not None:
        return contains_match(answer, gold), f1_score(answer, gold)
    if published:
        raise AttributeError("'NoneType' object has no attribute 'lower'")
    return 0.0, 0.0


def zerosearch(episode: Episode) -> float:
    """F1 of the agent's answer, the reward of their training script; 0.0 if it gave none."""
    return 0.0 if episode.answer is None else f1_score(episode.answer, episode.gold)
