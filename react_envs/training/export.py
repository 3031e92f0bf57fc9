"""Samples in the formats of other trainers, as plain values: nothing of theirs is imported.

Where a trainer takes numbers only, log-probabilities of tokens that nobody sampled become 0.0,
under a mask of 0. The agent's own are never made up: without them the field is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from react_envs.errors import ArgumentError, MissingExtraError
from react_envs.trace import Owner, Sample, Trace

if TYPE_CHECKING:
    import datasets

__all__ = ["to_dataset", "to_openrlhf", "to_tinker", "to_trl", "to_verl"]


def to_trl(traces: Sequence[Trace], eos_token_id: int) -> dict[str, list[list[Any]]]:
    """What TRL's `GRPOTrainer(rollout_func=)` wants: one completion for each trace, in order.

    `env_mask` is 1 at the agent's tokens; a log-probability is None where the engine gave none,
    which TRL takes for a ratio of 1. TRL takes exactly one completion per prompt: of an episode
    that forked it is the last sample, and of one that may not be trained, or has no token of
    the agent, the prompt with a masked `eos_token_id` (TRL fails on empty ones). Its reward
    still counts in the group, so give it the one you want. Checked with TRL 1.16. Do not pass
    `environment_factory` beside `rollout_func`: TRL then drops `env_mask` in silence.
    """
    out: dict[str, list[list[Any]]] = {
        name: [] for name in ("prompt_ids", "completion_ids", "logprobs", "env_mask")
    }
    for trace in traces:
        samples = trace.to_samples()
        cut = _first_sampled(samples[-1].source) if samples else 0
        if not samples or cut == len(samples[-1]):
            prompt = trace.ids[: _first_sampled(trace.source)].tolist()
            row: tuple[list[Any], ...] = (prompt, [eos_token_id], [0.0], [0])
        else:
            sample = samples[-1]
            sampled = sample.loss_mask()
            unknown = np.isnan(sample.logprob) & sampled
            logprobs = [None if u else p for u, p in zip(unknown, _known(sample), strict=True)]
            row = (
                sample.ids[:cut].tolist(),
                sample.ids[cut:].tolist(),
                [None if p is None else float(p) for p in logprobs[cut:]],
                sampled[cut:].astype(int).tolist(),
            )
        for name, value in zip(out, row, strict=True):
            out[name].append(value)
    return out


def to_verl(sample: Sample) -> dict[str, Any]:
    """Fields of verl's `AgentLoopOutput` (0.9): the response begins at the first sampled token.

    `num_turns` counts the turns of both sides, as verl does.
    """
    cut = _first_sampled(sample.source)
    return {
        "prompt_ids": sample.ids[:cut].tolist(),
        "response_ids": sample.ids[cut:].tolist(),
        "response_mask": sample.loss_mask()[cut:].astype(int).tolist(),
        "response_logprobs": _known(sample)[cut:].tolist() if _has_logprobs(sample) else None,
        "reward_score": sample.episode.reward,
        "num_turns": 2 * len(sample.turns),
        "metrics": {},
    }


def to_openrlhf(sample: Sample) -> dict[str, Any]:
    """OpenRLHF's multi-turn experience: all ids, and the ranges in them that are actions.

    `action_ranges` are `(start, end)` with `end` exclusive, in token space.
    """
    mask = np.concatenate([[False], sample.loss_mask(), [False]])
    edges = np.flatnonzero(np.diff(mask.astype(np.int8)))
    return {
        "observation_tokens": sample.ids.tolist(),
        "action_ranges": [(int(a), int(b)) for a, b in edges.reshape(-1, 2)],
        "rollout_log_probs": _known(sample).tolist() if _has_logprobs(sample) else None,
        "reward": sample.episode.reward,
    }


def to_tinker(sample: Sample, advantages: ArrayLike | None = None) -> dict[str, Any]:
    """The parts of a Tinker `Datum`, shifted as Tinker wants them: T - 1 inputs and targets.

    Without `advantages` for `cross_entropy` (`weights`), with them (shape (T,), see
    `per_token`) for `importance_sampling` and `ppo` (`logprobs`, and `advantages` that are 0.0
    where nothing was sampled). Make of it `tinker.Datum(
    model_input=tinker.ModelInput.from_ints(d["model_input"]), loss_fn_inputs=d["loss_fn_inputs"])`.
    """
    mask = sample.loss_mask()[1:].astype(np.float32)
    inputs: dict[str, Any] = {"target_tokens": sample.ids[1:].astype(np.int64)}
    if advantages is None:
        inputs["weights"] = mask
    else:
        values = np.asarray(advantages, dtype=np.float32)
        if values.shape != (len(sample),):
            raise ArgumentError(f"expected {len(sample)} advantages, got {values.shape}")
        if not _has_logprobs(sample):
            raise ArgumentError("this sample's log-probabilities are unknown: use cross_entropy")
        inputs |= {"logprobs": _known(sample)[1:], "advantages": values[1:] * mask}
    return {"model_input": sample.ids[:-1].tolist(), "loss_fn_inputs": inputs}


def to_dataset(
    samples: Iterable[Sample], train: Iterable[Owner | str] = (Owner.AGENT,)
) -> datasets.Dataset:
    """A `datasets.Dataset` with `input_ids`, `attention_mask` and `labels`, for SFT trainers.

    Raises:
        MissingExtraError: without the package `datasets`.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError.for_extra("datasets", "data") from error
    train = tuple(train) if not isinstance(train, str) else train
    samples = list(samples)
    columns = {
        "input_ids": [sample.ids.tolist() for sample in samples],
        "attention_mask": [sample.attention_mask.tolist() for sample in samples],
        "labels": [sample.labels(train).tolist() for sample in samples],
    }
    integers = datasets.Sequence(datasets.Value("int64"))
    features = datasets.Features(dict.fromkeys(columns, integers))
    return datasets.Dataset.from_dict(columns, features=features)


def _first_sampled(source: NDArray[np.uint8]) -> int:
    """Position of the agent's first token; the length if there is none."""
    sampled = source == int(Owner.AGENT)
    return int(sampled.argmax()) if sampled.any() else len(source)


def _known(sample: Sample) -> NDArray[np.float32]:
    """Log-probabilities, 0.0 where there is none."""
    return np.nan_to_num(sample.logprob, nan=0.0)


def _has_logprobs(sample: Sample) -> bool:
    return bool(np.isfinite(sample.logprob[sample.loss_mask()]).all())
