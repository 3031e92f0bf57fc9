"""Advantages against the published formulas, by hand and by property."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.training import (
    discounted_returns,
    gae,
    gigpo_advantages,
    group_advantages,
    mt_grpo_advantages,
)

RETURNS = st.lists(st.tuples(st.floats(-3, 3), st.sampled_from("abc")), min_size=1, max_size=12)


@given(RETURNS, st.sampled_from(["population", "sample", None]))
def test_a_group_is_centred_and_scaled_on_its_own(rows: list[tuple[float, str]], std: Any) -> None:
    returns = np.array([value for value, _ in rows])
    groups = [group for _, group in rows]
    advantages = group_advantages(returns, groups, std=std, eps=1e-6)
    for group in set(groups):
        at = [n for n, name in enumerate(groups) if name == group]
        own = returns[at]
        if len(at) == 1 or (own == own[0]).all():
            assert (advantages[at] == 0).all()
            continue
        scale = {"population": own.std(), "sample": own.std(ddof=1), None: 1.0}[std]
        expected = (own - own.mean()) / (scale + (1e-6 if std else 0))
        assert advantages[at] == pytest.approx(expected)


def test_both_conventions_of_a_lone_trajectory() -> None:
    assert group_advantages([0.7], ["a"]).tolist() == [0.0]
    verl = group_advantages([0.7], ["a"], std="sample", singleton="return")
    assert verl[0] == pytest.approx(0.7, rel=1e-5)
    assert group_advantages([0.7], ["a"], std=None, singleton="return").tolist() == [0.7]


def test_equal_returns_have_no_advantage_whatever_rounding_does() -> None:
    advantages = group_advantages([0.1] * 3, ["a"] * 3, eps=1e-12)
    assert advantages.tolist() == [0.0] * 3


def test_equal_up_to_a_rounding_is_equal() -> None:
    assert group_advantages([0.1 + 0.2, 0.3, 0.3], ["a"] * 3, eps=0).tolist() == [0.0] * 3


def test_groups_may_be_an_array() -> None:
    assert group_advantages([1.0, 0.0], np.array([7, 7]), eps=0).tolist() == [1.0, -1.0]


def test_turn_credit_with_two_turns_is_the_published_code() -> None:
    turn, outcome, groups = [[0.2], [0.0], [0.2], [0.2]], [1.0, 0.0, 0.0, 1.0], ["g"] * 4
    a_turn = group_advantages([0.2, 0.0, 0.2, 0.2], groups, std="sample")
    a_outcome = group_advantages(outcome, groups, std="sample")
    got = mt_grpo_advantages(turn, outcome, groups)
    for n in range(4):
        assert got[n].tolist() == pytest.approx([a_outcome[n] + a_turn[n], a_outcome[n]])


def test_turn_credit_over_many_turns_is_discounted_towards_the_outcome() -> None:
    turn = [[0.1, 0.3], [0.2, 0.0], [0.5]]
    outcome, groups = [1.0, 0.0, 0.5], ["g"] * 3
    got = mt_grpo_advantages(turn, outcome, groups, alpha=0.5, coefficient=2.0, std="population")
    first = group_advantages([0.1, 0.2, 0.5], groups)
    second = group_advantages([0.3, 0.0, 0.0], groups)  # who has no such turn counts with 0
    a = group_advantages(outcome, groups)
    assert got[0].tolist() == pytest.approx(
        [2 * first[0] + 0.5 * 2 * second[0] + 0.25 * a[0], 2 * second[0] + 0.5 * a[0], a[0]]
    )
    assert got[2].tolist() == pytest.approx([2 * first[2] + 0.5 * a[2], a[2]])


def test_a_trajectory_without_a_result_has_the_advantage_of_its_summed_reward() -> None:
    turn, outcome, groups = [[0.2], [0.7], []], [1.5, 0.5, 1.9], ["g"] * 3
    got = mt_grpo_advantages(turn, outcome, groups)
    a_turn = group_advantages([0.2, 0.7, 0.0], groups, std="sample")
    a_outcome = group_advantages(outcome, groups, std="sample")
    summed = group_advantages([1.7, 1.2, 1.9], groups, std="sample")
    assert got[0].tolist() == pytest.approx([a_outcome[0] + a_turn[0], a_outcome[0]])
    assert got[2].tolist() == pytest.approx([summed[2]])


def test_steps_in_one_state_are_a_group_within_the_group() -> None:
    rewards = [[0.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    states = [["s", "x"], ["s", "y"], ["s", "x"]]
    groups = ["g", "g", "g"]
    got = gigpo_advantages(rewards, states, groups, gamma=0.5, omega=2.0, std="population")
    episode = group_advantages([1, 0, 1], groups)
    first = group_advantages([0.5, 0.0, 0.5], groups)  # all met s first
    assert got[0].tolist() == pytest.approx([episode[0] + 2 * first[0], episode[0]])
    # y was met once, x twice with equal returns: no step advantage
    assert got[1].tolist() == pytest.approx([episode[1] + 2 * first[1], episode[1]])


def test_one_state_in_two_groups_is_two() -> None:
    got = gigpo_advantages([[1.0], [0.0]], [["s"], ["s"]], ["g", "h"])
    assert [values.tolist() for values in got] == [[0.0], [0.0]]


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), max_size=6), st.floats(-1, 1))
def test_gae_with_lambda_one_is_the_return_less_the_value(
    rows: list[tuple[float, float]], last: float
) -> None:
    rewards, values = [r for r, _ in rows], [v for _, v in rows]
    advantages, returns = gae(rewards, values, last_value=last, gamma=0.9, lam=1.0)
    expected = discounted_returns([*rewards, last], 0.9)[:-1]
    assert returns == pytest.approx(expected, abs=1e-9)
    assert advantages == pytest.approx(expected - np.array(values), abs=1e-9)
    one_step, _ = gae(rewards, values, last_value=last, gamma=0.9, lam=0.0)
    following = [*values[1:], last][: len(values)]
    assert one_step == pytest.approx(
        [r + 0.9 * f - v for r, f, v in zip(rewards, following, values, strict=True)], abs=1e-9
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: group_advantages([1.0], ["a", "b"]),
        lambda: group_advantages([float("nan")], ["a"]),
        lambda: group_advantages([1.0], ["a"], std="both"),  # type: ignore[arg-type]
        lambda: group_advantages([1.0], ["a"], singleton="one"),  # type: ignore[arg-type]
        lambda: mt_grpo_advantages([[0.1]], [1.0, 0.0], ["a", "a"]),
        lambda: mt_grpo_advantages([[0.1], [0.2]], [1.0], ["a"]),
        lambda: gigpo_advantages([[1.0]], [["s", "t"]], ["a"]),
        lambda: gae([1.0], [0.5, 0.5]),
        lambda: gae([1.0], [0.5], last_value=float("nan")),
    ],
)
def test_lengths_that_do_not_fit_raise(call: Any) -> None:
    with pytest.raises(ArgumentError):
        call()
