"""Reads facts back from the text of pages, by turning the wordings into patterns."""

from __future__ import annotations

import re

from react_envs.worlds.relation import Wordings
from react_envs.worlds.relations import KINDS, LISTS, RELATIONS, RULED, RULER
from react_envs.worlds.world import Reign, Statement, World
from react_envs.worlds.writing import article


class Reader:
    """Knows the wordings and the names of a world, and nothing else of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.names: dict[str, list[int]] = {}
        for i, title in enumerate(world.titles):
            for name in {title, world.bases[i], world.aliases[i]} - {None}:
                self.names.setdefault(str(name), []).append(i)

    def statements(self, page: int) -> tuple[set[Statement], int]:
        """What the page's text tells, and how many of its sentences tell nothing."""
        world = self.world
        kind = world.kinds[page]
        patterns = list(self._patterns(page, kind))
        read, silent = set(), 0
        for sentence in re.split(r"(?<=\.)\s+", article(world, page).text):
            found = {
                s
                for pattern, make in patterns
                if (m := pattern.fullmatch(sentence))
                for s in make(m)
            }
            assert len(found) <= 1, f"{sentence!r} can be read as {found}"
            read |= found
            silent += not found
        return read, silent

    def _patterns(self, page, kind):
        for relation in RELATIONS.values():
            if relation.subject == kind:
                yield from self._of(relation.told, page, relation.name, False, relation.object)
            if relation.inverse is not None and relation.object == kind:
                yield from self._of(
                    relation.inverse.told, page, relation.name, True, relation.subject
                )
        for persons in LISTS:
            if persons.subject == kind:
                yield from self._of(persons.told, page, persons.name, False, "list")
        if kind == "country":
            yield from self._of(RULED, page, RULER, False, "reign")

    def _of(self, wordings: Wordings, page, relation, inverse, kind):
        world = self.world
        name = world.bases[page].split()[-1] if world.kinds[page] == "person" else world.bases[page]
        pronoun = KINDS[world.kinds[page]].pronoun or ("She" if world.female[page] else "He")
        for text in wordings.of(world.spec.split):
            texts = {text.replace("{s}", name)}
            for beginning in ("{s} ", "The {s} "):
                if text.startswith(beginning):
                    texts.add(f"{pronoun} {text[len(beginning) :]}".replace("{s}", name))
            for written in texts:
                pattern = re.escape(written)
                for slot, group in (
                    ("{o}", "(?P<o>.+)"),
                    ("{from}", r"(?P<b>\d+)"),
                    ("{to}", r"(?P<e>\d+)"),
                ):
                    pattern = pattern.replace(re.escape(slot), group, 1)
                yield re.compile(pattern), self._maker(page, relation, inverse, kind)

    def _maker(self, page, relation, inverse, kind):
        def make(match: re.Match[str]) -> list[Statement]:
            said = match["o"]
            if kind == "list":
                names = re.split(", | and ", said)
                people = tuple(p for n in names for p in self._named(n, "person"))
                return (
                    [Statement(page, relation, inverse, people)]
                    if len(people) == len(names)
                    else []
                )
            if kind == "reign":
                begin, end = int(match["b"]), int(match["e"])
                return [
                    Statement(page, relation, inverse, Reign(begin, end, p))
                    for p in self._named(said, "person")
                ]
            if kind in ("year", "number"):
                number = said.replace(",", "")
                return [Statement(page, relation, inverse, int(number))] if number.isdigit() else []
            if kind == "word":
                return (
                    [Statement(page, relation, inverse, said)]
                    if said in RELATIONS[relation].values
                    else []
                )
            return [
                Statement(page, relation, inverse, entity) for entity in self._named(said, kind)
            ]

        return make

    def _named(self, name: str, kind: str) -> list[int]:
        return [i for i in self.names.get(name, ()) if self.world.kinds[i] == kind]
