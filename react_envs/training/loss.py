"""Losses over chosen tokens: masked cross entropy, its fused form, the policy gradient.

A position that is not chosen takes no part: not in the numerator, not in the denominator, not
in the gradient (which is exactly 0.0 there), and whatever stands there, NaN included, does no
harm. Rows are selected before anything is computed, which also saves their memory and time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from react_envs.errors import ArgumentError, MissingExtraError
from react_envs.trace import IGNORE_INDEX

try:
    import torch
    from torch import Tensor
    from torch.autograd.function import once_differentiable
except ImportError as error:
    raise MissingExtraError.for_extra("torch", "hf") from error

__all__ = [
    "PolicyLoss",
    "fused_linear_cross_entropy",
    "masked_cross_entropy",
    "next_token_labels",
    "policy_gradient_loss",
    "token_logprobs",
]

CHUNK_ELEMENTS = 2**22
"""Logits that the fused loss holds at a time: 16 MiB in float32."""


def next_token_labels(labels: Tensor, ignore_index: int = IGNORE_INDEX) -> Tensor:
    """Labels for the logits of the position before: shifted left, the last one ignored.

    Shape (..., T) to (..., T). The label of a sequence's first token falls away: nothing
    predicts it.
    """
    last = torch.full_like(labels[..., :1], ignore_index)
    return torch.cat([labels[..., 1:], last], dim=-1)


def masked_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    ignore_index: int = IGNORE_INDEX,
    reduction: Literal["mean", "sum"] = "mean",
) -> Tensor:
    """Cross entropy over the positions whose label is not `ignore_index`.

    Equal to `torch.nn.functional.cross_entropy(..., ignore_index=)`, except that it is 0.0, with
    zero gradients, where all positions are ignored (torch gives NaN), that a NaN at an ignored
    position stays there, and that float16 and bfloat16 logits are computed in float32.

    Args:
        logits: shape (..., V).
        labels: shape (...), not shifted here (see `next_token_labels`).
        ignore_index: label of positions that do not count.
        reduction: `"mean"` over the positions that count, or their `"sum"`, for a denominator
            of one's own (gradient accumulation, several devices).

    Raises:
        ArgumentError: if shapes do not fit, or a label is no index of the vocabulary.

    >>> logits = torch.tensor([[0.0, 0.0], [5.0, float("nan")]])
    >>> round(masked_cross_entropy(logits, torch.tensor([1, -100])).item(), 4)
    0.6931
    """
    _check_shapes(logits, labels, reduction)
    rows, targets = _selected(logits, labels, ignore_index)
    losses = _negative_logprobs(rows, targets)
    return losses.sum() if reduction == "sum" else losses.sum() / max(len(targets), 1)


def token_logprobs(
    logits: Tensor, labels: Tensor, ignore_index: int = IGNORE_INDEX
) -> tuple[Tensor, Tensor]:
    """Log-probability of each label and entropy of its distribution, 0.0 where ignored.

    Args:
        logits: shape (..., V).
        labels: shape (...).

    Returns:
        Two tensors of the labels' shape, in float32 or wider, both differentiable.
    """
    _check_shapes(logits, labels, "sum")
    rows, targets = _selected(logits, labels, ignore_index)
    logprobs = rows.log_softmax(-1)
    chosen = logprobs.gather(-1, targets[:, None])[:, 0]
    entropies = -(logprobs.exp() * logprobs.clamp(min=torch.finfo(rows.dtype).min)).sum(-1)
    at = (labels.reshape(-1) != ignore_index).nonzero()[:, 0]
    empty = rows.new_zeros(labels.numel())
    return (
        empty.index_copy(0, at, chosen).view(labels.shape),
        empty.index_copy(0, at, entropies).view(labels.shape),
    )


def fused_linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    labels: Tensor,
    ignore_index: int = IGNORE_INDEX,
    reduction: Literal["mean", "sum"] = "mean",
) -> Tensor:
    """`masked_cross_entropy(hidden @ weight.T, labels)` without ever holding the logits.

    Ignored positions are left out before the output layer, the others go through it in chunks
    whose gradients are computed at once (as in Liger Kernel and cut cross entropy), so the
    memory of logits is constant.

    Args:
        hidden: last hidden states, shape (..., D).
        weight: of the output layer, shape (V, D).
        labels: shape (...), not shifted here.

    Not covered: gradients of gradients, a bias, logits that are capped or scaled.

    Raises:
        ArgumentError: if shapes do not fit, or a label is no index of the vocabulary.
    """
    if hidden.shape[:-1] != labels.shape or hidden.shape[-1:] != weight.shape[1:]:
        raise ArgumentError(
            "expected hidden (..., D), weight (V, D) and labels (...), got "
            f"{tuple(hidden.shape)}, {tuple(weight.shape)}, {tuple(labels.shape)}"
        )
    if hidden.dtype != weight.dtype:
        raise ArgumentError(f"expected one dtype, got {hidden.dtype} and {weight.dtype}")
    _check_reduction(reduction)
    at = (labels.reshape(-1) != ignore_index).nonzero()[:, 0]
    targets = labels.reshape(-1)[at]
    _check_targets(targets, weight.shape[0])
    rows = hidden.reshape(-1, hidden.shape[-1]).index_select(0, at)
    total: Tensor = _LinearCrossEntropy.apply(rows, weight, targets)  # type: ignore[no-untyped-call]
    return total if reduction == "sum" else total / max(len(targets), 1)


class _LinearCrossEntropy(torch.autograd.Function):
    """Sum of the cross entropies of `rows @ weight.T`, with its gradients, chunk by chunk."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        dtype = _wide(rows.dtype)
        need_rows, need_weight = ctx.needs_input_grad[:2]
        total = rows.new_zeros((), dtype=dtype)
        # in full precision until they are scaled: a loss scale or a sum overflows float16
        grad_rows = torch.empty_like(rows, dtype=dtype) if need_rows else None
        grad_weight = torch.zeros_like(weight, dtype=dtype) if need_weight else None
        size = max(1, CHUNK_ELEMENTS // weight.shape[0])
        for start in range(0, len(rows), size):
            part, target = rows[start : start + size], targets[start : start + size, None]
            logits = (part @ weight.T).to(dtype)
            largest = logits.amax(-1, keepdim=True)
            chosen = logits.gather(-1, target) - largest
            probabilities = logits.sub_(largest).exp_()
            sums = probabilities.sum(-1, keepdim=True)
            total += (sums.log() - chosen).sum()
            if not (need_rows or need_weight):
                continue
            probabilities.div_(sums)
            probabilities.scatter_add_(-1, target, -torch.ones_like(chosen))
            if grad_rows is not None:
                grad_rows[start : start + size] = probabilities.to(weight.dtype) @ weight
            if grad_weight is not None:
                grad_weight.addmm_(probabilities.T, part.to(dtype))
        ctx.save_for_backward(grad_rows, grad_weight)
        ctx.dtypes = rows.dtype, weight.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        grad_rows, grad_weight = ctx.saved_tensors
        return (
            None if grad_rows is None else (grad_rows * grad).to(ctx.dtypes[0]),
            None if grad_weight is None else (grad_weight * grad).to(ctx.dtypes[1]),
            None,
        )


@dataclass(frozen=True, slots=True)
class PolicyLoss:
    """A policy-gradient loss and what to log of it."""

    loss: Tensor
    policy: Tensor
    """The clipped surrogate alone, detached, as are the following."""
    kl: Tensor
    """Mean of the k3 estimate of KL(policy || reference) over the mask."""
    entropy: Tensor
    """Mean entropy over the mask."""
    clip_fraction: Tensor
    """Share of the mask at which the clip took the gradient away."""
    tokens: int
    """Number of positions in the mask."""


def policy_gradient_loss(
    logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    old_logprobs: Tensor | None = None,
    clip: tuple[float, float] = (0.2, 0.2),
    ref_logprobs: Tensor | None = None,
    kl_coef: float = 0.0,
    entropy: Tensor | None = None,
    entropy_coef: float = 0.0,
    aggregation: Literal["token", "sequence", "constant"] = "token",
    max_tokens: int | None = None,
    divisor: float | None = None,
) -> PolicyLoss:
    """The clipped policy gradient, in which all terms count the same tokens.

    `mean(-min(r A, clip(r) A)) + kl_coef * mean(kl) - entropy_coef * mean(entropy)` with
    `r = exp(logprobs - old_logprobs)`; every mean is over `mask`. Published code masks the
    advantages alone and lets denominator, KL or entropy count observations too (ReSearch,
    AutoCoA).

    Args:
        logprobs: shape (B, T), of the tokens under the policy; differentiable.
        advantages: shape (B, T), or (B,) for one per sequence.
        mask: shape (B, T), True at the tokens that the policy sampled.
        old_logprobs: shape (B, T), under the policy that sampled; None: `logprobs` themselves,
            so r is 1 (on-policy).
        clip: how far r may lie below and above 1.
        ref_logprobs: shape (B, T), under the reference; needed if `kl_coef` is not 0.
        entropy: shape (B, T), see `token_logprobs`; needed if `entropy_coef` is not 0.
        aggregation: `"token"`: every token weighs alike (DAPO); `"sequence"`: every sequence
            does (GRPO as published); `"constant"`: the sum by `B * max_tokens` (Dr.GRPO).
        max_tokens: of `"constant"`.
        divisor: instead of the number of tokens (`"token"`) or sequences (`"sequence"`) here,
            that of the whole batch, where this is one part of it (gradient accumulation).

    log r is held below 20, so that one token that became far likelier cannot make it infinite.
    Values outside the mask, NaN included, change nothing. With an empty mask the loss is 0.0.

    Raises:
        ArgumentError: if shapes do not fit, or something that is needed is missing.
    """
    shape = logprobs.shape
    given = {"mask": mask, "old_logprobs": old_logprobs, "ref_logprobs": ref_logprobs}
    for name, value in {**given, "entropy": entropy}.items():
        if value is not None and value.shape != shape:
            got = tuple(value.shape)
            raise ArgumentError(f"expected {name} of shape {tuple(shape)}, got {got}")
    if logprobs.dim() != 2 or advantages.shape not in (shape, shape[:1]):
        raise ArgumentError(
            "expected logprobs (B, T) and advantages (B, T) or (B,), got "
            f"{tuple(shape)} and {tuple(advantages.shape)}"
        )
    if kl_coef and ref_logprobs is None:
        raise ArgumentError("kl_coef needs ref_logprobs")
    if entropy_coef and entropy is None:
        raise ArgumentError("entropy_coef needs entropy")
    mask = mask.bool()
    chosen = logprobs[mask].to(_wide(logprobs.dtype))
    if advantages.dim() == 1:
        advantages = advantages[:, None].expand(shape)
    advantage = advantages[mask].to(chosen.dtype)
    weights = _weights(mask, aggregation, max_tokens, divisor).to(chosen.dtype)

    old = chosen.detach() if old_logprobs is None else old_logprobs[mask].detach()
    _check_known(old, "old_logprobs")
    _check_known(advantage, "advantages")
    ratio = (chosen - old).clamp(max=20.0).exp()
    clipped = ratio.clamp(1 - clip[0], 1 + clip[1])
    surrogate = torch.minimum(ratio * advantage, clipped * advantage)
    policy = -(surrogate * weights).sum()
    zero = policy.new_zeros(())
    kl = entropies = zero
    if ref_logprobs is not None:
        reference = ref_logprobs[mask].detach()
        _check_known(reference, "ref_logprobs")
        gap = reference - chosen
        kl = ((gap.exp() - gap - 1) * weights).sum()
    if entropy is not None:
        entropies = (entropy[mask] * weights).sum()
    loss = policy + kl_coef * kl - entropy_coef * entropies
    cut = (clipped * advantage < ratio * advantage).to(chosen.dtype)
    return PolicyLoss(
        loss=loss,
        policy=policy.detach(),
        kl=kl.detach(),
        entropy=entropies.detach(),
        clip_fraction=cut.mean() if len(cut) else zero,
        tokens=int(mask.sum()),
    )


def _check_known(values: Tensor, name: str) -> None:
    if torch.isnan(values).any():
        raise ArgumentError(
            f"{name} are NaN inside the mask: those tokens have none (text without ids?)"
        )


def _weights(
    mask: Tensor, aggregation: str, max_tokens: int | None, divisor: float | None
) -> Tensor:
    """Weight of each masked token, in the order of `x[mask]`."""
    counts = mask.sum(-1, keepdim=True)
    if aggregation == "token":
        weights = torch.ones_like(mask, dtype=torch.float64)
        weights /= counts.sum().clamp(min=1) if divisor is None else divisor
    elif aggregation == "sequence":
        # a sequence without tokens is no sequence to average over
        sequences = (counts > 0).sum().clamp(min=1) if divisor is None else divisor
        weights = 1 / (counts.clamp(min=1) * sequences).to(torch.float64).expand(mask.shape)
    elif aggregation == "constant":
        if not max_tokens or divisor is not None:
            raise ArgumentError('aggregation="constant" needs max_tokens, and takes no divisor')
        weights = torch.ones_like(mask, dtype=torch.float64) / (mask.shape[0] * max_tokens)
    else:
        raise ArgumentError(
            f'aggregation must be "token", "sequence" or "constant", actually: {aggregation!r}'
        )
    return weights[mask]


def _selected(logits: Tensor, labels: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """The rows that count, in float32 or wider, and their labels."""
    flat = labels.reshape(-1)
    at = (flat != ignore_index).nonzero()[:, 0]
    targets = flat[at]
    _check_targets(targets, logits.shape[-1])
    rows = logits.reshape(-1, logits.shape[-1]).index_select(0, at)
    return rows.to(_wide(rows.dtype)), targets


def _negative_logprobs(rows: Tensor, targets: Tensor) -> Tensor:
    largest = rows.detach().amax(-1, keepdim=True) if len(rows) else rows.detach()[:, :1]
    shifted = rows - largest
    return shifted.exp().sum(-1).log() - shifted.gather(-1, targets[:, None])[:, 0]


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def _check_shapes(logits: Tensor, labels: Tensor, reduction: str) -> None:
    if logits.shape[:-1] != labels.shape:
        raise ArgumentError(
            f"expected logits (..., V) and labels (...), got {tuple(logits.shape)} and "
            f"{tuple(labels.shape)}"
        )
    _check_reduction(reduction)


def _check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum"):
        raise ArgumentError(f'reduction must be "mean" or "sum", actually: {reduction!r}')


def _check_targets(targets: Tensor, size: int) -> None:
    if len(targets) and (int(targets.min()) < 0 or int(targets.max()) >= size):
        raise ArgumentError(
            f"expected labels in [0, {size}) or ignore_index, got "
            f"{int(targets.min())} to {int(targets.max())}"
        )
