"""The `react_paper` dialect: ReAct's notebooks, turn by turn."""

from __future__ import annotations

from typing import Any

import pytest

from react_envs.core import ReactEnv
from react_envs.dialects import make_dialect
from react_envs.tasks import TaskList
from react_envs.tools import as_tool
from react_envs.types import StopReason, Task, ToolCall
from react_envs.wrappers import EpisodeReward, StepLimit


def search(entity: str) -> str:
    """Find a page."""
    return f"page of {entity}\\n."


def lookup(keyword: str) -> str:
    """Find a sentence of the page."""
    return f"(Result 1 / 1) {keyword}"


TOOLS = [as_tool(search), as_tool(lookup)]
react = make_dialect("react_paper").for_tools(TOOLS)
FIRST, SECOND = "Question: q\nThought 1:", "\nObservation 1: x\nThought 2:"
ASKED = "\nAction 2:"


@pytest.mark.parametrize(
    ("action", "call"),
    [
        (" I look.\nAction 1: Search[Paris]", ToolCall("search", "Paris")),
        (" I look.\nAction 1: search[Paris]\n", ToolCall("search", "Paris")),
        ("Thought 1: I look.\nAction 1: Lookup[a [b] c]", ToolCall("lookup", "a [b] c")),
        ("I look.\nAction: Search[two\nlines]", ToolCall("search", "two\nlines")),
        ("Action 1: Search[a]\nAction 2: Search[b]", ToolCall("search", "a")),
    ],
)
def test_forms_of_an_action(action: str, call: ToolCall) -> None:
    assert react.parse(action, FIRST).call == call


@pytest.mark.parametrize(
    ("action", "told"),
    [
        pytest.param("x\nAction 1: SEARCH[Paris]", "sEARCH[Paris]", id="first-letter-only"),
        pytest.param("x\nAction 1: Browse[Paris]", "browse[Paris]", id="unknown"),
        pytest.param("x\nAction 1: search Paris", "search Paris", id="no-brackets"),
        pytest.param("x\nAction 1: ", "", id="empty"),
        pytest.param("x\nAction 1:", "", id="nothing"),
    ],
)
def test_other_actions_are_invalid_in_their_words(action: str, told: str) -> None:
    turn = react.parse(action, FIRST)
    assert turn.error == f"Invalid action: {told}"
    assert not turn.unfinished


def test_finish_answers_whatever_the_tools_and_may_be_empty() -> None:
    assert react.parse("x\nAction 3: Finish[Paris, France ]").answer == "Paris, France"
    assert react.parse("x\nAction 3: finish[]").answer == ""


def test_an_observation_of_the_agents_own_is_cut() -> None:
    turn = react.parse("x\nAction 1: Search[a]\nObservation 1: b\nThought 2: c", FIRST)
    assert turn.call == ToolCall("search", "a")
    assert turn.fabricated_observation
    assert turn.kept.endswith("Search[a]")


def test_a_turn_without_an_action_is_asked_for_it_and_then_anything_is_one() -> None:
    turn = react.parse(" I think.\nAnd more.", SECOND)
    assert turn.unfinished
    assert (turn.kept, turn.dropped) == (" I think.", "\nAnd more.")
    assert react.observation(turn.error or "", turn.kept, SECOND, error=True) == ASKED
    assert react.parse(" Search[a]\nThought 3: b", ASKED).call == ToolCall("search", "a")
    nonsense = react.parse("I still think.", ASKED)
    assert nonsense.error == "Invalid action: i still think."
    assert not nonsense.unfinished
    told = react.observation(nonsense.error, nonsense.kept, ASKED, error=True)
    assert told == "\nObservation 2: Invalid action: i still think.\nThought 3:"


def test_numbers_go_on_from_the_scaffold() -> None:
    assert react.observation("x", " t\nAction 9: Search[a]", SECOND) == (
        "\nObservation 2: x\nThought 3:"
    )
    assert react.format_call(ToolCall("search", "a"), "t", SECOND) == " t\nAction 2: Search[a]"
    assert react.format_call(ToolCall("search", "a"), "t", ASKED) == " Search[a]"
    assert react.format_answer("b", "t") == "Thought 1: t\nAction 1: Finish[b]"


def test_only_the_published_form_takes_out_written_line_breaks() -> None:
    published = make_dialect({"name": "react_paper", "published": True})
    assert "a b" in published.observation("a\\n b", "")
    assert "a\\n b" in react.observation("a\\n b", "")


def make(reward: str = "react") -> Any:
    limits = react.limits
    env = ReactEnv(TaskList([Task("Capital?", ("Paris",))]), [search, lookup], "react_paper")
    return EpisodeReward(
        StepLimit(env, limits.max_turns or 0, limits.on_limit, limits.note), reward
    )


def test_the_transcript_is_the_notebooks() -> None:
    env = make()
    text, _ = env.reset(seed=0)
    for action in (" I look.\nAction 1: Search[Paris]", " I know.\nAction 2: Finish[paris]"):
        observation, reward, *_, info = env.step(action)
        text += info["kept"] + observation
    assert reward == 1.0
    assert text.split("Question: ")[1] == (
        "Capital?\nThought 1: I look.\nAction 1: Search[Paris]\nObservation 1: page of Paris\\n.\n"
        "Thought 2: I know.\nAction 2: Finish[paris]"
    )


def test_a_recovery_is_no_turn_and_the_seventh_ends_with_an_empty_answer() -> None:
    env = make()
    env.reset(seed=0)
    steps = 0
    for turn in range(1, 8):
        observation, _, _, truncated, info = env.step(" I think.")
        steps += 1
        assert info["unfinished"]
        assert observation == f"\nAction {turn}:"
        assert not truncated
        observation, reward, terminated, truncated, info = env.step(" Search[a]")
        steps += 1
        assert info["tool_ok"]
        assert truncated == (turn == 7)
    assert steps == 14
    assert (terminated, info["answer"], reward) == (False, "", 0.0)
    assert info["stop_reason"] is StopReason.MAX_STEPS
    assert info["reward_terms"]["exact_match"] == 0.0


def test_messages_tell_a_chat_model_the_same() -> None:
    env = make()
    env.reset(seed=0)
    *_, info = env.step("I think.")
    assert info["messages"][1]["content"].startswith("Observation: Error: found no Action.")
    *_, info = env.step("Search[a]")
    assert info["messages"][1] == {"role": "user", "content": "Observation: page of a\\n."}


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (" t\nAction 2: Search[a]", ToolCall("search", "a")),
        (" t\nAction 3: Search[a]", None),
        (" t\nAction 2:Search[a]", None),
        (" t\nAction 2: Search[a]\nAction 2: Search[b]", None),
        ("\nAction 2: Search[a]", None),
        ("Action 5: Search[a]", None),
        (" t\nAction 2: Search[a]\nThought 3: u[b]", ToolCall("search", "a]\nThought 3: u[b")),
    ],
)
def test_the_published_code_splits_at_the_action_of_its_own_number(
    action: str, outcome: ToolCall | None
) -> None:
    dialect, before = make_dialect({"name": "react_paper", "published": True}), "o\nThought 2:"
    turn = dialect.parse(action, before)
    assert turn.call == outcome
    assert turn.unfinished == (outcome is None)
    if outcome is None:
        told = dialect.observation(turn.error or "", turn.kept, before, error=True)
        assert told == "\nAction 2:"
        assert "\n" not in turn.kept.strip()
    assert make_dialect("react_paper").parse(" t\nAction 3: Search[a]", before).call is not None


def test_a_think_action_is_a_tool_like_any_other() -> None:
    for tools, told in (([], "Invalid action: think[hm]"), (["think"], "Nice thought.")):
        env = ReactEnv(TaskList([Task("q", ("a",))]), tools, "react_paper")
        env.reset(seed=0)
        assert env.step(" t\nAction 1: Think[hm]")[0] == f"\nObservation 1: {told}\nThought 2:"
