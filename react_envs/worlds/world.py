"""`World`: the facts of one synthetic encyclopedia, drawn from a seed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, Literal, NamedTuple

from react_envs.errors import ArgumentError
from react_envs.worlds.relation import Relation
from react_envs.worlds.relations import KINDS, LISTS, RELATIONS, RELATIONS_OF, RULER
from react_envs.worlds.titles import Titles

__all__ = ["VERSION", "Reign", "Statement", "Value", "World", "WorldSpec"]

VERSION = 1
"""Version of the generator. Any change of a text, a draw or the list of relations changes what a
seed stands for, so it needs a new number here and a new environment version."""

Value = int | str
"""An entity's id, a year, a number or a word, as the relation says."""

FIRST_YEAR, LAST_YEAR = 1500, 1950
"""All years lie between them, except founding years of cities, which may be older, and deaths."""
_GENERATIONS = 6
_MOST_INVERSES = 7
"""Facts about others on a page."""


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """All that a world depends on; its fields are plain JSON."""

    seed: int = 0
    pages: int = 50
    """Articles, 50 to 100,000; pages that list homonyms come on top."""
    split: Literal["train", "test"] = "test"
    style: Literal["prose", "terse"] = "prose"
    """`"terse"`: names of one word and sentences of label and value, for tiny models."""
    names: Literal["disjoint", "shared", "few"] = "disjoint"
    """`"shared"`: test worlds use the words of training worlds: a tiny model knows no others.
    `"few"`: the same, and terse worlds draw from no more than twice as many as they need."""
    homonyms: float = 0.06
    """Share of entities whose name another one has too; told apart in parentheses."""
    aliases: float = 0.3
    """Share of entities with a second name, which leads to their page."""
    near_misses: float = 0.1
    """Share of names that differ in one letter from another."""
    inverses: float = 0.35
    """Share of the invertible facts that only the page of their object tells."""
    relations: tuple[str, ...] | None = None
    """What pages tell: keys of `RELATIONS`, lists and `"ruler"`; None for all. The world is the
    same with fewer: only its pages are shorter, for tiny models."""

    def __post_init__(self) -> None:
        for name, known in {
            "split": ("train", "test"),
            "style": ("prose", "terse"),
            "names": ("disjoint", "shared", "few"),
        }.items():
            if getattr(self, name) not in known:
                raise ArgumentError(f"{name} must be one of {known}, got {getattr(self, name)!r}")
        if type(self.pages) is not int or not 50 <= self.pages <= 100_000:
            raise ArgumentError(f"pages must be an int from 50 to 100000, got {self.pages!r}")
        if type(self.seed) is not int:
            raise ArgumentError(f"seed must be an int, got {self.seed!r}")
        for name in ("homonyms", "aliases", "near_misses", "inverses"):
            share = getattr(self, name)
            number = isinstance(share, int | float) and not isinstance(share, bool)
            if not number or not 0 <= share <= 1:
                raise ArgumentError(f"{name} must be a share in [0, 1], got {share!r}")
            # 0 and 0.0 are one world, whichever of them was asked for first
            object.__setattr__(self, name, float(share))
        if self.relations is not None:
            told = {*RELATIONS, RULER, *(persons.name for persons in LISTS)}
            wanted: Any = self.relations
            if isinstance(wanted, str) or not wanted or not told.issuperset(wanted):
                raise ArgumentError(
                    f"expected relations of {', '.join(sorted(told))}, got {wanted!r}"
                )
            object.__setattr__(self, "relations", tuple(wanted))

    @property
    def key(self) -> str:
        """A text that differs where any fact does."""
        fields = {name: value for name, value in self.as_json().items() if name != "relations"}
        return f"world {VERSION} {fields}"

    def as_json(self) -> dict[str, Any]:
        """The fields by name; `relations` only where some were chosen."""
        fields = {field: getattr(self, field) for field in self.__dataclass_fields__}
        chosen = fields.pop("relations")
        return fields if chosen is None else {**fields, "relations": list(chosen)}


class Reign(NamedTuple):
    """Somebody ruled from a year (inclusive) until another, in which the next one began."""

    begin: int
    end: int
    person: int


class Statement(NamedTuple):
    """What one sentence of a page tells."""

    page: int
    """Id of the entity on whose page it stands."""
    relation: str
    """A key of `RELATIONS`, the name of a list, or `"ruler"`."""
    inverse: bool
    """True if the page is that of the relation's object."""
    target: Value | tuple[int, ...] | Reign
    """The other side; a tuple for a list."""


_new = tuple.__new__
"""A world has hundreds of statements: made so, each costs half."""


class World:
    """Entities by id, and all that is true of them.

    Ids 0 to `spec.pages - 1` have pages, later ones are persons who are only mentioned. Only
    `Random.random` is drawn from, so a seed gives the same world on any Python.

    >>> world = World(WorldSpec(seed=1))
    >>> world.titles[0], world.kinds[0], len(world.statements(0)) > 3
    ('Pardinde Trithofesh', 'person', True)
    """

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        self.hash = zlib.crc32(spec.key.encode())
        """Seed of what is no fact, such as the wording of pages."""
        self._random = Random(spec.key).random
        counts = _counts(spec.pages)
        self.range: dict[str, range] = {}
        first = 0
        for kind, count in counts.items():
            self.range[kind] = range(first, first + count)
            first += count
        self.mentioned = range(first, first + int(0.6 * spec.pages))
        self.kinds = [kind for kind, count in counts.items() for _ in range(count)]
        self.kinds += ["person"] * len(self.mentioned)
        self.female = [self._random() < 0.5 for _ in self.range["person"]]
        names = Titles(spec, self.kinds, self.female, self._random)
        self.titles, self.bases, self.aliases = names.titles, names.bases, names.aliases
        self.homonyms = names.homonyms
        self.values: dict[str, list[Value | None]] = {}
        """Object of each relation for the subjects of its kind, in the order of their ids."""
        self.lists: dict[tuple[str, int], tuple[int, ...]] = {}
        """Persons by list and subject."""
        self.reigns: dict[int, tuple[Reign, ...]] = {}
        self._told_by_object: dict[int, list[tuple[str, int]]] = {}
        self._draw_people()
        for relation in RELATIONS.values():
            if relation.name not in self.values:
                self.values[relation.name] = self._draw(relation)
        self._draw_capitals()
        self._draw_lists()
        self._silent = {
            r.name: self._move(r) for relations in RELATIONS_OF.values() for r in relations
        }
        """The subjects of each relation whose page does not tell it."""
        self._rows = {
            kind: [(r.name, self.values[r.name], self._silent[r.name]) for r in relations]
            for kind, relations in RELATIONS_OF.items()
        }

    def value(self, relation: str, subject: int) -> Value | None:
        """What is true of a subject of the relation's kind; None if it has no such fact."""
        return self.values[relation][subject - self.range[RELATIONS[relation].subject].start]

    def statements(self, page: int) -> list[Statement]:
        """All that a page tells, in no particular order. Every fact stands on one page only."""
        told: list[Statement] = []
        kind = self.kinds[page]
        at = page - self.range[kind].start
        for name, values, moved in self._rows[kind]:
            value = values[at]
            if value is not None and page not in moved:
                told.append(_new(Statement, (page, name, False, value)))
        for name, subject in self._told_by_object.get(page, ()):
            told.append(Statement(page, name, True, subject))
        for persons in LISTS:
            if persons.subject == kind:
                told.append(Statement(page, persons.name, False, self.lists[persons.name, page]))
        for reign in self.reigns.get(page, ()):
            told.append(Statement(page, RULER, False, reign))
        chosen = self.spec.relations
        return told if chosen is None else [s for s in told if s.relation in chosen]

    def telling(self, relation: str) -> list[Statement]:
        """The statements of all pages about one relation, a list or `"ruler"`."""
        told: list[Statement] = []
        if self.spec.relations is not None and relation not in self.spec.relations:
            return told
        if relation == RULER:
            pairs: Any = ((page, reign) for page, reigns in self.reigns.items() for reign in reigns)
        elif relation not in RELATIONS:
            pairs = ((page, persons) for (name, page), persons in self.lists.items()
                     if name == relation)  # fmt: skip
        else:
            pairs = zip(self.range[RELATIONS[relation].subject], self.values[relation], strict=True)
        silent = self._silent.get(relation, ())
        for page, value in pairs:
            if page in silent:
                told.append(_new(Statement, (value, relation, True, page)))
            elif value is not None:
                told.append(_new(Statement, (page, relation, False, value)))
        return told

    @cached_property
    def memberships(self) -> dict[int, list[tuple[str, int]]]:
        """The lists in which each person stands."""
        found: dict[int, list[tuple[str, int]]] = {}
        for key, persons in self.lists.items():
            for person in persons:
                found.setdefault(person, []).append(key)
        return found

    def _between(self, low: int, high: int) -> int:
        return low + int(self._random() * (high - low + 1))

    def _draw_people(self) -> None:
        """Births by generations; relatives and teachers of the same or the next one."""
        count = len(self.range["person"])
        begin = self._between(FIRST_YEAR, LAST_YEAR - 30 * _GENERATIONS - 60)
        generation = [i * _GENERATIONS // count for i in range(count)]
        first = [generation.index(g) for g in range(_GENERATIONS)] + [count]
        births = [begin + 30 * g + int(self._random() * 10) for g in generation]
        self.values["birth_year"] = list(births)
        random = self._random
        for name, female in (("father", False), ("mother", True)):
            share, parents = RELATIONS[name].share, [list[int]()]
            for g in range(_GENERATIONS - 1):
                people = range(first[g], first[g + 1])
                parents.append([i for i in people if self.female[i] is female])
            self.values[name] = [
                options[int(random() * len(options))] if options and random() < share else None
                for options in map(parents.__getitem__, generation)
            ]
        older = [first[max(g - 1, 0)] for g in generation]
        for name in ("mentor", "patron"):
            share = RELATIONS[name].share
            self.values[name] = [
                low + int(random() * (i - low)) if i > low and random() < share else None
                for i, low in enumerate(older)
            ]
        younger = [first[min(g + 2, _GENERATIONS)] for g in generation]
        share = RELATIONS["biographer"].share
        self.values["biographer"] = [
            low + int(random() * (end - low)) if low < end and random() < share else None
            for low, end in enumerate(younger, start=1)
        ]

    def _draw(self, relation: Relation) -> list[Value | None]:
        random, subjects, share = self._random, self.range[relation.subject], relation.share
        if relation.is_entity:
            options = self.range[relation.object]
            first, count = options.start, len(options)
            if relation.name == "parent_organisation":  # of an older one: no circles
                return [
                    first + int(random() * i) if i and random() < share else None
                    for i in range(len(subjects))
                ]
            return [first + int(random() * count) if random() < share else None for _ in subjects]
        if relation.object == "word":
            words = relation.values
            return [
                words[int(random() * len(words))] if random() < share else None for _ in subjects
            ]
        if relation.name == "death_year":
            births = self.values["birth_year"]
            return [
                int(birth or 0) + 40 + int(random() * 50) if random() < share else None
                for birth in births
            ]
        low, high = map(int, relation.values)
        drawn: list[Value | None] = [
            low + int(random() * (high - low + 1)) if random() < share else None for _ in subjects
        ]
        if relation.after:
            births = self.values["birth_year"]
            for i, person in enumerate(self.values[relation.after]):
                if drawn[i] is not None and isinstance(person, int):
                    drawn[i] = int(births[person] or 0) + 20 + int(random() * 30)
        return drawn

    def _draw_capitals(self) -> None:
        """Every country has a city, and its capital is one of its own."""
        cities, countries = self.range["city"], self.range["country"]
        belongs = self.values["country"]
        for i in range(len(countries)):
            belongs[i] = countries[i]
        own: dict[Value | None, list[int]] = {}
        for city, country in zip(cities, belongs, strict=True):
            own.setdefault(country, []).append(city)
        self.values["capital"] = [
            own[country][int(self._random() * len(own[country]))] for country in countries
        ]

    def _draw_lists(self) -> None:
        people = [*self.range["person"], *self.mentioned]
        for persons in LISTS:
            for subject in self.range[persons.subject]:
                size = self._between(persons.least, persons.most)
                self.lists[persons.name, subject] = self._some(people, size)
        for country in self.range["country"]:
            year, years = FIRST_YEAR, [FIRST_YEAR]
            while year < LAST_YEAR:
                year += self._between(35, 75)
                years.append(year)
            rulers = self._some(people, len(years) - 1)
            pairs = zip(years, years[1:], rulers, strict=False)
            self.reigns[country] = tuple(Reign(*reign) for reign in pairs)

    def _some(self, people: list[int], size: int) -> tuple[int, ...]:
        """`size` different ones."""
        random, count = self._random, len(people)
        chosen: dict[int, None] = {}
        while len(chosen) < size:
            chosen[people[int(random() * count)]] = None
        return tuple(chosen)

    def _move(self, relation: Relation) -> frozenset[int]:
        """Choose the facts that the page of their object tells."""
        if relation.inverse is None:
            return frozenset()
        random, share, name = self._random, self.spec.inverses, relation.name
        moved = []
        for subject, value in zip(self.range[relation.subject], self.values[name], strict=True):
            if value is not None and random() < share:
                told = self._told_by_object.setdefault(int(value), [])
                if len(told) < _MOST_INVERSES:
                    told.append((name, subject))
                    moved.append(subject)
        return frozenset(moved)


def _counts(pages: int) -> dict[str, int]:
    """Pages of each kind, at least 2; persons take what rounding leaves."""
    counts = {name: max(2, int(kind.share * pages)) for name, kind in KINDS.items()}
    counts["person"] += pages - sum(counts.values())
    return counts
