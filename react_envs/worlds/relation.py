"""What a relation and a kind of entity are: how facts are drawn, told on pages and asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Inverse", "Kind", "Relation", "Wordings", "wordings"]


@dataclass(frozen=True, slots=True)
class Wordings:
    """Ways to say one thing; those of `test` never appear in a training world."""

    train: tuple[str, ...]
    test: tuple[str, ...]

    def of(self, split: str) -> tuple[str, ...]:
        """The wordings of a split."""
        return self.train if split == "train" else self.test


def wordings(*texts: str) -> Wordings:
    """The first half for training worlds, the second half for test worlds.

    >>> wordings("the mentor of {x}", "{x}'s teacher").test
    ("{x}'s teacher",)
    """
    half = (len(texts) + 1) // 2
    return Wordings(texts[:half], texts[half:])


@dataclass(frozen=True, slots=True)
class Inverse:
    """The same relation seen from its object: the book's author, the author's book."""

    word: str
    """Its name in terse text."""
    told: Wordings
    """Sentences on the page of the object, `{s}`, about the subject, `{o}`."""
    phrase: Wordings
    """Noun phrases for the subject whose object is `{x}`."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A fact that an entity has at most once."""

    name: str
    """Unique; also its word in terse text, with blanks for underscores."""
    subject: str
    """Kind of its subjects."""
    object: str
    """Kind of its objects, or `"year"`, `"number"`, `"word"`."""
    told: Wordings
    """Sentences on the page of the subject, `{s}`; the object is `{o}`."""
    phrase: Wordings
    """Noun phrases for the object of the subject `{x}`."""
    share: float = 0.8
    """Share of the subjects that have it."""
    inverse: Inverse | None = None
    """How the object's page tells it instead; None if only the subject's page can."""
    values: Sequence[str] | tuple[int, int] = ()
    """The words, or the inclusive bounds of the years or numbers."""
    unit: str = ""
    """Unit of a number, which an answer may name."""
    after: str = ""
    """Relation to a person who was 20 to 49 years old in this year."""
    more: tuple[Wordings, Wordings] | None = None
    """Predicates of the one with the smaller and of the one with the larger value."""

    is_entity: bool = field(init=False)
    """True if the object is an entity."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_entity", self.object not in ("year", "number", "word"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity."""

    name: str
    share: float
    """Share of the pages."""
    leads: Wordings
    """First sentences; `{t}` is the title, `{aka}` an empty text or other names in commas."""
    pronoun: str
    fillers: Wordings
    """Sentences that nobody asks about; `{n}` is a number, `{y}` a year."""
    who: Wordings
    """Questions for one: `{np}` is a noun phrase."""
    that: str
    """How a question points back to one of two."""
