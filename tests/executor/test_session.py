"""What a user of `PythonSession` sees: state, results, refusals, flavours."""

from __future__ import annotations

import copy
import importlib.util
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.executor import ExecutionResult, PythonSession, run_many

has_libraries = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("numpy", "sympy")),
    reason="numpy and sympy are not both installed",
)


@pytest.fixture
def session() -> PythonSession:
    return PythonSession(cpu_limit_s=1.0, wall_limit_s=5.0)


def test_variables_persist_from_run_to_run_and_after_an_error(session: PythonSession) -> None:
    assert session.run("x = 20\ndef double(n): return 2 * n").status == "ok"
    failed = session.run("y = double(x)\nraise ValueError('no')")
    assert (failed.status, failed.restarted) == ("error", False)
    assert failed.error is not None
    assert failed.error.endswith("ValueError: no")
    assert session.run("print(x, y)").text == "20 40"


def test_what_was_printed_before_an_error_is_kept(session: PythonSession) -> None:
    result = session.run("print('before')\n1 / 0")
    assert result.stdout == "before\n"
    assert result.text.startswith("before\n")
    assert result.text.endswith("ZeroDivisionError: division by zero")


def test_reset_begins_with_a_fresh_interpreter(session: PythonSession) -> None:
    session.run("x = 1")
    session.reset()
    result = session.run("print(x)")
    assert result.status == "error"
    assert not result.restarted
    assert "NameError" in result.text


def test_sessions_share_nothing() -> None:
    code = "import math\nmath.pi = 3\nimport collections\ncollections.x = 1"
    with PythonSession() as one, PythonSession() as other:
        one.run("secret = 1\n" + code)
        assert "NameError" in other.run("print(secret)").text
        assert other.run("import math\nprint(math.pi > 3.1)").text == "True"
        assert "AttributeError" in other.run("import collections\nprint(collections.x)").text


def test_the_seed_fixes_what_random_gives() -> None:
    draw = "import random\nprint(random.random())"
    with PythonSession(seed=1) as session:
        first = session.run(draw).text
        session.reset()
        assert session.run(draw).text == first
        session.reset(seed=2)
        assert session.run(draw).text != first


def test_hashing_is_deterministic() -> None:
    code = "print(hash('word'), list({'a', 'b', 'c', 'd'}))"
    with PythonSession() as one, PythonSession(seed=1) as other:
        assert one.run(code).text == other.run(code).text


def test_times_are_reported(session: PythonSession) -> None:
    result = session.run("s = 0\nfor i in range(10**6): s += i")
    assert 0 < result.cpu_s < 1
    assert result.cpu_s <= result.wall_s


def test_the_last_value_is_shown_on_request() -> None:
    with PythonSession(show_last_value=True) as session:
        assert session.run("6 * 7").value == "42"
        assert session.run("6 * 7").text == "42"
        assert session.run("None").text == "(no output; use print())"
    with PythonSession() as session:
        assert session.run("6 * 7").text == "(no output; use print())"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (ExecutionResult("", "", None, None, "ok", 0, 0, False), "(no output; use print())"),
        (ExecutionResult("\n", "", None, None, "ok", 0, 0, False), "(no output; use print())"),
        (ExecutionResult("1\n", "warn\n", None, None, "ok", 0, 0, False), "1\nwarn"),
        (ExecutionResult("1\n", "w\n", "E: x", None, "error", 0, 0, False), "1\nw\nE: x"),
        (ExecutionResult("1", "", None, "7", "ok", 0, 0, False), "1\n7"),
        (
            ExecutionResult("", "", "late", None, "timeout", 0, 0, False, restarted=True),
            "late\nThe interpreter was restarted and all variables are lost.",
        ),
    ],
)
def test_text_joins_what_there_is(result: ExecutionResult, text: str) -> None:
    assert result.text == text


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(None, id="none"),
        pytest.param(b"print(1)", id="bytes"),
        pytest.param(["print(1)"], id="list"),
        pytest.param("x = 1\0", id="nul"),
        pytest.param("print('\ud800'", id="lone-surrogate"),
        pytest.param("x" * 70_000, id="too-long"),
        pytest.param("(" * 60_000, id="brackets"),
        pytest.param("-" * 60_000 + "1", id="unary"),
        pytest.param("x = " + "[" * 90 + "]" * 90 + "\n!", id="nested"),
    ],
)
def test_bad_code_is_a_result_and_the_session_goes_on(session: PythonSession, code: str) -> None:
    session.run("x = 7")
    result = session.run(code)
    assert result.status in ("error", "blocked", "memory", "timeout", "killed")
    assert result.error
    if not result.restarted:
        assert session.run("print(x)").text == "7"


def test_every_text_encodes_as_utf8(session: PythonSession) -> None:
    result = session.run("print('π ' + chr(0xD800))")
    assert result.text.encode("utf-8")
    assert session.run("raise ValueError(chr(0xDFFF))").text.encode("utf-8")


@pytest.mark.slow
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.one_of(st.text(), st.text("()[]{}:=+-*'\"\\\n\t 0aexfi.,#@"), st.binary().map(repr)))
def test_any_text_gives_a_result(session: PythonSession, code: str) -> None:
    result = session.run(code)
    assert result.text.encode("utf-8")
    assert result.status in ("ok", "error", "blocked", "memory", "timeout")


@has_libraries
def test_naming_a_library_later_keeps_the_variables(session: PythonSession) -> None:
    session.run("import random\nx = random.random()\nprint('said once')")
    before = session.run("print(x)").text
    session.run("raise ValueError")
    result = session.run("import numpy as np\nprint(x, np.arange(3).sum())")
    assert result.text == f"{before} 3"
    assert session.run("import sympy\nprint(x, sympy.sqrt(8))").text == f"{before} 2*sqrt(2)"


@has_libraries
def test_a_library_after_a_timeout_starts_over_and_says_so(session: PythonSession) -> None:
    session.run("x = 1")
    assert session.run("while True: pass").status == "timeout"
    assert session.run("print(x)").text == "1"
    result = session.run("import numpy\nprint('x' in dir())")
    assert result.restarted
    assert result.text == "False\nThe interpreter was restarted and all variables are lost."
    assert not session.run("print(1)").restarted


@has_libraries
def test_a_snippet_that_ends_otherwise_when_run_again_starts_over(session: PythonSession) -> None:
    # Its first end depends on the clock, which a replay cannot bring back.
    session.run("import time\nstarted = time.time()")
    assert session.run("assert time.time() < started + 0.3\nx = 1").status == "ok"
    assert session.run("t = 0\nwhile time.time() < started + 0.4: t += 1").status == "ok"
    session._state.history = [
        ("import time\nassert time.time() < 0", "ok"),
        ("x = 1", "ok"),
    ]
    result = session.run("import numpy\nprint('x' in dir())")
    assert result.restarted
    assert result.stdout == "False\n"


@has_libraries
def test_the_last_resort_of_a_long_episode_is_to_start_over(session: PythonSession) -> None:
    session.run("x = 1")
    for _ in range(5):
        session.run("#" * 60_000)
    assert session.run("import numpy\nprint('x' in dir())").restarted


def test_prefork_makes_the_first_run_find_its_process(session: PythonSession) -> None:
    session.prefork()
    child = session._state.child
    assert session.run("print(1)").text == "1"
    assert session._state.child is child


def test_a_closed_session_starts_anew(session: PythonSession) -> None:
    with session:
        session.run("x = 1")
    assert "NameError" in session.run("print(x)").text


def test_a_session_refuses_to_be_copied(session: PythonSession) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(session)
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.copy(session)


@pytest.mark.parametrize(
    "arguments",
    [
        {"cpu_limit_s": 0},
        {"wall_limit_s": -1.0},
        {"wall_limit_s": float("inf")},
        {"memory_mb": 0},
        {"output_chars": 0},
        {"cpu_limit_s": float("nan")},
        {"wall_limit_s": 1e9},
        {"memory_mb": 0.5},
        {"output_chars": 10**12},
        {"isolation": "none"},
    ],
)
def test_unusable_arguments_are_refused_at_once(arguments: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        PythonSession(**arguments)  # type: ignore[arg-type]


def test_the_greatest_limits_work() -> None:
    greatest = {"cpu_limit_s": 1e6, "wall_limit_s": 1e6, "memory_mb": 2**30, "output_chars": 10**8}
    with PythonSession(**greatest) as session:  # type: ignore[arg-type]
        assert session.run("print(1)").text == "1"
        assert run_many([(session, "print(2)"), (PythonSession(), "x = 1")])[0].text == "2"


def test_run_many_answers_in_the_order_of_the_jobs() -> None:
    sessions = [PythonSession(seed=i) for i in range(8)]
    codes = [f"s = 0\nfor i in range({100_000 * (8 - i)}): s += 1\nprint({i})" for i in range(8)]
    results = run_many(zip(sessions, codes, strict=True))
    assert [result.text for result in results] == [str(i) for i in range(8)]
    mixed = run_many([(sessions[0], "print(i)"), (sessions[1], None), (sessions[2], "1 / 0")])  # type: ignore[list-item]
    assert [result.status for result in mixed] == ["ok", "error", "error"]
    assert run_many([]) == []


def test_a_session_occurs_once_in_run_many(session: PythonSession) -> None:
    with pytest.raises(ArgumentError, match="one snippet at a time"):
        run_many([(session, "x = 1"), (session, "x = 2")])
    assert session.run("print(1)").text == "1"
