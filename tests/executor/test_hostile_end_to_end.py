"""The hostile and the ordinary snippets of shared/data through whole sessions."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from react_envs.executor import ExecutionResult, PythonSession
from react_envs.executor.zygote import Flavour

DATA = Path(os.environ.get("REACT_ENVS_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
SECRET, ENVIRONMENT, LEAK = "CANARY-SECRET-7f3a91", "CANARY-ENV-91bd04", "LEAK-CANARY-55e1"
PORT = 48765


def snippets(name: str) -> list[Any]:
    path = DATA / "executor" / name
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no {path}"))]
    return [pytest.param(snippet, id=snippet["name"]) for snippet in json.loads(path.read_text())]


@dataclass
class Canaries:
    """What a snippet must not reach; each one tells when it was."""

    folder: Path
    callers: list[object] = field(default_factory=list)

    def tripped_by(self, output: str) -> set[str]:
        """Which canaries gave the alarm since the last time, with `output` as what was seen."""
        out = self.folder / "canary_out.txt"
        alarms = {
            "file read": SECRET in output,
            "file write": out.exists(),
            "environment": ENVIRONMENT in output,
            "network": bool(self.callers),
            "forbidden object": LEAK in output,
        }
        out.unlink(missing_ok=True)
        self.callers.clear()
        return {name for name, rings in alarms.items() if rings}

    def place(self, code: str) -> str:
        """`code` with this folder in it."""
        return code.replace("@CANARY_DIR@", str(self.folder))


@pytest.fixture(scope="module")
def canaries() -> Iterator[Canaries]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # so that the rights of its files save nothing
        (folder / "canary_secret.txt").write_text(SECRET)
        yield from armed(Canaries(folder))


def armed(alarm: Canaries) -> Iterator[Canaries]:
    with listener() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARY_ENV", ENVIRONMENT)

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                alarm.callers.append(address)
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield alarm
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def listener() -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_server(("127.0.0.1", PORT))
        except OSError:  # another run of these tests on this machine has it
            time.sleep(0.3)
    pytest.skip(f"port {PORT} is in use")


ALARMS = {
    "file read": 'print(open("@CANARY_DIR@/canary_secret.txt").read())',
    "file write": 'open("@CANARY_DIR@/canary_out.txt", "w").write("x")',
    "environment": 'import os\nprint(os.environ["CANARY_ENV"])',
    "network": 'import socket\nsocket.create_connection(("127.0.0.1", 48765), 2)',
    "forbidden object": 'import os\nprint(os.getpid(), "LEAK-"+"CANARY-"+"55e1")',
}


@pytest.mark.parametrize("name", ALARMS)
def test_each_canary_is_armed(name: str, canaries: Canaries) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"exec({canaries.place(ALARMS[name])!r})"],
        capture_output=True,
        text=True,
        check=True,
    )
    deadline = time.monotonic() + 5
    while not (tripped := canaries.tripped_by(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tripped == {name}


@pytest.mark.parametrize("name", ALARMS)
def test_no_canary_is_tripped_through_a_session(name: str, canaries: Canaries) -> None:
    with PythonSession() as session:
        result = session.run(canaries.place(ALARMS[name]))
    assert result.status == "blocked"
    assert not canaries.tripped_by(result.text)


def run_episodes(session: PythonSession, code: str) -> ExecutionResult:
    """The result of the last of the episodes in `code`."""
    with session:
        for episode in code.split("#---NEXT-EPISODE---\n"):
            session.reset()
            result = session.run(episode)
    return result


@pytest.mark.parametrize("snippet", snippets("hostile_snippets.json"))
def test_a_hostile_snippet_gets_what_it_deserves(
    snippet: dict[str, str], canaries: Canaries
) -> None:
    session = PythonSession(cpu_limit_s=0.5, wall_limit_s=2.0, memory_mb=256)
    result = run_episodes(session, canaries.place(snippet["code"]))
    assert not canaries.tripped_by(result.text), result
    assert result.text.encode("utf-8")
    assert result.wall_s < 2.1
    expected = set(snippet["expectation"].split("|"))
    if "blocked" in expected and "except" in snippet["code"]:
        expected.add("ok")  # it caught the refusal itself
    seen = {result.status, *(["truncated"] if result.truncated else [])}
    assert seen & expected, result


@pytest.mark.skipif(sys.platform != "linux", reason="the rungs are Linux's")
@pytest.mark.parametrize("snippet", snippets("hostile_snippets.json"))
def test_the_operating_system_alone_holds_a_hostile_snippet(
    snippet: dict[str, str], canaries: Canaries
) -> None:
    """Without the policy, forbidden objects are there for the taking, but they are of no use."""
    session = PythonSession(cpu_limit_s=0.3, wall_limit_s=0.6, memory_mb=256)
    plain = Flavour(interpreter="plain_exec:PlainExec")
    session._flavours = (plain, replace(plain, libraries=True))
    result = run_episodes(session, canaries.place(snippet["code"]))
    assert canaries.tripped_by(result.text) <= {"forbidden object"}
    assert result.text.encode("utf-8")
    assert result.wall_s < 0.7


@pytest.mark.parametrize("snippet", snippets("ordinary_snippets.json"))
def test_an_ordinary_snippet_prints_what_python_prints(snippet: dict[str, Any]) -> None:
    in_turns = isinstance(snippet["code"], list)
    with PythonSession() as session:
        results = [
            session.run(turn) for turn in (snippet["code"] if in_turns else [snippet["code"]])
        ]
    printed = [result.stdout for result in results]
    assert printed == (snippet["stdout"] if in_turns else [snippet["stdout"]]), results
    assert all(result.status == "ok" for result in results)
