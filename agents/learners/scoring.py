"""TokenScorer: a model's losses and log-probabilities at the labelled positions alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from react_envs.errors import ArgumentError
from react_envs.trace import IGNORE_INDEX
from react_envs.training import Batch, masked_cross_entropy, next_token_labels, token_logprobs

__all__ = ["TokenScorer"]


class TokenScorer:
    """Scores right-padded batches under a causal model.

    Most tokens of an agent's episode are not its own. Where the model's head is a plain linear
    map, logits are computed for labelled positions only, which for a small model halves
    the cost. Whether it is one is found out on the first batch, by comparing with the model's
    own logits (some families cap or scale them).
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._plain: bool | None = None

    def cross_entropy(self, batch: Batch) -> Tensor:
        """Mean cross entropy over the labels of `batch` (as collated, not shifted)."""
        logits, targets = self._logits(batch)
        return masked_cross_entropy(logits, targets)

    def logprobs(self, batch: Batch, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """Log-probability and entropy, shape (B, T) each, 0.0 where there is no label.

        At T they stand at the position *before* the token, as `Batch.shifted` has its mask.
        """
        logits, targets = self._logits(batch)
        chosen, entropy = token_logprobs(logits / temperature, targets)
        labels = self._labels(batch)
        if chosen.shape == labels.shape:
            return chosen, entropy
        at = (labels.reshape(-1) != IGNORE_INDEX).nonzero()[:, 0]
        empty = chosen.new_zeros(labels.numel())
        return (
            empty.index_copy(0, at, chosen).view(labels.shape),
            empty.index_copy(0, at, entropy).view(labels.shape),
        )

    def _labels(self, batch: Batch) -> Tensor:
        return next_token_labels(torch.from_numpy(batch.labels).to(self.model.device))

    def _logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits and labels alike in shape: (labels,) if the head is plain, else (B, T)."""
        labels = self._labels(batch)
        inputs = {
            "input_ids": torch.from_numpy(batch.input_ids).to(self.model.device),
            "attention_mask": torch.from_numpy(batch.attention_mask).to(self.model.device),
        }
        if self._plain is None:
            self._plain = self._has_plain_head(inputs)
        if not self._plain:
            return self.model(**inputs, use_cache=False).logits, labels
        if _padded_left(batch):
            raise ArgumentError("expected a batch padded on the right, got padding on the left")
        hidden = self.model.base_model(input_ids=inputs["input_ids"], use_cache=False)[0]
        chosen = labels != IGNORE_INDEX
        return self.model.get_output_embeddings()(hidden[chosen]), labels[chosen]

    @torch.no_grad()
    def _has_plain_head(self, inputs: dict[str, Tensor]) -> bool:
        head = self.model.get_output_embeddings()
        if head is None:
            return False
        row = {name: value[:1] for name, value in inputs.items()}
        training = self.model.training
        self.model.eval()  # dropout would tell them apart
        own = self.model(**row, use_cache=False).logits
        hidden = self.model.base_model(**row, use_cache=False)[0]
        self.model.train(training)
        if hidden.shape[-1] != head.weight.shape[-1]:
            return False
        real = row["attention_mask"].bool()
        return torch.allclose(head(hidden)[real], own[real], rtol=1e-3, atol=1e-3)


def _padded_left(batch: Batch) -> bool:
    return bool((batch.attention_mask[:, 0] == 0).any())
