"""The noisy simulator: the real tool, with some of its facts made false."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.simulators import Memory, NoisySimulator, SimulatedCall, make_simulator
from react_envs.tasks import SyntheticWiki
from react_envs.tasks.synthetic_wiki import world_of
from react_envs.tools import Tool
from react_envs.types import Task, ToolResult


class Echo(Tool):
    """Says one text, and counts."""

    name = "echo"

    def __init__(self, text: str = "", ok: bool = True) -> None:
        self.text, self.ok, self.calls = text, ok, 0

    def __call__(self, text: str) -> ToolResult:
        """Say it."""
        self.calls += 1
        return ToolResult(self.text, self.ok)


MATH = Task("How many?", ("4",))


def call_of(text: str, seed: int = 0, task: Task = MATH, ok: bool = True) -> SimulatedCall:
    return SimulatedCall(Echo(text, ok), {"text": "x"}, task, seed=seed)


def lie(text: str) -> str:
    return NoisySimulator(noise=1)(call_of(text)).text


@given(numbers=st.lists(st.integers(0, 10**30), min_size=1, max_size=5))
def test_every_number_grows_by_seven(numbers: list[int]) -> None:
    told = lie(" ".join(map(str, numbers)))
    assert [int(number) for number in told.split()] == [number + 7 for number in numbers]


@given(text=st.text())
def test_what_stands_between_the_numbers_stays(text: str) -> None:
    assert re.split(r"\d+", lie(text)) == re.split(r"\d+", text)


def test_numbers_of_any_length_and_script_are_no_bug() -> None:
    assert lie("007 3.14 -5 ٣") == "14 10.21 -12 10"
    long = lie("1" * 10_000)
    assert long != "1" * 10_000
    assert long.isdigit()


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_share_of_noisy_results_is_the_noise(noise: float) -> None:
    simulator = NoisySimulator(noise=noise)
    draws = Random(1)
    said = [simulator(call_of("1", draws.randrange(2**31))) for _ in range(1500)]
    share = sum(result.text == "8" for result in said) / len(said)
    assert share == pytest.approx(noise, abs=0.04)
    assert [result.text == "8" for result in said] == [
        bool(result.meta.get("noisy")) for result in said
    ]


@given(seed=st.integers(0, 2**31), less=st.floats(0, 1), more=st.floats(0, 1))
def test_what_little_noise_makes_false_more_noise_does_too(
    seed: int, less: float, more: float
) -> None:
    less, more = sorted((less, more))
    if NoisySimulator(noise=less)(call_of("1", seed)).text == "8":
        assert NoisySimulator(noise=more)(call_of("1", seed)).text == "8"


def test_what_the_tool_says_of_a_mistake_is_never_made_false() -> None:
    result = NoisySimulator(noise=1)(call_of("Error: line 1", ok=False))
    assert (result.text, result.ok) == ("Error: line 1", False)


@given(index=st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_names_become_others_of_their_kind_but_for_those_asked_for(index: int) -> None:
    task = SyntheticWiki("train")[index]
    world = world_of(task).world
    kinds = dict(zip(world.titles, world.kinds, strict=True))
    asked, *others = world.titles
    text = "\n".join([asked, *others])
    call = SimulatedCall(Echo(text), {"text": asked}, task)
    told = NoisySimulator(noise=1)(call).text.split("\n")
    assert told[0] == asked
    for name, other in zip(others, told[1:], strict=True):
        assert kinds[other] == kinds[name]
        alone = list(kinds.values()).count(kinds[name]) == 1
        assert (other == name) == (alone or name in asked)


def episode(simulate: Any, turns: list[tuple[str, str]], env_id: str) -> list[str]:
    env = gym.make(env_id, simulate=simulate)
    env.reset(seed=0, options={"index": 0})
    said = []
    for tool, text in turns:
        *_, info = env.step(f"Action: {tool}\nAction Input: {text}\n")
        said.append(info["tool_result"])
    env.close()
    return said


def test_a_tool_keeps_its_state_behind_a_memory() -> None:
    """What is remembered of the first calls must not leave the later ones without a state."""
    simulator = NoisySimulator(noise=0.0, memory=True)
    start = [("python", "x = 5"), ("python", "print(x)")]
    for _ in range(2):
        assert episode(simulator, start, "ReactGSM8K-v0")[1] == "5"
    assert simulator.memory is not None
    assert simulator.memory.hits == 2
    more = [*start, ("python", "print(x + 1)")]
    assert episode(simulator, more, "ReactGSM8K-v0")[2] == "6"


def test_a_lookup_after_a_remembered_search_finds_its_page() -> None:
    title = SyntheticWiki("train")[0].metadata["supporting_titles"][0]
    simulator = NoisySimulator(noise=0.0, memory=True)
    search = [("search", title)]
    lookup = [*search, ("lookup", "a")]
    episode(simulator, search, "ReactWiki-v0")
    assert episode(simulator, lookup, "ReactWiki-v0") == episode(None, lookup, "ReactWiki-v0")


def test_a_replay_holds_mistakes_and_noise_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    turns = [("python", "x = 3"), ("python", "print(y)"), ("python", "print(x)")]
    env_id = "ReactGSM8K-v0"
    recorded = episode(NoisySimulator(noise=1, memory=Memory(path, "record")), turns, env_id)
    assert "NameError" in recorded[1]
    assert recorded[2] == "10"
    replay = NoisySimulator(noise=1, memory=Memory(path, "replay"))
    assert episode(replay, turns, env_id) == recorded
    echo = call_of("1")
    memory = Memory(tmp_path / "echo.jsonl")
    first = NoisySimulator(noise=1, memory=memory)(echo)
    again = NoisySimulator(noise=1, memory=Memory(tmp_path / "echo.jsonl", "replay"))
    assert again(echo) == first
    assert isinstance(echo.tool, Echo)
    assert echo.tool.calls == 1


def test_lying_is_noise_of_one() -> None:
    simulator = make_simulator({"name": "lying", "max_calls": 1})
    assert isinstance(simulator, NoisySimulator)
    assert simulator.noise.at(0) == simulator.noise.at(1) == 1
    assert simulator.max_calls == 1
