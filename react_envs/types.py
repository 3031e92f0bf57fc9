"""The data that travels between environment, dialect, tool, policy and reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from react_envs.errors import ArgumentError

__all__ = [
    "Completion",
    "Context",
    "Episode",
    "Message",
    "ParsedTurn",
    "StopReason",
    "Task",
    "ToolCall",
    "ToolResult",
    "Turn",
]

Message = dict[str, Any]
"""A chat message: at least `role` and `content`."""


class StopReason(StrEnum):
    """Why an episode ended; `terminated`/`truncated` only say that it did."""

    ANSWER = "answer"
    """The agent gave its answer (terminated)."""
    MAX_STEPS = "max_steps"
    """The last allowed turn passed without an answer (truncated)."""
    CONTEXT_LENGTH = "context_length"
    """The agent had filled its model's context and could not go on; scored as no answer."""
    ERROR = "error"
    """The world failed outside a tool; the rollout recorded it and went on."""


@dataclass(frozen=True, slots=True)
class Task:
    """One problem with its gold answers."""

    question: str
    """What the agent reads."""
    answers: tuple[str, ...]
    """Gold answer first, then its aliases; all count as right."""
    index: int = 0
    """Position in its split, from 0."""
    dataset: str = ""
    split: str = ""
    solution: str | None = None
    """Worked solution where the data set has one; as secret as the answers."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What else the data set says: JSON values only."""

    def __post_init__(self) -> None:
        if isinstance(self.answers, str) or not self.answers:
            raise ArgumentError(
                f'expected answers to be a tuple of texts such as ("4",), got {self.answers!r}'
            )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the agent wrote it, before its arguments were checked."""

    name: str
    arguments: str | dict[str, Any]
    """The raw text of a text dialect, or the object of a JSON dialect."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back."""

    text: str
    """What the model reads."""
    ok: bool = True
    """False if the call did not do what the model asked (its own mistake included)."""
    failure: str | None = None
    """Kind of the world's failure (`"timeout"`, `"network"`, ...); None if the world held."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Facts for the record, such as seconds and bytes; never shown to the model."""


@dataclass(frozen=True, slots=True)
class ParsedTurn:
    """One action as a dialect understood it: exactly one of call, answer, error is set."""

    kept: str
    """The beginning of the action that stays in the context."""
    dropped: str = ""
    """The rest; `kept + dropped` is the action."""
    call: ToolCall | None = None
    answer: str | None = None
    error: str | None = None
    """What was wrong and what to write instead, in the dialect's words."""
    fabricated_observation: bool = False
    """True if the agent wrote an observation itself; it is in `dropped`."""
    unfinished: bool = False
    """True if the environment asks the agent to go on with this turn: the step is not one of
    its turns. At most one step in a row."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of an episode, as it is recorded, scored and written to disk."""

    kept: str
    observation: str
    dropped: str = ""
    call: ToolCall | None = None
    answer: str | None = None
    parse_error: str | None = None
    fabricated_observation: bool = False
    tool_ok: bool | None = None
    """None if no tool ran."""
    tool_result: str | None = None
    """What the tool said, before the dialect wrapped it into the observation."""
    tool_failure: str | None = None
    tool_meta: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None
    """Why the engine stopped: `"stop"`, `"length"`, ...; None if unknown."""

    @classmethod
    def from_step(cls, action: str, observation: str, info: Mapping[str, Any]) -> Turn:
        """The turn that `step(action)` described; a foreign text environment may say less."""
        return cls(
            kept=info.get("kept", action),
            observation=observation,
            dropped=info.get("dropped", ""),
            call=info.get("tool_call"),
            answer=info.get("answer"),
            parse_error=info.get("parse_error"),
            fabricated_observation=info.get("fabricated_observation", False),
            tool_ok=info.get("tool_ok"),
            tool_result=info.get("tool_result"),
            tool_failure=info.get("tool_failure"),
            tool_meta=info.get("tool_meta", {}),
            finish_reason=getattr(action, "finish_reason", None),
        )


@dataclass(frozen=True, slots=True)
class Episode:
    """A finished episode as rewards see it."""

    gold: tuple[str, ...]
    """The gold answer and its aliases."""
    turns: tuple[Turn, ...]
    stop_reason: str | None
    """A `StopReason`, or None if a foreign wrapper ended the episode without saying why."""
    task: Task | None = None
    """What was asked; None in an environment that does not say."""
    dialect: str = ""
    """Name of the dialect that the agent wrote in; "" if the environment does not say."""

    @property
    def answer(self) -> str | None:
        """The agent's answer, None if it never gave one.

        The empty answer that the environment gives for the agent at its limit
        (`StepLimit(on_limit="finish")`) is none.
        """
        if not self.turns or self.stop_reason == StopReason.MAX_STEPS:
            return None
        return self.turns[-1].answer


class Completion(str):
    """An action that remembers how the engine sampled it.

    It is the generated text and behaves as a `str` everywhere; token ids are there when
    the engine gave them. String operations return plain `str`, so no stale ids survive
    an edit.

    >>> c = Completion("Final Answer: 4", token_ids=[7, 8], logprobs=[-0.1, -0.2])
    >>> c == "Final Answer: 4", c.token_ids, type(c.strip()).__name__
    (True, [7, 8], 'str')
    """

    prompt_token_ids: list[int] | None
    """Ids of the context that the engine read, None if unknown."""
    token_ids: list[int] | None
    """Ids that the engine sampled, an end-of-turn token included, None if unknown."""
    logprobs: list[float] | None
    """Natural-log probability of each of `token_ids` under the model's own distribution, before
    temperature and top-p; None if unknown."""
    finish_reason: str | None
    """`"stop"`, `"length"` or what else the engine said; None if unknown."""

    def __new__(
        cls,
        text: str = "",
        *,
        prompt_token_ids: Sequence[int] | None = None,
        token_ids: Sequence[int] | None = None,
        logprobs: Sequence[float] | None = None,
        finish_reason: str | None = None,
    ) -> Completion:
        completion = super().__new__(cls, text)
        completion.prompt_token_ids = None if prompt_token_ids is None else list(prompt_token_ids)
        completion.token_ids = None if token_ids is None else list(token_ids)
        completion.logprobs = None if logprobs is None else list(logprobs)
        completion.finish_reason = finish_reason
        if completion.logprobs is not None and len(completion.logprobs) != len(
            completion.token_ids or ()
        ):
            raise ValueError(
                f"expected one logprob for each of {len(completion.token_ids or ())} token ids, "
                f"got {len(completion.logprobs)}"
            )
        return completion

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_completion, (str(self), dict(self.__dict__))


def _restore_completion(text: str, state: dict[str, Any]) -> Completion:
    return Completion(text, **state)


@dataclass(frozen=True, slots=True)
class Context:
    """All that a policy may know when it writes its next turn."""

    prompt: str
    """The whole context in completion form: prompt, kept actions and observations."""
    messages: tuple[Message, ...]
    """The same as chat messages."""
    stop: tuple[str, ...]
    """Strings at which generation may stop; text from there on is cut anyway."""
    info: Mapping[str, Any]
    """`info` of the episode's `reset` (dataset, split, index, tools, ...); no gold answers."""
    turns: tuple[Turn, ...] = ()
    """The episode so far."""
    seed: int = 0
    """Seed of this episode; with `len(turns)` it fixes a sampled turn."""
    prompt_token_ids: tuple[int, ...] | None = field(default=None, repr=False)
    """Ids of the prompt, where whoever made the context knows them: `HFPolicy` in mode
    `"completion"` reads these instead of encoding the text."""
