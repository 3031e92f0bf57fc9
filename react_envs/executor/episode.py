"""The modules and built-ins that belong to one episode: its streams, clocks and randomness."""

from __future__ import annotations

import contextlib
import random
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol

from react_envs.executor import ownership
from react_envs.executor.allowlist import EPISODE
from react_envs.executor.modules import available, guarded_module, shared_module
from react_envs.executor.names import is_variable
from react_envs.executor.ownership import GuardedModule, ImportNotAllowed
from react_envs.executor.policy import NotAllowed

__all__ = ["MAX_RECURSION", "Modules", "Streams", "TextWriter"]

MAX_RECURSION = 12_000
"""Highest limit that `sys.setrecursionlimit` sets: C code that recurses (`repr` of nested lists)
takes about half a kilobyte of the 8 MB stack per level."""


class TextWriter(Protocol):
    """Where a snippet's text goes."""

    def write(self, text: str, /) -> object: ...


class Streams:
    """Where print and friends write during the current run; replaced at each run."""

    def __init__(self) -> None:
        nowhere = _Nowhere()
        self.out: Any = nowhere
        self.err: Any = nowhere


class _Nowhere:
    def write(self, text: str) -> None:
        return None


class SnippetStream:
    """`sys.stdout` or `sys.stderr` as a snippet and the libraries that it calls see it."""

    encoding = "utf-8"
    errors = "strict"
    closed = False

    __slots__ = ("_name", "_streams")

    def __init__(self, streams: Streams, name: str) -> None:
        self._streams = streams
        self._name = name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        text = str.__str__(text)
        getattr(self._streams, self._name).write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        return None

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False


class _NoInput:
    """`sys.stdin`: at its end from the start, and saying so."""

    def read(self, size: int = -1) -> NoReturn:
        raise EOFError("there is no input here")

    readline = readlines = __next__ = read

    def __iter__(self) -> _NoInput:
        return self

    def isatty(self) -> bool:
        return False


class Modules:
    """Finds the modules of one episode: shared ones, and its own where state is involved."""

    def __init__(self, seed: int, streams: Streams) -> None:
        self._seed = seed
        self._streams = streams
        self._own: dict[str, GuardedModule] = {}
        self._sleep_s = 0.0
        self._random: random.Random | None = None
        self.recursion_limit: int | None = None

    def find(self, name: str) -> GuardedModule:
        """The module `name`; raises `ImportNotAllowed` where the policy has none."""
        module = self._own.get(name)
        if module is not None:
            return module
        build = _BUILDERS.get(name)
        if build is None:
            module = shared_module(name)
            if module is None:
                raise ImportNotAllowed(
                    f"import of '{name}' is not allowed; available: {available()}", name=name
                )
        else:
            module = build(self)
        self._own[name] = module
        return module

    def import_(self, name: str, whole: bool) -> GuardedModule:
        """`import a.b`: the module `a.b` if `whole` (there is an `as`), else `a`."""
        module = self.find(name)
        return module if whole or "." not in name else self.find(name.partition(".")[0])

    def import_from(self, name: str, attribute: str) -> Any:
        """`from name import attribute`."""
        if name.startswith("."):
            raise ImportError("attempted relative import with no known parent package")
        module = self.find(name)
        try:
            return getattr(module, attribute)
        except ownership.AttributeNotAllowed:
            raise ImportNotAllowed(
                f"import of '{attribute}' from '{name}' is not allowed; "
                f"available in {name}: {', '.join(names_of(module)[:200])}"
            ) from None
        except AttributeError:
            pass
        try:
            return self.find(f"{name}.{attribute}")
        except ImportNotAllowed:
            raise ImportError(
                f"cannot import name '{attribute}' from '{name}'", name=name
            ) from None

    # --- randomness ---

    def fresh_seed(self) -> int:
        """A seed for a generator that the snippet left unseeded; the same in each replay."""
        return self._generator().getrandbits(63)

    def _generator(self) -> random.Random:
        if self._random is None:
            self._random = random.Random(self._seed)
        return self._random

    def _build_random(self) -> GuardedModule:
        modules = self
        unseeded = random.Random(f"unseeded {self._seed}")

        class Random(random.Random):
            """`random.Random` that is reproducible without a seed too."""

            def __init__(self, x: Any = None) -> None:
                super().__init__(x)

            def seed(self, a: Any = None, version: int = 2) -> None:
                super().seed(unseeded.getrandbits(63) if a is None else a, version)

        Random.__module__ = Random.__qualname__ = "random"
        Random.__qualname__ = "Random"
        shared = Random(modules._seed)
        names = {
            name: getattr(shared, name)
            for name in EPISODE["random"].split()
            if name != "Random" and hasattr(shared, name)
        }
        return _module(random, "random", {**names, "Random": Random})

    def _build_sympy(self) -> GuardedModule:
        shared = self._installed("sympy")

        def var(names: str, **options: Any) -> Any:
            """`sympy.var`: makes symbols and binds them where it was called."""
            symbols: Any = shared.symbols(names, **options)
            variables = sys._getframe(1).f_globals
            for symbol in symbols if isinstance(symbols, (list, tuple)) else (symbols,):
                name = str.__str__(symbol.name)
                if "load!" in variables.get("__builtins__", ()) and is_variable(name):
                    variables[name] = symbol
            return symbols

        return GuardedModule("sympy", {**vars(shared), "var": var}, shared._absent)

    def _installed(self, name: str) -> GuardedModule:
        module = shared_module(name)
        if module is None:
            raise ImportNotAllowed(f"{name} is not installed here", name=name)
        return module

    def _build_numpy(self) -> GuardedModule:
        shared = self._installed("numpy")
        names = {**vars(shared), "random": self.find("numpy.random")}
        return GuardedModule("numpy", names, shared._absent)

    def _build_numpy_random(self) -> GuardedModule:
        self._installed("numpy")
        from numpy import random as numpy_random

        state = numpy_random.RandomState(self._seed % 2**32)
        fresh = random.Random(f"numpy {self._seed}")

        def seed(seed: Any = None) -> None:
            state.seed(fresh.getrandbits(32) if seed is None else seed)

        def default_rng(seed: Any = None) -> Any:
            return numpy_random.default_rng(fresh.getrandbits(63) if seed is None else seed)

        def make_random_state(seed: Any = None) -> Any:
            if ownership.is_snippet_class(type(seed)) or hasattr(seed, "__dict__"):
                # It would follow the raw pointer in the attribute `capsule`.
                raise NotAllowed("a seed must be a number or an array of numbers")
            return numpy_random.RandomState(fresh.getrandbits(32) if seed is None else seed)

        names = {
            name: getattr(state, name)
            for name in EPISODE["numpy.random"].split()
            if name not in ("Generator", "RandomState", "default_rng", "seed")
            and hasattr(state, name)
        }
        names |= {"seed": seed, "default_rng": default_rng, "RandomState": make_random_state}
        names |= {"ranf": state.random_sample, "sample": state.random_sample}
        names |= {"Generator": numpy_random.Generator, "__name__": "numpy.random"}
        absent = frozenset(dir(numpy_random)) - names.keys()
        return GuardedModule("numpy.random", names, absent)

    # --- time ---

    def _build_time(self) -> GuardedModule:
        def sleep(seconds: float) -> None:
            """Moves the clocks on at once instead of waiting."""
            if seconds < 0:
                raise ValueError("sleep length must be non-negative")
            self._sleep_s += float(seconds)

        def moved(clock: Callable[[], float]) -> Callable[[], float]:
            return lambda: clock() + self._sleep_s

        def moved_ns(clock: Callable[[], int]) -> Callable[[], int]:
            return lambda: clock() + int(self._sleep_s * 1e9)

        names: dict[str, Any] = {"sleep": sleep}
        for name in ("time", "monotonic", "perf_counter"):
            names[name] = moved(getattr(time, name))
            names[f"{name}_ns"] = moved_ns(getattr(time, f"{name}_ns"))
        return _module(time, "time", names)

    def _build_asyncio(self) -> GuardedModule:
        from react_envs.executor.event_loop import asyncio_names

        def advance(seconds: float) -> None:
            self._sleep_s += seconds

        return GuardedModule("asyncio", {**asyncio_names(advance), "__name__": "asyncio"})

    # --- streams ---

    def _build_sys(self) -> GuardedModule:
        def set_recursion_limit(limit: int) -> None:
            if type(limit) is not int or limit < 1:
                raise ValueError("recursion limit must be a positive int")
            self.recursion_limit = min(max(limit, 200), MAX_RECURSION)
            sys.setrecursionlimit(self.recursion_limit)

        def set_int_max_str_digits(maxdigits: int) -> None:
            sys.set_int_max_str_digits(maxdigits)

        return _module(
            sys,
            "sys",
            {
                "argv": [""],
                "stdin": _NoInput(),
                "stdout": SnippetStream(self._streams, "out"),
                "stderr": SnippetStream(self._streams, "err"),
                "setrecursionlimit": set_recursion_limit,
                "set_int_max_str_digits": set_int_max_str_digits,
            },
        )

    def _build_contextlib(self) -> GuardedModule:
        streams = self._streams

        def redirect(name: str) -> Callable[[Any], Any]:
            @contextlib.contextmanager
            def redirected(target: Any) -> Iterator[Any]:
                before = getattr(streams, name)
                setattr(streams, name, _Nowhere() if target is None else target)
                try:
                    yield target
                finally:
                    setattr(streams, name, before)

            return redirected

        return _module(
            contextlib,
            "contextlib",
            {"redirect_stdout": redirect("out"), "redirect_stderr": redirect("err")},
        )

    def _build_warnings(self) -> GuardedModule:
        return _module(warnings, "warnings", {})

    def _build_traceback(self) -> GuardedModule:
        from react_envs.executor.tracebacks import format_snippet_error

        def format_exc(limit: int | None = None, chain: bool = True) -> str:
            error = sys.exception()
            return "NoneType: None\n" if error is None else format_snippet_error(error, {}) + "\n"

        def print_exc(limit: int | None = None, file: Any = None, chain: bool = True) -> None:
            (self._streams.err if file is None else file).write(format_exc())

        return _module(traceback, "traceback", {"format_exc": format_exc, "print_exc": print_exc})


def names_of(module: GuardedModule) -> list[str]:
    """The public names of a guarded module, sorted."""
    return sorted(name for name in vars(module) if name[0] != "_")


def _module(module: types.ModuleType, name: str, replaced: dict[str, Any]) -> GuardedModule:
    return guarded_module(module, name, EPISODE[name], replaced)


_BUILDERS: dict[str, Callable[[Modules], GuardedModule]] = {
    "asyncio": Modules._build_asyncio,
    "contextlib": Modules._build_contextlib,
    "numpy": Modules._build_numpy,
    "numpy.random": Modules._build_numpy_random,
    "random": Modules._build_random,
    "sympy": Modules._build_sympy,
    "sys": Modules._build_sys,
    "time": Modules._build_time,
    "traceback": Modules._build_traceback,
    "warnings": Modules._build_warnings,
}
