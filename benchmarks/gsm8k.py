"""GSM8K test set end to end: the oracle, and Program-of-Thoughts programs, through the real tool.

    REACT_ENVS_DATA=../shared/data python benchmarks/gsm8k.py

Prints a markdown table for benchmarks/README.md. Left out: any model.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import gymnasium as gym

from react_envs.agents import make_policy
from react_envs.agents.policies.oracle import calculator_annotations
from react_envs.agents.policies.replay import ProgramPolicy
from react_envs.errors import ArgumentError
from react_envs.rewards import extract_number
from react_envs.rollout import EpisodeRecord, run_episodes

ENV_ID, SPLIT = "ReactGSM8K-v0", "test"


def play(agent: str, concurrency: int, **options: Any) -> tuple[list[EpisodeRecord], float, Any]:
    """All episodes of the test set by an agent, the seconds they took, and the task set."""
    env: Any = gym.make(ENV_ID, split=SPLIT).unwrapped
    policy = make_policy(agent, env, **options)
    indices = range(len(env.tasks))
    started = time.perf_counter()
    records = list(
        run_episodes(
            lambda: gym.make(ENV_ID, split=SPLIT), policy, indices, concurrency=concurrency
        )
    )
    return records, time.perf_counter() - started, env.tasks


def oracle_rows(concurrency: int) -> list[tuple[str, str]]:
    records, seconds, tasks = play("oracle", concurrency)
    reproduced = annotated = 0
    for record in records:
        steps = calculator_annotations(tasks[record.index].solution)
        annotated += len(steps)
        for (_, value), turn in zip(steps, record.turns, strict=False):
            reproduced += _same_number(turn.tool_result or "", value)
    score = sum(record.reward or 0.0 for record in records)
    steps_played = sum(len(record.turns) for record in records)
    return [
        ("oracle: score", f"{score:.0f} / {len(records)} = {score / len(records):.2%}"),
        (
            "oracle: annotated values that the tool reproduced",
            f"{reproduced} / {annotated} = {reproduced / annotated:.2%}",
        ),
        ("oracle: episodes/s", f"{len(records) / seconds:.0f}"),
        ("oracle: environment steps/s", f"{steps_played / seconds:.0f}"),
    ]


def replay_rows(path: Path, concurrency: int) -> list[tuple[str, str]]:
    env: Any = gym.make(ENV_ID, split=SPLIT).unwrapped
    published = {}
    for line in path.read_text("utf-8").split("\n"):
        row = json.loads(line) if line else {}
        if "question" in row:
            published[" ".join(row["question"].split())] = row
    ProgramPolicy.from_file(path, env.tasks, env.dialect)  # complains about a wrong file at once
    records, seconds, tasks = play("programs", concurrency, path=str(path))
    played = right = equal = right_as_published = 0
    for record in records:
        row = published.get(" ".join(tasks[record.index].question.split()))
        if row is None or record.error is not None:
            continue  # the file lacks one of the 1,319 problems
        played += 1
        right += record.reward == 1.0
        number = extract_number(record.answer or "")
        ours = None if number is None else float(number)
        equal += _same(ours, row["executed"])
        right_as_published += ours is not None and _published_equal(ours, float(row["answer"]))
    return [
        ("programs played", str(played)),
        ("programs right, our strict grader", f"{right} = {right / played:.2%}"),
        (
            "programs right, the authors' equality (rounds to the coarser number)",
            f"{right_as_published} = {right_as_published / played:.2%}",
        ),
        (
            "same result as the authors recorded (both failed counts as same)",
            f"{equal} / {played} = {equal / played:.2%}",
        ),
        ("programs: episodes/s", f"{len(records) / seconds:.0f}"),
    ]


def _same_number(printed: str, annotated: str) -> bool:
    """True if the tool printed the annotated value, to the digits that GSM8K's authors wrote."""
    ours, theirs = extract_number(printed), extract_number(annotated)
    if ours is None or theirs is None:
        return False
    decimals = len(annotated.partition(".")[2])
    half_a_digit = 0.5 * 10.0**-decimals if decimals else 0.0
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=half_a_digit)


def _same(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)


def _published_equal(ours: float, gold: float) -> bool:
    """Program of Thoughts' comparison: both rounded to the fewer decimals, at most 5.

    It takes 1.98 for 2.0, which is one more right answer than ours.
    """
    digits = min(5, *(len(repr(number).partition(".")[2]) for number in (ours, gold)))
    return round(ours, digits) == round(gold, digits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--out", help="also write the table to this file")
    options = parser.parse_args()
    folder = os.environ.get("REACT_ENVS_DATA")
    if not folder:
        raise ArgumentError("set REACT_ENVS_DATA to the folder with gsm8k/ and replay/")
    rows = oracle_rows(options.concurrency)
    programs = Path(folder) / "replay/pot_gsm8k_fewshot.jsonl"
    rows += replay_rows(programs, options.concurrency)
    table = "\n".join(["| figure | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows)])
    print(table)
    if options.out:
        Path(options.out).write_text(table + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
