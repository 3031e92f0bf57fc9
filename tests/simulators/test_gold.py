"""Gold answers: in no simulator's prompt unless it is shown them, and never in the agent's view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.dialects import DIALECTS
from react_envs.rollout import Policy, play
from react_envs.simulators import (
    SIMULATORS,
    ContinuingSimulator,
    NoisySimulator,
    SchemaSimulator,
    Simulator,
    ZeroSearchSimulator,
)
from react_envs.tasks import TaskList
from react_envs.types import Context, Task, ToolCall

GOLD = st.text(alphabet="ΑΒΓΔΕΖΗΘ", min_size=3, max_size=8)  # letters that nobody else writes

BLIND: dict[str, Callable[[Policy], Simulator]] = {
    "noisy": lambda policy: NoisySimulator(noise=0.5),
    "lying": lambda policy: NoisySimulator(noise=1),
    "schema": SchemaSimulator,
    "continue": ContinuingSimulator,
    "zerosearch": lambda policy: ZeroSearchSimulator(policy, noise=0.5),
    "zerosearch few-shot": lambda policy: ZeroSearchSimulator(policy, noise=0.5, few_shot=True),
}


class Reads:
    """A policy that notes all it is given, and writes by the number of its call alone."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, context: Context) -> str:
        self.seen.append(repr(context))
        return f"Doc 1: number {len(self.seen)}\n"


def agent_s_view(simulator: Simulator, gold: str, dialect: str, calls: int, seed: int) -> str:
    """All that an agent or its trainer reads before the end of an episode."""
    env = gym.make("ReactGSM8K-v0", dialect=dialect, simulate=simulator)
    task = Task(
        "Which one?", (gold, f"the {gold}"), solution=f"It is {gold}.", metadata={"hint": gold}
    )
    prompt, info = env.reset(seed=seed, options={"task": task})
    here: Any = env.unwrapped
    info.pop("fingerprint")  # a digest of the whole task
    seen = [prompt, repr(info)]
    for number in range(calls):
        call = ToolCall("python", {"code": f"print({number})"})
        action = here.dialect.format_call(call, "", here._before)
        observation, reward, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            break
        info["tool_meta"] = {k: v for k, v in info["tool_meta"].items() if not k.endswith("_s")}
        seen.append(repr((observation, reward, info)))
    env.close()
    return "\n".join(seen)


def test_the_list_of_simulators_is_whole() -> None:
    assert {name.split()[0] for name in BLIND} == set(SIMULATORS)


@pytest.mark.parametrize("name", BLIND)
@given(
    gold=GOLD,
    dialect=st.sampled_from(list(DIALECTS)),
    seed=st.integers(0, 2**31 - 1),
    progress=st.floats(0, 1),
)
@settings(max_examples=12, deadline=None)
def test_no_prompt_holds_a_gold_answer(
    name: str, gold: str, dialect: str, seed: int, progress: float
) -> None:
    prompts: list[str] = []
    policy = Reads()
    simulator = BLIND[name](policy)
    simulator.progress = progress
    own = simulator.prompt
    simulator.prompt = lambda call: prompts.append(own(call)) or prompts[-1]  # type: ignore
    view = agent_s_view(simulator, gold, dialect, 2, seed)
    assert prompts
    assert gold not in "\n".join([*prompts, *policy.seen])
    assert gold not in view


@given(
    golds=st.tuples(GOLD, GOLD),
    dialect=st.sampled_from(list(DIALECTS)),
    seed=st.integers(0, 2**31 - 1),
    noise=st.floats(0, 1),
    few_shot=st.booleans(),
    limit=st.integers(0, 3),
)
@settings(max_examples=40, deadline=None)
def test_what_the_agent_sees_does_not_depend_on_the_gold_that_its_simulator_is_shown(
    golds: tuple[str, str], dialect: str, seed: int, noise: float, few_shot: bool, limit: int
) -> None:
    views = []
    for gold in golds:
        policy = Reads()
        simulator = ZeroSearchSimulator(
            policy, show_gold=True, noise=noise, few_shot=few_shot, max_calls=limit, memory=True
        )
        views.append(agent_s_view(simulator, gold, dialect, 3, seed))
        told = [gold in seen for seen in policy.seen]
        assert all(told) or few_shot
    assert views[0] == views[1]


def test_gold_in_a_document_scores_nothing_by_itself() -> None:
    def agent(context: Context) -> str:
        call = "Action: python\nAction Input: print(1)\n"
        return "Final Answer: 1\n" if context.turns else call

    def tells(context: Context) -> str:
        return context.prompt  # all it knows

    env = gym.make("ReactGSM8K-v0", simulate=ZeroSearchSimulator(tells, show_gold=True, noise=0))
    env.unwrapped.tasks = TaskList([Task("Which one?", ("987654",))])  # type: ignore[attr-defined]
    record = play(env, agent, 0)
    assert "987654" in record.turns[0].observation  # a document like any other
    assert (record.reward, record.answer) == (0.0, "1")


def test_all_answers_are_told_and_the_question() -> None:
    policy = Reads()
    agent_s_view(ZeroSearchSimulator(policy, show_gold=True, noise=1), "ΑΒΓ", "react", 1, 0)
    (seen,) = policy.seen
    assert "Which one?" in seen
    assert "ΑΒΓ or the ΑΒΓ" in seen
    assert "It is ΑΒΓ" not in seen
