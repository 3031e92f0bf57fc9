"""Record and Transcript: what is written down, and what a policy without memory sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from react_envs.core import ReactEnv
from react_envs.tasks import TaskList
from react_envs.types import Task
from react_envs.wrappers import EpisodeReward, Record, StepLimit, Transcript

CALL = "Action: echo\nAction Input: π \ud800\n"


def echo(text: str) -> str:
    """Echo."""
    return text


def rewarded() -> EpisodeReward:
    tasks = TaskList([Task("Why π?", ("1",), dataset="d", split="s")])
    return EpisodeReward(StepLimit(ReactEnv(tasks, [echo]), 3))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def test_a_finished_episode_is_one_line_with_all_that_happened(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    env = Record(rewarded(), path)
    prompt, _ = env.reset(seed=0)
    env.step(CALL + "Observation: mine\n")
    env.step("Final Answer: 1")
    (line,) = lines(path)
    assert line["prompt"] == prompt
    assert (line["dataset"], line["split"], line["index"], line["max_steps"]) == ("d", "s", 0, 3)
    assert (line["reward"], line["rewards"], line["stop_reason"]) == (1.0, [0.0, 1.0], "answer")
    assert line["gold"] == ["1"]
    first, last = line["turns"]
    assert first["kept"] == CALL
    assert first["dropped"] == "Observation: mine\n"
    assert first["fabricated_observation"]
    assert first["call"] == {"name": "echo", "arguments": {"text": "π \ud800"}}
    assert last["answer"] == "1"
    assert "π" in path.read_text("utf-8"), "text is written as it is, not as escapes"


def test_an_unfinished_episode_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    env = Record(rewarded(), path)
    env.reset(seed=0)
    env.step(CALL)
    env.reset(seed=0)
    env.step(CALL)
    env.close()
    env.close()
    assert [line["stop_reason"] for line in lines(path)] == [None, None]


def test_several_environments_may_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    envs = [Record(rewarded(), path) for _ in range(3)]
    for env in envs:
        env.reset(seed=0)
        env.step("Final Answer: 1")
    assert len(lines(path)) == 3


def test_recording_changes_nothing() -> None:
    bare, recorded = rewarded(), Record(rewarded(), "/dev/null")
    assert bare.reset(seed=4) == recorded.reset(seed=4)
    assert bare.step("Final Answer: 1") == recorded.step("Final Answer: 1")


def test_the_transcript_is_the_context_of_a_completion_policy() -> None:
    env, bare = Transcript(rewarded()), rewarded()
    seen, info = env.reset(seed=0)
    context, _ = bare.reset(seed=0)
    assert seen == context == info["new_text"]
    for action in (CALL + "Observation: mine\n", "Final Answer: 1"):
        seen, *_, info = env.step(action)
        observation, *_, bare_info = bare.step(action)
        context += bare_info["kept"] + observation
        assert seen == context
        assert info["new_text"] == observation
    assert "mine" not in seen
