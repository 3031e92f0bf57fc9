"""`Simulator`: something else than the tool says what the tool would have said."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from react_envs.errors import ArgumentError, ToolFailure, is_world_failure
from react_envs.simulators.memory import Memory
from react_envs.types import Context, Task, ToolResult

if TYPE_CHECKING:
    from react_envs.rollout import Policy
    from react_envs.tools import Tool

__all__ = ["PolicySimulator", "SimulatedCall", "Simulator"]


_THREADS = 64
_PLAYED = {"simulated": True}


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """A call, and all that a simulator may know of it."""

    tool: Tool
    """The real tool: its name, description, parameters, and for scripts its results."""
    arguments: dict[str, Any]
    task: Task = field(repr=False)
    """What the episode is about. Its answers are read by `show_gold=True` alone."""
    episode: str = ""
    """The episode's text, the turn that makes the call included."""
    opening: str = ""
    """What the dialect writes before a result."""
    closing: str = ""
    """And after it."""
    seed: int = 0
    """Differs between episodes, and between the calls of one, whatever their tools."""
    episode_ids: tuple[int, ...] | None = field(default=None, repr=False)
    """Token ids of `episode`, an end-of-turn token that the engine sampled included, if known."""


class Simulator:
    """Plays tools for any number of environments at once; never copied, safe in threads.

    A subclass says in `prompt` all that its answer depends on, and in `write` what the tool says.
    What was written for a prompt is remembered (see `Memory`), and the number of writings and
    of their tokens can be limited: what is over the budget fails as the world does, with
    kind `"budget"`, and so does what `write` raises as a failure of the world.

    Args:
        memory: what was written before: `True` to keep it in this process, a path to keep it in
            a file, a mapping of the options of `Memory`, a `Memory`; None to write anew each time.
        max_calls: of `write`, in the life of the simulator; None for no limit.
        max_tokens: of what it wrote and read, as the engine counts; None for no limit. Calls
            under way when they are spent are finished.

    Attributes:
        calls: number of calls answered, those from memory included.
        written: number of calls of `write`.
        tokens: of what it read and wrote.
        failures: calls that failed.
        progress: how far training is, in [0, 1] (see `set_training_step`).
    """

    def __init__(
        self,
        *,
        memory: bool | str | os.PathLike[str] | Mapping[str, Any] | Memory | None = None,
        max_calls: int | None = None,
        max_tokens: int | None = None,
    ) -> None:
        for name, value in (("max_calls", max_calls), ("max_tokens", max_tokens)):
            if value is not None and (type(value) is not int or value < 0):
                raise ArgumentError(f"{name} must be an int from 0 or None, actually: {value!r}")
        self.memory = Memory.of(memory)
        self.max_calls = max_calls
        self.max_tokens = max_tokens
        self.calls = self.written = self.tokens = self.failures = 0
        self.progress = 0.0
        self._lock = threading.Lock()

    def prompt(self, call: SimulatedCall) -> str:
        """All that the answer depends on, as text: what a model reads, or a name of it."""
        raise NotImplementedError

    def write(self, prompt: str, call: SimulatedCall) -> ToolResult:
        """What the tool says."""
        raise NotImplementedError

    def __call__(self, call: SimulatedCall) -> ToolResult:
        """The result of a call.

        Raises:
            ToolFailure: of kind `"budget"`, `"not_recorded"`, or what the backend failed with.
        """
        prompt = self.prompt(call)
        try:
            result = self.recall(prompt, call) or self._write(prompt, call)
        except Exception:
            with self._lock:
                self.calls += 1
                self.failures += 1
            raise
        with self._lock:
            self.calls += 1
            self.failures += result.failure is not None
        return result

    def recall(self, prompt: str, call: SimulatedCall) -> ToolResult | None:
        """What memory has for this prompt."""
        return None if self.memory is None else self.memory.get(prompt)

    def many(self, calls: Sequence[SimulatedCall]) -> list[ToolResult | Exception]:
        """Results of many calls, made at once; a failure stands in the place of its result.

        From that many threads a policy such as `HFPolicy` writes them in batches.
        """

        def attempt(call: SimulatedCall) -> ToolResult | Exception:
            try:
                return self(call)
            except Exception as failure:
                if not is_world_failure(failure):
                    raise
                return failure

        with ThreadPoolExecutor(max(1, min(_THREADS, len(calls)))) as pool:
            return list(pool.map(attempt, calls))

    def _write(self, prompt: str, call: SimulatedCall) -> ToolResult:
        with self._lock:
            if self.max_calls is not None and self.written >= self.max_calls:
                raise ToolFailure(f"all {self.max_calls} simulated calls are spent", "budget")
            if self.max_tokens is not None and self.tokens >= self.max_tokens:
                raise ToolFailure(f"all {self.max_tokens} simulated tokens are spent", "budget")
            self.written += 1
        result = self.write(prompt, call)
        if self.memory is not None and result.failure is None:
            return self.memory.put(prompt, result)
        return result

    def __deepcopy__(self, memo: dict[int, Any]) -> Simulator:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


class PolicySimulator(Simulator):
    """A simulator whose words are a policy's.

    Args:
        policy: any policy: of a transformers model, a server, a script; or a mapping
            `{"name": "openai", ...}` with the options of `react_envs.agents.make_policy`.
        most_characters: longer results are cut there.
        **limits: see `Simulator`.
    """

    def __init__(self, policy: Any, *, most_characters: int = 20_000, **limits: Any) -> None:
        super().__init__(**limits)
        if type(most_characters) is not int or most_characters < 1:
            raise ArgumentError(
                f"most_characters must be an int of at least 1, actually: {most_characters!r}"
            )
        self.policy: Policy = _made(policy)
        self.most_characters = most_characters

    def write(self, prompt: str, call: SimulatedCall) -> ToolResult:
        """Let the policy write, and read what it wrote.

        Raises:
            ToolFailure: of kind `"empty"`, if it wrote nothing.
            PolicyFailure: whatever the policy fails with.
        """
        text = self.read(self._ask(prompt, call), call)
        if not text:
            raise ToolFailure("the simulator wrote nothing", "empty")
        return ToolResult(text, meta=_PLAYED)

    def stop(self, call: SimulatedCall) -> tuple[str, ...]:
        """Where the policy may stop."""
        return ()

    def read(self, written: str, call: SimulatedCall) -> str:
        """The result in what the policy wrote."""
        return written.strip()

    def context(self, prompt: str, call: SimulatedCall) -> Context:
        """What the policy is given."""
        messages = ({"role": "user", "content": prompt},)
        return Context(prompt, messages, self.stop(call), {}, (), call.seed)

    def _ask(self, prompt: str, call: SimulatedCall) -> str:
        written = self.policy(self.context(prompt, call))
        if not isinstance(written, str):
            raise ArgumentError(f"expected the policy to write a str, got {written!r:.80}")
        tokens = _tokens_of(written, prompt)
        with self._lock:
            self.tokens += tokens
        return str(written)[: self.most_characters]


def _made(policy: Any) -> Any:
    if callable(policy):
        return policy
    if isinstance(policy, Mapping) and isinstance(policy.get("name"), str):
        from react_envs.agents.policies import POLICIES

        options = dict(policy)
        name = options.pop("name")
        if name in POLICIES:
            try:
                return POLICIES[name](None, **options)
            except (TypeError, AttributeError) as error:
                raise ArgumentError(f"no simulator can be made of {policy!r}: {error}") from error
    raise ArgumentError(
        f'expected a policy, or {{"name": "hf", "openai" or "scripted", **options}}, got {policy!r}'
    )


def _tokens_of(written: str, prompt: str) -> int:
    """As the engine counts; four bytes each where it does not say."""
    read = getattr(written, "prompt_token_ids", None)
    wrote = getattr(written, "token_ids", None)
    return sum(
        -(-len(text.encode("utf-8", "replace")) // 4) if ids is None else len(ids)
        for ids, text in ((read, prompt), (wrote, str(written)))
    )


def call_seed(seed: int, tool: str, number: int) -> int:
    """The seed of a tool's call number `number` in an episode."""
    digest = hashlib.sha256(f"{seed} {tool} call {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
