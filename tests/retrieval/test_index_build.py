"""Building an index: killed and gone on with, refused, damaged and found out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval import Document
from react_envs.retrieval.bm25 import MANIFEST, BM25Index, IndexDamagedError
from react_envs.retrieval.index_build import JOURNAL, build_index, check_index

PASSAGES = [Document(f"{i}", f"Title {i}", f"word{i % 7} common text {i}") for i in range(2000)]


class Stop(Exception):
    pass


def break_off(path: Path, after: int) -> None:
    def first() -> object:
        for i, passage in enumerate(PASSAGES):
            if i == after:
                raise Stop
            yield passage

    with pytest.raises(Stop):
        build_index(first(), path, commit_every=500)  # type: ignore[arg-type]


@pytest.mark.parametrize("after", [1, 300, 500, 1700])
def test_a_build_that_broke_off_goes_on(tmp_path: Path, after: int) -> None:
    whole = build_index(PASSAGES, tmp_path / "whole", commit_every=500)
    break_off(tmp_path / "broken", after)
    with pytest.raises(IndexDamagedError, match="half-built"):
        BM25Index(tmp_path / "broken")
    seen: list[int] = []
    again = build_index(
        PASSAGES, tmp_path / "broken", resume=True, commit_every=500, on_document=seen.append
    )
    assert seen == [1000, 2000]
    assert again.manifest["fingerprint"] == whole.manifest["fingerprint"]
    assert len(again) == len(whole) == check_index(again.path)["documents"] == 2000
    queries = ["word3", "common 1999", "title 12"]
    assert again.search(queries, 20) == whole.search(queries, 20)
    assert not (again.path / JOURNAL).exists()


def test_a_killed_build_goes_on(tmp_path: Path) -> None:
    program = """
import sys, time
from react_envs.retrieval import Document
from react_envs.retrieval.index_build import build_index

def slowly():
    for i in range(2000):
        if i == 1200:
            print("now", flush=True)
            time.sleep(60)
        yield Document(f"{i}", f"Title {i}", f"word{i % 7} common text {i}")

build_index(slowly(), sys.argv[1], commit_every=500)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "index")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)
    index = build_index(PASSAGES, tmp_path / "index", resume=True, commit_every=500)
    assert check_index(index.path)["documents"] == 2000
    found = [hit.document.id for hit in index.search(["common"], 2000)[0]]
    assert sorted(found, key=int) == [passage.id for passage in PASSAGES]


def test_a_corpus_that_cannot_be_read_leaves_no_folder(tmp_path: Path) -> None:
    break_off(tmp_path / "index", 0)
    assert not (tmp_path / "index").exists()
    assert len(build_index(PASSAGES, tmp_path / "index")) == 2000


def test_resuming_a_complete_index_opens_it(tmp_path: Path) -> None:
    build_index(PASSAGES, tmp_path / "index")
    assert len(build_index(PASSAGES, tmp_path / "index", resume=True)) == 2000
    for other in ([], PASSAGES[:-1], [*PASSAGES, PASSAGES[0]], PASSAGES[::-1]):
        with pytest.raises(ArgumentError, match="of another corpus"):
            build_index(other, tmp_path / "index", resume=True)


def test_a_folder_with_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ArgumentError, match="not empty"):
        build_index(PASSAGES, tmp_path)


def test_another_corpus_cannot_go_on(tmp_path: Path) -> None:
    break_off(tmp_path / "index", 700)
    changed = [Document("x", "", "changed"), *PASSAGES[1:]]
    with pytest.raises(ArgumentError, match="not those that"):
        build_index(changed, tmp_path / "index", resume=True)
    with pytest.raises(ArgumentError, match="the corpus only 3"):
        build_index(PASSAGES[:3], tmp_path / "index", resume=True)


def test_a_lost_journal_is_told(tmp_path: Path) -> None:
    break_off(tmp_path / "index", 700)
    (tmp_path / "index" / JOURNAL).unlink()
    with pytest.raises(IndexDamagedError, match="remove"):
        build_index(PASSAGES, tmp_path / "index", resume=True)


def test_two_builders_do_not_share_a_folder(tmp_path: Path) -> None:
    program = """
import sys, time
from react_envs.retrieval import Document
from react_envs.retrieval.index_build import build_index

def hang():
    yield Document("0", "", "first")
    print("now", flush=True)
    time.sleep(60)

build_index(hang(), sys.argv[1])
"""
    command = [sys.executable, "-c", program, str(tmp_path / "index")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            with pytest.raises(ArgumentError, match="another process is building"):
                build_index(PASSAGES, tmp_path / "index", resume=True)
        finally:
            process.kill()
    assert len(build_index(PASSAGES, tmp_path / "index", resume=True)) == 2000


def test_more_passages_than_positions_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("react_envs.retrieval.index_build.MOST_PASSAGES", 2000)
    assert len(build_index(PASSAGES, tmp_path / "most")) == 2000
    monkeypatch.setattr("react_envs.retrieval.index_build.MOST_PASSAGES", 1999)
    with pytest.raises(ArgumentError, match="at most 1999 passages"):
        build_index(PASSAGES, tmp_path / "more")


def file_of(path: Path, ending: str) -> Path:
    """The engine's file of that ending, or the file of texts of that name."""
    texts = path / "texts" / ending
    return texts if texts.exists() else next((path / "tantivy").glob(f"*.{ending}"))


@pytest.mark.parametrize(
    "ending", ["idx", "term", "fast", "fieldnorm", "frames", "ends", "dictionary"]
)
def test_one_changed_byte_is_found(tmp_path: Path, ending: str) -> None:
    path = build_index(PASSAGES, tmp_path / "index").path
    file = file_of(path, ending)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(IndexDamagedError, match="not as it was built"):
        check_index(path)


@pytest.mark.parametrize(
    "ending", ["idx", "pos", "term", "fast", "fieldnorm", "frames", "ends", "dictionary"]
)
def test_damage_of_unchanged_size_is_no_panic(tmp_path: Path, ending: str) -> None:
    path = build_index(PASSAGES, tmp_path / "index").path
    file = file_of(path, ending)
    size = file.stat().st_size
    for content in (b"\xff" * size, b"\0" * size):
        file.write_bytes(content)
        try:
            BM25Index(path).search(["word3", "common"], 3)
        except (IndexDamagedError, ToolFailure):
            continue
        assert ending not in ("pos", "idx", "term")  # nothing is found in those


def test_a_panic_of_the_engine_on_opening_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build_index(PASSAGES[:5], tmp_path / "index").path
    panic = type("PanicException", (BaseException,), {})

    class Engine:
        class Index:
            @staticmethod
            def open(folder: str) -> None:
                raise panic("out of bounds")

    monkeypatch.setattr("react_envs.retrieval.bm25.import_tantivy", lambda: Engine)
    with pytest.raises(IndexDamagedError, match="out of bounds"):
        BM25Index(path)


def test_files_of_another_size_or_none_are_not_opened(tmp_path: Path) -> None:
    path = build_index(PASSAGES, tmp_path / "index").path
    file = file_of(path, "idx")
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(IndexDamagedError, match=r"expected .* bytes, got"):
        BM25Index(path)
    file.unlink()
    with pytest.raises(IndexDamagedError, match="no file"):
        BM25Index(path)
    file.write_bytes(content)
    assert check_index(path)


@pytest.mark.parametrize("manifest", ["", "[]", '{"documents": 1}', "{"])
def test_a_damaged_manifest_is_told(tmp_path: Path, manifest: str) -> None:
    path = build_index(PASSAGES, tmp_path / "index").path
    (path / MANIFEST).write_text(manifest)
    with pytest.raises(IndexDamagedError, match="cannot be read"):
        BM25Index(path)


def test_an_index_of_another_analyzer_is_refused(tmp_path: Path) -> None:
    path = build_index(PASSAGES, tmp_path / "index").path
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps({**manifest, "analyzer": "english-0"}))
    with pytest.raises(IndexDamagedError, match="english-0"):
        BM25Index(path)


@pytest.mark.parametrize("make", ["nothing", "file", "empty"])
def test_what_is_no_index_is_told(tmp_path: Path, make: str) -> None:
    path = tmp_path / "index"
    if make == "file":
        path.write_text("x")
    elif make == "empty":
        path.mkdir()
    with pytest.raises(IndexDamagedError, match=r"no index|cannot be read"):
        BM25Index(path)


def test_an_empty_corpus_is_an_index_without_hits(tmp_path: Path) -> None:
    index = build_index([], tmp_path / "index")
    assert len(index) == 0
    assert index.search(["a", "word"], 3) == [[], []]


def test_lone_surrogates_in_a_corpus_are_replaced(tmp_path: Path) -> None:
    index = build_index([Document("\ud800", "t\ud800", "x fox\udfff")], tmp_path / "index")
    assert index.search(["fox"], 1)[0][0].document == Document("\ufffd", "t\ufffd", "x fox\ufffd")


FULL_DISK = """
import resource, sys
from react_envs.retrieval import Document, Page
from react_envs.retrieval.index_build import build_index
from react_envs.retrieval.page_file import build_page_file

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
rows = [(f"T {i}", " ".join(f"w{i * j % 99991}" for j in range(40))) for i in range(10_000)]
try:
    if sys.argv[2] == "index":
        passages = (Document(title, title, text) for title, text in rows)
        build_index(passages, sys.argv[1], commit_every=int(sys.argv[3]))
    else:
        build_page_file((Page(title, text) for title, text in rows), sys.argv[1])
except OSError as error:
    print("OSError", error)
"""


@pytest.mark.parametrize(
    ("what", "commit_every"),
    [
        pytest.param("index", 3000, id="index-at-a-commit"),
        pytest.param("index", 400, id="index-at-a-passage"),
        pytest.param("pages", 0, id="pages"),
    ],
)
def test_a_full_disk_is_an_error_of_the_world(tmp_path: Path, what: str, commit_every: int) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "out"), what, str(commit_every)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("OSError"), done.stderr
    assert "could not be written" in done.stdout
