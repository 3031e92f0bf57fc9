"""What a snippet's author sees: output, errors, values, state."""

from __future__ import annotations

import io
import sys
import warnings
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.executor.interpreter import (
    MAX_SOURCE_BYTES,
    Interpreter,
    Outcome,
    TimeLimitExceeded,
)


@dataclass
class Ran:
    outcome: Outcome
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        assert self.outcome.error is not None
        return self.outcome.error


def run(code: str, interpreter: Interpreter | None = None) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    outcome = (interpreter or Interpreter()).run(code, out, err, 2.0)
    return Ran(outcome, out.getvalue(), err.getvalue())


def test_variables_persist_also_after_an_error() -> None:
    python = Interpreter()
    assert run("x = 1\ny = 1 / 0", python).outcome.status == "error"
    assert run("print(x)", python).stdout == "1\n"


def test_interpreters_share_no_variables() -> None:
    run("x = 1")
    assert "NameError" in run("x").error


def test_traceback_shows_the_snippets_lines_and_no_host_path() -> None:
    ran = run("def f(n):\n    return 1 / n\n\nf(0)")
    assert ran.error == (
        "Traceback (most recent call last):\n"
        '  File "<snippet>", line 4, in <module>\n'
        "    f(0)\n"
        '  File "<snippet>", line 2, in f\n'
        "    return 1 / n\n"
        "ZeroDivisionError: division by zero"
    )


def test_traceback_through_library_code_hides_the_library() -> None:
    error = run("import json\njson.loads('{')").error
    assert error.endswith("(char 1)")
    assert "json.decoder.JSONDecodeError" in error
    assert sys.prefix not in error
    assert ".py" not in error


def test_traceback_of_a_function_from_an_earlier_turn_shows_its_source() -> None:
    python = Interpreter()
    run("def f():\n    raise KeyError('k')", python)
    error = run("f()", python).error
    assert 'File "<snippet 2>", line 1' in error
    assert "    raise KeyError('k')\nKeyError: 'k'" in error


def test_long_traceback_keeps_six_frames() -> None:
    error = run("def f(n):\n    f(n + 1)\nf(0)").error
    assert error.count("File ") == 6
    assert "more frames]" in error
    assert error.endswith("RecursionError: maximum recursion depth exceeded")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("print('a", "unterminated string literal", id="string"),
        pytest.param("x = (1,", "'(' was never closed", id="bracket"),
        pytest.param("for i in x\n  pass", "expected ':'", id="colon"),
    ],
)
def test_syntax_error_has_line_and_caret(code: str, message: str) -> None:
    ran = run(code)
    assert ran.outcome.status == "error"
    assert 'File "<snippet>", line 1' in ran.error
    assert "^" in ran.error
    assert message in ran.error


@pytest.mark.parametrize("end", ["exit()", "quit()", "raise SystemExit", "import sys; sys.exit(0)"])
def test_exit_is_a_normal_end(end: str) -> None:
    ran = run(f"print(1)\n{end}\nprint(2)")
    assert (ran.outcome, ran.stdout) == (Outcome("ok"), "1\n")


def test_exit_with_text_writes_it_to_stderr() -> None:
    assert run("import sys\nsys.exit('bye')").stderr == "bye\n"


@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "GeneratorExit", "BaseException"])
def test_base_exceptions_of_the_snippet_are_plain_errors(kind: str) -> None:
    ran = run(f"raise {kind}('x')")
    assert ran.outcome.status == "error"
    assert ran.error.endswith(f"{kind}: x")


def test_memory_error_has_its_own_status() -> None:
    assert run("raise MemoryError").outcome.status == "memory"


def test_refusals_say_what_is_available() -> None:
    ran = run("import os")
    assert ran.outcome.status == "blocked"
    assert ran.error.startswith("line 1: import of 'os' is not allowed; available: abc, array, ")
    assert "\n" not in ran.error


def test_refused_name_lists_the_modules_names() -> None:
    assert "available in statistics: NormalDist" in run("from statistics import sys").error


def test_a_caught_refusal_is_an_import_error() -> None:
    ran = run("try:\n    import torch\nexcept ImportError:\n    torch = None\nprint(torch)")
    assert (ran.outcome.status, ran.stdout) == ("ok", "None\n")


@pytest.mark.parametrize(
    "fence", ["```python\n{}\n```", "```py\n{}\n```", "```\n{}\n```", "\n```python\r\n{}```  \n"]
)
def test_fences_are_stripped(fence: str) -> None:
    assert run(fence.format("print(7)")).stdout == "7\n"


def test_backticks_inside_code_stay() -> None:
    assert run("print('''```\nx\n```''')").stdout == "```\nx\n```\n"


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 1", "2"),
        ("x = 'a'\nx", "'a'"),
        ("None", None),
        ("x = 1", None),
        ("for _ in []: 1", None),
    ],
)
def test_last_value_is_shown_as_in_a_notebook(code: str, value: str | None) -> None:
    assert run(code, Interpreter(show_last_value=True)).outcome == Outcome("ok", value=value)


def test_last_value_is_off_by_default() -> None:
    assert run("1 + 1").outcome == Outcome("ok")


def test_last_value_whose_repr_fails_is_an_error() -> None:
    code = "class A:\n    def __repr__(self): return 1 / 0\nA()"
    assert "ZeroDivisionError" in run(code, Interpreter(show_last_value=True)).error


def test_warnings_reach_stderr_without_host_paths() -> None:
    ran = run("import warnings\nwarnings.warn('careful')\nprint(1)")
    assert (ran.stdout, ran.stderr) == ("1\n", "<snippet>:2: UserWarning: careful\n")


def test_numpy_warning_does_not_hide_the_result() -> None:
    pytest.importorskip("numpy")
    ran = run("import numpy as np\nprint(np.array([1.0]) / 0)")
    assert ran.stdout == "[inf]\n"
    assert "RuntimeWarning: divide by zero" in ran.stderr


def test_the_process_is_left_as_it_was() -> None:
    before = (sys.stdout, sys.stderr, warnings.filters, warnings.showwarning)
    limits = (sys.getrecursionlimit(), sys.get_int_max_str_digits())
    run(
        "import sys, warnings\nwarnings.simplefilter('error')\nsys.setrecursionlimit(9000)\n"
        "sys.set_int_max_str_digits(0)\nimport decimal\ndecimal.getcontext().prec = 3"
    )
    assert (sys.stdout, sys.stderr, warnings.filters, warnings.showwarning) == before
    assert (sys.getrecursionlimit(), sys.get_int_max_str_digits()) == limits
    assert run("import decimal\nprint(decimal.getcontext().prec)").stdout == "28\n"


def test_decimal_precision_persists_within_an_episode() -> None:
    python = Interpreter()
    run("import decimal\ndecimal.getcontext().prec = 5", python)
    assert run("print(decimal.Decimal(1) / 3)", python).stdout == "0.33333\n"


def test_library_functions_that_print_are_captured(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run("import calendar, pprint\ncalendar.prmonth(2024, 2)\npprint.pprint([1])")
    assert "February 2024" in ran.stdout
    assert capsys.readouterr() == ("", "")


RANDOM = (
    "import random\nprint(random.random(), random.Random().random(), random.randint(1, 10**9))\n"
    "random.seed()\nprint(random.random())"
)


def test_equal_seeds_give_equal_random_numbers() -> None:
    first, second = (run(RANDOM, Interpreter(seed=5)).stdout for _ in range(2))
    assert first == second
    assert first != run(RANDOM, Interpreter(seed=6)).stdout


def test_numpy_random_is_seeded_too() -> None:
    pytest.importorskip("numpy")
    code = (
        "import numpy as np\nprint(np.random.rand(), np.random.default_rng().random())\n"
        "print(np.random.RandomState().rand())"
    )
    first, second = (run(code, Interpreter(seed=5)).stdout for _ in range(2))
    assert first == second
    assert first != run(code, Interpreter(seed=6)).stdout


def test_randomness_of_the_host_is_not_touched() -> None:
    import random

    state = random.getstate()
    run("import random\nrandom.seed(1)\nrandom.random()")
    assert random.getstate() == state


def test_sleeping_moves_the_clock_and_takes_no_time() -> None:
    code = "import time\na = time.time()\ntime.sleep(1000)\nprint(time.time() - a > 999)"
    assert run(code).stdout == "True\n"


def test_input_is_at_its_end() -> None:
    ran = run("x = input('n? ')")
    assert ran.stdout == "n? "
    assert ran.error.endswith("EOFError: there is no input here")


def test_time_limit_is_reported_with_its_seconds() -> None:
    class Timer:
        """Raises what the child's timer raises, from inside the snippet."""

        def write(self, text: str) -> None:
            raise TimeLimitExceeded

    python = Interpreter()
    code = "x = 3\ntry:\n    print(1)\nfinally:\n    y = 4"
    assert python.run(code, Timer(), Timer(), 2.0) == Outcome(
        "timeout", "execution exceeded 2 seconds"
    )
    assert run("print(x, y)", python).stdout == "3 4\n"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("while True: pass", id="loops"),
        pytest.param("return self.x", id="raises"),
        pytest.param("return 5", id="no-string"),
        pytest.param("raise KeyboardInterrupt", id="interrupts"),
    ],
)
def test_exception_with_a_bad_str_ends(body: str) -> None:
    ran = run(f"class E(Exception):\n    def __str__(self):\n        {body}\nraise E(1)")
    assert ran.outcome.status == "error"
    assert ran.error.rpartition("\n")[2].startswith("E: ")


def test_huge_messages_are_cut() -> None:
    ran = run(
        "class E(Exception): pass\nE.__name__ = E.__qualname__ = 'x' * 10**6\nraise E('y' * 10**6)"
    )
    assert len(ran.error) < 10_000


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("\0", id="nul"),
        pytest.param("x = '\ud800'", id="lone-surrogate"),
        pytest.param("(" * 1_000_000, id="megabyte-of-brackets"),
        pytest.param("(" * 3000 + ")" * 3000, id="nested-brackets"),
        pytest.param("-" * 60_000 + "1", id="unary-minus"),
        pytest.param("+".join("1" * 30_000), id="long-sum"),
        pytest.param("x = " + "[" * 150 + "]" * 150, id="nested-lists"),
        pytest.param("".join(" " * i + "if 1:\n" for i in range(300)), id="nested-ifs"),
        pytest.param("lambda: " * 9000 + "1", id="nested-lambdas"),
        pytest.param("a" + ".b" * 30_000, id="long-attribute"),
        pytest.param("f'{" * 200 + "}'" * 200, id="nested-fstrings"),
        pytest.param("# coding: nonsense\nx = ", id="coding"),
        pytest.param("\\", id="backslash"),
        pytest.param("é" * 40_000, id="too-long-in-utf-8"),
    ],
)
def test_bad_source_is_an_error_text(source: str) -> None:
    outcome = run(source).outcome
    assert outcome.status in ("error", "ok")
    assert outcome.status == "ok" or outcome.error


def test_source_of_the_longest_length_still_runs() -> None:
    longest = "x = 1\n#" + "y" * (MAX_SOURCE_BYTES - 7)
    assert run(longest).outcome == Outcome("ok")
    assert "the limit is 65,536 bytes" in run(longest + "y").error


def test_source_that_is_no_text_is_an_error_text() -> None:
    assert "must be text" in run(5).error  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_answered(source: str) -> None:
    assert run(source).outcome.status in ("ok", "error", "blocked")


_WORDS = st.sampled_from(
    [
        "def",
        "class",
        "if",
        "else",
        "for",
        "in",
        "while",
        "lambda",
        "import",
        "from",
        "math",
        "os",
        "x",
        "y",
        "f",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        ".",
        "=",
        "==",
        "+",
        "*",
        "'a'",
        "1",
        "0",
        "__class__",
        "__globals__",
        "_x",
        "print",
        "\n",
        "\n",
        "",
        "",
        "",
        "return",
        "yield",
        "await",
        "async",
        "with",
        "as",
        "try",
        "except",
        "match",
        "case",
        "del",
        "global",
        "@",
        "->",
        ":=",
        "f'{x}'",
        "...",
        "None",
        "format",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=25).map(" ".join))
def test_any_sequence_of_python_words_is_answered(source: str) -> None:
    assert run("x = 0\n" + source.replace("while", "if")).outcome.status in (
        "ok",
        "error",
        "blocked",
    )


_NAMES = st.sampled_from("abc")
_ATOMS = st.one_of(st.integers(-9, 9).map(str), _NAMES)
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%", "<", "and", "or"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.lists(inner, max_size=3).map(lambda items: f"len([{', '.join(items)}])"),
        inner.map(lambda item: f"(lambda a: a)({item})"),
        inner.map(lambda item: f"max([{item}] + [a for b in range(2)])"),
    ),
    max_leaves=8,
)
_STATEMENTS = st.one_of(
    st.tuples(_NAMES, _EXPRESSIONS).map(lambda p: f"{p[0]} = {p[1]}"),
    st.tuples(_NAMES, _EXPRESSIONS).map(lambda p: f"{p[0]} += {p[1]}"),
    _EXPRESSIONS.map(lambda e: f"print({e})"),
    _EXPRESSIONS.map(lambda e: f"print(f'{{{e}}}')"),
    st.tuples(_EXPRESSIONS, _EXPRESSIONS).map(
        lambda p: f"if {p[0]}:\n    print({p[1]})\nelse:\n    a = 1"
    ),
    _EXPRESSIONS.map(lambda e: f"for c in range(3):\n    a += {e}"),
    _EXPRESSIONS.map(lambda e: f"def f(b, c=1):\n    return {e}\nprint(f(2))"),
    _EXPRESSIONS.map(
        lambda e: f"class K:\n    def __init__(self):\n        self._v = {e}\nprint(K()._v)"
    ),
    _EXPRESSIONS.map(lambda e: f"try:\n    a = {e}\nexcept ZeroDivisionError as e:\n    print(e)"),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_STATEMENTS, min_size=1, max_size=6))
def test_generated_programs_behave_as_under_cpython(statements: list[str]) -> None:
    source = "a, b, c = 1, 2, 3\n" + "\n".join(statements)
    out: list[str] = []
    names = {"__name__": "__main__", "print": lambda *values: out.append(f"{values[0]}\n")}
    try:
        exec(compile(source, "<plain>", "exec"), names)
        error = None
    except Exception as caught:
        error = f"{type(caught).__name__}: {caught}"
    ran = run(source)
    assert ran.stdout == "".join(out)
    assert (ran.outcome.error or "").rpartition("\n")[2] == (error or "")


def test_what_a_destructor_raises_is_shown_without_paths_of_the_host() -> None:
    err = io.StringIO()
    code = "import statistics\nclass D:\n    def __del__(self): statistics.mean([])\nD()\nprint(1)"
    hook = sys.unraisablehook
    assert Interpreter().run(code, io.StringIO(), err) == Outcome("ok")
    assert sys.unraisablehook is hook
    assert "Exception ignored in D.__del__" in err.getvalue()
    assert "StatisticsError: mean requires at least one data point" in err.getvalue()
    assert "statistics.py" not in err.getvalue()


def test_a_class_made_by_type_says_where_it_is_from() -> None:
    out = io.StringIO()
    Interpreter().run("print(type('Dyn', (), {}), type(type('E', (Exception,), {})()))", out, out)
    assert out.getvalue() == "<class '__main__.Dyn'> <class '__main__.E'>\n"


@pytest.mark.parametrize("name", ["type", "memoryview", "int", "object"])
def test_a_stand_in_prints_as_the_class_it_stands_for(name: str) -> None:
    out = io.StringIO()
    Interpreter().run(f"print({name})", out, out)
    assert out.getvalue() == f"<class '{name}'>\n"
