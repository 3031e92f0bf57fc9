"""Each rung of the operating-system ladder alone, with no language policy in the way.

Every attack prints REACHED when it works. On no rung at all each one does (otherwise a denial
would prove nothing); the table says which rungs deny it.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from unguarded import NO_RUNG, unguarded_session

from react_envs.errors import ExecutorError
from react_envs.executor import ExecutionResult, PythonSession, lockdown, seccomp
from react_envs.executor.zygote import Flavour, zygote_for

linux = pytest.mark.skipif(sys.platform != "linux", reason="the rungs are Linux's")
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")

SECRET = "CANARY-SECRET-7f3a91"


ATTACKS = {
    "read a file": 'reached(open("{folder}/secret.txt").read())',
    "write a file": """
        with open("{folder}/out.txt", "w") as file:
            file.write("x")
        reached()""",
    "see that a file exists": 'os.stat("{folder}/secret.txt"); reached()',
    "list a folder": 'reached(os.listdir("{folder}"))',
    "connect over TCP": 'socket.create_connection(("127.0.0.1", {port}), 2); reached()',
    "open a socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM); reached()",
    "fork": """
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        reached()""",
    "start a thread": """
        import _thread
        _thread.start_new_thread(lambda: None, ())
        reached()""",
    "execute a program": """
        # exec replaces this very process, so that only the lost connection could tell.
        os.execve("{folder}/touch", ["touch", "{folder}/out.txt"], {{}})""",
    "signal the trainer": "os.kill({trainer}, 0); reached()",
    "signal the zygote": "os.kill(os.getppid(), 0); reached()",
    "become root": "os.setuid(0); reached()",
    "duplicate a descriptor": "os.dup(3); reached()",
    "trace itself": """
        import ctypes
        ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0 and reached()""",
    "map executable memory": """
        import ctypes
        libc = ctypes.CDLL(None)
        libc.mmap.restype = ctypes.c_long
        page = libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, ctypes.c_long(0))
        page != -1 and reached()""",
    "lift its limits": """
        import resource
        resource.setrlimit(resource.RLIMIT_NPROC, (9, 9))
        reached()""",
    "enter a user namespace": """
        import ctypes
        ctypes.CDLL(None).unshare(0x10000000) == 0 and reached()""",
}


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
        folder = Path(name)
        folder.chmod(0o777)  # so that the rights of its files save nothing
        (folder / "secret.txt").write_text(SECRET)
        (folder / "touch").write_text('#!/bin/sh\necho x > "$1"\n')
        (folder / "touch").chmod(0o755)
        port = listener.getsockname()[1]
        yield {"folder": folder, "port": port, "trainer": os.getpid()}


def attack(session: PythonSession, name: str, places: dict[str, object]) -> ExecutionResult:
    body = textwrap.dedent(ATTACKS[name]).format(**places)
    return session.run("import os, socket\ndef reached(*what): print('REACHED', *what)\n" + body)


def succeeds(session: PythonSession, name: str, places: dict[str, object]) -> bool:
    written = Path(str(places["folder"])) / "out.txt"
    written.unlink(missing_ok=True)
    result = attack(session, name, places)
    assert result.status in ("ok", "error", "killed"), result
    return "REACHED" in result.stdout or written.exists()


@linux
@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_works_on_no_rung(name: str, places: dict[str, object]) -> None:
    if name == "become root" and os.geteuid() != 0:
        pytest.skip("only root can")
    with unguarded_session(*NO_RUNG) as session:
        assert session.isolation["level"] == "policy"
        assert succeeds(session, name, places)


@linux
@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_works_on_the_whole_ladder(name: str, places: dict[str, object]) -> None:
    with unguarded_session() as session:
        assert not succeeds(session, name, places)


DENIED = {
    ("seccomp",): set(ATTACKS),
    ("landlock",): {
        "read a file",
        "write a file",
        "list a folder",
        "connect over TCP",
        "execute a program",
        "signal the trainer",
    },
    ("namespaces",): {"connect over TCP", "signal the trainer"},
    ("namespaces", "empty_root"): {
        "read a file",
        "write a file",
        "see that a file exists",
        "list a folder",
        "connect over TCP",
        "execute a program",
        "signal the trainer",
    },
    ("rlimits",): {
        "read a file",
        "write a file",
        "list a folder",
        "connect over TCP",
        "open a socket",
        "duplicate a descriptor",
    },
    ("unprivileged", "rlimits"): {"fork", "start a thread", "lift its limits"},
    ("unprivileged",): {"signal the trainer", "become root"},
}


@linux
@pytest.mark.parametrize(
    ("rungs", "name"),
    [(rungs, name) for rungs, names in DENIED.items() for name in sorted(names)],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else value,
)
def test_each_rung_alone_denies(
    rungs: tuple[str, ...], name: str, places: dict[str, object]
) -> None:
    with unguarded_session(*rungs) as session:
        missing = [rung for rung in rungs if not session.isolation[rung]]
        if missing:
            pytest.skip(f"this system does not offer {missing}")
        assert not succeeds(session, name, places)


def test_the_environment_of_the_trainer_does_not_reach_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY_ENV", "CANARY-ENV-91bd04")
    with unguarded_session(*NO_RUNG) as session:
        result = session.run(
            "import os\nprint(dict(os.environ))\nprint(open('/proc/self/environ').read())"
        )
    assert result.stdout.startswith("{}\n")
    assert "CANARY" not in result.stdout


@linux
def test_a_child_holds_no_descriptor_but_its_own() -> None:
    keepsake = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(keepsake, True)
    try:
        with unguarded_session(*NO_RUNG, wall_limit_s=20.0) as session:
            result = session.run("import os\nprint(sorted(os.listdir('/proc/self/fd')))")
    finally:
        os.close(keepsake)
    # 0 to 2 are /dev/null, 3 is the session's socket, 4 is the listing itself.
    assert result.stdout == "['0', '1', '2', '3', '4']\n"


SWEEP = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def refused(number):
    ctypes.set_errno(0)
    return libc.syscall(number, 0, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1
print([number for number in {numbers} if not refused(number)])
"""


@linux
def test_every_system_call_off_the_list_is_refused() -> None:
    listed = set(seccomp.SYSCALLS[platform.machine()].values())
    # The kernel lets the two system calls of its own probes pass every filter; elsewhere than in
    # a probe they do nothing, or kill (Linux 6.14, `__secure_computing`).
    probes = {335, 336} if platform.machine() == "x86_64" else set()
    with unguarded_session() as session:
        numbers = sorted(set(range(480)) - listed - probes)
        assert session.run(SWEEP.format(numbers=numbers)).text == "[]"
    with unguarded_session(*NO_RUNG) as session:
        numbers = [seccomp.SYSCALLS[platform.machine()]["getpid"]]
        assert session.run(SWEEP.format(numbers=numbers)).text == str(numbers)


@linux
def test_strict_isolation_refuses_to_run_without_the_system_call_filter() -> None:
    session = PythonSession(isolation="strict")
    lax = Flavour(only=("rlimits", "landlock"))
    session._flavours = (lax, lax)
    with pytest.raises(ExecutorError, match="system-call filter"):
        session.run("print(1)")
    with PythonSession(isolation="strict") as session:
        assert session.run("print(1)").text == "1"


@linux
@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (NO_RUNG, "policy"),
        (("landlock",), "policy"),
        (("rlimits",), "rlimits"),
        (("rlimits", "seccomp"), "seccomp"),
        (lockdown.RUNGS, "full"),
    ],
)
def test_the_level_names_what_is_in_force(only: tuple[str, ...], expected: str) -> None:
    rungs = zygote_for(Flavour(only=only)).rungs
    missing = [rung for rung in only if rung in lockdown.RUNGS and not rungs[rung]]
    if missing:
        pytest.skip(f"this system does not offer {missing}")
    assert {rung for rung, holds in rungs.items() if holds} == set(only) & set(lockdown.RUNGS)
    assert lockdown.level(rungs) == expected


def readable_by_everyone(path: str) -> bool:
    return all(os.stat(folder).st_mode & 0o001 for folder in Path(path).resolve().parents)


@linux
@root
@pytest.mark.skipif(
    not readable_by_everyone(os.__file__) or not readable_by_everyone(pytest.__file__),
    reason="this Python's files are for root alone",
)
def test_an_ordinary_user_climbs_the_ladder_through_a_user_namespace() -> None:
    script = """
import os
os.setgroups([]); os.setgid(1000); os.setuid(1000)
from react_envs.executor import PythonSession
session = PythonSession()
print(session.isolation["seccomp"], session.run("print(6 * 7)").text)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stdout == "True 42\n", done.stderr
