"""TokenProvenance around real environments: spans of dialects, foreign wrappers, counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import react_envs
from react_envs.agents.policies import OraclePolicy
from react_envs.dialects import DIALECTS
from react_envs.errors import ArgumentError
from react_envs.spaces import TextSpace
from react_envs.tokenization import ByteTokenizer, as_codec
from react_envs.trace import Owner, Trace
from react_envs.types import Completion, Context, ToolCall
from react_envs.wrappers import Record, StepLimit, TokenProvenance, Transcript


def make(dialect: str = "react", **options: Any) -> gym.Env[str, str]:
    return gym.make("ReactGSM8K-v0", dialect=dialect, **options)


def run(env: gym.Env[str, str], actions: list[str], seed: int = 0) -> dict[str, Any]:
    """The last info of an episode of given actions."""
    _, info = env.reset(seed=seed)
    for action in actions:
        *_, info = env.step(action)
    return info


def owned(trace: Trace, owner: Owner) -> bytes:
    return b"".join(segment.text for segment in trace.segments if segment.owner is owner)


REACT = ["Thought: hm\nAction: python\nAction Input: print(6 * 7)\n", "Final Answer: 42\n"]
HERMES = [
    '<tool_call>\n{"name": "python", "arguments": {"code": "print(6 * 7)"}}\n</tool_call>',
    "It is \\boxed{42}",
]


@pytest.mark.parametrize(
    ("dialect", "actions", "call", "result"),
    [
        ("react", REACT, b"Action: python\nAction Input: print(6 * 7)\n", b"Observation: 42\n"),
        ("hermes", HERMES, b'{"name": "python", "arguments": {"code": "print(6 * 7)"}}', b"42"),
    ],
)
def test_the_call_is_trained_and_only_what_came_back_is_not(
    dialect: str, actions: list[str], call: bytes, result: bytes
) -> None:
    env = TokenProvenance(make(dialect), ByteTokenizer())
    trace = run(env, actions)["trace"]
    trace.check()
    assert owned(trace, Owner.AGENT) == "".join(actions).encode()
    assert call in owned(trace, Owner.AGENT)
    assert result in owned(trace, Owner.ENV)
    (sample,) = trace.to_samples()
    trained = as_codec(ByteTokenizer()).bytes_of(sample.ids[sample.loss_mask()].tolist())
    assert trained == "".join(actions).encode()


def test_what_the_environment_cut_is_in_no_context() -> None:
    env = TokenProvenance(make(), ByteTokenizer())
    fabricated = "Action: python\nAction Input: print(1)\nObservation: 7\nFinal Answer: 7\n"
    trace = run(env, [fabricated, "Final Answer: 1\n"])["trace"]
    assert b"Observation: 7" not in owned(trace, Owner.AGENT)
    assert trace.dropped[0].text == "\nObservation: 7\nFinal Answer: 7\n"[1:]
    assert not trace.turns[0].action_ok


def test_nothing_that_passes_through_is_changed() -> None:
    bare, recorded = make(), TokenProvenance(make(), ByteTokenizer())
    assert bare.reset(seed=3) == recorded.reset(seed=3)
    for action in REACT:
        ours, theirs = recorded.step(action), bare.step(action)
        assert ours[:4] == theirs[:4]
        own = dict(ours[4])
        own.pop("trace", None)
        theirs[4]["tool_meta"] = own["tool_meta"] = {}  # seconds
        assert own == theirs[4]


def test_other_wrappers_do_not_change_the_trace(tmp_path: Path) -> None:
    plain = run(TokenProvenance(make(), ByteTokenizer()), REACT)["trace"]
    wrapped: list[gym.Env[str, str]] = [
        TokenProvenance(Transcript(make()), ByteTokenizer()),
        Transcript(TokenProvenance(make(), ByteTokenizer())),
        Record(TokenProvenance(make(), ByteTokenizer()), tmp_path / "episodes.jsonl"),
        StepLimit(TokenProvenance(make(), ByteTokenizer()), 8),
    ]
    for env in wrapped:
        assert run(env, REACT)["trace"] == plain


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["react", "hermes"]),
    st.lists(st.integers(0, 2), max_size=3),
    st.lists(st.text(max_size=20), min_size=1, max_size=3),
)
def test_no_stack_of_wrappers_changes_the_trace(
    dialect: str, stack: list[int], actions: list[str]
) -> None:
    wrappers: list[Any] = [
        Transcript,
        lambda env: StepLimit(env, 9),
        gym.wrappers.OrderEnforcing,
    ]

    def build(below: list[int], above: list[int]) -> gym.Env[str, str]:
        env = make(dialect, tools=[], max_steps=len(actions))
        for number in below:
            env = wrappers[number](env)
        env = TokenProvenance(env, ByteTokenizer())
        for number in above:
            env = wrappers[number](env)
        return env

    def last(env: gym.Env[str, str]) -> Trace:
        env.reset(seed=0)
        for action in actions:
            *_, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                break
        trace: Trace = info["trace"]
        return trace

    plain = last(build([], []))
    for cut in range(len(stack) + 1):
        assert last(build(stack[:cut], stack[cut:])) == plain  # I20


@pytest.mark.parametrize("name", [*DIALECTS])
def test_in_every_dialect_the_agents_bytes_are_what_it_wrote_and_kept(name: str) -> None:
    env = TokenProvenance(make(name), ByteTokenizer())
    base: Any = env.unwrapped
    prompt, _ = env.reset(seed=0)
    call = base.dialect.format_call(ToolCall("python", {"code": "print(6 * 7)"}), "hm", prompt)
    observation, *_, info = env.step(call)
    kept = info["kept"]
    *_, info = env.step(base.dialect.format_answer("42", "", observation))
    kept += info["kept"]
    trace = info["trace"]
    trace.check()
    assert owned(trace, Owner.AGENT) == kept.encode()
    assert owned(trace, Owner.ENV) == observation.encode()
    assert b"42" in owned(trace, Owner.ENV)


def test_rewards_are_in_the_tables() -> None:
    env = TokenProvenance(make(), ByteTokenizer())
    base: Any = env.unwrapped
    _, info = env.reset(seed=0)
    gold = base.task.answers[0]
    env.step(REACT[0])
    *_, info = env.step(f"Final Answer: {gold}\n")
    trace = info["trace"]
    assert [row.reward for row in trace.turns] == [0.0, 1.0]
    assert trace.turns[1].reward_terms["exact_match"] == 1.0
    assert (trace.turns[1].terminated, trace.turns[1].truncated) == (True, False)
    assert trace.episode.reward == 1.0
    assert trace.episode.stop_reason == "answer"
    assert env.trace == trace


def test_episodes_of_a_task_share_a_group_and_differ_in_their_trajectory() -> None:
    env = TokenProvenance(make(), ByteTokenizer())
    rows = []
    for index, seed in ((4, 1), (4, 2), (4, 2), (5, 1)):
        env.reset(seed=seed, options={"index": index})
        *_, info = env.step("Final Answer: 1\n")
        rows.append(info["trace"].episode)
    assert len({row.group_id for row in rows}) == 2
    assert len({row.trajectory_id for row in rows}) == 4
    assert [row.sample_index for row in rows] == [0, 1, 2, 0]
    assert [row.seed for row in rows] == [1, 2, 2, 1]


def test_equal_observations_are_equal_states() -> None:
    env = TokenProvenance(make(), ByteTokenizer())
    rows = [run(env, REACT, seed=0)["trace"].turns for _ in range(2)]
    assert [row.state_key for row in rows[0]] == [row.state_key for row in rows[1]]
    assert rows[0][0].state_key != rows[0][1].state_key


def test_a_truncated_episode_keeps_its_unread_observation_as_text() -> None:
    env = TokenProvenance(make(max_steps=1), ByteTokenizer())
    trace = run(env, REACT[:1])["trace"]
    assert trace.unread == "Observation: 42\n"
    assert trace.turns[0].truncated
    assert trace.segments[-1].owner is Owner.AGENT


def test_an_episode_that_is_left_is_forgotten() -> None:
    env = TokenProvenance(make(), ByteTokenizer())
    env.reset(seed=0)
    env.step(REACT[0])
    trace = run(env, REACT, seed=0)["trace"]
    assert len(trace.turns) == 2
    assert env.counts["episodes"] == 1


class Echo(gym.Env[str, str]):
    """A text environment that says nothing in its infos."""

    observation_space = TextSpace()
    action_space = TextSpace()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return "say: ", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        return f"[{action}]", 0.5, self.steps == 2, False, {}


def test_any_text_environment_can_be_recorded() -> None:
    env = TokenProvenance(Echo(), ByteTokenizer())
    trace = run(env, ["a", "b"])["trace"]
    assert owned(trace, Owner.AGENT) == b"ab"
    assert owned(trace, Owner.ENV) == b"[a]"
    assert trace.unread == "[b]"
    assert trace.episode.reward == 1.0


def test_counts_say_how_often_anything_but_the_exact_way_was_taken() -> None:
    env = TokenProvenance(make(), ByteTokenizer())
    run(env, [Completion("Final Answer: 1\n", token_ids=list(b"Final Answer: 1\n"))])
    run(env, ["Final Answer: 1\n"])
    assert env.counts["episodes"] == env.counts["samples"] == 2
    assert env.counts["inexact_turns"] == 1
    assert env.counts["dropped_samples"] == 0


def test_the_oracles_turns_make_labels_for_a_student() -> None:
    env = TokenProvenance(make(), ByteTokenizer(), end_of_turn="agent")
    base: Any = env.unwrapped
    policy = OraclePolicy(base.tasks, base.dialect)
    prompt, info = env.reset(seed=0, options={"index": 7})
    context = Context(prompt, tuple(info["messages"]), tuple(info["stop"]), info)
    done = False
    turns: list[Any] = []
    while not done:
        action = policy(context)
        observation, reward, terminated, truncated, step = env.step(action)
        turns.append(react_envs.Turn.from_step(action, observation, step))
        context = Context(
            context.prompt + step["kept"] + observation, (), (), info, turns=tuple(turns)
        )
        done = terminated or truncated
    (sample,) = step["trace"].to_samples()
    labels = sample.labels()
    assert reward == 1.0
    assert labels[-1] == ByteTokenizer.eos_id  # who answers stops
    assert (labels[labels >= 0] == sample.ids[sample.loss_mask()]).all()
    assert np.isnan(sample.logprob).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "talk"}, "mode must be one of"),
        ({"text": "lines"}, "text must be one of"),
        ({"straddle": "both"}, "straddle must be one of"),
        ({"end_of_turn": "env"}, "end_of_turn must be one of"),
        ({"mode": "chat", "text": "whole"}, "needs mode"),
        ({"mode": "chat"}, "chat template"),
    ],
)
def test_unusable_arguments_raise_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        TokenProvenance(make(), ByteTokenizer(), **options)


def test_something_that_is_no_tokenizer_is_refused_with_what_would_be_one() -> None:
    with pytest.raises(ArgumentError, match="object with encode"):
        TokenProvenance(make(), object())
