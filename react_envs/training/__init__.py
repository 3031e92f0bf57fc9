"""From traces to losses: labels, batches, returns, advantages, losses, other trainers' formats.

Arrays are numpy's; only the losses need torch, and are imported when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from react_envs.training.advantages import (
    gae,
    gigpo_advantages,
    group_advantages,
    mt_grpo_advantages,
)
from react_envs.training.batches import Batch, Packed, collate, pack
from react_envs.training.export import (
    to_dataset,
    to_openrlhf,
    to_tinker,
    to_trl,
    to_verl,
)
from react_envs.training.labels import build_sft_labels
from react_envs.training.returns import discounted_returns, per_token, token_rewards

if TYPE_CHECKING:
    from react_envs.training.loss import (
        PolicyLoss,
        fused_linear_cross_entropy,
        masked_cross_entropy,
        next_token_labels,
        policy_gradient_loss,
        token_logprobs,
    )

__all__ = [
    "Batch",
    "Packed",
    "PolicyLoss",
    "build_sft_labels",
    "collate",
    "discounted_returns",
    "fused_linear_cross_entropy",
    "gae",
    "gigpo_advantages",
    "group_advantages",
    "masked_cross_entropy",
    "mt_grpo_advantages",
    "next_token_labels",
    "pack",
    "per_token",
    "policy_gradient_loss",
    "to_dataset",
    "to_openrlhf",
    "to_tinker",
    "to_trl",
    "to_verl",
    "token_logprobs",
    "token_rewards",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from react_envs.training import loss

        return getattr(loss, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
