"""What a snippet holds in place of classes that it may know of but not use as in CPython.

`type`, the types of functions, frames and modules, and a few constructors that could write raw
memory or attributes that nobody checked.
"""

from __future__ import annotations

import abc
import enum
import types
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Self

from react_envs.executor.names import (
    DEFINABLE,
    FORBIDDEN_ATTRIBUTES,
    GUARDED,
    is_dunder,
)
from react_envs.executor.ownership import (
    WRITTEN,
    AttributeNotAllowed,
    GuardedModule,
    check_store_name,
    class_dict,
    class_dict_name,
    class_module,
    exact_str,
    isinstance_of,
)
from react_envs.executor.policy import CLASS_MARK, NotAllowed

__all__ = [
    "ABC_META",
    "STAND_INS",
    "TYPE",
    "FinalType",
    "OpaqueType",
    "getattr_hook",
    "guarded_memoryview",
    "kind_of",
    "shown",
]


def getattr_hook(function: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """Wrap a snippet's `__getattr__`: library code that asks for a special name gets none.

    Otherwise the snippet could answer `__reduce_ex__`, `__array_interface__` (raw memory in
    numpy) or `__match_args__` with whatever it likes.
    """

    def __getattr__(self: Any, name: str) -> Any:
        if is_dunder(name):
            raise AttributeError(name)
        return function(self, name)

    return __getattr__


# An array of objects is memory full of pointers: written as bytes or freed under a view, it makes
# objects of whatever the snippet likes.


def guarded_memoryview(ob: Any) -> memoryview:
    """The built-in `memoryview`, but not of arrays that hold objects."""
    view = memoryview(ob)
    if "O" in view.format:
        raise NotAllowed("the memory of an array of objects is not accessible")
    return view


class OpaqueType:
    """Stands for a class of the machinery: has a name, answers `isinstance`, makes nothing."""

    __slots__ = ("__name__", "__qualname__", "_cls")
    __name__: str
    __qualname__: str
    _cls: type

    def __new__(mcls, cls: type, name: str | None = None) -> Self:
        stand_in = super().__new__(mcls)
        stand_in.__name__ = stand_in.__qualname__ = name or class_dict_name(cls)
        stand_in._cls = cls
        return stand_in

    def __instancecheck__(self, ob: object) -> bool:
        return isinstance_of(type(ob), self._cls)

    def __subclasscheck__(self, cls: type) -> bool:
        return isinstance_of(cls, self._cls)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotAllowed(f"creating a {self.__name__!r} directly is not allowed")

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        raise NotAllowed(f"inheriting from {self.__name__!r} is not allowed")

    def __repr__(self) -> str:
        home = class_module(self._cls)  # a snippet's class may hold anything there
        hidden = type(home) is not str or home == "builtins" or home.startswith("react_envs")
        return f"<class '{self.__name__}'>" if hidden else f"<class '{home}.{self.__name__}'>"

    # In annotations (`type[X]`, `numpy.ndarray | None`) a stand-in will do as it is: the real
    # alias would lead back to the class.
    def __getitem__(self, item: Any) -> Self:
        return self

    def __or__(self, other: Any) -> Self:
        return self

    __ror__ = __or__


class FinalType(OpaqueType):
    """Stands for a class that can be called but not inherited from."""

    __slots__ = ("_make",)
    _make: Callable[..., Any]

    @classmethod
    def of(mcls, cls: type, make: Callable[..., Any]) -> Self:
        """Stand in for `cls`; calls go to `make`."""
        stand_in = mcls(cls)
        stand_in._make = make
        return stand_in

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._make(*args, **kwargs)


class SnippetMeta(type):
    """What a snippet's metaclass inherits in place of `type`: its classes are checked."""

    def __new__(mcls, name: str, bases: tuple[Any, ...], namespace: Any, **kwargs: Any) -> Any:
        return super().__new__(mcls, name, bases, checked_namespace(namespace), **kwargs)


class SnippetABCMeta(SnippetMeta, abc.ABCMeta):
    """The same in place of `abc.ABCMeta`."""


_NAMESPACE_NAMES = DEFINABLE | {
    "__module__",
    "__qualname__",
    "__doc__",
    "__annotations__",
    "__classcell__",
    "__orig_bases__",
    "__hash__",
    "__match_args__",
    "__getattr__",
    "__name__",
    "__static_attributes__",
    "__firstlineno__",
}


def checked_namespace(namespace: Any) -> dict[str, Any]:
    """A copy of a class namespace that did not pass through the compiler, checked as it would."""
    checked: dict[str, Any] = {CLASS_MARK: WRITTEN, "__module__": "__main__"}
    for name, value in dict(namespace).items():
        exact_str(name, "class attribute name")
        if name == CLASS_MARK:
            continue
        if is_dunder(name) and name not in _NAMESPACE_NAMES:
            raise AttributeNotAllowed(f"defining '{name}' is not allowed")
        if name == "__getattr__":
            value = getattr_hook(value)
        elif name == "__match_args__":
            _check_match_args(value)
        elif name == "__module__":
            value = "__main__"
        checked[name] = value
    return checked


def _check_match_args(names: Any) -> None:
    if type(names) is not tuple or not all(
        type(name) is str
        and name[:1] != "_"
        and name not in FORBIDDEN_ATTRIBUTES
        and name not in GUARDED
        for name in names
    ):
        raise NotAllowed("'__match_args__' must be a tuple of public names")


class MetaclassStandIn(OpaqueType):
    """Stands for `type` or `ABCMeta`: tells types, makes checked classes, can be inherited from."""

    __slots__ = ("__dict__", "_snippet_meta")
    _snippet_meta: type

    @classmethod
    def of(mcls, cls: type, snippet_meta: type) -> MetaclassStandIn:
        """Stand in for `cls`; the snippet's own metaclasses inherit from `snippet_meta`."""
        stand_in = mcls(cls)
        stand_in._snippet_meta = snippet_meta
        stand_in.__dict__["__new__"] = snippet_meta.__new__
        return stand_in

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and self._cls is type:
            return kind_of(args[0])
        if len(args) != 3:
            raise TypeError(f"{self.__name__}() takes 1 or 3 arguments")
        name, bases, namespace = args
        bases = types.resolve_bases(bases)
        return self._cls(name, bases, checked_namespace(namespace), **kwargs)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:  # type: ignore[override]
        return (self._snippet_meta,)


TYPE = MetaclassStandIn.of(type, SnippetMeta)
ABC_META = MetaclassStandIn.of(abc.ABCMeta, SnippetABCMeta)


def _simple_namespace(**attributes: Any) -> types.SimpleNamespace:
    """`types.SimpleNamespace`; numpy would follow a raw pointer in some special attributes."""
    for name in attributes:
        check_store_name(exact_str(name))
    return types.SimpleNamespace(**attributes)


def _opaque(classes: Iterable[type]) -> dict[type, Any]:
    return {cls: OpaqueType(cls) for cls in classes}


STAND_INS: dict[type, Any] = {
    **_opaque(
        {
            value
            for name, value in vars(types).items()
            if isinstance(value, type)
            and value
            not in (
                types.NoneType,
                types.EllipsisType,
                types.MappingProxyType,
            )
            and value not in (types.NotImplementedType, types.UnionType)
            and name.endswith("Type")
        }
    ),
    GuardedModule: OpaqueType(types.ModuleType, "module"),
    types.GenericAlias: OpaqueType(types.GenericAlias),
    memoryview: FinalType.of(memoryview, guarded_memoryview),
    types.SimpleNamespace: FinalType.of(types.SimpleNamespace, _simple_namespace),
    type: TYPE,
    abc.ABCMeta: ABC_META,
    SnippetMeta: TYPE,
    SnippetABCMeta: ABC_META,
    enum.EnumMeta: OpaqueType(enum.EnumMeta),
}


def _stand_in(cls: type) -> Any:
    """What a snippet sees in place of `cls`: itself, unless it is part of the machinery."""
    stand_in = STAND_INS.get(cls)
    if stand_in is not None:
        return stand_in
    if CLASS_MARK in class_dict(cls):
        return cls
    if isinstance_of(cls, type) or class_dict(cls).get("__module__", "").startswith("react_envs"):
        stand_in = STAND_INS[cls] = OpaqueType(cls)
        return stand_in
    return cls


def kind_of(ob: Any) -> Any:
    """`type(ob)` as a snippet sees it."""
    kind = type(ob)
    if isinstance_of(kind, OpaqueType):
        return TYPE  # what it stands for is a class
    if kind is types.FunctionType and ob.__module__.startswith("react_envs"):
        kind = types.BuiltinFunctionType  # what it stands for
    return _stand_in(kind)


def shown(value: Any) -> Any:
    """The stand-in of `value` if it is a class that has one."""
    return _stand_in(value) if isinstance_of(type(value), type) else value
