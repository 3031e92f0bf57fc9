"""Small laws, each found by breaking the code on purpose and seeing no other test die."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import pytest

from react_envs.agents.policies import OraclePolicy, ProgramPolicy, ReplayPolicy
from react_envs.core import ReactEnv
from react_envs.dialects import HermesDialect, ReactDialect
from react_envs.errors import ArgumentError, PolicyFailure, ToolError, ToolFailure
from react_envs.evaluation import evaluate, wilson_interval
from react_envs.registration import ENTRY_POINTS, IDS
from react_envs.rewards.terms import PRESETS
from react_envs.rollout import episode_seed, play, run_episodes
from react_envs.tasks import DATASETS, TaskList, load_tasks
from react_envs.tools import PythonTool, Tool, call_tool
from react_envs.tools.schema import bind_arguments, parameters_of
from react_envs.types import Context, Task, ToolCall, ToolResult
from react_envs.wrappers import (
    EpisodeReward,
    FormatReward,
    Record,
    StepLimit,
    Transcript,
)

TASKS = TaskList([Task(f"{n}?", (str(n),), index=n, dataset="d", split="s") for n in range(10)])
TASK = TASKS[1]
CALL = "Action: echo\nAction Input: hello\n"
react, hermes = ReactDialect(), HermesDialect()


def echo(text: str) -> str:
    """Echo."""
    return text


def fail(how: str) -> str:
    """Fail."""
    raise {"model": ToolError("no"), "world": ToolFailure("cut", "network")}[how]


def limited(**kw: Any) -> StepLimit:
    return StepLimit(ReactEnv(TASKS, [echo, fail, "finish"]), **kw)


# ---- core
def test_announcement_of_an_answered_episode_does_not_reach_the_next() -> None:
    env = limited(max_steps=3, on_limit="answer")
    env.reset(seed=0)
    env.step(CALL)
    env.step("Final Answer: 1")  # in the turn whose observation would have announced the last
    env.reset(seed=0)
    assert env.step(CALL)[0] == "Observation: hello\n"


def test_each_episode_gives_its_tools_another_seed() -> None:
    class Seeded(Tool):
        name = "seeded"

        def start(self, task: Task, seed: int) -> None:
            self.seed = seed

        def __call__(self) -> str:
            """Tell the seed."""
            return str(self.seed)

    env = ReactEnv(TASKS, [Seeded()])
    said = []
    for seed in range(5):
        env.reset(seed=seed)
        said.append(env.step("Action: seeded\nAction Input:\n")[0])
    assert len(set(said)) == 5


def test_an_index_may_be_a_numpy_integer() -> None:
    assert ReactEnv(TASKS).reset(options={"index": np.int64(3)})[1]["index"] == 3


def test_finish_still_answers_in_a_turn_that_must_answer() -> None:
    env = limited(max_steps=2, on_limit="answer")
    env.reset(options={"index": 1})
    assert "last turn" in env.step(CALL)[0]
    *_, terminated, truncated, info = env.step("Action: finish\nAction Input: 1\n")
    assert (terminated, truncated, info["answer"]) == (True, False, "1")


def test_a_note_is_said_once() -> None:
    env = ReactEnv(TASKS, [echo])
    env.reset(seed=0)
    env.require_answer("Answer now.")
    assert "Answer now." in env.step(CALL)[0]
    assert "Answer now." not in env.step(CALL)[0]


def test_info_shares_no_meta_with_the_tool() -> None:
    META = {"x": 1}

    class T(Tool):
        name = "t"

        def __call__(self) -> ToolResult:
            """T."""
            return ToolResult("", meta=META)

    env = ReactEnv(TASKS, [T()])
    env.reset(seed=0)
    env.step("Action: t\nAction Input:\n")[4]["tool_meta"].clear()
    assert META == {"x": 1}


def test_render_shows_one_episode_and_close_closes_the_tools() -> None:
    closed = []

    class Closing(Tool):
        name = "closing"

        def __call__(self) -> str:
            """Do."""
            return ""

        def close(self) -> None:
            closed.append(1)

    env = ReactEnv(TASKS, [Closing()], render_mode="ansi")
    env.reset(options={"index": 1})
    env.reset(options={"index": 2})
    assert "1?" not in str(env.render())
    env.close()
    assert closed == [1]


def test_an_observation_begins_a_line_whatever_the_agent_wrote() -> None:
    env = ReactEnv(TASKS, [echo])
    env.reset(seed=0)
    assert env.step(CALL.rstrip("\n"))[0] == "\nObservation: hello\n"


# ---- react
@pytest.mark.parametrize(
    "written", ["Observation 1: 5", "**Observation:** 5", "  Observation: 5", "Observation：5"]
)
def test_written_forms_of_an_invented_observation(written: str) -> None:
    turn = react.parse(f"Action: python\nAction Input: 1\n{written}\n")
    assert turn.fabricated_observation
    assert "5" not in turn.kept


def test_small_forms_of_react() -> None:
    assert react.parse("Action: python\naction input: 1\n").call == ToolCall("python", "1")
    assert not react.parse("Action: a\nAction Input: 1\nObservation: \n").fabricated_observation
    two = "Action: a\nAction Input: 1\nAction: b\nAction Input: 2\n"
    assert react.parse(two).call == ToolCall("a", "1"), "the first call counts"
    assert react.parse("Final Answer: 1\nFinal Answer: 2").answer == "1"
    error = react.parse("Action: a\nThought: x\nAction Input: 1\n")
    assert (error.kept, error.dropped) == ("Action: a\n", "Thought: x\nAction Input: 1\n")
    assert react.parse("Action: a\nand why\nAction Input: 1\n").call == ToolCall("a", "1")
    assert react.message("4") == {"role": "user", "content": "Observation: 4"}
    assert ReactDialect().on_conflict == "final_wins"
    behind = "Final Answer: 5\nObservation: 1\n</think>\n"
    assert react.parse(behind).answer == "5", "what is cut is not searched"
    assert react.prompt("I.", "Why?") == "I.\n\nQuestion: Why?\n"


def test_a_fence_in_a_second_input_hides_no_field() -> None:
    text = "Action: a\nAction Input: 1\nAction: b\nAction Input: ```\nFinal Answer: 2\n```\n"
    assert react.parse(text).answer is not None


def test_code_with_fences_is_written_in_a_longer_one() -> None:
    call = ToolCall("python", "x = '''\n```\n'''")
    assert react.parse(react.format_call(call)).call == call


# ---- hermes
def test_small_forms_of_hermes() -> None:
    assert not hermes.parse("\\boxed{1}<tool_response> \n").fabricated_observation
    assert hermes.parse('<tool_call>{"name": "f"}</tool_call>').call == ToolCall("f", {})
    assert '"name" (a string)' in str(
        hermes.parse('<tool_call>{"name": 3, "arguments": {}}</tool_call>').error
    )
    assert hermes.parse('<tool_call>{"name": "f"}\n').dropped == ""
    assert hermes.parse('<tool_call>{"name": "f"} so \\boxed{1}').dropped == " so \\boxed{1}"
    assert hermes.parse("\\boxed{ }").answer is None
    assert hermes.parse("\\boxed{5}<tool_response>1\n</think>").answer == "5"
    assert hermes.parse("\\boxed{5}<tool_response>\\boxed{6}").answer == "5"
    assert "Extra data" in str(hermes.parse('<tool_call>{"name": "f"} {}</tool_call>').error)
    for depth, refused in ((48, False), (49, True)):
        body = '{"name": "f", "arguments": {"x": ' + "[" * depth + "]" * depth + "}}"
        assert (hermes.parse(f"<tool_call>{body}</tool_call>").error is not None) == refused


@pytest.mark.parametrize(
    "text",
    [
        "\n<think>\\boxed{9}</think>\\boxed{4}",
        "<think>a</think>\\boxed{4} </think> no",
        "\\boxed{9}\n \t</think>\\boxed{4}",
    ],
)
def test_where_a_thought_ends(text: str) -> None:
    assert hermes.parse(text).answer == "4"


def test_where_a_thought_ends_b() -> None:
    assert hermes.parse("\n<think>\\boxed{9}").answer is None


# ---- schema
def odd(*, level: Literal[1, 2] = 1, table: dict[str, int] | None = None) -> str:
    """Do.

    Args:
        level: how much

        table: what
    """
    return ""


def test_keyword_only_literal_numbers_and_typed_dicts_have_schemas() -> None:
    assert parameters_of(odd)["properties"] == {
        "level": {"type": "integer", "enum": [1, 2], "default": 1, "description": "how much"},
        "table": {
            "anyOf": [{"type": "object"}, {"type": "null"}],
            "default": None,
            "description": "what",
        },
    }


def test_conversions_of_arguments() -> None:
    def second(top_k: int = 3, *, query: str) -> str:
        """Search."""
        return query

    def free(words: list[str] | None = None, flag: bool = False) -> str:
        """Do."""
        return ""

    assert bind_arguments(parameters_of(second), "who?") == {"query": "who?"}
    assert bind_arguments(parameters_of(odd), "2") == {"level": 2}
    schema = parameters_of(free)
    assert bind_arguments(schema, {"words": '["a"]'}) == {"words": ["a"]}
    assert bind_arguments(schema, {"words": "null"}) == {"words": None}
    with pytest.raises(ToolError, match="must be of type string"):
        bind_arguments(parameters_of(second), {"query": True})
    big = "12345678901234567891"
    assert bind_arguments(parameters_of(second), {"query": "", "top_k": big})["top_k"] == int(big)
    with pytest.raises(ToolError, match=r"top_k \(integer\), query \(string, required\)"):
        bind_arguments(parameters_of(second), {})
    enum = {"properties": {"x": {"enum": ["1"]}}, "required": []}
    with pytest.raises(ToolError, match="must be one of"):
        bind_arguments(enum, {"x": 1})


# ---- python tool
def test_a_closed_or_copied_python_tool_keeps_its_seed_and_options() -> None:
    tool = PythonTool(show_last_value=True)
    tool.start(TASK, seed=7)
    draw = {"code": "import random; random.random()"}
    first = call_tool(tool, draw)
    tool.close()
    again = call_tool(tool, draw)
    assert first.text == again.text != "(no output; use print())"
    assert first.meta["printed"]
    tool.close()


def test_meta_of_the_python_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    result = SimpleNamespace(
        text="7", status="ok", stdout="", value="7", cpu_s=0.1, wall_s=0.5, truncated=True
    )
    tool = PythonTool()
    monkeypatch.setattr(type(tool.session), "run", lambda self, code: result)
    meta = call_tool(tool, {"code": "7"}).meta
    assert (meta["cpu_s"], meta["wall_s"], meta["truncated"], meta["printed"]) == (
        0.1,
        0.5,
        True,
        True,
    )


def test_close_ends_the_interpreters_process(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = PythonTool()
    session, closed = tool.session, []
    monkeypatch.setattr(type(session), "close", lambda self: closed.append(self))
    tool.close()
    assert closed == [session]


# ---- wrappers
def test_the_stop_reason_of_an_inner_limit_stays() -> None:
    class Stopped(gym.Wrapper):
        def step(self, action: str) -> Any:
            observation, reward, terminated, _, info = super().step(action)
            return observation, reward, terminated, True, {**info, "stop_reason": "budget"}

    env = StepLimit(Stopped(ReactEnv(TASKS, [echo])), 1)
    env.reset(seed=0)
    assert env.step(CALL)[4]["stop_reason"] == "budget"


def test_totals_begin_anew_and_count_failures_apart() -> None:
    env = EpisodeReward(limited(max_steps=4), grader="numeric")
    for _ in range(2):
        env.reset(options={"index": 1})
        env.step("Action: fail\nAction Input: model\n")
        env.step("Action: fail\nAction Input: world\n")
        *_, info = env.step("Final Answer: 1")
        totals = info["episode"]
        assert (totals["r"], totals["l"]) == (1.0, 3)
        assert (totals["tool_calls"], totals["tool_failures"]) == (2, 1)
        assert info["reward_terms"]["tool_use"] == 0.0


def test_an_unanswered_episode_has_no_format() -> None:
    env = EpisodeReward(limited(max_steps=1))
    env.reset(seed=0)
    assert env.step(CALL)[4]["reward_terms"]["format"] == 0.0


def test_each_line_of_a_record_is_of_its_own_episode(tmp_path: Path) -> None:
    env = Record(EpisodeReward(limited(max_steps=2)), tmp_path / "x")
    for _ in range(2):
        env.reset(options={"index": 1})
        env.step("Final Answer: 1")
    for line in map(json.loads, (tmp_path / "x").read_text().splitlines()):
        assert (line["rewards"], line["reward"], len(line["turns"])) == ([1.0], 1.0, 1)
        assert line["fingerprint"] == TASKS.fingerprint
        assert line["episode"]["r"] == 1.0


def test_a_line_is_whole_though_the_system_takes_it_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from react_envs.wrappers import record

    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    record.append_json_line(tmp_path / "x", {"text": "x" * 100})
    monkeypatch.undo()
    assert json.loads((tmp_path / "x").read_text()) == {"text": "x" * 100}


@pytest.mark.parametrize(
    "wrap",
    [
        Transcript,
        EpisodeReward,
        FormatReward,
        lambda env: StepLimit(env, 2),
        lambda env: Record(env, "/dev/null"),
    ],
)
def test_wrappers_hand_on_seed_and_options(wrap: Any) -> None:
    assert wrap(ReactEnv(TASKS)).reset(options={"index": 7})[1]["index"] == 7
    for seed in range(4):
        assert (
            wrap(ReactEnv(TASKS)).reset(seed=seed)[1]["index"]
            == ReactEnv(TASKS).reset(seed=seed)[1]["index"]
        )


# ---- rollout
def test_what_a_record_sums_up() -> None:
    class Paid(gym.Wrapper):
        def step(self, action: str) -> Any:
            observation, reward, *rest = super().step(action)
            return observation, float(reward) + 0.5, *rest

    def policy(context: Context) -> str:
        time.sleep(0.01)
        assert context.stop == ("\nObservation:",)
        return "Final Answer: 1" if context.turns else "Action: fail\nAction Input: model\n"

    record = play(Paid(EpisodeReward(limited(max_steps=3), grader="numeric")), policy, 1)
    assert (record.reward, record.calls) == (2.0, 1), "a call that failed is a call"
    assert record.seconds >= 0.02


def test_a_bug_stops_an_ordered_run_behind_a_slow_episode() -> None:
    played: list[int] = []

    def policy(context: Context) -> str:
        index = context.info["index"]
        played.append(index)
        if index == 0:
            time.sleep(0.3)
        if index == 1:
            raise ZeroDivisionError
        time.sleep(0.02)
        return "Final Answer: 1"

    with pytest.raises(ZeroDivisionError):
        list(run_episodes(lambda: limited(max_steps=2), policy, [0, 1, *[2] * 100], concurrency=2))
    assert len(played) < 8, "neither waits for the first episode nor begins those in the queue"


def test_closing_begins_no_episode_that_waits() -> None:
    played: list[int] = []

    def policy(context: Context) -> str:
        played.append(context.info["index"])
        time.sleep(0.3 if context.info["index"] else 0.0)
        return "Final Answer: 1"

    episodes = run_episodes(lambda: limited(max_steps=2), policy, range(10), concurrency=2)
    assert next(episodes).index == 0
    episodes.close()
    assert 3 not in played, "two were under way, the fourth waited for a thread"


def test_no_thread_is_idle_while_the_caller_looks_at_a_record() -> None:
    second = threading.Event()

    def policy(context: Context) -> str:
        if context.info["index"] == 1:
            second.set()
        return "Final Answer: 1"

    episodes = run_episodes(lambda: limited(max_steps=2), policy, range(5))
    next(episodes)
    assert second.wait(10)
    episodes.close()


# ---- evaluation
def test_every_figure_of_a_summary(tmp_path: Path) -> None:
    def make() -> Any:
        env = limited(max_steps=5)
        return EpisodeReward(env, {"exact_match": 1.0, "format": 0.5}, "numeric")

    turns = [
        "Action: fail\nAction Input: world\n",
        CALL + "Observation: forged\n",
        CALL,
        "nonsense",
    ]

    def policy(context: Context) -> str:
        if context.info["index"] == 0:
            return "Final Answer: 0"
        if context.info["index"] == 2:
            raise PolicyFailure("full", kind="context_length")
        return [*turns, "Final Answer: 1"][len(context.turns)]

    summary = evaluate(make, policy, range(3), tmp_path, settings={}, seed=5)
    assert (
        summary["parse_errors"],
        summary["fabricated_observations"],
        summary["tool_failures"],
    ) == (1, 1, 1)
    assert (summary["turns"], summary["calls"]) == (2.0, 1.0)
    assert (summary["score"], summary["reward"]) == (round(2 / 3, 6), round(2.5 / 3, 6))
    assert summary["reward_terms"] == {
        "exact_match": 0.666667,
        "f1": 0.666667,
        "format": 0.333333,
        "tool_use": 0.333333,
    }
    assert summary["episodes_per_second"] > 1
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [line["seed"] for line in lines] == [episode_seed(5, index) for index in range(3)]


def test_only_n_may_grow_on_resume(tmp_path: Path) -> None:
    def run(settings: dict[str, Any]) -> None:
        evaluate(
            lambda: EpisodeReward(limited(max_steps=1)),
            lambda c: "Final Answer: 1",
            range(2),
            tmp_path,
            settings=settings,
            resume=True,
        )

    run({"n": 2, "seed": 0, "model": "m"})
    for other in ({"n": 3, "seed": 1, "model": "m"}, {"n": 2, "seed": 0}):
        with pytest.raises(ArgumentError, match="other settings"):
            run(other)


def test_an_interval_ends_at_one() -> None:
    assert all(wilson_interval(n, n)[1] <= 1.0 for n in range(1, 200))


# ---- registration
def test_synthetic_is_the_training_part() -> None:
    _, info = gym.make("ReactGSM8K-v0").reset(options={"index": 0})
    assert info["split"] == "train"
    assert gym.make("ReactGSM8K-v0").get_wrapper_attr("max_steps") == 10
    with pytest.raises(ArgumentError, match="choose synthetic"):
        gym.make("ReactSVAMP-v0", data_seed=1)
    env = gym.make("ReactGSM8K-v0", on_limit="answer", max_steps=2)
    env.reset(seed=0)
    assert "last turn" in env.step("nonsense")[0]


@pytest.mark.parametrize("env_id", [i for i in IDS if ENTRY_POINTS[i].endswith(":make_env")])
def test_an_id_is_of_its_data_set(env_id: str, request: pytest.FixtureRequest) -> None:
    if IDS[env_id]["split"] != "synthetic":
        request.getfixturevalue("data")  # skips where the published sets are absent
    dataset = env_id.removeprefix("React").removesuffix("-v0").lower()
    prompt, info = gym.make(env_id).reset(options={"index": 0})
    assert info["dataset"].replace("_", "") == {"gsm8k": "syntheticmath"}.get(dataset, dataset)
    assert prompt.startswith(
        "Solve the problem. Give the answer in LaTeX" if dataset == "math500" else "Solve the word"
    )


# ---- terms
def test_presets_and_graders_of_text() -> None:
    assert PRESETS["exact_match"] == {"exact_match": 1.0}
    assert PRESETS["f1"] == {"f1": 1.0}
    assert PRESETS["exact_match_format"] == {"exact_match": 1.0, "format": 0.1}
    env = EpisodeReward(ReactEnv(TaskList([Task("?", ("the Eiffel Tower",))])), "f1", "text")
    env.reset(seed=0)
    *_, info = env.step("Final Answer: Eiffel")
    assert info["reward_terms"]["f1"] == pytest.approx(2 / 3)
    assert info["reward_terms"]["exact_match"] == 0.0
    env.reset(seed=0)
    assert env.step("Final Answer: eiffel tower")[4]["reward_terms"]["exact_match"] == 1.0


# ---- data
@pytest.mark.parametrize(
    ("dataset", "row", "task"),
    [
        (
            "gsm8k",
            {"question": "q ", "answer": "a #### b\n#### 1,080"},
            Task("q", ("1080",), solution="a #### b\n#### 1,080"),
        ),
        (
            "gsm_hard",
            {"input": "q", "target": 0.123456, "code": "x\n"},
            Task("q", ("0.123456",), metadata={"program": "x"}),
        ),
        (
            "svamp",
            {"Body": "b", "Question": "q?", "Answer": 51.0, "Equation": "e", "Type": "t"},
            Task("b. q?", ("51",), metadata={"equation": "e", "type": "t"}),
        ),
        (
            "svamp",
            {"Body": "b!", "Question": "q?", "Answer": "2.5", "Equation": "e", "Type": "t"},
            Task("b! q?", ("2.5",), metadata={"equation": "e", "type": "t"}),
        ),
        ("multiarith", {"question": "q", "final_ans": "7"}, Task("q", ("7",))),
        ("multiarith", {"input": "q", "target": 7.0}, Task("q", ("7",))),
        (
            "math500",
            {"problem": "p", "answer": "a", "solution": "s", "subject": "x", "level": 1},
            Task("p", ("a",), solution="s", metadata={"subject": "x", "level": 1}),
        ),
    ],
)
def test_what_each_row_becomes(dataset: str, row: Any, task: Task) -> None:
    assert DATASETS[dataset].read(row) == task


def test_hub_copies_in_two_splits_are_joined() -> None:
    assert {DATASETS[name].hub_splits["test"] for name in ("svamp", "multiarith")} == {"train+test"}


def test_a_set_is_loaded_once_and_a_path_is_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.txt").write_text('{"question": "q", "answer": "#### 4"}\n')
    monkeypatch.chdir(tmp_path)
    tasks = load_tasks("gsm8k", "test", "rows.txt")
    assert tasks[0].answers == ("4",)
    assert load_tasks("gsm8k", "test", "rows.txt") is tasks


# ---- agents
def test_the_oracle_compares_values_and_not_texts() -> None:
    class Seven(Tool):
        name = "python"

        def __call__(self, code: str) -> str:
            """Run."""
            return "7"

    for solution, answer in (("<<2000*2=4,000>>", "7"), ("<<2000*2=4>>", "4000")):
        tasks = TaskList([Task("?", ("4000",), solution=solution)])
        assert (
            play(ReactEnv(tasks, [Seven()]), OraclePolicy(tasks, ReactDialect()), 0).answer
            == answer
        )


def test_a_replay_says_what_was_cut_too(tmp_path: Path) -> None:
    env = Record(limited(max_steps=2), tmp_path / "x")
    action = CALL + "Observation: mine\n"
    played = play(env, lambda context: action, 1)
    again = play(limited(max_steps=2), ReplayPolicy.from_file(tmp_path / "x"), 1)
    assert (
        [turn.dropped for turn in again.turns]
        == [turn.dropped for turn in played.turns]
        == ["Observation: mine\n"] * 2
    )


def test_the_first_program_of_a_question_is_run_whatever_its_blanks(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_text(json.dumps({"question": "a  b?", "generated": ["ans = 1", "ans = 2"]}))
    tasks = TaskList([Task("a\nb?", ("1",))])
    policy = ProgramPolicy.from_file(path, tasks, ReactDialect())
    assert "ans = 1\nprint(ans)" in policy(Context("", (), (), {"index": 0}))


def test_a_thought_may_end_on_an_indented_line() -> None:
    assert react.parse("Final Answer: 5\n  </think>\nFinal Answer: 18").answer == "18"
