"""Completion, TextSpace and the error tree."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs import errors
from react_envs.errors import ArgumentError
from react_envs.spaces import TextSpace
from react_envs.types import Completion, Episode, Task, Turn


def test_a_completion_is_a_string_that_remembers_its_tokens() -> None:
    completion = Completion(
        "ab", prompt_token_ids=[1], token_ids=(5, 6), logprobs=[-0.5, -1.0], finish_reason="stop"
    )
    for copied in (completion, pickle.loads(pickle.dumps(completion)), deepcopy(completion)):
        assert copied == "ab"
        assert hash(copied) == hash("ab")
        assert isinstance(copied, Completion)
        assert (copied.prompt_token_ids, copied.token_ids) == ([1], [5, 6])
        assert (copied.logprobs, copied.finish_reason) == ([-0.5, -1.0], "stop")
    assert not isinstance(completion + "c", Completion), "an edited text has no ids"


def test_logprobs_must_fit_the_tokens() -> None:
    with pytest.raises(ValueError, match="one logprob for each of 2"):
        Completion("ab", token_ids=[1, 2], logprobs=[-1.0])


@given(st.text() | st.just("\ud800\x00"))
def test_the_text_space_contains_every_string(text: str) -> None:
    assert TextSpace().contains(text)
    assert Completion(text) in TextSpace()


def test_the_text_space_samples_by_seed_and_holds_nothing_else() -> None:
    space = TextSpace(seed=3)
    samples = [space.sample() for _ in range(50)]
    assert all(sample in space for sample in samples)
    again = TextSpace(seed=3)
    assert samples == [again.sample() for _ in range(50)]
    assert len(set(samples)) > 40
    assert 3 not in space
    assert None not in space
    with pytest.raises(ValueError, match="no mask"):
        space.sample(mask=())


def test_the_text_space_is_gymnasiums() -> None:
    assert isinstance(TextSpace(), gym.spaces.Text)
    assert TextSpace() == pickle.loads(pickle.dumps(TextSpace()))
    assert TextSpace() != gym.spaces.Text(5)
    assert repr(TextSpace()) == "TextSpace()"


def test_every_error_pickles_and_is_also_what_it_refines() -> None:
    cases: list[tuple[errors.ReactEnvsError, type[Exception]]] = [
        (errors.ArgumentError("x"), ValueError),
        (errors.DataNotFoundError("x"), FileNotFoundError),
        (errors.MissingExtraError.for_extra("torch", "hf"), ImportError),
        (errors.ToolError("x"), RuntimeError),
        (errors.ToolFailure("x", "network"), RuntimeError),
        (errors.ExecutorError("x"), errors.ToolFailure),
        (errors.PolicyFailure("x", "http_500"), RuntimeError),
        (errors.JudgeFailure("x", "judge_budget"), RuntimeError),
    ]
    classes = {name for name in errors.__all__ if name != "is_world_failure"}
    assert {type(error).__name__ for error, _ in cases} | {"ReactEnvsError"} == classes
    for error, refined in cases:
        copied = pickle.loads(pickle.dumps(error))
        assert (type(copied), str(copied)) == (type(error), str(error))
        assert isinstance(copied, refined)
        assert getattr(copied, "kind", None) == getattr(error, "kind", None)
    assert 'pip install "react-envs[hf]"' in str(cases[2][0])


def test_an_episodes_answer_is_that_of_its_last_turn() -> None:
    turns = (Turn("a", "o"), Turn("b", "", answer="4"))
    assert Episode(("4",), turns, "answer").answer == "4"
    assert Episode(("4",), turns[:1], "max_steps").answer is None
    assert Episode(("4",), (), None).answer is None


@pytest.mark.parametrize("answers", ["12", (), []])
def test_a_task_needs_a_tuple_of_answers(answers: Any) -> None:
    with pytest.raises(ArgumentError, match="expected answers to be a tuple"):
        Task("q?", answers)
