"""Labels from segments, rewards and returns of turns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import sample, trace

from react_envs.errors import ArgumentError
from react_envs.trace import Owner
from react_envs.training import (
    build_sft_labels,
    discounted_returns,
    per_token,
    token_rewards,
)

SEGMENTS: list[tuple[list[int], Owner | str]] = [
    ([5, 6], "prompt"),
    ([7], "agent"),
    ([8, 9], "observation"),
    ([10], Owner.AGENT),
]


def test_prompt_and_observation_are_ignored_and_nothing_is_shifted() -> None:
    ids, labels = build_sft_labels(SEGMENTS)
    assert ids == [5, 6, 7, 8, 9, 10]
    assert labels == [-100, -100, 7, -100, -100, 10]


def test_any_set_of_owners_may_be_trained() -> None:
    assert build_sft_labels(SEGMENTS, train=["agent", "env"])[1] == [-100, -100, 7, 8, 9, 10]
    assert build_sft_labels(SEGMENTS, train=[])[1] == [-100] * 6
    everyone = build_sft_labels(SEGMENTS, train=list(Owner), ignore_index=-1)
    assert everyone[0] == everyone[1]


def test_segments_and_traces_make_the_same_labels() -> None:
    own = trace(("ab", "12", 0.0), ("c", "", 1.0))
    segments: list[tuple[list[int], Owner | str]]
    segments = [(own.ids[s.start : s.end].tolist(), s.owner) for s in own.segments]
    (only,) = own.to_samples()
    for train in (["agent"], ["agent", "env"], ["prompt"]):
        assert build_sft_labels(segments, train=train)[1] == only.labels(train).tolist()


@pytest.mark.parametrize("train", ["agent", ["teacher"]])
def test_owners_that_do_not_exist_raise(train: Any) -> None:
    with pytest.raises(ArgumentError):
        build_sft_labels(SEGMENTS, train=train)


@given(st.lists(st.floats(-5, 5), max_size=8), st.floats(0, 1))
def test_a_return_is_the_discounted_sum_of_what_follows(rewards: list[float], gamma: float) -> None:
    returns = discounted_returns(rewards, gamma)
    for at in range(len(rewards)):
        expected = sum(r * gamma**k for k, r in enumerate(rewards[at:]))
        assert returns[at] == pytest.approx(expected, abs=1e-9)


def test_a_turns_reward_is_on_its_last_token() -> None:
    own = sample(("ab", "12", 0.25), ("c", "", 1.0))
    rewards = token_rewards(own)
    # <bos> Q : a b 1 2 c
    assert rewards.tolist() == [0, 0, 0, 0, 0.25, 0, 0, 1.0]


def test_the_reward_of_a_turn_without_tokens_is_not_lost() -> None:
    own = sample(("", "12", 0.25), ("c", "3", 0.5), ("", "", 1.0))
    assert token_rewards(own).sum() == 1.75
    at = int(own.loss_mask().argmax())
    assert token_rewards(own)[at] == 1.75


def test_values_of_turns_are_spread_over_the_agents_tokens() -> None:
    own = sample(("ab", "12", 0.0), ("c", "", 0.0))
    assert per_token(own, [0.5, -1.0]).tolist() == [0, 0, 0, 0.5, 0.5, 0, 0, -1.0]
    assert per_token(own, 2.0).tolist() == [0, 0, 0, 2, 2, 0, 0, 2]
    with pytest.raises(ArgumentError, match="value for turn 1"):
        per_token(own, [0.5])
    with pytest.raises(ArgumentError, match="a value for each turn"):
        per_token(own, [[0.5, 1.0]])


def test_returns_of_a_matrix_are_refused() -> None:
    with pytest.raises(ArgumentError, match="one episode"):
        discounted_returns([[1.0]])
