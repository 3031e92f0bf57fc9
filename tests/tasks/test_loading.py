"""Published splits: where they come from, what a row becomes, what is never replaced."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from react_envs.errors import ArgumentError, DataNotFoundError
from react_envs.tasks import DATASETS, TaskList, load_tasks
from react_envs.types import Task

ROWS = [
    {"question": "2 + 2?", "answer": "<<2+2=4>>4\n#### 4"},
    {"question": "A thousand and\u2028eighty?", "answer": "1,080\n#### 1,080"},
]


def write(path: Path, rows: list[dict[str, str]] = ROWS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("dataset", "split", "size", "first"),
    [
        ("gsm8k", "test", 1319, "18"),
        ("gsm8k", "train", 7473, "72"),
        ("gsm_hard", "test", 1319, "-9867630"),
        ("svamp", "test", 1000, "51"),
        ("multiarith", "test", 600, "39"),
        ("math500", "test", 500, "\\left( 3, \\frac{\\pi}{2} \\right)"),
    ],
)
def test_published_splits_have_their_size_and_order(
    data: Path, dataset: str, split: str, size: int, first: str
) -> None:
    tasks = load_tasks(dataset, split, data)
    assert len(tasks) == size
    assert tasks[0].answers == (first,)
    assert [tasks[i].index for i in range(size)] == list(range(size))
    assert {(tasks[i].dataset, tasks[i].split) for i in range(size)} == {(dataset, split)}
    assert all(tasks[i].question and tasks[i].answers[0] for i in range(size))
    with pytest.raises(IndexError):
        tasks[size]


def test_a_row_becomes_a_task(tmp_path: Path) -> None:
    tasks = load_tasks("gsm8k", "test", write(tmp_path / "any-name.jsonl"))
    assert tasks[0] == Task(
        "2 + 2?", ("4",), 0, "gsm8k", "test", solution="<<2+2=4>>4\n#### 4", metadata={}
    )
    assert tasks[1].answers == ("1080",)
    assert "\u2028" in tasks[1].question, "a line separator inside a string is no end of a row"


def test_file_folder_variable_and_hub_give_the_same_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    file = write(tmp_path / "data/gsm8k/test.jsonl")
    # a folder named like the repository is what `datasets` reads in its stead: the real code path
    hub = tmp_path / "hub/openai/gsm8k/main"
    hub.mkdir(parents=True)
    datasets.Dataset.from_list(ROWS).to_parquet(str(hub / "test-00000-of-00001.parquet"))
    (hub.parent / "README.md").write_text(
        "---\nconfigs:\n- config_name: main\n  data_files:\n  - split: test\n"
        "    path: main/test-*\n---\n"
    )
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "hub")
    monkeypatch.delenv("REACT_ENVS_DATA", raising=False)
    from_hub = load_tasks("gsm8k", "test")
    monkeypatch.setenv("REACT_ENVS_DATA", str(tmp_path / "data"))
    sources = [from_hub, load_tasks("gsm8k", "test"), load_tasks("gsm8k", "test", file)]
    sources.append(load_tasks("gsm8k", "test", tmp_path / "data"))
    assert len({tasks.fingerprint for tasks in sources}) == 1
    assert all(tasks[1] == from_hub[1] for tasks in sources)


def test_what_is_named_and_missing_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setenv("REACT_ENVS_DATA", str(data))
    with pytest.raises(DataNotFoundError, match="there is no file"):
        load_tasks("gsm8k", "test", tmp_path / "missing.jsonl")
    with pytest.raises(DataNotFoundError, match="there is no file"):
        load_tasks("gsm8k", "test", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gsm9k", "test"), "unknown data set 'gsm9k'; known: gsm8k"),
        (("gsm8k", "dev"), "no split 'dev'; it has: train, test"),
    ],
)
def test_unknown_names_raise(arguments: tuple[str, str], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        load_tasks(*arguments)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('{"question": "q"}', "row 0 is not in the format of 'gsm8k'", id="no-answer"),
        pytest.param('{"question": "q", "answer": "4"}', "IndexError", id="no-mark"),
        pytest.param("not json", "is not jsonl", id="no-json"),
        pytest.param("", "at least one task", id="empty"),
    ],
)
def test_a_file_of_another_format_is_named_with_its_row(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(ArgumentError, match=told):
        load_tasks("gsm8k", "test", path)


def test_the_fingerprint_depends_on_content_and_order_only() -> None:
    one, two = Task("a?", ("1",)), Task("b?", ("2",), metadata={"x": 1}, solution="s")
    same = TaskList([Task("a?", ("1",), index=9, split="x"), Task("b?", ("2",))])
    assert TaskList([one, two]).fingerprint == same.fingerprint
    assert TaskList([two, one]).fingerprint != same.fingerprint
    assert TaskList([one, Task("b?", ("2", "two"))]).fingerprint != same.fingerprint


def test_task_sets_pickle() -> None:
    tasks = TaskList([Task("a?", ("1",))])
    copied = pickle.loads(pickle.dumps(tasks))
    assert (copied[0], copied.fingerprint) == (tasks[0], tasks.fingerprint)


def test_every_data_set_has_a_hub_split_for_each_file() -> None:
    for dataset in DATASETS.values():
        assert set(dataset.files) == set(dataset.hub_splits)
