"""AutoCoA's first stage, when to act: a contrast between acting and thinking, where one is right.

Source: arXiv 2503.06580, section 3, and the trainer published with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from react_envs.agents.learners.optimizers import Optimizer, warmup_cosine
from react_envs.agents.learners.scoring import TokenScorer
from react_envs.agents.learners.sft import batch_of
from react_envs.errors import ArgumentError
from react_envs.rollout import EpisodeRecord
from react_envs.trace import IGNORE_INDEX, Owner, Sample
from react_envs.training import Batch

__all__ = ["ActionPair", "Contrastive", "action_pairs", "contrastive_loss"]


@dataclass(frozen=True)
class ActionPair:
    """One context and two ways to go on: with a call, and without."""

    prefix: list[int]
    """Ids that both share: neither is trained on them."""
    chosen: list[int]
    rejected: list[int]
    acts: bool
    """True if the chosen one makes a call."""


def action_pairs(
    coa: Iterable[EpisodeRecord], cot: Iterable[EpisodeRecord], *, right: float = 1.0
) -> list[ActionPair]:
    """Pairs from two trajectories of one task, where one is right and the other wrong.

    `coa` acts (a chain of actions), `cot` only thinks. Where acting is right and thinking wrong,
    each of its calls is chosen against the thinker's answer at that very place: the trajectory
    is cut there and the trigger removed. Where thinking is right and acting wrong, the thinker's
    turn is chosen against the first call. Tasks on which both are right, or both are wrong, say
    nothing of when to act.

    Args:
        coa: records with `tokens`, of one sample each; a trajectory without a call is left out.
        cot: records with `tokens`; one with a call is left out.
        right: reward of a right trajectory.
    """
    thinkers = {record.index: record for record in cot if not record.calls}
    pairs: list[ActionPair] = []
    for actor in coa:
        thinker = thinkers.get(actor.index)
        if thinker is None or not actor.calls or None in (actor.reward, thinker.reward):
            continue
        acting, thinking = _only_sample(actor), _only_sample(thinker)
        if acting is None or thinking is None:
            continue
        acts, thinks = (actor.reward or 0) >= right, (thinker.reward or 0) >= right
        answer = _turn_ids(thinking, len(thinking.turns) - 1)
        if acts and not thinks:
            for number, turn in enumerate(actor.turns):
                if turn.call is not None and turn.tool_ok is not None:
                    start = acting.turns[number].start
                    prefix = acting.ids[:start].tolist()
                    pairs.append(ActionPair(prefix, _turn_ids(acting, number), answer, True))
        elif thinks and not acts:
            prefix = acting.ids[: acting.turns[0].start].tolist()
            pairs.append(ActionPair(prefix, answer, _turn_ids(acting, 0), False))
    return [pair for pair in pairs if pair.chosen and pair.rejected]


def _only_sample(record: EpisodeRecord) -> Sample | None:
    samples = record.tokens.to_samples() if record.tokens else []
    return samples[0] if len(samples) == 1 and len(samples[0].turns) else None


def _turn_ids(sample: Sample, number: int) -> list[int]:
    """The agent's own ids of a turn."""
    row = sample.turns[number]
    span = slice(row.start, row.end)
    return [int(i) for i in sample.ids[span][sample.source[span] == int(Owner.AGENT)]]


def contrastive_loss(
    chosen: Tensor, rejected: Tensor, alpha: float = 0.2
) -> tuple[Tensor, Tensor, Tensor]:
    """`-log sigmoid(P(chosen) - P(rejected)) - alpha * P(chosen)`, its mean and both parts.

    Args:
        chosen: shape (N,), mean log-probability of each chosen continuation.
        rejected: shape (N,), of the rejected ones.
        alpha: weight of the second part, without which both fall together.

    Returns:
        The loss, the contrast and the mean `-P(chosen)`.

    >>> loss, contrast, _ = contrastive_loss(torch.tensor([-1.0]), torch.tensor([-1.0]), alpha=0)
    >>> round(contrast.item(), 4)
    0.6931
    """
    contrast = -torch.nn.functional.logsigmoid(chosen - rejected).mean()
    auxiliary = -chosen.mean()
    return contrast + alpha * auxiliary, contrast, auxiliary


class Contrastive:
    """Learns pairs: raises the chosen continuation's mean log-probability above the rejected's.

    Args:
        model: a causal model of transformers.
        pairs: see `action_pairs`.
        steps: updates in all.
        batch_size: pairs of an update.
        alpha: see `contrastive_loss`.
        lr: greatest learning rate.
        warmup: steps until it is reached.
        optimizer: `"muon"` or `"adamw"`.
        seed: of the order of pairs.

    Raises:
        ArgumentError: if there are no pairs.
    """

    def __init__(
        self,
        model: Any,
        pairs: Sequence[ActionPair],
        *,
        steps: int = 60,
        batch_size: int = 16,
        alpha: float = 0.2,
        lr: float = 1e-3,
        warmup: int = 10,
        optimizer: Literal["muon", "adamw"] = "muon",
        seed: int = 0,
    ) -> None:
        if not pairs:
            raise ArgumentError(
                "expected pairs of which one is right, got none: acting and thinking were right "
                "on the same tasks"
            )
        self.model = model
        self.pairs = list(pairs)
        self.steps = steps
        self.batch_size = batch_size
        self.alpha = alpha
        self.warmup = warmup
        self.seed = seed
        self.optimizer = Optimizer(model, optimizer, lr)
        self._scorer = TokenScorer(model)

    def update(self, step: int) -> dict[str, float]:
        """One step on the pairs that belong to `step`."""
        chosen = batch_of(step, self.batch_size, len(self.pairs), self.seed)
        pairs = [self.pairs[i] for i in chosen]
        batch = _rows(
            [(p.prefix, p.chosen) for p in pairs] + [(p.prefix, p.rejected) for p in pairs]
        )
        self.model.train()
        means = self._means(batch)
        better, worse = means[: len(pairs)], means[len(pairs) :]
        loss, contrast, auxiliary = contrastive_loss(better, worse, self.alpha)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = self.optimizer.step(warmup_cosine(step, self.steps, self.warmup))
        return {
            "loss": float(loss.detach()),
            "contrast": float(contrast.detach()),
            "nll_chosen": float(auxiliary.detach()),
            "accuracy": float((better > worse).float().mean()),
            "grad_norm": norm,
        }

    def _means(self, batch: Batch) -> Tensor:
        """Mean log-probability of each row's continuation, shape (rows,)."""
        logprobs, _ = self._scorer.logprobs(batch)
        mask = torch.from_numpy(batch.shifted().loss_mask).to(logprobs.device)
        return (logprobs * mask).sum(-1) / mask.sum(-1)

    def state_dict(self) -> dict[str, Any]:
        """What changes from step to step, and the pairs: they may be the model's own samples."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "pairs": [asdict(pair) for pair in self.pairs],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()`."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.pairs = [ActionPair(**pair) for pair in state["pairs"]]


def _rows(rows: Sequence[tuple[list[int], list[int]]]) -> Batch:
    """Prefixes and continuations as a right-padded batch whose labels are the continuations."""
    width = max(len(prefix) + len(rest) for prefix, rest in rows)
    shape = (len(rows), width)
    ids, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    labels = np.full(shape, IGNORE_INDEX, dtype=np.int64)
    for row, (prefix, rest) in enumerate(rows):
        end = len(prefix) + len(rest)
        ids[row, :end], mask[row, :end] = [*prefix, *rest], 1
        labels[row, len(prefix) : end] = rest
    return Batch(
        input_ids=ids,
        attention_mask=mask,
        position_ids=np.tile(np.arange(width), (len(rows), 1)) * mask,
        labels=labels,
        loss_mask=labels != IGNORE_INDEX,
        logprobs=np.full(shape, np.nan, dtype=np.float32),
        advantages=np.zeros(shape, dtype=np.float32),
    )
