"""Titles of the entities of a world: names, second names, homonyms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from react_envs.worlds.names import Names

if TYPE_CHECKING:
    from react_envs.worlds.world import WorldSpec

__all__ = ["Titles"]

_FORMS: dict[str, tuple[str, ...]] = {
    "city": ("{0}",),
    "country": ("{0}",),
    "river": ("{0}",),
    "organisation": (
        "{0} Society", "{0} Institute", "{0} Bank", "{0} Guild", "{0} Academy", "{0} Club",
        "{0} Works", "{0} League", "{0} Company", "University of {0}",
    ),
    "work": ("{0}", "{0} and {1}", "Letters from {0}",
             "Songs of {0}", "Nights in {0}", "A Year in {0}"),
    "event": (
        "Battle of {0}", "{0} Fair", "Congress of {0}", "{0} Regatta", "March on {0}",
        "Siege of {0}", "{0} Games",
    ),
    "species": (
        "{0} owl", "{0} otter", "{0} hare", "{0} heron", "{0} lynx", "{0} newt", "{0} bat",
        "{0} ibex",
    ),
    "award": ("{0} Prize", "{0} Medal", "{0} Cup", "{0} Ribbon"),
}  # fmt: skip
_SHARE_NAMES = ("city", "country", "river", "work")
"""Kinds whose names of one word may be those of another kind."""
_TERSE_POOL = 512


class Titles:
    """Draws all names of a world.

    Attributes:
        titles: by id, all different.
        bases: titles without what stands in parentheses.
        aliases: second names, None where there is none.
        homonyms: ids by the base that they share.
    """

    def __init__(
        self,
        spec: WorldSpec,
        kinds: Sequence[str],
        female: Sequence[bool],
        random: Callable[[], float],
    ) -> None:
        self._random = random
        self.homonyms: dict[str, list[int]] = {}
        split = spec.split if spec.names == "disjoint" else "train"
        if spec.style == "terse":
            size = max(0 if spec.names == "few" else _TERSE_POOL, 2 * len(kinds))
            self.titles = _sample(_pool(split, size), len(kinds), random)
            self.bases = self.titles
            self.aliases: list[str | None] = [None] * len(kinds)
            return
        self._names = Names(split, random, spec.near_misses)
        given = max(8, min(400, spec.pages // 8))
        self._given = [[self._names.word() for _ in range(given)] for _ in range(2)]
        self.bases = []
        self.aliases = []
        single: list[int] = []
        people: list[int] = []
        for i, kind in enumerate(kinds[: spec.pages]):
            other = None
            if random() < spec.homonyms:
                other = self._homonym(kind, people if kind == "person" else single, kinds)
            if other is None:
                base = self._draw(kind, kind == "person" and female[i])
            else:
                base = self.bases[other]
                self.homonyms.setdefault(base, [other]).append(i)
            if kind == "person":
                people.append(i)
            elif kind in _SHARE_NAMES and " " not in base:
                single.append(i)
            self.bases.append(base)
            self.aliases.append(self._alias(kind, base) if random() < spec.aliases else None)
        for _ in kinds[spec.pages :]:
            self.bases.append(self._draw("person", random() < 0.5))
            self.aliases.append(None)
        self.titles = list(self.bases)
        for base, sharers in self.homonyms.items():
            for number, i in enumerate(sharers):
                mark = "I" * (number + 1) if kinds[i] == "person" else _noun(kinds[i])
                self.titles[i] = f"{base} ({mark})"

    def _homonym(self, kind: str, others: Sequence[int], kinds: Sequence[str]) -> int | None:
        """An entity that can share its name with a new one of `kind`, if the first draw can."""
        if not others or (kind != "person" and kind not in _SHARE_NAMES):
            return None
        other = others[int(self._random() * len(others))]
        sharers = self.homonyms.get(self.bases[other], [other])
        if kind == "person":
            return other if len(sharers) < 3 else None
        return None if any(kinds[i] == kind for i in sharers) else other

    def _draw(self, kind: str, female: bool) -> str:
        """A name that no other entity has: a word of it is new."""
        random, word = self._random, self._names.word
        if kind == "person":
            given = self._given[female]
            return f"{given[int(random() * len(given))]} {word()}"
        forms = _FORMS[kind]
        form = forms[int(random() * len(forms))]
        return form.format(word(), word() if "{1}" in form else "")

    def _alias(self, kind: str, base: str) -> str:
        """Another given name, or another name of the same kind."""
        if kind == "person":
            return f"{self._names.word()} {base.split()[-1]}"
        return self._draw(kind, False)


def _noun(kind: str) -> str:
    return "book" if kind == "work" else kind


@lru_cache(maxsize=8)
def _pool(split: str, size: int) -> tuple[str, ...]:
    """The same words for every terse world of a split, so that a tokenizer can have them all."""
    names = Names(split, Random(0).random)
    return tuple(names.word() for _ in range(size))


def _sample(pool: Sequence[str], size: int, random: Callable[[], float]) -> list[str]:
    """`size` different words, by the first steps of a Fisher-Yates shuffle."""
    words = list(pool)
    for i in range(size):
        j = i + int(random() * (len(words) - i))
        words[i], words[j] = words[j], words[i]
    return words[:size]
