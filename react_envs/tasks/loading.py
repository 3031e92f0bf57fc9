"""`load_tasks`: a split by name, from a file, a data folder, the Hugging Face cache or the hub."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from react_envs.errors import ArgumentError, DataNotFoundError, MissingExtraError
from react_envs.tasks.datasets import DATASETS
from react_envs.tasks.taskset import TaskList
from react_envs.types import Task

__all__ = ["load_tasks"]

DATA_VARIABLE = "REACT_ENVS_DATA"


def load_tasks(dataset: str, split: str, data: str | os.PathLike[str] | None = None) -> TaskList:
    """The tasks of a published split, the same wherever they come from.

    Looked for in this order, the first that exists is read: `data` (a file in the data set's
    own format, or a folder laid out like `REACT_ENVS_DATA`; nothing else is tried then); the
    folder `REACT_ENVS_DATA`; the Hugging Face cache and hub through `datasets`. Sets that
    are loaded once are kept for the process.

    Raises:
        ArgumentError: for an unknown data set or split.
        DataNotFoundError: if no place has it. Another split is never put in its stead.
    """
    if dataset not in DATASETS:
        raise ArgumentError(f"unknown data set {dataset!r}; known: {', '.join(DATASETS)}")
    if split not in DATASETS[dataset].files:
        known = ", ".join(DATASETS[dataset].files)
        raise ArgumentError(f"data set {dataset!r} has no split {split!r}; it has: {known}")
    folder = os.environ.get(DATA_VARIABLE)
    return _load(dataset, split, None if data is None else os.fspath(data), folder)


@lru_cache(maxsize=16)
def _load(dataset: str, split: str, data: str | None, folder: str | None) -> TaskList:
    published = DATASETS[dataset]
    tasks: list[Task] = []
    keep = published.where.get(split)
    seen = set()
    for index, row in enumerate(_rows(dataset, split, data, folder)):
        if not isinstance(row, Mapping):
            raise ArgumentError(f"row {index} is no JSON object, got {str(row)[:80]!r}")
        try:
            if (keep and not keep(row)) or (published.distinct and row[published.distinct] in seen):
                continue
            seen.add(row[published.distinct] if published.distinct else None)
            task = published.read(row)
        except (LookupError, ValueError, AttributeError, TypeError, OverflowError) as error:
            raise ArgumentError(
                f"row {index} is not in the format of {dataset!r}: "
                f"{type(error).__name__}: {error}; its keys are {sorted(row)}"
            ) from error
        tasks.append(replace(task, index=len(tasks), dataset=dataset, split=split))
    return TaskList(tasks)


def _rows(
    dataset: str, split: str, data: str | None, folder: str | None
) -> Iterator[Mapping[str, Any]]:
    file = DATASETS[dataset].files[split]
    if data is not None:
        path = Path(data) / file if os.path.isdir(data) else Path(data)
        if not path.is_file():
            raise DataNotFoundError(f"{dataset}/{split}: there is no file {path}")
        return _read_file(path)
    if folder and (Path(folder) / file).is_file():
        return _read_file(Path(folder) / file)
    return _from_hub(dataset, split, folder)


def _read_file(path: Path) -> Iterator[Mapping[str, Any]]:
    """Rows of a .jsonl, .parquet or .tsv file, or of a .json file that holds a list."""
    if path.suffix == ".parquet":
        yield from _read_parquet(path)
        return
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".tsv":
            yield from csv.DictReader(io.StringIO(text), delimiter="\t")
        elif path.suffix == ".json":
            rows = json.loads(text)
            if isinstance(rows, dict) and "Data" in rows:
                rows = rows["Data"]  # TriviaQA's own files
            if not isinstance(rows, list):
                raise ValueError(f"expected a list, got {type(rows).__name__}")
            yield from rows
        else:
            # not splitlines(): it also breaks at U+2028 and others, which JSON strings may hold
            yield from (json.loads(line) for line in text.split("\n") if line.strip())
    except ValueError as error:
        raise ArgumentError(f"{path} is not {path.suffix[1:] or 'JSON lines'}: {error}") from error


def _read_parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise MissingExtraError.for_extra("pyarrow", "data") from error
    try:
        yield from parquet.read_table(path).to_pylist()
    except ArrowException as error:
        raise ArgumentError(f"{path} is not parquet: {error}") from error


def _from_hub(dataset: str, split: str, folder: str | None) -> Iterator[Mapping[str, Any]]:
    published = DATASETS[dataset]
    name = published.hub_splits[split]
    if published.hub is None or name is None:
        raise DataNotFoundError(
            f"{dataset}/{split} was not found. It is on no hub; tried: "
            + (str(Path(folder) / published.files[split]) if folder else f"{DATA_VARIABLE} (unset)")
            + f". Put the authors' file at ${DATA_VARIABLE}/{published.files[split]}, or pass "
            "data=PATH."
        )
    repository, configuration = published.hub
    what_to_do = (
        f"{dataset}/{split} was not found. Tried: "
        + (f"{Path(folder) / published.files[split]}; " if folder else f"{DATA_VARIABLE} (unset); ")
        + f"{repository} in the Hugging Face cache and on the hub ({{why}}). "
        f"Put the authors' file at ${DATA_VARIABLE}/{published.files[split]}, pass data=PATH, "
        "or run once with a network and `pip install 'react-envs[data]'`."
    )
    try:
        import datasets
    except ImportError as error:
        why = "the package `datasets` is not installed"
        raise DataNotFoundError(what_to_do.format(why=why)) from error
    try:
        revision = published.hub_revision
        rows = datasets.load_dataset(repository, configuration, split=name, revision=revision)
    # whatever a hub, a proxy or a damaged cache does, the data is not here
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise DataNotFoundError(what_to_do.format(why=why)) from error
    return iter(rows)
