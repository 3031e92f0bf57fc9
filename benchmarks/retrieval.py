"""What BM25 costs: this project's index and server beside bm25s and pyserini, in one run.

    python benchmarks/retrieval.py [--sizes 100000 1000000] [--folder DIR]
                                   [--peers-python PATH] [--output FILE]

`--peers-python` is a Python that has the peers (benchmarks/retrieval_peers.py says which); without
it they are left out. Corpora and indexes stay in DIR and are used again; build times are measured
when they are built. Memory is anonymous memory, what a process has for itself; the indexes are
mapped files, in the page cache once for all processes. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import tantivy
from zipf_corpus import Zipf, queries, write

from react_envs.retrieval.bm25 import ANALYZER, BM25Index, analyzer
from react_envs.retrieval.corpus import read_corpus
from react_envs.retrieval.index_build import build_index

HERE = Path(__file__).parent
QUERIES = 2000
K = 5
Figures = dict[str, float]


def smaps_mb(pid: int, field: str) -> float:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(f"{field}:")) / 1024


def disk_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def percentiles(call: Callable[[str], object], asked: list[str]) -> tuple[float, float]:
    """p50 and p99 in ms."""
    for query in asked[:100]:
        call(query)
    times = []
    for query in asked:
        before = time.perf_counter()
        call(query)
        times.append(1000 * (time.perf_counter() - before))
    times.sort()
    return times[len(times) // 2], times[int(0.99 * len(times))]


# --- engines, each measured in a process of its own ---


def build_ours(corpus: Path, index: Path) -> Figures:
    started = time.perf_counter()
    build_index(read_corpus(corpus), index).close()
    return {"build_s": time.perf_counter() - started}


def build_bare(corpus: Path, folder: Path) -> Figures:
    """The engine as its documentation uses it: it keeps the texts, too."""
    folder.mkdir(parents=True)
    started = time.perf_counter()
    fields = tantivy.SchemaBuilder().add_bytes_field("id", stored=True, indexed=False)
    fields.add_text_field("contents", stored=True, tokenizer_name=ANALYZER, index_option="freq")
    index = tantivy.Index(fields.build(), str(folder))
    index.register_tokenizer(ANALYZER, analyzer())
    writer = index.writer(256 * 2**20, 2)
    for document in read_corpus(corpus):
        entry = tantivy.Document()
        entry.add_bytes("id", document.id.encode())
        entry.add_text("contents", document.title)
        entry.add_text("contents", document.text)
        writer.add_document(entry)
    writer.commit()
    writer.wait_merging_threads()
    return {"build_s": time.perf_counter() - started}


def measure_ours(index: Path, kinds: dict[str, list[str]]) -> Figures:
    started = time.perf_counter()
    ours = BM25Index(index)
    opened = time.perf_counter()
    ours.search(kinds["agent"][:1], K)
    figures = {"open_s": opened - started, "first_query_s": time.perf_counter() - opened}
    bare = bare_tantivy(index.parent / "bare")
    for kind, asked in kinds.items():
        # in turn, so that both meet the same machine
        pairs = []
        for _ in range(3):
            pairs.append(
                (
                    percentiles(lambda query: ours.search([query], K), asked),
                    percentiles(bare, asked),
                )
            )
        pairs.sort(key=lambda pair: pair[0][0] / pair[1][0])
        (p50, p99), (bare_p50, bare_p99) = pairs[1]
        figures |= {f"{kind}_p50_ms": p50, f"{kind}_p99_ms": p99}
        figures |= {f"bare_{kind}_p50_ms": bare_p50, f"bare_{kind}_p99_ms": bare_p99}
    asked = kinds["agent"]
    before = time.perf_counter()
    for start in range(0, len(asked) - 63, 64):
        ours.search(asked[start : start + 64], K)
    figures["batch_per_s"] = len(asked) // 64 * 64 / (time.perf_counter() - before)
    return figures


def own_memory(index: Path, kinds: dict[str, list[str]]) -> Figures:
    """Of a process that does nothing but search."""
    empty = smaps_mb(os.getpid(), "Anonymous")
    ours = BM25Index(index)
    for asked in kinds.values():
        ours.search(asked[:500], K)
    total = smaps_mb(os.getpid(), "Anonymous")
    return {"anonymous_mb": total, "anonymous_added_mb": total - empty}


def bare_tantivy(index: Path) -> Callable[[str], list[Any]]:
    """The engine as its documentation uses it: parsed query, stored fields of the hits."""
    opened = tantivy.Index.open(str(index))
    opened.register_tokenizer(ANALYZER, analyzer())
    opened.reload()
    searcher = opened.searcher()

    def search(query: str) -> list[Any]:
        parsed = opened.parse_query(query, ["contents"])
        hits = searcher.search(parsed, K, count=False).hits
        return [(score, searcher.doc(place).to_dict()) for score, place in hits]

    return search


PARTS: dict[str, Callable[..., Figures]] = {
    "measure_ours": measure_ours,
    "own_memory": own_memory,
}


def in_process(part: str, index: Path, asked: Path) -> Figures:
    command = [sys.executable, __file__, "--part", part, str(index), str(asked)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout.strip().split("\n")[-1])
    return figures


def peer(python: str, what: str, engine: str, **options: object) -> Figures:
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [python, str(HERE / "retrieval_peers.py"), what, engine, *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{engine} {what} failed: {done.stderr[-1500:]}", file=sys.stderr)
        return {}
    figures: Figures = json.loads(done.stdout.strip().split("\n")[-1])
    return figures


# --- servers ---


class Client:
    """One kept-alive connection that sends prepared requests."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def ask(self, body: bytes) -> bytes:
        head = "POST /retrieve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        self.socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        headers, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        assert headers.startswith(b"HTTP/1.1 200"), headers
        length = int(headers.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(self.buffer) < length:
            self._read()
        answer, self.buffer = self.buffer[:length], self.buffer[length:]
        return answer

    def _read(self) -> None:
        chunk = self.socket.recv(1 << 20)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self.buffer += chunk


def requests_of(asked: list[str], batch: int) -> list[bytes]:
    return [
        json.dumps({"queries": asked[i : i + batch], "topk": K, "return_scores": True}).encode()
        for i in range(0, len(asked) - batch + 1, batch)
    ]


def load(port: int, clients: int, bodies: list[bytes], batch: int, seconds: float) -> float:
    """Queries a second that `clients` connections get answered; RuntimeError if one is not."""
    answered = [0] * clients
    errors: list[Exception] = []
    stop = time.perf_counter() + seconds

    def run(number: int) -> None:
        try:
            client = Client(port)
            place = number * 37
            while time.perf_counter() < stop:
                client.ask(bodies[place % len(bodies)])
                place += 1
                answered[number] += batch
        except (OSError, AssertionError) as error:
            errors.append(error)

    started = time.perf_counter()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise RuntimeError(f"{len(errors)} clients were not answered, the first: {errors[0]}")
    return sum(answered) / (time.perf_counter() - started)


@contextmanager
def serving(command: list[str], body: bytes) -> Iterator[tuple[int, int, float]]:
    """A server process: its port, process id and seconds until its first answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    started = time.perf_counter()
    server = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                Client(port).ask(body)
                break
            except OSError:
                if server.poll() is not None or time.perf_counter() - started > 180:
                    raise RuntimeError(f"{command} did not start") from None
                time.sleep(0.01)
        yield port, server.pid, time.perf_counter() - started
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def measure_servers(
    commands: dict[str, list[str]], asked: list[str], seconds: float
) -> dict[str, Figures]:
    """Load on each server, in turn, so that all meet the same machine; medians of three rounds."""
    single, batches = requests_of(asked, 1), requests_of(asked, 64)
    loads = {"one_per_s": (1, single, 1), "eight_per_s": (8, single, 1)}
    loads["batch_per_s"] = (4, batches, 64)
    results: dict[str, Figures] = {}
    with ExitStack() as stack:
        servers = {}
        for name, command in commands.items():
            port, pid, ready_s = stack.enter_context(serving(command, single[0]))
            servers[name] = port, pid
            results[name] = {"ready_s": ready_s}
            load(port, 8, single, 1, seconds)  # warm
        for figure, (clients, bodies, batch) in loads.items():
            rounds = [
                {
                    name: load(port, clients, bodies, batch, seconds)
                    for name, (port, _) in servers.items()
                }
                for _ in range(3)
            ]
            for name in servers:
                results[name][figure] = sorted(found[name] for found in rounds)[1]
        for name, (_, pid) in servers.items():
            results[name] |= {
                "anonymous_mb": smaps_mb(pid, "Anonymous"),
                "rss_mb": smaps_mb(pid, "Rss"),
            }
    return results


# --- the run ---


def run(size: int, options: argparse.Namespace, zipf: Zipf) -> dict[str, Figures]:
    folder: Path = options.folder / str(size)
    folder.mkdir(parents=True, exist_ok=True)
    corpus, asked = folder / "corpus.jsonl", folder / "queries.json"
    write(size, corpus, zipf)
    kinds = {kind: queries(QUERIES, zipf, kind) for kind in ("agent", "long")}
    asked.write_text(json.dumps(kinds))
    known = folder / "builds.json"
    builds: dict[str, Figures] = json.loads(known.read_text()) if known.exists() else {}
    results: dict[str, Figures] = {"corpus": {"disk_mb": corpus.stat().st_size / 1e6}}

    builders = {"ours": build_ours, "bare": build_bare}

    def built(name: str) -> Path:
        index = folder / name
        if name not in builds or options.rebuild:
            shutil.rmtree(index, ignore_errors=True)
            log(f"{size}: build {name}")
            if name in builders:
                figures = builders[name](corpus, index)
            else:
                figures = peer(options.peers_python, "build", name, index=index, corpus=corpus)
            if figures:
                builds[name] = {**figures, "disk_mb": disk_mb(index)}
                known.write_text(json.dumps(builds))
        return index

    built("bare")
    ours = built("ours")
    log(f"{size}: measure ours")
    results["bare"] = builds["bare"]
    results["ours"] = {
        **builds["ours"],
        **in_process("measure_ours", ours, asked),
        **in_process("own_memory", ours, asked),
    }
    serve_ours = [sys.executable, "-m", "react_envs.cli", "serve-retrieval", str(ours)]
    servers = {"ours": serve_ours}
    for engine in ("bm25s", "pyserini") if options.peers_python else ():
        python = options.peers_python
        index = built(engine)
        if engine not in builds:
            continue
        log(f"{size}: measure {engine}")
        measured = peer(python, "measure", engine, index=index, queries=asked)
        results[engine] = {**builds[engine], **measured}
        script = [python, str(HERE / "retrieval_peers.py"), "serve", engine]
        servers[engine] = [*script, "--index", str(index)]
    log(f"{size}: serve {', '.join(servers)}")
    measured_servers = measure_servers(servers, kinds["agent"], options.seconds)
    results |= {f"server {name}": figures for name, figures in measured_servers.items()}
    return results


ENGINE_COLUMNS = {
    "build s": "build_s",
    "disk MB": "disk_mb",
    "open s": "open_s",
    "first query s": "first_query_s",
    "agent p50 ms": "agent_p50_ms",
    "agent p99 ms": "agent_p99_ms",
    "long p50 ms": "long_p50_ms",
    "long p99 ms": "long_p99_ms",
    "batches of 64, queries/s": "batch_per_s",
    "own memory MB": "anonymous_mb",
}
SERVER_COLUMNS = {
    "ready s": "ready_s",
    "1 client, queries/s": "one_per_s",
    "8 clients, queries/s": "eight_per_s",
    "4 clients, batches of 64, queries/s": "batch_per_s",
    "own memory MB": "anonymous_mb",
    "resident MB": "rss_mb",
}


def table(rows: dict[str, Figures], columns: dict[str, str]) -> str:
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, figures in rows.items():
        cells = [f"{figures[key]:.3g}" if key in figures else "-" for key in columns.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def report(size: int, results: dict[str, Figures]) -> str:
    ours = results["ours"]
    bare = {key[5:]: value for key, value in ours.items() if key.startswith("bare_")}
    engines = {"react-envs": ours, "bare tantivy": {**results["bare"], **bare}}
    engines |= {name: results[name] for name in ("bm25s", "pyserini") if name in results}
    servers = {
        name.removeprefix("server "): figures
        for name, figures in results.items()
        if name.startswith("server ")
    }
    text = [
        f"### {size:,} passages ({results['corpus']['disk_mb']:.0f} MB)",
        table(engines, ENGINE_COLUMNS),
        table(servers, SERVER_COLUMNS),
    ]
    rows = [
        ("p50 agent / bare tantivy", ours["agent_p50_ms"] / bare["agent_p50_ms"], "<= 1.2"),
        ("p50 long / bare tantivy", ours["long_p50_ms"] / bare["long_p50_ms"], "<= 1.2"),
        ("build s per 1M passages", ours["build_s"] * 1e6 / size, "<= 70"),
        ("disk MB per 1M passages", ours["disk_mb"] * 1e6 / size, "<= 600"),
        ("own memory of a process, MB", ours["anonymous_mb"], "<= 60"),
    ]
    if "pyserini" in servers:
        mine, theirs = servers["ours"], servers["pyserini"]
        for what, key, target in (
            ("1 client", "one_per_s", ">= 3"),
            ("8 clients", "eight_per_s", ">= 2"),
            ("batches of 64", "batch_per_s", ">= 1.5"),
            ("own memory", "anonymous_mb", "<= 0.2"),
            ("resident memory", "rss_mb", "<= 0.2"),
        ):
            rows.append((f"server / pyserini server: {what}", mine[key] / theirs[key], target))
    rows.append(("server ready, s", servers["ours"]["ready_s"], "< 1"))
    lines = ["| figure | value | target |", "|---|---|---|"]
    lines += [f"| {what} | {value:.3g} | {target} |" for what, value, target in rows]
    return "\n\n".join([*text, "\n".join(lines)])


def log(message: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "react-envs-retrieval"
    )
    parser.add_argument("--peers-python")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load on a server")
    parser.add_argument("--rebuild", action="store_true", help="build all indexes anew")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part, index, asked = options.part
        print(json.dumps(PARTS[part](Path(index), json.loads(Path(asked).read_text()))))
        return
    zipf = Zipf()
    results = {size: run(size, options, zipf) for size in options.sizes}
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    for size, figures in results.items():
        print(report(size, figures) + "\n")
    if options.output:
        options.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
