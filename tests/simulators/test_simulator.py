"""`Simulator`: budgets, counts and threads, whatever plays the tool."""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import pytest

from react_envs.agents.policies import make_policy
from react_envs.errors import ArgumentError, PolicyFailure, ToolFailure
from react_envs.registration import IDS
from react_envs.rollout import play, run_episodes
from react_envs.simulators import (
    ContinuingSimulator,
    NoisySimulator,
    SchemaSimulator,
    SimulatedCall,
    SimulatedTool,
    Simulator,
    ZeroSearchSimulator,
    make_simulator,
    set_training_step,
    simulate_tools,
)
from react_envs.tools import Tool, make_tools
from react_envs.types import Completion, Context, Task, ToolResult


class Search(Tool):
    name = "search"

    def __call__(self, query: str) -> str:
        """Search."""
        return f"real {query}"


def call_of(query: str = "who?", seed: int = 0) -> SimulatedCall:
    task = Task("Which one?", ("gold",))
    return SimulatedCall(Search(), {"query": query}, task, f"{query} ", "<r>", "</r>", seed)


def texts(results: list[ToolResult | Exception]) -> list[str]:
    return [result.text for result in results if isinstance(result, ToolResult)]


def play_calls(simulator: Simulator, calls: int = 3, indices: Any = (0,)) -> list[Any]:
    """Episodes that call the tool some times and then answer."""

    def agent(context: Context) -> str:
        number = len(context.turns)
        call = f"Action: python\nAction Input: print({number})\n"
        return call if number < calls else "Final Answer: 1\n"

    return list(run_episodes(lambda: gym.make("ReactGSM8K-v0", simulate=simulator), agent, indices))


def test_a_budget_of_calls_counts_writings_and_not_what_was_remembered() -> None:
    simulator = SchemaSimulator(lambda context: "text", memory=True, max_calls=2)
    assert texts([simulator(call_of(query)) for query in "abab"]) == ["text"] * 4
    with pytest.raises(ToolFailure) as failure:
        simulator(call_of("c"))
    assert failure.value.kind == "budget"
    assert simulator(call_of("a")).text == "text"
    assert (simulator.calls, simulator.written, simulator.failures) == (6, 2, 1)


def test_a_budget_of_nothing_asks_nobody() -> None:
    asked: list[Context] = []

    def policy(context: Context) -> str:
        asked.append(context)
        return "text"

    for limit in ({"max_calls": 0}, {"max_tokens": 0}):
        (record,) = play_calls(SchemaSimulator(policy, **limit), 2)
        assert [turn.tool_failure for turn in record.turns] == ["budget", "budget", None]
        assert record.error is None
        assert record.reward is not None
    assert not asked


def test_a_budget_holds_over_threads_to_the_call() -> None:
    lock, asked = threading.Lock(), Counter[str]()

    def policy(context: Context) -> str:
        with lock:
            asked["policy"] += 1
        return "text"

    simulator = SchemaSimulator(policy, max_calls=10)
    results = simulator.many([call_of(str(number)) for number in range(64)])
    kinds = Counter(getattr(result, "kind", "text") for result in results)
    assert kinds == {"text": 10, "budget": 54}
    assert asked["policy"] == simulator.written == 10
    assert (simulator.calls, simulator.failures) == (64, 54)


def test_tokens_are_four_bytes_each_where_the_engine_does_not_count() -> None:
    simulator = SchemaSimulator(lambda context: "é" * 6)  # 12 bytes
    call = call_of()
    simulator(call)
    read = len(simulator.prompt(call).encode())
    assert simulator.tokens == -(-read // 4) + 3
    counted = SchemaSimulator(lambda context: Completion("text", token_ids=[1, 2]))
    counted(call)
    assert counted.tokens == -(-read // 4) + 2


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (PolicyFailure("long", "context_length"), "context_length"),
        (PolicyFailure("gone"), "policy_failure"),
        (ToolFailure("gone", "connection"), "connection"),
        (ConnectionError("gone"), "ConnectionError"),
        (MemoryError(), "MemoryError"),
        (TypeError("a bug"), "simulator"),
    ],
)
def test_a_failing_policy_is_recorded_and_the_run_goes_on(failure: Exception, kind: str) -> None:
    def policy(context: Context) -> str:
        raise failure

    simulator = SchemaSimulator(policy)
    records = play_calls(simulator, 1, range(3))
    assert [turn.tool_failure for record in records for turn in record.turns] == [kind, None] * 3
    assert [record.stop_reason for record in records] == ["answer"] * 3
    assert [record.error for record in records] == [None] * 3
    assert (simulator.calls, simulator.failures) == (3, 3)


def test_many_raises_a_bug_and_keeps_failures_of_the_world() -> None:
    def policy(context: Context) -> str:
        raise error

    error: Exception = PolicyFailure("gone", "gone")
    simulator = SchemaSimulator(policy)
    assert simulator.many([call_of()] * 2) == [error, error]
    assert simulator.many([]) == []
    error = KeyError("a bug")
    with pytest.raises(KeyError):
        simulator.many([call_of()])


def test_many_answers_in_the_order_of_the_calls() -> None:
    simulator = SchemaSimulator(lambda context: context.prompt.rpartition('"query": "')[2])
    queries = [f"number {n}" for n in range(100)]
    results = texts(simulator.many([call_of(query) for query in queries]))
    assert [result.partition('"')[0] for result in results] == queries


def test_sixteen_threads_count_right() -> None:
    simulator = SchemaSimulator(lambda context: Completion("ab", token_ids=[1]), memory=True)
    start = threading.Barrier(16, timeout=20)

    def work(number: int) -> None:
        start.wait()
        for turn in range(50):
            simulator(call_of(f"{number} {turn}"))
            simulator(call_of(f"{number} {turn}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (simulator.calls, simulator.written, simulator.failures) == (1600, 800, 0)
    assert simulator.memory is not None
    assert (simulator.memory.hits, len(simulator.memory)) == (800, 800)


def test_one_call_s_seed_reaches_the_policy() -> None:
    seeds: list[int] = []

    def policy(context: Context) -> str:
        seeds.append(context.seed)
        return "text"

    SchemaSimulator(policy)(call_of(seed=17))
    assert seeds == [17]


def test_long_results_are_cut() -> None:
    simulator = SchemaSimulator(lambda context: "x" * 50, most_characters=20)
    assert simulator(call_of()).text == "x" * 20
    usual = SchemaSimulator(lambda context: "x" * 50_000)
    assert len(usual(call_of()).text) == 20_000


def test_a_simulator_survives_a_pickle(tmp_path: Path) -> None:
    simulator = NoisySimulator(noise=0.0, memory=tmp_path / "memory.jsonl")
    simulator.progress = 0.5
    simulator(call_of())
    again = pickle.loads(pickle.dumps(simulator))
    assert (again.calls, again.progress, again.noise) == (1, 0.5, simulator.noise)
    assert again(call_of()).text == "real who?"
    assert again.memory.hits == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: SchemaSimulator(str, most_characters=0),
        lambda: SchemaSimulator(str, most_characters=True),
        lambda: SchemaSimulator(str, max_calls=1.5),
        lambda: SchemaSimulator(str, max_tokens=True),
        lambda: SchemaSimulator(str, memory=3),
        lambda: SchemaSimulator(str, memory={"path": None, "mode": "forget"}),
        lambda: SchemaSimulator(str, memory={"file": "x"}),
        lambda: SchemaSimulator(None),
        lambda: ContinuingSimulator({"name": "nobody"}),
        lambda: ContinuingSimulator({"name": "scripted", "lines": []}),
        lambda: ContinuingSimulator({"name": "oracle"}),
        lambda: ZeroSearchSimulator(str, k=True),
        lambda: make_simulator({"name": ["noisy"]}),
        lambda: make_simulator({}),
        lambda: make_simulator(NoisySimulator),  # type: ignore[arg-type]
        lambda: make_simulator({"name": "lying", "noise": 0.5}),
        lambda: simulate_tools(make_tools(["python"]), {"name": "noisy", "only": "python"}),
        lambda: simulate_tools(make_tools(["python"]), {"name": "noisy", "only": []}),
        lambda: simulate_tools(make_tools(["python"]), {"name": "noisy", "only": [["python"]]}),
        lambda: simulate_tools(make_tools(["python"]), {"name": "noisy", "only": 3}),
        lambda: simulate_tools(make_tools(["finish"]), {"name": "noisy", "only": ["finish"]}),
        lambda: simulate_tools([], "noisy"),
    ],
)
def test_what_cannot_be_used_is_an_argument_error(make: Any) -> None:
    with pytest.raises(ArgumentError):
        make()


def test_a_mapping_is_left_as_it_was() -> None:
    spec = {"name": "noisy", "noise": 0.25, "only": ["python"]}
    before = dict(spec)
    simulate_tools(make_tools(["python"]), MappingProxyType(spec))
    simulate_tools(make_tools(["python"]), spec)
    assert spec == before


def test_tools_that_ask_nothing_of_the_world_stay_the_agent_s_own() -> None:
    """A thought and an answer: nobody has to say what comes back of them."""
    tools = simulate_tools(make_tools(["python", Search(), "think", "finish"]), "noisy")
    assert [tool.name for tool in tools] == ["python", "search", "think", "finish"]
    played = [tool for tool in tools if isinstance(tool, SimulatedTool)]
    assert [tool.name for tool in played] == ["python", "search"]
    assert played[0].simulator is played[1].simulator
    with pytest.raises(ArgumentError):
        simulate_tools(tools, {"name": "noisy", "only": ["think"]})


@pytest.mark.parametrize("env_id", [name for name, k in IDS.items() if k["split"] == "synthetic"])
@pytest.mark.parametrize("name", ["noisy", "lying"])
def test_the_bare_name_plays_every_offline_environment(env_id: str, name: str) -> None:
    env = gym.make(env_id, simulate=name)
    record = play(env, make_policy("oracle", env), 3)
    assert record.error is None
    assert record.calls > 0
    noisy = [bool(turn.tool_meta.get("noisy")) for turn in record.turns if turn.tool_ok]
    assert noisy == [name == "lying"] * len(noisy)


def test_simulate_none_is_the_real_tool() -> None:
    env = gym.make("ReactSimulated-v0", simulate=None)
    here: Any = env.unwrapped
    assert [type(tool).__name__ for tool in here.tool_list] == ["PassageSearchTool"]


def test_the_step_of_training_reaches_all_simulators_and_needs_none() -> None:
    env = gym.make("ReactMultiTool-v0", simulate=(simulator := NoisySimulator()))
    set_training_step(env, 3, 4)
    assert simulator.progress == 0.75
    set_training_step(gym.make("ReactGSM8K-v0"), 1, 2)


def test_a_spec_that_is_json_makes_the_same_environment_again() -> None:
    env = gym.make("ReactWiki-v0", simulate={"name": "lying", "only": ["search"]}, mode="passages")
    assert env.spec is not None
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    said = []
    for each in (env, again):
        each.reset(seed=0, options={"index": 0})
        *_, info = each.step("Action: search\nAction Input: who is it\n")
        said.append(info["tool_result"])
    assert said[0] == said[1]
