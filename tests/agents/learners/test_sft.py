"""SFT: whose tokens are learned, in which order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import lessons, model, weights

from react_envs.agents.learners import SFT
from react_envs.agents.learners.sft import batch_of
from react_envs.errors import ArgumentError
from react_envs.trace import Owner, Sample
from react_envs.training import collate, next_token_labels


def gradient(samples: list[Sample], owners: tuple[str, ...]) -> torch.Tensor:
    """The gradient of a first update, read off before the step."""
    learner = SFT(model(), samples, train=owners, steps=2, batch_size=len(samples))
    loss = learner._scorer.cross_entropy(collate(samples, train=owners))
    loss.backward()
    return torch.cat([p.grad.flatten() for p in learner.model.parameters()])


def test_the_masked_gradient_is_that_of_the_agent_s_tokens_alone() -> None:
    samples = list(lessons()[:6])
    reference = model()
    batch = collate(samples)
    logits = reference(input_ids=torch.from_numpy(batch.input_ids)).logits.log_softmax(-1)
    total, count = torch.zeros(()), 0
    for row, sample in enumerate(samples):
        for at in range(1, len(sample)):
            if sample.source[at] == int(Owner.AGENT):
                total = total - logits[row, at - 1, int(sample.ids[at])]
                count += 1
    (total / count).backward()
    by_hand = torch.cat([p.grad.flatten() for p in reference.parameters()])
    torch.testing.assert_close(gradient(samples, ("agent",)), by_hand, rtol=1e-3, atol=1e-6)


def test_observations_change_the_unmasked_gradient_and_not_the_masked_one() -> None:
    """With labels of observations exchanged (the inputs stay), only the unmasked loss moves."""
    samples = list(lessons()[:6])
    batch = collate(samples, train=("agent", "env"))
    other = batch.labels.copy()
    observed = np.zeros_like(other, dtype=bool)
    for row, sample in enumerate(samples):
        observed[row, : len(sample)] = sample.source == int(Owner.ENV)
    assert observed.any()
    other[observed] = (other[observed] + 1) % 300
    agent_only = collate(samples).labels
    assert not (observed & (agent_only != -100)).any()

    def grad(labels: np.ndarray) -> torch.Tensor:
        net = model()
        logits = net(input_ids=torch.from_numpy(batch.input_ids)).logits
        targets = next_token_labels(torch.from_numpy(labels))
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
        return torch.cat([p.grad.flatten() for p in net.parameters()])

    torch.testing.assert_close(
        gradient(samples, ("agent", "env")), grad(batch.labels), rtol=1e-3, atol=1e-6
    )
    assert not torch.allclose(grad(batch.labels), grad(other), atol=1e-6)
    assert not torch.allclose(
        gradient(samples, ("agent",)), gradient(samples, ("agent", "env")), atol=1e-6
    )


def test_lessons_are_learned() -> None:
    learner = SFT(model(width=32), lessons()[:8], steps=60, batch_size=8, warmup=5, lr=1e-2)
    losses = [learner.update(step)["loss"] for step in range(60)]
    assert losses[-1] < 0.3 * losses[0]


@given(size=st.integers(1, 7), total=st.integers(1, 9), seed=st.integers(0, 3))
def test_an_epoch_has_every_sample_once(size: int, total: int, seed: int) -> None:
    drawn = [i for step in range(total) for i in batch_of(step, size, total, seed)]
    assert len(drawn) == size * total
    for epoch in range(size):
        assert sorted(drawn[epoch * total : (epoch + 1) * total]) == list(range(total))


def test_long_samples_are_cut() -> None:
    learner = SFT(model(), lessons()[:2], steps=1, batch_size=2, max_tokens=40)
    assert (
        learner.update(0)["tokens"] < SFT(model(), lessons()[:2], batch_size=2).update(0)["tokens"]
    )


def test_a_gradient_that_is_not_finite_is_not_taken() -> None:
    net = model()
    learner = SFT(net, lessons()[:2], steps=2)
    before = weights(net)
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, float("nan"))
    learner.optimizer.step()
    assert weights(net).equal(before)


def test_what_cannot_be_used_is_said() -> None:
    with pytest.raises(ArgumentError, match="samples"):
        SFT(model(), [])
    with pytest.raises(ArgumentError):
        SFT(model(), lessons()[:1], train=("nobody",))
    with pytest.raises(ArgumentError, match="optimizer"):
        SFT(model(), lessons()[:1], optimizer="sgd")  # type: ignore[arg-type]
    assert replace(lessons()[0], turns=()) is not None
