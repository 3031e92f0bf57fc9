"""The optimizer and its schedule: Muon for matrices, AdamW for what is left."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch

from react_envs.errors import ArgumentError

__all__ = ["Optimizer", "warmup_cosine"]


class Optimizer:
    """Steps of gradient descent with a clipped norm.

    Args:
        model: whose parameters are trained.
        kind: `"muon"`: `torch.optim.Muon` for the matrices of the layers and AdamW for
            embeddings, norms and heads, with which a small model learns in fewer steps;
            `"adamw"`: AdamW alone, as is usual for a pretrained model.
        lr: of both; Muon's is scaled to match AdamW's updates.
        weight_decay: of both.
        clip: greatest norm of the gradient.

    Raises:
        ArgumentError: for another kind.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        kind: Literal["muon", "adamw"] = "muon",
        lr: float = 6e-3,
        *,
        weight_decay: float = 0.0,
        clip: float = 1.0,
    ) -> None:
        if kind not in ("muon", "adamw"):
            raise ArgumentError(f'optimizer must be "muon" or "adamw", actually: {kind!r}')
        trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrices = [p for n, p in trained if kind == "muon" and _is_matrix_of_a_layer(n, p)]
        chosen = {id(p) for p in matrices}
        rest = [p for _, p in trained if id(p) not in chosen]
        self.parameters = [p for _, p in trained]
        self.clip = clip
        self.lr = lr
        self._optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.95), weight_decay=weight_decay)
        ]
        if matrices:
            muon = torch.optim.Muon(
                matrices,
                lr=lr,
                momentum=0.95,
                weight_decay=weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
            self._optimizers.append(muon)

    def step(self, scale: float = 1.0) -> float:
        """One step at `scale` times the learning rate; the norm of the gradient before the clip.

        A gradient that is not finite is not taken; its norm is returned as it is.
        """
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self.clip))
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.lr * scale
            if math.isfinite(norm):
                optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return norm

    def state_dict(self) -> list[dict[str, Any]]:
        """The state of all, for a checkpoint."""
        return [optimizer.state_dict() for optimizer in self._optimizers]

    def load_state_dict(self, state: list[dict[str, Any]]) -> None:
        """Go on from `state_dict()`."""
        for optimizer, own in zip(self._optimizers, state, strict=True):
            optimizer.load_state_dict(own)


def _is_matrix_of_a_layer(name: str, parameter: torch.nn.Parameter) -> bool:
    return parameter.ndim == 2 and "embed" not in name and "lm_head" not in name


def warmup_cosine(step: int, steps: int, warmup: int = 50, floor: float = 0.1) -> float:
    """The share of the learning rate at `step` of `steps`: a line up, then a cosine to `floor`.

    >>> [round(warmup_cosine(step, 200), 2) for step in (0, 49, 125, 199)]
    [0.02, 1.0, 0.55, 0.1]
    """
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - 1 - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
