"""Which classes, functions and attributes are a snippet's own: the verdicts that all guards share.

They go by `type(ob)`, never by what the object says about itself, and accept only exact `str`
names, so that neither `__class__` tricks nor lying `str` subclasses change a verdict.
"""

from __future__ import annotations

import collections
import decimal
import textwrap
import types
from collections.abc import Callable
from typing import Any, NoReturn

from react_envs.executor.names import (
    WRITABLE_DUNDERS,
    is_dunder,
)
from react_envs.executor.policy import CLASS_MARK, NotAllowed

__all__ = [
    "FILENAME_PREFIX",
    "AttributeNotAllowed",
    "GuardedModule",
    "ImportNotAllowed",
    "check_store_name",
    "class_dict",
    "class_mro",
    "describe",
    "exact_str",
    "is_snippet_class",
    "is_snippet_function",
    "isinstance_of",
    "mark_class",
    "private",
    "writable",
]

FILENAME_PREFIX = "<snippet"
"""How the file name of every code object compiled from a snippet begins."""


class AttributeNotAllowed(NotAllowed, AttributeError):
    """A refused attribute; ordinary code may catch it as an AttributeError."""


class ImportNotAllowed(NotAllowed, ModuleNotFoundError):
    """A refused import; ordinary code may catch it as an ImportError."""


class GuardedModule:
    """What a snippet sees of a module: the allowed names and nothing else."""

    __slots__ = ("__dict__", "_absent", "_label")

    _absent: frozenset[str]
    _label: str

    # `__new__` and not `__init__`, which could be called again on a module that all share.
    def __new__(
        cls, label: str, names: dict[str, Any], absent: frozenset[str] = frozenset()
    ) -> GuardedModule:
        module = super().__new__(cls)
        module._label = label
        module._absent = absent
        module.__dict__.update(names)
        return module

    def __getattr__(self, name: str) -> NoReturn:
        if name in self._absent:
            raise AttributeNotAllowed(f"'{self._label}.{name}' is not allowed here")
        raise AttributeError(f"module '{self._label}' has no attribute '{name}'")

    def __repr__(self) -> str:
        return f"<module '{self._label}'>"

    def __dir__(self) -> list[str]:
        return sorted(self.__dict__)


# --- which classes a snippet wrote ---


class _Mark:
    """Value of `CLASS_MARK`; a descriptor, so that `enum` makes no member of it."""

    def __get__(self, instance: object, owner: type | None = None) -> _Mark:
        return self


WRITTEN = _Mark()
"""Marks a class written in a snippet."""

PURE = _Mark()
"""Marks such a class once it is known to inherit from nothing but `object` and its like."""

class_dict: Callable[[type], types.MappingProxyType[str, Any]]
class_dict = type.__dict__["__dict__"].__get__
class_mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
class_module: Callable[[type], Any] = type.__dict__["__module__"].__get__


def is_snippet_class(ob: object) -> bool:
    """Whether `ob` is a class that a snippet wrote."""
    return isinstance_of(type(ob), type) and CLASS_MARK in class_dict(ob)  # type: ignore[arg-type]


def mark_class(cls: type) -> None:
    """Count a class that library code made for a snippet as the snippet's own."""
    type.__setattr__(cls, CLASS_MARK, WRITTEN)


def is_snippet_function(ob: object) -> bool:
    """Whether `ob` is a function compiled from a snippet."""
    return type(ob) is types.FunctionType and ob.__code__.co_filename.startswith(FILENAME_PREFIX)


def private(ob: Any, name: str) -> Any:
    """Return `ob` if its attribute `name`, which begins with one underscore, is the snippet's."""
    kind = type(ob)
    mark = kind.__dict__.get(CLASS_MARK)
    if mark is PURE:
        return ob
    if mark is not None:
        owner = kind
    elif is_snippet_class(ob):
        owner = ob
    elif kind is super:
        owner = type(ob.__self__) if not isinstance(ob.__self__, type) else ob.__self__
        if CLASS_MARK not in class_dict(owner):
            raise AttributeNotAllowed(f"the attribute '{name}' is not allowed on this object")
    elif is_snippet_function(ob):
        return ob
    else:
        raise AttributeNotAllowed(
            f"the attribute '{name}' is private to {kind.__name__!r}; only attributes of classes "
            "defined in this code may begin with '_'"
        )
    # A class also finds what its metaclass has: `Enum._convert_` reads any module.
    bases = class_mro(owner)[:-1] + (class_mro(type(owner))[:-2] if owner is not kind else ())
    libraries = [base for base in bases if CLASS_MARK not in class_dict(base)]
    if not libraries:
        if owner is kind:
            type.__setattr__(kind, CLASS_MARK, PURE)
        return ob
    for base in libraries:
        names = class_dict(base)
        if name in names or (name[:2] == "__" and any(key.endswith(name) for key in names)):
            raise AttributeNotAllowed(f"the attribute '{name}' is private to {base.__name__!r}")
    return ob


# --- stores ---

_WRITABLE_TYPES = {
    decimal.Context,
    textwrap.TextWrapper,
    collections.defaultdict,
    types.SimpleNamespace,
}


def writable(ob: Any, name: str) -> Any:
    """Return `ob` if a snippet may store or delete its attribute `name`."""
    kind = type(ob)
    if CLASS_MARK in kind.__dict__ or kind in _WRITABLE_TYPES:
        return ob
    if is_snippet_class(ob) or is_snippet_function(ob) or isinstance_of(kind, BaseException):
        return ob
    if kind.__name__ in ("ndarray", "matrix", "poly1d") and kind.__module__.startswith("numpy"):
        return ob
    raise AttributeNotAllowed(f"cannot set attribute '{name}' of {describe(ob)}")


def isinstance_of(kind: type, base: type) -> bool:
    """Like `issubclass`, but deaf to `__subclasscheck__` and `__eq__`."""
    return type.__subclasscheck__(base, kind)


def describe(ob: object) -> str:
    """Name of `ob` for a message, computed without calling any of the snippet's code."""
    kind = type(ob)
    if kind is GuardedModule:
        return repr(ob)
    if isinstance_of(kind, type):
        return f"class {class_dict_name(ob)!r}"
    return f"{class_dict_name(kind)!r} object"


class_dict_name: Callable[[Any], str] = type.__dict__["__name__"].__get__


def check_store_name(name: str) -> None:
    """Refuse special attributes that may not be stored."""
    if is_dunder(name) and name not in WRITABLE_DUNDERS:
        raise AttributeNotAllowed(f"assigning the attribute '{name}' is not allowed")


def exact_str(name: Any, what: str = "attribute name") -> str:
    """Return `name` if it is exactly a `str`; subclasses could answer differently each time."""
    if type(name) is not str:
        if isinstance_of(type(name), str):
            raise NotAllowed(f"{what} must be exactly a str, not of a subclass")
        raise TypeError(f"{what} must be string, not '{type(name).__name__}'")
    return name
