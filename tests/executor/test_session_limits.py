"""Time, memory and output: what happens at each limit and just beyond."""

from __future__ import annotations

import sys

import pytest

from react_envs.executor import PythonSession, run_many
from react_envs.executor.output import HeadTail

C_LOOP = "import itertools, collections\ncollections.deque(itertools.repeat(1), maxlen=0)"
"""Never comes back to Python, so only a kill can stop it."""


def test_the_cpu_limit_stops_a_loop_and_keeps_the_variables() -> None:
    with PythonSession(cpu_limit_s=0.2) as session:
        session.run("x = 41")
        result = session.run("x += 1\nprint('started')\nwhile True: pass")
        assert (result.status, result.restarted) == ("timeout", False)
        assert "execution exceeded 0.2 seconds" in result.text
        assert 0.15 < result.cpu_s < 0.4
        assert session.run("print(x)").text == "42"


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    try:\n        while True: pass\n    except: pass",
        "while True:\n    try:\n        while True: pass\n    finally: continue",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
        "def f(): f()\nwhile True:\n    try: f()\n    except RecursionError: pass",
    ],
    ids=["bare-except", "finally", "str-of-error", "recursion"],
)
def test_the_cpu_limit_cannot_be_swallowed(code: str) -> None:
    with PythonSession(cpu_limit_s=0.2, wall_limit_s=3.0) as session:
        session.run("x = 1")
        result = session.run(code)
        assert result.status in ("timeout", "error")
        assert result.wall_s < 2.0
        assert session.run("print(x)").text == "1"


def test_a_destructor_that_swallows_the_cpu_limit_meets_the_wall_limit() -> None:
    code = "class A:\n    def __del__(self):\n        while True: pass\nwhile True: A()"
    with PythonSession(cpu_limit_s=0.2, wall_limit_s=0.6) as session:
        result = session.run(code)
        assert result.status in ("timeout", "blocked")
        assert result.wall_s < 0.7


def test_the_cpu_limit_counts_each_run_anew() -> None:
    with PythonSession(cpu_limit_s=0.5) as session:
        for _ in range(4):
            assert session.run("for i in range(10**6): pass\nprint(1)").status == "ok"


def test_the_wall_limit_kills_what_cannot_be_interrupted() -> None:
    with PythonSession(cpu_limit_s=0.2, wall_limit_s=0.5) as session:
        session.run("x = 1")
        result = session.run(C_LOOP)
        assert (result.status, result.restarted) == ("timeout", True)
        assert result.text == (
            "execution exceeded 0.5 seconds\n"
            "The interpreter was restarted and all variables are lost."
        )
        assert result.wall_s < 0.5 + 0.1
        assert "NameError" in session.run("print(x)").text


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS does not hold elsewhere")
def test_the_memory_limit_is_what_the_snippet_may_take() -> None:
    with PythonSession(memory_mb=200) as session:
        assert session.run("x = bytearray(150 << 20)\nprint(len(x) >> 20)").text == "150"
        result = session.run("y = bytearray(100 << 20)")
        assert (result.status, result.restarted) == ("memory", False)
        assert session.run("x = None\ny = bytearray(100 << 20)\nprint('fits')").text == "fits"


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS does not hold elsewhere")
@pytest.mark.parametrize("chunk", [10, 1000, 10**6])
def test_variables_that_fill_the_memory_cannot_break_the_session(chunk: int) -> None:
    code = f"""
x = []
try:
    while True:
        x.append('a' * {chunk} + str(len(x)))
except MemoryError:
    pass
"""
    with PythonSession(memory_mb=64, cpu_limit_s=4.0) as session:
        result = session.run(code)
        assert result.status in ("ok", "memory", "killed", "timeout")
        session.run("y = [str(i) for i in range(10**6)]")
        session.run("x = y = None")
        assert session.run("print(1)").text.startswith("1")


def test_output_keeps_head_and_tail() -> None:
    with PythonSession(output_chars=100) as session:
        result = session.run("print('a' * 60 + 'b' * 1000 + 'c' * 60)")
        assert result.truncated
        assert result.stdout.startswith("a" * 50 + "\n... [1021 characters cut] ...\n")
        assert result.stdout.endswith("c" * 49 + "\n")
        exact = session.run("print('a' * 99)")
        assert (exact.stdout, exact.truncated) == ("a" * 99 + "\n", False)


def test_a_flood_of_output_costs_the_trainer_nothing() -> None:
    with PythonSession(cpu_limit_s=0.3, output_chars=1000) as session:
        result = session.run("while True: print('flood ' * 100)")
        assert result.status == "timeout"
        assert result.truncated
        assert len(result.stdout) < 1100


def test_a_long_error_and_a_long_value_are_cut() -> None:
    with PythonSession(show_last_value=True) as session:
        assert len(session.run("raise ValueError('x' * 10**6)").text) < 20_000
        assert len(session.run("'x' * 10**6").text) < 20_000


def test_a_slow_session_delays_no_other() -> None:
    slow = PythonSession(cpu_limit_s=0.3, wall_limit_s=1.0)
    quick = [PythonSession() for _ in range(3)]
    results = run_many([(slow, C_LOOP), *((session, "print(1)") for session in quick)])
    assert results[0].status == "timeout"
    assert [result.text for result in results[1:]] == ["1"] * 3
    assert max(result.wall_s for result in results[1:]) < 0.9
    assert results[0].wall_s >= 1.0


class LyingText(str):
    __slots__ = ()

    def __len__(self) -> int:
        return -(10**9)

    def __getitem__(self, index: object) -> str:
        return "lie"

    def __str__(self) -> str:
        return "lie"


def test_a_sink_does_not_ask_a_subclass_of_str_about_itself() -> None:
    sink = HeadTail(10)
    sink.write(LyingText("truth"))
    assert sink.text() == "truth"


@pytest.mark.parametrize("max_chars", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("pieces", [["ab"] * 500, ["x" * 1000], ["", "a", ""], list("abcdefgh")])
def test_a_sink_holds_no_more_than_it_says(max_chars: int, pieces: list[str]) -> None:
    sink = HeadTail(max_chars)
    whole = "".join(pieces)
    for piece in pieces:
        assert sink.write(piece) == len(piece)
    text = sink.text()
    if len(whole) <= max_chars:
        assert (text, sink.truncated) == (whole, False)
    else:
        head, note, tail = text.split("\n")
        assert sink.truncated
        assert note == f"... [{len(whole) - max_chars} characters cut] ..."
        assert whole.startswith(head)
        assert whole.endswith(tail)
        assert len(head) + len(tail) == max_chars


def test_a_sink_keeps_nothing_of_endless_empty_writes() -> None:
    for before in ("", "x" * 20):
        sink = HeadTail(10)
        sink.write(before)
        held = len(sink._head) + len(sink._tail)
        for _ in range(1000):
            sink.write("")
        assert len(sink._head) + len(sink._tail) == held


def test_a_sink_that_was_interrupted_stays_within_its_bound() -> None:
    sink = HeadTail(10)
    sink.write("x" * 9)
    sink._total += 5  # counted, and then the time limit struck
    sink.write("y" * 5)
    assert len(sink.text().replace("\n... [9 characters cut] ...\n", "")) <= 10
