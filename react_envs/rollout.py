"""Play episodes: `play` runs one, `run_episodes` many at once, none waiting for another."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from typing import Any

import gymnasium as gym

from react_envs.errors import ArgumentError, PolicyFailure, ToolFailure
from react_envs.types import Context, StopReason, Turn

__all__ = ["EpisodeRecord", "Policy", "episode_seed", "play", "run_episodes"]

Policy = Callable[[Context], str]
"""Writes the next turn. It is called from several threads, once at a time per episode."""

WORLD_FAILURES = (PolicyFailure, ToolFailure, OSError, MemoryError)
"""What ends an episode as a recorded error. Anything else is a bug and is raised."""


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

    def as_json(self) -> dict[str, Any]:
        """The record as JSON: `turns` is their number, `trace` the turns themselves."""
        record = asdict(self)
        trace = record.pop("turns")
        return {**record, "turns": len(trace), "trace": trace}


def episode_seed(seed: int, index: int) -> int:
    """The seed of episode `index` in a run with `seed`: the same in any order and number.

    >>> episode_seed(0, 1) == episode_seed(0, 1) != episode_seed(1, 1)
    True
    """
    digest = hashlib.sha256(f"{seed}:{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def play(env: gym.Env[str, str], policy: Policy, index: int, seed: int = 0) -> EpisodeRecord:
    """Play the task at `index` to its end. The world's failures end it and are recorded.

    The policy sees what the environment said, never gold answers. A policy that is asked for
    no more than text returns a `str`; one that returns a `Completion` keeps its token ids.
    """
    started = time.perf_counter()
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
            action = policy(Context(prompt, tuple(messages), stop, reset_info, tuple(turns), seed))
            observation, reward, terminated, truncated, info = env.step(action)
            turns.append(Turn.from_step(action, observation, info))
            rewards.append(float(reward))
            prompt += info["kept"] + observation
            messages += info["messages"]
            done = terminated or truncated
    except WORLD_FAILURES as failure:
        kind = getattr(failure, "kind", type(failure).__name__)
        error = {"type": type(failure).__name__, "kind": kind, "message": str(failure)}
    return EpisodeRecord(
        index=index,
        seed=seed,
        reward=None if error else sum(rewards),
        reward_terms={} if error else dict(info.get("reward_terms", {})),
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
    )


def run_episodes(
    make_env: Callable[[], gym.Env[str, str]],
    policy: Policy,
    indices: Iterable[int],
    *,
    seed: int = 0,
    concurrency: int = 1,
    in_order: bool = True,
) -> Iterator[EpisodeRecord]:
    """Play the tasks at `indices` over `concurrency` threads, each with its own environment.

    Episodes do not wait for each other: a slow one delays only itself. Their seeds depend on
    `seed` and the index alone, so neither order nor concurrency changes an episode. With
    `in_order` the records come in the order of `indices`, else as they are done.

    A failure of the world becomes a record with `stop_reason` "error" and the run goes on; a
    bug in policy or environment is raised, after the threads have ended. Closing the
    iterator (or an exception in the caller) stops the run after the episodes under way.

    Raises:
        ArgumentError: if `concurrency` is not a positive int.
    """
    if not isinstance(concurrency, int) or concurrency < 1:
        raise ArgumentError(f"concurrency must be an int of at least 1, actually: {concurrency!r}")
    return _run(make_env, policy, iter(indices), seed, concurrency, in_order)


def _run(
    make_env: Callable[[], gym.Env[str, str]],
    policy: Policy,
    indices: Iterator[int],
    seed: int,
    concurrency: int,
    in_order: bool,
) -> Iterator[EpisodeRecord]:
    own = threading.local()
    envs: list[gym.Env[str, str]] = []
    stopped = threading.Event()

    def play_one(index: int) -> EpisodeRecord:
        if not hasattr(own, "env"):
            own.env = make_env()
            envs.append(own.env)
        if stopped.is_set():
            raise RuntimeError("the run was stopped")
        return play(own.env, policy, index, seed)

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="episode")
    waiting: list[Future[EpisodeRecord]] = []
    try:
        for index in indices:
            waiting.append(pool.submit(play_one, index))
            # Twice as many as can run: threads are never idle, and indices may be endless.
            while len(waiting) >= 2 * concurrency:
                yield _next(waiting, in_order)
        while waiting:
            yield _next(waiting, in_order)
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)
        for env in envs:
            env.close()


def _next(waiting: list[Future[EpisodeRecord]], in_order: bool) -> EpisodeRecord:
    """Take the next finished record out of `waiting`."""
    if in_order:
        future = waiting.pop(0)
    else:
        future = next(iter(wait(waiting, return_when=FIRST_COMPLETED).done))
        waiting.remove(future)
    return future.result()
