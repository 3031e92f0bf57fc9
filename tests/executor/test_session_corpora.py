"""Ordinary code prints in a session what it prints under CPython, numpy's and sympy's too.

Each program gets a fresh child: in a process where a library has run before, its caches hide what
a child would have to import or open.
"""

from __future__ import annotations

import importlib.util

import pytest
from corpora import own_corpus, run_plainly

from react_envs.executor import PythonSession

FILES = (
    "ordinary_corpus.txt",
    "program_corpus.txt",
    "idiom_corpus.txt",
    "numpy_corpus.txt",
    pytest.param("sympy_corpus.txt", marks=pytest.mark.slow),
)
LIBRARIES = {"numpy_corpus.txt": ("numpy",), "sympy_corpus.txt": ("numpy", "sympy")}


@pytest.mark.parametrize("file", FILES)
def test_programs_print_in_fresh_children_what_cpython_prints(file: str) -> None:
    for name in LIBRARIES.get(file, ()):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    programs = own_corpus(file)
    different = {}
    for name, expected in zip(programs, run_plainly(list(programs.values())), strict=True):
        with PythonSession(cpu_limit_s=20.0, wall_limit_s=30.0) as session:
            result = session.run(programs[name])
        assert expected[1] is None, f"{name} fails under CPython"
        if (result.stdout, result.status) != (expected[0], "ok"):
            different[name] = (result.text, expected[0])
    assert not different


def test_plotting_is_refused_with_a_text() -> None:
    with PythonSession() as session:
        result = session.run("from sympy import symbols, plot\nplot(symbols('x') ** 2)")
        assert result.status == "blocked"
        assert "import of 'plot' from 'sympy' is not allowed" in result.text
        assert session.run("import sympy\nsympy.plotting.plot(1)").status == "blocked"
        assert session.run("print(2)").text == "2"


@pytest.mark.parametrize("name", ["numpy._core._methods", "numpy", "os", "sys", "_strptime"])
def test_the_import_that_native_code_uses_gives_a_snippet_nothing(name: str) -> None:
    with PythonSession() as session:
        session.run("import numpy\nnumpy.arange(3).sum()")
        for code in (f"__import__('{name}')", f"eval(\"__import__('{name}')\")"):
            assert session.run(f"print({code})").status == "blocked"
        for holder in ("globals()", "vars()", "dir()"):
            assert session.run(f"print('__import__' in {holder})").text == "False"
        assert session.run("print(__builtins__)").status == "blocked"
