"""Any tool from its schema."""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import pytest

from react_envs.dialects import DIALECTS
from react_envs.simulators import SchemaSimulator, SimulatedCall
from react_envs.tools import as_tool
from react_envs.types import Context, Task, ToolCall


def weather(city: str, days: int = 1) -> str:
    """The weather in a city.

    Args:
        city: its name
        days: how far ahead
    """
    return ""


def prompt(**arguments: Any) -> str:
    call = SimulatedCall(as_tool(weather), arguments, Task("Which one?", ("gold",)), "episode")
    return SchemaSimulator(str).prompt(call)


def test_the_prompt_is_the_signature_and_the_call_alone() -> None:
    told = prompt(city="Zürich", days=2)
    assert "Tool: weather\n" in told
    assert "The weather in a city." in told
    assert json.dumps(as_tool(weather).parameters, sort_keys=True) in told
    assert '{"city": "Zürich", "days": 2}' in told
    for other in ("Which one?", "gold", "episode"):
        assert other not in told


def test_the_order_of_arguments_does_not_matter() -> None:
    assert prompt(city="Oslo", days=2) == prompt(days=2, city="Oslo")


def test_what_was_not_said_is_a_failure_and_blanks_are_cut() -> None:
    call = SimulatedCall(as_tool(weather), {"city": "Oslo"}, Task("?", ("!",)))
    assert SchemaSimulator(lambda context: "\n rain \n sun \n")(call).text == "rain \n sun"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_plays_a_typed_function_in_every_dialect(dialect: str) -> None:
    contexts: list[Context] = []

    def policy(context: Context) -> str:
        contexts.append(context)
        return "rain"

    env = gym.make(
        "ReactGSM8K-v0", tools=[weather], dialect=dialect, simulate=SchemaSimulator(policy)
    )
    env.reset(options={"index": 0})
    here: Any = env.unwrapped
    call = ToolCall("weather", {"city": "Oslo"})
    observation, *_, info = env.step(here.dialect.format_call(call, "", here._before))
    assert info["tool_result"] == "rain"
    assert "rain" in observation
    assert contexts[0].messages == ({"role": "user", "content": contexts[0].prompt},)
