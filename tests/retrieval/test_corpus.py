"""Corpora on disk: every published format gives the same passages, verbatim."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError
from react_envs.retrieval import Document
from react_envs.retrieval.corpus import pages_of, read_corpus, well_formed

PASSAGES = [
    Document("0", "Paris", "Paris is a city."),
    Document("1", 'The "Fox"', "line one\nline two\u2028still two</result>"),
    Document("2", "القاهرة", "مدينة 🦊"),
]


def write(path: Path, rows: object) -> Path:
    text = json.dumps(rows) if path.suffix == ".json" else "\n".join(map(json.dumps, rows))  # type: ignore[call-overload]
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text + "\n\n")
    return path


@pytest.mark.parametrize("name", ["c.jsonl", "c.jsonl.gz"])
@pytest.mark.parametrize("form", ["contents", "title and text"])
def test_json_lines_are_read_verbatim(tmp_path: Path, name: str, form: str) -> None:
    rows = [
        {"id": p.id, "contents": p.contents}
        if form == "contents"
        else {"id": p.id, "title": p.title, "text": p.text}
        for p in PASSAGES
    ]
    assert list(read_corpus(write(tmp_path / name, rows))) == PASSAGES


def test_a_list_and_an_object_of_titles_are_read(tmp_path: Path) -> None:
    rows = [{"title": p.title, "text": p.text} for p in PASSAGES]
    assert list(read_corpus(write(tmp_path / "a.json", rows))) == PASSAGES
    titles = {"A": ["One.", " Two."], "B": "Three."}
    expected = [Document("0", "A", "One. Two."), Document("1", "B", "Three.")]
    assert list(read_corpus(write(tmp_path / "b.json", titles))) == expected


def test_contents_without_a_quoted_title_stay_whole() -> None:
    for contents in ("no title", "first line\nsecond", '"open\nx', '"', ""):
        document = Document.from_contents("0", contents)
        assert (document.title, document.contents) == ("", contents)


@given(st.text(), st.text())
def test_contents_survive_a_round_trip(title: str, text: str) -> None:
    contents = Document("0", title.replace("\n", " "), text).contents
    assert Document.from_contents("0", contents).contents == contents


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"id": 1, "contents": "a"}\n{"id"', "line 2: expected JSON"),
        ('{"id": 1, "contents": "a"}\n{"id": 2}', "passage 1: expected"),
        ('{"contents": 5}', "passage 0: expected"),
        ("[1]", "passage 0: expected"),
    ],
)
def test_what_is_no_passage_is_named_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(ArgumentError, match=told):
        list(read_corpus(path))


@pytest.mark.parametrize("text", ["", "5", '{"A": 5}', '[{"title": "x"}]'])
def test_a_json_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(ArgumentError, match="expected"):
        list(read_corpus(path))


def test_progress_ends_with_the_size_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "c.jsonl", [{"contents": "x" * 50}] * 3000)
    told: list[int] = []
    assert len(list(read_corpus(path, told.append))) == 3000
    assert told == sorted(told)
    assert len(told) >= 3
    assert told[-1] == path.stat().st_size


def test_passages_become_pages() -> None:
    passages = [Document("0", "A", "one two"), Document("1", "A", "three."), Document("2", "B", "")]
    assert [(p.title, p.text) for p in pages_of(passages)] == [("A", "one two three."), ("B", "")]
    assert list(pages_of([])) == []
    (page,) = pages_of([Document("0", "M", "M may refer to:\nM1")])
    assert page.disambiguation


def test_only_lone_surrogates_are_replaced() -> None:
    assert well_formed("a\ud800b") == "a\ufffdb"
    assert well_formed("\ud83e\udd8a") == "🦊"
    assert well_formed("ok\0") == "ok\0"
