"""Evaluate an agent on a split: results that survive a kill, and a summary one can cite."""

from __future__ import annotations

import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import gymnasium as gym

import react_envs
from react_envs.errors import ArgumentError
from react_envs.rollout import EpisodeRecord, Policy, run_episodes
from react_envs.wrappers.record import append_json_line

try:
    import fcntl
except ImportError:  # not a POSIX system: folders are not held
    fcntl = None  # type: ignore[assignment]

__all__ = ["evaluate", "summarize", "wilson_interval"]

RESULTS, SETTINGS, SUMMARY = "results.jsonl", "settings.json", "summary.json"


def evaluate(
    make_env: Callable[[], gym.Env[str, str]],
    policy: Policy,
    indices: Sequence[int],
    out: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any],
    seed: int = 0,
    concurrency: int = 1,
    resume: bool = False,
    on_episode: Callable[[Mapping[str, Any]], None] = lambda record: None,
) -> dict[str, Any]:
    """Play `indices` and write `results.jsonl`, `settings.json` and `summary.json` into `out`.

    Each episode is on disk as soon as it ends, so a kill loses none that was finished; after
    an interrupt those under way are played to their end and kept. `resume` plays what is
    missing, damaged, or had ended in an error. At the end the lines are put in the order of
    their index.

    Args:
        make_env: makes one environment per thread.
        policy: what plays.
        indices: tasks to play.
        out: a folder, created if need be.
        settings: whatever fixes the outcome, as JSON; a resumed run must have the same.
        seed: seed of the run (see `run_episodes`).
        concurrency: number of threads.
        resume: continue in a folder that holds results.
        on_episode: called with each record as it is done, the resumed ones included.

    Returns:
        The summary, as in `summary.json`.

    Raises:
        ArgumentError: if `out` holds results and `resume` is False, or results of other
            settings, or another run is writing to it.
    """
    if type(concurrency) is not int or concurrency < 1:
        raise ArgumentError(f"concurrency must be an int of at least 1, actually: {concurrency!r}")
    folder = Path(out)
    # what the file will give back: tuples as lists, all keys strings
    settings = json.loads(json.dumps(dict(settings), default=str))
    if not resume and (folder / RESULTS).exists():
        raise ArgumentError(f"{folder} already holds results: pass --resume or another --out")
    folder.mkdir(parents=True, exist_ok=True)
    with _only_run_in(folder):
        done = _done(folder, settings) if resume else {}
        _write(folder / SETTINGS, json.dumps(settings, indent=2) + "\n")
        _rewrite_results(folder, done.values())
        for record in done.values():
            on_episode(record)

        played: dict[int, dict[str, Any]] = {}

        def save(episode: EpisodeRecord) -> None:
            # in the episode's own thread: it is on disk whatever the main thread meets
            record = episode.as_json()
            known = {r["fingerprint"] for r in done.values()} - {""}
            if known and record["fingerprint"] not in {*known, ""}:
                raise ArgumentError(
                    f"{folder} holds results of other problems (fingerprint {', '.join(known)}, "
                    f"now {record['fingerprint']}): choose another --out"
                )
            append_json_line(folder / RESULTS, record)
            played[episode.index] = record

        episodes = run_episodes(
            make_env,
            policy,
            [index for index in dict.fromkeys(indices) if index not in done],
            seed=seed,
            concurrency=concurrency,
            in_order=False,
            on_end=save,
        )
        started = time.perf_counter()
        try:
            for episode in episodes:
                on_episode(played[episode.index])
        finally:
            episodes.close()  # waits for the episodes under way, which are saved too
            seconds = time.perf_counter() - started
            records = list({**done, **played}.values())
            _rewrite_results(folder, records)
            summary = summarize(records, settings, wanted=len(set(indices)))
            summary["episodes_per_second"] = round(len(played) / seconds, 2) if played else None
            _write(folder / SUMMARY, json.dumps(summary, indent=2) + "\n")
    return summary


def summarize(
    records: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], wanted: int
) -> dict[str, Any]:
    """Score, interval, counts and settings of the records of a run.

    `score` is the mean of the `exact_match` term over the episodes that the world let end;
    those that it did not are counted in `errors` and named in `stop_reasons`. An episode
    that filled its model's context counts, with all terms 0.
    """
    ended = [record for record in records if record["error"] is None]
    scores = [record["reward_terms"].get("exact_match", 0.0) for record in ended]
    right = sum(scores)
    told = next((r for r in records if r["fingerprint"]), None)  # a failed reset says nothing
    terms = sorted({name for record in ended for name in record["reward_terms"]})
    return {
        "episodes": len(records),
        "complete": len(ended) == wanted,
        "errors": len(records) - len(ended),
        "score": _mean(scores),
        "score_interval_95": list(wilson_interval(right, len(ended))) if ended else None,
        "reward": _mean([record["reward"] for record in ended]),
        "reward_terms": {
            name: _mean([record["reward_terms"].get(name, 0.0) for record in ended])
            for name in terms
        },
        "stop_reasons": dict(sorted(Counter(str(r["stop_reason"]) for r in records).items())),
        "turns": _mean([record["turns"] for record in ended]),
        "calls": _mean([record["calls"] for record in ended]),
        "parse_errors": _count(ended, "parse_error"),
        "fabricated_observations": _count(ended, "fabricated_observation"),
        "tool_failures": _count(ended, "tool_failure"),
        "dataset": told["dataset"] if told else None,
        "split": told["split"] if told else None,
        "fingerprint": told["fingerprint"] if told else None,
        "version": react_envs.__version__,
        "settings": dict(settings),
    }


def wilson_interval(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a proportion: where the true one lies, by default in 95 %.

    Raises:
        ValueError: unless 0 <= successes <= n and n > 0.

    >>> [round(x, 3) for x in wilson_interval(8, 10)]
    [0.49, 0.943]
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"expected 0 <= successes <= n and n > 0, got {successes} of {n}")
    p = successes / n
    centre = p + z * z / (2 * n)
    margin = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)


@contextmanager
def _only_run_in(folder: Path) -> Iterator[None]:
    """Hold the folder: two runs that write into one would lose each other's lines."""
    if fcntl is None:
        yield
        return
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ArgumentError(f"another run is writing to {folder}") from error
        yield


def _done(folder: Path, settings: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """The finished records in `folder` by index, after a check that they are of this run."""
    if not (folder / RESULTS).exists():
        return {}
    try:
        before = dict(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ArgumentError(
            f"{folder} holds results, but its {SETTINGS} cannot be read ({error}), so nothing "
            "says what they are of: choose another --out"
        ) from error
    changed = sorted(k for k in {*before, *settings} if before.get(k) != settings.get(k))
    # a run may be made longer; a shorter one would throw results away
    longer = changed == ["n"] and _is_more(settings.get("n"), before.get("n"))
    if changed and not longer:
        told = "; ".join(f"{k}: was {before.get(k)!r}, is {settings.get(k)!r}" for k in changed)
        raise ArgumentError(f"{folder} holds results of other settings: {told}")
    done = {}
    for line in (folder / RESULTS).read_bytes().split(b"\n"):
        try:
            record = json.loads(line.decode("utf-8"))
        except ValueError:
            continue  # the line that a kill cut short; its episode is played again
        if _is_whole(record) and record["error"] is None:
            done[record["index"]] = record
    return done


def _is_more(n: Any, before: Any) -> bool:
    return isinstance(n, int) and isinstance(before, int) and n > before


def _is_whole(record: Any) -> bool:
    needed = {field.name for field in fields_of(EpisodeRecord)} - {"tokens"} | {"trace"}
    return isinstance(record, dict) and needed <= set(record)


def _rewrite_results(folder: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Put the records into the file in the order of their index, in one replacement."""
    new = folder / f"{RESULTS}.new"
    new.write_bytes(b"")
    for record in sorted(records, key=lambda record: record["index"]):
        append_json_line(new, record)
    os.replace(new, folder / RESULTS)


def _write(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None


def _count(records: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(bool(turn[name]) for record in records for turn in record["trace"])
