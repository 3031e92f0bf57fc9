"""Oracle, program and replay policies through the real environment and the real tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from react_envs.agents import make_policy
from react_envs.agents.policies import OraclePolicy, ReplayPolicy, ScriptedPolicy
from react_envs.agents.policies.oracle import calculator_annotations
from react_envs.core import ReactEnv
from react_envs.dialects import ReactDialect
from react_envs.errors import ArgumentError
from react_envs.rollout import EpisodeRecord, play, run_episodes
from react_envs.tasks import TaskList
from react_envs.tools import Tool
from react_envs.types import Task, ToolResult
from react_envs.wrappers import EpisodeReward, Record, StepLimit


def run(agent: str, n: int, env_args: dict[str, Any] | None = None, **options: Any) -> list[Any]:
    arguments = env_args or {}
    env = gym.make("ReactGSM8K-v0", **arguments)
    policy = make_policy(agent, env, **options)
    records = run_episodes(
        lambda: gym.make("ReactGSM8K-v0", **arguments), policy, range(n), concurrency=2
    )
    return list(records)


@pytest.mark.parametrize("dialect", ["react", "hermes"])
def test_the_oracle_solves_synthetic_problems_with_the_real_tool(dialect: str) -> None:
    records = run("oracle", 60, {"dialect": dialect})
    assert [record.reward for record in records] == [1.0] * 60
    assert all(record.calls >= 1 for record in records)
    assert all(record.reward_terms["format"] == 1.0 for record in records)


def test_the_oracle_solves_published_problems(data: Path) -> None:
    records = run("oracle", 100, {"split": "test", "data": str(data)})
    assert sum(record.reward for record in records) == 100.0


def test_a_broken_tool_costs_the_oracle_its_score() -> None:
    """The oracle repeats what the tool said, so its score is a test of the tool."""

    class Broken(Tool):
        name = "python"

        def __call__(self, code: str) -> ToolResult:
            """Run code, wrongly."""
            return ToolResult("7")

    def broken() -> EpisodeReward:
        tasks = TaskList([Task("?", ("4",), solution="<<2+2=4>>4\n#### 4")])
        return EpisodeReward(StepLimit(ReactEnv(tasks, [Broken()]), 5), grader="numeric")

    env = broken()
    record = play(env, OraclePolicy(env.get_wrapper_attr("tasks"), ReactDialect()), 0)
    assert (record.answer, record.reward) == ("7", 0.0)


def test_annotations_are_read_in_order() -> None:
    solution = "She has 16-3=<<16-3=13>>13 and $<<13*2=26>>26.\n#### 26"
    assert calculator_annotations(solution) == [("16-3", "13"), ("13*2", "26")]
    assert calculator_annotations("no steps\n#### 3") == []


def test_the_oracle_needs_solutions() -> None:
    with pytest.raises(ArgumentError, match="has none"):
        OraclePolicy(TaskList([Task("?", ("1",))]), ReactDialect())


def test_recorded_programs_are_run_and_their_last_line_is_the_answer(tmp_path: Path) -> None:
    data = tmp_path / "gsm8k.jsonl"
    questions = {"one?": "print('noise')\nans = 3", "two?": "ans = undefined", "three?": "x"}
    rows = [{"question": q, "answer": "#### 3"} for q in questions]
    data.write_text("\n".join(json.dumps(row) for row in rows))
    programs = tmp_path / "programs.jsonl"
    recorded = [{"prompt": "ignored"}] + [
        {"question": q, "generated": [p]} for q, p in questions.items() if q != "three?"
    ]
    programs.write_text("\n".join(json.dumps(row) for row in recorded))
    env = {"split": "test", "data": str(data)}
    right, wrong, missing = run("programs", 3, env, path=str(programs))
    assert (right.answer, right.reward) == ("3", 1.0)
    assert wrong.answer == "no result", "a number in an error message must not be an answer"
    assert wrong.reward == 0.0
    assert missing.error["kind"] == "no_record"


def test_a_replayed_record_repeats_the_episode(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"

    def without_time(record: EpisodeRecord) -> list[Any]:
        return [(t.kept, t.dropped, t.observation, t.answer) for t in record.turns]

    env = Record(gym.make("ReactGSM8K-v0"), path)
    played = play(env, make_policy("oracle", env), 4)
    again = play(gym.make("ReactGSM8K-v0"), ReplayPolicy.from_file(path), 4)
    assert without_time(again) == without_time(played)
    other = play(gym.make("ReactGSM8K-v0"), ReplayPolicy.from_file(path), 5)
    assert other.error is not None
    assert other.error["kind"] == "record_ended"


def test_a_file_that_is_no_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"index": 1}\n')
    with pytest.raises(ArgumentError, match="expected lines with"):
        ReplayPolicy.from_file(path)


def test_an_agent_of_ones_own_is_named_by_module_and_function() -> None:
    policy = make_policy(
        "react_envs.agents.policies:_scripted", gym.make("ReactGSM8K-v0"), replies=["x"]
    )
    assert isinstance(policy, ScriptedPolicy)
    with pytest.raises(ArgumentError, match="unknown agent 'nobody'; known: oracle"):
        make_policy("nobody", gym.make("ReactGSM8K-v0"))


def test_a_replayed_agent_fills_its_context_again() -> None:
    policy = ReplayPolicy({0: ["Action: python\nAction Input: print(1)\n"]}, context_full=[0])
    record = play(gym.make("ReactGSM8K-v0"), policy, 0)
    assert (record.stop_reason, record.error, record.reward) == ("context_length", None, 0.0)
