r"""Grades a numeric answer: reads the one number that a text commits to, compares exactly.

**Which number.** The first rule that finds one decides:

1. the last line with a `\boxed{...}`: what its boxes hold;
2. the last "answer is ..." / "Answer: ..." / "#### N": the rest of that sentence, up to
   "because" or "since";
3. the whole text.

All numbers of that statement must be the same number. If they differ, these ways are left,
in this order (`react_envs.rewards.statements`):

- its first sentence or line is a number with at most a few words, and what follows explains
  it: "$18.\n\nExplanation: 9 eggs at $2." The rest must hold no other answer: no line that
  is a number, no "or", "actually", "wait", "instead" and the like;
- a reason follows: "18, because she sells 9 eggs at $2 each", "18 (9 × 2)". "18 (19)" and
  "18 (or 19)" have no number, nor has a reason that ends in another one, "18 (9 × 2 = 19)";
- an aside follows: "18 dollars for 9 eggs" (a noun or a currency sign, then a word such as
  "for" or "of" for the numbers after it). Not if a verb such as "is" or "makes" comes
  before a number, nor with another amount of the same kind ("$18 for one, $19 for two"), nor
  after "million" or "dozen", nor for ratios ("3 in 4");
- the result of a product in words: "18 dollars per hour for 8 hours is 144 dollars" is 144;
- the part after the last "=" or "≈" of its last sentence with a number, read by the same
  rules: "9 * 2 = 18 dollars", unless that sentence joins equations by "or" or "and", or
  another line is a different number.

So "3 or 4", "between 10 and 20", "18\n19\n20", "$5 and 50 cents", "1 hour 30 minutes" and
"She sells 9 eggs for 18 dollars" have no number. There is no "take the last number": a text
has one number or none, so listing guesses never pays.

**What is a number.** 18, -18, −18, +18, 18.0, .5, 1,000, 1 000 (thin or no-break spaces),
$1,000.00, 50%, 1.2e3, 1.2 × 10^3, 3/4, 1 1/2, 18½, 12 and a half, \frac{3}{4},
1\frac{4}{5}, 1.5 million; with Markdown, LaTeX layout, HTML tags and units around it.
A currency sign or code ("US$18") or unit is ignored, whatever it is: "5 cents" is 5, "3
dozen" is 3. So are "and 0 cents" and marks of a turn's end such as `<|im_end|>`.

**What is none**, though it has digits: expressions (2 + 3, 2^3, 2x, \sqrt{18}, 3\pi),
numerals of another base (52_8), comparisons and negations ("more than 18", "not 18"),
± values, times and dates (3:30), "18k" and "$2M" (thousands or a unit?), number words
("eighteen"), and the European "1.000,50" or "1,5": by the datasets' convention a comma
parts groups of three, and a reading that could be either is not guessed.

**When two numbers are equal.** As exact fractions: 101 is never 100. Two exceptions, both
for *long decimals*, which a program printed or a data set rounded: at least 15 significant
digits with some after the point, or at least 10 digits after the point (trailing zeros
not counted). Such a number equals one within 1e-14 of it, relatively, which is the noise
of double precision (0.30000000000000004 is 0.3). And against a
long *gold* number an answer with at least two decimals and three significant digits counts
if the two agree when the finer is rounded to the decimals of the coarser
(1128316.33 is 1128316.3333333333; 5.333333333333333 is 5.3333333333).

**Percent.** If both sides carry a percent sign, or neither does, they compare as written.
Otherwise the side without decides: at 1 or more the sign is a unit like any other (50% is
50), below 1 it means hundredths (50% is 0.5). So each pair has one reading, and 0.5 is
not 50. "Million" is never a unit: 26 million is 26,000,000, not 26, even where a question
asks for millions (6 of the 8,792 of GSM8K do) and the gold answer is 26.

Not covered: sums of units, complex numbers, intervals, words that change a number from afar
("half of 18", "not \boxed{18}"). `react_envs.rewards.math` compares expressions.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction

from react_envs.errors import ArgumentError
from react_envs.rewards.boxed import find_boxes
from react_envs.rewards.numerals import (
    NUMBER,
    VARIABLE,
    Number,
    plain_text,
    read_whole,
)
from react_envs.rewards.statements import read_statement, sentences
from react_envs.rewards.text import check_targets

__all__ = ["extract_number", "numeric_match", "same_number"]

MAX_CHARS = 20_000
"""Of a longer text only the last so many characters are read, and only for rules 1 and 2."""
_LONG_TOLERANCE = Fraction(1, 10**14)


def extract_number(text: str) -> Fraction | None:
    r"""The number that `text` commits to, None if it has none or several.

    Units are ignored, the percent sign too: "50%" is 50. The module's docstring has the
    rules. Never raises for any string; time is bounded (`MAX_CHARS`).

    >>> extract_number("So Janet makes **$18.50** per day.")
    Fraction(37, 2)
    >>> extract_number(r"\boxed{1{,}000\text{ eggs}}")
    Fraction(1000, 1)
    >>> extract_number("9 * 2 = 18 dollars")
    Fraction(18, 1)
    >>> extract_number("18 or 19") is None
    True
    """
    number = _read_answer(text)
    return None if number is None else number.value


def numeric_match(prediction: str, targets: Collection[str]) -> float:
    """1.0 if the number that `prediction` commits to equals one of `targets`, else 0.0.

    Args:
        prediction: the agent's answer, any text ("Final Answer:" and the like cut off).
        targets: gold numbers in any form that this module reads.

    Raises:
        ArgumentError: if `targets` is a single string, or a target holds no number.

    >>> numeric_match("$1,000.00 per year", ["1000"])
    1.0
    >>> numeric_match("1005", ["1000"])
    0.0
    >>> numeric_match("between 10 and 20", ["10", "20"])
    0.0
    """
    check_targets(targets)
    golds = [_read_gold(target) for target in targets]
    answer = _read_answer(prediction)
    return float(answer is not None and any(_equal(answer, gold) for gold in golds))


def same_number(prediction: str, gold: str) -> bool | None:
    r"""Whether the numbers that the two texts *are* (not: hold) equal; None if one is none.

    A unit after the number is allowed, and one letter and an equals sign before it; two
    different letters make two different answers.

    >>> same_number(r"x = \frac{3}{4}", "0.75")
    True
    >>> same_number("x^2 = 4", "4") is None
    True
    """
    if len(prediction) > MAX_CHARS:
        return None
    answer, target = read_whole(prediction), read_whole(gold)
    if answer is None or target is None:
        return None
    variables = {match[1] for text in (prediction, gold) if (match := VARIABLE.match(text))}
    return len(variables) < 2 and _equal(answer, target)


def _read_gold(target: str) -> Number:
    gold = _read_answer(target)
    if gold is None:
        raise ArgumentError(
            f"expected a gold answer with one number, got {target[:200]!r}; "
            "grade other answers with exact_match or math_match"
        )
    return gold


def _equal(answer: Number, gold: Number) -> bool:
    value, target = answer.value, gold.value
    if answer.percent and not gold.percent and abs(target) < 1:
        value /= 100
    elif gold.percent and not answer.percent and abs(value) < 1:
        target /= 100
    if value == target:
        return True
    difference = abs(value - target)
    if (answer.long or gold.long) and difference <= _LONG_TOLERANCE * abs(target):
        return True
    if not gold.long or answer.percent != gold.percent:
        return False
    if answer.decimals < 2 or answer.significant < 3:
        return False
    half_a_unit = Fraction(1, 2 * 10 ** min(answer.decimals, gold.decimals))
    return difference <= half_a_unit


# --- From an answer to the statement in it -----------------------------------------------

_ANSWER_MARK = re.compile(
    r"\banswer\b(?:\s{1,4}-\s|[^\n.:=]{0,80}?(?:\bis\b|\bwas\b|\bwould be\b|\bequals\b|:|=))"
    r"|####(?=\s{0,4}[-+$€£¥.0-9\\])",
    re.IGNORECASE,
)
_REASON = re.compile(r"\b(?:because|since)\b", re.IGNORECASE)


def _read_answer(text: str) -> Number | None:
    too_long = len(text) > MAX_CHARS
    text = text[-MAX_CHARS:]
    boxed = _last_boxes(text)
    if boxed is not None:
        boxed = plain_text(boxed)
        # In a box "5!" is a factorial, in prose it is joy.
        return None if "!" in boxed else read_statement(boxed, marked=True)
    text = plain_text(text)
    marks = list(_ANSWER_MARK.finditer(text))
    if marks:
        sentence = sentences(text[marks[-1].end() :].lstrip(" \t:"))[0]
        sentence = _REASON.split(sentence, maxsplit=1)[0]
        if NUMBER.search(sentence):
            return read_statement(sentence, marked=True)
    return None if too_long else read_statement(text, marked=False)


def _last_boxes(text: str) -> str | None:
    """What the boxes of the last line that ends one hold, side by side."""
    held: list[str] = []
    last_end = 0
    for box in find_boxes(text):
        if "\n" in text[last_end : box.start]:
            held.clear()
        held.append(box.content)
        last_end = box.end
    return " ; ".join(held) if held else None
