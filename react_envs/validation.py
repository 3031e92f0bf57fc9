"""`validate`: prove without a model that gold answers score 1.0 and wrong ones 0.0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import gymnasium as gym

from react_envs.types import Task

__all__ = ["validate", "wrong_answer"]


def validate(env: gym.Env[str, str], indices: Iterable[int]) -> Iterator[str | None]:
    """Answer each task at once, rightly and wrongly, through the environment.

    Yields, per index, None if all is well, else what was wrong. Every gold alias must score
    1.0 in the `exact_match` term, a wrong answer 0.0.
    """
    tasks, dialect = env.get_wrapper_attr("tasks"), env.get_wrapper_attr("dialect")
    for index in indices:
        task: Task = tasks[index]
        problems = []
        for answer, expected in [
            *((gold, 1.0) for gold in task.answers),
            (wrong_answer(task), 0.0),
        ]:
            score = _score(env, index, dialect.format_answer(answer))
            if score != expected:
                problems.append(f"the answer {answer!r} scored {score}, expected {expected}")
        yield f"task {index}: {'; '.join(problems)}" if problems else None


def wrong_answer(task: Task) -> str:
    """An answer that is wrong for sure: one more than the number, or not the gold text.

    >>> wrong_answer(Task("2 + 2?", ("4",)))
    '5'
    """
    gold = task.answers[0]
    try:
        return str(int(gold) + 1)
    except ValueError:
        return f"1 + {gold}"


def _score(env: gym.Env[str, str], index: int, action: str) -> Any:
    env.reset(options={"index": index})
    _, _, terminated, _, info = env.step(action)
    return info["reward_terms"]["exact_match"] if terminated else f"nothing ({info['parse_error']})"
