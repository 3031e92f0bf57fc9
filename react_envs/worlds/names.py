"""Invented names, of which no word stands in both splits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

__all__ = ["Names"]

# The first letters of the splits' words differ, so that no word can be of both.
_FIRST = {
    "train": "B Bl Br D Dr F Fl G Gl Gr H J K Kl Kr L M",
    "test": "Ch N P Pl Pr Qu R S Sk St T Th Tr V W Y Z",
}
_VOWELS = "a a a e e i i o o u ai ia"
_MIDDLE = "b d f g k l ll lm ld m mb n nd nn r rd rk rn rr s ss st t th v z"
_LAST = "l m n nd nt r rd rn s sh st th x k"
_BEGINNINGS = {
    split: [a + b for a in first.split() for b in _VOWELS.split()]
    for split, first in _FIRST.items()
}
_SYLLABLES = [a + b for a in _MIDDLE.split() for b in _VOWELS.split()]
_ENDINGS = [
    syllable + last
    for syllable in ("", "", *_SYLLABLES[::3])
    for last in (*_LAST.split(), *[""] * len(_LAST.split()))
]
_MIDDLES, _LASTS = len(_SYLLABLES), len(_ENDINGS)


class Names:
    """A source of words that it never gives twice.

    Args:
        split: `"train"` or `"test"`.
        random: a function like `random.Random().random`.
        near_miss: share of words that differ in one vowel from an earlier one.
    """

    def __init__(self, split: str, random: Callable[[], float], near_miss: float = 0.0) -> None:
        self._random = random
        self._used: set[str] = set()
        self.word = self._words(_BEGINNINGS[split], near_miss).__next__
        """Gives a new word of at least three letters."""

    def _words(self, beginnings: Sequence[str], near_miss: float) -> Iterator[str]:
        random, used = self._random, self._used
        drawn: list[str] = []
        count = len(beginnings)
        while True:
            if near_miss and drawn and random() < near_miss:
                near = self._like(drawn[int(random() * len(drawn))])
                if near is not None:
                    yield near
                    continue
            word = ""
            while not word or word in used:
                word = (
                    beginnings[int(random() * count)]
                    + _SYLLABLES[int(random() * _MIDDLES)]
                    + _ENDINGS[int(random() * _LASTS)]
                )
            used.add(word)
            drawn.append(word)
            yield word

    def _like(self, word: str) -> str | None:
        """A new word that differs from `word` in one vowel; None if the first try is taken."""
        places = [i for i, letter in enumerate(word) if letter in "aeiou" and i > 1]
        if not places:
            return None
        place = places[int(self._random() * len(places))]
        near = word[:place] + "aeiou"[int(self._random() * 5)] + word[place + 1 :]
        if near in self._used:
            return None
        self._used.add(near)
        return near
