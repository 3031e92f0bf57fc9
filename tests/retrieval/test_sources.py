"""Sources by keyword: made once for a process, and refused with what would have been right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from react_envs.errors import ArgumentError
from react_envs.retrieval import (
    Document,
    Page,
    PageStore,
    PassageStore,
    make_pages,
    make_retriever,
)
from react_envs.retrieval.corpus import pages_of, read_corpus
from react_envs.retrieval.index_build import build_index
from react_envs.retrieval.page_file import build_page_file
from react_envs.retrieval.sources import PAGE_SOURCES


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = [{"title": "Fox", "text": "A fox"}, {"title": "Fox", "text": "is red."}]
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_every_local_source_is_made_by_keyword(corpus: Path, tmp_path: Path) -> None:
    index = build_index([Document("0", "Fox", "A fox")], tmp_path / "index")
    file = build_page_file([Page("Fox", "A fox")], tmp_path / "pages")
    for source in (
        {"source": "bm25", "index": str(index.path)},
        {"source": "memory", "corpus": str(corpus)},
    ):
        assert make_retriever(source).search(["foxes"], 1)[0][0].document.title == "Fox"
    for source in (
        {"source": "file", "file": str(file.path)},
        {"source": "memory", "corpus": str(corpus)},
    ):
        page = make_pages(source).page("fox")
        assert page is not None
        assert page.text.startswith("A fox")


def test_a_source_is_made_once_for_a_process(corpus: Path) -> None:
    source = {"source": "memory", "corpus": str(corpus)}
    assert make_retriever(source) is make_retriever(dict(reversed(source.items())))
    assert make_pages(source) is make_pages(source)
    assert make_pages(source) is not make_retriever(source)
    shared = make_pages(source)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if make_pages(source) is not shared else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_title_that_comes_back_later_is_one_page_in_memory_and_on_disk(tmp_path: Path) -> None:
    texts = [("Publix", "A shop."), ("Fox", "may refer to:"), ("publix", "It sells."), ("Fox", "b")]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps({"title": a, "text": b}) for a, b in texts))
    memory = make_pages({"source": "memory", "corpus": str(corpus)})
    assert memory.page("Publix") == Page("Publix", "A shop. It sells.")
    assert memory.page("fox") == Page("Fox", "may refer to: b", disambiguation=True)
    file = build_page_file(pages_of(read_corpus(corpus)), tmp_path / "pages")
    assert [file.page(title) for title, _ in texts] == [memory.page(title) for title, _ in texts]


def test_a_slow_source_holds_up_neither_others_nor_a_forked_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(name: str) -> Any:
        if name == "slow":
            begun.set()
            go_on.wait(20)
        return PageStore([Page(name, "")])

    monkeypatch.setitem(PAGE_SOURCES, "slow", slow)
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(make_pages, {"source": "slow", "name": "slow"})
        assert begun.wait(10)
        pid = os.fork()
        if pid == 0:
            signal.alarm(5)  # ends a child that waits
            go_on.set()
            os._exit(0 if make_pages({"source": "slow", "name": "slow"}).page("slow") else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert make_pages({"source": "slow", "name": "quick"}).page("quick")
        assert not making.done()
        go_on.set()
        assert making.result(10) is make_pages({"source": "slow", "name": "slow"})


def test_an_object_is_its_own_source() -> None:
    store, pages = PassageStore([]), PageStore([])
    assert make_retriever(store) is store
    assert make_pages(pages) is pages


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"source": "bm52", "index": "x"}, "one of bm25, http"),
        ({"index": "x"}, "expected a source"),
        ("bm25", "expected a source"),
        (None, "expected a source"),
        ({"source": "bm25"}, "index"),
        ({"source": "bm25", "index": "x", "k": 3}, "unexpected keyword argument 'k'"),
        ({"source": "bm25", "index": {1, 2}}, "JSON values"),
        ({"source": "bm25", "index": "/no/such"}, "no index"),
    ],
)
def test_a_wrong_source_is_the_callers_mistake(source: Any, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        make_retriever(source)


def test_importing_the_package_brings_no_engine() -> None:
    program = (
        "import sys, react_envs.retrieval as r; r.make_retriever\n"
        "heavy = {'tantivy', 'requests', 'sqlite3', 'asyncio', 'opensearchpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert printed.strip() == "[]"
