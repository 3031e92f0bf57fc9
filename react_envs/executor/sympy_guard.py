"""Makes sympy check the text that it hands to `eval` and `exec`.

`sympify("...")` and `lambdify` run strings as Python. This module sets a checked `eval` and `exec`
in the modules that do so, for the whole process and for good, and checks the names that become
attributes. It narrows what a
string can do; it does not make sympy a sandbox (that is the operating-system layer's part).
"""

from __future__ import annotations

import builtins
import dis
import importlib
import re
import types
from collections.abc import Callable
from typing import Any

from react_envs.executor.allowlist import ALLOWED, OPTIONAL
from react_envs.executor.names import FORBIDDEN_ATTRIBUTES, GUARDED
from react_envs.executor.ownership import exact_str
from react_envs.executor.policy import NotAllowed

__all__ = ["install"]

_SAFE_BUILTINS = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "frozenset",
        "int",
        "len",
        "list",
        "map",
        "max",
        "min",
        "pow",
        "range",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "str",
        "sum",
        "tuple",
        "zip",
    ]
)
_LISTED = {
    "numpy": frozenset(f"{OPTIONAL['numpy']} {OPTIONAL['numpy.linalg']}".split()),
    "sympy": frozenset(f"{OPTIONAL['sympy']} {OPTIONAL['sympy.abc']}".split()),
    "math": frozenset(ALLOWED["math"].split()),
    "cmath": frozenset(ALLOWED["cmath"].split()),
}
_IMPORT_LINE = re.compile(r"from (math|cmath|mpmath|numpy|scipy\.special|functools) import (\w+)")


def install() -> None:
    """Guard sympy's `eval`, `exec`, plots and some constructors; again, it changes nothing."""
    for module, name, guard in _GUARDED_NEW:
        cls = getattr(importlib.import_module(module), name)
        if cls.__new__.__module__ != __name__:
            cls.__new__ = guard(cls.__new__)
    for name in _EVALUATE_TEXT:
        vars(importlib.import_module(name)).update(eval=_eval, exec=_exec)
    methods = importlib.import_module("mpmath.visualization").VisualizationMethods
    for name in ("plot", "cplot", "splot"):
        setattr(methods, name, _no_plot)


def _no_plot(*args: Any, **kwargs: Any) -> None:
    """A context's plots import matplotlib, where it is installed, and write files."""
    raise NotAllowed("plotting is not allowed")


def _function_new(make: Callable[..., Any]) -> Callable[..., Any]:
    """`Function("f", ...)` makes a class and would take its bases and attributes, too."""

    def __new__(mcl: type, name: Any, *rest: Any, **kwargs: Any) -> Any:
        if rest or "bases" in kwargs or any(exact_str(key)[:1] == "_" for key in kwargs):
            raise NotAllowed("Function() takes a name and assumptions")
        return make(mcl, name, **kwargs)

    return __new__


def _ring_new(make: Callable[..., Any]) -> Callable[..., Any]:
    """A ring or a field has an attribute for each of its symbols."""

    def __new__(cls: type, *args: Any, **kwargs: Any) -> Any:
        ring = make(cls, *args, **kwargs)
        for symbol in ring.symbols:
            name = getattr(symbol, "name", "")
            if type(name) is not str or name[:2] == "__":
                raise NotAllowed("a ring or field with a generator of this name is not allowed")
        return ring

    return __new__


_EVALUATE_TEXT = (
    "sympy.parsing.sympy_parser",
    "sympy.utilities.lambdify",
    "mpmath.identification",  # reached through the context of a number that lambdify made
)
_GUARDED_NEW = (
    ("sympy.core.function", "UndefinedFunction", _function_new),
    ("sympy.polys.rings", "PolyRing", _ring_new),
    ("sympy.polys.fields", "FracField", _ring_new),
)


def _eval(source: Any, names: dict[str, Any], local: dict[str, Any] | None = None) -> Any:
    code = compile(source, "<expression>", "eval") if isinstance(source, str) else source
    _check(code, {**names, **(local or {})})
    return eval(code, names, local)


def _exec(source: Any, names: dict[str, Any], local: dict[str, Any] | None = None) -> None:
    if isinstance(source, str):
        if (
            source != "from sympy import *"
            and source not in _import_commands()
            and not _IMPORT_LINE.fullmatch(source)
        ):
            raise NotAllowed("this text is not allowed in sympy")
    else:
        _check(source, {**names, **(local or {})})
    exec(source, names, local)


def _import_commands() -> set[str]:
    lambdify = importlib.import_module("sympy.utilities.lambdify")
    return {
        command
        for name in ("math", "cmath", "mpmath", "numpy", "scipy", "sympy")
        for command in lambdify.MODULES[name][3]
    }


def _check(code: types.CodeType, names: dict[str, Any]) -> None:
    module = ""  # set between `builtins` and the attribute that is read from it
    for op in dis.get_instructions(code):
        name = op.argval
        if op.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            if name == "builtins" and names.get(name) is builtins:
                module = name
            elif not _name_allowed(name, names):
                raise NotAllowed(f"the name '{name}' is not allowed in an expression")
        elif op.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            if name[:1] == "_" or name in FORBIDDEN_ATTRIBUTES or name in GUARDED:
                raise NotAllowed(f"the attribute '{name}' is not allowed in an expression")
            if module and name not in _SAFE_BUILTINS:
                raise NotAllowed(f"the name '{name}' is not allowed in an expression")
            module = ""
        elif module:
            raise NotAllowed("'builtins' is not allowed in an expression")
        elif op.opname.startswith(("IMPORT_", "STORE_ATTR", "DELETE_ATTR", "LOAD_BUILD")):
            raise NotAllowed("only expressions are allowed here")
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _check(constant, names)


def _name_allowed(name: str, names: dict[str, Any]) -> bool:
    if name in _SAFE_BUILTINS:
        return True
    value = names.get(name)
    # `mp`, `fp` and `iv` are contexts of mpmath, which lead to its modules.
    if name[:2] == "__" or name in ("mp", "fp", "iv") or isinstance(value, types.ModuleType):
        return False
    if value is None or value is getattr(builtins, name, None):
        return not hasattr(builtins, name)
    # What a star import brought under this name must be on the list of its package; what else
    # is there came from the snippet.
    home = str(getattr(value, "__module__", "")).partition(".")[0]
    return home not in _LISTED or name in _LISTED[home] or not callable(value)
