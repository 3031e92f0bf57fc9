"""The texts of an index: verbatim, in any order, cut and gone on with, damaged and found out."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from react_envs.errors import MissingExtraError
from react_envs.retrieval import Document
from react_envs.retrieval.text_file import (
    DICTIONARY,
    ENDS,
    FRAMES,
    SAMPLES,
    TextFile,
    TextFileWriter,
)

PASSAGES = [
    Document(f"{i}", f"Title {i}", f"The passage number {i} has {i**5} of them. " * (1 + i % 5))
    for i in range(SAMPLES + 500)
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def write(folder: Path, passages: list[Document], done: int = 0, flush_every: int = 10**9) -> None:
    with closing(TextFileWriter(folder, done)) as writer:
        for count, passage in enumerate(passages, start=1):
            writer.add(passage)
            if count % flush_every == 0:
                writer.flush()
        writer.flush()


@given(
    st.lists(st.builds(Document, TEXT, TEXT, TEXT), min_size=1, max_size=20),
    st.integers(1, 20),
)
@settings(max_examples=50, deadline=None)
def test_passages_come_back_verbatim(passages: list[Document], flush_every: int) -> None:
    with TemporaryDirectory() as folder:
        write(Path(folder) / "texts", passages, flush_every=flush_every)
        file = TextFile(Path(folder) / "texts")
        places = list(range(len(passages)))[::-1]
        assert file.read(places) == passages[::-1]


def test_what_looks_like_lengths_is_text(tmp_path: Path) -> None:
    passages = [Document("1 2\n", "\n3 4", "5 6\n7\0"), Document("", "", "")]
    write(tmp_path, passages)
    assert TextFile(tmp_path).read([1, 0]) == passages[::-1]


def test_many_passages_share_a_dictionary(tmp_path: Path) -> None:
    write(tmp_path, PASSAGES)
    file = TextFile(tmp_path)
    assert file.read(range(len(PASSAGES))) == PASSAGES
    assert (tmp_path / DICTIONARY).stat().st_size > 0
    size = sum(len(f"{p.id}{p.title}{p.text}") for p in PASSAGES)
    assert (tmp_path / FRAMES).stat().st_size < size / 2


def test_a_writer_waits_for_no_more_than_its_samples(tmp_path: Path) -> None:
    """However many passages there are, those held in memory are bounded."""
    with closing(TextFileWriter(tmp_path)) as writer:
        for passage in PASSAGES[:SAMPLES]:
            writer.add(passage)
        assert (tmp_path / DICTIONARY).exists()
        assert writer._waiting == []
    with closing(TextFileWriter(tmp_path)) as writer:
        for i in range(3):
            writer.add(Document(f"{i}", "", "x" * 2**22))
        assert writer._waiting == []


@pytest.mark.parametrize("written", [500, 700, 900])
def test_a_writer_goes_on_where_an_earlier_one_was(tmp_path: Path, written: int) -> None:
    write(tmp_path / "broken", PASSAGES[:written], flush_every=500)
    write(tmp_path / "broken", PASSAGES[500:1200], done=500)
    assert TextFile(tmp_path / "broken").read(range(1200)) == PASSAGES[:1200]
    write(tmp_path / "whole", PASSAGES[:1200], flush_every=500)
    for file in (tmp_path / "whole").iterdir():
        assert (tmp_path / "broken" / file.name).read_bytes() == file.read_bytes()


def test_a_writer_begins_anew_without_a_trace(tmp_path: Path) -> None:
    write(tmp_path / "again", PASSAGES[::-1])
    write(tmp_path / "again", PASSAGES[:100])
    write(tmp_path / "once", PASSAGES[:100])
    for file in (tmp_path / "once").iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_passages_that_were_lost_are_not_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path, PASSAGES[:100])
    with pytest.raises(ValueError, match="has no 101 passages"):
        TextFileWriter(tmp_path, 101)
    os.truncate(tmp_path / FRAMES, 1000)
    with pytest.raises(ValueError, match="has no 100 passages"):
        TextFileWriter(tmp_path, 100)


@pytest.mark.parametrize("name", [FRAMES, ENDS, DICTIONARY])
@pytest.mark.parametrize("damage", ["zeros", "ones", "shifted", "cut"])
def test_damage_is_never_another_text(tmp_path: Path, name: str, damage: str) -> None:
    import zstandard

    write(tmp_path, PASSAGES)
    content = (tmp_path / name).read_bytes()
    changed = {
        "zeros": bytes(len(content)),
        "ones": b"\xff" * len(content),
        "shifted": content[3:] + content[:3],
        "cut": b"",
    }
    (tmp_path / name).write_bytes(changed[damage])
    file = TextFile(tmp_path)
    wrong = 0
    for i in range(0, len(PASSAGES), 100):
        try:
            assert file.read([i]) == [PASSAGES[i]]
        except (OSError, ValueError, OverflowError, MemoryError, zstandard.ZstdError):
            wrong += 1
    assert wrong > 0


def test_no_changed_byte_gives_another_text(tmp_path: Path) -> None:
    import zstandard

    passage = Document("7", "Noise", "q9Zx!fK2wP7vJ4tR8sL1mN6bH3cG5dY0 aEiOu")
    write(tmp_path, [passage])
    content = (tmp_path / FRAMES).read_bytes()
    file = TextFile(tmp_path)
    for place in range(len(content)):
        changed = bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])
        (tmp_path / FRAMES).write_bytes(changed)
        try:
            assert file.read([0]) == [passage], place
        except (ValueError, MemoryError, zstandard.ZstdError):
            continue


def test_threads_and_forked_children_read_at_once(tmp_path: Path) -> None:
    write(tmp_path, PASSAGES)
    file = TextFile(tmp_path)

    def read_all(start: int) -> bool:
        return all(
            file.read([i]) == [PASSAGES[i]]
            for place in range(len(PASSAGES))
            for i in [(start + place) % len(PASSAGES)]
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read_all, range(0, 4000, 1000)))
    child = os.fork()
    if child == 0:
        os._exit(0 if read_all(7) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert read_all(3)


def test_texts_are_not_mapped_and_files_are_closed(tmp_path: Path) -> None:
    write(tmp_path, PASSAGES)
    file = TextFile(tmp_path)
    file.read(range(len(PASSAGES)))
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()

    def opened() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum(str(tmp_path) in os.readlink(link) for link in links if link.is_symlink())

    assert opened() == 2
    del file
    assert opened() == 0


def test_without_zstandard_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"react-envs\[search\]"):
        TextFileWriter(tmp_path)
    with pytest.raises(MissingExtraError, match=r"react-envs\[search\]"):
        TextFile(tmp_path)
