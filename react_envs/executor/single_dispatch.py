"""`functools.singledispatch` for snippets: chooses by type and evaluates no text.

The original asks `typing.get_type_hints` which class an annotation names, and that runs the text
of annotations as Python outside of the policy.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from typing import Any

from react_envs.executor.ownership import is_snippet_function, isinstance_of

__all__ = ["singledispatch", "singledispatchmethod"]


def singledispatch(func: Callable[..., Any]) -> Callable[..., Any]:
    """`functools.singledispatch`; the result shows `register`, `dispatch` and `registry`."""
    chooser: Any = functools.singledispatch(lambda ob: ob)
    chooser.register(object, func)
    name = func.__name__ if is_snippet_function(func) else "function"

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not args:
            raise TypeError(f"{name} requires at least 1 positional argument")
        return chooser.dispatch(type(args[0]))(*args, **kwargs)

    def register(cls: Any, func: Callable[..., Any] | None = None) -> Any:
        if func is not None:
            return chooser.register(_class_or_union(cls), func)
        if is_snippet_function(cls):
            return chooser.register(_class_or_union(_first_annotation(cls)), cls)
        kind = _class_or_union(cls)
        return lambda func: chooser.register(kind, func)

    def dispatch(cls: type) -> Any:
        return chooser.dispatch(_class_or_union(cls))

    if is_snippet_function(func):
        wrapper.__name__, wrapper.__qualname__ = func.__name__, func.__qualname__
        wrapper.__doc__ = func.__doc__
    wrapper.register, wrapper.dispatch = register, dispatch  # type: ignore[attr-defined]
    wrapper.registry = chooser.registry  # type: ignore[attr-defined]
    return wrapper


class singledispatchmethod:
    """`functools.singledispatchmethod`."""

    __slots__ = ("_choose", "register")

    def __init__(self, func: Callable[..., Any]) -> None:
        choose: Any = singledispatch(func)
        self._choose = choose.dispatch
        self.register = choose.register

    def __get__(self, ob: Any, cls: Any = None) -> Callable[..., Any]:
        def method(*args: Any, **kwargs: Any) -> Any:
            if not args:
                raise TypeError("a single-dispatch method requires at least 1 positional argument")
            return self._choose(type(args[0])).__get__(ob, cls)(*args, **kwargs)

        return method


def _class_or_union(kind: Any) -> Any:
    parts = typing.get_args(kind) if type(kind) in _UNIONS else (kind,)
    if all(isinstance_of(type(part), type) for part in parts):
        return kind
    raise TypeError(f"expected a class or a union of classes, got {type(kind).__name__!r} object")


_UNIONS = (types.UnionType, type(typing.Union[int, str]))  # noqa: UP007


def _first_annotation(func: Any) -> Any:
    """What the first annotation of a snippet's function names."""
    kind = next(iter(func.__annotations__.values()), None)
    if type(kind) is not str:
        return kind
    # `from __future__ import annotations`: the name of a variable or of a built-in class.
    names = func.__globals__
    return names.get(kind, names["__builtins__"].get(kind))
