r"""Reads `\boxed{...}`, the mark that mathematical answers carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from react_envs.errors import ArgumentError

__all__ = ["Box", "extract_boxed", "find_boxes"]

_BRACE = re.compile(r"\\f?boxed\s{0,4}\{|\\[{}\\]|[{}]")


class Box(NamedTuple):
    r"""One `\boxed{...}` (or `\fbox`-like `\fboxed{...}`) of a text."""

    start: int
    """Index of the backslash."""
    end: int
    """Index after the closing brace."""
    content: str


def find_boxes(text: str) -> Iterator[Box]:
    r"""The boxes of `text` in the order in which they close.

    Braces are balanced and `\{` counts as a character. Of boxes inside boxes only the
    innermost are reported; one that never closes is none. Time is linear in the text.
    """
    open_braces: list[re.Match[str] | None] = []
    innermost = -1
    for match in _BRACE.finditer(text):
        token = match[0]
        if token == "{":
            open_braces.append(None)
        elif "boxed" in token:
            open_braces.append(match)
            innermost = match.start()
        elif token == "}" and open_braces:
            opening = open_braces.pop()
            if opening is not None and opening.start() == innermost:
                yield Box(opening.start(), match.end(), text[opening.end() : match.start()])
                innermost = -1


def extract_boxed(text: str, which: Literal["last", "first"] = "last") -> str | None:
    r"""Content of the last (or first) `\boxed{...}`, None if there is none.

    >>> extract_boxed(r"so \boxed{\frac{3}{4}}.")
    '\\frac{3}{4}'
    >>> extract_boxed(r"\boxed{1}, no: \boxed{2}", which="first")
    '1'
    """
    if which not in ("last", "first"):
        raise ArgumentError(f'expected which="last" or "first", got {which!r}')
    found = None
    for box in find_boxes(text):
        found = box.content
        if which == "first":
            break
    return found
