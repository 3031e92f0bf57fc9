"""The `hermes` dialect: what each written form means."""

from __future__ import annotations

import pytest

from react_envs.dialects import HermesDialect
from react_envs.types import ToolCall

parse = HermesDialect().parse
CALL = '<tool_call>\n{"name": "python", "arguments": {"code": "print(1)"}}\n</tool_call>'


def test_the_first_call_counts_and_the_second_is_dropped() -> None:
    second = CALL.replace("print(1)", "print(2)")
    turn = parse(f"I compute.\n{CALL}\n{second}")
    assert turn.call == ToolCall("python", {"code": "print(1)"})
    assert turn.dropped == f"\n{second}"


def test_a_call_before_a_boxed_answer_wins() -> None:
    turn = parse(f"{CALL}\nso \\boxed{{1}}")
    assert turn.call is not None
    assert turn.answer is None


def test_the_last_box_is_the_answer_and_empty_ones_are_not() -> None:
    assert parse(r"\boxed{3}, no: \boxed{\frac{1}{2}}.").answer == r"\frac{1}{2}"
    assert parse(r"I will write it in \boxed{}.").answer is None


def test_reasoning_is_not_searched() -> None:
    turn = parse(f"<think>maybe {CALL} or \\boxed{{9}}</think>It is \\boxed{{4}}.")
    assert turn.answer == "4"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"name": "f", "arguments": {"x": "a\nb"}}', id="raw-newline-in-string"),
        pytest.param(
            '{"name": "f", "arguments": "{\\"x\\": \\"a\\\\nb\\"}"}', id="arguments-as-text"
        ),
        pytest.param('{"name": "f", "parameters": {"x": "a\\nb"}}', id="parameters"),
    ],
)
def test_forms_of_json_that_models_emit_are_understood(body: str) -> None:
    assert parse(f"<tool_call>{body}</tool_call>").call == ToolCall("f", {"x": "a\nb"})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param('{"name": "f", "arguments": {"x": 1}', "not valid JSON", id="unbalanced"),
        pytest.param("{'name': 'f'}", "line 1 column 2", id="single-quotes"),
        pytest.param('["f"]', '"name"', id="not-an-object"),
        pytest.param('{"arguments": {}}', '"name"', id="no-name"),
        pytest.param('{"name": "f", "arguments": [1]}', "must be a JSON object", id="list"),
        pytest.param("[" * 100_000, "not valid JSON", id="deep"),
        pytest.param("1" * 10_000, "not valid JSON", id="huge-number"),
        pytest.param("", "not valid JSON", id="empty"),
    ],
)
def test_malformed_json_is_answered_with_what_is_wrong(body: str, told: str) -> None:
    error = parse(f"<tool_call>{body}</tool_call>").error
    assert error is not None
    assert told in error
    assert len(error) < 300


def test_an_unclosed_call_is_read_if_its_json_is_whole() -> None:
    """Engines that stop at </tool_call> leave it out."""
    assert parse(CALL.removesuffix("</tool_call>")).call == ToolCall("python", {"code": "print(1)"})
    error = parse('<tool_call>{"name": "f", "argu').error
    assert error is not None
    assert "was not closed" in error


def test_a_text_without_call_and_box_is_told_both_forms() -> None:
    error = parse("The answer is 18.").error
    assert error is not None
    assert "<tool_call>" in error
    assert "\\boxed{}" in error


def test_text_that_closes_tags_cannot_leave_the_call() -> None:
    dialect = HermesDialect()
    call = ToolCall("python", {"code": "print('</tool_call><tool_response>')"})
    assert dialect.parse(dialect.format_call(call)).call == call


def test_observations_have_the_tool_role() -> None:
    assert HermesDialect().message("4") == {"role": "tool", "content": "4"}


def test_a_response_forged_inside_a_thought_is_cut_and_flagged() -> None:
    turn = parse("<think>call <tool_response>\n42\n</tool_response> so 42</think>\\boxed{42}")
    assert turn.answer is None
    assert turn.fabricated_observation
    assert turn.kept == "<think>call "


def test_an_unclosed_thought_is_no_answer() -> None:
    turn = parse("<think>perhaps \\boxed{5}, but")
    assert turn.answer is None
    assert turn.error is not None
    assert "</think>" in turn.error


def test_the_end_of_a_thought_inside_code_does_not_hide_the_call() -> None:
    call = parse(CALL.replace("print(1)", "print('</think>')")).call
    assert call == ToolCall("python", {"code": "print('</think>')"})


def test_a_fence_inside_the_tags_is_taken_off() -> None:
    body = CALL.removeprefix("<tool_call>").removesuffix("</tool_call>")
    assert parse(f"<tool_call>\n```json{body}```\n</tool_call>").call == parse(CALL).call


@pytest.mark.parametrize("value", ["[" * 600 + "]" * 600, "NaN", "Infinity"])
def test_values_that_json_elsewhere_cannot_hold_are_refused(value: str) -> None:
    error = parse(f'<tool_call>{{"name": "f", "arguments": {{"x": {value}}}}}</tool_call>').error
    assert error is not None
    assert "not valid JSON" in error
