"""`HttpRetriever`: a retrieval server that speaks as Search-R1's, FlashRAG's or ZeroSearch's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import react_envs
from react_envs.errors import ArgumentError
from react_envs.retrieval.breaker import CircuitBreaker
from react_envs.retrieval.contract import Document, Hit
from react_envs.retrieval.corpus import well_formed
from react_envs.retrieval.passages import check_search
from react_envs.retrieval.transport import Transport, TryAgain, shown

__all__ = ["HttpRetriever", "Protocol"]

Protocol = Literal["search-r1", "flashrag", "zerosearch", "anserini"]

_REQUESTS: dict[str, dict[str, str]] = {
    "search-r1": {"queries": "queries", "k": "topk", "scores": "return_scores"},
    "flashrag": {"queries": "query", "k": "top_n", "scores": "return_score"},
    "zerosearch": {"query": "query", "k": "top_k"},
    "anserini": {"query": "query", "k": "hits"},
}
_BY_PATH: dict[str, str] = {
    "retrieve": "search-r1",
    "batch_search": "flashrag",
    "search": "flashrag",
}


class HttpRetriever:
    """A retriever behind an HTTP server. Threads may share it.

    `url` is the whole address; its last part tells the protocol unless `protocol` does. Without
    either, as in `http://HOST:8000`, it is completed by `/retrieve`.

    - `/retrieve` (Search-R1): `{"queries", "topk", "return_scores"}` is answered by
      `{"result": [[{"document": {"contents"}, "score"}]]}`, a list for each query;
    - `/batch_search`, `/search` (FlashRAG, ReSearch): `{"query", "top_n", "return_score"}`, where
      `/search` takes one query a request, is answered by documents `[{"id", "contents"}]` or by
      `[documents, scores]`;
    - ZeroSearch: `{"query", "top_k"}`, one query a request, is answered by `[{"text"}]`;
    - Anserini's server (Lucene), `/v1/INDEX/search` with `protocol="anserini"`: GET with `query`
      and `hits` is answered by `{"candidates": [{"docid", "score", "doc"}]}`.

    Answers are read by their shape, so a server that mixes these is understood, too. A wrong
    number of lists, an error beside the result, a bare `[]` to a batch, or anything else that is no
    answer, is a `ToolFailure`, never a short or empty result. Documents without scores get 1, 1/2,
    1/3, ... by rank.

    Args:
        url: address, such as "http://127.0.0.1:8000/retrieve".
        protocol: `search-r1`, `flashrag`, `zerosearch` or `anserini`.
        timeout_s, deadline_s, retries, concurrency: see `Transport`; a search of several queries
            that go one by one has one deadline each.

    Raises:
        ArgumentError: for an address or a protocol that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        protocol: Protocol | None = None,
        timeout_s: float = 10.0,
        deadline_s: float = 30.0,
        retries: int = 3,
        concurrency: int = 64,
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise ArgumentError(f"expected an address such as http://HOST/retrieve, got {url!r}")
        if protocol is None and address.path in ("", "/"):
            address = address._replace(path="/retrieve")
            url = address.geturl()
        last = address.path.rstrip("/").rsplit("/", 1)[-1]
        named = protocol or _BY_PATH.get(last)
        if named not in _REQUESTS:
            raise ArgumentError(
                f"expected protocol to be one of {', '.join(_REQUESTS)} (an address that ends in "
                f"{', '.join(_BY_PATH)} tells it), got {protocol!r} for {url!r}"
            )
        self.url = url
        self._names = _REQUESTS[named]
        self._one_by_one = named in ("zerosearch", "anserini") or last == "search"
        self._by_get = named == "anserini"
        self._transport = Transport(
            {"User-Agent": f"react-envs/{react_envs.__version__}"},
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            retries=retries,
            concurrency=concurrency,
            breaker=CircuitBreaker(failures=2 * (retries + 1), pause_s=5.0),
        )

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """At most `k` hits for each query, best first.

        Raises:
            ToolFailure: see `Transport.call`.
        """
        check_search(queries, k)
        asked = [well_formed(query) for query in queries]
        if not asked:
            return []
        if self._one_by_one:
            return [self._ask(query, 1, k)[0] for query in asked]
        return self._ask(asked, len(asked), k)

    def close(self) -> None:
        """Close the pooled connections; the retriever may be used again afterwards."""
        self._transport.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> HttpRetriever:
        return self

    def _ask(self, queries: str | list[str], number: int, k: int) -> list[list[Hit]]:
        names = self._names
        body: dict[str, Any] = {names.get("queries", "query"): queries, names["k"]: k}
        if "scores" in names:
            body[names["scores"]] = True

        def understand(payload: Any) -> list[list[Hit]]:
            try:
                if payload == [] and not self._one_by_one:
                    raise ValueError("no list at all")
                return _hits(payload, number, k)
            except _WRONG as error:
                message = f"expected {number} lists of documents, got {shown(payload)}"
                raise TryAgain(f"{message} ({error})", "bad_response") from error

        if self._by_get:
            return self._transport.call(understand, "GET", self.url, params=body)
        return self._transport.call(understand, "POST", self.url, json=body)


_WRONG = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def _hits(payload: Any, number: int, k: int) -> list[list[Hit]]:
    """The hits of each of `number` queries, whichever of the known shapes the answer has."""
    if isinstance(payload, dict) and payload.get("error"):
        raise ValueError("an error beside the result")
    if isinstance(payload, dict) and "candidates" in payload:
        payload = [[_candidate(item) for item in payload["candidates"]]]
    elif isinstance(payload, dict):
        payload = payload["result"] if "result" in payload else payload["results"]
        if payload == []:
            raise ValueError("no list at all")
    if _says_nothing_found(payload, number):
        return [[] for _ in range(number)]
    scores: Any = None
    if _has_scores(payload):
        payload, scores = payload
    if number == 1 and payload and isinstance(payload[0], dict):
        payload, scores = [payload], None if scores is None else [scores]
    if not isinstance(payload, list) or len(payload) != number:
        raise ValueError("another number of lists")
    if scores is not None and len(scores) != number:
        raise ValueError("another number of scores")
    lists = []
    for i, documents in enumerate(payload):
        of_this = None if scores is None else scores[i]
        if documents == [[], []]:
            documents = []
        if _has_scores(documents):
            documents, of_this = documents
        if not isinstance(documents, list):
            raise TypeError("documents that are no list")
        if of_this is not None and len(of_this) != len(documents):
            raise ValueError("another number of scores")
        lists.append([_hit(item, rank, of_this) for rank, item in enumerate(documents)][:k])
    return lists


def _says_nothing_found(payload: Any, number: int) -> bool:
    """True for an answer without documents, in one of the known shapes."""
    nothing: list[Any] = [[]] * number
    without_and_with_scores = [nothing, [nothing, nothing], [[[], []]] * number]
    return payload in without_and_with_scores or (number == 1 and payload in ([], [[], []]))


def _has_scores(payload: Any) -> bool:
    """True for `[documents, scores]`: of two lists, the second has numbers at its leaves only."""
    if not (isinstance(payload, list) and len(payload) == 2 and isinstance(payload[1], list)):
        return False
    leaves = list(_leaves(payload[1]))
    return bool(leaves) and all(isinstance(leaf, int | float) for leaf in leaves)


def _leaves(lists: list[Any]) -> Iterator[Any]:
    for item in lists:
        yield from _leaves(item) if isinstance(item, list) else (item,)


def _candidate(item: Any) -> dict[str, Any]:
    """Anserini's entry as Search-R1 would write it."""
    return {"document": {"id": item["docid"], "contents": item["doc"]}, "score": item["score"]}


def _hit(item: Any, rank: int, scores: Any) -> Hit:
    document = item.get("document", item)
    id = str(document.get("id", rank))
    contents = document["contents"] if "contents" in document else document["text"]
    if not isinstance(contents, str):
        raise TypeError("contents that are no text")
    if "contents" not in document and isinstance(document.get("title"), str):
        found = Document(id, document["title"], contents)
    else:
        found = Document.from_contents(id, contents)
    score = item.get("score") if scores is None else scores[rank]
    if score is None:
        return Hit(found, 1 / (rank + 1))
    if not math.isfinite(score):
        raise ValueError(f"the score {score}")
    return Hit(found, float(score))
