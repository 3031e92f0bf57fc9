"""AutoCoA's rewards: exact match with a format check (paper), and what its code does.

Source: github.com/ADaM-BJTU/AutoCoA, RL_training/verl/utils/reward_score/hotpotqa.py. The code
is not exact match: 70 % of the gold answer's words, in any order, are right, while an answer
that contains the gold one, or is part of it, is wrong. It reads prompt and response together,
and the prompt holds `<think></think>` and a box, so its format check never fails in training;
in an episode it sees the response alone.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator

from react_envs.rewards.general import format_score
from react_envs.rewards.published import written_turns
from react_envs.rewards.text import exact_match
from react_envs.types import Episode, Turn

__all__ = ["autocoa_code", "autocoa_code_score", "autocoa_strict", "autocoa_strict_score"]

SEPARATOR = "<ans_split>"
"""Between the aliases of a gold answer, in their data."""
ENOUGH_WORDS = 0.7

_DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_BRACKET = re.compile("[「」『』]")
_DIGIT = re.compile(r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine)\b")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_FILLER = re.compile(r"\b(?:well|so|basically|actually|literally|simply|just|um|uh)\b")
_SAID = re.compile(
    r"(?:The answer is|Therefore,|Thus,|So,|In conclusion,|Hence,)[:\s]+([^.]+)", re.IGNORECASE
)


def autocoa_code_score(text: str, gold: str | Collection[str]) -> float:
    r"""1.0 or 0.0 for `text`, as the published code scores it.

    Args:
        text: the response, or prompt and response.
        gold: the gold answer with its aliases, as one text with `<ans_split>` or as several.

    >>> autocoa_code_score(r"t</think>\boxed{John Fitzgerald Kennedy}", "Kennedy John Fitzgerald")
    1.0
    >>> autocoa_code_score(r"t</think>\boxed{Paris, France}", "Paris")
    0.0
    """
    aliases = gold.split(SEPARATOR) if isinstance(gold, str) else gold
    if not text or not _in_format(text):
        return 0.0
    answer = _extract(text)
    return 0.0 if answer is None else _accepted(answer, aliases)


def autocoa_strict_score(text: str, gold: str | Collection[str]) -> float:
    r"""1.0 if the boxed answer after the thought is a gold one exactly, else 0.0.

    A text in bad format (no `</think>`, a search after it, no box) scores 0.0: the paper names
    a format penalty and gives no number for it.

    >>> autocoa_strict_score(r"t</think>\boxed{Kennedy John}", "John Kennedy")
    0.0
    """
    aliases = gold.split(SEPARATOR) if isinstance(gold, str) else gold
    boxes = list(_boxes(text.rsplit("</think>", 1)[-1]))
    if not _in_format(text) or not boxes:
        return 0.0
    return exact_match(boxes[-1], list(aliases))


def _in_format(text: str) -> bool:
    _, ended, rest = text.rpartition("</think>")
    return bool(ended) and "<begin_search>" not in rest


def _extract(text: str) -> str | None:
    """The answer after the thought: last box, or what is announced, or a sentence."""
    text = text.rpartition("</think>")[2].strip()
    if not text:
        return None
    boxes = list(_boxes(text))
    if boxes:
        return boxes[-1]
    said = _SAID.search(text)
    if said is not None:
        return said[1]
    sentences = text.split(".")
    return sentences[-2] if len(sentences) > 1 else sentences[-1]


def _boxes(text: str) -> Iterator[str]:
    r"""Boxes as `\\boxed{([^}]*)}` finds them: up to the first closing brace."""
    opening, position = "\\boxed{", 0
    while (start := text.find(opening, position)) >= 0:
        position = text.find("}", start)
        if position < 0:
            return
        yield text[start + len(opening) : position]


def _normalize(text: str) -> str:
    text = _ARTICLE.sub(" ", text.strip().lower().translate(_DELETE_PUNCTUATION))
    text = _DIGIT.sub(lambda word: str(_DIGITS.index(word[0])), _BRACKET.sub("", text))
    return " ".join(_FILLER.sub(" ", text).split())


def _accepted(answer: str, aliases: Collection[str]) -> float:
    words = _normalize(answer)
    return float(any(_accepts(words, _normalize(alias)) for alias in aliases if alias))


def _accepts(answer: str, gold: str) -> bool:
    if answer == gold:
        return True
    if gold in answer or answer in gold:
        return False
    words = set(gold.split())
    return len(words & set(answer.split())) >= len(words) * ENOUGH_WORDS


def autocoa_code(episode: Episode) -> float:
    """`autocoa_code_score` of what the agent wrote in the dialect `autocoa`.

    In another dialect the agent's answer is compared as it compares them, if the format is good.
    """
    if episode.dialect in ("autocoa", ""):
        return autocoa_code_score(written_turns(episode, _nothing), episode.gold)
    return _accepted(episode.answer or "", episode.gold) if format_score(episode) else 0.0


def autocoa_strict(episode: Episode) -> float:
    """`autocoa_strict_score` of what the agent wrote in the dialect `autocoa`.

    In another dialect it is exact match, if the format is good.
    """
    if episode.dialect in ("autocoa", ""):
        return autocoa_strict_score(written_turns(episode, _nothing), episode.gold)
    return exact_match(episode.answer or "", episode.gold) if format_score(episode) else 0.0


def _nothing(turn: Turn) -> str:
    return "\n\n"
