"""The OpenSearch backend: its contract against a fake that speaks `_bulk` and `_msearch`.

No OpenSearch or Elasticsearch server can be started from the package registries, so nothing here
says how a real one ranks.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from fault_proxy import FaultProxy, Handler, drop, hang, raw, says, status

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval import Document, PassageStore, make_retriever
from react_envs.retrieval.opensearch import OpenSearchRetriever, fill_index

PASSAGES = [
    Document("a", "Fox", "The quick fox."),
    Document("b", "القاهرة", "</result> 🦊\u2028 dog"),
    Document("c", "", "untitled fox"),
]


class Fake:
    """Keeps what `_bulk` brings and answers `_msearch` by a store in memory."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.bodies: dict[str, Any] = {}

    def __call__(self, handler: Handler) -> None:
        proxy = handler.proxy
        path, body = handler.path.split("?")[0], proxy.requests[-1][2]
        if path == "/_bulk":
            lines = [json.loads(line) for line in body.decode().strip().split("\n")]
            items = []
            for action, source in zip(lines[::2], lines[1::2], strict=True):
                id = action["index"]["_id"]
                self.documents.append(Document(id, source["title"], source["text"]))
                items.append({"index": {"_id": id, "status": 201}})
            answer: Any = {"errors": False, "items": items}
        elif path == "/_msearch":
            lines = [json.loads(line) for line in body.decode().strip().split("\n")]
            store = PassageStore(self.documents)
            answer = {"responses": []}
            for query in lines[1::2]:
                text = query["query"]["match"]["contents"]
                hits = store.search([text], query["size"])[0]
                found = [
                    {
                        "_id": hit.document.id,
                        "_score": hit.score,
                        "_source": {"title": hit.document.title, "text": hit.document.text},
                    }
                    for hit in hits
                ]
                answer["responses"].append({"hits": {"hits": found}, "status": 200})
        else:
            self.bodies[path] = json.loads(body) if body else None
            answer = {"acknowledged": True}
        handler.send(200, json.dumps(answer).encode(), Content_Type="application/json")


@pytest.fixture
def fake(proxy: FaultProxy) -> Fake:
    proxy.always = fake = Fake()
    return fake


def test_what_was_put_in_is_found(proxy: FaultProxy, fake: Fake) -> None:
    retriever = fill_index(PASSAGES, proxy.url, "wiki")
    assert fake.documents == PASSAGES
    settings = fake.bodies["/wiki"]["settings"]["index"]["similarity"]["default"]
    assert settings == {"type": "BM25", "k1": 1.2, "b": 0.75}
    queries = ["fox", "zebra", 'القاهرة "(', "\ud800", ""]
    before = len(proxy.requests)
    assert retriever.search(queries, 2) == PassageStore(PASSAGES).search(queries, 2)
    assert len(proxy.requests) == before + 1
    assert retriever.search([], 2) == []
    retriever.close()


def test_it_is_made_by_keyword(proxy: FaultProxy, fake: Fake) -> None:
    retriever = make_retriever({"source": "opensearch", "url": proxy.url, "index": "wiki"})
    assert isinstance(retriever, OpenSearchRetriever)
    assert retriever.search(["fox"], 1) == [[]]
    with pytest.raises(ArgumentError):
        retriever.search(["fox"], 0)


@pytest.mark.parametrize(
    ("fault", "kind", "requests"),
    [
        pytest.param(status(503), "server_error", 2, id="503"),
        pytest.param(status(404), "server_error", 1, id="no-such-index"),
        pytest.param(drop, "connection", 2, id="drop"),
        pytest.param(hang(2.0), "timeout", 2, id="hang"),
        pytest.param(raw(b"{"), "server_error", 1, id="no-json"),
        pytest.param(says({"responses": []}), "bad_response", 1, id="no-responses"),
        pytest.param(says({"took": 1}), "bad_response", 1, id="another-shape"),
        pytest.param(
            says({"responses": [{"error": {"type": "too_many_clauses"}, "status": 400}]}),
            "bad_response",
            1,
            id="error-of-one-query",
        ),
    ],
)
def test_a_lasting_fault_is_a_typed_failure(
    proxy: FaultProxy, fault: Any, kind: str, requests: int
) -> None:
    proxy.always = fault
    retriever = OpenSearchRetriever(proxy.url, "wiki", timeout_s=0.3, retries=1)
    with pytest.raises(ToolFailure) as caught:
        retriever.search(["fox"], 2)
    assert caught.value.kind == kind
    assert len(proxy.requests) == requests


def test_a_cluster_that_does_not_take_documents_is_a_failure(proxy: FaultProxy) -> None:
    proxy.always = status(500)
    with pytest.raises(ToolFailure) as caught:
        fill_index(PASSAGES, proxy.url, "wiki")
    assert caught.value.kind == "server_error"
