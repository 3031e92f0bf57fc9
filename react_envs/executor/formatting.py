"""`str.format` whose fields read attributes under the policy: "{0.a}" is a guarded `getattr`."""

from __future__ import annotations

import _string  # type: ignore[import-not-found]
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

__all__ = ["format_guarded", "format_map_guarded", "reads_attributes"]


class _GuardedFormatter(Formatter):
    """`string.Formatter` that reads attributes through a guard; never handed to a snippet."""

    def __init__(self, getattr_guarded: Callable[[Any, str], Any]) -> None:
        self._getattr = getattr_guarded

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        first, rest = _string.formatter_field_name_split(field_name)
        ob = self.get_value(first, args, kwargs)
        for is_attribute, name in rest:
            ob = self._getattr(ob, name) if is_attribute else ob[name]
        return ob, first


def reads_attributes(text: str) -> bool:
    """Whether a field of the format string `text` names an attribute; True if it is malformed."""
    try:
        return any(
            field is not None
            and ("." in field or (spec and "{" in spec and reads_attributes(spec)))
            for _, field, spec, _ in _string.formatter_parser(text)
        )
    except ValueError:
        return True


def format_guarded(
    getattr_guarded: Callable[[Any, str], Any], text: str, args: tuple[Any, ...], kwargs: Any
) -> str:
    """`text.format(*args, **kwargs)`; `text` may be of a subclass of str."""
    text = str.__str__(text)
    if not reads_attributes(text):
        return text.format(*args, **kwargs)
    return _GuardedFormatter(getattr_guarded).vformat(text, args, kwargs)


def format_map_guarded(
    getattr_guarded: Callable[[Any, str], Any], text: str, mapping: Mapping[str, Any]
) -> str:
    """`text.format_map(mapping)`; `text` may be of a subclass of str."""
    text = str.__str__(text)
    if not reads_attributes(text):
        return text.format_map(mapping)
    return _GuardedFormatter(getattr_guarded).vformat(text, (), mapping)
