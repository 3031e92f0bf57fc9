"""Exporters: masks land where the trainers look for them."""

from __future__ import annotations

import numpy as np
import pytest
from making import sample, trace

from react_envs.errors import ArgumentError
from react_envs.recorder import TraceRecorder
from react_envs.tokenization import ByteTokenizer, as_codec
from react_envs.training import (
    per_token,
    to_dataset,
    to_openrlhf,
    to_tinker,
    to_trl,
    to_verl,
)
from react_envs.types import Completion

TRACE = trace(("ab", "12", 0.25), ("c", "", 1.0))
(SAMPLE,) = TRACE.to_samples()
EOS = 257


def test_trl_gets_a_completion_from_the_first_sampled_token_on() -> None:
    got = to_trl([TRACE, TRACE], EOS)
    assert got["prompt_ids"] == [[256, *b"Q:"]] * 2
    assert got["completion_ids"] == [list(b"ab12c")] * 2
    assert got["env_mask"] == [[1, 1, 0, 0, 1]] * 2
    assert got["logprobs"] == [[-0.25, -0.25, 0.0, 0.0, -0.25]] * 2


def test_trl_gets_something_masked_for_an_episode_that_may_not_be_trained() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    recorder.act(Completion("ab", token_ids=[999]))
    recorder.observe("", terminated=True)
    bad = recorder.end()
    empty = trace(("", "", 0.0))
    got = to_trl([bad, TRACE, empty], EOS)
    assert [len(ids) for ids in got["completion_ids"]] == [1, 5, 1]
    assert [got["env_mask"][0], got["env_mask"][2]] == [[0], [0]]


def test_trl_gets_the_last_sample_of_a_fork() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    recorder.act(Completion("a", prompt_token_ids=[81], token_ids=[97]))
    recorder.observe("1")
    recorder.act(Completion("b", prompt_token_ids=[82], token_ids=[98]))
    recorder.observe("", terminated=True)
    got = to_trl([recorder.end()], EOS)
    assert (got["prompt_ids"], got["completion_ids"]) == ([[82]], [[98]])


def test_trl_is_told_where_a_log_probability_is_unknown() -> None:
    got = to_trl([trace(("ab", "12", 0.0), ("c", "", 0.0), logprobs=False)], EOS)
    assert got["logprobs"] == [[None, None, 0.0, 0.0, None]]


def test_a_prompt_for_trl_holds_no_token_of_the_agent() -> None:
    recorder = TraceRecorder(as_codec(ByteTokenizer()))
    recorder.begin("Q")
    recorder.act(Completion("a", token_ids=[97]))
    recorder.observe("1", reward=float("nan"))
    recorder.act(Completion("b", token_ids=[98]))
    recorder.observe("", terminated=True)
    bad = recorder.end()
    assert bad.to_samples() == []
    assert to_trl([bad], EOS)["prompt_ids"] == [[256, 81]]


def test_verl() -> None:
    got = to_verl(SAMPLE)
    assert got["prompt_ids"] + got["response_ids"] == SAMPLE.ids.tolist()
    assert got["response_mask"] == [1, 1, 0, 0, 1]
    assert (got["reward_score"], got["num_turns"]) == (1.25, 4)
    assert got["response_logprobs"] == [-0.25, -0.25, 0.0, 0.0, -0.25]
    assert to_verl(sample(("a", "", 0.0), logprobs=False))["response_logprobs"] is None


def test_openrlhf_gets_ranges_of_actions() -> None:
    got = to_openrlhf(SAMPLE)
    ids = got["observation_tokens"]
    assert [bytes(ids[a:b]) for a, b in got["action_ranges"]] == [b"ab", b"c"]


def test_tinker_gets_targets_one_to_the_left() -> None:
    got = to_tinker(SAMPLE)
    assert got["model_input"] == SAMPLE.ids[:-1].tolist()
    inputs = got["loss_fn_inputs"]
    assert inputs["target_tokens"].tolist() == SAMPLE.ids[1:].tolist()
    assert inputs["weights"].tolist() == [0, 0, 1, 1, 0, 0, 1]
    advantages = per_token(SAMPLE, [0.5, -1.0])
    inputs = to_tinker(SAMPLE, advantages)["loss_fn_inputs"]
    assert inputs["advantages"].tolist() == [0, 0, 0.5, 0.5, 0, 0, -1.0]
    assert np.isfinite(inputs["logprobs"]).all()
    with pytest.raises(ArgumentError, match="8 advantages"):
        to_tinker(SAMPLE, [1.0])
    with pytest.raises(ArgumentError, match="unknown"):
        to_tinker(sample(("a", "", 0.0), logprobs=False), [0.0] * 4)


def test_tinkers_own_types_take_it() -> None:
    tinker = pytest.importorskip("tinker", reason="tinker is not installed")
    got = to_tinker(SAMPLE, per_token(SAMPLE, 1.0))
    datum = tinker.Datum(
        model_input=tinker.ModelInput.from_ints(got["model_input"]),
        loss_fn_inputs=got["loss_fn_inputs"],
    )
    assert datum.model_input.to_ints() == SAMPLE.ids[:-1].tolist()
    assert datum.loss_fn_inputs["target_tokens"].tolist() == SAMPLE.ids[1:].tolist()


def test_a_dataset_with_labels() -> None:
    dataset = to_dataset([SAMPLE, SAMPLE], train=["agent", "env"])
    assert dataset.column_names == ["input_ids", "attention_mask", "labels"]
    assert dataset[1]["labels"] == SAMPLE.labels(["agent", "env"]).tolist()
    assert dataset[0]["input_ids"] == SAMPLE.ids.tolist()
    assert to_dataset([]).column_names == dataset.column_names
