"""Standard data sets: where their files and hub copies are, and how a row becomes a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from react_envs.tasks.dataset import Dataset
from react_envs.tasks.question_sets import QUESTION_SETS
from react_envs.types import Task

__all__ = ["DATASETS", "Dataset"]

Row = Mapping[str, Any]


def _gsm8k(row: Row) -> Task:
    solution = row["answer"]
    # "#### " begins the last line; answers are written with thousands separators: 1,080
    answer = solution.rsplit("####", 1)[1].strip().replace(",", "")
    return Task(row["question"].strip(), (answer,), solution=solution)


def _gsm_hard(row: Row) -> Task:
    return Task(
        row["input"].strip(), (_plain(row["target"]),), metadata={"program": row["code"].strip()}
    )


def _svamp(row: Row) -> Task:
    body = row["Body"].strip()
    body += "" if body.endswith((".", "?", "!", ",")) else "."
    return Task(
        f"{body} {row['Question'].strip()}",
        (_plain(row["Answer"]),),
        metadata={"equation": row["Equation"], "type": row["Type"]},
    )


def _multiarith(row: Row) -> Task:
    question = row["input"] if "input" in row else row["question"]
    answer = row["target"] if "target" in row else row["final_ans"]
    return Task(question.strip(), (_plain(answer),))


def _math500(row: Row) -> Task:
    return Task(
        row["problem"].strip(),
        (row["answer"].strip(),),
        solution=row["solution"],
        metadata={"subject": row["subject"], "level": row["level"]},
    )


def _plain(number: Any) -> str:
    """`51.0` as "51", other floats as Python writes them; strings are numbers already."""
    if isinstance(number, str):
        number = int(number) if number.strip().lstrip("-").isdigit() else float(number)
    return str(int(number)) if number == int(number) else repr(number)


DATASETS: dict[str, Dataset] = {
    "gsm8k": Dataset(
        files={"train": "gsm8k/train.jsonl", "test": "gsm8k/test.jsonl"},
        hub=("openai/gsm8k", "main"),
        hub_splits={"train": "train", "test": "test"},
        read=_gsm8k,
        grader="numeric",
    ),
    "gsm_hard": Dataset(
        files={"test": "gsm_hard/test.jsonl"},
        hub=("reasoning-machines/gsm-hard", None),
        hub_splits={"test": "train"},
        read=_gsm_hard,
        grader="numeric",
    ),
    # The papers evaluate on all 1,000 (SVAMP) and 600 (MultiArith) problems; hub copies cut
    # them into two splits.
    "svamp": Dataset(
        files={"test": "svamp/SVAMP.json"},
        hub=("ChilleD/SVAMP", None),
        hub_splits={"test": "train+test"},
        read=_svamp,
        grader="numeric",
    ),
    "multiarith": Dataset(
        files={"test": "multiarith/test.jsonl"},
        hub=("ChilleD/MultiArith", None),
        hub_splits={"test": "train+test"},
        read=_multiarith,
        grader="numeric",
    ),
    "math500": Dataset(
        files={"test": "math500/test.jsonl"},
        hub=("HuggingFaceH4/MATH-500", None),
        hub_splits={"test": "test"},
        read=_math500,
        grader="math",
    ),
    **QUESTION_SETS,
}
