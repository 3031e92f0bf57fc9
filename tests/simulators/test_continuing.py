"""The model that continues the episode: prompt, stop, cut."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.dialects import DIALECTS
from react_envs.simulators import ContinuingSimulator, SimulatedCall
from react_envs.tools import Tool
from react_envs.types import Completion, Context, Task, ToolCall

CLOSED_BY = {
    "react": "\n",
    "react_paper": "Thought 2:",
    "hermes": "</tool_response>",
    "research": "</result>",
    "recall": "</tool_response>",
    "search_r1": "</information>",
    "zerosearch": "</information>",
    "retool": "</interpreter>",
    "autocoa": "</search_result>",
}


class Search(Tool):
    name = "search"

    def __call__(self, query: str) -> str:
        """Search."""
        return ""


def made(dialect: str, policy: Any) -> Any:
    env = gym.make("ReactSimulated-v0", dialect=dialect, simulate=ContinuingSimulator(policy))
    env.reset(seed=0, options={"index": 0})
    return env.unwrapped


def step(env: Any, action: Any = None) -> dict[str, Any]:
    call = ToolCall("search", {"query": "who"})
    text = env.dialect.format_call(call, "I look.", env._before)
    info: dict[str, Any] = env.step(text if action is None else action(text))[-1]
    return info


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_reads_the_episode_and_what_opens_the_result(dialect: str) -> None:
    contexts: list[Context] = []

    def policy(context: Context) -> str:
        contexts.append(context)
        return f" result {len(contexts)}{context.stop[0]}"

    env = made(dialect, policy)
    so_far = env._text
    for number in (1, 2):
        info = step(env)
        context = contexts[-1]
        assert context.prompt.startswith(so_far + info["kept"])
        assert not context.prompt.endswith(" ")
        so_far = env._text
        assert so_far.startswith(context.prompt)  # what it continues is what the agent reads
        assert info["tool_result"] == f"result {number}"
        assert context.stop == (CLOSED_BY[dialect].replace("2", str(number + 1)),)
        assert context.info == {}
        assert context.prompt_token_ids is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_chat_model_s_turn_ends_before_the_header_that_follows(dialect: str) -> None:
    """Engines leave end-of-turn tokens out of the text: only the closing tag is sure to come."""
    env = made(dialect, lambda context: f"found it\n{CLOSED_BY[dialect]}\n")
    assert step(env)["tool_result"] == "found it"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_result_that_is_never_closed_counts_whole(dialect: str) -> None:
    assert step(made(dialect, lambda context: " found it "))["tool_result"] == "found it"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_result_of_nothing_is_a_failure(dialect: str) -> None:
    env = made(dialect, lambda context: f" {context.stop[0]} found too late")
    assert step(env)["tool_failure"] == "empty"


@given(
    written=st.text(alphabet=st.sampled_from("ab <>/\n\tr"), max_size=40),
    closing=st.sampled_from(["\n", "", "</r>", "\n</r>\n\n", "\n</r>\n<h>", "  "]),
)
@settings(deadline=None)
def test_what_is_read_never_holds_what_closes_it(written: str, closing: str) -> None:
    simulator = ContinuingSimulator(str)
    call = SimulatedCall(Search(), {}, Task("?", ("!",)), "e", "<r>", closing)
    (end,) = simulator.stop(call)
    read = simulator.read(written, call)
    assert end
    assert end not in read
    assert read in written
    assert simulator.read(read + end + "more", call) == read


def test_ids_are_left_alone_where_the_policy_cannot_take_them() -> None:
    contexts: list[Context] = []

    def policy(context: Context) -> str:
        contexts.append(context)
        return " 42\n"

    env = made("react", policy)
    step(env, lambda text: Completion(text, prompt_token_ids=[1], token_ids=[2]))
    assert contexts[0].prompt_token_ids is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_exact_ids_are_the_turn_s_and_those_of_the_opening(dialect: str) -> None:
    contexts: list[Context] = []

    class Model:
        def __call__(self, context: Context) -> str:
            contexts.append(context)
            return " 42" + context.stop[0]

        def encode(self, text: str) -> list[int]:
            return list(text.encode())

    env = made(dialect, Model())
    before = env._text
    step(env, lambda text: Completion(text, prompt_token_ids=[1001], token_ids=[1002, 1003]))
    (context,) = contexts
    ids = context.prompt_token_ids
    assert ids is not None
    assert ids[:3] == (1001, 1002, 1003)
    opening = bytes(ids[3:]).decode()
    assert context.prompt.endswith(opening)
    assert context.prompt.startswith(before)
