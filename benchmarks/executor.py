"""What a Python tool call costs: this project's executor beside today's alternatives, in one run.

    python benchmarks/executor.py [--quick] [--peers-python PATH] [--output FILE]

`--peers-python` is a Python that has smolagents and gem-llm (`pip install smolagents sympy;
pip install --no-deps gem-llm`, in an environment of its own); without it they are left out. CPU
is that of the caller and of every process below it, reaped ones included. Linux only.

Each design gets the same three snippets. The stateful ones (ours, smolagents) keep one
interpreter for all calls, as within an episode; the others start a process for each call. The
designs take turns of half a second, each in a process of its own that sleeps between its turns,
so that a machine which changes its speed changes it for all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SNIPPETS = {
    "gsm8k": """
eggs_per_day = 16
eaten = 3
baked = 4
sold = eggs_per_day - eaten - baked
price = 2
revenue = sold * price
print(f"Daily revenue: {revenue} dollars")
""",
    "sympy": """
from sympy import symbols, Eq, solve
x, y = symbols("x y")
solution = solve([Eq(x + y, 10), Eq(x - y, 2)], [x, y])
print(solution[x], solution[y])
""",
    "loop": """
total = 0
for i in range(7000):
    if i % 3 == 0 or i % 5 == 0:
        total += i
print(total)
""",
}
ANSWERS = {"gsm8k": "Daily revenue: 18 dollars", "sympy": "6 4", "loop": "11432168"}
C_LOOP = "import itertools, collections\ncollections.deque(itertools.repeat(1), maxlen=0)"

TURN_S = 0.5

Row = dict[str, float]
Walls = list[float]


def processes_below(pid: int) -> list[int]:
    found: list[int] = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            for child in map(int, file.read().split()):
                found += [child, *processes_below(child)]
    return found


def cpu_seconds() -> float:
    """CPU time so far of this process, of those below it and of those that they reaped."""
    ticks = 0
    for pid in (os.getpid(), *processes_below(os.getpid())):
        with open(f"/proc/{pid}/stat") as file:
            ticks += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_mib(pids: list[int]) -> float:
    """Proportional set size of `pids` in MiB."""
    kib = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            kib += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return kib / 1024


def quantile(sorted_values: list[float], q: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(q * len(sorted_values)))]


def take_turn(call: Callable[[str], str], code: str, gap_s: float = 0.0) -> tuple[Walls, float]:
    """Call with `code` for `TURN_S` seconds, once at least: ms of each call, CPU ms of all.

    With a gap between calls, processor caches and clocks cool down as they do in training.
    """
    walls: Walls = []
    started, cpu = time.perf_counter(), cpu_seconds()
    while time.perf_counter() - started < TURN_S or not walls:
        if gap_s:
            time.sleep(gap_s)
        before = time.perf_counter()
        call(code)
        walls.append((time.perf_counter() - before) * 1000)
    return walls, (cpu_seconds() - cpu) * 1000


def row_of(turns: list[tuple[Walls, float]]) -> Row:
    """All turns of a design as one: percentiles in ms, CPU ms per call."""
    walls = sorted(wall for turn, _ in turns for wall in turn)
    row = {f"p{int(q * 100)}": quantile(walls, q) for q in (0.1, 0.5, 0.99)}
    cpu_ms = sum(cpu for _, cpu in turns)
    return {**row, "cpu_ms": cpu_ms / len(walls), "calls": len(walls)}


# --- designs: each returns a function from code to output ---


def python_c() -> Callable[[str], str]:
    def call(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout

    return call


def gem() -> Callable[[str], str]:
    from gem.tools.python_code_tool import PythonCodeTool  # type: ignore[import-not-found]

    tool = PythonCodeTool()
    return lambda code: str(tool.execute_action(f"<python>{code}</python>")[2])


def smolagents() -> Callable[[str], str]:
    from smolagents.local_python_executor import (  # type: ignore[import-not-found]
        LocalPythonExecutor,
    )

    executor = LocalPythonExecutor(additional_authorized_imports=["sympy"])
    executor.send_tools({})
    return lambda code: str(executor(code).logs)


class _Sink:
    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        self.parts.append(text)


def _run_in_process(interpreter: Any, code: str) -> str:
    out = _Sink()
    interpreter.run(code, out, out, 5.0)
    return "".join(out.parts)


def floor() -> Callable[[str], str]:
    """The guarded interpreter in this very process: what no process boundary could beat."""
    from react_envs.executor.interpreter import Interpreter

    interpreter = Interpreter()
    return lambda code: _run_in_process(interpreter, code)


def bare_fork(libraries: bool = False) -> Callable[[str], str]:
    """Fork, run guarded, write to a pipe, exit: the floor of a first call, without lockdown."""
    import gc

    from react_envs.executor import child, preload
    from react_envs.executor.interpreter import Interpreter

    preload.load(libraries)
    child.warm_up(Interpreter)
    gc.collect()
    gc.freeze()

    def call(code: str) -> str:
        read, write = os.pipe()
        if (pid := os.fork()) == 0:
            os.write(write, _run_in_process(Interpreter(), code).encode())
            os._exit(0)
        os.close(write)
        with open(read) as pipe:
            output = pipe.read()
        os.waitpid(pid, 0)
        return output

    return call


def session() -> Callable[[str], str]:
    from react_envs.executor import PythonSession

    python = PythonSession()
    return lambda code: python.run(code).text


def first_call() -> Callable[[str], str]:
    from react_envs.executor import PythonSession

    python = PythonSession()

    def call(code: str) -> str:
        python.reset()
        return python.run(code).text

    return call


SESSION, FIRST = "react-envs, call within an episode", "react-envs, first call of an episode"
FLOOR, FORK = "floor: guarded interpreter in process", "floor: bare fork + run + exit"
APART = ", calls 2 ms apart"
ONE_CORE = ", on one core"
"""Caller and interpreter take turns, so one core is enough for them, and it never goes idle."""
READY = "ready\n"
"""What a worker says when it can take turns."""
OURS = {
    SESSION: session,
    FIRST: first_call,
    FLOOR: floor,
    FORK: bare_fork,
    SESSION + APART: session,
    FLOOR + APART: floor,
    SESSION + ONE_CORE: session,
    FLOOR + ONE_CORE: floor,
}
PEERS = {
    "`python -c` per call": python_c,
    "GEM python tool": gem,
    "smolagents LocalPythonExecutor (in process)": smolagents,
}


class Worker:
    """One design in a fresh process, which works when told to and sleeps otherwise."""

    def __init__(self, python: str, name: str, snippet: str) -> None:
        # GEM runs whatever `python` is on the path; it shall be this one, not a slow shim.
        path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            [python, "-W", "ignore", __file__, "--worker", name, "--snippet", snippet],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PATH": path},
        )
        assert self.process.stdout
        self.ready = self.process.stdout.readline() == READY
        self.turns: list[tuple[Walls, float]] = []

    def take_turn(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        walls, cpu_ms = json.loads(self.process.stdout.readline())
        self.turns.append((walls, cpu_ms))

    def stop(self) -> None:
        self.process.communicate()


def work(name: str, snippet: str) -> None:
    """What a `Worker` runs: a turn for each line of standard input."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what a design prints is no answer
    sys.path.insert(0, str(Path(__file__).parents[1]))
    if name == FORK:
        _be_as_small_as_a_zygote()
    if name.endswith(ONE_CORE):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # its zygote inherits it
    gap_s = 0.002 if name.endswith(APART) else 0.0
    design = {**OURS, **PEERS}[name]
    call = bare_fork(libraries=snippet == "sympy") if name == FORK else design()
    for _ in range(3):
        output = call(SNIPPETS[snippet])
        assert ANSWERS[snippet] in output, output
    print(READY, end="", file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(take_turn(call, SNIPPETS[snippet], gap_s)), file=answers, flush=True)


def _be_as_small_as_a_zygote() -> None:
    """Import no more than a zygote does, since the cost of a fork grows with the memory."""
    from types import ModuleType

    root = Path(__file__).parents[1] / "react_envs"
    for name, path in (("react_envs", root), ("react_envs.executor", root / "executor")):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(path)]


def throughput(budget_s: float, width: int = 16) -> float:
    """Calls per second of one driver that keeps `width` sessions busy."""
    from react_envs.executor import PythonSession, run_many

    sessions = [PythonSession() for _ in range(width)]
    jobs = [(python, SNIPPETS["gsm8k"]) for python in sessions]
    run_many(jobs)
    calls, started = 0, time.perf_counter()
    while time.perf_counter() - started < budget_s:
        run_many(jobs)
        calls += width
    return calls / (time.perf_counter() - started)


def throughput_of(drivers: int, budget_s: float) -> float:
    command = [sys.executable, __file__, "--worker", "throughput", "--budget", str(budget_s)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(drivers)]
    return sum(float(driver.communicate()[0]) for driver in running)


def memory() -> dict[int, float]:
    """MiB of PSS that each session adds, after one snippet, by the number of sessions."""
    from react_envs.executor import PythonSession, run_many, shut_down

    shut_down()
    probe = PythonSession()
    probe.prefork()
    probe.close()
    time.sleep(0.2)
    empty = pss_mib(processes_below(os.getpid()))
    added = {}
    sessions: list[PythonSession] = []
    for count in (1, 64, 512):
        sessions += [PythonSession(wall_limit_s=60) for _ in range(count - len(sessions))]
        run_many([(python, SNIPPETS["gsm8k"]) for python in sessions])
        added[count] = (pss_mib(processes_below(os.getpid())) - empty) / count
    for python in sessions:
        python.close()
    return added


def kill_latency(repetitions: int) -> list[float]:
    """Milliseconds past the wall limit at which the caller has its result, sorted."""
    from react_envs.executor import PythonSession

    limit = 0.2
    python = PythonSession(wall_limit_s=limit)
    return sorted((python.run(C_LOOP).wall_s - limit) * 1000 for _ in range(repetitions))


def calls(snippet: str, peers_python: str | None, turns: int) -> dict[tuple[str, str], Row]:
    """Every design that can run here, in turns, each in an order of its own."""
    workers: dict[str, Worker] = {}
    for name in (*OURS, *PEERS):
        if name.endswith((APART, ONE_CORE)) and snippet != "gsm8k":
            continue
        python = peers_python if name in PEERS and peers_python else sys.executable
        worker = Worker(python, name, snippet)
        if worker.ready:
            workers[name] = worker
        else:
            worker.stop()
            print(f"{name} cannot run {snippet} here; it is left out", file=sys.stderr)
    shuffle = random.Random(0).shuffle
    for _ in range(turns):
        order = list(workers.values())
        shuffle(order)
        for worker in order:
            worker.take_turn()
    for worker in workers.values():
        worker.stop()
    return {(name, snippet): row_of(worker.turns) for name, worker in workers.items()}


def compile_ratio(rounds: int = 300) -> float:
    """Median time of our compile over that of parse and compile, all snippets, in turns."""
    import ast

    from react_envs.executor.policy import compile_snippet

    ours: list[float] = []
    plain: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        for code in SNIPPETS.values():
            compile(ast.parse(code), "<snippet>", "exec")
        between = time.perf_counter()
        for code in SNIPPETS.values():
            compile_snippet(code, "<snippet>")
        plain.append(between - started)
        ours.append(time.perf_counter() - between)
    return statistics.median(ours) / statistics.median(plain)


def report(quick: bool, peers_python: str | None) -> str:
    budget_s = 0.5 if quick else 4.0
    rows: dict[tuple[str, str], Row] = {}
    for snippet in SNIPPETS:
        rows |= calls(snippet, peers_python, turns=2 if quick else 10)
    lines = [settings(quick), "", *calls_table(rows), "", *targets(rows, budget_s, quick)]
    return "\n".join(lines)


def settings(quick: bool) -> str:
    from react_envs.executor import PythonSession

    with open("/proc/cpuinfo") as file:
        cpu = next((line for line in file if line.startswith("model name")), "?: ?")
    return (
        f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} cores "
        f"({cpu.partition(':')[2].strip()}), isolation `{PythonSession().isolation['level']}`"
        f"{', quick run' if quick else ''}, {time.strftime('%Y-%m-%d')}."
    )


def calls_table(rows: dict[tuple[str, str], Row]) -> list[str]:
    lines = [
        "| design | snippet | CPU ms/call | p10 ms | p50 ms | p99 ms | calls |",
        "|---|---|---|---|---|---|---|",
    ]
    for (name, snippet), row in rows.items():
        numbers = (f"{row[key]:.3g}" for key in ("cpu_ms", "p10", "p50", "p99"))
        lines.append(f"| {name} | {snippet} | {' | '.join(numbers)} | {row['calls']:.0f} |")
    return lines


def targets(rows: dict[tuple[str, str], Row], budget_s: float, quick: bool) -> list[str]:
    def ratio(above: str, below: str, snippet: str, key: str) -> str:
        if (above, snippet) not in rows or (below, snippet) not in rows:
            return "not measured"
        return f"{rows[above, snippet][key] / rows[below, snippet][key]:.3g}x"

    one, two = throughput_of(1, budget_s), throughput_of(2, budget_s)
    added = memory()
    late = kill_latency(5 if quick else 30)
    return [
        "| figure | value | target |",
        "|---|---|---|",
        f"| CPU: GEM / ours, gsm8k | {ratio('GEM python tool', SESSION, 'gsm8k', 'cpu_ms')} "
        "| >= 50x |",
        f"| the same, ours on one core "
        f"| {ratio('GEM python tool', SESSION + ONE_CORE, 'gsm8k', 'cpu_ms')} | - |",
        f"| CPU: GEM / ours, sympy | {ratio('GEM python tool', SESSION, 'sympy', 'cpu_ms')} "
        "| >= 150x |",
        f"| CPU: GEM / ours, loop | {ratio('GEM python tool', SESSION, 'loop', 'cpu_ms')} | - |",
        f"| p50: ours / guarded floor, gsm8k | {ratio(SESSION, FLOOR, 'gsm8k', 'p50')} | <= 2x |",
        f"| the same, calls 2 ms apart | {ratio(SESSION + APART, FLOOR + APART, 'gsm8k', 'p50')} "
        "| - |",
        f"| the same, on one core | {ratio(SESSION + ONE_CORE, FLOOR + ONE_CORE, 'gsm8k', 'p50')} "
        "| - |",
        f"| p50: first call / bare fork, gsm8k | {ratio(FIRST, FORK, 'gsm8k', 'p50')} | <= 1.25x |",
        f"| CPU: first call / bare fork, gsm8k | {ratio(FIRST, FORK, 'gsm8k', 'cpu_ms')} | - |",
        f"| policy compile / parse + compile | {compile_ratio():.3g}x | <= 1.5x |",
        f"| calls/s, 1 driver with 16 sessions | {one:.0f} | - |",
        f"| calls/s, 2 drivers with 16 sessions each | {two:.0f} | - |",
        *(
            f"| PSS added per session at {count} | {mib:.2f} MiB "
            f"| {'<= 3 MiB' if count == 512 else '-'} |"
            for count, mib in added.items()
        ),
        f"| kill latency p50 | {quantile(late, 0.5):.1f} ms | - |",
        f"| kill latency max of {len(late)} | {late[-1]:.1f} ms | <= 100 ms |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="about a minute, noisier")
    parser.add_argument("--peers-python", help="Python that has smolagents and gem-llm")
    parser.add_argument("--output", type=Path, help="also write the report to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--snippet", help=argparse.SUPPRESS)
    parser.add_argument("--budget", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    if arguments.worker == "throughput":
        print(throughput(arguments.budget))
    elif arguments.worker:
        work(arguments.worker, arguments.snippet)
    else:
        text = report(arguments.quick, arguments.peers_python)
        print(text)
        if arguments.output:
            arguments.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
