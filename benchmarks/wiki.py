"""The synthetic wiki: speed of generation, the oracle's score, and how far short cuts lead.

    python benchmarks/wiki.py            # 2,000 questions of each type and mode, several minutes
    python benchmarks/wiki.py --n 100    # a quick look

Prints markdown tables for benchmarks/README.md. Left out: any model, and any network.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym

from react_envs.agents import make_policy
from react_envs.rollout import EpisodeRecord, run_episodes
from react_envs.tasks import SyntheticWiki
from react_envs.tasks.synthetic_wiki import QUESTION_TYPES, world_of
from react_envs.worlds.encyclopedia import Encyclopedia
from react_envs.worlds.gates import closed_book, one_shot
from react_envs.worlds.world import World, WorldSpec

MODES = ("pages", "passages", "both")
ALL_TYPES = list(QUESTION_TYPES)
LONGEST = "longest episode, turns"
FRESH = "env steps/s, a fresh world for each episode"
SHARED = "env steps/s, one world of 2,000 pages"


def generation_rows(n: int) -> Iterator[tuple[str, str]]:
    """Best of three runs: other processes only ever slow a run down."""
    fresh = best_rate(lambda: SyntheticWiki("test"), n)
    shared = best_rate(lambda: SyntheticWiki("test", shared=True, pages=2000), n)
    yield "questions/s, a fresh world of 50 pages for each", f"{fresh:,.0f}"
    yield "questions/s, one world of 2,000 pages for all (world included)", f"{shared:,.0f}"
    started = time.perf_counter()
    paper = Encyclopedia(WorldSpec(seed=1, pages=2000))
    pages = len(paper.pages)
    tasks = SyntheticWiki("test", seed=1, shared=True, pages=2000)
    questions = len([tasks[i] for i in range(200)])
    seconds = time.perf_counter() - started
    yield f"{pages:,} pages with their text, and {questions} questions, s", f"{seconds:.2f}"
    for size in (50, 2_000, 100_000):
        started = time.perf_counter()
        World(WorldSpec(seed=2, pages=size))
        yield f"the facts of a world of {size:,} pages, ms", f"{ms_since(started):,.1f}"
    started = time.perf_counter()
    passages = sum(1 for _ in Encyclopedia(WorldSpec(seed=2, pages=100_000)).documents())
    yield f"{passages:,} passages of 100,000 pages, s", f"{ms_since(started) / 1000:.1f}"


def best_rate(make: Callable[[], SyntheticWiki], n: int) -> float:
    rates = []
    for run in range(3):
        tasks = make()
        started = time.perf_counter()
        for index in range(run * n, (run + 1) * n):
            tasks[index]
        rates.append(n / (time.perf_counter() - started))
    return max(rates)


def ms_since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def oracle_rows(n: int, concurrency: int) -> Iterator[tuple[str, ...]]:
    """Solved questions of each type by mode, the longest episode, and the speed of a mode."""
    cells: dict[tuple[str, str], str] = {}
    for mode in MODES:
        steps = seconds = 0.0
        longest = 0
        for kind in QUESTION_TYPES:
            records, taken = play(mode, n, concurrency, questions=[kind])
            seconds += taken
            turns = [len(record.turns) for record in records]
            steps, longest = steps + sum(turns), max(longest, *turns)
            solved = sum(record.reward == 1.0 for record in records)
            cells[kind, mode] = f"{solved} / {n}"
        cells[LONGEST, mode] = str(longest)
        cells[FRESH, mode] = f"{steps / seconds:,.0f}"
        records, taken = play(mode, n, concurrency, shared=True, pages=2000)
        cells[SHARED, mode] = f"{sum(len(record.turns) for record in records) / taken:,.0f}"
    for row in (*QUESTION_TYPES, LONGEST, FRESH, SHARED):
        yield (row, *(cells[row, mode] for mode in MODES))


def play(mode: str, n: int, concurrency: int, **world: Any) -> tuple[list[EpisodeRecord], float]:
    """Episodes of the oracle, and the seconds they took, worlds included."""
    k: dict[str, Any] = {} if mode == "pages" else {"k": 5}
    python = ["python"] if world.get("questions") == ["arithmetic"] else []

    def make() -> gym.Env[str, str]:
        env: gym.Env[str, str] = gym.make(
            "ReactWiki-v0", split="synthetic_test", mode=mode, **k, world=world, tools=python
        )
        return env

    policy = make_policy("oracle", make())
    started = time.perf_counter()
    records = list(run_episodes(make, policy, range(n), concurrency=concurrency))
    return records, time.perf_counter() - started


def gate_rows(n: int) -> Iterator[tuple[str, ...]]:
    """Shares of right guesses, and of questions that one search with their own text answers."""
    train, test = (SyntheticWiki(split, questions=ALL_TYPES) for split in ("train", "test"))
    guessed = closed_book((train[i] for i in range(n)), (test[i] for i in range(n)))
    shots = []
    for pages, k in product((50, 2000), (3, 5)):
        tasks = SyntheticWiki("test", questions=ALL_TYPES, shared=True, pages=pages)
        if pages == 2000:
            shots.append(one_shot((tasks[i] for i in range(n)), world_of(tasks[0]).passages, k))
        else:
            shots.append(fresh_one_shot(n, k))
    for kind in sorted({*shots[-1], "unanswerable"}):
        guesses = guessed | {kind: guessed.get(kind.split(" ")[0], (0.0, 0))}
        shares = [guesses, *shots]
        yield (kind, *(f"{s[kind][0]:.1%}" if s.get(kind, (0, 0))[1] else "-" for s in shares))


def fresh_one_shot(n: int, k: int) -> dict[str, tuple[float, int]]:
    """`one_shot` where each question searches its own world."""
    tasks = SyntheticWiki("test", questions=ALL_TYPES)
    totals: dict[str, list[float]] = {}
    for index in range(n):
        task = tasks[index]
        for kind, (share, _) in one_shot([task], world_of(task).passages, k).items():
            totals.setdefault(kind, []).append(share)
    return {kind: (sum(values) / len(values), len(values)) for kind, values in totals.items()}


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="questions of each type and mode")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--out", help="also write the tables to this file")
    options = parser.parse_args()
    tables = [
        table(("generation", "value"), generation_rows(min(options.n, 2000))),
        table(("oracle", *MODES), oracle_rows(options.n, options.concurrency)),
        table(
            ("short cut", "closed book", "50 pages, k 3", "k 5", "2,000 pages, k 3", "k 5"),
            gate_rows(options.n),
        ),
    ]
    text = "\n\n".join(tables)
    print(text)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
