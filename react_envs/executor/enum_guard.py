"""Makes the functional form of enums (`Enum("Color", names)`) check the names that it is given.

The form fills a class like a class statement does, but the names are data that no compiler sees:
`__array_interface__` would let numpy follow a raw pointer. The check is set in `enum` itself,
for the whole process and for good; no honest program has such a member.
"""

from __future__ import annotations

import enum
import sys
from typing import Any

from react_envs.executor.names import is_dunder
from react_envs.executor.ownership import exact_str
from react_envs.executor.policy import NotAllowed

__all__ = ["install"]

_META: Any = enum.EnumMeta
_create = _META._create_


def install() -> None:
    """Check names from now on; calling it again changes nothing."""
    _META._create_ = _create_checked


def _create_checked(
    cls: Any, class_name: Any, names: Any = (), *args: Any, **kwargs: Any
) -> type[enum.Enum]:
    if kwargs.get("module") is None:
        # The original looks for the caller, from whom this function is one frame further away.
        kwargs["module"] = sys._getframe(2).f_globals.get("__name__")
    made: type[enum.Enum] = _create(cls, class_name, _checked(names), *args, **kwargs)
    return made


def _checked(names: Any) -> Any:
    """`names` as the plain list that was checked, so that it cannot change any more."""
    if isinstance(names, str):
        names = str.__str__(names).replace(",", " ").split()
    elif isinstance(names, dict):
        names = list(dict.items(names))
    members = [item if isinstance(item, str) else tuple(item) for item in names]
    for item in members:
        name = exact_str(item if isinstance(item, str) else item[0], "member name")
        if is_dunder(name):
            raise NotAllowed(f"the member name '{name}' is not allowed")
    return members
