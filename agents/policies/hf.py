"""HFPolicy: a transformers model writes the turns, with exact token ids and log-probabilities."""

from __future__ import annotations

import math
import re
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

import numpy as np

from react_envs.agents.policies.context_ids import ContextIds, EncodedContext
from react_envs.agents.policies.microbatch import MicroBatcher
from react_envs.errors import ArgumentError, MissingExtraError, PolicyFailure
from react_envs.types import Completion, Context

try:
    import torch
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        GenerationConfig,
        LogitsProcessor,
        StoppingCriteria,
    )
except ImportError as error:
    raise MissingExtraError.for_extra(error.name or "transformers", "hf") from error

__all__ = ["HFPolicy", "choose_tokens"]

OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory", re.IGNORECASE)
"""In plain RuntimeErrors of the CPU and of devices without torch's OutOfMemoryError."""
ACCELERATOR_ERROR = re.compile(r"\b(CUDA|cuDNN|cuSOLVER|HIP|MIOpen)( driver)? error", re.IGNORECASE)
"""In plain RuntimeErrors of drivers and libraries, which are no `torch.AcceleratorError`."""
DEVICE_ASSERT = "device-side assert"
"""In what a device says of an index out of range: as much a bug there as on the CPU."""


@dataclass(frozen=True, slots=True)
class _Request:
    """One turn to be written."""

    encoded: EncodedContext
    max_new_tokens: int
    stop: tuple[str, ...]
    uniforms: np.ndarray[Any, np.dtype[np.float64]]
    """A random number in [0, 1) for each new token."""


@dataclass(frozen=True, slots=True)
class _Sample:
    token_ids: list[int]
    logprobs: list[float]
    finish_reason: str


class HFPolicy:
    """Writes turns with a causal language model of `transformers`.

    Threads that ask at the same time share one `generate` call; rows are padded on the left
    and masked, so neighbours do not change what is written (beyond the rounding of batched
    matrix products). Each episode draws from random numbers of its own: `(context.seed,
    len(context.turns))` and the context fix the turn, however requests were batched.

    The `Completion` carries exact ids. `prompt_token_ids` extend the ids of the episode's
    turn before (see `ContextIds`, also for the templates that prevent it). `token_ids` are as
    sampled, end-of-turn token and stop string included; the text is theirs without special
    tokens. `logprobs` are those of the model itself: log-softmax of its float32 logits, before
    temperature and top-p, as vLLM reports by default and as a plain forward pass gives.
    They equal the log-probability of being sampled at temperature 1 and top_p 1.

    The generation defaults of the checkpoint (penalties, beams, top-k, ...) are not applied,
    except for its end-of-text tokens: what is sampled follows from the arguments here alone.

    Not covered: keys and values are not kept from turn to turn (each turn reads its whole
    context again), and a row that ended early stays in its batch until the last row ends.

    Args:
        model: a local path or hub name, or a loaded model (used where it is; put into eval
            mode while it writes and back afterwards).
        tokenizer: needed with a loaded model; with a name, the model's own by default.
        mode: `"chat"` renders `context.messages` with the chat template, `"completion"`
            continues `context.prompt`.
        max_new_tokens: most tokens in one turn; fewer where the model's positions end.
        temperature: 0.0 decodes greedily.
        top_p: sample from the smallest set of tokens with at least this probability.
        batch_size: most turns in one `generate` call.
        device: where to put a model that is loaded here; a GPU if there is one.
        dtype: of a model that is loaded here, such as `"bfloat16"`; the checkpoint's own by
            default.

    Raises:
        ArgumentError: for an unusable argument.
        MissingExtraError: on import, without torch or transformers.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        mode: Literal["chat", "completion"] = "chat",
        max_new_tokens: int = 512,
        temperature: float = 0.0,
        top_p: float = 1.0,
        batch_size: int = 16,
        device: str | None = None,
        dtype: str | torch.dtype | None = None,
    ) -> None:
        _check(mode in ("chat", "completion"), "mode", '"chat" or "completion"', mode)
        _check(max_new_tokens >= 1, "max_new_tokens", "at least 1", max_new_tokens)
        _check(0 <= temperature < math.inf, "temperature", "finite and not negative", temperature)
        _check(0 < top_p <= 1, "top_p", "in (0, 1]", top_p)
        _check(batch_size >= 1, "batch_size", "at least 1", batch_size)
        if isinstance(model, str | PathLike):
            tokenizer = tokenizer or model
            model = AutoModelForCausalLM.from_pretrained(model, dtype=dtype or "auto")
            model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        elif device is not None or dtype is not None:
            raise ArgumentError("device and dtype apply to a model given by name; move it yourself")
        elif tokenizer is None:
            raise ArgumentError("expected the tokenizer of the loaded model, got None")
        if isinstance(tokenizer, str | PathLike):
            tokenizer = AutoTokenizer.from_pretrained(tokenizer)
        self.model = model
        self.max_new_tokens = max_new_tokens
        self.temperature = temperature
        self.top_p = top_p
        self.batch_size = batch_size
        self._contexts = ContextIds(tokenizer, mode)
        self._end_ids = _end_ids(model, tokenizer)
        text_config = model.config.get_text_config()
        self._positions = getattr(text_config, "max_position_embeddings", None) or math.inf
        self._model_lock = threading.Lock()
        self._batcher: MicroBatcher[_Request, _Sample] = MicroBatcher(self._sample, batch_size)

    def encode(self, text: str) -> list[int]:
        """Ids of text in the midst of a context, control tokens spelt out in it as plain text."""
        return self._contexts.encode_text(text)

    @property
    def forks(self) -> int:
        """Later turns whose `prompt_token_ids` do not extend the turn before."""
        return self._contexts.forks

    def __call__(self, context: Context) -> Completion:
        """Write the next turn, together with whatever other threads are waiting for.

        Raises:
            PolicyFailure: of kind `"context_length"` if no position is left to write on,
                `"out_of_memory"`, `"accelerator"` if a device or its libraries failed, or
                `"not_finite"` if the logits are not.
            ArgumentError: if the context is empty or the chat template refuses the messages.
            Exception: a bug of the model (TypeError, IndexError, RuntimeError of mismatched
                shapes, ...) as it is, in every thread that waits for the same batch.
        """
        request = self._request(context)
        return self._completion(context, request, self._batcher(request))

    def generate(self, contexts: Sequence[Context]) -> list[Completion]:
        """Write the next turn for each context, `batch_size` at a time.

        Raises:
            PolicyFailure, ArgumentError: as for a single turn; the first one ends the call.
        """
        requests = [self._request(context) for context in contexts]
        completions: list[Completion] = []
        for start in range(0, len(requests), self.batch_size):
            batch = requests[start : start + self.batch_size]
            samples = self._sample(batch)
            for context, request, sample in zip(contexts[start:], batch, samples, strict=False):
                completions.append(self._completion(context, request, sample))
        return completions

    def _request(self, context: Context) -> _Request:
        encoded = self._contexts.given(context) or self._contexts.encode(context)
        if not encoded.ids:
            raise ArgumentError("expected a context with at least one token, got an empty one")
        room = self._positions - len(encoded.ids)
        if room < 1:
            raise PolicyFailure(
                f"the context has {len(encoded.ids)} tokens, "
                f"the model reads and writes {self._positions} in all",
                kind="context_length",
            )
        # A seed sequence takes no negative numbers; the modulus keeps seeds apart.
        seed = [context.seed % 2**64, len(context.turns)]
        uniforms = np.random.default_rng(seed).random(self.max_new_tokens)
        stop = tuple(text for text in context.stop if text)
        return _Request(encoded, int(min(self.max_new_tokens, room)), stop, uniforms)

    def _completion(self, context: Context, request: _Request, sample: _Sample) -> Completion:
        if not all(map(math.isfinite, sample.logprobs)):
            raise PolicyFailure("the model's logits are not finite", kind="not_finite")
        self._contexts.remember(context, request.encoded, sample.token_ids)
        return Completion(
            self._contexts.decode(sample.token_ids),
            prompt_token_ids=request.encoded.ids,
            token_ids=sample.token_ids,
            logprobs=sample.logprobs,
            finish_reason=sample.finish_reason,
        )

    def _sample(self, requests: Sequence[_Request]) -> list[_Sample]:
        """One sample for each request.

        Raises:
            PolicyFailure: if memory or an accelerator failed; all else is raised as it is.
        """
        # A request near the last position runs alone: beside rows that go on, it would be
        # padded past the positions that the model has.
        roomy = [i for i, r in enumerate(requests) if r.max_new_tokens == self.max_new_tokens]
        crowded = [[i] for i, r in enumerate(requests) if r.max_new_tokens < self.max_new_tokens]
        samples: dict[int, _Sample] = {}
        try:
            with self._model_lock:
                for group in filter(None, [roomy, *crowded]):
                    batch = [requests[i] for i in group]
                    samples.update(zip(group, self._generate(batch), strict=True))
        except (RuntimeError, MemoryError) as error:
            kind = _world_failure_kind(error)
            if kind is None:
                raise
            # Its frames hold the tensors that filled the memory.
            traceback.clear_frames(error.__traceback__)
            message = f"generation failed: {type(error).__name__}: {error}"
            raise PolicyFailure(message, kind) from error
        return [samples[i] for i in range(len(requests))]

    def _generate(self, batch: list[_Request]) -> list[_Sample]:
        width = max(len(request.encoded.ids) for request in batch)
        input_ids = torch.zeros(len(batch), width, dtype=torch.long)
        attention_mask = torch.zeros_like(input_ids)
        for row, request in enumerate(batch):
            start = width - len(request.encoded.ids)
            input_ids[row, start:] = torch.tensor(request.encoded.ids)
            attention_mask[row, start:] = 1
        device = self.model.device
        chooser = _TokenChooser(self.temperature, self.top_p, batch)
        ends = _TurnEnds(self._end_ids, batch, self._contexts.decode)
        config: Any = GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=batch[0].max_new_tokens, do_sample=False
        )
        with _only(self.model, config):
            self.model.generate(
                input_ids=input_ids.to(device),
                attention_mask=attention_mask.to(device),
                generation_config=config,
                logits_processor=[chooser],
                stopping_criteria=[ends],
            )
        logprobs = torch.stack(chooser.logprobs, dim=1).tolist()
        return [
            _Sample(token_ids, row[: len(token_ids)], reason or "length")
            for token_ids, row, reason in zip(ends.token_ids, logprobs, ends.reasons, strict=True)
        ]


class _TokenChooser(LogitsProcessor):
    """Chooses each row's next token with that row's own random numbers.

    `generate` then has one token left to take; log-probabilities are noted on the way,
    because keeping all logits until the end would take gigabytes.
    """

    def __init__(self, temperature: float, top_p: float, batch: list[_Request]) -> None:
        self.logprobs: list[torch.Tensor] = []
        self._temperature = temperature
        self._top_p = top_p
        self._uniforms = torch.from_numpy(np.stack([request.uniforms for request in batch]))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        uniforms = self._uniforms[:, len(self.logprobs)]
        chosen = choose_tokens(scores, self._temperature, self._top_p, uniforms)[:, None]
        self.logprobs.append(scores.log_softmax(-1).gather(-1, chosen)[:, 0])
        return torch.full_like(scores, -math.inf).scatter_(-1, chosen, 0.0)


class _TurnEnds(StoppingCriteria):
    """Ends each row at its end-of-text token or stop string, and collects what it sampled."""

    def __init__(
        self, end_ids: frozenset[int], batch: list[_Request], decode: Callable[[list[int]], str]
    ) -> None:
        self.token_ids: list[list[int]] = [[] for _ in batch]
        self.reasons: list[str | None] = [None] * len(batch)
        self._end_ids = end_ids
        self._stops = [request.stop for request in batch]
        self._decode = decode

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if self.reasons[row] is None:
                self.token_ids[row].append(token)
                if token in self._end_ids or self._has_stop(row):
                    self.reasons[row] = "stop"
        ended = [reason is not None for reason in self.reasons]
        return torch.tensor(ended, device=input_ids.device)

    def _has_stop(self, row: int) -> bool:
        stops = self._stops[row]
        # A token has at least one byte, so a stop string lies within as many tokens as it has
        # bytes; a few more for special tokens, which have no text.
        window = max((len(stop.encode("utf-8", "replace")) for stop in stops), default=0) + 4
        tail = self._decode(self.token_ids[row][-window:]) if stops else ""
        return any(stop in tail for stop in stops)


def choose_tokens(
    logits: torch.Tensor, temperature: float, top_p: float, uniforms: torch.Tensor
) -> torch.Tensor:
    """The token of each row: the likeliest at temperature 0, else drawn with `uniforms`.

    A row's number in [0, 1) is looked up in the cumulative distribution over its tokens, so
    the draw depends on that row alone and costs one random number per token.

    Args:
        logits: shape (rows, vocabulary).
        uniforms: shape (rows,), on any device.

    Returns:
        Token ids, shape (rows,).

    >>> logits = torch.tensor([[0.0, 0.0, -torch.inf]] * 3)
    >>> choose_tokens(logits, 1.0, 1.0, torch.tensor([0.1, 0.6, 0.999])).tolist()
    [0, 1, 1]
    """
    if temperature == 0:
        return logits.argmax(-1)
    # Sums over a large vocabulary want double precision, which Apple's GPUs do not have.
    exact = (logits.cpu() if logits.device.type == "mps" else logits).double()
    probabilities = (exact / temperature).softmax(-1)
    if top_p < 1:
        ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
        ordered[ordered.cumsum(-1) - ordered >= top_p] = 0
        probabilities = torch.zeros_like(probabilities).scatter_(-1, order, ordered)
    cumulative = probabilities.cumsum(-1)
    points = uniforms.to(exact)[:, None] * cumulative[:, -1:]
    chosen = torch.searchsorted(cumulative, points, right=True)[:, 0]
    return chosen.clamp(max=logits.shape[-1] - 1).to(logits.device)


@contextmanager
def _only(model: Any, config: GenerationConfig) -> Iterator[None]:
    """The model in eval mode and without generation defaults of its own, for a while."""
    defaults = model.generation_config
    training = [module for module in model.modules() if module.training]
    model.generation_config = config
    model.eval()
    try:
        yield
    finally:
        model.generation_config = defaults
        for module in training:
            module.training = True


def _world_failure_kind(error: RuntimeError | MemoryError) -> str | None:
    """The kind of failure that `error` is where the world is to blame; None for a bug."""
    message = str(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or OUT_OF_MEMORY.search(message):
        return "out_of_memory"
    if DEVICE_ASSERT in message:
        return None
    if isinstance(error, torch.AcceleratorError) or ACCELERATOR_ERROR.search(message):
        return "accelerator"
    return None


def _end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a turn, by the model's generation settings and by the tokenizer."""
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list | tuple) else [ends]
    return frozenset(end for end in [*ends, tokenizer.eos_token_id] if end is not None)


def _check(holds: bool, name: str, expected: str, actual: Any) -> None:
    if not holds:
        raise ArgumentError(f"{name} must be {expected}, actually: {actual!r}")
