"""Questions in words: noun phrases nested as deep as the chain is long, or terse labels."""

from __future__ import annotations

from collections.abc import Callable

from react_envs.worlds.draw import Draft
from react_envs.worlds.queries import (
    Arithmetic,
    Chain,
    Comparison,
    Count,
    Difference,
    Listed,
    Query,
    Reigning,
    Shared,
    Step,
)
from react_envs.worlds.relation import Wordings, wordings
from react_envs.worlds.relations import KINDS, LISTS, RELATIONS
from react_envs.worlds.world import World
from react_envs.worlds.writing import terse_label

__all__ = ["ask", "ask_tersely"]

_VALUE = wordings("What is {np}?", "Tell me {np}.", "Find out {np}.", "Give {np}.")
_LISTS_BY_NAME = {persons.name: persons for persons in LISTS}
_COMPARISON = wordings(
    "Take that one of {a} and {b} which {more}: {question}",
    "{a} or {b}: think of the one that {more}. {question}",
    "Consider whichever of {a} and {b} {more}. {question}",
    "Of the two, {a} and {b}, choose the one that {more}. {question}",
)
_SHARED = wordings(
    "Who {one} and also {other}?", "Which person {one} and {other}?",
    "Name the person who {one} and {other}.", "Find the one who {one} and who also {other}.",
)  # fmt: skip
_COUNT = wordings(
    "How many different people {one} or {other}, or both?",
    "Count all people who {one} or {other}.",
    "What is the number of different people who {one} or {other}?",
    "Those who {one} or {other}: how many people are they?",
)  # fmt: skip
_REIGN = wordings(
    "Who ruled {country} in {year}?", "In {year}, who was the ruler of {country}?",
    "Who held power in {country} in {year}?", "Name the one who governed {country} in {year}.",
)  # fmt: skip
_DIFFERENCE = wordings(
    "How many years lie between {one} and {other}?",
    "How many years are {one} and {other} apart?",
    "By how many years do {one} and {other} differ?",
    "Give the number of years that lie between {one} and {other}.",
)  # fmt: skip
_SUM = wordings(
    "What is the sum of {numbers}?", "Add up {numbers}.",
    "What do you get when you add {numbers}?", "Give the total of {numbers}.",
)  # fmt: skip
_PRODUCT = wordings(
    "What is the product of {numbers}?", "Multiply {numbers}.",
    "What do you get when you multiply {numbers}?",
    "Give the result of the multiplication of {numbers}.",
)  # fmt: skip


def ask(world: World, draft: Draft, random: Callable[[], float]) -> str:
    """The question of a draft in prose, in a wording of the world's split."""
    text = _Asker(world, random).ask(draft.query, draft.kind)
    return text[0].upper() + text[1:]


class _Asker:
    def __init__(self, world: World, random: Callable[[], float]) -> None:
        self._world, self._random = world, random

    def ask(self, query: Query, kind: str) -> str:
        match query:
            case Chain():
                return self._question(kind, self._phrase(query))
            case Comparison(two, by, larger, then):
                a, b = map(self._phrase, two)
                more = RELATIONS[by].more
                assert more is not None
                that = KINDS[RELATIONS[by].subject].that
                question = self._question(kind, self._step(then, that))
                return self._pick(_COMPARISON).format(
                    a=a, b=b, more=self._pick(more[larger]), question=question
                )
            case Shared(lists):
                return self._lists(_SHARED, lists)
            case Count(lists):
                return self._lists(_COUNT, lists)
            case Reigning(country, year):
                text = self._pick(_REIGN)
                return text.format(country=self._phrase(country), year=self._phrase(year))
            case Difference(years):
                one, other = map(self._phrase, years)
                return self._pick(_DIFFERENCE).format(one=one, other=other)
            case Arithmetic(operation, numbers):
                phrases = [self._phrase(chain) for chain in numbers]
                listed = f"{', '.join(phrases[:-1])} and {phrases[-1]}"
                return self._pick(_SUM if operation == "sum" else _PRODUCT).format(numbers=listed)
        raise AssertionError(f"no words for {query!r}")

    def _question(self, kind: str, phrase: str) -> str:
        return self._pick(KINDS[kind].who if kind in KINDS else _VALUE).format(np=phrase)

    def _phrase(self, chain: Chain) -> str:
        text = self._title(chain.start)
        for step in chain.steps:
            text = self._step(step, text)
        return text

    def _step(self, step: Step, of: str) -> str:
        relation = RELATIONS[step.relation]
        phrases = relation.phrase
        if step.inverse:
            assert relation.inverse is not None
            phrases = relation.inverse.phrase
        text = self._pick(phrases).format(x=of)
        return text.replace("the the ", "the ").replace("the that ", "that ")

    def _lists(self, texts: Wordings, lists: tuple[Listed, Listed]) -> str:
        one, other = (
            self._pick(_LISTS_BY_NAME[listed.name].did).format(x=self._phrase(listed.subject))
            for listed in lists
        )
        return self._pick(texts).format(one=one, other=other).replace("the the ", "the ")

    def _title(self, entity: int) -> str:
        return self._world.titles[entity]

    def _pick(self, texts: Wordings) -> str:
        options = texts.of(self._world.spec.split)
        return options[int(self._random() * len(options))]


def ask_tersely(world: World, draft: Draft) -> str:
    """The question in as few words as a tiny model needs: `Teri mentor birthplace?`"""
    return f"{_tersely(world, draft.query)}?"


def _tersely(world: World, query: Query) -> str:
    def tersely(chain: Chain) -> str:
        return _tersely(world, chain)

    def listed(persons: Listed) -> str:
        return f"{tersely(persons.subject)} {persons.name}"

    match query:
        case Chain(start, steps):
            return " ".join([world.titles[start], *(terse_label(*step) for step in steps)])
        case Comparison((a, b), by, larger, then):
            measure = "more" if larger else "less"
            return f"{tersely(a)} or {tersely(b)} {measure} {by} {terse_label(*then)}"
        case Shared((one, other)):
            return f"{listed(one)} and {listed(other)}"
        case Count((one, other)):
            return f"count {listed(one)} or {listed(other)}"
        case Reigning(country, year):
            return f"{tersely(country)} ruler at {tersely(year)}"
        case Difference((one, other)):
            return f"{tersely(one)} minus {tersely(other)}"
        case Arithmetic(operation, numbers):
            joined = " plus " if operation == "sum" else " times "
            return joined.join(map(tersely, numbers))
    raise AssertionError(f"no words for {query!r}")
