"""Fidelity of simulated results."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.simulators import facts_of, fidelity


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


TEXT = st.text(alphabet=st.sampled_from("abc. \n!?1"), max_size=30)


@given(ours=st.lists(TEXT, min_size=1, max_size=4), data=st.data())
def test_values_are_shares_that_do_not_depend_on_who_is_called_real(
    ours: list[str], data: st.DataObject
) -> None:
    theirs = data.draw(st.lists(TEXT, min_size=len(ours), max_size=len(ours)))
    result = fidelity(ours, theirs)
    assert result == fidelity(theirs, ours)
    assert 0 <= result.exact <= result.fact_f1 + 1e-9
    assert result.fact_f1 <= 1 + 1e-9
    assert result.calls == len(ours)
    itself = fidelity(ours, ours)
    assert (itself.exact, itself.fact_f1) == (1.0, 1.0)


def test_a_failed_call_has_nothing_in_common_with_a_result() -> None:
    assert fidelity(iter([""]), iter(["One. Two."])).fact_f1 == 0
    assert fidelity([""], [""]).fact_f1 == 1


def test_facts_are_sentences_however_they_are_written() -> None:
    assert facts_of("Teri is here! Is SHE?\n\nYes") == {"teri is here", "is she", "yes"}
    assert facts_of("3.14 is a number.") == {"314 is number"}
    assert facts_of(" .\n! ") == frozenset()


def test_a_fact_too_many_costs_as_much_as_one_too_few() -> None:
    more, fewer = fidelity(["a1. b1. c1."], ["a1. b1."]), fidelity(["a1."], ["a1. b1."])
    assert more.fact_f1 == pytest.approx(4 / 5)
    assert fewer.fact_f1 == pytest.approx(2 / 3)
