"""The compiler and the guards, one property per test."""

from __future__ import annotations

import ast
import builtins
import io
import os
import random
import statistics
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from corpora import load_json, own_corpus

from react_envs.executor import guards
from react_envs.executor.allowlist import ALLOWED, EPISODE
from react_envs.executor.episode import Modules, Streams
from react_envs.executor.interpreter import Interpreter
from react_envs.executor.names import GUARDED, READABLE_UNDERSCORE
from react_envs.executor.policy import NotAllowed, compile_snippet


def status(code: str) -> str:
    return Interpreter().run(code, io.StringIO(), io.StringIO()).status


@pytest.mark.parametrize(
    "code",
    [
        "f.__globals__",
        "f.gi_frame",
        "del f.__code__",
        "f.__class__ = 1",
        "__import__('os')",
        "__builtins__",
        "def f(__builtins__): pass",
        "class __builtins__: pass",
        "from math import pi as __builtins__",
        "global __builtins__",
        "match f:\n    case object(__class__=c): pass",
        "match f:\n    case object(format=c): pass",
        "class A:\n    def __getattribute__(self, name): pass",
        "class A:\n    __getattr__ = 1",
        "class A:\n    __match_args__ = x",
        "class A:\n    __match_args__ = ('_x',)",
        "try:\n    pass\nexcept* ValueError:\n    pass",
    ],
)
def test_refused_before_anything_runs(code: str) -> None:
    with pytest.raises(NotAllowed, match=r"^line \d"):
        compile_snippet(f"f = x = None\n{code}", "<snippet>")


@pytest.mark.parametrize(
    "code",
    [
        "'{:.2f} {name} {0[1]}'.format",
        "f'{x.real:{y}}'",
        "x.append",
        "x.name",
        "x.__len__",
        "x._replace",
        "def __init__(self): pass",
        "class A:\n    __match_args__ = ('x', 'y')",
    ],
)
def test_harmless_code_is_compiled_without_guards(code: str) -> None:
    compiled = compile_snippet(code, "<snippet>")
    assert not {"load!", "private!", "writable!"} & set(compiled.co_names)


def test_guards_have_names_that_no_source_can_spell() -> None:
    made = Interpreter()._namespace["__builtins__"]
    spelled = {name for name in made if not name.isidentifier()}
    assert {"load!", "private!", "writable!", "import!"} <= spelled
    compiled = compile_snippet("x.__class__\nx._y\nx.y = 1\nimport math", "<snippet>")
    assert spelled >= {name for name in compiled.co_names if not name.isidentifier()}


def test_unknown_node_types_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from react_envs.executor import policy

    monkeypatch.delitem(policy._PLANS, ast.Lambda)
    with pytest.raises(NotAllowed, match="Lambda is not supported"):
        compile_snippet("lambda: 1", "<snippet>")


def test_private_attributes_of_own_classes_work_and_of_libraries_do_not() -> None:
    assert status("class A:\n    def __init__(self): self._x = self.__y = 1\nA()._x") == "ok"
    assert status("import random\nrandom.Random(1)._randbelow(2)") == "blocked"
    assert status("import enum\nclass A(enum.Enum): pass\nA._convert_") == "blocked"


def test_stores_on_library_objects_are_refused() -> None:
    assert status("import math\nmath.pi = 3") == "blocked"
    assert status("import json\njson.JSONEncoder.x = 3") == "blocked"
    assert status("class A: pass\nA.x = 3\nA().y = 4\ndef f(): pass\nf.calls = 1") == "ok"


def test_a_missing_and_a_forbidden_module_name_differ() -> None:
    assert status("import random\nrandom.nope") == "error"
    assert status("import random\nrandom.SystemRandom") == "blocked"


def test_every_allowed_module_can_be_imported() -> None:
    modules = Modules(0, Streams())
    for name in (*ALLOWED, *EPISODE):
        if name.startswith("numpy"):
            continue
        assert set(vars(modules.find(name))) - {"__name__", "__doc__"}


# --- reachability ---

_FORBIDDEN = {
    id(value): name
    for name, value in (
        *(
            (name, getattr(builtins, name))
            for name in ["open", "exec", "eval", "compile", "getattr", "type"]
        ),
        *(
            (name, getattr(os, name))
            for name in ["system", "popen", "fork", "kill", "open", "environ"]
        ),
        ("__import__", builtins.__import__),
    )
}
_MACHINERY = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)


def reachable(
    roots: list[tuple[str, Any]], read: Callable[[Any, str], Any], depth: int
) -> Iterator[tuple[str, Any]]:
    """Every object that attribute reads and items lead to, with one path to each."""
    seen: dict[int, Any] = {}
    pending = [(path, value, 0) for path, value in roots]
    while pending:
        path, value, level = pending.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        yield path, value
        if level == depth or isinstance(value, (str, bytes, int, float)):
            continue
        if isinstance(value, (list, tuple, set)):
            pending += [(f"{path}[]", item, level + 1) for item in value]
            continue
        if isinstance(value, (dict, types.MappingProxyType)):
            pending += [(f"{path}[{key!r}]", item, level + 1) for key, item in value.items()]
        for name in {*dir(value), *READABLE_UNDERSCORE, *GUARDED}:
            if name[0] != "_" or name in READABLE_UNDERSCORE or name in GUARDED:
                try:
                    pending.append((f"{path}.{name}", read(value, name), level + 1))
                except Exception:
                    continue


def forbidden_paths(
    roots: list[tuple[str, Any]], read: Callable[[Any, str], Any], depth: int
) -> list[str]:
    return [
        path
        for path, value in reachable(roots, read, depth)
        if id(value) in _FORBIDDEN or isinstance(value, _MACHINERY)
    ]


def test_the_search_finds_what_real_modules_leak() -> None:
    paths = forbidden_paths([("statistics", statistics), ("random", random)], getattr, 2)
    assert any(path.startswith("statistics.") for path in paths)


@pytest.mark.slow
def test_nothing_forbidden_can_be_reached_by_reading_attributes() -> None:
    interpreter = Interpreter()
    modules = interpreter._modules
    roots: list[tuple[str, Any]] = [(name, modules.find(name)) for name in (*ALLOWED, *EPISODE)]
    roots += [
        (name, value)
        for name, value in interpreter._namespace["__builtins__"].items()
        if name.isidentifier() and name != "__import__"  # no source can name this one
    ]
    assert forbidden_paths(roots, guards.getattr_, 2) == []


# --- cost ---


def cpu_seconds(work: Callable[[], Any], rounds: int = 7) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def test_policy_compile_costs_at_most_half_more_than_parse_and_compile() -> None:
    snippets = load_json("ordinary_snippets.json")
    codes = (
        list(own_corpus().values())
        if snippets is None
        else [s["code"] for s in snippets if isinstance(s["code"], str)]
    )

    def plainly() -> None:
        for code in codes:
            compile(ast.parse(code, "<snippet>"), "<snippet>", "exec", dont_inherit=True)

    def guarded() -> None:
        for code in codes:
            compile_snippet(code, "<snippet>")

    ratio = min(cpu_seconds(guarded) / cpu_seconds(plainly) for _ in range(3))
    assert ratio <= 1.5, f"policy compile is {ratio:.2f} times parse + compile"
