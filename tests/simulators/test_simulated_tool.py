"""`SimulatedTool`: what a dialect, a trainer and a simulator see of a tool that is played."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.core import ReactEnv
from react_envs.dialects import DIALECTS
from react_envs.errors import ToolError
from react_envs.simulators import (
    NoisySimulator,
    SchemaSimulator,
    SimulatedCall,
    SimulatedTool,
    Simulator,
)
from react_envs.tasks import TaskList
from react_envs.tools import PythonTool, Tool, as_tool
from react_envs.types import Completion, Task, ToolCall, ToolResult

TURN = "Action: search\nAction Input: who\n"


class Listens(Simulator):
    """Says one text, and remembers its calls."""

    def __init__(self, text: str = "said") -> None:
        super().__init__()
        self.text = text
        self.seen: list[SimulatedCall] = []

    def prompt(self, call: SimulatedCall) -> str:
        return f"{call.tool.name} {call.arguments}"

    def write(self, prompt: str, call: SimulatedCall) -> ToolResult:
        self.seen.append(call)
        return ToolResult(self.text)


class Search(Tool):
    """Counts what happens to it."""

    name = "search"

    def __init__(self) -> None:
        self.started: list[int] = []
        self.called = self.closed = 0

    def start(self, task: Task, seed: int) -> None:
        self.started.append(seed)

    def __call__(self, query: str, top: int = 3) -> str:
        """Find passages.

        Args:
            query: words
            top: how many
        """
        self.called += 1
        return f"real {query} {top}"

    def close(self) -> None:
        self.closed += 1


def env_of(simulator: Simulator, dialect: str = "react", question: str = "Who?") -> ReactEnv:
    tasks = TaskList([Task(question, ("gold",))])
    return ReactEnv(tasks, [SimulatedTool(Search(), simulator)], dialect)


def real_tool(env: ReactEnv) -> Search:
    (tool,) = env.tool_list
    assert isinstance(tool, SimulatedTool)
    assert isinstance(tool.real, Search)
    return tool.real


def test_it_says_of_itself_what_the_real_tool_says() -> None:
    def weather(city: str, days: int = 1) -> str:
        """The weather.

        Args:
            city: a name
        """
        return city

    for real in (Search(), PythonTool(), as_tool(weather)):
        played = SimulatedTool(real, Listens())
        assert as_tool(played) is played
        assert played.name == real.name
        assert played.description == real.description
        assert played.parameters == real.parameters
        assert played.spec == real.spec


def test_the_real_tool_is_started_and_closed_but_not_asked() -> None:
    env = env_of(Listens())
    env.reset(seed=0)
    env.step(TURN)
    env.close()
    real = real_tool(env)
    assert (len(real.started), real.called, real.closed) == (1, 0, 1)
    env.reset(seed=0)
    *_, info = env.step(TURN)
    assert info["tool_result"] == "said"


def test_the_call_holds_what_a_simulator_may_know() -> None:
    simulator = Listens()
    env = env_of(simulator)
    prompt, _ = env.reset(seed=0)
    env.step('Thought: I look.\nAction: search\nAction Input: {"query": "who", "top": 2}\n')
    env.step(TURN + "Observation: mine\n")
    first, second = simulator.seen
    assert first.tool is real_tool(env)
    assert first.task is env.task
    assert first.arguments == {"query": "who", "top": 2}
    assert first.episode.startswith(prompt + "Thought: I look.")
    assert (first.opening, first.closing) == ("Observation: ", "\n")
    assert second.episode.startswith(first.episode + "Observation: said\n")
    assert "mine" not in second.episode


@pytest.mark.parametrize("dialect", DIALECTS)
def test_opening_and_closing_are_those_of_the_observation(dialect: str) -> None:
    simulator = Listens("the very words")
    env = env_of(simulator, dialect)
    env.reset(seed=0)
    turn = env.dialect.format_call(ToolCall("search", {"query": "who"}), "I look.", env._before)
    observation, *_, info = env.step(turn)
    (call,) = simulator.seen
    assert observation == call.opening + "the very words" + call.closing
    assert call.episode.endswith(info["kept"])


@pytest.mark.parametrize("dialect", DIALECTS)
@given(text=st.text(max_size=60))
@settings(max_examples=15, deadline=None)
def test_any_text_comes_back_as_if_the_real_tool_had_said_it(dialect: str, text: str) -> None:
    class Says(Search):
        def __call__(self, query: str, top: int = 3) -> str:
            """Find passages."""
            return text

    tasks = TaskList([Task("Who?", ("gold",))])
    seen = []
    for tool in (Says(), SimulatedTool(Says(), Listens(text))):
        env = ReactEnv(tasks, [tool], dialect)
        env.reset(seed=0)
        call = ToolCall("search", {"query": "who"})
        observation, reward, terminated, truncated, info = env.step(
            env.dialect.format_call(call, "", env._before)
        )
        assert (reward, terminated, truncated, info["answer"]) == (0.0, False, False, None)
        seen.append((observation, info["tool_result"], info["messages"]))
    assert seen[0] == seen[1]


def test_a_wrong_call_never_reaches_the_simulator() -> None:
    simulator = Listens()
    env = env_of(simulator, "hermes")
    env.reset(seed=0)
    for call in (ToolCall("serch", {"query": "who"}), ToolCall("search", {"q": "who"})):
        *_, info = env.step(env.dialect.format_call(call, "", env._before))
        assert info["parse_error"]
    assert not simulator.seen
    assert simulator.calls == 0


def test_seeds_differ_between_episodes_calls_and_tools_and_are_the_same_again() -> None:
    def seeds() -> list[int]:
        simulator = Listens()
        env = gym.make("ReactMultiTool-v0", simulate=simulator)
        for seed in (0, 1):
            env.reset(seed=seed, options={"index": 0})
            for tool in ("search", "lookup", "python", "search", "python"):
                env.step(f"Action: {tool}\nAction Input: x\n")
        return [call.seed for call in simulator.seen]

    first = seeds()
    assert len(set(first)) == len(first) == 10
    assert seeds() == first
    assert all(0 <= seed < 2**31 for seed in first)


@pytest.mark.parametrize(
    ("action", "ids"),
    [
        (Completion(TURN, prompt_token_ids=[1, 2], token_ids=[3]), (1, 2, 3)),
        (Completion(TURN, token_ids=[3]), None),
        (Completion(TURN, prompt_token_ids=[1, 2]), None),
        (Completion(TURN + "Observation: x", prompt_token_ids=[1, 2], token_ids=[3]), None),
        (TURN, None),
    ],
)
def test_exact_ids_are_those_of_a_turn_that_was_kept_whole(action: str, ids: Any) -> None:
    simulator = Listens()
    env = env_of(simulator)
    env.reset(seed=0)
    env.step(action)
    assert simulator.seen[0].episode_ids == ids


def test_a_text_that_repeats_what_was_cut_does_not_bring_its_ids_back() -> None:
    """The episode ends with the very words of the action, but not with its tokens."""
    simulator = Listens()
    env = env_of(simulator)
    env.reset(seed=0)
    env.step(TURN)
    again = f"{TURN}Observation: said\n{TURN}"
    *_, info = env.step(Completion(again, prompt_token_ids=[1], token_ids=[2]))
    assert simulator.seen[1].episode.endswith(again)
    assert info["dropped"]
    assert simulator.seen[1].episode_ids is None


def test_environments_share_the_simulator_and_nothing_else() -> None:
    simulator = Listens()
    played = SimulatedTool(Search(), simulator)
    tasks = TaskList([Task("Who?", ("gold",))])
    first, second = (ReactEnv(tasks, [played]) for _ in range(2))
    first.reset(seed=0)
    first.step(TURN)
    assert real_tool(second).started == []
    for env in (first, second):
        (tool,) = env.tool_list
        assert isinstance(tool, SimulatedTool)
        assert tool is not played
        assert tool.simulator is simulator
    assert copy.deepcopy(simulator) is simulator


def test_it_can_be_sent_to_another_process() -> None:
    env = gym.make("ReactMultiTool-v0", simulate={"name": "lying", "memory": True})
    here: Any = env.unwrapped
    again = pickle.loads(pickle.dumps(here.tool_list))
    assert {tool.name for tool in again} == set(here.tools)
    simulators = {id(tool.simulator) for tool in again if isinstance(tool, SimulatedTool)}
    assert len(simulators) == 1  # what the tools share, they share there too
    task = Task("?", ("!",))
    (python,) = (tool for tool in again if tool.name == "python")
    python.start(task, 0)
    assert python(code="print(1)").text == "8"
    python.close()


def test_a_simulator_s_bug_is_a_recorded_failure_and_its_words_are_not_read() -> None:
    """With `show_gold` its exceptions may hold what the agent must not read."""

    def policy(context: Any) -> str:
        raise KeyError("gold")

    env = env_of(SchemaSimulator(policy))
    env.reset(seed=0)
    observation, *_, info = env.step(TURN)
    assert info["tool_failure"] == "simulator"
    assert not info["tool_ok"]
    assert "gold" not in observation + str(info["messages"]) + info["tool_result"]


def test_a_simulator_can_tell_the_agent_what_it_did_wrong() -> None:
    class Strict(Listens):
        def write(self, prompt: str, call: SimulatedCall) -> ToolResult:
            raise ToolError("two words, please")

    env = env_of(Strict())
    env.reset(seed=0)
    *_, info = env.step(TURN)
    assert info["tool_failure"] is None
    assert info["tool_result"] == "Error: two words, please"


def test_a_policy_that_writes_no_text_is_no_result() -> None:
    env = env_of(SchemaSimulator(lambda context: None))
    env.reset(seed=0)
    *_, info = env.step(TURN)
    assert info["tool_failure"] == "simulator"


def test_finish_stays_the_agent_s_own() -> None:
    env = gym.make("ReactGSM8K-v0", tools=["python", "finish"], simulate=(simulator := Listens()))
    env.reset(options={"index": 0})
    _, _, terminated, _, info = env.step("Action: finish\nAction Input: 5\n")
    assert terminated
    assert info["answer"] == "5"
    assert not simulator.seen


@pytest.mark.parametrize(
    "env_id", ["ReactHotpotQA-v0", "ReactBamboogle-v0", "ReactFEVER-v0", "ReactSVAMP-v0"]
)
def test_published_questions_are_played_without_wikipedia(env_id: str, data: Path) -> None:
    env = gym.make(env_id, simulate=(simulator := Listens()))
    env.reset(options={"index": 0})
    here: Any = env.unwrapped
    *_, info = env.step(f"Action: {here.tool_list[0].name}\nAction Input: Paris\n")
    assert info["tool_result"] == "said"
    assert len(simulator.seen) == 1


def test_a_tool_without_a_network_is_as_noisy_as_unavailable() -> None:
    simulator = NoisySimulator(noise=1.0)

    class Down(Search):
        def __call__(self, query: str, top: int = 3) -> str:
            """Find passages."""
            raise ConnectionError("no route")

    env = ReactEnv(TaskList([Task("Who?", ("gold",))]), [SimulatedTool(Down(), simulator)])
    env.reset(seed=0)
    *_, info = env.step(TURN)
    assert info["tool_failure"] == "ConnectionError"
    assert (simulator.calls, simulator.failures) == (1, 1)
