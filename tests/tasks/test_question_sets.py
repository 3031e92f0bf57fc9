"""Standard question sets: what a row becomes, in every shape it is published in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from react_envs.errors import ArgumentError, DataNotFoundError
from react_envs.tasks import DATASETS, Reordered, TaskList, load_tasks, react_order
from react_envs.tasks.question_sets import AUTOCOA_SUBSETS, QUESTION_SETS
from react_envs.types import Task


def read(dataset: str, row: dict[str, Any]) -> Task:
    return QUESTION_SETS[dataset].read(row)


@pytest.mark.parametrize(
    ("dataset", "split", "size", "question", "answer"),
    [
        ("hotpotqa", "dev", 7405, "Were Scott Derrickson and Ed Wood of the same", "yes"),
        ("hotpotqa", "context_100", 100, "If Gallu is a demon Lilu is what?", "a spirit"),
        ("2wiki", "dev_500", 500, "Who is Ahmose-Henutemipet's paternal", "Tetisheri"),
        ("musique", "dev_500", 500, "What was the director of Addicted to", "Academy Award for"),
        ("musique", "context_100", 100, "Who was the first president of the", "G. Stanley Hall"),
        ("bamboogle", "test", 125, "Who was president of the United States in", "james madison"),
        ("fever", "dev", 9999, "Colin Kaepernick became a starting", "NOT ENOUGH INFO"),
        ("autocoa_eval", "test", 2936, "Are Rovin' Tumbleweeds and Forbidden", "no"),
    ],
)
def test_published_sets_have_their_size_and_order(
    data: Path, dataset: str, split: str, size: int, question: str, answer: str
) -> None:
    tasks = load_tasks(dataset, split, data)
    assert len(tasks) == size
    assert tasks[0].question.startswith(question)
    assert tasks[0].answers[0].startswith(answer)
    assert [tasks[i].index for i in range(size)] == list(range(size))
    assert {(tasks[i].dataset, tasks[i].split) for i in range(size)} == {(dataset, split)}


def test_the_autocoa_set_has_its_parts(data: Path) -> None:
    sizes = {name: len(load_tasks("autocoa_eval", name, data)) for name in AUTOCOA_SUBSETS}
    assert sizes == {
        "triviaqa": 501, "2wiki": 500, "hotpotqa": 500, "musique": 500, "nq": 500,
        "fanoutqa": 310, "bamboogle": 125,
    }  # fmt: skip
    tasks = load_tasks("autocoa_eval", "test", data)
    assert sum(sizes.values()) == len(tasks)
    assert "web search" not in " ".join(tasks[i].question for i in range(len(tasks)))
    assert max(len(tasks[i].answers) for i in range(len(tasks))) > 100


def test_claims_have_three_labels_and_the_titles_of_their_evidence(data: Path) -> None:
    tasks = load_tasks("fever", "dev", data)
    labels = {tasks[i].answers for i in range(len(tasks))}
    assert labels == {("SUPPORTS",), ("REFUTES",), ("NOT ENOUGH INFO",)}
    assert tasks[2].metadata["supporting_titles"] == ["Soul Food (film)"]


def test_questions_with_paragraphs_have_them_and_their_supporting_titles(data: Path) -> None:
    for dataset, paragraphs in (("hotpotqa", 10), ("musique", 20)):
        tasks = load_tasks(dataset, "context_100", data)
        full = [tasks[i] for i in range(100) if len(tasks[i].metadata["context"]) == paragraphs]
        assert len(full) >= 95
        for task in full:
            titles = {title for title, _ in task.metadata["context"]}
            assert set(task.metadata["supporting_titles"]) <= titles
            assert json.loads(json.dumps(task.metadata)) == task.metadata


FLASHRAG = {"id": "test_0", "question": "who? ", "golden_answers": ["A", "B", "A"], "metadata": {}}


@pytest.mark.parametrize(
    "dataset", ["hotpotqa", "2wiki", "musique", "bamboogle", "nq", "triviaqa", "popqa"]
)
def test_flashrags_rows_are_read_for_every_set_that_it_has(dataset: str) -> None:
    task = read(dataset, FLASHRAG)
    assert (task.question, task.answers) == ("who?", ("A", "B"))
    assert task.metadata == {"id": "test_0"}


@pytest.mark.parametrize(
    ("dataset", "row", "answers"),
    [
        ("nq", {"question": "q", "answer": ["14 December 1972 UTC", "December 1972"]},
         ("14 December 1972 UTC", "December 1972")),
        ("popqa", {"id": 1, "prop": "p", "question": "q", "possible_answers": '["J. D.", "D."]'},
         ("J. D.", "D.")),
        ("triviaqa", {"question": "q", "answer": {"value": "David", "aliases": ["David", "Dave"]}},
         ("David", "Dave")),
        ("triviaqa", {"Question": "q", "answer": {"Value": "David", "Aliases": ["Dave"]}},
         ("David", "Dave")),
        ("bamboogle", {"Question": "q", "answer": ["james madison"]}, ("james madison",)),
        ("musique", {"id": "2", "question": "q", "answer": "G. Hall", "answer_aliases": ["Hall"]},
         ("G. Hall", "Hall")),
        ("hotpotqa", {"_id": "5a", "question": "q", "answer": "yes", "type": "bridge"}, ("yes",)),
    ],
)  # fmt: skip
def test_the_authors_rows_are_read(
    dataset: str, row: dict[str, Any], answers: tuple[str, ...]
) -> None:
    assert read(dataset, row).answers == answers


PAIRS = {"supporting_facts": [["A", 0], ["B", 1], ["A", 2]], "context": [["A", ["One.", " Two."]]]}
COLUMNS = {
    "supporting_facts": {"title": ["A", "B", "A"], "sent_id": [0, 1, 2]},
    "context": {"title": ["A"], "sentences": [["One.", " Two."]]},
}
FLASHRAG_COLUMNS = {**COLUMNS, "context": {"title": ["A"], "content": [["One.", " Two."]]}}


@pytest.mark.parametrize(
    "shape",
    [PAIRS, COLUMNS, FLASHRAG_COLUMNS, {name: json.dumps(value) for name, value in PAIRS.items()}],
    ids=["pairs", "columns", "flashrag", "text"],
)
@pytest.mark.parametrize("dataset", ["hotpotqa", "2wiki"])
def test_paragraphs_are_the_same_in_every_shape(dataset: str, shape: dict[str, Any]) -> None:
    task = read(dataset, {"id": "x", "question": "q", "answer": "a", **shape})
    assert task.metadata["supporting_titles"] == ["A", "B"]
    assert task.metadata["context"] == [["A", ["One.", " Two."]]]


def test_the_authors_files_of_triviaqa_and_popqa_are_read(tmp_path: Path) -> None:
    trivia = tmp_path / "unfiltered-web-dev.json"
    row = {"Question": "Who?", "QuestionId": "tc_1", "Answer": {"Value": "A", "Aliases": ["B"]}}
    trivia.write_text(json.dumps({"Data": [row], "Version": 1.0}))
    assert load_tasks("triviaqa", "dev", trivia)[0].answers == ("A", "B")
    popqa = tmp_path / "popQA.tsv"
    popqa.write_text('id\tquestion\tpossible_answers\n7\tWho?\t"[""A"", ""B""]"\n')
    task = load_tasks("popqa", "test", popqa)[0]
    assert (task.question, task.answers, task.metadata) == ("Who?", ("A", "B"), {"id": "7"})


def test_copies_that_repeat_a_claim_for_each_evidence_count_it_once(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "claim": "One.", "label": "SUPPORTS", "evidence_wiki_url": "A"},
        {"id": 1, "claim": "One.", "label": "SUPPORTS", "evidence_wiki_url": "B"},
        {"id": 2, "claim": "Two.", "label": "REFUTES", "evidence_wiki_url": "C"},
    ]
    path = tmp_path / "fever.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    tasks = load_tasks("fever", "dev", path)
    assert [tasks[i].question for i in range(len(tasks))] == ["One.", "Two."]
    assert [tasks[i].index for i in range(len(tasks))] == [0, 1]


def test_flashrags_copy_on_the_hub_is_read_through_datasets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets")
    # a folder named like the repository is what `datasets` reads in its stead: the real code path
    hub = tmp_path / "hub/RUC-NLPIR/FlashRAG_datasets"
    (hub / "nq").mkdir(parents=True)
    (hub / "nq/test.jsonl").write_text(json.dumps(FLASHRAG) + "\n")
    (hub / "README.md").write_text(
        "---\nconfigs:\n- config_name: nq\n  data_files:\n  - split: test\n"
        "    path: nq/test.jsonl\n---\n"
    )
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("REACT_ENVS_DATA", raising=False)
    monkeypatch.chdir(tmp_path / "hub")
    from_hub = load_tasks("nq", "test")
    file = tmp_path / "data/nq/test.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(FLASHRAG) + "\n")
    monkeypatch.setenv("REACT_ENVS_DATA", str(tmp_path / "data"))
    assert load_tasks("nq", "test").fingerprint == from_hub.fingerprint


def test_a_set_that_is_on_no_hub_says_where_its_file_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REACT_ENVS_DATA", str(tmp_path))
    with pytest.raises(DataNotFoundError, match=r"autocoa_eval/test\.parquet") as raised:
        load_tasks("autocoa_eval", "nq")
    assert "on no hub" in str(raised.value)
    monkeypatch.delenv("REACT_ENVS_DATA")
    with pytest.raises(DataNotFoundError, match="unset"):
        load_tasks("musique", "dev_500")


@pytest.mark.parametrize(
    ("dataset", "row", "told"),
    [
        ("nq", {"question": "q"}, "none of golden_answers"),
        ("nq", {"question": "q", "golden_answers": []}, "expected answers"),
        ("hotpotqa", {"question": "q", "answer": "a", "context": 5}, "TypeError"),
        ("fever", {"id": 1, "claim": "c"}, "'label'"),
        ("popqa", {"question": "q", "possible_answers": "not json"}, "JSONDecodeError"),
    ],
)
def test_a_row_of_another_format_is_named(
    tmp_path: Path, dataset: str, row: dict[str, Any], told: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row))
    split = next(iter(DATASETS[dataset].files))
    with pytest.raises(ArgumentError, match=f"row 0 .*{told}"):
        load_tasks(dataset, split, path)


def test_a_parquet_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("no parquet")
    with pytest.raises(ArgumentError, match="is not parquet"):
        load_tasks("autocoa_eval", "test", path)


def test_reacts_order_is_the_published_one(data: Path) -> None:
    """The first questions of the published runs: 3687, 6238, 5388, ..."""
    order = react_order()
    assert order[:8] == [3687, 6238, 5388, 3522, 3824, 2866, 1551, 2544]
    assert sorted(order) == list(range(7405))
    tasks = Reordered(load_tasks("hotpotqa", "dev", data), order)
    assert len(tasks) == 7405
    assert tasks[0].question.startswith("What movie did actress Irene Jacob complete before")
    assert (tasks[0].index, tasks[0].metadata["index"]) == (0, 3687)
    claims = Reordered(load_tasks("fever", "dev", data), order)
    assert len(claims) == 7405
    assert claims[0].question == load_tasks("fever", "dev", data)[3687].question
    with pytest.raises(IndexError):
        tasks[7405]


def test_an_order_has_a_fingerprint_of_its_own_and_stays_inside() -> None:
    tasks = TaskList([Task("a?", ("1",)), Task("b?", ("2",))])
    there, back = Reordered(tasks, [0, 1]), Reordered(tasks, [1, 0])
    assert len({tasks.fingerprint, there.fingerprint, back.fingerprint}) == 3
    with pytest.raises(ArgumentError, match="from 0 to 1"):
        Reordered(tasks, [2])
