"""ZeroSearch's simulator: useful and noisy documents, and the gold answer kept apart."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.simulators import (
    ContinuingSimulator,
    NoiseSchedule,
    SchemaSimulator,
    SimulatedCall,
    ZeroSearchSimulator,
    set_training_step,
)
from react_envs.tools import Tool
from react_envs.types import Task

DOCUMENTS = "Doc 1: one\n\n\nDoc 2: two \n Doc 3: three\nDoc 4: four\nDoc 5: five\nDoc 6: six"


class Search(Tool):
    name = "search"

    def __call__(self, query: str) -> str:
        """Search."""
        return ""


def call_of(gold: str = "secret", seed: int = 0, query: str = "who?") -> SimulatedCall:
    task = Task("Which one?", (gold,), solution=f"It is {gold}.", metadata={"hint": gold})
    return SimulatedCall(Search(), {"query": query}, task, "episode", "<r>", "</r>", seed)


def test_the_published_schedule() -> None:
    at = NoiseSchedule().at
    assert [at(i / 4) for i in range(5)] == pytest.approx(
        [0.5 * (4 ** (i / 4) - 1) / 3 for i in range(5)]
    )
    assert NoiseSchedule(0.2, 0.6, base=1).at(0.5) == pytest.approx(0.4)


def test_documents_are_cut_and_blank_lines_collapse() -> None:
    simulator = ZeroSearchSimulator(lambda context: DOCUMENTS, k=5)
    text = simulator(call_of()).text
    assert text == "Doc 1: one\nDoc 2: two\nDoc 3: three\nDoc 4: four\nDoc 5: five"
    assert ZeroSearchSimulator(lambda context: DOCUMENTS, k=2)(call_of()).text.endswith("two")


def test_nothing_written_is_said_so() -> None:
    result = ZeroSearchSimulator(lambda context: " ")(call_of())
    assert result.ok
    assert result.text == "No information available"


def test_the_share_of_noisy_queries_follows_training() -> None:
    simulator = ZeroSearchSimulator(lambda context: DOCUMENTS)
    calls = [call_of(seed=seed) for seed in range(400)]
    shares = []
    for progress in (0.0, 0.5, 1.0):
        simulator.progress = progress
        shares.append(sum(simulator.is_noisy(call) for call in calls) / 400)
    assert shares == pytest.approx([0.0, 1 / 6, 0.5], abs=0.07)


def test_noisy_and_useful_are_asked_for_in_other_words() -> None:
    useful, noisy = (ZeroSearchSimulator(str, noise=noise).prompt(call_of()) for noise in (0, 1))
    assert useful != noisy
    assert "who?" in useful
    assert "who?" in noisy


def test_gold_is_shown_by_choice_alone_and_not_to_the_untuned_for_noise() -> None:
    def prompt(**options: Any) -> str:
        return ZeroSearchSimulator(str, **options).prompt(call_of())

    assert "secret" not in prompt() + prompt(few_shot=True)
    assert "secret" in prompt(show_gold=True)
    assert "Which one?" in prompt(show_gold=True)
    assert "secret" in prompt(show_gold=True, noise=1)
    assert "secret" in prompt(show_gold=True, few_shot=True)
    noisy = prompt(show_gold=True, few_shot=True, noise=1)
    assert "secret" not in noisy
    assert "Which one?" not in noisy


GOLD = st.text(alphabet="ΑΒΓΔΕΖΗΘ", min_size=3, max_size=8)  # no prompt of ours has such letters


@given(gold=GOLD, query=st.text(max_size=30), seed=st.integers(0, 2**31), noise=st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_no_prompt_holds_gold_unless_it_is_shown(
    gold: str, query: str, seed: int, noise: float
) -> None:
    call = call_of(gold, seed, query)
    for simulator in (
        ZeroSearchSimulator(str, noise=noise),
        ZeroSearchSimulator(str, noise=noise, few_shot=True),
        SchemaSimulator(str),
        ContinuingSimulator(str),
    ):
        context = simulator.context(simulator.prompt(call), call)
        seen = f"{context.prompt} {context.messages} {context.info} {context.stop}"
        assert gold not in seen.replace(query, "")


@given(golds=st.tuples(GOLD, GOLD))
@settings(max_examples=15, deadline=None)
def test_gold_that_the_simulator_is_shown_never_reaches_the_agent(golds: tuple[str, str]) -> None:
    def transcript(gold: str) -> str:
        read: list[str] = []

        def model(context: Any) -> str:
            read.append(context.prompt)
            return DOCUMENTS

        simulator = ZeroSearchSimulator(model, show_gold=True, noise=0.5)
        env = gym.make("ReactGSM8K-v0", simulate=simulator)
        task = Task("Which one?", (gold,), solution=f"It is {gold}.")
        prompt, info = env.reset(seed=1, options={"task": task})
        seen = [prompt, str({k: v for k, v in info.items() if k != "fingerprint"})]
        for _ in range(3):
            observation, *_, info = env.step("Action: python\nAction Input: who\n")
            seen += [observation, str({k: v for k, v in info.items() if k != "tool_call"})]
        assert gold in "".join(read)
        return "\n".join(seen)

    first, second = (transcript(gold) for gold in golds)
    assert first == second


def test_each_query_gets_the_documents_of_its_own_question() -> None:
    """Published code hands out documents by position, and rows that do not search shift them."""

    def model(context: Any) -> str:
        return "Doc 1: about " + context.prompt.rpartition("Query: ")[2].strip()

    simulator = ZeroSearchSimulator(model, noise=0)
    envs = [gym.make("ReactSimulated-v0", simulate=simulator) for _ in range(4)]
    for number, env in enumerate(envs):
        env.reset(seed=0, options={"index": number})
    for number in (1, 3):  # the others do not search
        *_, info = envs[number].step(f"Action: search\nAction Input: query {number}\n")
        assert info["tool_result"] == f"Doc 1: about query {number}"


def test_policies_by_name_are_json() -> None:
    spec = {
        "name": "zerosearch",
        "policy": {"name": "scripted", "replies": [DOCUMENTS]},
        "noise": {"start": 0.1, "end": 0.2},
    }
    env = gym.make("ReactSimulated-v0", simulate=spec)
    env.reset(options={"index": 0})
    *_, info = env.step("Action: search\nAction Input: who\n")
    assert info["tool_result"].startswith("Doc 1: one")
    set_training_step(env, 1, 2)


@given(k=st.integers(1, 12), written=st.integers(1, 15))
def test_one_document_too_many_is_where_it_ends(k: int, written: int) -> None:
    documents = [f"Doc {number}: text {number}." for number in range(1, written + 1)]
    simulator = ZeroSearchSimulator(lambda context: "\n\n".join(documents), k=k)
    assert simulator.stop(call_of()) == (f"Doc {k + 1}",)
    assert simulator(call_of()).text.split("\n") == documents[:k]
    assert f"Write {k} documents" in simulator.prompt(call_of())


@given(written=st.text(alphabet=st.sampled_from("ab \t\r\n"), max_size=60))
def test_no_line_is_blank_and_no_word_is_lost(written: str) -> None:
    text = ZeroSearchSimulator(str).read(written, call_of())
    assert text.split() == written.split()
    assert all(line == line.strip() != "" for line in text.split("\n")) or text == ""


def test_blanks_without_end_take_no_time() -> None:
    simulator = ZeroSearchSimulator(lambda context: " " * 10**6, most_characters=10**6)
    started = time.perf_counter()
    assert simulator(call_of()).text == "No information available"
    assert time.perf_counter() - started < 2


@given(seed=st.integers(0, 2**31), progress=st.floats(0, 1), later=st.floats(0, 1))
def test_a_query_is_noisy_by_its_seed_and_stays_so(
    seed: int, progress: float, later: float
) -> None:
    simulator = ZeroSearchSimulator(str)
    call = call_of(seed=seed)
    simulator.progress = progress
    noisy = simulator.is_noisy(call)
    assert simulator.is_noisy(call) == noisy
    assert (simulator.prompt(call) == ZeroSearchSimulator(str, noise=1).prompt(call)) == noisy
    simulator.progress = max(progress, later)
    assert simulator.is_noisy(call) or not noisy


def test_the_query_is_one_line_of_the_first_text() -> None:
    assert ZeroSearchSimulator(str).prompt(call_of(query="who\n\n is ")).endswith("Query: who is\n")


def test_an_example_comes_by_choice() -> None:
    plain, shot = (
        ZeroSearchSimulator(str, few_shot=few).prompt(call_of()) for few in (False, True)
    )
    assert "Example" not in plain
    assert shot.index("Example") < shot.index("Query: who?")


def test_nothing_is_remembered_as_nothing() -> None:
    simulator = ZeroSearchSimulator(lambda context: "", memory=True)
    assert [simulator(call_of()).text for _ in range(2)] == ["No information available"] * 2
    assert simulator.written == 1
