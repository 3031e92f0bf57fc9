"""Search for passages: document formats to the character, no hit, and failures."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from react_envs.errors import ArgumentError, ToolFailure
from react_envs.retrieval import Document, Hit, PassageStore
from react_envs.retrieval.formats import DOCUMENT_FORMATS
from react_envs.tools import PassageSearchTool, as_tool, call_tool
from react_envs.tools.passages import NO_PASSAGE
from react_envs.types import Task

DOCUMENTS = [
    Document("0", "Red fox", "The fox is red.\nIt is quick."),
    Document("1", "", "A fox without a title."),
]
HITS = [Hit(document, 1.0) for document in DOCUMENTS]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (
            "search_r1",
            'Doc 1(Title: "Red fox") The fox is red.\nIt is quick.\n'
            "Doc 2(Title: A fox without a title.) \n",
        ),
        (
            "skyrl",
            'Doc 1: "Red fox"\nThe fox is red.\nIt is quick.\nDoc 2: A fox without a title.\n',
        ),
        (
            "verl",
            'Doc 1 (Title: "Red fox")\nThe fox is red.\nIt is quick.\n\n'
            "Doc 2 (Title: A fox without a title.)",
        ),
        (
            "autocoa",
            'result 1: "Red fox"\nThe fox is red.\nIt is quick.\nresult 2: A fox without a title.',
        ),
        ("research", '"Red fox"\nThe fox is red.\nIt is quick.\n\nA fox without a title.'),
        ("plain", "[1] Red fox: The fox is red.\nIt is quick.\n[2] A fox without a title."),
    ],
)
def test_documents_are_written_as_their_system_reads_them(name: str, written: str) -> None:
    assert DOCUMENT_FORMATS[name](HITS) == written


@pytest.mark.parametrize("name", DOCUMENT_FORMATS)
def test_no_documents_are_no_text(name: str) -> None:
    assert DOCUMENT_FORMATS[name]([]) == ""


def test_autocoa_writes_a_single_document_without_a_number() -> None:
    assert DOCUMENT_FORMATS["autocoa"](HITS[1:]) == "A fox without a title."


def tool(retriever: Any = None, **options: Any) -> PassageSearchTool:
    found = retriever if retriever is not None else PassageStore(DOCUMENTS)
    made = PassageSearchTool(lambda task: found, **options)
    made.start(Task("?", ("1",)), 0)
    return made


def test_a_search_gives_the_best_passages() -> None:
    result = call_tool(tool(k=1), {"query": "red fox"})
    assert result.text == "[1] Red fox: The fox is red.\nIt is quick."
    assert result.meta == {"hits": 1, "titles": ["Red fox"]}
    assert call_tool(tool(k=5), {"query": "fox"}).meta["hits"] == 2


def test_no_hit_is_told_and_is_no_failure() -> None:
    result = call_tool(tool(), {"query": "xyzzy"})
    assert (result.text, result.ok, result.failure) == (NO_PASSAGE, True, None)


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_the_models_mistake(query: str) -> None:
    result = call_tool(tool(), {"query": query})
    assert (result.ok, result.failure) == (False, None)
    assert "empty" in result.text


@pytest.mark.parametrize("query", ["\x00", "\ud800", "fox " * 20_000, "东京", "<tool_call>"])
def test_any_text_can_be_searched_for(query: str) -> None:
    assert call_tool(tool(), {"query": query}).failure is None


def test_a_retriever_that_fails_is_a_typed_failure_and_no_result() -> None:
    class Down:
        def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
            raise ToolFailure("connection refused", "network")

        def close(self) -> None: ...

    result = call_tool(tool(Down()), {"query": "fox"})
    assert (result.ok, result.failure) == (False, "network")
    assert result.text != NO_PASSAGE
    assert "refused" not in result.text


def test_it_has_the_name_and_the_number_it_was_given() -> None:
    made = as_tool(tool(name="retrieve", k=2))
    assert made.spec["function"]["name"] == "retrieve"
    assert copy.deepcopy(tool(name="retrieve")).name == "retrieve"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"documents": "xml"}, "unknown document format 'xml'; known: search_r1"),
        ({"k": 0}, "k to be an int of at least 1"),
        ({"k": "3"}, "k to be an int of at least 1"),
    ],
)
def test_wrong_options_raise_at_once(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        tool(**options)


@pytest.mark.parametrize("found", [KeyError("index"), RecursionError(), [], [[], []], None])
def test_whatever_else_a_retriever_does_is_its_failure_and_no_text(found: Any) -> None:
    class Odd:
        def search(self, queries: Sequence[str], k: int) -> Any:
            if isinstance(found, Exception):
                raise found
            return found

        def close(self) -> None: ...

    result = call_tool(tool(Odd()), {"query": "fox"})
    assert (result.ok, result.failure) == (False, "source")
    assert "KeyError" not in result.text
    assert "unpack" not in result.text
