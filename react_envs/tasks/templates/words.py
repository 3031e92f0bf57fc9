"""The vocabulary of the problems: people and their pronouns, nouns and their plurals."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NAMES", "Noun", "Person", "a_or_an", "nouns", "plural"]


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(","))


# No name stands in both splits, is an English word or contains another name:
# every question names somebody, so no text can belong to both splits.
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "she": _listed(
            """
            Abigail, Aisha, Amara, Beatriz, Bianca, Camila, Carmen, Chloe, Delia, Elena, Esther,
            Farida, Fiona, Gabriela, Hannah, Ingrid, Jasmine, Keiko, Leila, Lucia, Maria, Mei,
            Nadia, Noor, Olivia, Paula, Priya, Rachel, Sofia, Svetlana, Tamara, Valentina, Yara,
            Yuki, Zoe
            """
        ),
        "he": _listed(
            """
            Adrian, Ahmed, Andre, Benjamin, Carlo, Chen, Daniel, Diego, Eduardo, Emeka, Felix,
            Farhan, Gustavo, Hassan, Henrik, Ibrahim, Ivan, Jamal, Joaquin, Kenji, Kofi, Liam,
            Luca, Mateo, Mikhail, Nikolai, Noah, Omar, Oscar, Pedro, Rafael, Rajesh, Samuel,
            Tariq, Thomas, Victor
            """
        ),
    },
    "test": {
        "she": _listed(
            """
            Adaeze, Agnieszka, Alma, Astrid, Catalina, Dalia, Eleni, Freya, Halima, Imani,
            Jolene, Katya, Linnea, Malika, Miriam, Naomi, Odette, Paloma, Rosalind, Saanvi, Thea,
            Ursula, Vera, Wren
            """
        ),
        "he": _listed(
            """
            Alejandro, Anders, Bogdan, Callum, Dmitri, Elias, Enzo, Francisco, Goran, Hiroshi,
            Isaac, Javier, Kwame, Leandro, Idris, Nuno, Oleg, Pavel, Quentin, Ravi, Stefan,
            Teodor, Umar, Xavier
            """
        ),
    },
}

_IRREGULAR = {
    "child": "children",
    "dozen": "dozen",
    "foot": "feet",
    "goose": "geese",
    "loaf": "loaves",
    "mouse": "mice",
    "percent": "percent",
    "person": "people",
    "potato": "potatoes",
    "scarf": "scarves",
    "sheep": "sheep",
    "shelf": "shelves",
    "tomato": "tomatoes",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a problem; `f"{who}"` is the name, a capital starts a sentence."""

    name: str
    he: str
    """`he` or `she`."""

    def __str__(self) -> str:
        return self.name

    def __format__(self, spec: str) -> str:
        return self.name

    @property
    def him(self) -> str:
        return "him" if self.he == "he" else "her"

    @property
    def his(self) -> str:
        return "his" if self.he == "he" else "her"

    @property
    def He(self) -> str:
        return self.he.capitalize()

    @property
    def His(self) -> str:
        return self.his.capitalize()


class Noun(str):
    """A countable noun in the singular that knows its plural and its article.

    >>> Noun("box of eggs").many, Noun("apple").a
    ('boxes of eggs', 'an apple')
    """

    __slots__ = ()

    @property
    def many(self) -> str:
        return plural(self)

    @property
    def a(self) -> str:
        return a_or_an(self)


def nouns(words: str) -> tuple[Noun, ...]:
    """The nouns of a comma-separated list."""
    return tuple(Noun(word) for word in _listed(words))


def plural(noun: str) -> str:
    """Plural of an English noun phrase in the singular.

    >>> plural("loaf of bread"), plural("berry"), plural("toy"), plural("meter per second")
    ('loaves of bread', 'berries', 'toys', 'meters per second')
    """
    for joint in (" of ", " per "):
        head, found, tail = noun.partition(joint)
        if found:
            return plural(head) + found + tail
    before, space, last = noun.rpartition(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return before + space + last


def a_or_an(phrase: str) -> str:
    """`phrase` behind its indefinite article, as it is spoken.

    >>> a_or_an("hour"), a_or_an("uniform"), a_or_an("18"), a_or_an("12")
    ('an hour', 'a uniform', 'an 18', 'a 12')
    """
    if phrase[0].isdigit():
        whole = phrase.partition(".")[0]
        vowel = whole[0] == "8" or whole in ("11", "18")
    else:
        vowel = phrase[0] in "aeiou" and not phrase.startswith(("uni", "use", "eu", "one"))
        vowel = vowel or phrase.startswith("hour")
    return ("an " if vowel else "a ") + phrase
