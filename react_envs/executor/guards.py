"""Run-time guards: what compiled snippets call in place of operations that could leave the sandbox.

All guards decide by `type(ob)`, never by what the object says about itself, and accept only
exact `str` names, so that neither `__class__` tricks nor lying `str` subclasses change a verdict.
"""

from __future__ import annotations

import abc
import collections
import decimal
import enum
import functools
import textwrap
import types
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Self

from react_envs.executor.formatting import format_guarded, format_map_guarded
from react_envs.executor.names import (
    DEFINABLE,
    FORBIDDEN_ATTRIBUTES,
    GUARDED,
    READABLE_UNDERSCORE,
    WRITABLE_DUNDERS,
    is_dunder,
)
from react_envs.executor.policy import CLASS_MARK, NotAllowed

__all__ = [
    "FILENAME_PREFIX",
    "AttributeNotAllowed",
    "GuardedModule",
    "ImportNotAllowed",
    "LiveDict",
    "NotAllowed",
    "exact_str",
    "is_snippet_class",
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


def _load_bases(name: str) -> Callable[..., Any]:
    slot = type.__dict__[name]

    def load_bases(ob: Any, *default: Any) -> Any:
        is_class = isinstance_of(type(ob), type)
        value = slot.__get__(ob) if is_class else getattr(ob, name, *default)
        if type(value) is tuple:
            return tuple(_shown(base) for base in value)
        return _shown(value)

    return load_bases


def _shown(value: Any) -> Any:
    return _stand_in(value) if isinstance_of(type(value), type) else value


def _load_mro(ob: Any, *default: Any) -> Any:
    value = getattr(ob, "mro", *default)
    if type(value) in _C_METHODS:
        return lambda *args: [_shown(base) for base in value(*args)]
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


# An array of objects is memory full of pointers: written as bytes or freed under a view, it makes
# objects of whatever the snippet likes.


def guarded_memoryview(ob: Any) -> memoryview:
    """The built-in `memoryview`, but not of arrays that hold objects."""
    view = memoryview(ob)
    if "O" in view.format:
        raise NotAllowed("the memory of an array of objects is not accessible")
    return view


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


# --- classes that a snippet may hold but not use as in CPython ---


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
