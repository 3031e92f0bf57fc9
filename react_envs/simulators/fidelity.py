"""How near a simulator comes to the real tool."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from react_envs.errors import ArgumentError
from react_envs.rewards.text import normalize_answer

__all__ = ["Fidelity", "facts_of", "fidelity"]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Means over calls, in [0, 1]."""

    exact: float
    """Share of results that are the real tool's to the letter, blanks at the ends aside."""
    fact_f1: float
    """F1 of the facts: sentences, of which order, case and punctuation do not count."""
    calls: int


def facts_of(text: str) -> frozenset[str]:
    """The sentences of a result, normalised as answers are.

    >>> sorted(facts_of("Teri person. spouse Misty.\\nmentor Jade."))
    ['mentor jade', 'spouse misty', 'teri person']
    """
    sentences = (normalize_answer(part) for part in re.split(r"(?<=[.!?])\s+|\n+", text))
    return frozenset(sentence for sentence in sentences if sentence)


def fidelity(simulated: Iterable[str], real: Iterable[str]) -> Fidelity:
    """Compare results call by call; a failed call counts as an empty text.

    Raises:
        ArgumentError: if there are none, or not as many of both.

    >>> fidelity(["Teri person. mentor Misty."], ["Teri person. mentor Jade."])
    Fidelity(exact=0.0, fact_f1=0.5, calls=1)
    """
    said, true = list(simulated), list(real)
    if not true or len(said) != len(true):
        raise ArgumentError(
            f"expected as many results of both, at least one, got {len(said)} and {len(true)}"
        )
    pairs = list(zip(said, true, strict=True))
    exact = [ours.strip() == theirs.strip() for ours, theirs in pairs]
    f1 = [_f1(facts_of(ours), facts_of(theirs)) for ours, theirs in pairs]
    return Fidelity(sum(exact) / len(pairs), sum(f1) / len(pairs), len(pairs))


def _f1(ours: frozenset[str], theirs: frozenset[str]) -> float:
    if not ours or not theirs:
        return float(ours == theirs)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))
