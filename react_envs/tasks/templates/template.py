"""How a template is written: it draws numbers and words, solves, and words the question.

A new template is one function in the file of its theme:

    @template(steps=2)
    def change_from_a_bill(d: Draw) -> Wordings:
        who, item, n, price = d.person(), d.pick(STATIONERY), d.between(3, 9), d.cents(75, 500)
        cost = d.step(f"The {item.many} cost", n * price, "$")
        d.step("The change is", 50 - cost, "$")
        return Wordings(
            train=(f"{who} buys {n:{item}} for {price:$} each. ...?", f"..."),
            test=(f"...",),
            aside=f"The shop has been open for {d.between(4, 30)} years.",
        )

Draw numbers so that every result comes out exact and plausible. Every wording names a
person, has at least two sentences (the aside goes before the last) and ends with the
question. The answer of the last step is the answer of the problem. Then give a second way
to the answer, and the order of the numbers in each wording, to the table in
tests/tasks/test_synthetic_answers.py; the other tests find the template by themselves.
A new or changed template changes which problem an index names, so it needs a new
`VERSION` of the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import TypeVar

from .quantity import Quantity, known
from .words import NAMES, Person, plural

__all__ = ["Draw", "Template", "Wordings", "known", "template"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wordings:
    """The texts of one drawn problem; each tells the same story with the same numbers."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    """Held out: these sentences never appear in training problems."""
    aside: str
    """A true sentence whose number the solution does not need."""


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of problem."""

    name: str
    steps: int
    """Lines of its solution, the same for every draw."""
    write: Callable[[Draw], Wordings]


def template(steps: int) -> Callable[[Callable[[Draw], Wordings]], Template]:
    """Turn a function into the template of its name, solved in `steps` steps."""
    return lambda write: Template(write.__name__, steps, write)


class Draw:
    """One attempt at a problem: the source of its numbers and words, and its solution.

    A problem whose arithmetic belongs to the other split is drawn again from the start.

    Only `Random.random` is used: Python guarantees its sequence across versions, but not
    that of `randrange` or `choice`.
    """

    def __init__(self, random: Random, split: str) -> None:
        self._random = random.random
        self._names = NAMES[split]
        self._used: set[str] = set()
        self.expressions: list[str] = []
        """Arithmetic of each step."""
        self.lines: list[str] = []
        """Worked solution in GSM8K's form, a line per step."""
        self.answer = ""
        """Result of the last step, without its unit."""
        self.plain_answer = ""
        """The same as a shortest decimal: `2.5` for `2.50`."""
        self.unit = ""
        """Unit of the answer, in the plural."""

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`, all equally likely."""
        return options[int(self._random() * len(options))]

    def between(self, low: int | Quantity, high: int | Quantity, by: int = 1) -> Quantity:
        """A whole number `low`, `low + by`, ... up to `high` inclusive."""
        low, high = int(low), int(high)
        return Quantity(low + by * int(self._random() * ((high - low) // by + 1)))

    def cents(self, low: int, high: int, by: int = 25) -> Quantity:
        """An amount in dollars; the bounds, inclusive, and the grid are in cents."""
        return Quantity(self.between(low, high, by).value / 100)

    def part(self, *options: str) -> Quantity:
        """One of the fractions, written `"2/3"`."""
        text = self.pick(options)
        return Quantity(Fraction(text), text)

    def person(self) -> Person:
        """Somebody who is not in the problem yet."""
        he = self.pick(("he", "she"))
        name = self.pick(self._names[he])
        while name in self._used:
            name = self.pick(self._names[he])
        self._used.add(name)
        return Person(name, he)

    def step(self, sentence: str, result: Quantity, unit: str) -> Quantity:
        """Write a line of the solution; return its result for the next steps.

        `sentence` stands before the arithmetic; `unit` is a noun in the singular, or `$`.
        The last step is the answer.
        """
        self.expressions.append(result.expression)
        dollars = unit == "$"
        self.answer = result.money() if dollars else result.decimal()
        self.plain_answer = result.decimal()
        self.unit = "dollars" if dollars else plural(unit)
        equation = f"{'$' * dollars}<<{result.expression}={self.answer}>>{self.answer}"
        noun = "" if dollars else f" {unit if result.value == 1 else self.unit}"
        self.lines.append(f"{sentence} {result.expression} = {equation}{noun}.")
        return known(result)
