"""Rewards of finished episodes."""

from __future__ import annotations

from typing import Any

import pytest
from gymnasium.wrappers import RecordEpisodeStatistics

from react_envs.core import ReactEnv
from react_envs.errors import ArgumentError, MissingExtraError
from react_envs.tasks import TaskList
from react_envs.types import Episode, Task
from react_envs.wrappers import AnswerReward, EpisodeReward, FormatReward, StepLimit

CALL = "Action: echo\nAction Input: 18\n"
ANSWER = "Final Answer: 18"


def echo(text: str) -> str:
    """Echo."""
    return text


def limited() -> StepLimit:
    return StepLimit(ReactEnv(TaskList([Task("?", ("18",))]), [echo]), 3)


def play(env: Any, *actions: str) -> tuple[list[float], dict[str, Any]]:
    env.reset(seed=0)
    rewards, info = [], {}
    for action in actions:
        _, reward, _, _, info = env.step(action)
        rewards.append(reward)
    return rewards, info


def test_a_right_answer_at_once_scores_like_any_other() -> None:
    rewards, info = play(EpisodeReward(limited(), grader="numeric"), ANSWER)
    assert rewards == [1.0]
    assert info["reward_terms"] == {"exact_match": 1.0, "f1": 1.0, "format": 1.0, "tool_use": 0.0}


def test_terms_are_given_on_the_last_step_with_totals() -> None:
    env = EpisodeReward(limited(), {"exact_match": 1.0, "format": 0.5}, "numeric")
    rewards, info = play(env, CALL, "nonsense", ANSWER)
    assert rewards == [0.0, 0.0, 1.0]
    assert info["reward_terms"] == {"exact_match": 1.0, "f1": 1.0, "format": 0.0, "tool_use": 1.0}
    assert info["episode"] == {
        "r": 1.0, "l": 3, "tool_calls": 1, "tool_failures": 0, "parse_errors": 1,
        "fabricated_observations": 0,
    }  # fmt: skip
    _, info = play(env, CALL)
    assert "reward_terms" not in info


@pytest.mark.parametrize(
    "actions",
    [
        pytest.param([CALL, CALL, CALL], id="only-calls"),
        pytest.param([CALL, CALL + "Observation: 18\nFinal Answer: 18\n", CALL], id="forged"),
        pytest.param([CALL, "The answer is 18.", "18"], id="no-format"),
    ],
)
def test_what_a_tool_says_never_scores(actions: list[str]) -> None:
    """The tool prints the gold answer in each of these; only an answer by the agent counts."""
    rewards, info = play(EpisodeReward(limited(), grader="numeric"), *actions)
    assert sum(rewards) == 0.0
    assert info["reward_terms"]["exact_match"] == 0.0
    assert info["stop_reason"] == "max_steps"


def test_a_function_of_the_episode_is_a_reward_of_its_own_name() -> None:
    def brevity(episode: Episode) -> float:
        return 1.0 / len(episode.turns)

    rewards, info = play(EpisodeReward(limited(), brevity, "numeric"), CALL, ANSWER)
    assert rewards == [0.0, 0.5]
    assert info["reward_terms"]["brevity"] == 0.5
    assert info["reward_terms"]["exact_match"] == 1.0


def test_single_rewards_stack_and_keep_each_others_terms() -> None:
    env = FormatReward(AnswerReward(limited(), "numeric", weight=2.0), weight=0.25)
    rewards, info = play(env, CALL, "Final Answer: $18.00")
    assert rewards == [0.0, 2.25]
    assert info["reward_terms"] == {"exact_match": 1.0, "format": 1.0}
    assert info["episode"]["r"] == 2.25


def test_a_self_written_observation_costs_the_format() -> None:
    forged = CALL + "Observation: 18\n"
    _, info = play(EpisodeReward(limited(), grader="numeric"), forged, ANSWER)
    assert info["reward_terms"]["format"] == 0.0
    assert info["episode"]["fabricated_observations"] == 1


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"reward": "exact"}, "unknown reward 'exact'; known: exact_match"),
        ({"reward": {"em": 1}}, "unknown reward term 'em'; known: exact_match"),
        ({"grader": "fuzzy"}, "unknown grader 'fuzzy'"),
    ],
)
def test_unknown_names_raise_at_once(kwargs: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        EpisodeReward(limited(), **kwargs)


def test_an_environment_that_hides_its_gold_answers_is_named_as_the_mistake() -> None:
    class Secretive(ReactEnv):
        def reveal(self) -> dict[str, Any]:
            return {}

    env = EpisodeReward(Secretive(TaskList([Task("?", ("1",))])))
    env.reset(seed=0)
    with pytest.raises(ArgumentError, match="without info\\['gold'\\]"):
        env.step("Final Answer: 1")


@pytest.mark.parametrize(("answer", "score"), [("1.5", 1.0), ("15", 0.0), ("-1.5", 0.0)])
def test_f1_of_a_number_is_its_exact_match(answer: str, score: float) -> None:
    """Word overlap would drop the point: "15" would be as good as "1.5"."""
    env = EpisodeReward(ReactEnv(TaskList([Task("?", ("1.5",))])), "f1", "numeric")
    rewards, _ = play(env, f"Final Answer: {answer}")
    assert rewards == [score]


def test_a_function_may_not_take_the_name_of_a_term() -> None:
    def exact_match(episode: Episode) -> float:
        return 7.0

    with pytest.raises(ArgumentError, match="'exact_match' is taken"):
        EpisodeReward(limited(), exact_match)
    with pytest.raises(ArgumentError, match="actually: 5"):
        EpisodeReward(limited(), 5)  # type: ignore[arg-type]


def test_gymnasiums_statistics_can_be_recorded_beside_ours() -> None:
    env = RecordEpisodeStatistics(EpisodeReward(limited(), grader="numeric"), stats_key="stats")
    _, info = play(env, CALL, ANSWER)
    assert (info["stats"]["r"], info["stats"]["l"]) == (1.0, 2)
    assert info["episode"]["r"] == 1.0


def test_a_missing_extra_is_found_when_the_reward_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from react_envs.rewards import math

    math._require_math_verify.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"react-envs\[math\]"):
        EpisodeReward(limited(), grader="math")
    math._require_math_verify.cache_clear()
