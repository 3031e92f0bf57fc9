"""JSON that a model wrote: read leniently where nothing is lost, and never into trouble."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["MAX_DEPTH", "read_json", "read_json_prefix"]

MAX_DEPTH = 50
"""Deeper nesting is refused: copying or writing such a value elsewhere could overflow the stack."""


def read_json(text: str) -> Any:
    """The value of `text`. Raw line breaks inside strings are taken: models mean them.

    Raises:
        ValueError: if it is no JSON (`json.JSONDecodeError`, which knows where), nests deeper
            than `MAX_DEPTH`, has a number of thousands of digits, or NaN or Infinity.
    """
    value, end = read_json_prefix(text)
    if text[end:].strip():
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def read_json_prefix(text: str) -> tuple[Any, int]:
    """The first value in `text` and where it ends; what follows is not read.

    >>> read_json_prefix(' {"a": 1} and so on')
    ({'a': 1}, 9)
    """
    start = len(text) - len(text.lstrip())
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _depth(value) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    return value, end


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


_DECODER = json.JSONDecoder(strict=False, parse_constant=_no_constant, parse_float=_finite)


def _depth(value: Any) -> int:
    """Levels of lists and objects, counted without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        if depth > MAX_DEPTH:
            break
        level = [
            inner for item in level for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
