"""Action dialects by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from react_envs.dialects.autocoa import AutoCoADialect
from react_envs.dialects.dialect import Dialect, Limits
from react_envs.dialects.hermes import HermesDialect
from react_envs.dialects.react import ReactDialect
from react_envs.dialects.react_paper import ReactPaperDialect
from react_envs.dialects.recall import ReCallDialect
from react_envs.dialects.research import ReSearchDialect
from react_envs.dialects.retool import ReToolDialect
from react_envs.dialects.search_r1 import SearchR1Dialect
from react_envs.dialects.zerosearch import ZeroSearchDialect
from react_envs.errors import ArgumentError

__all__ = [
    "DIALECTS",
    "AutoCoADialect",
    "Dialect",
    "HermesDialect",
    "Limits",
    "ReCallDialect",
    "ReSearchDialect",
    "ReToolDialect",
    "ReactDialect",
    "ReactPaperDialect",
    "SearchR1Dialect",
    "ZeroSearchDialect",
    "make_dialect",
]

DIALECTS: dict[str, Callable[..., Dialect]] = {
    "react": ReactDialect,
    "react_paper": ReactPaperDialect,
    "hermes": HermesDialect,
    "research": ReSearchDialect,
    "recall": ReCallDialect,
    "search_r1": SearchR1Dialect,
    "zerosearch": ZeroSearchDialect,
    "retool": ReToolDialect,
    "autocoa": AutoCoADialect,
}
"""What a name in `dialect=` stands for."""


def make_dialect(dialect: str | Mapping[str, Any] | Dialect) -> Dialect:
    """A dialect from its name, from `{"name": ..., **options}`, or the object itself.

    Raises:
        ArgumentError: for an unknown name or option.

    >>> make_dialect({"name": "react", "on_conflict": "error"}).on_conflict
    'error'
    """
    if not isinstance(dialect, str | Mapping):
        if isinstance(dialect, type) or not isinstance(dialect, Dialect):
            raise ArgumentError(
                "expected a dialect's name, its name with options, or an object with the methods "
                f"of react_envs.dialects.Dialect, got {dialect!r}"
            )
        return dialect
    options = {"name": dialect} if isinstance(dialect, str) else dict(dialect)
    name = options.pop("name", None)
    if name not in DIALECTS:
        raise ArgumentError(f"unknown dialect {name!r}; known: {', '.join(sorted(DIALECTS))}")
    try:
        return DIALECTS[name](**options)
    except TypeError as error:
        raise ArgumentError(f"dialect {name!r} does not take {options}: {error}") from error
