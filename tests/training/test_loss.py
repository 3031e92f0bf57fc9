"""Losses: parity with torch, nothing from positions that do not count, and bounded memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from react_envs.errors import ArgumentError
from react_envs.training import (
    fused_linear_cross_entropy,
    masked_cross_entropy,
    next_token_labels,
    policy_gradient_loss,
    token_logprobs,
)
from react_envs.training import loss as loss_module

SHAPES = st.tuples(st.integers(1, 9), st.integers(2, 11), st.integers(0, 2**16))
prop = settings(max_examples=60, deadline=None)


def example(n: int, v: int, seed: int, dtype: torch.dtype = torch.float64) -> tuple[Any, Any]:
    """Logits and labels of which at least one counts and some may not."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, v, generator=generator, dtype=dtype) * 3
    labels = torch.randint(0, v, (n,), generator=generator)
    masked = torch.rand(n, generator=generator) < 0.5
    masked[0] = False
    return logits.requires_grad_(), labels.masked_fill(masked, -100)


@prop
@given(SHAPES, st.sampled_from([torch.float64, torch.float32]), st.sampled_from(["mean", "sum"]))
def test_parity_with_torch(shape: tuple[int, int, int], dtype: torch.dtype, reduction: Any) -> None:
    logits, labels = example(*shape, dtype)
    ours = masked_cross_entropy(logits, labels, reduction=reduction)
    theirs = F.cross_entropy(logits, labels, ignore_index=-100, reduction=reduction)
    exact = 1e-12 if dtype is torch.float64 else 1e-6
    torch.testing.assert_close(ours, theirs, rtol=exact, atol=exact * 10)
    (own,) = torch.autograd.grad(ours, logits)
    (reference,) = torch.autograd.grad(theirs, logits)
    torch.testing.assert_close(own, reference, rtol=exact * 10, atol=exact * 10)
    assert (own[labels == -100] == 0).all()  # I15: to the bit


@prop
@given(SHAPES)
def test_the_loss_is_that_of_the_chosen_positions_alone(shape: tuple[int, int, int]) -> None:
    logits, labels = example(*shape)
    keep = labels != -100
    alone = masked_cross_entropy(logits[keep], labels[keep])
    assert masked_cross_entropy(logits, labels) == alone  # I14
    other = logits.detach().clone()
    other[~keep] = 17.0
    assert masked_cross_entropy(other, labels) == alone


@prop
@given(SHAPES)
def test_every_trained_label_matters_and_no_other(shape: tuple[int, int, int]) -> None:
    logits, labels = example(*shape)
    before = masked_cross_entropy(logits, labels)
    for at in range(len(labels)):
        changed = labels.clone()
        if labels[at] == -100:
            continue
        changed[at] = (labels[at] + 1) % logits.shape[1]
        assert masked_cross_entropy(logits, changed) != before  # I16


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_stands_at_an_ignored_position_does_no_harm(bad: float) -> None:
    logits, labels = example(6, 5, 1)
    hidden = torch.randn(6, 4, dtype=torch.float64)
    weight = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    masked = labels == -100
    assert masked.any()
    poisoned = logits.detach().clone()
    poisoned[masked] = bad
    poisoned.requires_grad_()
    loss = masked_cross_entropy(poisoned, labels)
    assert loss == masked_cross_entropy(logits, labels)
    (gradient,) = torch.autograd.grad(loss, poisoned)
    assert torch.isfinite(gradient).all()
    assert (gradient[masked] == 0).all()
    hidden[masked] = bad
    hidden.requires_grad_()
    fused = fused_linear_cross_entropy(hidden, weight, labels)
    for gradient in torch.autograd.grad(fused, [hidden, weight]):
        assert torch.isfinite(gradient).all()
    logprobs, entropies = token_logprobs(poisoned, labels)
    (gradient,) = torch.autograd.grad(logprobs.sum() + entropies.sum(), poisoned)
    assert torch.isfinite(gradient).all()
    # torch's own is poisoned, which is why rows are selected first
    theirs = F.cross_entropy(poisoned, labels)
    (gradient,) = torch.autograd.grad(theirs, poisoned)
    assert not torch.isfinite(gradient).all()


def test_nothing_to_train_is_zero_with_zero_gradients() -> None:
    logits, labels = example(4, 5, 0)
    labels[:] = -100
    loss = masked_cross_entropy(logits, labels)
    assert loss == 0.0
    assert (torch.autograd.grad(loss, logits)[0] == 0).all()
    hidden = torch.randn(4, 3, requires_grad=True)
    weight = torch.randn(5, 3, requires_grad=True)
    fused = fused_linear_cross_entropy(hidden, weight, labels)
    assert fused == 0.0
    for gradient in torch.autograd.grad(fused, [hidden, weight]):
        assert (gradient == 0).all()
    assert torch.isnan(F.cross_entropy(logits, labels))


def test_low_precision_logits_are_computed_in_float32() -> None:
    torch.manual_seed(0)
    logits = (torch.randn(64, 500) * 8).to(torch.bfloat16)
    labels = torch.randint(0, 500, (64,))
    exact = F.cross_entropy(logits.double(), labels)
    ours = masked_cross_entropy(logits, labels)
    assert ours.dtype is torch.float32
    assert abs(ours.item() - exact.item()) < 1e-5
    assert abs(F.cross_entropy(logits, labels).item() - exact.item()) > 1e-3


def test_logits_of_any_leading_shape() -> None:
    logits, labels = example(6, 5, 2)
    flat = masked_cross_entropy(logits, labels)
    assert masked_cross_entropy(logits.view(2, 3, 5), labels.view(2, 3)) == flat


def test_labels_are_shifted_towards_the_logits_that_predict_them() -> None:
    labels = torch.tensor([[1, 2, 3], [-100, 5, 6]])
    assert next_token_labels(labels).tolist() == [[2, 3, -100], [5, 6, -100]]


def test_large_logits_do_not_overflow() -> None:
    logits = torch.tensor([[1e4, 0.0], [0.0, -1e4]])
    loss = masked_cross_entropy(logits, torch.tensor([0, 1]))
    assert loss.item() == pytest.approx(5e3)


@prop
@given(SHAPES, st.integers(1, 8), st.sampled_from(["mean", "sum"]))
def test_the_fused_loss_and_its_gradients_are_those_of_the_plain_one(
    shape: tuple[int, int, int], chunk: int, reduction: Any
) -> None:
    n, v, seed = shape
    _, labels = example(n, v, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    hidden = torch.randn(n, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(v, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    plain = masked_cross_entropy(hidden @ weight.T, labels, reduction=reduction)
    before = loss_module.CHUNK_ELEMENTS
    loss_module.CHUNK_ELEMENTS = chunk * v
    try:
        fused = fused_linear_cross_entropy(hidden, weight, labels, reduction=reduction)
    finally:
        loss_module.CHUNK_ELEMENTS = before
    torch.testing.assert_close(fused, plain, rtol=1e-12, atol=1e-12)
    ours = torch.autograd.grad(3 * fused, [hidden, weight])
    theirs = torch.autograd.grad(3 * plain, [hidden, weight])
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    assert (ours[0][labels == -100] == 0).all()


def test_the_fused_loss_with_a_frozen_layer_and_in_bfloat16() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(8, 16, dtype=torch.bfloat16, requires_grad=True)
    weight = torch.randn(40, 16, dtype=torch.bfloat16)
    labels = torch.randint(0, 40, (8,))
    fused = fused_linear_cross_entropy(hidden, weight, labels)
    plain = masked_cross_entropy(hidden @ weight.T, labels)
    torch.testing.assert_close(fused, plain, rtol=1e-3, atol=1e-3)
    (ours,) = torch.autograd.grad(fused, hidden)
    (theirs,) = torch.autograd.grad(plain, hidden)
    torch.testing.assert_close(ours, theirs, rtol=5e-2, atol=5e-3)


def test_a_scaled_fused_loss_in_float16_does_not_overflow() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(64, 8).half().requires_grad_()
    weight = torch.randn(20, 8).half().requires_grad_()
    labels = torch.randint(0, 20, (64,))
    loss = fused_linear_cross_entropy(hidden, weight, labels) * 65536
    for gradient in torch.autograd.grad(loss, [hidden, weight]):
        assert torch.isfinite(gradient).all()


def test_the_fused_loss_wants_one_dtype() -> None:
    with pytest.raises(ArgumentError, match="one dtype"):
        fused_linear_cross_entropy(
            torch.zeros(1, 2), torch.zeros(3, 2).half(), torch.zeros(1, dtype=torch.long)
        )


@prop
@given(SHAPES)
def test_token_logprobs_are_those_of_a_log_softmax(shape: tuple[int, int, int]) -> None:
    logits, labels = example(*shape)
    logprobs, entropies = token_logprobs(logits, labels)
    reference = logits.log_softmax(-1)
    for at, label in enumerate(labels.tolist()):
        if label == -100:
            assert logprobs[at] == entropies[at] == 0.0
        else:
            torch.testing.assert_close(logprobs[at], reference[at, label])
            entropy = -(reference[at].exp() * reference[at]).sum()
            torch.testing.assert_close(entropies[at], entropy)


@pytest.mark.parametrize(
    ("logits", "labels", "reduction", "message"),
    [
        ((4, 5), [0, 1, 2], "mean", "expected logits"),
        ((2, 5), [0, 5], "mean", r"labels in \[0, 5\)"),
        ((2, 5), [0, -1], "mean", r"labels in \[0, 5\)"),
        ((2, 5), [0, 1], "max", "reduction"),
    ],
)
def test_unusable_arguments_raise(logits: Any, labels: Any, reduction: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        masked_cross_entropy(torch.zeros(logits), torch.tensor(labels), reduction=reduction)
    with pytest.raises(ArgumentError, match=message.replace("expected logits", "expected hidden")):
        fused_linear_cross_entropy(
            torch.zeros(logits[0], 3), torch.zeros(5, 3), torch.tensor(labels), reduction=reduction
        )


# The policy gradient.


def policy_case(seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def draw() -> torch.Tensor:
        return -torch.rand(3, 5, generator=generator, dtype=torch.float64)

    mask = torch.tensor([[1, 1, 0, 0, 1], [0, 1, 1, 1, 0], [0, 0, 0, 1, 0]], dtype=torch.bool)
    return {
        "logprobs": draw().requires_grad_(),
        "old_logprobs": draw(),
        "ref_logprobs": draw(),
        "entropy": -draw(),
        "advantages": draw() + 0.5,
        "mask": mask,
    }


def reference_loss(case: dict[str, torch.Tensor], aggregation: str, max_tokens: int) -> Any:
    """The same, one token at a time."""
    terms: dict[str, list[list[torch.Tensor]]] = {"policy": [], "kl": [], "entropy": []}
    for row in range(3):
        rows: dict[str, list[torch.Tensor]] = {"policy": [], "kl": [], "entropy": []}
        for at in range(5):
            if not case["mask"][row, at]:
                continue
            ratio = (case["logprobs"][row, at] - case["old_logprobs"][row, at]).exp()
            advantage = case["advantages"][row, at]
            clipped = ratio.clamp(0.8, 1.3)
            rows["policy"].append(-torch.minimum(ratio * advantage, clipped * advantage))
            gap = case["ref_logprobs"][row, at] - case["logprobs"][row, at]
            rows["kl"].append(gap.exp() - gap - 1)
            rows["entropy"].append(case["entropy"][row, at])
        for name, values in rows.items():
            terms[name].append(values)

    def mean(rows: list[list[torch.Tensor]]) -> Any:
        if aggregation == "sequence":
            return sum(sum(row) / len(row) for row in rows) / len(rows)
        total = sum(sum(row) for row in rows)
        return total / (sum(map(len, rows)) if aggregation == "token" else 3 * max_tokens)

    return mean(terms["policy"]) + 0.3 * mean(terms["kl"]) - 0.1 * mean(terms["entropy"])


@pytest.mark.parametrize("aggregation", ["token", "sequence", "constant"])
def test_one_mask_for_numerator_denominator_kl_and_entropy(aggregation: Any) -> None:
    case: dict[str, Any] = policy_case()
    expected = reference_loss(case, aggregation, 7)
    got = policy_gradient_loss(
        **case,
        clip=(0.2, 0.3),
        kl_coef=0.3,
        entropy_coef=0.1,
        aggregation=aggregation,
        max_tokens=7,
    )
    torch.testing.assert_close(got.loss, expected)
    (ours,) = torch.autograd.grad(got.loss, case["logprobs"])
    (theirs,) = torch.autograd.grad(expected, case["logprobs"])
    torch.testing.assert_close(ours, theirs)
    assert (ours[~case["mask"]] == 0).all()
    assert got.tokens == 7
    # what stands outside the mask, NaN included, is not looked at
    poisoned: dict[str, Any] = {
        name: value if name == "mask" else value.detach().masked_fill(~case["mask"], float("nan"))
        for name, value in case.items()
    }
    poisoned["logprobs"].requires_grad_()
    again = policy_gradient_loss(
        **poisoned,
        clip=(0.2, 0.3),
        kl_coef=0.3,
        entropy_coef=0.1,
        aggregation=aggregation,
        max_tokens=7,
    )
    torch.testing.assert_close(again.loss, expected)
    (gradient,) = torch.autograd.grad(again.loss, poisoned["logprobs"])
    torch.testing.assert_close(gradient, theirs)
    torch.testing.assert_close(again.kl, got.kl)
    torch.testing.assert_close(again.entropy, got.entropy)


def test_on_policy_the_gradient_is_minus_the_advantage() -> None:
    case = policy_case()
    loss = policy_gradient_loss(case["logprobs"], case["advantages"][:, 0], case["mask"]).loss
    (gradient,) = torch.autograd.grad(loss, case["logprobs"])
    expected = -case["advantages"][:, :1].expand(3, 5) / 7
    torch.testing.assert_close(gradient[case["mask"]], expected[case["mask"]])


def test_the_drills_policy_gradient_is_a_special_case() -> None:
    """-A log p over active tokens, by their number (source system 0)."""
    case = policy_case()
    drill = -(case["advantages"] * case["logprobs"])[case["mask"]].sum() / 7
    (theirs,) = torch.autograd.grad(drill, case["logprobs"])
    ours = policy_gradient_loss(case["logprobs"], case["advantages"], case["mask"]).loss
    torch.testing.assert_close(torch.autograd.grad(ours, case["logprobs"])[0], theirs)


@pytest.mark.parametrize("aggregation", ["token", "sequence", "constant"])
def test_an_empty_mask_is_a_zero_loss(aggregation: Any) -> None:
    case: dict[str, Any] = policy_case()
    case["mask"][:] = False
    got = policy_gradient_loss(**case, kl_coef=1.0, aggregation=aggregation, max_tokens=7)
    assert got.loss == got.kl == got.entropy == got.clip_fraction == 0.0
    (gradient,) = torch.autograd.grad(got.loss, case["logprobs"])
    assert (gradient == 0).all()


def test_the_clip_is_counted_where_it_took_the_gradient_away() -> None:
    logprobs = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64, requires_grad=True)
    old = torch.zeros(1, 3, dtype=torch.float64)
    advantages = torch.tensor([[1.0, -1.0, 1.0]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    got = policy_gradient_loss(logprobs, advantages, mask, old_logprobs=old)
    # a rise of a good token is cut, a rise of a bad one is not
    assert got.clip_fraction.item() == pytest.approx(1 / 3)
    (gradient,) = torch.autograd.grad(got.loss, logprobs)
    assert gradient[0, 0] == 0
    assert gradient[0, 1] > 0


def test_parts_of_a_batch_add_up_to_it() -> None:
    case = policy_case()
    whole = policy_gradient_loss(case["logprobs"], case["advantages"], case["mask"]).loss
    parts = [
        policy_gradient_loss(
            case["logprobs"][rows], case["advantages"][rows], case["mask"][rows], divisor=7
        ).loss
        for rows in (slice(0, 1), slice(1, 3))
    ]
    torch.testing.assert_close(sum(parts), whole)


def test_a_token_that_became_far_likelier_stays_finite() -> None:
    logprobs = torch.tensor([[0.0]], requires_grad=True)
    old, mask = torch.tensor([[-1000.0]]), torch.tensor([[True]])
    for advantage in (0.0, -1.0):
        got = policy_gradient_loss(logprobs, torch.tensor([advantage]), mask, old_logprobs=old)
        assert torch.isfinite(got.loss)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": torch.ones(3, 4)}, "mask of shape"),
        ({"advantages": torch.ones(5)}, "advantages"),
        ({"ref_logprobs": None, "kl_coef": 0.1}, "needs ref_logprobs"),
        ({"entropy": None, "entropy_coef": 0.1}, "needs entropy"),
        ({"aggregation": "constant"}, "needs max_tokens"),
        ({"aggregation": "mean"}, "aggregation must be"),
        ({"aggregation": "constant", "max_tokens": 5, "divisor": 3.0}, "takes no divisor"),
        ({"old_logprobs": torch.full((3, 5), torch.nan)}, "old_logprobs are NaN inside"),
        ({"advantages": torch.full((3,), torch.nan)}, "advantages are NaN inside"),
    ],
)
def test_what_a_policy_loss_lacks_is_named(change: dict[str, Any], message: str) -> None:
    case: dict[str, Any] = {**policy_case(), **change}
    with pytest.raises(ArgumentError, match=message):
        policy_gradient_loss(**case)
