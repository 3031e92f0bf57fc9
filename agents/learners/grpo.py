"""GRPO over any environment: sample groups, compare within them, reinforce the agent's tokens."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from react_envs.agents.learners.evaluation import summary_of
from react_envs.agents.learners.optimizers import Optimizer
from react_envs.agents.learners.scoring import TokenScorer
from react_envs.agents.policies.hf import HFPolicy
from react_envs.errors import ArgumentError
from react_envs.rollout import EpisodeRecord, play_together
from react_envs.tokenization import as_codec
from react_envs.trace import Owner, Sample, owner_set
from react_envs.training import (
    Batch,
    PolicyLoss,
    collate,
    group_advantages,
    mt_grpo_advantages,
    policy_gradient_loss,
)
from react_envs.types import StopReason
from react_envs.wrappers import TokenProvenance

__all__ = ["GRPO", "CollapseWarning"]

VARIANTS = ("grpo", "dr_grpo", "mt_grpo")


class CollapseWarning(UserWarning):
    """A run that will hardly recover: no group differs, or the tool is no longer called."""


class GRPO:
    """Group-relative policy optimisation, in which the tools' tokens never count.

    An update plays `group` episodes of each of `prompts` tasks at temperature 1, compares
    rewards within each group and takes `epochs` gradient steps on what the agent sampled.
    Episodes that the world ended are left out, and counted.

    Each update logs `reward`, `em`, `format`, `calls`, `turns`, `failures`, `live_groups` (share
    of groups in which rewards differ: the others teach nothing), `entropy`, `kl`, `loss`,
    `grad_norm` and `tokens`; and warns (`CollapseWarning`) where runs are known to be lost.

    Args:
        model: a causal model of transformers; on the CPU of a laptop, a small one.
        tokenizer: its own.
        make_env: an environment's id, or what makes one; `prompts * group` are kept.
        steps: updates in all.
        variant: `"grpo"` (arXiv 2402.03300) with token-mean loss; `"dr_grpo"` (arXiv
            2503.20783): no division by the deviation, nor by lengths; `"mt_grpo"` (arXiv
            2505.11821): turns get credit of their own, from an environment whose reward
            pays per turn (`reward="turn_credit"`).
        prompts: tasks of an update.
        group: episodes of a task, at least 2.
        indices: of the tasks; an update takes the next `prompts` of them, and begins anew
            behind the last. None for all of the split.
        lr: of AdamW, constant. For a small model 1e-4; 1e-3 collapses.
        optimizer: `"adamw"` or `"muon"`.
        temperature: of sampling; log-probabilities are taken at it too.
        clip: how far a ratio may lie from 1; matters with more than one epoch.
        epochs: gradient steps on the same episodes.
        minibatch: samples whose gradient is computed at a time; None for all.
        kl_coef: weight of KL(policy || reference), k3; the reference is the model as given.
        entropy_coef: weight of the entropy bonus.
        train: whose tokens are reinforced. Anything but the agent's is a mistake, which the
            benchmark makes on purpose.
        mode: as for `HFPolicy`.
        max_new_tokens: of a turn.
        batch_size: turns written at a time.
        seed: of all sampling.
        on_step: called with (environments, step, steps) before an update plays, such as to
            advance a simulator's noise.

    Raises:
        ArgumentError: for an argument that cannot be used.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        make_env: str | Callable[[], gym.Env[str, str]],
        *,
        steps: int = 60,
        variant: Literal["grpo", "dr_grpo", "mt_grpo"] = "grpo",
        prompts: int = 8,
        group: int = 8,
        indices: Sequence[int] | None = None,
        lr: float = 1e-4,
        optimizer: Literal["muon", "adamw"] = "adamw",
        temperature: float = 1.0,
        clip: tuple[float, float] = (0.2, 0.2),
        epochs: int = 1,
        minibatch: int | None = None,
        kl_coef: float = 0.0,
        entropy_coef: float = 0.0,
        train: Iterable[Owner | str] = ("agent",),
        mode: Literal["completion", "chat"] = "completion",
        max_new_tokens: int = 48,
        batch_size: int = 256,
        seed: int = 0,
        on_step: Callable[[Sequence[gym.Env[str, str]], int, int], None] | None = None,
    ) -> None:
        if variant not in VARIANTS:
            raise ArgumentError(f"variant must be one of {VARIANTS}, actually: {variant!r}")
        if group < 2 or prompts < 1 or epochs < 1:
            raise ArgumentError(
                "expected at least 2 episodes a group, 1 prompt and 1 epoch, got "
                f"group={group}, prompts={prompts}, epochs={epochs}"
            )
        self.model = model
        self.steps = steps
        self.variant = variant
        self.prompts = prompts
        self.group = group
        self.temperature = temperature
        self.clip = clip
        self.epochs = epochs
        self.minibatch = minibatch
        self.kl_coef = kl_coef
        self.entropy_coef = entropy_coef
        self.train = tuple(owner_set(train))
        self.seed = seed
        self.on_step = on_step
        self.optimizer = Optimizer(model, optimizer, lr)
        self.policy = HFPolicy(
            model,
            tokenizer,
            mode=mode,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            batch_size=batch_size,
        )
        self._max_tokens = max_new_tokens
        codec = as_codec(tokenizer)
        make = partial(gym.make, make_env) if isinstance(make_env, str) else make_env
        self.envs = [TokenProvenance(make(), codec, mode=mode) for _ in range(prompts * group)]
        here: Any = self.envs[0].unwrapped
        self.indices = range(len(here.tasks)) if indices is None else indices
        self._scorer = TokenScorer(model)
        self._reference = _frozen(model) if kl_coef else None
        self._first_calls: float | None = None
        self._warned: set[str] = set()
        self.records: list[EpisodeRecord] = []
        """Of the last update."""

    def update(self, step: int) -> dict[str, float]:
        """Play, compare, reinforce."""
        if self.on_step is not None:
            self.on_step(self.envs, step, self.steps)
        self.records = self._play(step)
        whole = [record for record in self.records if record.error is None]
        metrics = summary_of(self.records)
        samples, advantages, live = self._advantages(whole)
        metrics |= {"live_groups": live, **self._learn(samples, advantages)}
        self._warn(metrics)
        return metrics

    def _play(self, step: int) -> list[EpisodeRecord]:
        indices, seeds = [], []
        for prompt in range(self.prompts):
            index = self.indices[(step * self.prompts + prompt) % len(self.indices)]
            for member in range(self.group):
                indices.append(int(index))
                seeds.append(_seed(self.seed, step, prompt, member))
        records = play_together(self.envs, self.policy, indices, seeds)
        return [_whole(env, record) for env, record in zip(self.envs, records, strict=True)]

    def _advantages(
        self, records: list[EpisodeRecord]
    ) -> tuple[list[Sample], list[NDArray[np.float32]], float]:
        """Samples with an advantage for each token, and the share of groups that differ."""
        if not records:
            return [], [], 0.0
        groups = [record.index for record in records]
        returns = [float(record.reward or 0.0) for record in records]
        if self.variant == "mt_grpo":
            rows = [
                [row.reward for row in record.tokens.turns] if record.tokens else [reward]
                for record, reward in zip(records, returns, strict=True)
            ]
            values = mt_grpo_advantages(
                [row[:-1] for row in rows], [row[-1] if row else 0.0 for row in rows], groups
            )
        else:
            std: Any = None if self.variant == "dr_grpo" else "population"
            values = list(group_advantages(returns, groups, std=std)[:, None])
        samples, advantages = [], []
        for record, value in zip(records, values, strict=True):
            for sample in record.tokens.to_samples() if record.tokens else ():
                samples.append(sample)
                advantages.append(_spread(sample, value, self.train))
        spans: dict[int, list[float]] = {}
        for group, reward in zip(groups, returns, strict=True):
            spans.setdefault(group, []).append(reward)
        differ = [np.ptp(rewards) > 1e-9 for rewards in spans.values()]
        return samples, advantages, float(np.mean(differ))

    def _learn(
        self, samples: list[Sample], advantages: list[NDArray[np.float32]]
    ) -> dict[str, float]:
        """`epochs` gradient steps; where no group differs, only a look at the entropy."""
        sums = {"loss": 0.0, "entropy": 0.0, "kl": 0.0, "clip_fraction": 0.0}
        norm, batches = 0.0, self._batches(samples, advantages)
        total = sum(int(batch.shifted().loss_mask.sum()) for batch in batches)
        differs = any(map(np.any, advantages)) or bool(self.kl_coef or self.entropy_coef)
        old: list[torch.Tensor | None] = [None] * len(batches)
        self.model.train()
        for epoch in range(self.epochs if differs else 1):
            for number, batch in enumerate(batches):
                with torch.set_grad_enabled(differs):
                    logprobs, entropy = self._scorer.logprobs(batch, self.temperature)
                if self.epochs > 1 and epoch == 0:
                    old[number] = logprobs.detach()
                loss = self._loss(batch, logprobs, entropy, old[number], total, len(samples))
                if differs:
                    loss.loss.backward()  # type: ignore[no-untyped-call]
                if epoch == 0:
                    sums["loss"] += float(loss.policy)
                    sums["entropy"] += float(loss.entropy)
                    sums["kl"] += float(loss.kl)
                share = loss.tokens / max(total, 1)
                sums["clip_fraction"] += share * float(loss.clip_fraction) / self.epochs
            if differs and batches:
                norm = self.optimizer.step()
        return {**sums, "grad_norm": norm, "tokens": float(total)}

    def _batches(self, samples: list[Sample], advantages: list[NDArray[np.float32]]) -> list[Batch]:
        size = self.minibatch or max(1, len(samples))
        return [
            collate(
                samples[start : start + size],
                train=self.train,
                advantages=advantages[start : start + size],
            )
            for start in range(0, len(samples), size)
        ]

    def _loss(
        self,
        batch: Batch,
        logprobs: torch.Tensor,
        entropy: torch.Tensor,
        old: torch.Tensor | None,
        total: int,
        rows: int,
    ) -> PolicyLoss:
        device = logprobs.device
        shifted = batch.shifted()
        mask = torch.from_numpy(shifted.loss_mask).to(device)
        advantages = torch.from_numpy(shifted.advantages).to(device)
        reference = None
        if self._reference is not None:
            with torch.no_grad():
                reference, _ = self._reference.logprobs(batch, self.temperature)
        # Dr.GRPO divides by a constant; for the whole batch that is `rows * max_tokens`
        divisor = float(rows * self._max_tokens) if self.variant == "dr_grpo" else float(total)
        return policy_gradient_loss(
            logprobs,
            advantages,
            mask,
            old_logprobs=old,
            clip=self.clip,
            ref_logprobs=reference,
            kl_coef=self.kl_coef,
            entropy=entropy if self.entropy_coef else entropy.detach(),
            entropy_coef=self.entropy_coef,
            aggregation="token",
            divisor=divisor,
        )

    def _warn(self, metrics: Mapping[str, float]) -> None:
        """Say once what is known to end a run."""
        if metrics["failures"] == len(self.records):
            return  # the world ended them all: they say nothing of the model
        if self._first_calls is None:
            self._first_calls = metrics["calls"]
        live, em, calls = metrics["live_groups"], metrics["em"], metrics["calls"]
        if live < 0.1 and em < 0.9:
            self._say_once(
                "live",
                f"{live:.0%} of the groups have rewards that differ, at {em:.0%} exact match: "
                "nothing is left to learn from. Lower lr, or begin from a model that is right "
                "more often.",
            )
        if self._first_calls > 0.5 and calls < 0.5 * self._first_calls:
            self._say_once(
                "calls",
                f"calls per episode fell from {self._first_calls:.2f} to {calls:.2f}: the model "
                "stops using its tool, and seldom comes back to it. Lower lr, unless it is to "
                "answer by heart.",
            )

    def _say_once(self, kind: str, text: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(text, CollapseWarning, stacklevel=5)

    def close(self) -> None:
        """Close the environments."""
        for env in self.envs:
            env.close()

    def state_dict(self) -> dict[str, Any]:
        """What changes from update to update, the model apart."""
        reference = self._reference.model.state_dict() if self._reference else None
        return {
            "optimizer": self.optimizer.state_dict(),
            "first_calls": self._first_calls,
            "warned": sorted(self._warned),
            "reference": reference,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()`."""
        self.optimizer.load_state_dict(state["optimizer"])
        self._first_calls = state["first_calls"]
        self._warned = set(state["warned"])
        if self._reference is not None:
            self._reference.model.load_state_dict(state["reference"])


def _whole(env: TokenProvenance, record: EpisodeRecord) -> EpisodeRecord:
    """The record with its tokens, also of an episode that ended outside: its context was full."""
    if record.stop_reason != StopReason.CONTEXT_LENGTH or record.tokens is not None:
        return record
    return replace(record, tokens=env.finish({"stop_reason": record.stop_reason}))


def _seed(seed: int, step: int, prompt: int, member: int) -> int:
    return int(np.random.SeedSequence([seed, step, prompt, member]).generate_state(1)[0]) >> 1


def _spread(
    sample: Sample, values: NDArray[np.float64], train: Iterable[Owner | str]
) -> NDArray[np.float32]:
    """A value for the episode, or one for each turn, on the tokens of the owners in `train`."""
    turn = np.maximum(sample.turn, 0) if len(values) > 1 else np.zeros(len(sample), dtype=int)
    spread = np.where(sample.loss_mask(train), values[np.minimum(turn, len(values) - 1)], 0.0)
    return spread.astype(np.float32)


def _frozen(model: Any) -> TokenScorer:
    reference = copy.deepcopy(model).requires_grad_(False)
    return TokenScorer(reference.eval())
