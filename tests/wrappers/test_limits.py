"""StepLimit: the last turn."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

from react_envs.core import ReactEnv
from react_envs.errors import ArgumentError
from react_envs.spaces import TextSpace
from react_envs.tasks import TaskList
from react_envs.types import StopReason, Task
from react_envs.wrappers import StepLimit

CALL = "Action: echo\nAction Input: hello\n"


def echo(text: str) -> str:
    """Echo."""
    return text


def make(**kwargs: Any) -> StepLimit:
    return StepLimit(ReactEnv(TaskList([Task("?", ("1",), solution="s")]), [echo]), **kwargs)


def test_the_call_of_the_last_turn_is_run_and_then_the_episode_is_truncated() -> None:
    env = make(max_steps=2)
    env.reset(seed=0)
    assert env.step(CALL)[2:4] == (False, False)
    observation, _, terminated, truncated, info = env.step(CALL)
    assert observation == "Observation: hello\n"
    assert (terminated, truncated) == (False, True)
    assert info["stop_reason"] is StopReason.MAX_STEPS
    assert info["gold"] == ["1"]
    assert info["answer"] is None


def test_an_answer_in_the_last_turn_terminates_and_is_not_truncated() -> None:
    env = make(max_steps=2)
    env.reset(seed=0)
    env.step(CALL)
    *_, terminated, truncated, info = env.step("Final Answer: 1")
    assert (terminated, truncated, info["stop_reason"]) == (True, False, StopReason.ANSWER)


def test_the_count_starts_anew_with_each_episode() -> None:
    env = make(max_steps=2)
    for _ in range(3):
        _, info = env.reset(seed=0)
        assert info["max_steps"] == 2
        assert env.step(CALL)[3] is False
        assert env.step(CALL)[3] is True


def test_the_last_turn_must_answer_is_announced_and_held() -> None:
    env = make(max_steps=3, on_limit="answer")
    env.reset(seed=0)
    assert "last turn" not in env.step(CALL)[0]
    observation, *_, info = env.step(CALL)
    assert observation.startswith("Observation: hello\nThis is your last turn")
    assert "This is your last turn" in info["messages"][1]["content"]
    assert info["tool_result"] == "hello"
    observation, _, terminated, truncated, info = env.step(CALL)
    assert "no further tool calls" in observation
    assert info["tool_ok"] is None, "the call must not be run"
    assert (terminated, truncated) == (False, True)
    env.reset(seed=0)
    assert env.step(CALL)[0] == "Observation: hello\n", "a new episode may call again"


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"max_steps": 0}, "at least 1"),
        ({"max_steps": 1.5}, "actually: 1.5"),
        ({"max_steps": 1, "on_limit": "answer"}, "at least 2"),
        ({"max_steps": 2, "on_limit": "stop"}, "actually: 'stop'"),
    ],
)
def test_wrong_arguments_raise_at_once(kwargs: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        make(**kwargs)


class Parrot(gym.Env[str, str]):
    """A text environment that is not ours: it says what it hears, without end."""

    observation_space = action_space = TextSpace()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        return "say", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return action, 0.0, False, False, {}


def test_a_foreign_text_environment_is_truncated_too() -> None:
    env = StepLimit(Parrot(), 2)
    env.reset()
    assert env.step("a")[3] is False
    *_, truncated, info = env.step("b")
    assert truncated
    assert info == {"stop_reason": StopReason.MAX_STEPS}
    with pytest.raises(ArgumentError, match="Parrot has none"):
        StepLimit(Parrot(), 2, "answer")


def test_nothing_can_be_answered_after_the_gold_answer_was_revealed() -> None:
    env = make(max_steps=1)
    env.reset(seed=0)
    *_, truncated, info = env.step(CALL)
    assert truncated
    for _ in range(2):
        with pytest.raises(gym.error.ResetNeeded):
            env.step(f"Final Answer: {info['gold'][0]}")
    foreign = StepLimit(Parrot(), 1)
    foreign.reset()
    foreign.step("a")
    with pytest.raises(gym.error.ResetNeeded):
        foreign.step("b")


def test_a_forced_finish_is_an_empty_answer() -> None:
    env = make(max_steps=1, on_limit="finish")
    env.reset(seed=0)
    *_, terminated, truncated, info = env.step(CALL)
    assert (terminated, truncated, info["answer"]) == (False, True, "")
    env.reset(seed=0)
    assert env.step("Final Answer: 1")[4]["answer"] == "1"


def test_a_refusal_stands_for_the_result_of_the_call_before_the_last_turn() -> None:
    env = make(max_steps=3, on_limit="refuse", note="No more.")
    env.reset(seed=0)
    assert env.step(CALL)[0] == "Observation: hello\n"
    observation, *_, info = env.step(CALL)
    assert observation == "Observation: No more.\n"
    assert info["tool_ok"] is None
    assert info["parse_error"] == "No more."
    assert env.step("Final Answer: 1")[2] is True


def test_a_refusal_is_announced_to_a_turn_without_a_call_too() -> None:
    env = make(max_steps=2, on_limit="refuse", note="No more.")
    env.reset(seed=0)
    observation, *_ = env.step("nonsense")
    assert observation.endswith("\nNo more.\n")
    assert "neither an Action" in observation
    assert env.step(CALL)[4]["tool_ok"] is None


def test_a_last_turn_may_come_unannounced() -> None:
    env = make(max_steps=2, on_limit="answer", note="")
    env.reset(seed=0)
    assert env.step(CALL)[0] == "Observation: hello\n"
    *_, truncated, info = env.step(CALL)
    assert truncated
    assert "an answer was expected" in info["parse_error"]


def test_an_unfinished_step_is_not_a_turn() -> None:
    env = StepLimit(ReactEnv(TaskList([Task("?", ("1",))]), [echo], "react_paper"), 1)
    env.reset(seed=0)
    *_, truncated, info = env.step("I think.")
    assert (truncated, info["unfinished"]) == (False, True)
    assert env.step("Echo[a]")[3] is True
