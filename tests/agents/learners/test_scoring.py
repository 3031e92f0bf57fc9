"""TokenScorer: the labelled positions alone, and the same numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from toys import lessons, model, tokenizer, weights
from transformers import Gemma2Config, Gemma2ForCausalLM

from react_envs.agents.learners import TokenScorer
from react_envs.errors import ArgumentError
from react_envs.training import (
    collate,
    masked_cross_entropy,
    next_token_labels,
    token_logprobs,
)


def capped() -> Any:
    """A model whose head is no plain linear map."""
    torch.manual_seed(0)
    return Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=len(tokenizer()),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            final_logit_softcapping=0.05,
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=None,
        )
    )


@pytest.mark.parametrize("make", [model, capped])
@pytest.mark.parametrize("owners", [("agent",), ("agent", "env")])
def test_it_equals_the_whole_forward_pass(make: Any, owners: tuple[str, ...]) -> None:
    batch = collate(lessons()[:5], train=owners)
    scored, whole = make(), make()
    loss = TokenScorer(scored).cross_entropy(batch)
    logits = whole(
        input_ids=torch.from_numpy(batch.input_ids),
        attention_mask=torch.from_numpy(batch.attention_mask),
    ).logits
    labels = next_token_labels(torch.from_numpy(batch.labels))
    expected = masked_cross_entropy(logits, labels)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    for ours, theirs in zip(scored.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-6)
    for ours, theirs in zip(
        TokenScorer(scored).logprobs(batch, 0.7), token_logprobs(logits / 0.7, labels), strict=True
    ):
        torch.testing.assert_close(ours, theirs)
    assert weights(scored).equal(weights(whole))


def test_the_plain_head_is_found_out_not_assumed() -> None:
    batch = collate(lessons()[:2])
    plain, not_plain = TokenScorer(model()), TokenScorer(capped())
    plain.cross_entropy(batch)
    not_plain.cross_entropy(batch)
    assert (plain._plain, not_plain._plain) == (True, False)


def test_dropout_does_not_hide_a_plain_head() -> None:
    net = model()
    for layer in net.model.layers:
        layer.self_attn.attention_dropout = 0.5
    net.train()
    scorer = TokenScorer(net)
    torch.manual_seed(0)
    first = scorer.cross_entropy(collate(lessons()[:2]))
    torch.manual_seed(0)
    assert first == scorer.cross_entropy(collate(lessons()[:2]))  # finding out drew nothing
    assert scorer._plain
    assert net.training


def test_logprobs_stand_where_the_shifted_mask_is() -> None:
    batch = collate(lessons()[:3])
    logprobs, entropy = TokenScorer(model()).logprobs(batch)
    mask = torch.from_numpy(batch.shifted().loss_mask)
    assert logprobs.shape == mask.shape
    assert (logprobs[mask] < 0).all()
    assert (logprobs[~mask] == 0).all()
    assert (entropy[mask] > 0).all()


def test_left_padding_is_refused() -> None:
    batch = collate(lessons()[:5], side="left")
    with pytest.raises(ArgumentError, match="right"):
        TokenScorer(model()).cross_entropy(batch)
