"""Attacks on the policy alone, with plain rlimits in place of the operating-system layer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from corpora import load_json
from policy_attacks import ATTACKS, OWN_GUARDS, REACHED

REPOSITORY = Path(__file__).parents[2]
SECRETS = ("CANARY-SECRET-7f3a91", "CANARY-ENV-91bd04", "LEAK-CANARY-55e1")
# Loops in C never look at the timer's exception; only the operating-system layer ends them.
NEEDS_KILL = {"deque_repeat_c_loop"}
# They catch the refusal and end well; that no canary trips is what counts.
CAUGHT = {"numpy_load_pickle", "nameerror_suggest_import_path", "sympy_solve_string"}

HOSTILE: list[dict[str, Any]] = load_json("hostile_snippets.json") or []


def in_jail(jobs: list[dict[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    """Run each job of `policy_jail` in a process of its own; results by name."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "policy_jail.py")],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            "CANARY_ENV": SECRETS[1],
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(REPOSITORY),
        },
        timeout=240,
        check=True,
    )
    return {result["name"]: result for result in map(json.loads, done.stdout.splitlines())}


def own_jobs(codes: dict[str, str], policy: bool) -> list[dict[str, Any]]:
    return [{"name": name, "episodes": [code], "policy": policy} for name, code in codes.items()]


@pytest.fixture(scope="module")
def guarded_attacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    jobs = own_jobs({**ATTACKS, **OWN_GUARDS}, policy=True)
    return in_jail(jobs, tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def plain_attacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return in_jail(own_jobs(ATTACKS, policy=False), tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", [*ATTACKS, *OWN_GUARDS])
def test_attack_reaches_nothing(name: str, guarded_attacks: dict[str, dict[str, Any]]) -> None:
    result = guarded_attacks[name]
    assert REACHED not in result["output"]
    assert set(result["statuses"]) <= {"ok", "error", "blocked"}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_succeeds_under_plain_exec(
    name: str, plain_attacks: dict[str, dict[str, Any]]
) -> None:
    assert REACHED in plain_attacks[name]["output"]


class Canaries:
    """The canaries of shared/data/README.md, armed in `folder`."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.folder = folder
        self._listener = listener
        (folder / "canary_secret.txt").write_text(SECRETS[0])

    def jobs(self, policy: bool) -> list[dict[str, Any]]:
        return [
            {
                "name": snippet["name"],
                "episodes": snippet["code"]
                .replace("@CANARY_DIR@", str(self.folder))
                .split("#---NEXT-EPISODE---\n"),
                "policy": policy,
            }
            for snippet in HOSTILE
        ]

    def file_was_written(self) -> bool:
        return (self.folder / "canary_out.txt").exists()

    def was_called(self) -> bool:
        try:
            self._listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def canaries(tmp_path: Path) -> Any:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", 48765))
        except OSError:
            pytest.skip("port 48765 is taken by another test run")
        listener.listen(50)
        listener.setblocking(False)
        yield Canaries(tmp_path, listener)


def tripped(results: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    found = {}
    for name, result in results.items():
        text = result["output"] + "".join(result["errors"])
        secrets = [secret for secret in SECRETS if secret in text]
        if secrets:
            found[name] = secrets
    return found


@pytest.mark.slow
@pytest.mark.skipif(not HOSTILE, reason="shared/data/executor is absent")
def test_no_hostile_snippet_trips_a_canary(canaries: Canaries) -> None:
    pytest.importorskip("sympy")
    results = in_jail(canaries.jobs(policy=True), canaries.folder)
    assert tripped(results) == {}
    assert not canaries.file_was_written()
    assert not canaries.was_called()
    unexpected = {}
    for snippet in HOSTILE:
        name, result = snippet["name"], results[snippet["name"]]
        got = {*result["statuses"], *(["truncated"] if result["truncated"] else [])}
        if name not in NEEDS_KILL | CAUGHT and not got & set(snippet["expectation"].split("|")):
            unexpected[name] = (snippet["expectation"], result["statuses"], result["errors"])
    assert unexpected == {}


@pytest.mark.skipif(not HOSTILE, reason="shared/data/executor is absent")
def test_canaries_trip_under_plain_exec(canaries: Canaries) -> None:
    read_or_printed = {"open_read", "os_environ", "os_getpid", "format_getattr_builtin"}
    writes, calls = {"open_append_with", "compile_exec"}, {"socket_via_module_chain"}
    wanted = read_or_printed | writes | calls
    jobs = [job for job in canaries.jobs(policy=False) if job["name"] in wanted]
    results = in_jail(jobs, canaries.folder)
    assert {secret for secrets in tripped(results).values() for secret in secrets} == set(SECRETS)
    assert read_or_printed <= tripped(results).keys()
    assert canaries.file_was_written()
    assert canaries.was_called()
