"""`Encyclopedia`: one world as its readers meet it: pages, passages, and the index of its facts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

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
        self._pointers: dict[int, list[Statement]] = {}

    def told(self, page: int) -> list[Statement]:
        """What a page tells."""
        if page not in self._told:
            self._told[page] = self.world.statements(page)
        return self._told[page]

    def pointers(self, entity: int) -> list[Statement]:
        """The statements, of other pages, whose target is an entity with a page."""
        if entity not in self._pointers:
            self._pointers[entity] = [
                statement
                for page in sorted(self._pages_that_name(entity))
                for statement in self.told(page)
                if statement.target == entity and leads_on(statement)
            ]
        return self._pointers[entity]

    def _pages_that_name(self, entity: int) -> set[int]:
        """Pages with a statement whose target is an entity, found by the index of facts."""
        kind, index = self.world.kinds[entity], self.facts.index
        found: set[int] = set()
        for name in _TO_KIND[kind]:
            found.update(page for _, page in index(name, True).get(entity, ()))
        for name in _OF_KIND[kind]:
            found.update(page for _, page in index(name, False).get(entity, ()))
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
