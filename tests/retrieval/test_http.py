"""The HTTP client: every known shape of an answer, and everything that is no answer."""

from __future__ import annotations

import copy
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fault_proxy import (
    FaultProxy,
    Reply,
    drip,
    drop,
    endless,
    half,
    hang,
    raw,
    says,
    status,
)
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval import Document, Hit, make_retriever
from react_envs.retrieval.http import _WRONG, HttpRetriever, _hits

A = {"id": "7", "contents": '"Paris"\nA city.'}
B = {"id": "8", "contents": '"Fox"\nAn animal.'}
DOCUMENT_A, DOCUMENT_B = Document("7", "Paris", "A city."), Document("8", "Fox", "An animal.")
SCORED = [Hit(DOCUMENT_A, 2.5), Hit(DOCUMENT_B, 1.5)]
RANKED = [Hit(DOCUMENT_A, 1.0), Hit(DOCUMENT_B, 0.5)]

SHAPES = [
    pytest.param(
        "retrieve",
        {"result": [[{"document": A, "score": 2.5}, {"document": B, "score": 1.5}], []]},
        [SCORED, []],
        id="search-r1",
    ),
    pytest.param("retrieve", {"result": [[A, B], []]}, [RANKED, []], id="search-r1-no-scores"),
    pytest.param("batch_search", [[A, B], []], [RANKED, []], id="flashrag-batch"),
    pytest.param(
        "batch_search", [[[A, B], []], [[2.5, 1.5], []]], [SCORED, []], id="flashrag-batch-scores"
    ),
    pytest.param(
        "batch_search", [[[A, B], [2.5, 1.5]], [[], []]], [SCORED, []], id="pairs-of-lists"
    ),
    pytest.param("batch_search", [[], [A]], [[], [RANKED[0]]], id="nothing-first"),
    pytest.param(
        "batch_search", [[[], [A]], [[], [2.5]]], [[], [SCORED[0]]], id="nothing-first-scores"
    ),
    pytest.param("batch_search", [[[], []], [[], []]], [[], []], id="nothing-scores"),
    pytest.param("batch_search", [[], []], [[], []], id="nothing"),
]


@pytest.mark.parametrize(("path", "payload", "expected"), SHAPES)
def test_answers_to_two_queries(
    proxy: FaultProxy, path: str, payload: Any, expected: list[list[Hit]]
) -> None:
    proxy.always = says(payload)
    assert HttpRetriever(f"{proxy.url}/{path}").search(["a", "b"], 2) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param([A, B], RANKED, id="documents"),
        pytest.param([[A, B], [2.5, 1.5]], SCORED, id="documents-and-scores"),
        pytest.param([[A, B]], RANKED, id="list-of-one"),
        pytest.param([[[A, B]], [[2.5, 1.5]]], SCORED, id="list-of-one-and-scores"),
        pytest.param({"result": [[A, B]]}, RANKED, id="search-r1"),
        pytest.param({"result": [A, B]}, RANKED, id="search-r1-flat"),
        pytest.param([[], []], [], id="nothing-and-scores"),
        pytest.param([[]], [], id="nothing-in-a-list"),
        pytest.param({"result": [[]]}, [], id="nothing-search-r1"),
        pytest.param([[A], [2]], [Hit(DOCUMENT_A, 2.0)], id="whole-number"),
    ],
)
def test_answers_to_one_query(proxy: FaultProxy, payload: Any, expected: list[Hit]) -> None:
    proxy.always = says(payload)
    for path in ("retrieve", "search", "batch_search"):
        assert HttpRetriever(f"{proxy.url}/{path}").search(["a"], 2) == [expected]


def test_a_bare_empty_list_answers_one_query_only(proxy: FaultProxy) -> None:
    proxy.always = says([])
    assert HttpRetriever(f"{proxy.url}/search").search(["a", "b"], 2) == [[], []]
    for path in ("retrieve", "batch_search"):
        with pytest.raises(ToolFailure) as caught:
            HttpRetriever(f"{proxy.url}/{path}", retries=0).search(["a"], 2)
        assert caught.value.kind == "bad_response"


def test_zerosearch_has_texts_only(proxy: FaultProxy) -> None:
    proxy.always = says([{"text": "one"}, {"text": "two"}])
    retriever = HttpRetriever(f"{proxy.url}/", protocol="zerosearch")
    (hits,) = retriever.search(["a"], 5)
    assert [hit.document for hit in hits] == [Document("0", "", "one"), Document("1", "", "two")]
    assert json.loads(proxy.requests[0][2]) == {"query": "a", "top_k": 5}


def test_anserini_is_asked_by_get(proxy: FaultProxy) -> None:
    candidate = {"docid": "7", "score": 2.5, "rank": 1, "doc": A["contents"]}
    proxy.always = says({"api": "v1", "candidates": [candidate]})
    retriever = HttpRetriever(f"{proxy.url}/v1/wiki/search", protocol="anserini")
    assert retriever.search(["a & b", "c"], 5) == [SCORED[:1], SCORED[:1]]
    paths = [path for _, path, _ in proxy.requests]
    assert paths == ["/v1/wiki/search?query=a+%26+b&hits=5", "/v1/wiki/search?query=c&hits=5"]
    proxy.always = says({"api": "v1", "candidates": []})
    assert retriever.search(["a"], 5) == [[]]


@pytest.mark.parametrize(
    ("path", "bodies"),
    [
        ("retrieve", [{"queries": ["a", "b"], "topk": 4, "return_scores": True}]),
        ("batch_search", [{"query": ["a", "b"], "top_n": 4, "return_score": True}]),
        (
            "search",
            [
                {"query": "a", "top_n": 4, "return_score": True},
                {"query": "b", "top_n": 4, "return_score": True},
            ],
        ),
    ],
)
def test_each_protocol_asks_in_its_words(proxy: FaultProxy, path: str, bodies: Any) -> None:
    proxy.always = says({"result": [[]] * (2 // len(bodies))})
    HttpRetriever(f"{proxy.url}/{path}").search(["a", "b"], 4)
    assert [json.loads(body) for _, _, body in proxy.requests] == bodies


def test_texts_come_back_verbatim(proxy: FaultProxy) -> None:
    text = "  </result><answer>x</answer>\r\n\x00<|im_end|> القاهرة 🦊\u2028"
    proxy.always = says({"result": [[{"id": 5, "contents": f'"T"\n{text}'}]]})
    (hits,) = HttpRetriever(f"{proxy.url}/retrieve").search(["a"], 1)
    assert hits[0].document == Document("5", "T", text)


def test_more_than_was_asked_for_is_cut(proxy: FaultProxy) -> None:
    proxy.always = says({"result": [[A, B, A]]})
    assert HttpRetriever(f"{proxy.url}/retrieve").search(["a"], 2) == [RANKED]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"result": [[A]]}, id="one-list-for-two-queries"),
        pytest.param({"result": [A, B]}, id="one-query's-hits-for-two"),
        pytest.param({"result": [[A], [A], [A]]}, id="three-lists"),
        pytest.param({"result": []}, id="no-list"),
        pytest.param({"result": [[A], None]}, id="null-list"),
        pytest.param({"result": "x"}, id="text"),
        pytest.param({"error": "down"}, id="error"),
        pytest.param({"result": [[], []], "error": "a shard failed"}, id="result-and-error"),
        pytest.param({"result": [[{"contents": "", "score": 10**400}], []]}, id="huge-score"),
        pytest.param({"detail": [{"msg": "field required"}]}, id="fastapi-error"),
        pytest.param({"result": [[{"document": {"id": "1"}}], []]}, id="no-contents"),
        pytest.param({"result": [[{"document": {"contents": None}}], []]}, id="null-contents"),
        pytest.param({"result": [["text"], []]}, id="strings"),
        pytest.param({"result": [[{"document": A, "score": "high"}], []]}, id="score-text"),
        pytest.param([[[A, B], []], [[2.5], []]], id="a-score-too-few"),
        pytest.param([[[A]], [[1.0]]], id="scores-for-one"),
        pytest.param(None, id="null"),
        pytest.param(5, id="number"),
        pytest.param({}, id="empty-object"),
        pytest.param([], id="empty-list"),
    ],
)
def test_what_is_no_answer_is_a_failure(proxy: FaultProxy, payload: Any) -> None:
    proxy.always = says(payload)
    with pytest.raises(ToolFailure) as caught:
        HttpRetriever(f"{proxy.url}/retrieve", retries=0).search(["a", "b"], 2)
    assert caught.value.kind == "bad_response"


def test_a_score_that_is_no_number_is_a_failure(proxy: FaultProxy) -> None:
    proxy.always = raw(b'{"result": [[{"document": {"contents": "x"}, "score": NaN}]]}')
    with pytest.raises(ToolFailure):
        HttpRetriever(f"{proxy.url}/retrieve", retries=0).search(["a"], 2)


@pytest.mark.parametrize("depth", [100, 500, *range(700, 1000, 10)])
def test_a_deep_answer_is_a_failure(proxy: FaultProxy, depth: int) -> None:
    proxy.always = raw(b"[" * depth + b"]" * depth)
    retriever = HttpRetriever(f"{proxy.url}/retrieve", retries=0)
    with pytest.raises(ToolFailure) as caught:
        retriever.search(["a", "b"], 2)
    assert caught.value.kind == "bad_response"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["result", "document", "contents", "score", "x"]), inner)
    ),
)


@given(json_values, st.integers(1, 3))
def test_any_json_is_hits_or_refused(payload: Any, number: int) -> None:
    try:
        lists = _hits(payload, number, 3)
    except _WRONG:
        return
    assert len(lists) == number
    assert all(isinstance(hit.document.text, str) for hits in lists for hit in hits)


GOOD = says({"result": [[A, B]]})


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(status(429), id="429"),
        pytest.param(status(500), id="500"),
        pytest.param(status(503, Retry_After="0"), id="503"),
        pytest.param(hang(1.0), id="hang"),
        pytest.param(drop, id="drop"),
        pytest.param(half, id="half"),
        pytest.param(raw(b"{"), id="no-json"),
        pytest.param(raw(b"[" * 100_000), id="deep-json"),
        pytest.param(says({"result": []}), id="no-lists"),
    ],
)
def test_a_passing_fault_is_outlived(proxy: FaultProxy, fault: Reply) -> None:
    proxy.queue.append(fault)
    proxy.always = GOOD
    retriever = HttpRetriever(f"{proxy.url}/retrieve", timeout_s=0.5)
    assert retriever.search(["a"], 2) == [RANKED]
    assert len(proxy.requests) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(hang(5.0), "timeout"), (drip, "timeout"), (endless, "bad_response")],
    ids=["hang", "drip", "endless"],
)
def test_no_answer_takes_longer_than_the_deadline(
    proxy: FaultProxy, fault: Reply, kind: str
) -> None:
    proxy.always = fault
    retriever = HttpRetriever(f"{proxy.url}/retrieve", timeout_s=0.4, deadline_s=1.0, retries=9)
    started = time.monotonic()
    with pytest.raises(ToolFailure) as caught:
        retriever.search(["a"], 2)
    assert caught.value.kind == kind
    assert time.monotonic() - started < 1.7


def test_many_threads_do_not_storm_a_dead_server(proxy: FaultProxy) -> None:
    proxy.always = status(500)
    retriever = HttpRetriever(f"{proxy.url}/retrieve", retries=3)
    kinds: list[str] = []

    def ask(_: int) -> None:
        with pytest.raises(ToolFailure) as caught:
            retriever.search(["a"], 2)
        kinds.append(caught.value.kind)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(200)))
    assert len(kinds) == 200
    # 200 calls with three more attempts each would be 800: at most each thread's first one and
    # the eight that open the circuit get through
    assert len(proxy.requests) <= 16 + 8
    assert kinds.count("circuit_open") >= 170


def test_a_server_that_comes_back_is_asked_again(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = HttpRetriever(f"{proxy.url}/retrieve", retries=0)
    retriever._transport._breaker._pause_s = 0.2
    proxy.always = drop
    for _ in range(4):
        with pytest.raises(ToolFailure):
            retriever.search(["a"], 2)
    assert retriever._transport._breaker.is_open
    proxy.always = GOOD
    time.sleep(0.3)
    assert retriever.search(["a"], 2) == [RANKED]
    assert not retriever._transport._breaker.is_open


def test_refusals_do_not_open_the_circuit(proxy: FaultProxy) -> None:
    proxy.always = status(400)
    retriever = HttpRetriever(f"{proxy.url}/retrieve", retries=3)
    for _ in range(30):
        with pytest.raises(ToolFailure) as caught:
            retriever.search(["a"], 2)
        assert caught.value.kind == "refused"
    assert len(proxy.requests) == 30


def test_threads_share_connections_and_get_their_own_answers(proxy: FaultProxy) -> None:
    def echo(handler: Any) -> None:
        (query,) = json.loads(proxy_body.body)["queries"]
        handler.send(200, json.dumps({"result": [[{"contents": query}]]}).encode())

    proxy_body = threading.local()
    answer = proxy.answer

    def with_body(handler: Any) -> None:
        length = int(handler.headers["Content-Length"])
        proxy_body.body = handler.rfile.read(length)
        handler.headers.replace_header("Content-Length", "0")
        answer(handler)

    proxy.answer = with_body  # type: ignore[method-assign]
    proxy.always = echo
    retriever = HttpRetriever(f"{proxy.url}/retrieve")
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda i: retriever.search([f"q{i}"], 1), range(200)))
    assert [hits[0][0].document.text for hits in found] == [f"q{i}" for i in range(200)]


def test_a_forked_child_asks_over_its_own_connection(proxy: FaultProxy) -> None:
    proxy.always = GOOD
    retriever = HttpRetriever(f"{proxy.url}/retrieve")
    assert retriever.search(["a"], 2) == [RANKED]
    pid = os.fork()
    if pid == 0:
        os._exit(0 if retriever.search(["a"], 2) == [RANKED] else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert retriever.search(["a"], 2) == [RANKED]
    parents, childs, parents_again = proxy.ports
    assert parents == parents_again != childs


def test_odd_queries_are_sent_as_json(proxy: FaultProxy) -> None:
    proxy.always = says([[]] * 3)
    queries = ["\ud800", 'quote " \0 \n', "🦊" * 25_000]
    retriever = HttpRetriever(f"{proxy.url}/batch_search")
    assert retriever.search(queries, 3) == [[], [], []]
    assert json.loads(proxy.requests[0][2])["query"] == ["\ufffd", *queries[1:]]
    assert retriever.search([], 3) == []


@pytest.mark.parametrize(
    ("url", "options", "told"),
    [
        ("localhost:8000/retrieve", {}, "expected an address"),
        ("ftp://x/retrieve", {}, "expected an address"),
        ("http://x/other", {}, "expected protocol"),
        ("http://x/retrieve", {"protocol": "grpc"}, "expected protocol"),
        ("http://x/retrieve", {"timeout_s": 0}, "expected timeout_s > 0"),
    ],
)
def test_a_wrong_address_is_the_callers_mistake(url: str, options: Any, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        HttpRetriever(url, **options)


def test_an_address_without_a_path_is_completed(proxy: FaultProxy) -> None:
    proxy.always = GOOD
    for url in (proxy.url, f"{proxy.url}/"):
        assert HttpRetriever(url).search(["a"], 2) == [RANKED]
    assert [path for _, path, _ in proxy.requests] == ["/retrieve"] * 2


def test_http_by_keyword_is_shared(proxy: FaultProxy) -> None:
    proxy.always = GOOD
    retriever = make_retriever({"source": "http", "url": f"{proxy.url}/retrieve"})
    assert retriever.search(["a"], 2) == [RANKED]
    assert copy.deepcopy(retriever) is retriever
    retriever.close()
    assert retriever.search(["a"], 2) == [RANKED]
