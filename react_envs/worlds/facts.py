"""`Facts`: what pages tell, gathered from page after page, and nothing else.

The solver (`queries`) works on this index. It knows nothing of how a world or a question was
drawn: only statements of pages, some of which may be left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from react_envs.worlds.relations import RELATIONS
from react_envs.worlds.world import Reign, Statement, Value

__all__ = ["Facts"]


class Facts:
    """An index of statements.

    Each look-up takes `without`, the pages that it must not use.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._objects: dict[tuple[str, Value], list[tuple[Value, int]]] = {}
        self._subjects: dict[tuple[str, Value], list[tuple[Value, int]]] = {}
        self._lists: dict[tuple[str, Value], tuple[int, ...]] = {}
        self._reigns: dict[int, list[Reign]] = {}
        for page, name, inverse, target in statements:
            if isinstance(target, Reign):
                self._reigns.setdefault(page, []).append(target)
            elif isinstance(target, tuple):
                self._lists[name, page] = target
            else:
                subject, object = (target, page) if inverse else (page, target)
                self._objects.setdefault((name, subject), []).append((object, page))
                if RELATIONS[name].is_entity:
                    self._subjects.setdefault((name, object), []).append((subject, page))

    def objects(self, relation: str, subject: Value, without: Collection[int] = ()) -> set[Value]:
        """All objects of the relation that a page tells for `subject`."""
        return {o for o, page in self._objects.get((relation, subject), ()) if page not in without}

    def subjects(self, relation: str, object: Value, without: Collection[int] = ()) -> set[Value]:
        """All subjects of the relation that a page tells for `object`."""
        return {s for s, page in self._subjects.get((relation, object), ()) if page not in without}

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
