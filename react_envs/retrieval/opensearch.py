"""`OpenSearchRetriever`: a cluster of OpenSearch or Elasticsearch, for more than one machine.

Contract-tested only: no such server can be started where this project is tested, so the tests run
opensearch-py against a fake that speaks `_msearch` and `_bulk`. Elasticsearch answers both alike,
but its own client refuses other servers; opensearch-py does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from react_envs.errors import MissingExtraError, ToolFailure
from react_envs.retrieval.contract import Document, Hit
from react_envs.retrieval.corpus import well_formed
from react_envs.retrieval.passages import K1, B, check_search

__all__ = ["OpenSearchRetriever", "fill_index"]

MAX_QUERY_CHARS = 4_000
"""Longer queries are cut: the server refuses more than 1,024 words."""

_INDEX = {
    "settings": {"index": {"similarity": {"default": {"type": "BM25", "k1": K1, "b": B}}}},
    "mappings": {
        "properties": {
            "title": {"type": "keyword", "index": False},
            "text": {"type": "text", "index": False},
            "contents": {"type": "text", "analyzer": "english"},
        }
    },
}


class OpenSearchRetriever:
    """BM25 by a cluster: every search is one `_msearch`. Threads may share it.

    Args:
        url: address of the cluster.
        index: name of an index whose documents have `title` and `text`, as `fill_index` makes it.
        timeout_s: seconds that one attempt may take.
        retries: attempts after the first one, also on another node.
        options: further keywords of `opensearchpy.OpenSearch`, such as `http_auth`.

    Raises:
        MissingExtraError: without opensearch-py.
    """

    def __init__(
        self, url: str, index: str, *, timeout_s: float = 10.0, retries: int = 3, **options: Any
    ) -> None:
        self._client = _client(url, timeout_s, retries, options)
        self._index = index

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """At most `k` hits for each query, best first.

        Raises:
            ToolFailure: of kind `connection`, `timeout`, `server_error` or `bad_response`.
        """
        import opensearchpy

        check_search(queries, k)
        if not queries:
            return []
        lines: list[dict[str, Any]] = []
        for query in queries:
            text = well_formed(query)[:MAX_QUERY_CHARS]
            lines += [
                {"index": self._index},
                {
                    "size": k,
                    "query": {"match": {"contents": text}},
                    "_source": ["title", "text"],
                },
            ]
        try:
            answer = self._client.msearch(body=lines)
        except opensearchpy.ConnectionTimeout as error:
            raise ToolFailure(str(error), "timeout") from error
        except opensearchpy.ConnectionError as error:
            raise ToolFailure(str(error), "connection") from error
        except opensearchpy.OpenSearchException as error:
            raise ToolFailure(str(error), "server_error") from error
        return _hits(answer, len(queries))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> OpenSearchRetriever:
        return self


def fill_index(
    documents: Iterable[Document], url: str, index: str, **options: Any
) -> OpenSearchRetriever:
    """Make `index` and put `documents` into it through `_bulk`.

    Raises:
        MissingExtraError: without opensearch-py.
        ToolFailure: of kind `server_error` if the cluster does not take them all.
    """
    client = _client(url, 60.0, 3, options)
    import opensearchpy
    from opensearchpy import helpers

    def actions() -> Iterator[dict[str, Any]]:
        for document in documents:
            title, text = well_formed(document.title), well_formed(document.text)
            source = {"title": title, "text": text, "contents": f"{title}\n{text}"}
            yield {"_index": index, "_id": well_formed(document.id), "_source": source}

    try:
        client.indices.create(index=index, body=_INDEX)
        helpers.bulk(client, actions())
        client.indices.refresh(index=index)
    except opensearchpy.OpenSearchException as error:
        raise ToolFailure(str(error)[:1000], "server_error") from error
    finally:
        client.close()
    return OpenSearchRetriever(url, index, **options)


def _client(url: str, timeout_s: float, retries: int, options: dict[str, Any]) -> Any:
    try:
        import opensearchpy
    except ImportError as error:
        raise MissingExtraError.for_extra("opensearch-py", "opensearch") from error
    return opensearchpy.OpenSearch(
        hosts=[url],
        timeout=timeout_s,
        max_retries=retries,
        retry_on_timeout=True,
        retry_on_status=(429, 502, 503, 504),
        **options,
    )


def _hits(answer: Any, number: int) -> list[list[Hit]]:
    try:
        responses = answer["responses"]
        if len(responses) != number:
            raise ValueError(f"{len(responses)} answers")
        return [
            [
                Hit(
                    Document(hit["_id"], hit["_source"]["title"], hit["_source"]["text"]),
                    float(hit["_score"]),
                )
                for hit in response["hits"]["hits"]
            ]
            for response in responses
        ]
    except (KeyError, TypeError, ValueError) as error:
        message = f"expected hits of {number} queries, got {str(answer)[:300]!r} ({error})"
        raise ToolFailure(message, "bad_response") from error
