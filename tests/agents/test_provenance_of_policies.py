"""What TokenProvenance records of a transformers model is what the model read and sampled."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from tiny_model import make_model, make_sentencepiece_tokenizer, make_tokenizer

import react_envs  # noqa: F401 - registers the environments
from react_envs.agents.policies.hf import HFPolicy
from react_envs.rollout import play
from react_envs.tokenization import as_codec
from react_envs.trace import Owner, Trace
from react_envs.training import collate, next_token_labels, token_logprobs
from react_envs.types import Completion, Context
from react_envs.wrappers import TokenProvenance


class Watched:
    """A policy whose completions are kept, some of them led by a call."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy
        self.seen: list[Completion] = []

    def __call__(self, context: Context) -> str:
        completion = self.policy(context)
        self.seen.append(completion)
        assert isinstance(completion, Completion)
        return completion


def record(mode: Any, tokenizer: Any, dialect: str, index: int) -> tuple[Trace, Watched, Any]:
    model = make_model(index, tokenizer)
    policy = HFPolicy(model, tokenizer, mode=mode, max_new_tokens=24, temperature=1.0)
    env = TokenProvenance(
        gym.make("ReactGSM8K-v0", dialect=dialect, max_steps=4), tokenizer, mode=mode
    )
    watched = Watched(policy)
    play(env, watched, index)
    assert env.trace is not None
    return env.trace, watched, model


CASES = [
    pytest.param("completion", make_tokenizer, "react", id="completion-react"),
    pytest.param("completion", make_sentencepiece_tokenizer, "react", id="sentencepiece-react"),
    pytest.param("chat", make_tokenizer, "react", id="chat-react"),
    pytest.param("chat", make_tokenizer, "hermes", id="chat-hermes"),
]


@pytest.mark.parametrize(("mode", "make_one", "dialect"), CASES)
def test_recorded_ids_are_the_models_own(mode: Any, make_one: Any, dialect: str) -> None:
    tokenizer = make_one()
    codec = as_codec(tokenizer)
    turns = 0
    for index in range(6):
        trace, watched, _ = record(mode, tokenizer, dialect, index)
        trace.check()
        assert not trace.problems
        samples = {row.turn: own for own in trace.to_samples() for row in own.turns}
        for turn, completion in enumerate(watched.seen):
            turns += 1
            own = samples[turn]
            row = next(row for row in own.turns if row.turn == turn)
            assert own.ids[: row.start].tolist() == completion.prompt_token_ids
            kept = own.ids[row.start : row.end].tolist()
            assert completion.token_ids is not None
            assert kept == completion.token_ids[: len(kept)]
            assert completion.logprobs is not None
            expected = np.array(completion.logprobs[: len(kept)], dtype=np.float32)
            assert np.array_equal(own.logprob[row.start : row.end], expected)
        assert codec.control_ids.isdisjoint(trace.ids[trace.source == Owner.ENV].tolist())
    assert turns > 12


def test_recorded_log_probabilities_are_those_of_a_forward_pass_over_the_sample() -> None:
    tokenizer = make_tokenizer()
    for index in range(3):
        trace, _, model = record("completion", tokenizer, "react", index)
        samples = trace.to_samples()
        batch = collate(samples, pad_id=tokenizer.pad_token_id)
        with torch.no_grad():
            logits = model(
                input_ids=torch.from_numpy(batch.input_ids),
                attention_mask=torch.from_numpy(batch.attention_mask),
            ).logits
        labels = next_token_labels(torch.from_numpy(batch.labels))
        logprobs, _ = token_logprobs(logits, labels)
        at = labels[:, :-1] != -100
        recorded = torch.from_numpy(batch.logprobs)[:, 1:][at]
        torch.testing.assert_close(logprobs[:, :-1][at], recorded, rtol=1e-4, atol=1e-4)
