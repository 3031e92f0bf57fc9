"""Padding, batching and packing change nothing that a model computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import sample
from transformers import LlamaConfig, LlamaForCausalLM

from react_envs.errors import ArgumentError
from react_envs.trace import Sample
from react_envs.training import (
    collate,
    masked_cross_entropy,
    next_token_labels,
    pack,
    per_token,
    policy_gradient_loss,
    token_logprobs,
)

torch.set_num_threads(1)
SAMPLES = [
    sample(("ab", "12", 0.0), ("cde", "", 1.0)),
    sample(("x", "", 0.5), prompt="What?"),
    sample(("hello", "world", 0.0), ("!", "?", 0.0), ("done", "", 1.0)),
]
LENGTHS = [len(own) for own in SAMPLES]
EOS = 257


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "vocab_size": 258,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 128,
        "attn_implementation": "eager",
    }
    config = LlamaConfig(**settings)
    return LlamaForCausalLM(config).eval()


def tensors(batch: Any, *names: str) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(getattr(batch, name)) for name in names}


def summed_loss(model: Any, batch: Any, attention: torch.Tensor | None = None) -> float:
    inputs = tensors(batch, "input_ids", "attention_mask", "position_ids")
    if attention is not None:
        inputs["attention_mask"] = attention
    with torch.no_grad():
        logits = model(**inputs).logits
    labels = next_token_labels(torch.from_numpy(batch.labels))
    return float(masked_cross_entropy(logits, labels, reduction="sum"))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pad_id", [0, EOS, ord("a")], ids=["zero", "eos", "a-letter"])
def test_a_batch_has_the_loss_of_its_samples(model: Any, side: Any, pad_id: int) -> None:
    alone = sum(summed_loss(model, collate([own])) for own in SAMPLES)
    batch = collate(SAMPLES, side=side, pad_id=pad_id)
    assert summed_loss(model, batch) == pytest.approx(alone, rel=1e-5)
    assert batch.attention_mask.sum(1).tolist() == LENGTHS
    assert int(batch.loss_mask.sum()) == sum(int(own.loss_mask().sum()) for own in SAMPLES)


def additive(packed: Any) -> torch.Tensor:
    allowed = torch.from_numpy(packed.attention())[:, None]
    return torch.where(allowed, 0.0, torch.finfo(torch.float32).min)


@pytest.mark.parametrize("width", [max(LENGTHS), 40, 128])
def test_packed_samples_read_only_themselves(model: Any, width: int) -> None:
    alone = sum(summed_loss(model, collate([own])) for own in SAMPLES)
    packed = pack(SAMPLES, width, pad_id=EOS)
    assert summed_loss(model, packed, additive(packed)) == pytest.approx(alone, rel=1e-5)
    for own, (row, start, end) in zip(SAMPLES, packed.placement, strict=True):
        assert packed.input_ids[row, start:end].tolist() == own.ids.tolist()
        assert packed.position_ids[row, start:end].tolist() == list(range(len(own)))
        # nobody predicts the first token of a sample from the end of another
        assert packed.labels[row, start] == -100
    if width == 128:  # all in one row: without the mask they would read each other
        causal = torch.tril(torch.ones(1, 1, width, width, dtype=torch.bool))
        leaking = torch.where(causal, 0.0, torch.finfo(torch.float32).min)
        assert summed_loss(model, packed, leaking) != pytest.approx(alone, rel=1e-4)


SHAPES = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(0, 4)), min_size=1, max_size=4
)


def shaped(shapes: list[tuple[int, int, int]]) -> list[Sample]:
    return [
        sample(("ab" * a, "1" * o, 0.0), ("c" * a, "", 1.0), prompt="p" * p) for p, a, o in shapes
    ]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SHAPES, st.sampled_from(["left", "right"]), st.sampled_from([0, EOS, ord("a")]))
def test_any_batch_and_any_packing_have_the_loss_of_their_samples(
    model: Any, shapes: list[tuple[int, int, int]], side: Any, pad_id: int
) -> None:
    samples = shaped(shapes)
    alone = sum(summed_loss(model, collate([own])) for own in samples)
    batch = collate(samples, side=side, pad_id=pad_id)  # I12
    assert summed_loss(model, batch) == pytest.approx(alone, rel=1e-4)
    packed = pack(samples, max(map(len, samples)) + 7, pad_id=pad_id)  # I13
    assert summed_loss(model, packed, additive(packed)) == pytest.approx(alone, rel=1e-4)


@given(SHAPES, st.sampled_from(["left", "right"]))
def test_what_is_read_is_not_what_is_trained(shapes: list[tuple[int, int, int]], side: Any) -> None:
    batch = collate(shaped(shapes), side=side)
    assert (batch.loss_mask <= (batch.attention_mask == 1)).all()
    assert batch.loss_mask.sum() < batch.attention_mask.sum()  # I17: the prompt is only read
    assert ((batch.labels != -100) == batch.loss_mask).all()


def test_a_first_token_that_is_trained_is_not_when_it_is_packed() -> None:
    packed = pack(SAMPLES, 128, train=["prompt", "agent"])
    for _, start, _ in packed.placement:
        assert packed.labels[0, start] == -100
        assert not packed.loss_mask[0, start]
    assert (packed.labels[0, 1:3] >= 0).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(0, 6))
def test_every_sample_is_packed_once_and_rows_do_not_overflow(
    lengths: list[int], extra: int
) -> None:
    samples = [sample(("a", "", 0.0), prompt="p" * n) for n in lengths]
    width = max(len(own) for own in samples) + extra
    packed = pack(samples, width)
    assert packed.attention_mask.sum() == sum(len(own) for own in samples)
    assert (packed.attention_mask == (packed.segment_ids > 0)).all()
    taken = np.zeros_like(packed.segment_ids)
    for row, start, end in packed.placement:
        assert end <= width
        taken[row, start:end] += 1
    assert taken.max() == 1
    # first fit: no two rows would fit into one
    used = np.sort(packed.attention_mask.sum(1))
    assert len(used) == 1 or used[0] + used[1] > width


def test_left_and_right_padding_hold_the_same_rows() -> None:
    left, right = collate(SAMPLES, side="left"), collate(SAMPLES, side="right")
    for row, length in enumerate(LENGTHS):
        for name in ("input_ids", "labels", "loss_mask", "position_ids", "logprobs"):
            ours = getattr(left, name)[row, -length:]
            theirs = getattr(right, name)[row, :length]
            assert np.array_equal(ours, theirs, equal_nan=name == "logprobs")
    padding = right.attention_mask == 0
    assert (right.labels[padding] == -100).all()
    assert np.isnan(right.logprobs[padding]).all()
    assert (right.advantages == 0).all()


def test_a_shifted_batch_is_aligned_with_the_logits_that_predict() -> None:
    own = sample(("ab", "1", 0.0), ("c", "", 1.0))
    batch = collate([own], advantages=[per_token(own, [0.5, -1.0])])
    moved = batch.shifted()
    # <bos> Q : a b 1 c, each predicted one to the left
    assert moved.labels[0].tolist() == [-100, -100, 97, 98, -100, 99, -100]
    assert moved.loss_mask[0].tolist() == [False, False, True, True, False, True, False]
    assert moved.advantages[0].tolist() == [0, 0, 0.5, 0.5, 0, -1.0, 0]
    assert moved.logprobs[0][moved.loss_mask[0]].tolist() == [-0.25] * 3
    assert moved.input_ids.tolist() == batch.input_ids.tolist()
    logprobs, _ = token_logprobs(torch.zeros(1, 7, 258), torch.from_numpy(moved.labels))
    got = policy_gradient_loss(
        logprobs,
        torch.from_numpy(moved.advantages),
        torch.from_numpy(moved.loss_mask),
        old_logprobs=logprobs,
    )
    assert got.tokens == 3
    assert got.loss.item() == pytest.approx(0.0)  # -(0.5 + 0.5 - 1.0) / 3


@pytest.mark.parametrize("side", ["left", "right"])
def test_nothing_predicts_a_first_token_on_either_side(side: Any) -> None:
    batch = collate(SAMPLES, side=side, train=["prompt", "agent", "env", "scaffold"])
    assert int(batch.loss_mask.sum()) == sum(LENGTHS) - len(SAMPLES)


def test_padding_of_a_packed_row_reads_itself() -> None:
    packed = pack(SAMPLES[:1], LENGTHS[0] + 3)
    assert packed.attention().any(-1).all()
    assert not packed.attention()[0, -1, :-1].any()


def test_truncation_and_advantages_stay_aligned() -> None:
    own: Sample = SAMPLES[0]
    advantages = per_token(own, [0.5, -1.0])
    batch = collate([own], max_tokens=6, advantages=[advantages])
    assert batch.input_ids.shape == (1, 6)
    assert batch.advantages[0].tolist() == advantages[:6].tolist()
    assert batch.labels[0].tolist() == own.labels()[:6].tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: collate([]), "at least one sample"),
        (lambda: collate(SAMPLES, side="top"), "side must be"),  # type: ignore[arg-type]
        (lambda: pack(SAMPLES, 3), "longest has"),
        (lambda: collate(SAMPLES, max_tokens=-1), "not be negative"),
        (lambda: collate(SAMPLES, advantages=[[0.0]]), "advantages for 3 samples"),
        (lambda: collate(SAMPLES[:1], advantages=[[0.0]]), "advantages for sample 0"),
        (lambda: collate(SAMPLES, train="agent"), "owners in a list"),
        (lambda: collate(SAMPLES, train=["nobody"]), "unknown owner"),
    ],
)
def test_unusable_arguments_raise(call: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()
