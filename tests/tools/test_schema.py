"""JSON schemas from signatures, and arguments checked against them."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from react_envs.errors import ArgumentError, ToolError
from react_envs.tools.schema import bind_arguments, parameters_of


def everything(
    text: str,
    number: float,
    count: int = 3,
    flag: bool = False,
    mode: Literal["a", "b"] = "a",
    names: list[str] | None = None,
    anything: Any = None,
) -> str:
    """Do it.

    Args:
        text: what to read,
            over two lines
        number (float): how much
    """
    return text


SCHEMA = parameters_of(everything)


def test_every_annotation_has_its_json_type() -> None:
    assert SCHEMA["required"] == ["text", "number"]
    assert SCHEMA["properties"] == {
        "text": {"type": "string", "description": "what to read, over two lines"},
        "number": {"type": "number", "description": "how much"},
        "count": {"type": "integer", "default": 3},
        "flag": {"type": "boolean", "default": False},
        "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "names": {
            "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}],
            "default": None,
        },
        "anything": {"default": None},
    }


def test_a_parameter_without_usable_annotation_is_refused_with_its_name() -> None:
    def no_annotation(query):
        """Search."""

    def strange(query: bytes) -> None:
        """Search."""

    def star(*queries: str) -> None:
        """Search."""

    with pytest.raises(ArgumentError, match="'query' of a tool needs a type annotation"):
        parameters_of(no_annotation)
    with pytest.raises(ArgumentError, match="'query' of a tool has type <class 'bytes'>"):
        parameters_of(strange)
    with pytest.raises(ArgumentError, match="named parameters only"):
        parameters_of(star)


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        pytest.param({"text": "x", "number": 1}, {"text": "x", "number": 1}, id="int-as-number"),
        pytest.param({"text": 18, "number": 1}, {"text": "18", "number": 1}, id="number-as-text"),
        pytest.param(
            {"text": "x", "number": "1.5"}, {"text": "x", "number": 1.5}, id="text-number"
        ),
        pytest.param(
            {"text": "x", "number": 1, "count": 4.0},
            {"text": "x", "number": 1, "count": 4},
            id="4.0",
        ),
        pytest.param(
            {"text": "x", "number": 1, "flag": "true"},
            {"text": "x", "number": 1, "flag": True},
            id="text-boolean",
        ),
        pytest.param(
            {"text": "x", "number": 1, "names": None},
            {"text": "x", "number": 1, "names": None},
            id="optional",
        ),
        pytest.param('{"text": "x", "number": 1}', {"text": "x", "number": 1}, id="json-text"),
    ],
)
def test_arguments_bind_where_nothing_is_lost(given: Any, bound: dict[str, Any]) -> None:
    assert bind_arguments(SCHEMA, given) == bound


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"number": 1}, "missing argument 'text'", id="missing"),
        pytest.param(
            {"text": "x", "number": 1, "txt": 2}, "unexpected argument 'txt'", id="unknown"
        ),
        pytest.param({"text": [3], "number": 1}, "'text' must be of type string", id="type"),
        pytest.param(
            {"text": "x", "number": True}, "must be of type number", id="bool-is-no-number"
        ),
        pytest.param({"text": "x", "number": 1, "count": 1.5}, "of type integer", id="1.5"),
        pytest.param({"text": "x", "number": 1, "mode": "c"}, "one of ['a', 'b']", id="enum"),
        pytest.param(
            {"text": "x", "number": 1, "names": [[]]}, "'names' has no accepted", id="items"
        ),
        pytest.param([1], "must be a JSON object", id="list"),
        pytest.param("just text", "needs several arguments", id="one-text-for-two"),
    ],
)
def test_wrong_arguments_are_told_what_was_expected(given: Any, told: str) -> None:
    with pytest.raises(ToolError) as raised:
        bind_arguments(SCHEMA, given)
    assert told in str(raised.value)


def test_one_text_is_the_first_argument_when_no_other_is_required() -> None:
    def search(query: str, top_k: int = 3) -> str:
        """Search."""
        return query

    schema = parameters_of(search)
    assert bind_arguments(schema, "who?") == {"query": "who?"}
    assert bind_arguments(schema, '{"query": "who?", "top_k": 5}') == {"query": "who?", "top_k": 5}
    assert bind_arguments(schema, '{"other": 1}') == {"query": '{"other": 1}'}
    assert bind_arguments({"properties": {}, "required": []}, "ignored") == {}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_the_model_writes_binds_or_is_a_tool_error(arguments: Any) -> None:
    for wrapped in (arguments, {"text": arguments, "number": arguments}):
        told = ""
        try:
            bind_arguments(SCHEMA, wrapped)
        except ToolError as error:
            told = str(error)
        assert len(told) < 500
