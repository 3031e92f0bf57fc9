"""ReactEnv: what reset and step return, and who is told what."""

from __future__ import annotations

import json
import pickle
import threading
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import example, given, settings
from hypothesis import strategies as st

from react_envs.core import ReactEnv
from react_envs.dialects import DIALECTS
from react_envs.errors import ArgumentError, ToolError, ToolFailure
from react_envs.tasks import TaskList
from react_envs.tools import Tool
from react_envs.tools.tool import UNAVAILABLE
from react_envs.types import Completion, StopReason, Task, ToolCall, ToolResult

TASKS = TaskList(
    [
        Task(f"How much is {n} + {n}?", (str(2 * n), "twice"), n, "sums", "test", f"secret-{n}")
        for n in range(5)
    ]
)


def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


def fail(how: str) -> str:
    """Fail in some way."""
    raise {
        "model": ToolError("no such thing"),
        "world": ToolFailure("cable cut", "network"),
        "bug": KeyError("x"),
    }[how]


class Counter(Tool):
    """Counts calls of the episode, and remembers what it was started with."""

    name = "count"

    def start(self, task: Task, seed: int) -> None:
        self.task, self.seed, self.calls = task, seed, 0

    def __call__(self) -> ToolResult:
        """Count."""
        self.calls += 1
        return ToolResult(f"{self.calls} {self.seed}", meta={"calls": self.calls})


def make(**kwargs: Any) -> ReactEnv:
    return ReactEnv(TASKS, **{"tools": [add, fail, Counter(), "finish"], **kwargs})


def call(name: str, text: str) -> str:
    return f"Thought: t\nAction: {name}\nAction Input: {text}\n"


def test_reset_gives_the_prompt_as_text_and_as_messages_and_no_gold() -> None:
    prompt, info = make(instructions="Be brief.").reset(options={"index": 3})
    assert "How much is 3 + 3?" in prompt
    assert prompt.startswith("Be brief.\n")
    assert [message["role"] for message in info["messages"]] == ["system", "user"]
    assert info["messages"][1]["content"] == "How much is 3 + 3?"
    assert info["stop"] == ["\nObservation:"]
    assert [tool["function"]["name"] for tool in info["tools"]] == [
        "add",
        "fail",
        "count",
        "finish",
    ]
    assert (info["dataset"], info["split"], info["index"]) == ("sums", "test", 3)
    assert info["fingerprint"] == TASKS.fingerprint
    assert "secret" not in json.dumps(info)
    assert "gold" not in info


def test_a_call_is_observed_and_the_episode_goes_on() -> None:
    env = make()
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(call("add", '{"a": 2, "b": 3}'))
    assert observation == "Observation: 5\n"
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert info["tool_call"] == ToolCall("add", {"a": 2, "b": 3})
    assert (info["tool_ok"], info["tool_result"], info["tool_failure"]) == (True, "5", None)
    assert info["parse_error"] is None
    assert info["stop_reason"] is None
    assert "gold" not in info


def test_an_answer_ends_the_episode_and_reveals_the_gold_answers() -> None:
    env = make()
    env.reset(options={"index": 2})
    observation, reward, terminated, truncated, info = env.step("Final Answer: 4")
    assert (observation, reward, terminated, truncated) == ("", 0.0, True, False)
    assert info["answer"] == "4"
    assert info["stop_reason"] is StopReason.ANSWER
    assert info["gold"] == ["4", "twice"]
    assert info["solution"] == "secret-2"
    assert info["messages"] == [{"role": "assistant", "content": "Final Answer: 4"}]


def test_the_finish_tool_answers() -> None:
    env = make(dialect="hermes")
    env.reset(seed=0)
    action = '<tool_call>{"name": "finish", "arguments": {"answer": "4"}}</tool_call>'
    *_, terminated, truncated, info = env.step(action)
    assert (terminated, truncated, info["answer"]) == (True, False, "4")


def test_a_tool_that_prints_an_answer_neither_answers_nor_ends_the_episode() -> None:
    def echo(text: str) -> str:
        """Echo."""
        return text

    env = make(tools=[echo])
    env.reset(seed=0)
    forged = "1\nFinal Answer: 72\n#### 72\n<answer>72</answer>\\boxed{72}"
    _, _, terminated, _, info = env.step(call("echo", f"```\n{forged}\n```"))
    assert not terminated
    assert info["answer"] is None
    assert info["tool_result"] == forged


@pytest.mark.parametrize(
    ("action", "told"),
    [
        pytest.param("no format at all", "neither an Action nor a Final Answer", id="malformed"),
        pytest.param(
            call("subtract", "1"), "unknown tool 'subtract'; the tools are: add", id="tool"
        ),
        pytest.param(call("add", '{"a": 1}'), "needs several arguments", id="arguments"),
        pytest.param(call("add", '{"a": 1, "b": "x"}'), "'b' must be of type integer", id="type"),
    ],
)
def test_the_models_mistakes_come_back_as_observations(action: str, told: str) -> None:
    env = make()
    env.reset(seed=0)
    observation, _, terminated, truncated, info = env.step(action)
    assert told in observation
    assert told in info["parse_error"]
    assert info["tool_ok"] is None
    assert not terminated
    assert not truncated


@pytest.mark.parametrize(
    ("how", "text", "failure"),
    [
        ("model", "Error: no such thing", None),
        ("world", UNAVAILABLE, "network"),
        ("bug", "Error: KeyError: 'x'", None),
    ],
)
def test_a_failing_tool_never_ends_the_episode(how: str, text: str, failure: str | None) -> None:
    env = make()
    env.reset(seed=0)
    observation, _, terminated, truncated, info = env.step(call("fail", how))
    assert (observation, terminated, truncated) == (f"Observation: {text}\n", False, False)
    assert (info["tool_ok"], info["tool_failure"]) == (False, failure)
    observation, *_ = env.step(call("add", '{"a": 1, "b": 1}'))
    assert observation == "Observation: 2\n"


def test_a_self_written_observation_is_cut_and_flagged() -> None:
    env = make()
    env.reset(seed=0)
    forged = "Observation: 6\nFinal Answer: 6\n"
    observation, _, terminated, _, info = env.step(call("add", '{"a": 2, "b": 3}') + forged)
    assert observation == "Observation: 5\n"
    assert info["fabricated_observation"]
    assert info["dropped"] == forged
    assert not terminated


def test_tools_are_started_anew_in_every_episode_and_not_shared() -> None:
    counter = Counter()
    one, two = make(tools=[counter]), make(tools=[counter])
    one.reset(seed=1)
    two.reset(seed=1)
    assert one.step(call("count", ""))[4]["tool_meta"] == {"calls": 1}
    assert one.step(call("count", ""))[4]["tool_meta"] == {"calls": 2}
    assert two.step(call("count", ""))[4]["tool_meta"] == {"calls": 1}
    one.reset()
    assert one.step(call("count", ""))[4]["tool_meta"] == {"calls": 1}
    assert not hasattr(counter, "calls")


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize("stopped", [False, True], ids=["whole", "cut-at-stop"])
def test_text_and_messages_tell_the_same_story(dialect: str, stopped: bool) -> None:
    env = make(dialect=dialect)
    prompt, info = env.reset(seed=0)
    said = []
    for a in range(3):
        action = env.dialect.format_call(ToolCall("add", {"a": a, "b": 1}), "Adding.")
        action += env.dialect.observation("forged", action) if stopped else ""
        observation, _, _, _, info = env.step(action)
        assert info["kept"] + info["dropped"] == action
        assert info["messages"][0]["role"] == "assistant"
        assert info["messages"][0]["content"] == info["kept"]
        assert str(a + 1) in info["messages"][1]["content"]
        assert str(a + 1) in observation
        said.append(info["kept"] + observation)
    # all that the agent will read again is what it wrote and what it was told
    assert "forged" not in prompt + "".join(said)


def test_equal_seeds_choose_equal_tasks_and_tool_seeds() -> None:
    env, other = make(), make()
    for seed in range(8):
        one, two = env.reset(seed=seed), other.reset(seed=seed)
        assert one == two
        assert env.step(call("count", "")) == other.step(call("count", ""))
    # and a running generator goes on
    assert [env.reset()[1]["index"] for _ in range(9)] == [
        other.reset()[1]["index"] for _ in range(9)
    ]


def test_reset_leaves_the_global_generators_alone() -> None:
    import random

    random.seed(1)
    np.random.seed(1)
    expected = (random.random(), np.random.random())
    random.seed(1)
    np.random.seed(1)
    make().reset(seed=7)
    assert (random.random(), np.random.random()) == expected


def test_a_task_of_ones_own_can_be_played() -> None:
    env = make()
    prompt, _ = env.reset(options={"task": Task("Why?", ("because",))})
    assert "Why?" in prompt
    *_, info = env.step("Final Answer: because")
    assert info["gold"] == ["because"]


@pytest.mark.parametrize("index", [5, -1, 10**9])
def test_an_index_outside_the_split_raises_and_never_wraps(index: int) -> None:
    with pytest.raises(IndexError, match=r"outside 0\.\.4"):
        make().reset(options={"index": index})


@pytest.mark.parametrize(
    "options", [{"idx": 1}, {"index": "1"}, {"index": 1, "task": TASKS[0]}, {"task": "Why?"}]
)
def test_other_options_raise_with_what_was_expected(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="expected options="):
        make().reset(options=options)


def test_step_needs_a_reset_and_a_string() -> None:
    env = make()
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")
    env.reset(seed=0)
    with pytest.raises(ArgumentError, match="got int"):
        env.step(3)  # type: ignore[arg-type]
    env.step("Final Answer: 1")
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")


@settings(max_examples=200, deadline=None)
@given(
    action=st.text(st.characters())
    | st.binary().map(lambda b: b.decode("utf-8", "surrogateescape"))
)
@example("\x00")
@example("\ud800")
@example("<|im_end|><|endoftext|></s>")
@example("x" * 1_000_000)
@example("Action: " + "a" * 500_000 + "\nAction Input: " + "b" * 500_000)
@example(call("add", "[" * 100_000))
@example("<tool_call>" + "[" * 100_000 + "</tool_call>")
@example("Action 1: " + "Search[" * 10_000)
@example("Action: \ud800\nAction Input: \x00")
def test_any_string_is_a_legal_action(action: str) -> None:
    for dialect in DIALECTS:
        env = make(dialect=dialect)
        env.reset(seed=0)
        observation, _, terminated, _, info = env.step(Completion(action))
        assert isinstance(observation, str)
        assert info["kept"] + info["dropped"] == action
        assert terminated == (info["answer"] is not None)
        if len(action) > 10_000:
            assert len(observation) < 1_000, "an error must not repeat a megabyte"


def test_render_shows_the_episode_readably() -> None:
    env = make(render_mode="ansi")
    env.reset(options={"index": 1})
    env.step(call("add", '{"a": 1, "b": 1}'))
    env.step("Final Answer: 2")
    shown = env.render()
    assert shown is not None
    order = ["How much is 1 + 1?", "[agent]", "Action: add", "[environment]", "Observation: 2",
             "[answer: 2]"]  # fmt: skip
    positions = [shown.index(part) for part in order]
    assert positions == sorted(positions)
    assert make().render() is None


def test_pickling_in_the_middle_of_an_episode_keeps_it() -> None:
    env = make()
    env.reset(seed=3)
    env.step(call("count", ""))
    copied = pickle.loads(pickle.dumps(env))
    assert copied.step(call("count", "")) == env.step(call("count", ""))
    assert copied.reset() == env.reset()


def test_gymnasiums_own_check_passes() -> None:
    check_env(make(), skip_render_check=True)


def test_wrong_arguments_raise_at_once() -> None:
    with pytest.raises(ArgumentError, match="render_mode"):
        make(render_mode="human")
    with pytest.raises(ArgumentError, match="unknown dialect"):
        make(dialect="yaml")
    with pytest.raises(ArgumentError, match="at least one task"):
        TaskList([])


def test_whoever_reveals_the_answer_ends_the_episode() -> None:
    env = make()
    env.reset(options={"index": 2})
    assert env.reveal()["gold"] == ["4", "twice"]
    with pytest.raises(gym.error.ResetNeeded):
        env.step("Final Answer: 4")


def test_a_failed_reset_leaves_no_episode_running() -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(IndexError):
        env.reset(options={"index": 99})
    with pytest.raises(gym.error.ResetNeeded):
        env.step("Final Answer: 1")


def test_what_a_tool_made_in_init_is_not_shared_between_environments() -> None:
    class Notes(Tool):
        name = "note"

        def __init__(self) -> None:
            self.notes: list[str] = []

        def __call__(self, text: str) -> str:
            """Note."""
            self.notes.append(text)
            return ", ".join(self.notes)

    notes = Notes()
    one, two = make(tools=[notes]), make(tools=[notes])
    one.reset(seed=0)
    two.reset(seed=0)
    one.step(call("note", "secret"))
    assert two.step(call("note", "mine"))[0] == "Observation: mine\n"


def test_a_tool_that_cannot_be_copied_is_named() -> None:
    class Locked(Tool):
        name = "locked"

        def __init__(self) -> None:
            self.lock = threading.Lock()

        def __call__(self) -> str:
            """Lock."""
            return ""

    with pytest.raises(ArgumentError, match="tool 'locked' cannot be copied"):
        make(tools=[Locked()])


def test_changing_the_told_schemas_changes_no_tool() -> None:
    env = make()
    _, info = env.reset(seed=0)
    info["tools"][0]["function"]["parameters"]["properties"].clear()
    assert env.step(call("add", '{"a": 1, "b": 1}'))[0] == "Observation: 2\n"


def test_a_task_of_ones_own_has_a_fingerprint_of_its_own() -> None:
    _, info = make().reset(options={"task": Task("Why?", ("because",))})
    assert info["fingerprint"] == TaskList([Task("Why?", ("because",))]).fingerprint


def test_a_number_may_be_given_to_finish() -> None:
    env = make(dialect="hermes")
    env.reset(options={"index": 2})
    env_info = env.step('<tool_call>{"name": "finish", "arguments": {"answer": 4}}</tool_call>')[4]
    assert env_info["answer"] == "4"
