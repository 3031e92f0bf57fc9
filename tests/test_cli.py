"""The command: what it prints, writes and returns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from react_envs.agents.policies import POLICIES
from react_envs.cli import AGENTS, main

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_list_names_every_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert "ReactGSM8K-v0" in printed
    assert "openai/gsm8k" in printed


def test_help_names_every_agent() -> None:
    assert ", ".join(POLICIES) == AGENTS


def test_a_retrieval_server_starts_without_the_environments() -> None:
    code = """
import sys, react_envs.cli, react_envs.retrieval.server
print(sorted({"react_envs.agents", "react_envs.evaluation", "react_envs.tasks"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_demo_prints_an_episode_that_the_oracle_solves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--index", "3"]) == 0
    printed = capsys.readouterr().out
    assert "Observation:" in printed
    assert "reward: 1" in printed
    assert "stop: answer" in printed


@pytest.mark.parametrize("dialect", ["react", "hermes"])
def test_eval_writes_results_and_a_summary(tmp_path: Path, dialect: str) -> None:
    out = tmp_path / "run"
    arguments = ["eval", "ReactGSM8K-v0", "--n", "6", "--out", str(out), "--dialect", dialect]
    assert main(arguments) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["score"], summary["episodes"], summary["errors"]) == (1.0, 6, 0)
    assert summary["settings"]["env"]["dialect"] == dialect
    assert summary["settings"]["seed"] == 0
    lines = (out / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == list(range(6))


def test_eval_on_the_published_test_set(tmp_path: Path, data: Path) -> None:
    out = tmp_path / "run"
    arguments = ["eval", "ReactGSM8K-v0", "--split", "test", "--start", "10", "--n", "5"]
    assert main([*arguments, "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["dataset"], summary["split"], summary["score"]) == ("gsm8k", "test", 1.0)


def test_replaying_recorded_results_gives_the_same_episodes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    common = ["eval", "ReactGSM8K-v0", "--n", "4"]
    assert main([*common, "--out", str(first)]) == 0
    path = json.dumps({"path": str(first / "results.jsonl")})
    replay = ["--agent", "replay", "--agent-args", path]
    assert main([*common, *replay, "--out", str(second)]) == 0
    one, two = (
        [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
        for folder in (first, second)
    )
    assert [r["answer"] for r in one] == [r["answer"] for r in two]
    assert [t["kept"] for r in one for t in r["trace"]] == [
        t["kept"] for r in two for t in r["trace"]
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["eval", "ReactGSM8K-v0", "--agent", "oracel", "--out", "x"], "unknown agent 'oracel'"),
        (["eval", "ReactGSM9K-v0", "--out", "x"], "ReactGSM8K"),
        (["eval", "ReactGSM8K-v0", "--dialect", "xml", "--out", "x"], "unknown dialect 'xml'"),
        (["eval", "ReactGSM8K-v0", "--n", "0", "--out", "x"], "are not a part of it"),
        (["demo", "--agent", "no.such:thing"], "cannot be imported"),
        (["demo", "--index", "-1"], "are not a part of it"),
        (["eval", "ReactGSM8K-v0", "--env-args", '{"foo": 1}', "--out", "x"], "not take ['foo']"),
        (["eval", "ReactGSM8K-v0", "--out", "/dev/null"], "FileExistsError"),
        (["demo", "--agent", "replay", "--agent-args", '{"path": "/no"}'], "FileNotFoundError"),
        (["eval", "ReactGSM8K-v0", "--concurrency", "0", "--out", "x"], "concurrency"),
        (["demo", "--agent", "scripted", "--agent-args", '{"reply": 1}'], "does not take"),
    ],
    ids=[
        "agent",
        "id",
        "dialect",
        "n",
        "module",
        "index",
        "env-args",
        "out",
        "path",
        "0",
        "option",
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert told in message
    assert "Traceback" not in message


def test_a_scripted_agent_that_runs_dry_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    replies = json.dumps({"replies": ["Action: python\nAction Input: print(1)\n"]})
    assert main(["demo", "--agent", "scripted", "--agent-args", replies]) == 1
    assert "PolicyFailure" in capsys.readouterr().err


def test_validate_says_that_every_task_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "ReactGSM8K-v0", "--n", "30"]) == 0
    assert "30 of 30 tasks are sound" in capsys.readouterr().out


def test_validate_finds_an_unsound_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row whose gold answer no grader can read must not pass."""
    path = tmp_path / "svamp.json"
    row = {"Body": "a", "Question": "b?", "Answer": 3.0, "Equation": "", "Type": ""}
    path.write_text(json.dumps([row, {**row, "Answer": "nan"}]))
    assert main(["validate", "ReactSVAMP-v0", "--data", str(path)]) == 2
    assert "row 1" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, how: signal.Signals) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "react_envs.cli", "eval", "ReactGSM8K-v0", "--n", "3000",
               "--concurrency", "1", "--out", str(out)]  # fmt: skip
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True)
    results = out / "results.jsonl"
    deadline = time.monotonic() + 60
    while not (results.exists() and results.read_bytes().count(b"\n") >= 20):
        assert time.monotonic() < deadline, "the run did not start"
        assert running.poll() is None, running.stderr and running.stderr.read()
        time.sleep(0.02)
    os.kill(running.pid, how)
    assert running.wait(30) == (130 if how is signal.SIGINT else -signal.SIGKILL)
    if running.stderr:
        running.stderr.close()
    finished = [line for line in results.read_bytes().split(b"\n") if line.endswith(b"}")]
    assert len(finished) >= 20

    command[command.index("3000")] = str(len(finished) + 5)
    settings = json.loads((out / "settings.json").read_text())
    assert settings["n"] == 3000
    settings["n"] = len(finished)  # as if this much had been asked for
    (out / "settings.json").write_text(json.dumps(settings))
    done = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in results.read_text().splitlines()]
    assert [record["index"] for record in records] == list(range(len(finished) + 5))
    assert [json.loads(line) for line in finished] == records[: len(finished)]


def test_an_agent_in_a_file_of_the_current_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def make(env, word='no'):\n    return lambda context: f'Final Answer: {word}'\n"
    )
    command = [sys.executable, "-c", "from react_envs.cli import main; raise SystemExit(main())",
               "eval", "ReactGSM8K-v0", "--n", "2", "--agent", "mine:make",
               "--agent-args", '{"word": "7"}', "--out", "run"]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run/results.jsonl").read_text().splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["7", "7"]


def test_json_that_is_none_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--env-args", "{bad"])
    assert stopped.value.code == 2
    assert "expected a JSON object, got {bad" in capsys.readouterr().err
