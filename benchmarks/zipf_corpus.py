"""A corpus of any size without a download: invented words whose frequencies follow Zipf's law.

    python benchmarks/zipf_corpus.py 1000000 corpus.jsonl

The same number of passages gives the same bytes on every machine. A passage has 75 to 115 words of
a vocabulary of 200,000; the commonest are English stop words, frequent words are short, passages
repeat their words. Two numbers, on which the sizes of an index's postings and texts depend, are
about those of the paragraphs of 2WikiMultihopQA, MuSiQue and HotpotQA that have 60 to 140 words:
66 % of a passage's words are different, and a word with its blank has 6.0 bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

VOCABULARY = 200_000
_STOP_WORDS = """
the of and in a to is was for as on by with it at that be this are not or an they but their such
into there no if then will these
"""
STOP_WORDS = _STOP_WORDS.split()
SYLLABLES = [c + v for c in "bdfghklmnprstvz" for v in "aeiou"]
BLOCK = 10_000
REPEATED = 0.34
"""Share of words that are drawn from the passage so far."""


def vocabulary() -> list[str]:
    """Words by rank, each once."""
    random = np.random.default_rng(1)
    words = dict.fromkeys(STOP_WORDS)
    while len(words) < VOCABULARY:
        length = 1 + 0.6 * np.log10(len(words) + 1) + random.random()
        word = "".join(SYLLABLES[i] for i in random.integers(0, len(SYLLABLES), int(length)))
        while word in words:
            word += SYLLABLES[random.integers(0, len(SYLLABLES))]
        words[word] = None
    return list(words)


class Zipf:
    """Draws words; the one of rank r with probability proportional to 1 / (r + 0.5)."""

    def __init__(self) -> None:
        self.words = np.array(vocabulary(), dtype=object)
        weights = 1 / (np.arange(1, VOCABULARY + 1) + 0.5)
        self._below = np.cumsum(weights / weights.sum())

    def draw(self, random: np.random.Generator, number: int, from_rank: int = 0) -> list[str]:
        lowest = self._below[from_rank - 1] if from_rank else 0.0
        places = np.searchsorted(self._below, random.uniform(lowest, 1.0, number))
        drawn: list[str] = self.words[np.minimum(places, VOCABULARY - 1)].tolist()
        return drawn


def passages(number: int, zipf: Zipf) -> Iterator[tuple[str, str, str]]:
    """Id, title and text of each passage."""
    for start in range(0, number, BLOCK):
        random = np.random.default_rng([2, start])
        size = min(BLOCK, number - start)
        titles = random.integers(1, 4, size)
        lengths = titles + random.integers(75, 116, size)
        drawn = np.array(zipf.draw(random, int(lengths.sum())), dtype=object)
        # position of each word in its passage, and an earlier one that it may repeat
        firsts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        position = np.arange(len(drawn)) - firsts
        earlier = firsts + (random.random(len(drawn)) * position).astype(np.int64)
        repeated = random.random(len(drawn)) < REPEATED
        words = np.where(repeated, drawn[earlier], drawn).tolist()
        end = 0
        for i in range(size):
            begin, text, end = end, end + int(titles[i]), end + int(lengths[i])
            title = " ".join(words[begin:text]).title()
            yield str(start + i), f"{title} {start + i}", " ".join(words[text:end])


def queries(number: int, zipf: Zipf, kind: str) -> list[str]:
    """`agent`: 3 to 6 words without the 30 commonest; `long`: 15 to 25 of all words."""
    random = np.random.default_rng([3, kind == "long"])
    low, high, from_rank = (15, 26, 0) if kind == "long" else (3, 7, 30)
    sizes = random.integers(low, high, number)
    return [" ".join(zipf.draw(random, int(size), from_rank)) for size in sizes]


def write(number: int, path: Path, zipf: Zipf) -> None:
    """Write the corpus as wiki-18 is written, unless it is there."""
    if path.exists():
        return
    unfinished = path.with_suffix(".tmp")
    with open(unfinished, "w") as file:
        for id, title, text in passages(number, zipf):
            file.write(json.dumps({"id": id, "contents": f'"{title}"\n{text}'}) + "\n")
    unfinished.rename(path)


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]), Zipf())
