"""SFT: cross entropy over the tokens of chosen owners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from react_envs.agents.learners.optimizers import Optimizer, warmup_cosine
from react_envs.agents.learners.scoring import TokenScorer
from react_envs.errors import ArgumentError
from react_envs.trace import Owner, Sample, owner_set
from react_envs.training import collate

__all__ = ["SFT"]


class SFT:
    """Supervised fine-tuning on trajectories.

    `train` says whose tokens are learned. AutoCoA's second stage is `("agent",)`: observations
    are masked. Its third is `("agent", "env")`: the model also learns what the tool says, and can
    then play it (`react_envs.simulators.ContinuingSimulator`).

    Args:
        model: a causal model of transformers.
        samples: what `teach` or any trace gives.
        train: owners, by name or as `Owner`.
        steps: updates in all.
        schedule: length of the learning rate's schedule; by default `steps`.
        batch_size: samples of an update.
        lr: greatest learning rate.
        warmup: steps until it is reached.
        optimizer: `"muon"` or `"adamw"` (see `Optimizer`).
        max_tokens: longer samples are cut.
        seed: of the order of samples.

    Raises:
        ArgumentError: if there are no samples, or `train` names no owner.
    """

    def __init__(
        self,
        model: Any,
        samples: Sequence[Sample],
        *,
        train: Iterable[Owner | str] = ("agent",),
        steps: int = 300,
        batch_size: int = 32,
        lr: float = 6e-3,
        warmup: int = 50,
        schedule: int | None = None,
        optimizer: Literal["muon", "adamw"] = "muon",
        max_tokens: int | None = None,
        seed: int = 0,
    ) -> None:
        if not samples:
            raise ArgumentError("expected samples to learn from, got none")
        self.model = model
        self.samples = samples
        self.train = tuple(owner_set(train))
        self.steps = steps
        self.batch_size = batch_size
        self.warmup = warmup
        self.schedule = steps if schedule is None else schedule
        self.max_tokens = max_tokens
        self.seed = seed
        self.optimizer = Optimizer(model, optimizer, lr)
        self._scorer = TokenScorer(model)

    def update(self, step: int) -> dict[str, float]:
        """One step on the batch that belongs to `step`."""
        chosen = batch_of(step, self.batch_size, len(self.samples), self.seed)
        batch = collate(
            [self.samples[i] for i in chosen], train=self.train, max_tokens=self.max_tokens
        )
        self.model.train()
        loss = self._scorer.cross_entropy(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = self.optimizer.step(warmup_cosine(step, self.schedule, self.warmup))
        return {
            "loss": float(loss.detach()),
            "grad_norm": norm,
            "tokens": float(batch.loss_mask.sum()),
        }

    def state_dict(self) -> dict[str, Any]:
        """What changes from step to step, the model apart."""
        return {"optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()`."""
        self.optimizer.load_state_dict(state["optimizer"])


def batch_of(step: int, size: int, total: int, seed: int) -> list[int]:
    """The samples of an update: each epoch has its own order, and no sample comes twice in it.

    >>> sorted(batch_of(0, 2, 4, seed=1) + batch_of(1, 2, 4, seed=1))
    [0, 1, 2, 3]
    """
    first = step * size
    epochs = range(first // total, (first + size - 1) // total + 1)
    order = np.concatenate([np.random.default_rng([seed, e]).permutation(total) for e in epochs])
    start = first - epochs.start * total
    return [int(i) for i in order[start : start + size]]
