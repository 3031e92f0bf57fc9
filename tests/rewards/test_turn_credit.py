"""Per-turn and outcome rewards of multi-turn GRPO (arXiv 2505.11821)."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

from react_envs.core import ReactEnv
from react_envs.errors import ArgumentError, ToolError
from react_envs.rewards.turn_credit import literal_match, xml_format, xml_tags
from react_envs.spaces import TextSpace
from react_envs.tasks import TaskList
from react_envs.types import Episode, Task, Turn
from react_envs.wrappers import EpisodeReward, StepLimit


def search(query: str) -> str:
    """Find pages; "x" finds nothing and says so."""
    if query == "x":
        raise ToolError("no such page, unlike Paris")
    return f"about {query}"


def python(code: str) -> str:
    """Run code."""
    return code


def play(
    reward: Any, *actions: str, dialect: str = "search_r1", gold: str = "Paris"
) -> tuple[list[float], list[dict[str, Any]]]:
    tasks = TaskList([Task("Capital?", (gold,))])
    tools: list[Any] = [search, python, "finish"]
    env = EpisodeReward(StepLimit(ReactEnv(tasks, tools, dialect), 6), reward)
    env.reset(seed=0)
    rewards, infos = [], []
    for action in actions:
        _, reward_of_step, *_, info = env.step(action)
        rewards.append(reward_of_step)
        infos.append(info)
    return rewards, infos


def think(rest: str) -> str:
    return f"<think>t</think>{rest}"


FOUND = think("<search>Paris</search>")
OTHER = think("<search>Rome</search>")
FAILED = think("<search>x</search>")
ANSWER = think("<answer>paris </answer>")


def test_turns_are_paid_as_they_come_and_the_outcome_at_the_end() -> None:
    rewards, infos = play("turn_credit", OTHER, FOUND, ANSWER)
    assert rewards == pytest.approx([0.2, 0.5, 0.5 + 1.0 + 0.2 + 0.2])
    assert infos[0]["turn_rewards"] == pytest.approx({"tool_execution": 0.2, "retrieved": 0.0})
    assert infos[1]["turn_rewards"] == pytest.approx({"tool_execution": 0.0, "retrieved": 0.5})
    assert infos[2]["outcome_reward"] == pytest.approx(1.9)
    assert "outcome_reward" not in infos[1]
    terms = infos[2]["reward_terms"]
    assert (terms["tool_execution"], terms["retrieved"]) == (1.0, 1.0)


def test_the_sum_over_turns_is_the_value_of_the_term_at_the_end() -> None:
    """The published success ratio is of the whole episode; a failure takes its share back."""
    rewards, infos = play({"tool_execution": 0.2}, OTHER, FAILED, FAILED, OTHER, ANSWER)
    assert rewards == pytest.approx([0.2, -0.1, -1 / 30, 1 / 30, 0.0])
    assert infos[-1]["reward_terms"]["tool_execution"] == 0.5
    assert sum(rewards) == pytest.approx(0.2 * 0.5)


def test_a_gold_answer_in_the_results_is_paid_once() -> None:
    rewards, _ = play({"retrieved": 0.5}, FOUND, FOUND, OTHER)
    assert rewards == [0.5, 0.0, 0.0]


def test_an_error_that_names_the_gold_answer_is_no_result() -> None:
    assert play({"retrieved": 0.5}, FAILED)[0] == [0.0]
    tiers = {"name": "search_r1_format", "retrieval": 0.1}
    wrong = think("<answer>Rome</answer>")
    assert sum(play(tiers, FAILED, wrong)[0]) == pytest.approx(0.2)
    assert sum(play(tiers, FOUND, wrong)[0]) == pytest.approx(0.3)


def test_gold_answers_stay_hidden_while_turns_are_paid() -> None:
    _, infos = play("turn_credit", OTHER)
    assert "gold" not in infos[0]
    assert "Paris" not in str(infos[0])


def test_literal_match_forgives_case_and_blanks_alone() -> None:
    def of(answer: str | None) -> float:
        return literal_match(Episode(("Paris", "Lutetia"), (Turn("", "", answer=answer),), None))

    assert [of(" paris"), of("LUTETIA"), of("Paris."), of("the Paris"), of(None)] == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("turn", "form", "tags"),
    [
        ("<think>t</think>\n<search>q</search>", 1.0, 1.0),
        ("<think>t</think>\n<answer>q</answer>", 1.0, 1.0),
        ("<reasoning>t</reasoning><tool>{}</tool>", 1.0, 1.0),
        ("<think>t</think> hm", 0.6, 1.0),
        ("hm <search>q</search>", 0.6, 1.0),
        ("<think>t</think><think>u</think><search>q</search>", 1.0, 0.5),
        ("<think>t <search>q</search>", 1.0, 0.75),
        ("plain", 0.2, 0.0),
    ],
)
def test_xml_format_and_tags_as_published(turn: str, form: float, tags: float) -> None:
    episode = Episode(("1",), (Turn(turn, ""),), None)
    assert xml_format(episode) == pytest.approx(form)
    assert xml_tags(episode) == pytest.approx(tags)


def test_a_tag_used_ten_times_does_not_make_the_term_negative() -> None:
    assert xml_tags(Episode(("1",), (Turn("<think>" * 10, ""),), None)) == 0.0


def test_terms_that_are_paid_per_turn_need_an_environment_with_a_task() -> None:
    class Foreign(gym.Env[str, str]):
        observation_space = action_space = TextSpace()

    with pytest.raises(ArgumentError, match="tool_execution, retrieved are paid per turn"):
        EpisodeReward(Foreign(), "turn_credit")
    EpisodeReward(Foreign(), "exact_match")


@pytest.mark.parametrize("term", ["xml_format", "xml_tags"])
def test_tags_are_those_of_the_dialect_with_or_without_their_stop_string(term: str) -> None:
    def of(*actions: str, dialect: str = "search_r1") -> float:
        return play({term: 1.0}, *actions, dialect=dialect)[1][-1]["reward_terms"][term]

    assert of(FOUND, ANSWER) == 1.0
    assert of(FOUND.removesuffix("</search>"), ANSWER.removesuffix("</answer>")) == 1.0
    assert of(think("<python>1</python>"), think("<python>1"), ANSWER) == 1.0
    coded = "<think>t <begin_python>1</end_python>"
    assert of(coded, "t</think>\\boxed{1}", dialect="autocoa") > 0.5
    assert of("Thought: t\nFinal Answer: Paris", dialect="react") == 0.0
    assert of(" t\nAction 1: Finish[Paris]", dialect="react_paper") == 0.0


def test_a_call_that_cannot_be_read_is_an_attempt_and_an_answer_by_call_is_none() -> None:
    def of(dialect: str, *actions: str) -> float:
        terms = play({"tool_execution": 1.0}, *actions, dialect=dialect)[1][-1]["reward_terms"]
        return terms["tool_execution"]

    call = '<tool_call>{"name": "search", "arguments": {"query": "a"}}</tool_call>'
    bad = "<tool_call>{bad}</tool_call>"
    finish = '<tool_call>{"name": "finish", "arguments": {"answer": "a"}}</tool_call>'
    assert of("hermes", call, bad, bad, bad, "\\boxed{Paris}") == 0.25
    assert of("hermes", call, "hm", finish) == 1.0
    assert of("search_r1", FOUND, think("<search></search>"), "hm", ANSWER) == 0.5
    react = "Action: search\nAction Input: a"
    assert of("react", react, "Action: search", "hm", "Final Answer: a") == 0.5


@pytest.mark.parametrize(
    ("gold", "said", "found"),
    [
        ("U.S.", "the museum", 0.0),
        ("U.S.", "in the US today", 1.0),
        ("U.S.", "the U.S. today", 1.0),
        ("Paris", "a Paris-based firm", 1.0),
        ("the", "anything", 0.0),
        ("New York", "new  york city", 1.0),
        ("12", "in 1912", 0.0),
    ],
)
def test_a_gold_answer_is_retrieved_as_whole_words(gold: str, said: str, found: float) -> None:
    action = think(f"<search>{said}</search>")
    assert play({"retrieved": 1.0}, action, gold=gold)[0] == [found]
