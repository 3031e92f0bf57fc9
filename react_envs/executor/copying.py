"""`copy` and `deepcopy` that never let an object choose what is called or written.

The standard `copy` asks the object itself (`__reduce_ex__`) for a callable, for arguments and for
attributes to set on whatever the callable returned: an arbitrary `setattr`. Here library types
are copied by rule, and the snippet's own objects attribute by attribute.
"""

from __future__ import annotations

import array
import collections
import types
from collections.abc import Callable
from typing import Any

from react_envs.executor.ownership import class_dict, class_mro, is_snippet_class, isinstance_of
from react_envs.executor.policy import CLASS_MARK

__all__ = ["copy", "deepcopy"]

Copier = Callable[[Any], Any]


def copy(ob: Any) -> Any:
    """Shallow copy, as `copy.copy`."""
    return _copied(ob, lambda item: item, "__copy__", ())


def deepcopy(ob: Any, memo: dict[int, Any] | None = None) -> Any:
    """Deep copy, as `copy.deepcopy`; shared and cyclic references stay shared."""
    seen: dict[int, Any] = {} if memo is None else memo
    keep: list[Any] = []

    def inner(item: Any) -> Any:
        if id(item) in seen:
            return seen[id(item)]
        keep.append(item)
        result = _copied(item, inner, "__deepcopy__", (seen,), seen)
        seen[id(item)] = result
        return result

    return inner(ob)


def _copied(
    ob: Any,
    inner: Copier,
    hook: str,
    hook_args: tuple[Any, ...],
    memo: dict[int, Any] | None = None,
) -> Any:
    kind = type(ob)
    if isinstance_of(kind, type):
        return ob
    written = CLASS_MARK in class_dict(kind)
    if written:
        method = _find(kind, hook)
        if method is not None:
            return method(ob, *hook_args)
    new = _empty(ob, kind)
    if new is None:
        return _immutable(ob, kind, inner)
    if memo is not None:
        memo[id(ob)] = new
    _fill(ob, new, inner)
    _copy_attributes(ob, new, kind, inner)
    return new


def _find(kind: type, name: str) -> Any:
    for base in class_mro(kind):
        if name in class_dict(base) and is_snippet_class(base):
            return class_dict(base)[name]
    return None


_CONTAINERS = (
    dict,
    list,
    set,
    bytearray,
    collections.deque,
    array.array,
    types.SimpleNamespace,
)


def _empty(ob: Any, kind: type) -> Any:
    """A new object of the same type without content; None if `ob` is copied another way."""
    base = next((base for base in _CONTAINERS if isinstance_of(kind, base)), None)
    written = CLASS_MARK in class_dict(kind)
    if base is array.array:
        return array.array(ob.typecode)
    new: Any
    if base is collections.deque:
        new = collections.deque.__new__(kind)
        collections.deque.__init__(new, maxlen=ob.maxlen)
        return new
    if isinstance_of(kind, collections.defaultdict):
        new = collections.defaultdict.__new__(kind)
        collections.defaultdict.__init__(new, _default_factory(ob))
        return new
    if isinstance_of(kind, collections.OrderedDict):
        return collections.OrderedDict.__new__(kind)
    if base is not None:
        return base.__new__(kind)  # type: ignore[call-overload]
    if isinstance_of(kind, BaseException):
        return BaseException.__new__(kind, *ob.args)
    if any(isinstance_of(kind, wrapper) for wrapper in _WRAPPERS):
        return object.__new__(kind)
    if written and not any(isinstance_of(kind, fixed) for fixed in _VALUES):
        return object.__new__(kind) if _plain_layout(kind) else None
    return None


_default_factory: Callable[[Any], Any]
_default_factory = vars(collections.defaultdict)["default_factory"].__get__

_WRAPPERS = (collections.UserDict, collections.UserList, collections.ChainMap)

_VALUES = (int, float, complex, str, bytes, tuple, frozenset)


def _plain_layout(kind: type) -> bool:
    try:
        object.__new__(kind)
    except TypeError:
        return False
    return True


def _fill(ob: Any, new: Any, inner: Copier) -> None:
    if isinstance(new, dict):
        store = (
            collections.OrderedDict.__setitem__
            if isinstance(new, collections.OrderedDict)
            else dict.__setitem__
        )
        for key, value in dict.items(ob):
            store(new, inner(key), inner(value))
    elif isinstance(new, set):
        for item in set.__iter__(ob):
            set.add(new, inner(item))
    elif isinstance(new, list):
        for item in list.__iter__(ob):
            list.append(new, inner(item))
    elif isinstance(new, collections.deque):
        for item in collections.deque.__iter__(ob):
            collections.deque.append(new, inner(item))
    elif isinstance(new, (bytearray, array.array)):
        new.extend(ob)


def _copy_attributes(ob: Any, new: Any, kind: type, inner: Copier) -> None:
    attributes = getattr(ob, "__dict__", None)
    if type(attributes) is dict:
        new.__dict__.update({inner(name): inner(value) for name, value in attributes.items()})
    for base in class_mro(kind):
        for slot in class_dict(base).values():
            if type(slot) is types.MemberDescriptorType and CLASS_MARK in class_dict(base):
                try:
                    slot.__set__(new, inner(slot.__get__(ob)))
                except AttributeError:
                    continue  # an empty slot stays empty


def _immutable(ob: Any, kind: type, inner: Copier) -> Any:
    if kind is tuple:
        items = [inner(item) for item in ob]
        same = all(a is b for a, b in zip(items, ob, strict=True))
        return ob if same else tuple(items)
    if kind is frozenset:
        return frozenset(inner(item) for item in ob)
    if isinstance_of(kind, tuple):  # namedtuples
        new: Any = tuple.__new__(kind, (inner(item) for item in tuple.__iter__(ob)))
        attributes = getattr(ob, "__dict__", None)
        if type(attributes) is dict:
            new.__dict__.update(attributes)
        return new
    if kind.__module__.partition(".")[0] == "numpy" and hasattr(kind, "copy"):
        return _copied_array(ob, inner)
    method = None if CLASS_MARK in class_dict(kind) else getattr(kind, "copy", None)
    return ob if method is None or isinstance_of(kind, _VALUES[0]) else method(ob)


def _copied_array(ob: Any, inner: Copier) -> Any:
    new = ob.copy()
    if getattr(new.dtype, "hasobject", False):
        flat = new.reshape(-1)
        for index in range(flat.size):
            flat[index] = inner(flat[index])
    return new
