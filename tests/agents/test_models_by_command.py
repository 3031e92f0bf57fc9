"""`react-envs eval` with a transformers model and with a served one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer
from tiny_model import make_model, make_tokenizer

from react_envs.cli import main


def summary(out: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(folder)
    make_model(tokenizer=tokenizer).save_pretrained(folder)
    return folder


def test_a_transformers_checkpoint_plays_the_same_whatever_the_concurrency(
    checkpoint: Path, tmp_path: Path
) -> None:
    """An untrained model solves nothing; that its text comes through unharmed is the point."""
    kept = []
    for concurrency in ("1", "3"):
        out = tmp_path / concurrency
        options = json.dumps({"max_new_tokens": 24, "temperature": 1.0, "mode": "completion"})
        arguments = ["eval", "ReactGSM8K-v0", "--agent", "hf", "--model", str(checkpoint)]
        arguments += ["--agent-args", options, "--n", "3", "--max-steps", "2", "--out", str(out)]
        assert main([*arguments, "--concurrency", concurrency]) == 0
        assert summary(out)["stop_reasons"] == {"max_steps": 3}
        assert summary(out)["parse_errors"] == 6
        lines = (out / "results.jsonl").read_text("utf-8").split("\n")
        kept.append([t["kept"] for line in lines if line for t in json.loads(line)["trace"]])
    assert kept[0] == kept[1]
    assert len(set(kept[0])) == 6, "each episode has its own seed"


def test_a_served_model_answers_through_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")
    call = '<tool_call>{"name": "python", "arguments": {"code": "print(6*7)"}}</tool_call>'
    with OpenAIServer() as server:
        server.script(call, "It is \\boxed{42}.")
        arguments = ["eval", "ReactGSM8K-v0", "--agent", "openai", "--model", "m"]
        arguments += ["--base-url", server.url, "--dialect", "hermes", "--concurrency", "1"]
        assert main([*arguments, "--n", "1", "--out", str(tmp_path / "run")]) == 0
        first, second = server.requests()
    assert second["body"]["messages"][:2] == first["body"]["messages"]
    assert second["body"]["messages"][2:] == [
        {"role": "assistant", "content": call},
        {"role": "user", "content": "<tool_response>\n42\n</tool_response>"},
    ]
    (line,) = (tmp_path / "run/results.jsonl").read_text("utf-8").splitlines()
    record = json.loads(line)
    assert (record["answer"], record["calls"], record["stop_reason"]) == ("42", 1, "answer")
    for file in (tmp_path / "run").iterdir():
        assert "sk-secret-123" not in file.read_text("utf-8")


def test_a_server_that_is_down_costs_no_finished_episode(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        server.script("It is \\boxed{1}.", {"status": 500})
        options = json.dumps({"retries": 0})
        arguments = ["eval", "ReactGSM8K-v0", "--agent", "openai", "--model", "m"]
        arguments += ["--base-url", server.url, "--dialect", "hermes", "--concurrency", "1"]
        arguments += ["--agent-args", options, "--out", str(tmp_path / "run")]
        assert main([*arguments, "--n", "2"]) == 1
        assert summary(tmp_path / "run")["stop_reasons"] == {"answer": 1, "error": 1}
        server.script("It is \\boxed{1}.")
        assert main([*arguments, "--n", "2", "--resume"]) == 0
        assert len(server.requests()) == 1


# Gymnasium's checker looks at an environment's first step, and says what is true
@pytest.mark.filterwarnings("ignore:.*The reward is a NaN value")
def test_a_judge_that_is_a_local_model_fails_by_name_and_the_run_goes_on(
    checkpoint: Path, tmp_path: Path
) -> None:
    """An untrained model gives no verdict: that is no zero, and `--resume` asks it again."""
    replies = json.dumps({"replies": ["Final Answer: 5"]})
    policy = {"name": "hf", "model": str(checkpoint), "max_new_tokens": 8, "mode": "completion"}
    judge = {"name": "llm", "policy": policy, "attempts": 1}
    arguments = ["eval", "ReactGSM8K-v0", "--agent", "scripted", "--agent-args", replies]
    arguments += ["--env-args", json.dumps({"reward": {"name": "judge", "judge": judge}})]
    arguments += ["--n", "2", "--concurrency", "1", "--out", str(tmp_path / "out")]
    main(arguments)
    lines = (tmp_path / "out" / "results.jsonl").read_text("utf-8").splitlines()
    for line in map(json.loads, lines):
        assert line["reward"] is None
        assert line["error"]["kind"] == "judge_unreadable"
        assert line["answer"] == "5"
        assert line["reward_terms"]["exact_match"] in (0.0, 1.0)
    assert summary(tmp_path / "out")["errors"] == len(lines) == 2
