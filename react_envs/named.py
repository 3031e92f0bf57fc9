"""Objects by name: `module:attribute`, for whatever a user may bring as code of their own."""

from __future__ import annotations

import importlib
from typing import Any

from react_envs.errors import ArgumentError

__all__ = ["named_object"]


def named_object(name: str, what: str) -> Any:
    """The attribute that `name` says, such as `"my_package.rewards:brevity"`.

    Args:
        name: module and attribute, joined by a colon.
        what: what it is, for the message.

    Raises:
        ArgumentError: if there is no such module or attribute.

    >>> named_object("math:sqrt", "reward")(9.0)
    3.0
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ArgumentError(f"{what} {name!r} cannot be imported: {error}") from error
