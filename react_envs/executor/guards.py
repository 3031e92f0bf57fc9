"""Run-time guards: what compiled snippets call where an operation could leave the sandbox."""

from __future__ import annotations

import abc
import functools
import types
from collections.abc import Callable
from typing import Any, NoReturn

from react_envs.executor.formatting import format_guarded, format_map_guarded
from react_envs.executor.names import (
    FORBIDDEN_ATTRIBUTES,
    GUARDED,
    READABLE_UNDERSCORE,
    is_dunder,
)
from react_envs.executor.ownership import (
    AttributeNotAllowed,
    check_store_name,
    class_dict,
    class_mro,
    describe,
    exact_str,
    is_snippet_class,
    is_snippet_function,
    isinstance_of,
    private,
    writable,
)
from react_envs.executor.policy import CLASS_MARK, NotAllowed
from react_envs.executor.stand_ins import (
    MetaclassStandIn,
    OpaqueType,
    guarded_memoryview,
    kind_of,
    shown,
)

__all__ = ["LiveDict", "delattr_", "getattr_", "hasattr_", "load", "setattr_"]


def setattr_(ob: Any, name: str, value: Any, /) -> None:
    """The built-in `setattr`, guarded."""
    exact_str(name)
    check_store_name(name)
    guard = private if name[:1] == "_" and not is_dunder(name) else writable
    setattr(guard(ob, name), name, value)


def delattr_(ob: Any, name: str, /) -> None:
    """The built-in `delattr`, guarded."""
    exact_str(name)
    check_store_name(name)
    guard = private if name[:1] == "_" and not is_dunder(name) else writable
    delattr(guard(ob, name), name)


# --- loads ---


def load(ob: Any, name: str, *default: Any) -> Any:
    """Read any attribute under the policy; `name` must be an exact `str`."""
    special = _LOADS.get(name)
    if special is not None:
        return special(ob, *default)
    if name in FORBIDDEN_ATTRIBUTES:
        raise AttributeNotAllowed(f"the attribute '{name}' is not allowed")
    if name[:1] == "_" and name not in READABLE_UNDERSCORE:
        if is_dunder(name):
            raise AttributeNotAllowed(f"the attribute '{name}' is not allowed")
        private(ob, name)
    return getattr(ob, name, *default)


def getattr_(ob: Any, name: str, /, *default: Any) -> Any:
    """The built-in `getattr`, guarded."""
    return load(ob, exact_str(name), *default)


def hasattr_(ob: Any, name: str, /) -> bool:
    """The built-in `hasattr`, guarded: what may not be read is not there."""
    try:
        load(ob, exact_str(name))
    except AttributeError:
        return False
    return True


def _load_class(ob: Any, *default: Any) -> Any:
    return kind_of(ob)


def _load_bases(name: str) -> Callable[..., Any]:
    slot = type.__dict__[name]

    def load_bases(ob: Any, *default: Any) -> Any:
        is_class = isinstance_of(type(ob), type)
        value = slot.__get__(ob) if is_class else getattr(ob, name, *default)
        if type(value) is tuple:
            return tuple(shown(base) for base in value)
        return shown(value)

    return load_bases


def _load_mro(ob: Any, *default: Any) -> Any:
    value = getattr(ob, "mro", *default)
    if type(value) in _C_METHODS:
        return lambda *args: [shown(base) for base in value(*args)]
    return value


def _load_dict(ob: Any, *default: Any) -> Any:
    kind = type(ob)
    if is_snippet_class(ob):
        return {
            name: value
            for name, value in class_dict(ob).items()
            if not (is_dunder(name) and name not in READABLE_UNDERSCORE) and name != CLASS_MARK
        }
    if (
        CLASS_MARK in class_dict(kind)
        or kind is types.SimpleNamespace
        or is_snippet_function(ob)
        or isinstance_of(kind, BaseException)
    ):
        attributes = getattr(ob, "__dict__", None)
        if type(attributes) is not dict:
            raise AttributeError(f"{describe(ob)} has no attribute '__dict__'")
        return LiveDict(attributes, attributes, _check_instance_name)
    if isinstance_of(kind, type):
        return ClassView(ob)
    raise AttributeNotAllowed(f"the attribute '__dict__' of {describe(ob)} is not allowed")


class ClassView(dict[str, Any]):
    """What a library's class holds, as far as a snippet may read it attribute by attribute."""

    __slots__ = ("_cls",)

    def __init__(self, cls: type) -> None:
        names = [name for name in class_dict(cls) if name not in GUARDED and hasattr_(cls, name)]
        super().__init__({name: load(cls, name) for name in names})
        self._cls = cls

    def __missing__(self, name: Any) -> NoReturn:
        if name in class_dict(self._cls):
            raise AttributeNotAllowed(f"the attribute '{name}' is not allowed")
        raise KeyError(name)


class LiveDict(dict[str, Any]):
    """Attributes or variables as a dict; changes are checked and written through to the target."""

    __slots__ = ("_check", "_target")

    def __init__(
        self, shown: dict[str, Any], target: dict[str, Any], check: Callable[[Any], None]
    ) -> None:
        super().__init__(shown)
        self._target = target
        self._check = check

    def __setitem__(self, name: str, value: Any) -> None:
        self._check(name)
        self._target[name] = value
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._target.pop(name, None)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def __ior__(self, other: Any) -> LiveDict:  # type: ignore[override,misc]
        self.update(other)
        return self

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: str, *default: Any) -> Any:
        value = super().pop(name, *default)
        self._target.pop(name, None)
        return value

    def popitem(self) -> tuple[str, Any]:
        name = next(reversed(self))
        return name, self.pop(name)

    def clear(self) -> None:
        for name in list(self):
            del self[name]


def _check_instance_name(name: Any) -> None:
    check_store_name(exact_str(name))


def _load_init(ob: Any, *default: Any) -> Any:
    # On an object that others share, `__init__` would be a store to all of its attributes.
    kind = type(ob)
    if kind is super:
        owner = ob.__self__
        if CLASS_MARK in class_dict(type(owner)) or is_snippet_class(owner):
            return ob.__init__
    elif CLASS_MARK in class_dict(kind):
        return ob.__init__
    elif isinstance_of(kind, type):
        return _guarded_init(ob)
    elif kind is MetaclassStandIn:
        return type.__init__
    raise AttributeNotAllowed(f"the attribute '__init__' of {describe(ob)} is not allowed")


def _guarded_init(cls: type) -> Any:
    init: Any = cls.__init__  # type: ignore[misc]
    if is_snippet_function(init):
        return init

    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:
        if CLASS_MARK not in class_dict(type(self)) and not is_snippet_class(self):
            raise AttributeNotAllowed(f"calling '__init__' on {describe(self)} is not allowed")
        init(self, *args, **kwargs)

    return __init__


def _method_stand_in(name: str, guarded: Callable[..., None]) -> Callable[..., Any]:
    """Reader of `__setattr__` or `__delattr__`: the snippet's own method, or the guarded one."""

    def load_method(ob: Any, *default: Any) -> Any:
        kind = type(ob)
        if isinstance_of(kind, OpaqueType):
            return guarded
        target = ob.__self__ if kind is super else ob
        if kind is super or not isinstance_of(kind, type):
            method = getattr(ob, name)
            if type(method) is types.MethodType and is_snippet_function(method.__func__):
                return method
            return functools.partial(guarded, target)
        definer = next((base for base in class_mro(ob) if name in class_dict(base)), object)
        return class_dict(definer)[name] if CLASS_MARK in class_dict(definer) else guarded

    return load_method


def _set_plainly(ob: Any, name: str, value: Any) -> None:
    """`object.__setattr__(ob, name, value)` under the policy."""
    check_store_name(exact_str(name))
    (private if name[:1] == "_" and not is_dunder(name) else writable)(ob, name)
    setter = type if isinstance_of(type(ob), type) else object
    setter.__setattr__(ob, name, value)


def _delete_plainly(ob: Any, name: str) -> None:
    """`object.__delattr__(ob, name)` under the policy."""
    check_store_name(exact_str(name))
    (private if name[:1] == "_" and not is_dunder(name) else writable)(ob, name)
    setter = type if isinstance_of(type(ob), type) else object
    setter.__delattr__(ob, name)


# The readers below judge the *value* that they found: an alias such as `numpy.ndarray[int]`
# forwards attributes, so the object's own type proves nothing.


def _load_register(ob: Any, *default: Any) -> Any:
    # `numbers.Integral.register(str)` would change every later episode of this process.
    value = getattr(ob, "register", *default)
    if type(value) is types.MethodType and value.__func__ is abc.ABCMeta.register:
        if not is_snippet_class(value.__self__):
            raise AttributeNotAllowed("'register' is not allowed on a library's class")
    elif value is abc.ABCMeta.register:
        raise AttributeNotAllowed("'register' is not allowed on a library's class")
    return value


def _load_dump(name: str) -> Callable[..., Any]:
    def load_dump(ob: Any, *default: Any) -> Any:
        value = getattr(ob, name, *default)
        if type(value) in _C_METHODS:
            raise AttributeNotAllowed(f"'{name}' of {describe(ob)} is not allowed")
        return value

    return load_dump


_C_METHODS = {
    types.BuiltinMethodType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
}


def _load_format(ob: Any, *default: Any) -> Any:
    value = getattr(ob, "format", *default)
    if type(value) is types.BuiltinMethodType and isinstance_of(type(value.__self__), str):
        text: Any = value.__self__
        return lambda *args, **kwargs: format_guarded(getattr_, text, args, kwargs)
    if value is str.format:
        return lambda text, *args, **kwargs: format_guarded(getattr_, text, args, kwargs)
    return value


def _load_format_map(ob: Any, *default: Any) -> Any:
    value = getattr(ob, "format_map", *default)
    if type(value) is types.BuiltinMethodType and isinstance_of(type(value.__self__), str):
        text: Any = value.__self__
        return lambda mapping: format_map_guarded(getattr_, text, mapping)
    if value is str.format_map:
        return lambda text, mapping: format_map_guarded(getattr_, text, mapping)
    return value


def _load_data(ob: Any, *default: Any) -> Any:
    value = getattr(ob, "data", *default)
    return guarded_memoryview(value) if type(value) is memoryview else value


def _load_resize(ob: Any, *default: Any) -> Any:
    value = getattr(ob, "resize", *default)
    if type(value) is types.MethodDescriptorType:
        raise AttributeNotAllowed("'resize' is allowed on arrays, not on their class")
    if type(value) is not types.BuiltinMethodType:
        return value

    def resize(*shape: Any, refcheck: bool = True) -> None:
        if not refcheck:
            raise NotAllowed("resize() with refcheck=False is not allowed")
        value(*shape)

    return resize


def _load_slots(ob: Any, *default: Any) -> Any:
    # A library's may be a list that all share.
    if is_snippet_class(ob) or CLASS_MARK in class_dict(type(ob)):
        return getattr(ob, "__slots__", *default)
    raise AttributeNotAllowed(f"the attribute '__slots__' of {describe(ob)} is not allowed")


def _load_defaults(ob: Any, *default: Any) -> Any:
    if is_snippet_function(ob):
        return ob.__defaults__
    raise AttributeNotAllowed(f"the attribute '__defaults__' of {describe(ob)} is not allowed")


_LOADS: dict[str, Callable[..., Any]] = {
    "__slots__": _load_slots,
    "__defaults__": _load_defaults,
    "data": _load_data,
    "resize": _load_resize,
    "__class__": _load_class,
    "__dict__": _load_dict,
    "__mro__": _load_bases("__mro__"),
    "__bases__": _load_bases("__bases__"),
    "__base__": _load_bases("__base__"),
    "__init__": _load_init,
    "__setattr__": _method_stand_in("__setattr__", _set_plainly),
    "__delattr__": _method_stand_in("__delattr__", _delete_plainly),
    "mro": _load_mro,
    "format": _load_format,
    "format_map": _load_format_map,
    "register": _load_register,
    "dump": _load_dump("dump"),
    "dumps": _load_dump("dumps"),
}
