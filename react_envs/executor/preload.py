"""What the zygote imports before it gives up the right to open files.

Children inherit it all by fork. A module that the policy allows but that is missing here could
not be imported by any snippet; so could a module that a library imports only when needed.
"""

from __future__ import annotations

import codecs
import contextlib
import importlib
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

from react_envs.executor import modules

__all__ = ["LIBRARIES", "load"]

LIBRARIES = ("numpy", "sympy")
"""Libraries of the full flavour; those that are not installed are left out."""

# `str.encode` and `bytes.decode` load a codec at its first use.
_CODECS = (
    *("ascii", "latin-1", "cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"),
    *("utf-32", "unicode-escape", "rot13", "hex", "base64"),
)

# Parts that snippets must not or cannot use: tests, builds, native bindings, demonstrations.
_SKIPPED = frozenset(
    {"tests", "test", "testing", "runtests", "conftest", "pytest", "benchmarks", "bench"}
    | {"distutils", "f2py", "ctypeslib", "interactive", "this"}
)
# sympy imports whatever it finds installed, up to torch; only these may come along.
_COMPANIONS = frozenset({*LIBRARIES, "mpmath", "gmpy2"})


def load(libraries: bool) -> None:
    """Import the standard modules that snippets may use and, if asked for, the libraries."""
    for name in _CODECS:
        codecs.lookup(name)
    if libraries:
        sys.meta_path.insert(0, _Strangers())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in LIBRARIES:
                _load_package(name)
        del sys.meta_path[0]
    modules.preload(optional=libraries)


class _Strangers:
    """An import hook that makes every library but a few look as if it were not installed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in _COMPANIONS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _load_package(name: str) -> None:
    """Import the package `name` with its submodules, except those that do not import here."""
    try:
        package = importlib.import_module(name)
    except ImportError:
        return
    for module in pkgutil.iter_modules(package.__path__, name + "."):
        last = module.name.rpartition(".")[2]
        if last in _SKIPPED or last.startswith("__"):
            continue
        # Some submodules want a library that is not there or refuse the platform.
        with contextlib.suppress(Exception):
            if module.ispkg:
                _load_package(module.name)
            else:
                importlib.import_module(module.name)
