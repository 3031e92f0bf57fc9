"""Synthetic grade-school problems: generated offline, without end, the same everywhere."""

from __future__ import annotations

import hashlib
import operator
from random import Random
from typing import Any, Literal, SupportsIndex

from react_envs.errors import ArgumentError
from react_envs.tasks.templates import TEMPLATES, Draw
from react_envs.types import Task

__all__ = ["VERSION", "SyntheticMath"]

VERSION = 1
"""Version of the generator. Any change of a text, a draw or the list of templates changes
which problem an index names, so it needs a new number here and a new environment version."""

_HARDEST = max(template.steps for template in TEMPLATES)


class SyntheticMath:
    """Word problems of 1 to 6 arithmetic steps with exact answers and worked solutions.

    A problem depends on the arguments and its index alone, on any machine and any Python
    from 3.11 on. `solution` has GSM8K's form: a line per step with `<<expression=value>>`
    in Python arithmetic, then `#### answer`. Dollars are whole or have two decimals, and
    the shortest decimal is then the second of `answers`. `metadata` names the template, the
    wording, the steps, the unit of the answer, the seed and whether there is a distractor.

    Train and test are disjoint by construction, in three ways: every question names a
    person, and no name stands in both splits, so no text can; test uses sentences that
    train never does (each template holds one wording out); and the arithmetic of each
    template is halved by a hash, so a test problem is no training problem retold.

    Not covered: answers that are negative, rounded or not a number, problems that need a
    picture, and the variety of human writers; the templates are few next to GSM8K.

    Args:
        split: `"train"` or `"test"`.
        seed: Any integer; another seed is another stream of problems.
        difficulty: Number of solution steps, or the lowest and highest, both inclusive.
        distractors: Share of problems with a sentence that does not matter, in [0, 1].
            The problem of an index is otherwise the same at any share.

    Raises:
        ArgumentError: If an argument is none of these.

    >>> task = SyntheticMath("train", difficulty=2, distractors=0)[1]
    >>> print(task.question.replace(". ", ".\\n"))
    Ahmed has 118 stickers.
    He keeps 37 and shares the others equally among 9 friends.
    How many stickers does each friend get?
    >>> print(task.solution)
    Ahmed gives away 118-37 = <<118-37=81>>81 stickers.
    Each friend gets 81/9 = <<81/9=9>>9 stickers.
    #### 9
    """

    name = "synthetic_math"

    def __init__(
        self,
        split: Literal["train", "test"] = "test",
        seed: int = 0,
        difficulty: int | tuple[int, int] | None = None,
        distractors: float = 0.25,
    ) -> None:
        if split not in ("train", "test"):
            raise ArgumentError(f'expected split "train" or "test", got {split!r}')
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ArgumentError(f"expected an integer seed, got {seed!r}")
        if not isinstance(distractors, int | float) or not 0 <= distractors <= 1:
            raise ArgumentError(f"expected a share of distractors in [0, 1], got {distractors!r}")
        self.split = split
        self.seed = seed
        self.difficulty = _step_range(difficulty)
        self.distractors = float(distractors)
        lowest, highest = self.difficulty
        self._templates = tuple(t for t in TEMPLATES if lowest <= t.steps <= highest)
        settings = f"{self.name} {VERSION} {split} {seed} {self.difficulty} {self.distractors}"
        self.fingerprint = f"sha256:{hashlib.sha256(settings.encode()).hexdigest()[:16]}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.split, self.seed, self.difficulty, self.distractors)

    def __len__(self) -> int:
        """2**31 - 1: an index fits in 32 bits, and nobody reaches the end."""
        return 2**31 - 1

    def __getitem__(self, index: SupportsIndex) -> Task:
        """The problem at `index`, from 0 to `len(self) - 1`; the end is no wrap-around."""
        position = operator.index(index)
        if not 0 <= position < len(self):
            raise IndexError(f"expected an index from 0 to {len(self) - 1}, got {position}")
        key = f"{self.name} {VERSION} {self.split} {self.seed} {position}"
        random = Random(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"))
        template = self._templates[int(random.random() * len(self._templates))]
        draw, wordings = Draw(random, self.split), None
        while wordings is None or _split_of(template.name, draw.expressions) != self.split:
            draw = Draw(random, self.split)
            wordings = template.write(draw)
        texts = wordings.train if self.split == "train" else wordings.test
        wording = int(random.random() * len(texts))
        distracted = random.random() < self.distractors
        question = texts[wording]
        if distracted:
            question = _before_last_sentence(question, wordings.aside)
        return Task(
            question=question,
            answers=tuple(dict.fromkeys((draw.answer, draw.plain_answer))),
            index=position,
            dataset=self.name,
            split=self.split,
            solution="\n".join([*draw.lines, f"#### {draw.answer}"]),
            metadata={
                "template": template.name,
                "wording": wording,
                "steps": template.steps,
                "answer_unit": draw.unit,
                "distractor": distracted,
                "seed": self.seed,
            },
        )


def _step_range(difficulty: object) -> tuple[int, int]:
    match difficulty:
        case None:
            return 1, _HARDEST
        case bool() | (bool(), _) | (_, bool()):
            pass
        case int(steps) if 1 <= steps <= _HARDEST:
            return steps, steps
        case (int(low), int(high)) if 1 <= low <= high <= _HARDEST:
            return low, high
    raise ArgumentError(
        f"expected difficulty as a number of steps from 1 to {_HARDEST}, or a pair "
        f"(lowest, highest) of them, got {difficulty!r}"
    )


def _split_of(template: str, expressions: list[str]) -> str:
    """The only split in which `template` may ask for this arithmetic."""
    digest = hashlib.sha256(" ".join([template, *expressions]).encode()).digest()
    return "test" if digest[0] % 2 else "train"


def _before_last_sentence(question: str, aside: str) -> str:
    head, stop, last = question.rpartition(". ")
    return f"{head}{stop}{aside} {last}"
