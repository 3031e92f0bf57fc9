"""Fidelity of simulated results."""

from __future__ import annotations

import pytest

from react_envs.errors import ArgumentError
from react_envs.simulators import fidelity


def test_order_case_and_points_of_facts_do_not_count_but_to_the_letter_they_do() -> None:
    result = fidelity(["Mentor Jade. spouse Misty."], ["spouse Misty. mentor Jade."])
    assert (result.exact, result.fact_f1) == (0.0, 1.0)


def test_f1_is_the_mean_over_calls() -> None:
    simulated = ["a one. b two.", "", "a one."]
    real = ["a one. b three.", "a one.", "a one."]
    result = fidelity(simulated, real)
    assert result.exact == pytest.approx(1 / 3)
    assert result.fact_f1 == pytest.approx((0.5 + 0 + 1) / 3)


def test_there_must_be_as_many_of_both() -> None:
    with pytest.raises(ArgumentError):
        fidelity(["a"], [])
    with pytest.raises(ArgumentError):
        fidelity([], [])
