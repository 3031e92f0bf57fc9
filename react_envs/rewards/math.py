r"""Grades mathematical answers in LaTeX: equal value, whatever its form.

Three stages, the cheap ones first: equal text after layout is removed; equal numbers, as
exact fractions (`react_envs.rewards.numeric`); equal expressions, by math-verify and sympy.
The last stage runs in a worker process with limits on CPU time and memory, so that no answer can
hang or bloat the trainer: `9^{9^{9^9}}` is a wrong answer, nothing more.

What an answer is: the last `\boxed{...}`; or else what follows the last "answer is"; or
else the whole text; of that the one formula between dollar signs, if there is exactly one
and the words around it hold no number and neither negate nor hedge it.

What is not covered: the *form* of an answer. Where a problem says "factor" or "simplify",
the expanded or unsimplified expression scores too, and equations compare by their
solutions. An inexact decimal of an irrational value counts if it is right to six decimals
(math-verify's rounding); one of a rational value does not. Words ("east", "(C)") compare
as text, letter case aside; a unit in \text{...} at the end is ignored.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from react_envs.errors import ArgumentError, MissingExtraError
from react_envs.rewards.boxed import extract_boxed, find_boxes
from react_envs.rewards.math_process import compare_in_worker
from react_envs.rewards.numeric import same_number
from react_envs.rewards.text import check_targets

__all__ = [
    "MathReason",
    "MathVerdict",
    "compare_math",
    "extract_boxed",
    "find_boxes",
    "math_equal",
    "math_match",
]

MAX_CHARS = 1_000
"""A longer expression is wrong without being read (the longest answer of MATH-500 has 53)."""
_MAX_TEXT = 20_000


class MathReason(StrEnum):
    """What decided a comparison."""

    TEXT = "text"
    """The texts: equal without layout, or words, or numerals with a base."""
    NUMBER = "number"
    """Both are numbers; they were compared as fractions."""
    SYMBOLIC = "symbolic"
    """math-verify read both and compared them."""
    UNREADABLE = "unreadable"
    """math-verify could not read one of them: scores 0."""
    TOO_LONG = "too_long"
    """The prediction has more than `MAX_CHARS` characters: scores 0."""
    TIMEOUT = "timeout"
    """The comparison used up its time: scores 0, and is worth counting."""
    MEMORY = "memory"
    """The comparison used up its memory: scores 0, and is worth counting."""
    CRASHED = "crashed"
    """The worker died of something else: scores 0, and is worth counting."""


class MathVerdict(NamedTuple):
    """A score and what it rests on."""

    score: float
    reason: MathReason


def math_equal(prediction: str, gold: str, timeout_s: float = 5.0) -> float:
    r"""1.0 if `prediction` is mathematically equal to `gold`, else 0.0.

    A time-out scores 0.0 here; `compare_math` tells it from a wrong answer.

    >>> math_equal(r"\boxed{\dfrac{3}{4}}", r"\frac34")
    1.0
    """
    return compare_math(prediction, gold, timeout_s).score


def math_match(prediction: str, targets: Collection[str], timeout_s: float = 5.0) -> float:
    """1.0 if `prediction` is mathematically equal to one of `targets`, else 0.0.

    Args:
        prediction: the agent's answer, any text.
        targets: gold expressions in LaTeX, without dollar signs.
        timeout_s: CPU seconds for each target.

    Raises:
        ArgumentError: if `targets` is a single string or a target is unusable.
        MissingExtraError: if math-verify is not installed.
    """
    check_targets(targets)
    return max((math_equal(prediction, target, timeout_s) for target in targets), default=0.0)


def compare_math(prediction: str, gold: str, timeout_s: float = 5.0) -> MathVerdict:
    """Compare and say what decided: the way to count time-outs.

    Thread-safe; the worker starts at the first comparison that needs it (half a second,
    65 MB), serves all later ones and is replaced if it dies.

    Args:
        prediction: the agent's answer, any text.
        gold: the gold expression in LaTeX, at most `MAX_CHARS` characters.
        timeout_s: CPU seconds of the worker for this comparison; a busy machine does not
            change the verdict. Wall-clock time is bounded by six times as much.

    Raises:
        ArgumentError: if `gold` is empty or too long, or `timeout_s` not in (0, 3600].
        MissingExtraError: if math-verify is not installed.
        ReactEnvsError: if it is, but its worker cannot be started.
    """
    _require_math_verify()
    if not gold.strip() or len(gold) > MAX_CHARS:
        raise ArgumentError(
            f"expected a gold answer of 1 to {MAX_CHARS} characters, got {gold[:80]!r} "
            f"({len(gold)} characters)"
        )
    if not 0 < timeout_s <= 3600:
        raise ArgumentError(f"expected 0 < timeout_s <= 3600, got {timeout_s!r}")
    answer = final_expression(prediction)
    if len(answer) > MAX_CHARS:
        return MathVerdict(0.0, MathReason.TOO_LONG)
    by_text = _same_text(answer, gold)
    if by_text is not None:
        return MathVerdict(float(by_text), MathReason.TEXT)
    by_number = same_number(answer, gold)
    if by_number is not None:
        return MathVerdict(float(by_number), MathReason.NUMBER)
    reply = compare_in_worker(_to_latex(answer), _to_latex(gold), timeout_s)
    if reply in ("equal", "different"):
        return MathVerdict(float(reply == "equal"), MathReason.SYMBOLIC)
    return MathVerdict(0.0, MathReason(reply))


@cache
def _require_math_verify() -> None:
    if importlib.util.find_spec("math_verify") is None:
        raise MissingExtraError.for_extra("math-verify", "math")


# --- From an answer to its expression ----------------------------------------------------

_ANSWER_MARK = re.compile(r"\banswer\b[^\n.:=]{0,80}?(?:\bis\b|:)[ \t:*]{0,8}", re.IGNORECASE)
_DELIMITER = re.compile(r"(?<!\\)\\[()\[\]]")
_FORMULA = re.compile(r"\${1,2}([^$]++)\${1,2}")
_HEDGE = re.compile(r"\b(?:not|or|either|neither|between|maybe)\b|n't|[0-9]", re.IGNORECASE)


def final_expression(text: str) -> str:
    r"""The expression that an answer ends in, without dollar signs.

    >>> final_expression(r"So the answer is $\frac{\pi}{2}$.")
    '\\frac{\\pi}{2}'
    """
    # An escaped dollar is currency, not a delimiter.
    text = text[-_MAX_TEXT:].replace(r"\$", "")
    boxed = extract_boxed(text)
    if boxed is not None:
        return _trim(boxed)
    marks = list(_ANSWER_MARK.finditer(text))
    if marks:
        text = text[marks[-1].end() :].split("\n", 1)[0]
    text = _DELIMITER.sub("$", text)
    formulas = set(_FORMULA.findall(text))
    if len(formulas) == 1 and not _HEDGE.search(_FORMULA.sub(" ", text)):
        return _trim(formulas.pop())
    return _trim(text)


def _trim(text: str) -> str:
    return text.replace("$", "").strip(" \t\r\n*`").removesuffix(".").rstrip(" *`")


# --- Equal text --------------------------------------------------------------------------

_LAYOUT = re.compile(
    r"\\(?:left|right|displaystyle)(?![A-Za-z])|\\[,;:! $]|[\s~$]|\^\{?\\circ\}?|\\degree\b"
)
_TEXT_COMMAND = re.compile(r"\\(?:text|mbox|math)(?:bf|it|rm)?\s?\{([^{}]*+)\}")
_WORDS = re.compile(r"\\text\s?\{\s?\(?([A-Za-z ]+)\)?\s?\}")
_LAYOUT_OF_WORDS = re.compile(r"[\W_]+")
_BASED = re.compile(r"([0-9A-Za-z]+)_\{?([0-9]+)\}?")


def _same_text(answer: str, gold: str) -> bool | None:
    """Whether text alone decides, and how; None if it does not."""
    word = _WORDS.fullmatch(gold.strip())
    if word is not None:
        answer_word = _LAYOUT_OF_WORDS.sub("", _TEXT_COMMAND.sub(r"\1", answer))
        return answer_word.casefold() == _LAYOUT_OF_WORDS.sub("", word[1]).casefold()
    answer, gold = _canonical(answer), _canonical(gold)
    # math-verify drops the base of a numeral: 52_8 would equal 52_9.
    based = _BASED.fullmatch(gold)
    if based is not None:
        answer_based = _BASED.fullmatch(answer)
        return answer == based[1] or (
            answer_based is not None and answer_based.groups() == based.groups()
        )
    return True if answer == gold else None


def _canonical(latex: str) -> str:
    latex = _TEXT_COMMAND.sub(r"\1", latex.replace("\u2212", "-"))
    return re.sub(r"\\[dt]frac", r"\\frac", _LAYOUT.sub("", latex))


# --- What math-verify reads --------------------------------------------------------------

# fmt: off
_UNICODE = str.maketrans({
    "−": "-", "π": r"\pi ", "∞": r"\infty ", "×": r"\times ", "·": r"\cdot ", "√": r"\sqrt ",
    "°": r"^\circ ", "∪": r"\cup ", "∩": r"\cap ", "±": r"\pm ", "≤": r"\le ", "≥": r"\ge ",
    "≠": r"\ne ", "∈": r"\in ", "θ": r"\theta ",
    **{superscript: f"^{{{digit}}}" for digit, superscript in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
})
# fmt: on
_UNIT = re.compile(
    r"(?<=[^\s])\s{0,4}\\(?:text|mbox|mathrm)\s?\{(?!\s{0,4}(?:and|or)\b)[A-Za-z. ]++\}"
    r"(?:\^\{?[1-9]\}?)?\s*$"
)
_ROOT = re.compile(r"\\sqrt\s(?:\(([^()]*+)\)|([0-9]+))")


def _to_latex(expression: str) -> str:
    """`expression` with LaTeX for the Unicode and Python that models write instead."""
    latex = expression.translate(_UNICODE).replace("**", "^")
    latex = _ROOT.sub(lambda root: rf"\sqrt{{{root[1] or root[2]}}}", latex)
    latex = _UNIT.sub("", latex)
    return latex.encode("utf-8", "replace").decode("utf-8")
