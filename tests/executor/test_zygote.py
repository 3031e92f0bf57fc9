"""Starting a zygote, what its children inherit, and the tables that guard them."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from process_tree import alive, children, descendants, wait_until
from unguarded import NO_RUNG, unguarded_session

from react_envs.executor import PythonSession, seccomp, shut_down
from react_envs.executor.zygote import Flavour, zygote_for

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_the_system_call_numbers_are_the_kernels(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip(f"no {HEADERS[machine]}")
    text = HEADERS[machine].read_text()
    numbers = {
        name: int(number) for name, number in re.findall(r"#define __NR\d*_(\w+)\s+(\d+)", text)
    }
    for name, number in seccomp.SYSCALLS[machine].items():
        assert numbers[name] == number, name


def verdict(machine: str, number: int, architecture: int, argument: int = 0) -> int:
    """What the filter for `machine` returns, by a classic BPF machine of six instructions."""
    memory = {0: number, 4: architecture, 32: argument}
    instructions = seccomp.program(machine)
    accumulator = position = 0
    while True:
        code, if_true, if_false, operand = instructions[position]
        position += 1
        match code:
            case 0x20:
                accumulator = memory[operand]
            case 0x06:
                return operand
            case 0x15:
                position += if_true if accumulator == operand else if_false
            case 0x35:
                position += if_true if accumulator >= operand else if_false
            case 0x45:
                position += if_true if accumulator & operand else if_false
            case _:
                raise AssertionError(code)


ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000


@pytest.mark.parametrize(
    ("machine", "architecture"), [("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)]
)
def test_the_filter_allows_what_is_listed_and_refuses_the_rest(
    machine: str, architecture: int
) -> None:
    listed = set(seccomp.SYSCALLS[machine].values())
    for number in range(600):
        expected = ALLOW if number in listed else REFUSE
        assert verdict(machine, number, architecture) == expected, number
    for name in ("mmap", "mprotect"):
        number = seccomp.SYSCALLS[machine][name]
        assert verdict(machine, number, architecture, argument=3) == ALLOW
        assert verdict(machine, number, architecture, argument=7) == REFUSE
    assert verdict(machine, 0x40000000, architecture) == KILL
    assert verdict(machine, 0x40000001, architecture) == KILL
    other = {0xC000003E, 0xC00000B7, 0x40000003} - {architecture}
    assert {verdict(machine, 1, foreign) for foreign in other} == {KILL}


def test_a_machine_without_a_table_has_no_filter() -> None:
    with pytest.raises(OSError, match="riscv64"):
        seccomp.program("riscv64")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="int 0x80 is x86")
@linux
def test_a_system_call_of_a_foreign_architecture_kills() -> None:
    # mov eax, 20 (getpid on i386); int 0x80; ret: written where code may be, before the filter.
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print(call() > 0)
"""
    with unguarded_session(*NO_RUNG) as session:
        assert session.run(code).text == "True"
    script = f"""
from react_envs.executor import seccomp
from react_envs.executor.linux import prctl
prctl(38, 1)
{code.replace("print(", "seccomp.install(); print(")}
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True)
    assert done.returncode == -31, done.stderr  # SIGSYS


def test_importing_the_executor_starts_nothing_and_stays_light() -> None:
    script = """
import os, sys, time
import react_envs.executor
heavy = {"torch", "transformers", "datasets", "requests", "sympy", "RestrictedPython"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
session = react_envs.executor.PythonSession()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no child")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "no child\n", done.stderr


def test_warming_up_leaves_no_timer_behind() -> None:
    """SIGALRM would end the zygote, unless it is the first process of a PID namespace."""
    script = """
import signal
from react_envs.executor import child
from react_envs.executor.interpreter import Interpreter
child.warm_up(Interpreter)
print([signal.getitimer(timer) for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "[(0.0, 0.0), (0.0, 0.0)]\n", done.stderr


@linux
def test_a_zygote_outside_of_a_namespace_lives_on() -> None:
    with unguarded_session(*NO_RUNG) as session:
        session.run("x = 1")
        time.sleep(2.5)
        assert session.run("print(x)").text == "1"
        session.reset()
        zygote = zygote_for(session._flavours[0])
        assert session.run("print(2)").text == "2"
        assert zygote_for(session._flavours[0]) is zygote


@linux
def test_the_standard_streams_of_the_trainer_stay_its_own() -> None:
    """Even without a rung, a child's output goes nowhere but into its result."""
    script = """
from unguarded import NO_RUNG, unguarded_session
session = unguarded_session(*NO_RUNG)
session.run("import os\\nos.write(1, b'stray')\\nos.write(2, b'stray')\\nprint(os.read(0, 9))")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        input=b"typed",
        check=True,
    )
    assert done.stdout == done.stderr == b""


def test_a_module_beside_the_trainers_script_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise ImportError('not the real one')")
    (tmp_path / "script.py").write_text(
        "import sys\nsys.path.append(sys.path.pop(0))\n"
        "from react_envs.executor import PythonSession\n"
        "sys.path.insert(0, sys.path.pop())\n"
        "print(PythonSession().run('import random\\nprint(random.Random(1).random())').text)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "0.13436424411240122\n", done.stderr


@linux
def test_no_memory_of_a_child_is_both_writable_and_executable() -> None:
    with PythonSession() as session:
        session.run("x = 1")
        assert session._state.child is not None
        for pid in descendants(session._state.child.zygote.pid):
            try:
                maps = Path(f"/proc/{pid}/maps").read_text()
            except PermissionError:
                pytest.skip("only root may look into a process that cannot be dumped")
            assert " rwx" not in maps


@linux
def test_all_sessions_of_a_flavour_share_one_zygote_and_shutdown_ends_it() -> None:
    shut_down()
    mine = set(children(os.getpid()))
    sessions = [PythonSession() for _ in range(3)]
    for session in sessions:
        session.run("x = 1")
    (zygote,) = set(children(os.getpid())) - mine
    family = [zygote, *descendants(zygote)]
    assert zygote == zygote_for(Flavour()).pid
    shut_down()
    assert wait_until(lambda: not any(map(alive, family)))
    assert set(children(os.getpid())) == mine, "no zombie of ours"
    assert sessions[0].run("print(1)").status == "killed"
    assert sessions[0].run("print(1)").text == "1"


def test_a_zygote_that_is_named_as_dead_is_replaced_once() -> None:
    first = zygote_for(Flavour())
    second = zygote_for(Flavour(), instead_of=first)
    assert second is not first
    assert zygote_for(Flavour(), instead_of=first) is second
