"""What a simulator wrote: cached, recorded, replayed."""

from __future__ import annotations

import json
import multiprocessing
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from react_envs.agents.policies import make_policy
from react_envs.errors import ArgumentError, ToolFailure
from react_envs.rollout import play, run_episodes
from react_envs.simulators import (
    ContinuingSimulator,
    Memory,
    NoiseSchedule,
    NoisySimulator,
    SchemaSimulator,
    SimulatedCall,
    ZeroSearchSimulator,
)
from react_envs.types import ToolResult


class Counting:
    """A model that never says the same twice."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, context: Any) -> str:
        self.calls += 1
        return f" number {self.calls}\n"


class Hears(SchemaSimulator):
    """Notes its calls."""

    def __init__(self) -> None:
        super().__init__(lambda context: "text")
        self.seen: list[SimulatedCall] = []

    def prompt(self, call: SimulatedCall) -> str:
        self.seen.append(call)
        return super().prompt(call)


def observations(simulator: Any, index: int = 0) -> list[str]:
    env = gym.make("ReactGSM8K-v0", simulate=simulator)
    record = play(env, make_policy("oracle", env), index)
    return [turn.observation for turn in record.turns]


def test_a_cached_call_is_not_written_again() -> None:
    model = Counting()
    simulator = SchemaSimulator(model, memory=True)
    first, again = observations(simulator), observations(simulator)
    assert first == again
    assert model.calls == simulator.written < simulator.calls
    assert simulator.memory is not None
    assert simulator.memory.hits == simulator.calls - model.calls


def test_without_memory_each_call_is_written() -> None:
    model = Counting()
    simulator = SchemaSimulator(model)
    assert observations(simulator) != observations(simulator)
    assert model.calls == simulator.calls


def test_a_file_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    first = observations(SchemaSimulator(Counting(), memory=str(path)))
    model = Counting()
    assert observations(SchemaSimulator(model, memory=str(path))) == first
    assert model.calls == 0


def test_a_record_replays_whole_episodes_without_a_model(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    recorded = observations(ContinuingSimulator(Counting(), memory=Memory(path, "record")))

    def nobody(context: Any) -> str:
        raise AssertionError("a replay asks no model")

    replay = ContinuingSimulator(nobody, memory={"path": str(path), "mode": "replay"})
    assert observations(replay) == recorded
    env = gym.make("ReactGSM8K-v0", simulate=replay)
    env.reset(options={"index": 9})
    *_, info = env.step("Action: python\nAction Input: print('new')\n")
    assert info["tool_failure"] == "not_recorded"


def test_an_empty_record_asks_no_model_either(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text("")
    model = Counting()
    env = gym.make("ReactGSM8K-v0", simulate=SchemaSimulator(model, memory=Memory(path, "replay")))
    env.reset(options={"index": 0})
    *_, info = env.step("Action: python\nAction Input: print(1)\n")
    assert (info["tool_failure"], model.calls) == ("not_recorded", 0)


def test_a_recorder_always_asks_and_the_last_answer_wins(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    simulator = SchemaSimulator(Counting(), memory=Memory(path, "record"))
    observations(simulator)
    last = observations(simulator)
    replay = SchemaSimulator(Counting(), memory=Memory(path, "replay"))
    assert observations(replay) == last


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    memory = Memory(path)
    memory.put("a", ToolResult("1"))
    with path.open("a") as file:
        file.write(json.dumps({"key": "x"}) + "\n" + '{"key": "y", "te')
    again = Memory(path)
    assert again.get("a") == ToolResult("1")
    assert len(again) == 1


def test_a_script_s_memory_tells_noise_and_history_apart() -> None:
    simulator = NoisySimulator(noise=0.0, memory=True)
    env = gym.make("ReactGSM8K-v0", simulate=simulator)
    said = []
    for first in ("x = 1", "x = 2"):
        env.reset(seed=0, options={"index": 0})
        env.step(f"Action: python\nAction Input: {first}\n")
        *_, info = env.step("Action: python\nAction Input: print(x)\n")
        said.append(info["tool_result"])
    simulator.noise = NoiseSchedule(1.0, 1.0)
    env.reset(seed=0, options={"index": 0})
    env.step("Action: python\nAction Input: x = 1\n")
    *_, info = env.step("Action: python\nAction Input: print(x)\n")
    assert [*said, info["tool_result"]] == ["1", "2", "8"]


def test_failures_are_not_remembered() -> None:
    answers = iter(["", "at last"])
    simulator = SchemaSimulator(lambda context: next(answers), memory=True)
    env = gym.make("ReactGSM8K-v0", simulate=simulator)
    env.reset(options={"index": 0})
    turn = "Action: python\nAction Input: print(1)\n"
    assert env.step(turn)[-1]["tool_failure"] == "empty"
    assert env.step(turn)[-1]["tool_result"] == "at last"


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="mode"):
        Memory(mode="keep")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="no record"):
        Memory(tmp_path / "none.jsonl", "replay")
    path = tmp_path / "empty.jsonl"
    path.write_text("")
    replay = Memory(path, "replay")
    with pytest.raises(ToolFailure):
        replay.get("unknown")


def test_what_is_remembered_after_a_torn_line_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    Memory(path).put("a", ToolResult("1"))
    with path.open("a") as file:
        file.write('{"key": "y", "te')
    Memory(path).put("b", ToolResult("2"))
    again = Memory(path)
    again.put("c", ToolResult("3"))
    assert [Memory(path).get(prompt) for prompt in "abc"] == [ToolResult(text) for text in "123"]
    assert len(path.read_text().splitlines()) == 4


def test_lines_that_are_no_memory_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    path.write_bytes(b'3\n[]\nnull\n"text"\n{}\n\n\xff\xfe\n')
    memory = Memory(path)
    assert len(memory) == 0
    memory.put("a", ToolResult("1"))
    assert len(Memory(path)) == 1


@given(prompt=st.text(), text=st.text(), ok=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_from_the_file(
    tmp_path: Path, prompt: str, text: str, ok: bool
) -> None:
    path = tmp_path / "memory.jsonl"
    prompt, text = prompt + "\ud800\u2028\n", text + "\ud800\u2028\r\n"
    result = ToolResult(text, ok, meta={"simulated": True})
    Memory(path, "record").put(prompt, result)
    assert Memory(path, "replay").get(prompt) == result


def _remember(path: str, name: str) -> None:
    memory = Memory(path)
    for number in range(20):
        memory.put(f"{name} {number}", ToolResult(name * 20_000))


def test_processes_may_write_one_file(tmp_path: Path) -> None:
    path = str(tmp_path / "memory.jsonl")
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_remember, args=(path, name)) for name in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    memory = Memory(path, "replay")
    assert len(memory) == 40
    assert memory.get("b 19") == ToolResult("b" * 20_000)


@pytest.mark.parametrize("path", ["", "no/such/folder/memory.jsonl"])
def test_a_path_that_cannot_be_written_is_said_at_once(tmp_path: Path, path: str) -> None:
    for mode in ("cache", "record", "replay"):
        with pytest.raises(ArgumentError):
            Memory(tmp_path / path, mode)


def test_replayed_runs_are_the_recorded_ones_over_any_number_of_threads(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"

    def agent(context: Any) -> str:
        number = len(context.turns)
        seen = context.turns[-1].tool_result if number else "nothing"
        return (
            f"Action: search\nAction Input: after {seen}\n"
            if number < 3
            else f"Final Answer: {seen}\n"
        )

    def run(policy: Any, mode: Any, concurrency: int) -> list[list[str]]:
        simulator = ZeroSearchSimulator(policy, noise=0.5, memory=Memory(path, mode))
        records = run_episodes(
            lambda: gym.make("ReactSimulated-v0", simulate=simulator),
            agent,
            range(6),
            concurrency=concurrency,
        )
        return [[turn.observation for turn in record.turns] for record in records]

    def model(context: Any) -> str:
        return f"Doc 1: {sha256(context.prompt.encode()).hexdigest()[:8]}"

    recorded = run(model, "record", 1)
    assert len({text for observations in recorded for text in observations}) > 6
    nobody = Counting()
    assert [run(nobody, "replay", threads) for threads in (1, 4)] == [recorded, recorded]
    assert nobody.calls == 0


def test_threads_that_write_the_same_at_once_say_the_same(tmp_path: Path) -> None:
    """So a replay of a run over threads is that run."""
    path = tmp_path / "memory.jsonl"
    together, model = threading.Barrier(4, timeout=20), Counting()

    def policy(context: Any) -> str:
        together.wait()  # none has written yet
        return model(context)

    env = gym.make("ReactGSM8K-v0", simulate=(heard := Hears()))
    env.reset(options={"index": 0})
    env.step("Action: python\nAction Input: print(1)\n")
    results = SchemaSimulator(policy, memory=path).many(heard.seen * 4)
    assert model.calls == 4
    replay = SchemaSimulator(policy, memory=Memory(path, "replay"))
    assert results == [replay(call) for call in heard.seen * 4]
    assert len(path.read_text().splitlines()) == 1
