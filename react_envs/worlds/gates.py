"""How hard questions are for those who take a short cut: guessing, or one search.

Both are shares in [0, 1], by type of question, with the number of questions they are of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from react_envs.retrieval import Retriever
from react_envs.rewards.text import exact_match
from react_envs.types import Task

__all__ = ["Shares", "closed_book", "hops_of", "one_shot"]

Shares = dict[str, tuple[float, int]]


def closed_book(studied: Iterable[Task], asked: Iterable[Task]) -> Shares:
    """Share answered by a guesser that has studied other questions and reads nothing.

    It gives the commonest answer to questions with the same type and the same last relation, or,
    where it has seen none, with the same type.
    """
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for task in studied:
        for key in _keys(task):
            counts.setdefault(key, Counter())[task.answers[0]] += 1
    right: dict[str, list[float]] = {}
    for task in asked:
        known = [counts[key] for key in _keys(task) if key in counts]
        guess = known[0].most_common(1)[0][0] if known else ""
        right.setdefault(task.metadata["type"], []).append(exact_match(guess, task.answers))
    return _shares(right)


def one_shot(tasks: Iterable[Task], retriever: Retriever, k: int) -> Shares:
    """Share of which a search with the question itself shows what a reader needs.

    That is, for a chain, the last sentence of the solution (who reads it can guess the rest),
    and for all others every one, in the first `k` passages. Chains are counted by their hops:
    "bridge 2". Questions without an answer are left out.
    """
    found: dict[str, list[float]] = {}
    for task in tasks:
        kind = task.metadata["type"]
        if kind == "unanswerable":
            continue
        needed = _sentences(task.solution or "")
        needed = needed[-1:] if kind in ("bridge", "inverse") else needed
        (hits,) = retriever.search([task.question], k)
        shown = "\n".join(hit.document.text for hit in hits)
        found.setdefault(hops_of(task), []).append(float(all(s in shown for s in needed)))
    return _shares(found)


def hops_of(task: Task) -> str:
    """The type, with the hops if it is a chain."""
    kind: str = task.metadata["type"]
    return f"{kind} {task.metadata['hops']}" if kind in ("bridge", "inverse") else kind


def _keys(task: Task) -> tuple[tuple[str, ...], ...]:
    kind, relations = task.metadata["type"], task.metadata["composition"]
    return (kind, *relations[-1:]), (kind,)


def _sentences(solution: str) -> list[str]:
    lines = [line for line in solution.split("\n") if line.startswith("[")]
    return [line.partition("] ")[2].rpartition(" => ")[0] for line in lines]


def _shares(values: dict[str, list[float]]) -> Shares:
    return {name: (sum(v) / len(v), len(v)) for name, v in sorted(values.items())}
