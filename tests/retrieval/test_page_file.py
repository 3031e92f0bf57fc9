"""Pages on disk: built whole or not at all, shared by threads, processes and copies."""

from __future__ import annotations

import copy
import os
import pickle
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval import Page, PageStore
from react_envs.retrieval.corpus import pages_of, read_corpus
from react_envs.retrieval.page_file import PageFile, build_page_file

PAGES = [Page(f"Title {i}", f"text {i}") for i in range(50)]


def test_a_file_answers_as_the_store_in_memory_does(data: Path, tmp_path: Path) -> None:
    passages = list(read_corpus(data / "musique" / "with_context_100_corpus.json"))
    titles = {passage.title for passage in passages}
    file = build_page_file(pages_of(passages), tmp_path / "pages")
    assert len(file) == len(titles)
    whole: dict[str, str] = {}
    for passage in passages:
        whole[passage.title] = f"{whole.get(passage.title, '')} {passage.text}".strip()
    store = PageStore([Page(title, text) for title, text in whole.items()])
    for title in sorted(titles)[::10]:
        asked = title.lower().replace("e", "", 1)
        assert file.page(title.upper()) == store.page(title.upper())
        assert file.similar(asked) == store.similar(asked)


def test_a_build_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[Page]:
        yield PAGES[0]
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        build_page_file(broken(), tmp_path / "pages")
    assert not (tmp_path / "pages").exists()
    with pytest.raises(ArgumentError, match="no page file"):
        PageFile(tmp_path / "pages.building")
    assert len(build_page_file(PAGES, tmp_path / "pages")) == 50
    assert [file.name for file in tmp_path.iterdir()] == ["pages"]


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "pages").write_text("mine")
    with pytest.raises(ArgumentError, match="exists"):
        build_page_file(PAGES, tmp_path / "pages")


@pytest.mark.parametrize("content", [None, b"", b"text", b"x" * 5000])
def test_what_is_no_page_file_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "pages").write_bytes(content)
    with pytest.raises(ArgumentError, match="page file"):
        PageFile(tmp_path / "pages")


def test_a_redirect_to_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="to lead to a page"):
        build_page_file(PAGES, tmp_path / "pages", {"A": "B"})


def test_a_file_that_went_bad_is_a_failure_of_the_world(tmp_path: Path) -> None:
    path = build_page_file(PAGES, tmp_path / "pages").path
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    file = PageFile(path)
    for ask in (lambda: file.page("Title 1"), lambda: file.similar("Title")):
        with pytest.raises(ToolFailure) as caught:
            ask()
        assert caught.value.kind == "pages"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE pages SET title = NULL",
        "UPDATE pages SET text = CAST(text AS BLOB)",
        "UPDATE names SET page = 1000",
        "UPDATE names SET id = id + 1000",
        "UPDATE features SET ids = CAST('abc' AS BLOB)",
        "UPDATE features SET ids = 'abcd'",
        "UPDATE features SET ids = x'ffffffff'",
        "UPDATE features SET ids = NULL",
        "UPDATE facts SET value = x'00' WHERE name = 'trigram_counts'",
        "UPDATE facts SET value = 5 WHERE name = 'trigram_counts'",
        "DELETE FROM facts",
        "DROP TABLE features",
    ],
)
def test_damaged_rows_are_a_failure_of_the_world_and_found_by_check(
    tmp_path: Path, damage: str
) -> None:
    path = build_page_file(PAGES, tmp_path / "pages").path
    PageFile(path).check()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(damage)
    file = PageFile(path)
    kinds = []
    for ask in (lambda: file.page("Title 1"), lambda: file.similar("Title"), lambda: len(file)):
        try:
            ask()
        except ToolFailure as error:
            kinds.append(error.kind)
    with pytest.raises(ArgumentError, match=r"not as it was built|built without a hash"):
        file.check()
    assert set(kinds) == {"pages"}


@pytest.mark.parametrize("text", [b"text 7", b"Title 7", b"titl"])
def test_one_changed_letter_is_found_by_check(tmp_path: Path, text: bytes) -> None:
    path = build_page_file(PAGES, tmp_path / "pages").path
    content = path.read_bytes()
    assert text in content
    path.write_bytes(content.replace(text, text[:-1] + b"#", 1))
    with pytest.raises(ArgumentError, match="not as it was built"):
        PageFile(path).check()


def test_threads_copies_pickles_and_children_read_the_same(tmp_path: Path) -> None:
    file = build_page_file(PAGES, tmp_path / "pages")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: file.page(f"title {i % 50}"), range(400)))
    assert found == PAGES * 8
    assert copy.deepcopy(file) is file
    assert pickle.loads(pickle.dumps(file)).page("title 3") == PAGES[3]
    pid = os.fork()
    if pid == 0:
        os._exit(0 if file.page("title 3") == PAGES[3] and file.similar("titel 3") else 1)
    assert os.waitpid(pid, 0)[1] == 0
    file.close()
    assert file.page("title 3") == PAGES[3]


def test_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    file = build_page_file([Page("A\ud800", "\ud800 text")], tmp_path / "pages")
    assert file.page("a\ud800") == Page("A\ufffd", "\ufffd text")
    assert file.similar("\ud800") == []
