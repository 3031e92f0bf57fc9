"""`RetrievalServer`: any retriever behind the HTTP contract of Search-R1 and FlashRAG.

    POST /retrieve      {"queries": [...], "topk": 3, "return_scores": true}
                        {"result": [[{"document": {"id", "contents"}, "score"}]]}
    POST /search        {"query": "...", "top_n": 3, "return_score": false}
    POST /batch_search  {"query": [...], ...}
                        [{"id", "contents"}], a list for each query in a batch;
                        [documents, scores] with return_score
    GET  /health        {"status": "ok", ...}

`queries` and `query`, `topk`, `top_k` and `top_n`, `return_scores` and `return_score` mean the same
everywhere. Errors are `{"error": ...}` with a status that says whose they are: 4xx the client's,
503 the source's (it could not be asked) or too much load, with Retry-After.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections import deque
from collections.abc import Callable, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import react_envs
from react_envs.errors import ArgumentError, MissingExtraError, ToolFailure
from react_envs.retrieval.bm25 import BM25Index
from react_envs.retrieval.contract import Hit, Retriever
from react_envs.retrieval.http_protocol import HttpProtocol, Limits, Reply, Request
from react_envs.retrieval.passages import PassageStore

try:
    import orjson
except ImportError as error:
    raise MissingExtraError.for_extra("orjson", "search") from error

__all__ = ["Batcher", "RetrievalServer"]

DEFAULT_K = 3
MAX_K = 100
MAX_BATCH = 128
"""Queries of different requests that are searched in one call, and queries of one request."""
MAX_QUEUED = 1024
"""Queries that wait before more are refused."""
THREADS = 2
GRACE_S = 10.0
"""Seconds that requests have to end in when the server is told to stop."""

_ORIGIN = re.compile(r"^https?://[^/?]*", re.IGNORECASE)

Entry = tuple[list[str], int, "asyncio.Future[list[list[Hit]]]"]
"""Queries of a request, hits for each, and where the answer goes."""


class OverloadedError(Exception):
    """More queries wait than may."""


class Batcher:
    """Searches for many callers at once.

    While all threads are busy, queries gather; the next free thread takes them together, so a lone
    query never waits for company and a crowd is searched in batches.

    Args:
        retriever: the source.
        threads: searches at once.
    """

    def __init__(self, retriever: Retriever, threads: int = THREADS) -> None:
        self._retriever = retriever
        self._local = isinstance(retriever, BM25Index | PassageStore)
        self._threads = ThreadPoolExecutor(threads, "search")
        self._free = threads
        self._waiting: deque[Entry] = deque()
        self._queued = 0
        self._running: set[asyncio.Task[None]] = set()

    async def search(self, queries: list[str], k: int, alone: bool = False) -> list[list[Hit]]:
        """The hits of each query.

        Args:
            queries: any texts.
            k: hits for each.
            alone: True if nobody else uses the event loop. A single query to an index of this
                machine may then hold it up: it is answered sooner than a thread could be woken.

        Raises:
            OverloadedError: if too many queries wait already.
            ToolFailure: if the source could not be asked.
        """
        if alone and self._local and len(queries) == 1 and not self._running:
            return self._retriever.search(queries, k)
        if self._queued and self._queued + len(queries) > MAX_QUEUED:
            raise OverloadedError(f"{self._queued} queries wait already")
        answer: asyncio.Future[list[list[Hit]]] = asyncio.get_running_loop().create_future()
        self._waiting.append((queries, k, answer))
        self._queued += len(queries)
        self._start()
        return await answer

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        while self._free and self._waiting:
            _, k, _ = self._waiting[0]
            batch: list[Entry] = []
            size = 0
            # in one call only what asks for as many hits: a source may rank by that
            while self._waiting and self._waiting[0][1] == k:
                queries = self._waiting[0][0]
                if batch and size + len(queries) > MAX_BATCH:
                    break
                entry = self._waiting.popleft()
                self._queued -= len(queries)
                if not entry[2].done():  # else its client has gone
                    batch.append(entry)
                    size += len(queries)
            if batch:
                self._free -= 1
                task = asyncio.get_running_loop().create_task(self._run(batch, k))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _run(self, batch: list[Entry], k: int) -> None:
        try:
            await self._search(batch, k)
        finally:
            self._free += 1
            self._start()

    async def _search(self, batch: list[Entry], k: int) -> None:
        queries = [query for entry in batch for query in entry[0]]
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._retriever.search, queries, k)
            if len(found) != len(queries):
                raise ToolFailure(f"{len(found)} lists for {len(queries)} queries", "bad_response")
        except Exception as error:
            if len(batch) == 1 and not batch[0][2].done():
                batch[0][2].set_exception(error)
            # one by one: what one asked must not fail the others, who are strangers
            for entry in batch:
                if not entry[2].done():
                    await self._search([entry], k)
        else:
            start = 0
            for asked, _, answer in batch:
                if not answer.done():
                    answer.set_result(found[start : start + len(asked)])
                start += len(asked)


class RetrievalServer:
    """Serves a retriever on one address until it is told to stop.

    Args:
        retriever: the source; closed by its owner.
        host: address to listen on. Whoever reaches it may ask: there is no authentication.
        port: 0 for any free one.
        limits: what a client may ask of the server.

    Raises:
        ArgumentError: for a port that is none.
    """

    def __init__(
        self,
        retriever: Retriever,
        host: str = "127.0.0.1",
        port: int = 8000,
        limits: Limits | None = None,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ArgumentError(f"expected port to be 0..65535, got {port}")
        self._retriever = retriever
        self._host = host
        self._port = port
        self._limits = limits or Limits()
        self._connections: set[HttpProtocol] = set()
        self._batcher = Batcher(retriever)
        self._stopping = False

    async def serve(
        self, ready: Callable[[str], object] | None = None, signals: bool = True
    ) -> None:
        """Listen until SIGINT or SIGTERM, or until the task is cancelled; then stop gracefully.

        Nothing new is accepted then; requests that are being answered have 10 s to end. A second
        signal ends them at once.

        Args:
            ready: called with the address when the server listens.
            signals: False where the caller handles signals.
        """
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        if signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._on_signal, stop)

        def connection() -> HttpProtocol:
            return HttpProtocol(self._answer, _error, self._limits, self._connections)

        server = await loop.create_server(connection, self._host, self._port, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        try:
            if ready is not None:
                ready(f"http://{self._host}:{port}")
            await stop.wait()
        finally:
            self._stopping = True
            server.close()
            await self._end_connections()
            self._batcher.close()

    def _on_signal(self, stop: asyncio.Event) -> None:
        if stop.is_set():
            for connection in list(self._connections):
                connection.abort()
        stop.set()

    async def _end_connections(self) -> None:
        for connection in list(self._connections):
            connection.finish()
        deadline = asyncio.get_running_loop().time() + GRACE_S
        while self._connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self._connections):
            connection.abort()

    async def _answer(self, request: Request) -> Reply:
        # clients may also ask for the whole address (RFC 9112, 3.2.2)
        path = _ORIGIN.sub("", request.path).split("?")[0].rstrip("/")
        if path == "/health":
            asked = request.method in ("GET", "HEAD")
            return self._health() if asked else _error(405, "use GET")
        if path not in ("/retrieve", "/search", "/batch_search"):
            return _error(404, "expected /retrieve, /search, /batch_search or /health")
        if request.method != "POST":
            return _error(405, "use POST")
        try:
            queries, k, scores, single = _read(request.body)
        except ValueError as error:
            return _error(400, str(error))
        try:
            alone = len(self._connections) == 1
            found = await self._batcher.search(queries, k, alone)
        except OverloadedError as error:
            return _error(503, str(error))
        except ToolFailure as error:
            return _error(503, f"{error.kind}: {error}")
        except ArgumentError as error:
            return _error(400, str(error))
        except Exception as error:
            return _error(500, f"{type(error).__name__}: {error}")
        write = _search_r1 if path == "/retrieve" else _flashrag
        return Reply(200, _json(write(found, scores, single)))

    def _health(self) -> Reply:
        state = "stopping" if self._stopping else "ok"
        facts: dict[str, Any] = {"status": state, "version": react_envs.__version__}
        if isinstance(self._retriever, Sized):
            facts["documents"] = len(self._retriever)
        return Reply(503 if self._stopping else 200, _json(facts))


def _read(body: bytes | bytearray) -> tuple[list[str], int, bool, bool]:
    """Queries, hits for each, whether scores are wanted, whether it was one query, not a list.

    Raises:
        ValueError: saying what was expected.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object: {error}") from error
    if not isinstance(payload, dict):
        raise ValueError(f"expected a JSON object, got a {type(payload).__name__}")
    queries = _first(payload, ("queries", "query"), None)
    single = isinstance(queries, str)
    if isinstance(queries, str):
        queries = [queries]
    if not isinstance(queries, list) or not all(isinstance(query, str) for query in queries):
        raise ValueError('expected "queries" (or "query") to be a string or a list of strings')
    if len(queries) > MAX_QUEUED:
        raise ValueError(f"expected at most {MAX_QUEUED} queries, got {len(queries)}")
    k = _first(payload, ("topk", "top_k", "top_n"), DEFAULT_K)
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MAX_K:
        raise ValueError(f'expected "topk" (or "top_k", "top_n") to be 1..{MAX_K}, got {k!r}')
    scores = _first(payload, ("return_scores", "return_score"), False)
    if not isinstance(scores, bool):
        raise ValueError(f'expected "return_scores" to be true or false, got {scores!r}')
    return queries, k, scores, single


def _first(payload: dict[str, Any], names: Sequence[str], default: Any) -> Any:
    return next((payload[name] for name in names if payload.get(name) is not None), default)


def _document(hit: Hit) -> dict[str, str]:
    return {"id": hit.document.id, "contents": hit.document.contents}


def _search_r1(found: list[list[Hit]], scores: bool, single: bool) -> Any:
    if scores:
        lists: list[Any] = [
            [{"document": _document(hit), "score": hit.score} for hit in hits] for hits in found
        ]
    else:
        lists = [[_document(hit) for hit in hits] for hits in found]
    return {"result": lists}


def _flashrag(found: list[list[Hit]], scores: bool, single: bool) -> Any:
    documents: list[Any] = [[_document(hit) for hit in hits] for hits in found]
    numbers: list[Any] = [[hit.score for hit in hits] for hits in found]
    if single:
        documents, numbers = documents[0], numbers[0]
    return [documents, numbers] if scores else documents


def _json(value: Any) -> bytes:
    # searches wait while JSON is written, and orjson writes it in a seventh of the time
    try:
        return orjson.dumps(value)
    except TypeError:
        # a lone surrogate cannot be UTF-8 and stays an escape
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _error(status: int, reason: str) -> Reply:
    headers = (("Retry-After", "1"),) if status == 503 else ()
    return Reply(status, _json({"error": reason}), headers)
