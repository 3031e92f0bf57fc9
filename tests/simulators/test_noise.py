"""The schedule of noise."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.simulators import NoiseSchedule

shares = st.floats(0, 1)


def test_the_published_values() -> None:
    """p = 0 + (4^(i/m) - 1) / 3 * 0.5 (arXiv 2505.04588, section 3.3)."""
    at = NoiseSchedule().at
    assert (at(0), at(1)) == (0.0, 0.5)
    assert at(0.5) == pytest.approx(1 / 6)


@given(start=shares, end=shares, base=st.floats(0.01, 100), progress=shares)
def test_it_stays_between_its_ends(start: float, end: float, base: float, progress: float) -> None:
    schedule = NoiseSchedule(start, end, base)
    low, high = sorted((start, end))
    assert low - 1e-9 <= schedule.at(progress) <= high + 1e-9
    assert schedule.at(0) == pytest.approx(start)
    assert schedule.at(1) == pytest.approx(end)


@given(first=shares, second=shares, base=st.floats(0.01, 100))
def test_it_only_grows(first: float, second: float, base: float) -> None:
    schedule = NoiseSchedule(base=base)
    assert schedule.at(min(first, second)) <= schedule.at(max(first, second)) + 1e-12


@given(share=shares, progress=shares)
def test_a_share_stays(share: float, progress: float) -> None:
    assert NoiseSchedule.of(share).at(progress) == share


def test_it_is_made_of_a_share_a_mapping_or_itself() -> None:
    schedule = NoiseSchedule(0.1, 0.2, 3)
    assert NoiseSchedule.of(schedule) is schedule
    assert NoiseSchedule.of({"start": 0.1, "end": 0.2, "base": 3}) == schedule
    assert NoiseSchedule.of({}) == NoiseSchedule()
    assert NoiseSchedule.of(1) == NoiseSchedule(1, 1)


@pytest.mark.parametrize(
    "noise",
    [
        -0.1,
        1.1,
        math.nan,
        True,
        None,
        "0.5",
        [0, 1],
        {"begin": 0},
        {"end": 2},
        {"start": "0"},
        {"base": 0},
        {"base": -4},
        {"base": math.inf},
        {"base": math.nan},
    ],
)
def test_other_noise_is_refused(noise: Any) -> None:
    with pytest.raises(ArgumentError):
        NoiseSchedule.of(noise)
