"""`Encyclopedia`: one world as its readers meet it: pages, passages, and the index of its facts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

from react_envs.retrieval.contract import Document
from react_envs.retrieval.pages import PageStore
from react_envs.retrieval.passages import PassageStore
from react_envs.worlds.facts import Facts
from react_envs.worlds.relations import RELATIONS
from react_envs.worlds.world import Statement, World, WorldSpec
from react_envs.worlds.writing import (
    Sentence,
    article,
    disambiguation,
    passages,
    redirects,
    sentences,
)

__all__ = ["Encyclopedia", "encyclopedia", "leads_on"]


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
        self._sentences: dict[int, list[Sentence]] = {}

    @cached_property
    def statements(self) -> list[list[Statement]]:
        """What each page tells."""
        return [self.world.statements(page) for page in range(self.world.spec.pages)]

    @cached_property
    def facts(self) -> Facts:
        """The index of what all pages tell."""
        return Facts(statement for told in self.statements for statement in told)

    @cached_property
    def pointers(self) -> dict[int, list[Statement]]:
        """The statements, of other pages, whose target is an entity with a page."""
        found: dict[int, list[Statement]] = {}
        for told in self.statements:
            for statement in told:
                if type(statement.target) is int and leads_on(statement):
                    found.setdefault(statement.target, []).append(statement)
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

    def sentence(self, statement: Statement) -> Sentence:
        """The sentence that tells a statement."""
        page = statement.page
        if page not in self._sentences:
            self._sentences[page] = sentences(self.world, page)
        return next(s for s in self._sentences[page] if s.statement == statement)


def leads_on(statement: Statement) -> bool:
    """True if the target is one entity with a page."""
    relation = RELATIONS.get(statement.relation)
    return relation is not None and (statement.inverse or relation.is_entity)


@lru_cache(maxsize=8)
def encyclopedia(spec: WorldSpec) -> Encyclopedia:
    """The encyclopedia of a world; the last ones are kept."""
    return Encyclopedia(spec)
