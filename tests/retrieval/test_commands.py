"""`react-envs index` and the wrong uses of `react-envs serve-retrieval`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from react_envs.cli import main
from react_envs.retrieval.page_file import PageFile


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    rows = [{"id": f"{i}", "contents": f'"Title {i // 2}"\npassage {i}'} for i in range(20)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_an_index_is_built_checked_and_searched(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = str(tmp_path / "index")
    assert main(["index", "build", str(corpus), index]) == 0
    assert "20 passages" in capsys.readouterr().out
    assert main(["index", "build", str(corpus), index, "--resume"]) == 0
    assert main(["index", "check", index]) == 0
    assert "every byte that is searched is as it was built" in capsys.readouterr().out
    assert main(["index", "search", index, "passage 7", "zebra", "-k", "2"]) == 0
    printed = capsys.readouterr().out
    assert "passage 7: 2 hits" in printed
    assert "[7] Title 3: passage 7" in printed
    assert "zebra: 0 hits" in printed


def test_a_damaged_index_is_status_2(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = tmp_path / "index"
    assert main(["index", "build", str(corpus), str(index)]) == 0
    frames = index / "texts" / "frames"
    content = bytearray(frames.read_bytes())
    content[3] ^= 255
    frames.write_bytes(content)
    assert main(["index", "check", str(index)]) == 2
    assert "not as it was built" in capsys.readouterr().err


def test_passages_become_a_page_file(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pages"
    assert main(["index", "pages", str(corpus), str(file)]) == 0
    assert "10 pages" in capsys.readouterr().out
    page = PageFile(file).page("title 3")
    assert page is not None
    assert page.text == "passage 6 passage 7"
    assert main(["index", "check", str(file)]) == 0
    assert "10 pages, every row is as it was built" in capsys.readouterr().out
    file.write_bytes(file.read_bytes().replace(b"passage 6", b"passage x"))
    assert main(["index", "check", str(file)]) == 2
    assert "not as it was built" in capsys.readouterr().err


def test_a_corpus_that_cannot_be_read_is_one_line_and_leaves_nothing(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zipped = tmp_path / "corpus.jsonl.gz"
    whole = gzip.compress(corpus.read_bytes())
    for content in (whole[:-10], whole[:20] + b"\xff" * 40 + whole[60:], b"no gzip"):
        zipped.write_bytes(content)
        for command in ("build", "pages"):
            assert main(["index", command, str(zipped), str(tmp_path / command)]) == 2
            message = capsys.readouterr().err
            assert "no whole gzip file" in message
            assert "Traceback" not in message
    zipped.write_bytes(b"")
    corpus.write_text("no json")
    assert main(["index", "build", str(corpus), str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none_is_refused(
    corpus: Path, port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = json.dumps({"source": "memory", "corpus": str(corpus)})
    assert main(["serve-retrieval", "--source", source, "--port", port]) == 2
    assert "expected port to be 0..65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["index", "build", "/no/such.jsonl", "x"], "FileNotFoundError"),
        (["index", "check", "/no/such"], "no index"),
        (["index", "search", "/no/such", "a"], "no index"),
        (["serve-retrieval"], "either INDEX or --source"),
        (["serve-retrieval", "x", "--source", "{}"], "either INDEX or --source"),
        (["serve-retrieval", "/no/such"], "no index"),
        (["serve-retrieval", "--source", "{"], "expected a JSON object"),
        (["serve-retrieval", "--source", '{"source": "bm52"}'], "one of bm25"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert told in message
    assert "Traceback" not in message
