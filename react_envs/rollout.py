"""Play episodes: `play` runs one, `run_episodes` many, none waiting for another, and
`play_together` many in step, for a model that writes their turns in batches."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import gymnasium as gym

from react_envs.errors import ArgumentError, is_world_failure
from react_envs.types import Context, StopReason, Turn

if TYPE_CHECKING:
    from react_envs.trace import Trace

__all__ = [
    "BatchPolicy",
    "EpisodeRecord",
    "Policy",
    "episode_seed",
    "play",
    "play_together",
    "run_episodes",
]

Policy = Callable[[Context], str]
"""Writes the next turn. It is called from several threads, once at a time per episode."""


class BatchPolicy(Protocol):
    """A policy that also writes many turns at once."""

    def __call__(self, context: Context) -> str:
        """Write one turn."""
        ...

    def generate(self, contexts: Sequence[Context]) -> Sequence[str]:
        """Write one turn for each context."""
        ...


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """A played episode. `asdict` of it is JSON."""

    index: int
    seed: int
    reward: float | None
    """Sum of the rewards; None if the world failed before the end."""
    reward_terms: dict[str, float]
    stop_reason: str | None
    answer: str | None
    gold: list[str]
    calls: int
    """Tool calls that ran."""
    seconds: float
    error: dict[str, str] | None = None
    """`type`, `kind` and `message` of the world's failure that ended the episode."""
    dataset: str = ""
    split: str = ""
    fingerprint: str = ""
    turns: list[Turn] = field(default_factory=list)
    tokens: Trace | None = field(default=None, compare=False)
    """What `TokenProvenance` recorded, if it was round the environment; not in `as_json`."""

    def as_json(self) -> dict[str, Any]:
        """The record as JSON: `turns` is their number, `trace` the turns themselves."""
        record = asdict(replace(self, tokens=None))
        del record["tokens"]
        trace = record.pop("turns")
        return {**record, "turns": len(trace), "trace": trace}


Episode = Generator[Context, str, EpisodeRecord]


def episode_seed(seed: int, index: int) -> int:
    """The seed of episode `index` in a run with `seed`: the same in any order and number.

    >>> episode_seed(0, 1) == episode_seed(0, 1) != episode_seed(1, 1)
    True
    """
    digest = hashlib.sha256(f"{seed}:{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def play(env: gym.Env[str, str], policy: Policy, index: int, seed: int = 0) -> EpisodeRecord:
    """Play the task at `index` to its end.

    The policy sees what the environment said, never gold answers. A failure of the world
    (`react_envs.errors.is_world_failure`) ends the episode and is recorded in `error`; a
    policy whose context is full (`PolicyFailure` of kind `"context_length"`) has failed
    itself: the episode has no answer, reward 0.0 and `stop_reason` `"context_length"`.
    Anything else is a bug and is raised.
    """
    episode = _episode(env, index, seed)
    try:
        context = next(episode)
        while True:
            context = _go_on(episode, _attempt(policy, context))
    except StopIteration as end:
        record: EpisodeRecord = end.value
        return record


def play_together(
    envs: Sequence[gym.Env[str, str]],
    policy: BatchPolicy,
    indices: Sequence[int],
    seeds: Sequence[int],
    *,
    threads: int = 16,
) -> list[EpisodeRecord]:
    """Play one episode in each environment, all turns of a round written in one batch.

    For a model in this process that is what costs least: one call of `policy.generate` a
    round, then the environments step at the same time over `threads`. Each episode is
    what `play` would make of it, and the records come in the order of `envs`.

    Args:
        envs: as many as episodes; what their tools share, they share.
        policy: writes many turns at once, such as `HFPolicy`.
        indices: the task of each.
        seeds: of each; two of one task with one seed are the same episode.
        threads: environments that step at a time.

    Raises:
        ArgumentError: if the lengths differ.
    """
    if not len(envs) == len(indices) == len(seeds):
        raise ArgumentError(
            f"expected one index and one seed for each of {len(envs)} environments, "
            f"got {len(indices)} and {len(seeds)}"
        )
    episodes = [_episode(*each) for each in zip(envs, indices, seeds, strict=True)]
    records: list[EpisodeRecord | None] = [None] * len(episodes)

    def go_on(number: int, written: str | Exception | None) -> Context | None:
        """The next context of an episode, or None when its record is there."""
        episode = episodes[number]
        try:
            return next(episode) if written is None else _go_on(episode, written)
        except StopIteration as end:
            records[number] = end.value
            return None

    with ThreadPoolExecutor(threads, thread_name_prefix="episode") as pool:
        written: dict[int, str | Exception | None] = dict.fromkeys(range(len(episodes)))
        while written:
            contexts = dict(zip(written, pool.map(go_on, written, written.values()), strict=True))
            alive = {number: context for number, context in contexts.items() if context}
            turns = _attempt_all(policy, list(alive.values()))
            written = dict(zip(alive, turns, strict=True))
    return [record for record in records if record is not None]


def _attempt(policy: Policy, context: Context) -> str | Exception:
    """The turn that the policy writes, or the world's failure to."""
    try:
        return policy(context)
    except Exception as failure:
        if not is_world_failure(failure):
            raise
        return failure


def _attempt_all(policy: BatchPolicy, contexts: list[Context]) -> list[str | Exception]:
    """The turns of a batch. One that fails the batch, such as a full context, is found out."""
    try:
        return list(policy.generate(contexts)) if contexts else []
    except Exception as failure:
        if not is_world_failure(failure):
            raise
    return [_attempt(policy, context) for context in contexts]


def _go_on(episode: Episode, written: str | Exception) -> Context:
    return episode.throw(written) if isinstance(written, Exception) else episode.send(written)


def _episode(env: gym.Env[str, str], index: int, seed: int) -> Episode:
    """An episode that asks for its turns: contexts out, turns or the policy's failure in."""
    started = time.perf_counter()
    index = int(index)  # a numpy integer is no JSON
    seed = episode_seed(seed, index)
    turns: list[Turn] = []
    rewards: list[float] = []
    reset_info: dict[str, Any] = {}
    info: dict[str, Any] = {}
    error = None
    try:
        prompt, reset_info = env.reset(seed=seed, options={"index": index})
        messages, stop = list(reset_info["messages"]), tuple(reset_info["stop"])
        done = False
        while not done:
            action = yield Context(prompt, tuple(messages), stop, reset_info, tuple(turns), seed)
            observation, reward, terminated, truncated, info = env.step(action)
            turns.append(Turn.from_step(action, observation, info))
            rewards.append(float(reward))
            prompt += info["kept"] + observation
            messages += info["messages"]
            done = terminated or truncated
    except Exception as failure:
        if not is_world_failure(failure):
            raise
        kind = getattr(failure, "kind", type(failure).__name__)
        if kind == StopReason.CONTEXT_LENGTH:
            info = {"stop_reason": StopReason.CONTEXT_LENGTH}
        else:
            error = {"type": type(failure).__name__, "kind": kind, "message": str(failure)}
    terms = {} if error else dict(info.get("reward_terms", {}))
    if "reward_failure" in info:  # played to its end, but not judged
        error = {key: info["reward_failure"][key] for key in ("type", "kind", "message")}
    return EpisodeRecord(
        index=index,
        seed=seed,
        reward=None if error else sum(rewards),
        reward_terms=terms,
        stop_reason=StopReason.ERROR if error else info.get("stop_reason"),
        answer=info.get("answer"),
        gold=list(info.get("gold", ())),
        calls=sum(turn.tool_ok is not None for turn in turns),
        seconds=time.perf_counter() - started,
        error=error,
        dataset=reset_info.get("dataset", ""),
        split=reset_info.get("split", ""),
        fingerprint=reset_info.get("fingerprint", ""),
        turns=turns,
        tokens=info.get("trace"),
    )


def run_episodes(
    make_env: Callable[[], gym.Env[str, str]],
    policy: Policy,
    indices: Iterable[int],
    *,
    seed: int = 0,
    concurrency: int = 1,
    in_order: bool = True,
    on_end: Callable[[EpisodeRecord], None] = lambda record: None,
) -> Generator[EpisodeRecord, None, None]:
    """Play the tasks at `indices` over `concurrency` threads, each with its own environment.

    Episodes do not wait for each other: a slow one delays only itself. Their seeds depend on
    `seed` and the index alone, so neither order nor concurrency changes an episode. With
    `in_order` the records come in the order of `indices` (those behind a slow episode wait in
    memory, while others are played), else as they are done. `on_end` is called in the
    episode's thread as soon as it has ended, whatever the caller is doing.

    A failure of the world becomes a record with `stop_reason` "error" and the run goes on; a
    bug in policy or environment is raised. Closing the iterator, or an exception, stops the
    run after the episodes under way, which still reach `on_end`.

    Raises:
        ArgumentError: if `concurrency` is not a positive int.
    """
    if type(concurrency) is not int or concurrency < 1:
        raise ArgumentError(f"concurrency must be an int of at least 1, actually: {concurrency!r}")
    return _run(make_env, policy, iter(indices), seed, concurrency, in_order, on_end)


def _run(
    make_env: Callable[[], gym.Env[str, str]],
    policy: Policy,
    indices: Iterator[int],
    seed: int,
    concurrency: int,
    in_order: bool,
    on_end: Callable[[EpisodeRecord], None],
) -> Generator[EpisodeRecord, None, None]:
    own = threading.local()
    envs: list[gym.Env[str, str]] = []

    def play_one(index: int) -> EpisodeRecord:
        if not hasattr(own, "env"):
            own.env = make_env()
            envs.append(own.env)
        record = play(own.env, policy, index, seed)
        on_end(record)
        return record

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="episode")
    running: set[Future[EpisodeRecord]] = set()
    to_yield: deque[Future[EpisodeRecord]] = deque()
    try:
        for index in indices:
            future = pool.submit(play_one, index)
            running.add(future)
            to_yield.append(future)
            # Twice as many as there are threads: none is idle, and indices may be endless.
            while len(running) >= 2 * concurrency:
                yield from _ended(running, to_yield, in_order)
        while to_yield:
            yield from _ended(running, to_yield, in_order)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        with ExitStack() as closing:  # all of them, though one may raise
            for env in envs:
                closing.callback(env.close)


def _ended(
    running: set[Future[EpisodeRecord]], to_yield: deque[Future[EpisodeRecord]], in_order: bool
) -> Iterator[EpisodeRecord]:
    """Wait until an episode ends, then give the records whose turn has come."""
    if running:
        done = wait(running, return_when=FIRST_COMPLETED).done
        running -= done
        for future in done:
            record = future.result()  # a bug is raised here, at once
            if not in_order:
                to_yield.remove(future)
                yield record
    while in_order and to_yield and to_yield[0].done():
        yield to_yield.popleft().result()
