"""LaTeX equality: the answers of MATH-500, and answers made to hang or crash the grader."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.errors import ArgumentError, MissingExtraError, ReactEnvsError
from react_envs.rewards import math, math_process
from react_envs.rewards.math import (
    MathReason,
    compare_math,
    final_expression,
    math_equal,
    math_match,
)
from react_envs.rewards.numeric import same_number

pytest.importorskip("math_verify")

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("REACT_ENVS_DATA", ROOT.parent / "shared" / "data")).resolve()


def math500() -> list[dict[str, str]]:
    file = DATA / "math500" / "test.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is absent; set REACT_ENVS_DATA")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# --- MATH-500 ----------------------------------------------------------------------------


def test_every_math500_answer_equals_itself() -> None:
    answers = [row["answer"] for row in math500()]
    assert len(answers) == 500
    assert [a for a in answers if math_equal(a, a) != 1.0] == []


def test_every_math500_answer_is_found_in_its_official_solution() -> None:
    missed = [r["answer"] for r in math500() if math_equal(r["solution"], r["answer"]) != 1.0]
    assert missed == []


def test_what_is_no_number_in_math500_is_read_by_the_symbolic_stage() -> None:
    """Text equality would hide it if math-verify could not read a gold answer."""
    symbolic = [
        row["answer"] for row in math500() if same_number(row["answer"], row["answer"]) is None
    ]
    assert len(symbolic) == 99
    replies = {answer: math_process.compare_in_worker(answer, answer, 5.0) for answer in symbolic}
    assert {answer: reply for answer, reply in replies.items() if reply != "equal"} == {}


def test_no_math500_answer_equals_the_next_one() -> None:
    answers = [row["answer"] for row in math500()]
    taken = [
        (answer, gold)
        for gold, answer in zip(answers, answers[1:] + answers[:1], strict=True)
        if answer != gold and math_equal(answer, gold)
    ]
    # "x=5" is followed by "5": the one pair of equal answers in different words.
    assert taken == [] or taken == [("5", "x=5")] or taken == [("x=5", "5")]


# --- Equal and different -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "gold"),
    [
        (r"\boxed{\frac{14}{3}}", r"\dfrac{14}{3}"),
        ("14/3", r"\frac{14}{3}"),
        ("x = 5", "5"),
        ("5", "x=5"),
        ("90", r"90^\circ"),
        ("$32,348", r"\$32,\!348"),
        (r"\boxed{\$36}", r"\$36"),
        ("18.9", r"\$18.90"),
        ("15", r"15\mbox{ cm}^2"),
        (r"50\%", "0.5"),
        (r"(3,\pi/2)", r"\left( 3, \frac{\pi}{2} \right)"),
        ("(3, π/2)", r"\left( 3, \frac{\pi}{2} \right)"),
        ("3√13", r"3\sqrt{13}"),
        (r"\sqrt{117}", r"3\sqrt{13}"),
        ("2*sqrt(5)", r"2\sqrt{5}"),
        ("x**2 + 2*x + 1", "(x+1)^2"),
        ("[-2,7]", r"x \in [-2,7]"),
        ("-2, 1", "1,-2"),
        (r"2 \text{ and } 1", "1,2"),
        (r"1+\sqrt{19}, 1-\sqrt{19}", r"1 \pm \sqrt{19}"),
        ("2x+3", "y = 2x + 3"),
        ("10x-14y+22z+8=0", "5x - 7y + 11z + 4 = 0"),
        (r"(-∞,2)∪(3,∞)", r"(-\infty, 2) \cup (3, \infty)"),
        ("9i+6", "6+9i"),
        (r"\begin{bmatrix}-2\\-14\end{bmatrix}", r"\begin{pmatrix} -2 \\ -14 \end{pmatrix}"),
        ("52_{8}", "52_8"),
        ("52", "52_8"),
        ("evelyn", r"\text{Evelyn}"),
        ("**C**", r"\text{(C)}"),
        (r"\text{(C)}", r"\text{(C)}"),
        (r"The answer is $\frac{\pi}{2}$.", r"\frac{\pi}{2}"),
        (r"So the answer is: \(2\sqrt{5}\)", r"2\sqrt{5}"),
        ("**Answer:** 5", "5"),
        ("1.414214", r"\sqrt{2}"),
    ],
)
def test_equal(prediction: str, gold: str) -> None:
    assert compare_math(prediction, gold).score == 1.0


@pytest.mark.parametrize(
    ("prediction", "gold"),
    [
        ("1/3", "-1/3"),
        ("0.333333", r"\frac{1}{3}"),
        ("y = 5", "x=5"),
        ("52_9", "52_8"),
        ("42", "52_8"),
        ("(1,2)", "[1,2]"),
        ("(2,1)", "(1,2)"),
        ("3,5", "3, 5, 7"),
        (r"1+\sqrt{19}", r"1 \pm \sqrt{19}"),
        ("p-q", "q-p"),
        ("x+2", "x+1"),
        ("1.41421", r"\sqrt{2}"),
        (r"It is not $\pi$", r"\pi"),
        ("4 or 5", "5"),
        ("5 or 4", "5"),
        ("not 5", "5"),
        ("5 eggs, $3$ each", "3"),
        ("2ab", "2"),
        ("odd", r"\text{even}"),
        ("B or C", r"\text{(C)}"),
        (r"\boxed{6} and not \boxed{7}", "6"),
        ("", "5"),
        ("$", "5"),
        ("\0\ud800", "5"),
        (r"\frac{", "5"),
    ],
)
def test_different(prediction: str, gold: str) -> None:
    assert compare_math(prediction, gold).score == 0.0


def test_the_verdict_names_the_stage_that_decided() -> None:
    assert compare_math(r"\dfrac{1}{2}", r"\frac{1}{2}") == (1.0, MathReason.TEXT)
    assert compare_math("0.5", r"\frac{1}{2}") == (1.0, MathReason.NUMBER)
    assert compare_math("x+x", "2x") == (1.0, MathReason.SYMBOLIC)
    assert compare_math(r"\frac{", "2x") == (0.0, MathReason.UNREADABLE)
    assert compare_math("x+" * 600 + "x", "2x") == (0.0, MathReason.TOO_LONG)


def test_the_best_target_counts() -> None:
    assert math_match("2x", ["3x", "x+x"]) == 1.0
    assert math_match("2x", []) == 0.0


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        (r"\boxed{x} and \boxed{y}", "y"),
        ("The answer is $x$, I think.", "x"),
        (r"We get \[ x+1 \]", "x+1"),
        ("$x$ and $y$", "x and y"),
        (r"costs \$5", "costs 5"),
        ("  **x**. ", "x"),
    ],
)
def test_final_expression(text: str, expression: str) -> None:
    assert final_expression(text) == expression


@pytest.mark.parametrize("gold", ["", "  ", "x" * 2000])
def test_an_unusable_gold_answer_is_refused(gold: str) -> None:
    with pytest.raises(ArgumentError, match="gold answer"):
        math_equal("5", gold)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf")])
def test_an_unusable_time_limit_is_refused(timeout_s: float) -> None:
    with pytest.raises(ArgumentError, match="timeout_s"):
        math_equal("x", "y", timeout_s=timeout_s)


def test_one_string_as_targets_is_refused() -> None:
    with pytest.raises(ArgumentError, match="sequence of answers"):
        math_match("5", "5")


def test_without_math_verify_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_verify", None)
    math._require_math_verify.cache_clear()
    with pytest.raises(MissingExtraError, match=r"react-envs\[math\]"):
        math_equal("5", "5")
    monkeypatch.undo()
    assert math_equal("5", "5") == 1.0


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("0123456789xyπ+-*/^_{}()[]$\\,.= \n\0\ud800√") | st.characters()))
def test_no_text_raises(text: str) -> None:
    verdict = compare_math(text, r"\sqrt{7}+y", timeout_s=0.5)
    assert verdict.score in (0.0, 1.0)


def test_a_megabyte_of_answer_is_cheap() -> None:
    started = time.process_time()
    for pattern in (r"\boxed{", "$x", r"\(", "answer is ", "{", "x+"):
        assert math_equal(pattern * (1_000_000 // len(pattern)), "2x") == 0.0
    assert time.process_time() - started < 5


# --- Answers that are attacks ------------------------------------------------------------


@pytest.mark.parametrize(
    "attack",
    [
        r"9^{9^{9^9}}",
        r"10^{10^{10}}",
        "1000000!",
        "(x+1)^{10000}",
        "(x+y+z+w)^{300}",
        r"(1+\sqrt{2})^{99999999}",
        r"\sum_{n=1}^{10^9} \frac{1}{n}",
    ],
)
def test_an_endless_computation_ends_in_time(attack: str) -> None:
    started = time.monotonic()
    verdict = compare_math(attack, r"x^2+\sqrt{2}", timeout_s=0.3)
    assert verdict == (0.0, MathReason.TIMEOUT)
    assert time.monotonic() - started < 15
    assert compare_math("x+x", "2x") == (1.0, MathReason.SYMBOLIC)  # a new worker serves


@pytest.mark.parametrize("attack", [r"\sqrt{" * 120 + "2" + "}" * 120, "(" * 400, "x^{" * 200])
def test_deep_nesting_is_survived(attack: str) -> None:
    assert compare_math(attack, "2x", timeout_s=1.0).score == 0.0
    assert math_equal("x+x", "2x") == 1.0


@pytest.fixture
def fake_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A pool of its own, whose workers run the program that the test writes to this path."""
    file = tmp_path / "worker.py"
    monkeypatch.setattr(math_process, "_WORKER_FILE", file)
    pool = math_process._Pool()
    monkeypatch.setattr(math_process, "_pool", pool)
    yield file
    pool.close()


def write_worker(file: Path, on_request: str) -> None:
    file.write_text(
        "import os, sys, time\nprint('ready', flush=True)\n"
        f"for line in sys.stdin:\n{textwrap.indent(on_request, '    ')}\n"
    )


def test_running_out_of_memory_is_reported_and_the_worker_replaced(fake_worker: Path) -> None:
    write_worker(fake_worker, "print('memory', flush=True)")
    assert compare_math("x+x", "2x") == (0.0, MathReason.MEMORY)
    write_worker(fake_worker, "print('equal', flush=True)")
    assert compare_math("x+x", "2x") == (1.0, MathReason.SYMBOLIC)


def test_a_worker_that_dies_is_reported_and_replaced(fake_worker: Path) -> None:
    write_worker(fake_worker, "os._exit(3)")
    assert compare_math("x+x", "2x") == (0.0, MathReason.CRASHED)
    write_worker(fake_worker, "print('equal', flush=True)")
    assert compare_math("x+x", "2x") == (1.0, MathReason.SYMBOLIC)


def test_a_worker_that_sleeps_runs_into_the_wall_clock(fake_worker: Path) -> None:
    write_worker(fake_worker, "time.sleep(600)")
    started = time.monotonic()
    assert compare_math("x+x", "2x", timeout_s=0.1) == (0.0, MathReason.TIMEOUT)
    assert time.monotonic() - started < 10


def test_a_worker_that_died_between_two_comparisons_costs_none(fake_worker: Path) -> None:
    write_worker(fake_worker, "print('equal', flush=True)")
    assert math_equal("x+x", "2x") == 1.0
    (worker,) = math_process._pool.workers
    worker.process.kill()
    worker.process.wait()
    assert math_equal("x+x", "2x") == 1.0


def test_a_worker_that_cannot_start_is_an_error_not_a_score(fake_worker: Path) -> None:
    fake_worker.write_text("raise SystemExit(7)")
    with pytest.raises(ReactEnvsError, match="exit status 7"):
        math_equal("x+x", "2x")
    write_worker(fake_worker, "print('equal', flush=True)")
    assert math_equal("x+x", "2x") == 1.0


def test_an_interrupt_leaves_no_late_reply_for_the_next_caller(
    fake_worker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_worker(fake_worker, "print('equal' if 'x+x' in line else 'different', flush=True)")
    assert math_equal("x+x", "2x") == 1.0

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(math_process._Worker, "_read_line", interrupted)
        with pytest.raises(KeyboardInterrupt):
            math_equal("x+x", "2x")
    assert math_equal("x+y", "2x") == 0.0


@pytest.mark.skipif(sys.platform != "linux", reason="the memory limit is Linux's")
def test_the_memory_limit_holds(tmp_path: Path, fake_worker: Path) -> None:
    real = Path(math_process.__file__).with_name("math_worker.py").read_text()
    greedy = real.replace("MEMORY_BYTES = 2 * 1024**3", "MEMORY_BYTES = 512 * 1024**2").replace(
        "expected, answer = read_expressions(gold), read_expressions(prediction)",
        "bytearray(1024**3)",
    )
    assert greedy.count("bytearray") == 1
    fake_worker.write_text(greedy)
    # The warm-up allocates too, but before the limit is set.
    assert compare_math("x+x", "2x") == (0.0, MathReason.MEMORY)


# --- Life of the workers -----------------------------------------------------------------


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_threads_share_the_workers() -> None:
    pairs = [(f"x+{n}", f"{n}+x", 1.0) for n in range(2, 14)]
    pairs += [(f"x+{n}", f"{n}-x", 0.0) for n in range(2, 14)]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        scores = list(threads.map(lambda pair: math_equal(pair[0], pair[1]), pairs))
    assert scores == [expected for _, _, expected in pairs]
    assert len(math_process._pool.workers) <= math_process.MAX_WORKERS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_trainer_gets_workers_of_its_own() -> None:
    result = run_python(
        """
        import os, sys, threading
        from react_envs.rewards import math_process
        from react_envs.rewards.math import math_equal
        assert math_equal("x+x", "2x") == 1.0
        (mine,) = math_process._pool.workers
        math_process._pool._places.mutex.acquire()  # as if a thread held it at the fork
        child = os.fork()
        if child == 0:
            ok = math_equal("x+x", "2x") == 1.0 and math_equal("x+x", "3x") == 0.0
            (own,) = math_process._pool.workers
            ok = ok and own.process.pid != mine.process.pid
            math_process._pool.close()
            os._exit(0 if ok else 1)
        math_process._pool._places.mutex.release()
        assert os.waitpid(child, 0)[1] == 0
        assert math_equal("x+x+x", "3x") == 1.0
        assert mine.process.poll() is None, "the parent's worker outlives the child"
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_the_interpreter_exits_cleanly_and_takes_the_worker_along() -> None:
    result = run_python(
        """
        from react_envs.rewards import math_process
        from react_envs.rewards.math import math_equal
        assert math_equal("x+x", "2x") == 1.0
        (worker,) = math_process._pool.workers
        print(worker.process.pid)
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert not is_running(int(result.stdout))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_busy_worker_does_not_outlive_a_killed_trainer() -> None:
    trainer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import threading, time\n"
            "from react_envs.rewards import math_process\n"
            "from react_envs.rewards.math import math_equal\n"
            "math_equal('x+x', '2x')\n"
            "(worker,) = math_process._pool.workers\n"
            "threading.Timer(0.5, lambda: print(worker.process.pid, flush=True)).start()\n"
            "math_equal('(x+1)^{10000}', '2x', timeout_s=2)\n"
            "time.sleep(60)\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert trainer.stdout is not None
    worker = int(trainer.stdout.readline())
    trainer.kill()
    trainer.wait()
    trainer.stdout.close()
    deadline = time.monotonic() + 30
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(worker)


def test_the_worker_sees_none_of_the_trainers_environment() -> None:
    result = run_python(
        """
        import os
        os.environ["API_KEY"] = "secret"
        from react_envs.rewards import math_process
        from react_envs.rewards.math import math_equal
        assert math_equal("x+x", "2x") == 1.0
        (worker,) = math_process._pool.workers
        path = f"/proc/{worker.process.pid}/environ"
        if os.path.exists(path):
            assert b"secret" not in open(path, "rb").read()
        """
    )
    assert result.returncode == 0, result.stderr


def test_importing_the_rewards_loads_neither_sympy_nor_a_worker() -> None:
    result = run_python(
        """
        import sys
        from react_envs.rewards import math_process
        import react_envs.rewards
        assert not {"sympy", "math_verify", "latex2sympy2_extended"} & set(sys.modules)
        assert react_envs.rewards.math_equal("5", "5.0") == 1.0
        assert not math_process._pool.workers
        """
    )
    assert result.returncode == 0, result.stderr


def is_running(pid: int) -> bool:
    """Whether `pid` lives; a zombie that nobody has reaped yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
