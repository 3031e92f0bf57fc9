"""Titles as people write them: the spellings that "Go" tries, and the titles that are close."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["TitleIndex", "closest", "features", "name_key", "spellings", "words"]

Ids = NDArray[np.uint32]

MIN_LIKENESS = 0.3
"""Share of common trigrams (Dice) from which a title without a common word counts as a typo."""

_WORD = re.compile(r"[^\W_]+")


def name_key(title: str) -> str:
    """`title` as MediaWiki files it: blanks and underscores as one blank, first letter large.

    >>> name_key("  eiffel__Tower ")
    'Eiffel Tower'
    """
    title = unicodedata.normalize("NFC", " ".join(title.replace("_", " ").split()))
    first = title[:1].upper()
    return first + title[1:] if len(first) == 1 else title  # "ß" has no single capital


def spellings(asked: str) -> Iterator[str]:
    """Keys under which "Go" looks for `asked`, in its order, duplicates left out.

    As written, in small letters, with every word capitalised, in capitals, with capitals after
    hyphens too; at last without the quotation marks around it. After MediaWiki's `TitleMatcher`.

    >>> list(spellings("jean-luc PICARD"))
    ['Jean-luc PICARD', 'Jean-luc picard', 'Jean-luc Picard', 'JEAN-LUC PICARD', 'Jean-Luc Picard']
    """
    key = name_key(asked)
    if not key:
        return
    yield key
    small = key.lower()
    capitals_after_breaks = re.sub(r"(?<!['’\w])\w", lambda first: first[0].upper(), small)
    capitalised = " ".join(word[:1].upper() + word[1:] for word in small.split(" "))
    others = (name_key(small), name_key(capitalised), key.upper(), capitals_after_breaks)
    yield from (spelling for spelling in dict.fromkeys(others) if spelling != key)
    if len(key) > 2 and key[0] == key[-1] == '"' and '"' not in key[1:-1]:
        yield from spellings(key[1:-1])


def words(text: str) -> list[str]:
    """The words of `text` in their order, without case and accents.

    >>> words("Pelé's No. 10, the_best")
    ['pele', 's', 'no', '10', 'the', 'best']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c))
    return _WORD.findall(text.casefold())


def features(title: str) -> tuple[list[str], list[str]]:
    """Words and character trigrams of `title`, each once, without case and accents.

    >>> features("Pelé")
    (['pele'], ['\\x00 pe', '\\x00pel', '\\x00ele', '\\x00le '])
    """
    found = words(title)
    padded = f" {' '.join(found)} "
    # the mark keeps a trigram apart from a word of three letters
    trigrams = ["\0" + padded[i : i + 3] for i in range(len(padded) - 2)] if found else []
    return list(dict.fromkeys(found)), list(dict.fromkeys(trigrams))


def closest(
    asked: str, postings: Callable[[str], Ids], trigram_counts: NDArray[np.uint8]
) -> list[int]:
    """Ids of the titles that are like `asked`, best first.

    A title scores the share of the asked words that it has, rare words counting more (idf), plus
    the Dice share of common trigrams; ties go to the smaller id.

    Args:
        asked: any text.
        postings: ids of the titles that have a feature.
        trigram_counts: number of trigrams of each title, at most 255.
    """
    asked_words, trigrams = features(asked)
    number = len(trigram_counts)
    if not asked_words or not number:
        return []
    common = np.bincount(np.concatenate([postings(t) for t in trigrams]), minlength=number)
    # no title with fewer common trigrams can reach the likeness, however short it is
    near = np.flatnonzero(common >= max(1.0, MIN_LIKENESS / 2 * len(trigrams)))
    with_word = [postings(word) for word in asked_words]
    candidates = np.unique(np.concatenate([near, *with_word]).astype(np.int64))
    weights = [math.log1p(number / (len(ids) + 0.5)) for ids in with_word]
    share = np.zeros(len(candidates))
    for ids, weight in zip(with_word, weights, strict=True):
        share[np.searchsorted(candidates, ids)] += weight / sum(weights)
    dice = 2 * common[candidates] / (len(trigrams) + trigram_counts[candidates].astype(np.int64))
    kept = (share > 0) | (dice >= MIN_LIKENESS)
    order: list[int] = candidates[kept][np.argsort(-(share + dice)[kept], kind="stable")].tolist()
    return order


class TitleIndex:
    """Words and trigrams of some titles, in memory.

    >>> titles = ["Yoshua Bengio", "Samy Bengio", "Paris", "Paris Hilton"]
    >>> [titles[i] for i in TitleIndex(titles).closest("Joshua Bengio")]
    ['Yoshua Bengio', 'Samy Bengio']
    >>> [titles[i] for i in TitleIndex(titles).closest("parris")]
    ['Paris', 'Paris Hilton']
    """

    def __init__(self, titles: Iterable[str]) -> None:
        ids: dict[str, list[int]] = {}
        counts = []
        for number, title in enumerate(titles):
            found, trigrams = features(title)
            counts.append(min(len(trigrams), 255))
            for feature in (*found, *trigrams):
                ids.setdefault(feature, []).append(number)
        self._ids = ids
        self._trigram_counts = np.array(counts, np.uint8)

    def closest(self, asked: str) -> list[int]:
        """Positions of the titles that are like `asked`, best first."""
        return closest(asked, self._postings, self._trigram_counts)

    def _postings(self, feature: str) -> Ids:
        return np.array(self._ids.get(feature, ()), np.uint32)
