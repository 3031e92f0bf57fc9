"""Builds the guarded modules that all interpreters of a process share, and their safe stand-ins."""

from __future__ import annotations

import abc
import ast
import collections
import dataclasses
import functools
import importlib
import importlib.util
import keyword
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from react_envs.executor import copying, enum_guard, single_dispatch
from react_envs.executor.allowlist import ALLOWED, EPISODE, OPTIONAL
from react_envs.executor.guards import getattr_
from react_envs.executor.names import is_dunder
from react_envs.executor.ownership import (
    WRITTEN,
    GuardedModule,
    class_dict,
    class_mro,
    exact_str,
    is_snippet_class,
    isinstance_of,
    mark_class,
)
from react_envs.executor.policy import CLASS_MARK, NotAllowed
from react_envs.executor.stand_ins import ABC_META, STAND_INS, TYPE, FinalType, OpaqueType

__all__ = ["available", "preload", "shared_module"]


@functools.cache
def available() -> str:
    """The top-level modules that a snippet may import, for messages."""
    names = {name.partition(".")[0] for table in (ALLOWED, EPISODE, OPTIONAL) for name in table}
    return ", ".join(sorted(name for name in names if name not in OPTIONAL or _installed(name)))


@functools.cache
def _installed(package: str) -> bool:
    return package in sys.modules or importlib.util.find_spec(package) is not None


def preload(*, optional: bool = False) -> None:
    """Import every allowed module now, for a process that will not be able to open files later.

    Args:
        optional: also import sympy and numpy, with all of their submodules, where installed.
    """
    importlib.import_module("_strptime")
    for name in ALLOWED:
        shared_module(name)
    for name in EPISODE:
        if name not in ("asyncio", "numpy.random"):
            importlib.import_module(name)
    importlib.import_module("react_envs.executor.event_loop")
    if optional:
        for name in OPTIONAL:
            if _installed(name.partition(".")[0]):
                shared_module(name)
    available()


@functools.cache
def shared_module(name: str) -> GuardedModule | None:
    """The guarded module `name`, or None if no such module is allowed or installed."""
    listed = ALLOWED.get(name) or OPTIONAL.get(name)
    if listed is None:
        return None
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    if name == "enum":
        enum_guard.install()
    if name == "sympy":
        from react_envs.executor import sympy_guard

        sympy_guard.install()
    return guarded_module(module, name, listed, REPLACED.get(name, {}))


def guarded_module(
    module: types.ModuleType, name: str, listed: str, replaced: Mapping[str, Any]
) -> GuardedModule:
    """Show of `module` only the names in `listed`, some of them replaced."""
    names: dict[str, Any] = {}
    for attribute in listed.split():
        value = replaced.get(attribute, getattr(module, attribute, None))
        if isinstance(value, types.ModuleType):
            value = shared_module(f"{name}.{attribute}")
        if value is None and not hasattr(module, attribute):
            continue  # a name of another version of Python or of the library
        names[attribute] = STAND_INS.get(value, value) if isinstance(value, type) else value
    names["__name__"] = name
    names["__doc__"] = module.__doc__
    absent = frozenset(attribute for attribute in dir(module) if attribute not in names)
    return GuardedModule(name, names, absent)


# --- functools ---


def wraps(wrapped: Any, *_: Any, **__: Any) -> Callable[[Any], Any]:
    """`functools.wraps` that copies the usual attributes and no others."""
    return lambda wrapper: update_wrapper(wrapper, wrapped)


def update_wrapper(wrapper: Any, wrapped: Any, *_: Any, **__: Any) -> Any:
    """`functools.update_wrapper` for a snippet's function; others are returned unchanged."""
    if type(wrapper) is not types.FunctionType or not wrapper.__code__.co_filename.startswith(
        "<snippet"
    ):
        return wrapper
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        value = getattr(wrapped, name, None)
        if type(value) is str:
            setattr(wrapper, name, value)
    attributes = getattr(wrapped, "__dict__", None)
    if type(wrapped) is types.FunctionType and type(attributes) is dict:
        wrapper.__dict__.update(attributes)
    wrapper.__dict__["__wrapped__"] = wrapped
    return wrapper


# --- operator ---


class attrgetter:
    """`operator.attrgetter` under the policy."""

    __slots__ = ("_paths",)

    def __init__(self, attr: str, /, *attrs: str) -> None:
        self._paths = [exact_str(path).split(".") for path in (attr, *attrs)]

    def __call__(self, ob: Any, /) -> Any:
        values = tuple(functools.reduce(getattr_, path, ob) for path in self._paths)
        return values[0] if len(values) == 1 else values


class methodcaller:
    """`operator.methodcaller` under the policy."""

    __slots__ = ("_args", "_kwargs", "_name")

    def __init__(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        self._name, self._args, self._kwargs = exact_str(name, "method name"), args, kwargs

    def __call__(self, ob: Any, /) -> Any:
        return getattr_(ob, self._name)(*self._args, **self._kwargs)


# --- collections, typing: both build source text from field names ---


def _field_names(names: Any) -> list[str]:
    if type(names) is str:
        return names.replace(",", " ").split()
    return [exact_str(name, "field name") for name in names]


def namedtuple(
    typename: str,
    field_names: Any,
    *,
    rename: bool = False,
    defaults: Iterable[Any] | None = None,
    module: str | None = None,
) -> Any:
    """`collections.namedtuple` whose names are exact strings, so that checks on them hold."""
    make: Any = collections.namedtuple
    cls = make(
        exact_str(typename, "type name"),
        _field_names(field_names),
        rename=bool(rename),
        defaults=defaults,
        module="__main__",
    )
    mark_class(cls)
    return cls


class _NamedTupleStandIn:
    """`typing.NamedTuple`: to inherit from, or to call with a list of fields."""

    def __call__(self, typename: str, fields: Any = (), /, **kwargs: Any) -> Any:
        pairs = [(exact_str(name, "field name"), kind) for name, kind in (fields or kwargs.items())]
        make: Any = typing.NamedTuple
        cls = make(exact_str(typename, "type name"), pairs)
        cls.__module__ = "__main__"
        mark_class(cls)
        return cls

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        real: Any = typing.NamedTuple
        entries: tuple[Any, ...] = real.__mro_entries__((real,))
        return entries


# --- dataclasses: builds source text from field names ---


def _check_fields(cls: type) -> None:
    for base in class_mro(cls):
        names = class_dict(base)
        annotations = names.get("__annotations__", {})
        fields = names.get("__dataclass_fields__", {})
        if type(annotations) is not dict or type(fields) is not dict:
            raise NotAllowed("field annotations must be an ordinary dict")
        for name in [*annotations, *fields, *(field.name for field in fields.values())]:
            if type(name) is not str or not name.isidentifier() or is_dunder(name):
                raise NotAllowed(f"{name!r} is not allowed as a field name")


_PLAIN_METACLASSES = (type, abc.ABCMeta, type(typing.Protocol), type(typing.Generic))


def dataclass(cls: Any = None, /, **options: Any) -> Any:
    """`dataclasses.dataclass` for a class whose field names are what they seem."""
    if cls is None:
        return lambda cls: dataclass(cls, **options)
    if not is_snippet_class(cls):
        raise TypeError("dataclass() needs a class that was defined in this code")
    if any(
        type(base) not in _PLAIN_METACLASSES and CLASS_MARK in class_dict(type(base))
        for base in class_mro(cls)
    ):
        raise NotAllowed("dataclass() of a class with a metaclass of its own is not allowed")
    _check_fields(cls)
    annotations = class_dict(cls).get("__annotations__")
    if annotations is None:
        return dataclasses.dataclass(cls, **options)
    made = cls
    try:
        type.__setattr__(cls, "__annotations__", _Snapshot(annotations))
        made = dataclasses.dataclass(cls, **options)
    finally:
        for changed in (cls, made):  # with `slots=True` they are two
            type.__setattr__(changed, "__annotations__", annotations)
    return made


_SPECIAL_ANNOTATIONS: dict[str, Any] = {
    "ClassVar": typing.ClassVar,
    "InitVar": dataclasses.InitVar,
    "KW_ONLY": dataclasses.KW_ONLY,
}
_SPECIAL_ANNOTATION = re.compile(rf"(?:\w+\.)?({'|'.join(_SPECIAL_ANNOTATIONS)})\b")


class _Snapshot(dict[str, Any]):
    """Annotations whose items stay what they were when they were checked.

    While `dataclasses` goes through them, descriptors of the snippet run and could change names.
    What `dataclasses` treats specially is there as an object, not as text: it would look for the
    names in the text in the module that the class says it is from, in vain here.
    """

    __slots__ = ("_pairs",)

    def __init__(self, annotations: dict[str, Any]) -> None:
        super().__init__({name: _special(kind) for name, kind in annotations.items()})
        self._pairs = tuple(super().items())

    def items(self) -> Any:
        return self._pairs


def _special(kind: Any) -> Any:
    match = _SPECIAL_ANNOTATION.match(kind) if type(kind) is str else None
    return kind if match is None else _SPECIAL_ANNOTATIONS[match[1]]


def make_dataclass(cls_name: str, fields: Iterable[Any], **options: Any) -> Any:
    """`dataclasses.make_dataclass` with names that are what they seem; no namespace or bases."""
    if set(options) & {"bases", "namespace", "module"}:
        raise NotAllowed("make_dataclass() with bases or namespace is not allowed")
    annotations: dict[str, Any] = {}
    members: dict[str, Any] = {CLASS_MARK: WRITTEN, "__module__": "__main__"}
    for field in fields:
        name, *rest = (field,) if isinstance(field, str) else tuple(field)
        exact_str(name, "field name")
        if is_dunder(name):
            raise NotAllowed(f"{name!r} is not allowed as a field name")
        if not name.isidentifier() or keyword.iskeyword(name) or name in annotations:
            raise TypeError(f"Field names must be valid identifiers, each used once: {name!r}")
        if len(rest) > 2:
            raise TypeError(f"Invalid field: {name!r}")
        annotations[name] = rest[0] if rest else "typing.Any"
        if len(rest) == 2:
            members[name] = rest[1]
    cls = type(exact_str(cls_name), (), {**members, "__annotations__": annotations})
    return dataclass(cls, **options)


def asdict(ob: Any, *, dict_factory: Callable[[Any], Any] = dict) -> Any:
    """`dataclasses.asdict`; leaves are copied by our `deepcopy`."""
    return _unfold(ob, lambda pairs, _: dict_factory(pairs))


def astuple(ob: Any, *, tuple_factory: Callable[[Any], Any] = tuple) -> Any:
    """`dataclasses.astuple`; leaves are copied by our `deepcopy`."""
    return _unfold(ob, lambda pairs, _: tuple_factory([value for _, value in pairs]))


def _unfold(ob: Any, make: Callable[[list[tuple[str, Any]], Any], Any], depth: int = 0) -> Any:
    kind = type(ob)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(ob)]
        pairs = [(name, _unfold(getattr_(ob, name), make, depth + 1)) for name in names]
        return make(pairs, ob)
    if depth == 0:
        raise TypeError("asdict() and astuple() should be called on dataclass instances")
    if isinstance_of(kind, tuple) and hasattr(kind, "_fields"):
        return kind(*[_unfold(item, make, depth + 1) for item in ob])
    if kind in (list, tuple):
        return kind(_unfold(item, make, depth + 1) for item in ob)
    if kind is dict:
        return {_unfold(k, make, depth + 1): _unfold(v, make, depth + 1) for k, v in ob.items()}
    return copying.deepcopy(ob)


# --- ast ---


def literal_eval(text: str) -> Any:
    """`ast.literal_eval` of a string."""
    return ast.literal_eval(exact_str(text, "expression"))


# --- queue: one thread alone can never be woken from a blocking call ---


def _queue_class(name: str) -> Any:
    import queue

    base: Any = getattr(queue, name)

    def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
        if self.empty():
            raise queue.Empty
        return base.get(self, block=False)

    def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
        base.put(self, item, block=False)

    return type(name, (base,), {"get": get, "put": put, "__module__": "queue"})


# --- numpy ---


class _Stacker:
    """`numpy.r_` and `c_` without strings, which numpy looks up as variables."""

    __slots__ = ("_real",)
    _real: Any

    def __new__(cls, real: Any) -> _Stacker:
        stacker = super().__new__(cls)
        stacker._real = real
        return stacker

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            raise NotAllowed("strings are not allowed as the only index here")
        return self._real[key]


def _numpy_replacements() -> dict[str, Any]:
    if not _installed("numpy"):
        return {}
    import numpy

    # Its constructor makes Python objects of any bytes (`dtype=object, buffer=...`).
    STAND_INS[numpy.ndarray] = OpaqueType(numpy.ndarray)
    STAND_INS[numpy.matrix] = FinalType.of(numpy.matrix, numpy.matrix)
    # They take the raw pointer of whatever calls itself a bit generator.
    for cls in (numpy.random.Generator, numpy.random.RandomState):
        STAND_INS[cls] = OpaqueType(cls)

    def frombuffer(buffer: Any, *args: Any, **kwargs: Any) -> Any:
        """`numpy.frombuffer`, but not of arrays that hold objects."""
        if isinstance(buffer, numpy.ndarray | numpy.generic) and buffer.dtype.hasobject:
            raise NotAllowed("the memory of an array of objects is not accessible")
        return numpy.frombuffer(buffer, *args, **kwargs)

    return {"r_": _Stacker(numpy.r_), "c_": _Stacker(numpy.c_), "frombuffer": frombuffer}


class _LazyReplacements(dict[str, Any]):
    """Replacements of an optional package, made when it is first imported."""

    def get(self, name: str, default: Any = None) -> Any:
        if not self:
            self.update(_numpy_replacements())
        return super().get(name, default)


REPLACED: dict[str, Mapping[str, Any]] = {
    "abc": {"ABCMeta": ABC_META},
    "ast": {"literal_eval": literal_eval},
    "collections": {"namedtuple": namedtuple},
    "copy": {"copy": copying.copy, "deepcopy": copying.deepcopy},
    "dataclasses": {
        "dataclass": dataclass,
        "make_dataclass": make_dataclass,
        "asdict": asdict,
        "astuple": astuple,
    },
    "functools": {
        "wraps": wraps,
        "update_wrapper": update_wrapper,
        "singledispatch": single_dispatch.singledispatch,
        "singledispatchmethod": single_dispatch.singledispatchmethod,
    },
    "numpy": _LazyReplacements(),
    "operator": {"attrgetter": attrgetter, "methodcaller": methodcaller},
    "queue": {
        name: _queue_class(name) for name in ("LifoQueue", "PriorityQueue", "Queue", "SimpleQueue")
    },
    "typing": {"NamedTuple": _NamedTupleStandIn(), "Type": TYPE},
}
