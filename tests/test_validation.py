"""The gold answer of every task of every published split scores 1.0, a wrong one 0.0."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import pytest

from react_envs.core import ReactEnv
from react_envs.tasks import TaskList
from react_envs.types import Task
from react_envs.validation import validate
from react_envs.wrappers import EpisodeReward

SPLITS = [
    ("ReactGSM8K-v0", "test"),
    ("ReactGSM8K-v0", "train"),
    ("ReactGSMHard-v0", "test"),
    ("ReactSVAMP-v0", "test"),
    ("ReactMultiArith-v0", "test"),
    ("ReactMATH500-v0", "test"),
]


@pytest.mark.parametrize(("env_id", "split"), SPLITS, ids=lambda value: str(value))
def test_every_task_of_a_published_split_is_sound(env_id: str, split: str, data: Path) -> None:
    env = gym.make(env_id, split=split, data=str(data))
    problems = list(validate(env, range(len(env.get_wrapper_attr("tasks")))))
    assert [problem for problem in problems if problem is not None] == []
    env.close()


@pytest.mark.parametrize("split", ["synthetic_train", "synthetic_test"])
@pytest.mark.parametrize("dialect", ["react", "hermes"])
def test_synthetic_tasks_are_sound_in_every_dialect(split: str, dialect: str) -> None:
    env = gym.make("ReactGSM8K-v0", split=split, dialect=dialect)
    assert list(validate(env, range(500))) == [None] * 500
    env.close()


def test_an_unsound_task_is_named_with_what_it_scored() -> None:
    """A grader that takes anything, and one that takes nothing, must both be found."""

    def make(reward_of: float) -> EpisodeReward:
        env = EpisodeReward(ReactEnv(TaskList([Task("?", ("4",))])), grader="numeric")
        env.terms["exact_match"] = lambda episode: reward_of
        return env

    assert list(validate(make(1.0), [0])) == ["task 0: the answer '5' scored 1.0, expected 0.0"]
    assert list(validate(make(0.0), [0])) == ["task 0: the answer '4' scored 0.0, expected 1.0"]
