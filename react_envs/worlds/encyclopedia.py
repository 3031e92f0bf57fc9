"""`Encyclopedia`: one world as its readers meet it: pages, passages, and the index of its facts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from operator import itemgetter

from react_envs.retrieval.contract import Document
from react_envs.retrieval.pages import PageStore
from react_envs.retrieval.passages import PassageStore
from react_envs.worlds.facts import Facts
from react_envs.worlds.relations import KINDS, RELATIONS, RELATIONS_OF
from react_envs.worlds.world import Statement, World, WorldSpec
from react_envs.worlds.writing import (
    article,
    disambiguation,
    passages,
    redirects,
)

__all__ = ["Encyclopedia", "encyclopedia", "leads_on"]

_TO_ENTITIES = frozenset(name for name, relation in RELATIONS.items() if relation.is_entity)
_TO_KIND = {kind: [r.name for r in RELATIONS.values() if r.object == kind] for kind in KINDS}
_OF_KIND = {kind: [r.name for r in of if r.inverse] for kind, of in RELATIONS_OF.items()}
"""Relations that a page of the object can tell of a kind."""


class Encyclopedia:
    """A world and what is made of it, each part when it is first needed.

    >>> paper = encyclopedia(WorldSpec(seed=5))
    >>> title = paper.world.titles[0]
    >>> paper.pages.page(title.upper()).title == title
    True
    >>> paper.passages.search([title], k=1)[0][0].document.title == title
    True
    """

    def __init__(self, spec: WorldSpec) -> None:
        self.world = World(spec)
        self.facts = Facts(self.world.telling)
        """The index of what all pages tell."""
        self._told: dict[int, list[Statement]] = {}
        self._pointers: dict[str, dict[int, list[Statement]]] = {}

    def told(self, page: int) -> list[Statement]:
        """What a page tells."""
        if page not in self._told:
            self._told[page] = self.world.statements(page)
        return self._told[page]

    def pointers(self, entity: int) -> list[Statement]:
        """The statements, of other pages, whose target is an entity with a page."""
        kind = self.world.kinds[entity]
        if kind not in self._pointers:
            self._pointers[kind] = self._pointers_to(kind)
        return self._pointers[kind].get(entity, [])

    def _pointers_to(self, kind: str) -> dict[int, list[Statement]]:
        """Those of each entity of a kind, in the order of pages and of what each tells."""
        found: dict[int, list[Statement]] = {}
        for names, inverse in ((_TO_KIND[kind], False), (_OF_KIND[kind], True)):
            for name in names:
                for statement in self.world.telling(name):
                    if statement.inverse is inverse:
                        found.setdefault(int(statement.target), []).append(statement)  # type: ignore[arg-type]
        for statements in found.values():
            statements.sort(key=itemgetter(0))  # by page; else the order stays as it was
        return found

    @cached_property
    def pages(self) -> PageStore:
        """All pages, second names leading to them, and pages that list homonyms."""
        world = self.world
        articles = [article(world, page) for page in range(world.spec.pages)]
        listings = [disambiguation(world, base) for base in world.homonyms]
        return PageStore([*articles, *listings], redirects(world))

    @cached_property
    def passages(self) -> PassageStore:
        """All pages in passages, for full-text search."""
        return PassageStore(self.documents())

    def documents(self) -> Iterator[Document]:
        """The passages in the order of their pages, such as an index is built from."""
        for page in range(self.world.spec.pages):
            yield from passages(self.world, page)


def leads_on(statement: Statement) -> bool:
    """True if the target is one entity with a page."""
    return statement.inverse or statement.relation in _TO_ENTITIES


@lru_cache(maxsize=8)
def encyclopedia(spec: WorldSpec) -> Encyclopedia:
    """The encyclopedia of a world; the last ones are kept."""
    return Encyclopedia(spec)
