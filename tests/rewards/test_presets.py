"""Reward presets: by keyword, with options, mixed, in any dialect."""

from __future__ import annotations

from typing import Any

import pytest

from react_envs.core import ReactEnv
from react_envs.dialects import DIALECTS
from react_envs.errors import ArgumentError
from react_envs.rewards.terms import PRESETS, make_terms
from react_envs.tasks import TaskList
from react_envs.types import Completion, Episode, Task, ToolCall
from react_envs.wrappers import EpisodeReward, StepLimit


def search(query: str) -> str:
    """Find pages."""
    return f"pages of {query}"


def brevity(episode: Episode) -> float:
    """For `module:name`."""
    return 1.0 / len(episode.turns)


def play(dialect: Any, reward: Any, *answers: str, gold: str = "Paris", **kwargs: Any) -> Any:
    """A call, then the answer (or a text that the dialect does not know), as total and info."""
    env = EpisodeReward(
        StepLimit(ReactEnv(TaskList([Task("?", (gold,))]), [search], dialect), 2), reward, **kwargs
    )
    context, _ = env.reset(seed=0)
    written = env.get_wrapper_attr("dialect")
    action = written.format_call(ToolCall("search", {"query": "Paris pages"}), "I look.", context)
    observation, first, *_, info = env.step(action)
    context += info["kept"] + observation
    text = written.format_answer(answers[0], "So Paris pages.", context)
    *_, reward_of_answer, _, _, info = env.step(Completion(text, finish_reason="stop"))
    return first + reward_of_answer, info


BEST = {
    **dict.fromkeys(PRESETS, 1.0),
    "exact_match_format": 1.1,
    # 0.2 for the call, 0.5 + 0.5 + 1.0; the format depends on the dialect's tags
    "turn_credit": None,
}
WRONG = {"research": 0.1, "research_monotone": 0.1, "recall": 0.1, "search_r1_format": 0.2,
         "retool": -1.0, "exact_match_format": 0.1, "turn_credit": None}  # fmt: skip


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize("reward", list(PRESETS))
def test_a_right_and_a_wrong_answer_in_every_dialect(dialect: str, reward: str) -> None:
    total, info = play(dialect, reward, "Paris")
    if BEST[reward] is not None:
        assert total == pytest.approx(BEST[reward]), info["reward_terms"]
    else:
        assert 2.2 <= total <= 2.6 + 1e-9
    total, info = play(dialect, reward, "Rome")
    if reward != "turn_credit":
        assert total == pytest.approx(WRONG.get(reward, 0.0)), info["reward_terms"]


def test_in_its_own_dialect_a_format_reward_reads_the_published_format() -> None:
    good = "<think> t </think> <answer> \\boxed{Paris} </answer>"
    for text, value in [(good, 1.0), (good.replace("</think>", ""), 0.0)]:
        env = EpisodeReward(ReactEnv(TaskList([Task("?", ("Paris",))]), [], "research"), "research")
        env.reset(seed=0)
        _, reward, terminated, _, _ = env.step(text)
        assert terminated
        assert reward == value


@pytest.mark.parametrize(
    ("dialect", "reward", "answer"),
    [
        ("research", "research", "<answer> \\boxed{Paris} </answer>"),
        ("search_r1", "search_r1_format", "<answer>Paris</answer>"),
        ("search_r1", "search_r1_format", "<answer>Paris"),
        ("zerosearch", "search_r1_format", "<answer>Paris"),
    ],
)
@pytest.mark.parametrize("query", ["q", "1 < 2"])
def test_a_stop_string_that_the_engine_left_out_does_not_cost_the_format(
    dialect: str, reward: str, answer: str, query: str
) -> None:
    env = EpisodeReward(ReactEnv(TaskList([Task("?", ("Paris",))]), [search], dialect), reward)
    env.reset(seed=0)
    for action in (f"<think>t</think><search>{query}", f"<think>u</think>{answer}"):
        _, total, terminated, _, _ = env.step(Completion(action, finish_reason="stop"))
    assert terminated
    assert total == 1.0


@pytest.mark.parametrize(("dialect", "reward"), [("research", "research"), ("recall", "recall")])
def test_a_turn_that_ran_out_of_length_scores_nothing(dialect: str, reward: str) -> None:
    text = "<think> t </think> <answer> \\boxed{Paris} </answer>"
    for finish, value in [("length", 0.0), ("stop", 1.0), (None, 1.0)]:
        env = EpisodeReward(ReactEnv(TaskList([Task("?", ("Paris",))]), [], dialect), reward)
        env.reset(seed=0)
        assert env.step(Completion(text, finish_reason=finish))[1] == value


def test_the_tiers_of_search_r1_take_their_three_numbers() -> None:
    total, _ = play("search_r1", {"name": "search_r1_format", "structure": 0.3}, "Rome")
    assert total == pytest.approx(0.3)
    options = {"name": "search_r1_format", "structure": 0.2, "final": 0.1, "retrieval": 0.1}
    total, _ = play("search_r1", options, "Rome")
    assert total == pytest.approx(0.3), "the tool's pages hold the gold answer"
    total, _ = play("search_r1", "search_r1_format", "Rome")
    assert total == pytest.approx(0.2), "and count only where asked for"


def test_react_logs_f1_beside_exact_match() -> None:
    total, info = play("react_paper", "react", "no, Paris")
    assert total == 0.0
    assert info["reward_terms"]["f1_with_yes_no"] == pytest.approx(2 / 3)
    assert play("react_paper", "react", "no way", gold="no")[1]["reward_terms"][
        "f1_with_yes_no"
    ] == 0.0  # fmt: skip


def test_terms_and_functions_mix_with_weights() -> None:
    reward = {"research": 0.5, "repetition": -1, f"{__name__}:brevity": 0.2}
    total, info = play("research", reward, "Paris")
    assert info["reward_terms"]["brevity"] == 0.5
    assert total == pytest.approx(0.5 + 0.1)
    total, _ = play("research", {"f1": 1.0, brevity: 2.0}, "Paris")
    assert total == pytest.approx(2.0)
    total, _ = play("research", f"{__name__}:brevity", "Paris")
    assert total == 0.5


def test_presets_mix_with_terms_by_weight() -> None:
    _, weights = make_terms({"math_agent": 0.5, "exact_match": 0.25, "turn_credit": 1.0})
    assert weights["exact_match"] == 0.75
    assert weights["repetition"] == -0.5
    assert weights["retrieved"] == 0.5
    assert PRESETS["math_agent"]["exact_match"] == 1.0


def test_only_terms_that_were_asked_for_are_computed_beside_the_four() -> None:
    _, info = play("react", "exact_match", "Paris")
    assert set(info["reward_terms"]) == {"exact_match", "f1", "format", "tool_use"}


@pytest.mark.parametrize(
    ("reward", "told"),
    [
        ({"name": "reserach"}, "unknown reward 'reserach'; known: exact_match"),
        ({"name": "research", "eos": "x"}, "reward 'research' has no option 'eos'; it has: none"),
        ({"name": "search_r1_format", "structure": "x"}, "structure of 'search_r1_format' must be"),
        ({"name": {"exact_match": 1.0}, "x": 1}, "expected the name of a preset"),
        ({"exact_match": "1"}, "the weight of 'exact_match' must be a number"),
        ({"exact_match": True}, "the weight of 'exact_match' must be a number"),
        ("no_module_of_ours:f", "reward 'no_module_of_ours:f' cannot be imported"),
        (f"{__name__}:pytest", "is not a function of an Episode"),
        ({f"{__name__}:nothing": 1}, "cannot be imported"),
    ],
)
def test_a_reward_that_cannot_be_made_is_told_at_once(reward: Any, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        make_terms(reward)


def test_an_answer_that_the_limit_gave_is_none_in_every_term() -> None:
    """ReAct's forced `finish[]`: never answering must not be paid."""
    tasks = TaskList([Task("q", ("Paris",))])
    never = {"exact_match": 1.0, "format": 1.0, "answer_present": 1.0, "research": 1.0}
    never |= {"answer_before_result": 1.0, "recall": 1.0, "search_r1_format": 1.0}
    env = EpisodeReward(StepLimit(ReactEnv(tasks, [search], "react_paper"), 1, "finish"), never)
    env.reset(seed=0)
    _, reward, *_, info = env.step(" t\nAction 1: Search[Paris]")
    assert info["answer"] == ""
    assert reward == 0.0
    assert {name: info["reward_terms"][name] for name in never} == dict.fromkeys(never, 0.0)


@pytest.mark.parametrize("first", ["<think>t</think>", "<think>t</think><search></search>", "hm"])
def test_search_r1_takes_its_share_back_for_a_turn_that_was_invalid(first: str) -> None:
    answer = "<think>t</think><answer>Paris</answer>"
    assert steps("search_r1", "search_r1_format", first, answer) == pytest.approx(0.8)
    assert steps("search_r1", "search_r1_format", answer) == 1.0


def test_an_empty_query_costs_nothing_in_research_but_a_turn_of_nothing_does() -> None:
    answer = "<think>u</think><answer>\\boxed{Paris}</answer>"
    for published in (False, True):
        dialect = {"name": "research", "published": published}
        for empty in ("<search> </search>", "<search>"):
            assert steps(dialect, "research", f"<think>t</think>{empty}", answer) == 1.0
        assert steps(dialect, "research", "hm", answer) == 0.0


def steps(dialect: Any, reward: str, *actions: str) -> float:
    """The reward of an episode of these turns."""
    env = EpisodeReward(ReactEnv(TaskList([Task("q", ("Paris",))]), [search], dialect), reward)
    env.reset(seed=0)
    return sum(env.step(action)[1] for action in actions)
