"""The pages of a world as text: prose with several wordings, or terse labels and values."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from react_envs.retrieval.contract import Document, Page
from react_envs.worlds.relation import Wordings
from react_envs.worlds.relations import KINDS, LISTS, RELATIONS, RULED
from react_envs.worlds.world import Reign, Statement, Value, World

__all__ = [
    "Sentence",
    "article",
    "disambiguation",
    "passages",
    "redirects",
    "sentence_of",
    "sentences",
]

T = TypeVar("T")

_LISTS_BY_NAME = {persons.name: persons for persons in LISTS}
_LEAST_SENTENCES = 8
_PARAGRAPH = 4
"""Sentences in a paragraph."""
PASSAGE_WORDS = 80
"""A passage ends with the sentence that reaches so many words."""


class Sentence(NamedTuple):
    """One sentence of a page."""

    text: str
    statement: Statement | None = None
    """What it tells; None for the first sentence and for those that nobody asks about."""
    mention: str = ""
    """How it names the statement's target."""


def sentences(world: World, page: int) -> list[Sentence]:
    """The sentences of a page in their order; the same whenever they are asked for."""
    return _writer(world, page).sentences()


def sentence_of(world: World, statement: Statement) -> Sentence:
    """The sentence that tells a statement, without the rest of its page.

    >>> from react_envs.worlds.world import WorldSpec
    >>> world = World(WorldSpec(seed=1))
    >>> sentence_of(world, world.statements(0)[0]) in sentences(world, 0)
    True
    """
    return _writer(world, statement.page).tell(statement)


def _writer(world: World, page: int) -> _Prose | _Terse:
    return _Terse(world, page) if world.spec.style == "terse" else _Prose(world, page)


def article(world: World, page: int) -> Page:
    """The page as its readers get it, in paragraphs of a line each; a terse one is one line."""
    texts = [sentence.text for sentence in sentences(world, page)]
    size = len(texts) if world.spec.style == "terse" else _PARAGRAPH
    lines = [" ".join(texts[i : i + size]) for i in range(0, len(texts), size)]
    return Page(world.titles[page], "\n".join(lines))


def passages(world: World, page: int) -> list[Document]:
    """The page in passages of whole sentences."""
    found, words, texts = list[Document](), 0, list[str]()
    rest = sentences(world, page)
    for number, sentence in enumerate(rest, start=1):
        texts.append(sentence.text)
        words += sentence.text.count(" ") + 1
        if words >= PASSAGE_WORDS or number == len(rest):
            found.append(Document(f"{page}-{len(found)}", world.titles[page], " ".join(texts)))
            words, texts = 0, []
    return found


def disambiguation(world: World, base: str) -> Page:
    """The page that lists the entities of one name."""
    lines = [f"{base} may refer to:"]
    for i in world.homonyms[base]:
        lines.append(f"{world.titles[i]}, a {world.kinds[i]}")
    return Page(base, "\n".join(lines), disambiguation=True)


def redirects(world: World) -> dict[str, str]:
    """Titles by the second names that lead to them."""
    pairs = zip(world.aliases, world.titles, strict=True)
    return {alias: title for alias, title in pairs if alias is not None}


class _Dice:
    """Chooses wordings: a linear congruential generator, good enough for that and quick to seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def __call__(self) -> float:
        """A number in [0, 1)."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) / 2**31


class _Prose:
    """Writes one page in prose. The wording of a sentence depends on what it tells alone."""

    def __init__(self, world: World, page: int) -> None:
        self._world, self._page = world, page
        self._seed = zlib.crc32(b"%d" % page, world.hash)
        self._random = _Dice(self._seed)
        self._split = world.spec.split
        self._kind = KINDS[world.kinds[page]]
        base = world.bases[page]
        self._name = base.split()[-1] if self._kind.name == "person" else base
        if self._kind.name == "person":
            self._pronoun = "She" if world.female[page] else "He"
        else:
            self._pronoun = self._kind.pronoun

    def sentences(self) -> list[Sentence]:
        world = self._world
        alias = world.aliases[self._page]
        lead = self._pick(self._kind.leads).format(
            t=world.bases[self._page], aka=f", also known as {alias}," if alias else ""
        )
        told = [self.tell(statement) for statement in world.statements(self._page)]
        self._random = _Dice(self._seed + 1)
        missing = max(2, _LEAST_SENTENCES - 1 - len(told))
        fillers = self._shuffled(self._kind.fillers.of(self._split))[:missing]
        told += [Sentence(self._filler(text)) for text in fillers]
        return [Sentence(lead), *self._shuffled(told)]

    def tell(self, statement: Statement) -> Sentence:
        self._random = _Dice(zlib.crc32(repr(statement[1:]).encode(), self._seed))
        if isinstance(statement.target, Reign):
            begin, end, person = statement.target
            mention = self._mention(person)
            text = self._pick(RULED)
            text = text.replace("{from}", str(begin)).replace("{to}", str(end))
            return Sentence(self._fill(text, mention), statement, mention)
        if isinstance(statement.target, tuple):
            # by title: whether two lists name one person must not take a third page to know
            names = [self._world.titles[person] for person in statement.target]
            mention = f"{', '.join(names[:-1])} and {names[-1]}"
            told = _LISTS_BY_NAME[statement.relation].told
            return Sentence(self._fill(self._pick(told), mention), statement, mention)
        relation = RELATIONS[statement.relation]
        if statement.inverse:
            assert relation.inverse is not None
            mention = self._mention(int(statement.target))
            return Sentence(
                self._fill(self._pick(relation.inverse.told), mention), statement, mention
            )
        if relation.is_entity:
            mention = self._mention(int(statement.target))
        elif relation.object == "number":
            mention = f"{statement.target:,}"
        else:
            mention = str(statement.target)
        return Sentence(self._fill(self._pick(relation.told), mention), statement, mention)

    def _mention(self, entity: int) -> str:
        """How a sentence names an entity: a second name, the name, or the whole title."""
        world = self._world
        alias = world.aliases[entity] if entity < len(world.aliases) else None
        if alias is not None and self._random() < 0.3:
            return alias
        # two persons of one name cannot be told apart by what is said of them
        if world.kinds[entity] == "person" or self._random() < 0.5:
            return world.titles[entity]
        return world.bases[entity]

    def _fill(self, text: str, mention: str) -> str:
        for beginning in ("{s} ", "The {s} "):
            if text.startswith(beginning) and self._random() < 0.4:
                text = f"{self._pronoun} {text[len(beginning) :]}"
        text = text.replace("{s}", self._name).replace("{o}", mention)
        return text[0].upper() + text[1:] if text[0] == "t" and text.startswith("the ") else text

    def _filler(self, text: str) -> str:
        text = text.replace("{n}", str(3 + int(self._random() * 96)))
        return self._fill(text.replace("{y}", str(1960 + int(self._random() * 60))), "")

    def _pick(self, wordings: Wordings) -> str:
        options = wordings.of(self._split)
        return options[int(self._random() * len(options))]

    def _shuffled(self, items: Sequence[T]) -> list[T]:
        keyed = sorted((self._random(), i) for i in range(len(items)))
        return [items[i] for _, i in keyed]


class _Terse:
    """Writes one page as `Teri person.`, `spouse Misty.`, `mentor Jade.`"""

    def __init__(self, world: World, page: int) -> None:
        self._world, self._page = world, page

    def sentences(self) -> list[Sentence]:
        lead = f"{self._world.titles[self._page]} {self._world.kinds[self._page]}."
        return [Sentence(lead), *map(self.tell, self._world.statements(self._page))]

    def tell(self, statement: Statement) -> Sentence:
        relation, target = statement.relation, statement.target
        if isinstance(target, Reign):
            mention = self._world.titles[target.person]
            text = f"{relation} {target.begin} {target.end} {mention}."
            return Sentence(text, statement, mention)
        if isinstance(target, tuple):
            mention = " ".join(self._world.titles[person] for person in target)
            return Sentence(f"{relation} {mention}.", statement, mention)
        mention = terse_value(self._world, relation, target)
        return Sentence(
            f"{terse_label(relation, statement.inverse)} {mention}.", statement, mention
        )


def terse_label(relation: str, inverse: bool) -> str:
    """The one word that stands before a value in terse text."""
    found = RELATIONS[relation]
    if inverse:
        assert found.inverse is not None
        return found.inverse.word.replace(" ", "_")
    return found.name


def terse_value(world: World, relation: str, value: Value) -> str:
    """An object as terse text has it."""
    return world.titles[int(value)] if RELATIONS[relation].is_entity else str(value)
