"""`Facts`: what pages tell, gathered from page after page, and nothing else.

The solver (`queries`) works on this index. It knows nothing of how a world or a question was
drawn: only statements of pages, some of which may be left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from react_envs.worlds.relations import RELATIONS
from react_envs.worlds.world import Reign, Statement, Value

__all__ = ["Facts"]

_Told = tuple[Value, Value, int]
"""Subject, object, and the page that says so."""


class Facts:
    """An index of statements.

    Each look-up takes `without`, the pages that it must not use.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._told: dict[str, list[_Told]] = {name: [] for name in RELATIONS}
        self._indices: dict[tuple[str, bool], dict[Value, list[tuple[Value, int]]]] = {}
        self._lists: dict[tuple[str, Value], tuple[int, ...]] = {}
        self._reigns: dict[int, list[Reign]] = {}
        for page, name, inverse, target in statements:
            if name in self._told:
                self._told[name].append((target, page, page) if inverse else (page, target, page))  # type: ignore[arg-type]
            elif isinstance(target, Reign):
                self._reigns.setdefault(page, []).append(target)
            else:
                self._lists[name, page] = target  # type: ignore[assignment]

    def objects(self, relation: str, subject: Value, without: Collection[int] = ()) -> set[Value]:
        """All objects of the relation that a page tells for `subject`."""
        found = self._index(relation, False).get(subject, ())
        return {object for object, page in found if page not in without}

    def subjects(self, relation: str, object: Value, without: Collection[int] = ()) -> set[Value]:
        """All subjects of the relation that a page tells for `object`."""
        found = self._index(relation, True).get(object, ())
        return {subject for subject, page in found if page not in without}

    def _index(self, relation: str, by_object: bool) -> dict[Value, list[tuple[Value, int]]]:
        """Made when a relation is first asked for: few are, in a world of one question."""
        key = (relation, by_object)
        if key not in self._indices:
            index: dict[Value, list[tuple[Value, int]]] = {}
            for subject, object, page in self._told[relation]:
                near, far = (object, subject) if by_object else (subject, object)
                index.setdefault(near, []).append((far, page))
            self._indices[key] = index
        return self._indices[key]

    def members(
        self, name: str, subject: Value, without: Collection[int] = ()
    ) -> frozenset[int] | None:
        """The persons of a list; None if no page tells them."""
        found = self._lists.get((name, subject))
        return None if found is None or subject in without else frozenset(found)

    def rulers(self, country: int, year: int, without: Collection[int] = ()) -> set[Value]:
        """All who ruled at any time of that year."""
        if country in without:
            return set()
        return {r.person for r in self._reigns.get(country, ()) if r.begin <= year <= r.end}
