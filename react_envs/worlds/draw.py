"""Drawing questions: a walk through the facts, and the proof that its end is the only answer."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from react_envs.worlds.encyclopedia import Encyclopedia, leads_on
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
from react_envs.worlds.relations import RELATIONS, RELATIONS_OF, RULER
from react_envs.worlds.world import Statement, Value

__all__ = ["TYPES", "Draft", "Drawer"]

T = TypeVar("T")

_MOST_DRAWS = 3_000
_Pointers = tuple[Statement | None, Statement | None]
_Named = tuple[tuple[Chain, Chain], tuple[Statement, ...]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A question before it is worded."""

    type: str
    query: Query
    answer: Value | None
    """None if the encyclopedia does not tell it."""
    kind: str
    """Kind of the answer: of an entity, `"year"`, `"number"` or `"word"`."""
    reading: tuple[Statement, ...]
    """What a reader must find, in a sensible order. No page can be left out."""
    missing: tuple[int, str] | None = None
    """The page that does not tell a relation, for a question without an answer."""

    @property
    def support(self) -> tuple[int, ...]:
        """The pages that must be read, each once."""
        last = () if self.missing is None else (self.missing[0],)
        return tuple(dict.fromkeys([*(statement.page for statement in self.reading), *last]))


class Drawer:
    """Draws questions about one encyclopedia.

    Every draft was solved by `Query.solve`: it has exactly one answer (or none, if that is its
    type), and without any one of its pages it has not. Compositions of two and more relations
    are halved between the splits by a hash.
    """

    def __init__(self, paper: Encyclopedia, random: Callable[[], float]) -> None:
        self._paper, self._world, self._random = paper, paper.world, random

    def draw(self, type: str, hops: int) -> Draft | None:
        """A question of a type; `hops` counts the steps of a bridge. None if there is none."""
        make = TYPES[type]
        for _ in range(_MOST_DRAWS):
            draft = make(self, hops)
            if draft is not None and self._is_of_split(draft.query) and self._is_sound(draft):
                return draft
        return None

    def _is_of_split(self, query: Query) -> bool:
        composition = query.composition
        if len(composition) < 2:
            return True
        even = zlib.crc32("/".join(composition).encode()) % 2 == 0
        return even == (self._world.spec.split == "train")

    def _is_sound(self, draft: Draft) -> bool:
        facts = self._paper.facts
        if draft.answer is None:
            return not draft.query.solve(facts)
        return draft.query.solve(facts) == {draft.answer} and not any(
            draft.query.solve(facts, (page,)) for page in draft.support
        )

    def _pick(self, options: Sequence[T]) -> T:
        return options[int(self._random() * len(options))]

    def _told(self, page: int, inverse: bool | None = False) -> list[Statement]:
        """What a page tells of one other thing: forwards, backwards or (None) both."""
        return [
            s
            for s in self._paper.told(page)
            if type(s.target) in (int, str) and (inverse is None or inverse == s.inverse)
        ]

    def _walk(self, length: int, inverse: bool | None, last: str = "") -> list[Statement] | None:
        """Statements that lead from page to page; the last one has an object of kind `last`."""
        page, seen, walk = self._page(), set[int](), list[Statement]()
        while len(walk) < length:
            seen.add(page)
            final = len(walk) == length - 1
            options = [
                s
                for s in self._told(page, inverse)
                if (not last or RELATIONS[s.relation].object == last if final else leads_on(s))
                and not (leads_on(s) and s.target in seen)
            ]
            if not options:
                return None
            walk.append(self._pick(options))
            if leads_on(walk[-1]):
                page = int(walk[-1].target)  # type: ignore[arg-type]
        return walk

    def _page(self) -> int:
        return int(self._random() * self._world.spec.pages)

    def bridge(self, hops: int) -> Draft | None:
        walk = self._walk(hops, inverse=False)
        return None if walk is None else _chain("bridge", walk)

    def inverse(self, hops: int) -> Draft | None:
        walk = self._walk(1 + (self._random() < 0.5), inverse=None)
        if walk is None or not any(statement.inverse for statement in walk):
            return None
        return _chain("inverse", walk)

    def unanswerable(self, hops: int) -> Draft | None:
        """A chain whose last relation its page does not tell."""
        length = int(self._random() * 3)
        walk = self._walk(length, inverse=False) if length else []
        if walk is None or (walk and not leads_on(walk[-1])):
            return None
        page = int(walk[-1].target) if walk else self._page()  # type: ignore[arg-type]
        untold = [
            relation.name
            for relation in RELATIONS_OF[self._world.kinds[page]]
            if self._world.value(relation.name, page) is None
        ]
        if not untold:
            return None
        name = self._pick(untold)
        steps = (*(Step(s.relation, s.inverse) for s in walk), Step(name))
        start = walk[0].page if walk else page
        query = Chain(start, steps)
        kind = RELATIONS[name].object
        return Draft("unanswerable", query, None, kind, tuple(walk), (page, name))

    def comparison(self, hops: int) -> Draft | None:
        a = self._page()
        b = self._pick(self._world.range[self._world.kinds[a]])
        told = [{s.relation: s for s in self._told(page)} for page in (a, b)]
        common = [name for name in told[0] if name in told[1] and a != b]
        measures = [name for name in common if RELATIONS[name].more]
        if not measures or len(common) < 2:
            return None
        by, then = self._pick(measures), self._pick(common)
        values = [int(t[by].target) for t in told]  # type: ignore[arg-type]
        if by == then or values[0] == values[1] or told[0][then].target == told[1][then].target:
            return None
        larger = self._random() < 0.5
        winner = told[(values[0] < values[1]) == larger][then]
        named = self._name(a, b)
        if named is None:
            return None
        two, way = named
        query = Comparison(two, by, larger, Step(then))
        reading = (*way, told[0][by], told[1][by], winner)
        return self._draft("comparison", query, winner.target, RELATIONS[then].object, reading)

    def intersection(self, hops: int) -> Draft | None:
        found = self._two_lists(one_in_common=True)
        if found is None:
            return None
        lists, reading = found
        one, other = (set(statement.target) for statement in reading[-2:])  # type: ignore[arg-type]
        return self._draft("intersection", Shared(lists), (one & other).pop(), "person", reading)

    def count(self, hops: int) -> Draft | None:
        found = self._two_lists()
        if found is None:
            return None
        lists, reading = found
        one, other = (set(statement.target) for statement in reading[-2:])  # type: ignore[arg-type]
        return self._draft("count", Count(lists), len(one | other), "number", reading)

    def _two_lists(
        self, one_in_common: bool = False
    ) -> tuple[tuple[Listed, Listed], tuple[Statement, ...]] | None:
        """Two lists that have a person in common, or just one, and what leads to them."""
        world = self._world
        people, mentioned = world.range["person"], world.mentioned
        number = int(self._random() * (len(people) + len(mentioned)))
        person = people[number] if number < len(people) else mentioned[number - len(people)]
        keys = world.memberships.get(person, [])
        if len(keys) < 2:
            return None
        (one, a), (other, b) = self._pick(keys), self._pick(keys)
        pointers = None if a == b else self._point(a, b)
        if pointers is None:
            return None
        common = {*world.lists[one, a]}.intersection(world.lists[other, b])
        if one_in_common and len(common) > 1:
            return None
        (first, second), way = _meaning(a, b, pointers)
        told = [Statement(subject, name, False, world.lists[name, subject])
                for name, subject in ((one, a), (other, b))]  # fmt: skip
        return (Listed(one, first), Listed(other, second)), (*way, *told)

    def temporal(self, hops: int) -> Draft | None:
        """Who ruled in the year of something, or the years between two things."""
        first = self._walk(1, inverse=False, last="year")
        if first is None:
            return None
        year = int(first[0].target)  # type: ignore[arg-type]
        then = Step(first[0].relation)
        if self._random() < 0.5:
            country = self._pick(self._world.range["country"])
            named = None if country == first[0].page else self._name(country, first[0].page)
            reigns = self._world.reigns[country]
            reign = next((r for r in reigns if r.begin < year < r.end), None)
            if reign is None or named is None:
                return None
            (one, other), way = named
            told = Statement(country, RULER, False, reign)
            query: Query = Reigning(one, other.then(then))
            return self._draft("temporal", query, reign.person, "person", (*way, *first, told))
        second = self._walk(1, inverse=False, last="year")
        if second is None or second[0].page == first[0].page:
            return None
        named = self._name(first[0].page, second[0].page)
        if named is None:
            return None
        (one, other), way = named
        apart = abs(year - int(second[0].target))  # type: ignore[arg-type]
        query = Difference((one.then(then), other.then(Step(second[0].relation))))
        return self._draft("temporal", query, apart, "number", (*way, *first, *second))

    def _name(self, a: int, b: int) -> _Named | None:
        """Chains that mean two entities, and what they read: one or both are only described."""
        pointers = self._point(a, b)
        return None if pointers is None else _meaning(a, b, pointers)

    def _point(self, a: int, b: int) -> _Pointers | None:
        """What describes one or both of two entities; None for the one that is named."""
        which = int(self._random() * 3)
        drawn: list[Statement | None] = []
        for entity, named in ((a, which == 0), (b, which == 1)):
            pointers = [] if named else self._paper.pointers(entity)
            options = [s for s in pointers if s.page != a and s.page != b]
            if not options and not named:
                return None
            drawn.append(None if named else self._pick(options))
        return drawn[0], drawn[1]

    def _draft(
        self, type: str, query: Query, answer: Any, kind: str, reading: tuple[Statement, ...]
    ) -> Draft | None:
        """The draft, unless its question would name the answer."""
        entity = kind in self._world.range
        if entity and any(statement.page == answer for statement in reading):
            return None
        return Draft(type, query, answer, kind, reading)

    def arithmetic(self, hops: int) -> Draft | None:
        """Numbers of two or three pages, one of them a step away, to be added or multiplied."""
        lengths = (1, 2) if self._random() < 0.5 else (1, 1, 2)
        walks = [self._walk(length, inverse=False, last="number") for length in lengths]
        if None in walks:
            return None
        statements = tuple(s for walk in walks for s in walk or ())
        if len({s.page for s in statements}) < len(statements):
            return None
        numbers = [int(walk[-1].target) for walk in walks if walk]  # type: ignore[arg-type]
        chains = tuple(_as_chain(walk) for walk in walks if walk)
        if len(lengths) == 2 and self._random() < 0.5:
            product = numbers[0] * numbers[1]
            return Draft("arithmetic", Arithmetic("product", chains), product, "number", statements)
        return Draft("arithmetic", Arithmetic("sum", chains), sum(numbers), "number", statements)


TYPES: dict[str, Callable[[Drawer, int], Draft | None]] = {
    "bridge": Drawer.bridge,
    "inverse": Drawer.inverse,
    "comparison": Drawer.comparison,
    "intersection": Drawer.intersection,
    "count": Drawer.count,
    "temporal": Drawer.temporal,
    "unanswerable": Drawer.unanswerable,
    "arithmetic": Drawer.arithmetic,
}
"""How a question of each type is drawn; one attempt, None if it came to nothing."""


def _meaning(a: int, b: int, pointers: _Pointers) -> _Named:
    """Chains that mean two entities, and what they read."""
    way = tuple(pointer for pointer in pointers if pointer is not None)
    one, other = (
        Chain(entity, ()) if pointer is None else _as_chain([pointer])
        for entity, pointer in zip((a, b), pointers, strict=True)
    )
    return (one, other), way


def _as_chain(walk: Sequence[Statement]) -> Chain:
    return Chain(walk[0].page, tuple(Step(s.relation, s.inverse) for s in walk))


def _chain(type: str, walk: Sequence[Statement]) -> Draft:
    last = walk[-1]
    relation = RELATIONS[last.relation]
    kind = relation.subject if last.inverse else relation.object
    return Draft(type, _as_chain(walk), last.target, kind, tuple(walk))  # type: ignore[arg-type]
