"""Questions as queries: what each asks for, and all answers that the facts allow.

`solve` returns the set of all answers: a question is sound if there is one, and has no answer
if there is none. None of this sees how a question was drawn.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal, NamedTuple, Protocol

from react_envs.worlds.facts import Facts
from react_envs.worlds.world import Value

__all__ = [
    "Arithmetic",
    "Chain",
    "Comparison",
    "Count",
    "Difference",
    "Listed",
    "Query",
    "Reigning",
    "Shared",
    "Step",
]

Pages = Collection[int]


class Step(NamedTuple):
    """From an entity to the object of a relation, or back from the object to the subject."""

    relation: str
    inverse: bool = False


class Query(Protocol):
    """What a question asks."""

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        """All answers, on the word of all pages but `without`."""
        ...

    @property
    def composition(self) -> tuple[str, ...]:
        """The relations in their order; no composition of several stands in both splits."""
        ...


@dataclass(frozen=True, slots=True)
class Chain:
    """The entity or value at the end of some steps from an entity."""

    start: int
    steps: tuple[Step, ...]

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        reached: set[Value] = {self.start}
        for step in self.steps:
            look_up = facts.subjects if step.inverse else facts.objects
            reached = {far for near in reached for far in look_up(step.relation, near, without)}
        return reached

    def then(self, step: Step) -> Chain:
        """The chain with one more step."""
        return Chain(self.start, (*self.steps, step))

    @property
    def composition(self) -> tuple[str, ...]:
        return tuple(("~" if step.inverse else "") + step.relation for step in self.steps)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a step leads to from that one of two entities which has the larger (smaller) value."""

    two: tuple[Chain, Chain]
    by: str
    larger: bool
    then: Step

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        answers: set[Value] = set()
        for pair in product(*(chain.solve(facts, without) for chain in self.two)):
            values = [facts.objects(self.by, entity, without) for entity in pair]
            for a, b in product(*values):
                if a != b:
                    winner = pair[0] if (int(a) > int(b)) == self.larger else pair[1]
                    answers |= Chain(int(winner), (self.then,)).solve(facts, without)
        return answers

    @property
    def composition(self) -> tuple[str, ...]:
        one, other = self.two
        return (*one.composition, *other.composition, self.by, self.then.relation)


@dataclass(frozen=True, slots=True)
class Listed:
    """The persons in the list of an entity."""

    name: str
    subject: Chain

    def solve(self, facts: Facts, without: Pages = ()) -> list[frozenset[int]]:
        """The lists of all entities that the chain may mean."""
        subjects = self.subject.solve(facts, without)
        found = [facts.members(self.name, subject, without) for subject in subjects]
        return [persons for persons in found if persons is not None]

    @property
    def composition(self) -> tuple[str, ...]:
        return (*self.subject.composition, self.name)


@dataclass(frozen=True, slots=True)
class Shared:
    """Who stands in both of two lists."""

    lists: tuple[Listed, Listed]

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        pairs = product(*(listed.solve(facts, without) for listed in self.lists))
        return {person for one, other in pairs for person in one & other}

    @property
    def composition(self) -> tuple[str, ...]:
        return self.lists[0].composition + self.lists[1].composition


@dataclass(frozen=True, slots=True)
class Count:
    """How many different persons stand in at least one of two lists."""

    lists: tuple[Listed, Listed]

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        pairs = product(*(listed.solve(facts, without) for listed in self.lists))
        return {len(one | other) for one, other in pairs}

    @property
    def composition(self) -> tuple[str, ...]:
        return self.lists[0].composition + self.lists[1].composition


@dataclass(frozen=True, slots=True)
class Reigning:
    """Who ruled a country in the year to which a chain leads."""

    country: Chain
    year: Chain

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        pairs = product(self.country.solve(facts, without), self.year.solve(facts, without))
        return {
            who for country, year in pairs for who in facts.rulers(int(country), int(year), without)
        }

    @property
    def composition(self) -> tuple[str, ...]:
        return (*self.country.composition, "ruler", *self.year.composition)


@dataclass(frozen=True, slots=True)
class Difference:
    """How many years lie between two."""

    years: tuple[Chain, Chain]

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        first, second = (chain.solve(facts, without) for chain in self.years)
        return {abs(int(a) - int(b)) for a, b in product(first, second)}

    @property
    def composition(self) -> tuple[str, ...]:
        return self.years[0].composition + self.years[1].composition


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The sum or product of numbers to which chains lead."""

    operation: Literal["sum", "product"]
    numbers: tuple[Chain, ...]

    def solve(self, facts: Facts, without: Pages = ()) -> set[Value]:
        combine = sum if self.operation == "sum" else prod
        terms = product(*(chain.solve(facts, without) for chain in self.numbers))
        return {combine(int(term) for term in chosen) for chosen in terms}

    @property
    def composition(self) -> tuple[str, ...]:
        return tuple(name for chain in self.numbers for name in chain.composition)
