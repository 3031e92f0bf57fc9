"""`Facts`: what pages tell, gathered from page after page, and nothing else.

The solver (`queries`) works on this index. It knows nothing of how a world or a question was
drawn: only statements of pages, some of which may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from react_envs.worlds.relations import RULER
from react_envs.worlds.world import Statement, Value

__all__ = ["Facts"]


class Facts:
    """An index of statements, made relation by relation: a question asks for few.

    Each look-up takes `without`, the pages that it must not use.

    Args:
        telling: gives what all pages tell of a relation or list; asked at most twice for each.
    """

    def __init__(self, telling: Callable[[str], Iterable[Statement]]) -> None:
        self._telling = telling
        self._indices: dict[tuple[str, bool], dict[Any, list[tuple[Any, int]]]] = {}

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Facts:
        """Those of statements of any relations."""
        sorted_out: dict[str, list[Statement]] = {}
        for statement in statements:
            sorted_out.setdefault(statement.relation, []).append(statement)
        return cls(lambda relation: sorted_out.get(relation, ()))

    def objects(self, relation: str, subject: Value, without: Collection[int] = ()) -> set[Value]:
        """All objects of the relation that a page tells for `subject`."""
        found = self._index(relation, False).get(subject, ())
        return {object for object, page in found if page not in without}

    def subjects(self, relation: str, object: Value, without: Collection[int] = ()) -> set[Value]:
        """All subjects of the relation that a page tells for `object`."""
        found = self._index(relation, True).get(object, ())
        return {subject for subject, page in found if page not in without}

    def members(
        self, name: str, subject: Value, without: Collection[int] = ()
    ) -> frozenset[int] | None:
        """The persons of a list; None if no page tells them."""
        for persons, page in self._index(name, False).get(subject, ()):
            if page not in without:
                return frozenset(persons)
        return None

    def rulers(self, country: int, year: int, without: Collection[int] = ()) -> set[Value]:
        """All who ruled at any time of that year."""
        reigns = self._index(RULER, False).get(country, ())
        return {
            reign.person
            for reign, page in reigns
            if page not in without and reign.begin <= year <= reign.end
        }

    def _index(self, relation: str, by_object: bool) -> dict[Any, list[tuple[Any, int]]]:
        """Objects by subject, or subjects by object, each with the page that says so."""
        key = (relation, by_object)
        if key not in self._indices:
            index: dict[Any, list[tuple[Any, int]]] = {}
            for page, _, inverse, target in self._telling(relation):
                # the page is the one side and the target the other
                near, far = (page, target) if inverse == by_object else (target, page)
                index.setdefault(near, []).append((far, page))
            self._indices[key] = index
        return self._indices[key]
