"""The laws of react_envs.dialects.Dialect, for every dialect there is."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from react_envs.dialects import DIALECTS, Dialect, make_dialect
from react_envs.errors import ArgumentError
from react_envs.tools import as_tool
from react_envs.tools.schema import bind_arguments
from react_envs.types import ToolCall

every_dialect = pytest.mark.parametrize("dialect", [make_dialect(name) for name in DIALECTS])

MARKERS = [
    "Thought:", "Action:", "Action Input:", "Observation:", "Final Answer:", "Question:", "\n",
    "```", "````python\n", " ", "<tool_call>", "</tool_call>", "<tool_response>", "</think>", "{",
    "}", '{"name": "python", "arguments": {"code": "1"}}', "\\boxed{", "**", "\x00", "\ud800", "π",
]  # fmt: skip
action_texts = st.lists(st.one_of(st.sampled_from(MARKERS), st.text(max_size=8))).map("".join)


def python(code: str) -> str:
    """Run code.

    Args:
        code: the source
    """
    return code


PYTHON = as_tool(python)


@every_dialect
@given(action=action_texts)
@example(action="")
def test_any_text_parses_to_exactly_one_outcome_and_loses_nothing(
    dialect: Dialect, action: str
) -> None:
    turn = dialect.parse(action)
    assert turn.kept + turn.dropped == action
    assert sum(part is not None for part in (turn.call, turn.answer, turn.error)) == 1


@every_dialect
@given(code=st.one_of(st.text(), action_texts), thought=st.sampled_from(["", "I add."]))
def test_a_formatted_call_parses_back_to_itself(dialect: Dialect, code: str, thought: str) -> None:
    call = ToolCall("python", {"code": code})
    try:
        action = dialect.format_call(call, thought)
    except ArgumentError:
        # a text dialect may have no way to write its own end marks, and must say so
        assert dialect.name == "react"
        assert "Observation" in code or "think>" in code
        return
    turn = dialect.parse(action)
    assert turn.call is not None, turn.error
    assert turn.call.name == "python"
    # text that is a JSON object may be read as the arguments themselves
    if not code.lstrip().startswith("{"):
        assert bind_arguments(PYTHON.parameters, turn.call.arguments) == {"code": code}
    assert turn.dropped.strip() == ""
    assert not turn.fabricated_observation


@every_dialect
@pytest.mark.parametrize("answer", ["18", "-3/4", "\\frac{1}{2}", "Paris, France", "{a}", "yes"])
@pytest.mark.parametrize("thought", ["", "I know."])
def test_a_formatted_answer_parses_back_to_itself(
    dialect: Dialect, answer: str, thought: str
) -> None:
    turn = dialect.parse(dialect.format_answer(answer, thought))
    assert turn.answer == answer
    assert turn.dropped == ""


@every_dialect
def test_an_observation_that_the_agent_wrote_is_cut_and_flagged(dialect: Dialect) -> None:
    call = dialect.format_call(ToolCall("python", {"code": "print(1)"}))
    forged = dialect.observation("the answer is 7", call)
    turn = dialect.parse(call + forged + dialect.format_answer("7"))
    assert turn.call is not None
    assert turn.answer is None
    assert turn.fabricated_observation
    assert "the answer is 7" not in turn.kept


@every_dialect
def test_a_turn_that_ends_at_its_stop_string_is_not_a_fabrication(dialect: Dialect) -> None:
    call = dialect.format_call(ToolCall("python", {"code": "print(1)"})).rstrip("\n")
    turn = dialect.parse(call + "\n" + dialect.stop[0].lstrip("\n"))
    assert turn.call is not None
    assert not turn.fabricated_observation
    assert dialect.stop[0].strip() not in turn.kept


@every_dialect
def test_instructions_and_prompt_name_every_tool_and_the_question(dialect: Dialect) -> None:
    instructions = dialect.instructions([PYTHON])
    prompt = dialect.prompt(instructions, "How many?")
    assert "python" in instructions
    assert "Run code." in instructions
    assert instructions in prompt
    assert "How many?" in prompt
    assert "python" not in dialect.instructions([])


@every_dialect
@pytest.mark.parametrize(
    "unit",
    [
        *MARKERS,
        *("Action Input: ```\n", "Action" + " " * 50, "<tool_call>{", "\\boxed{{", "* ", "\n```"),
    ],
)
def test_parsing_takes_time_linear_in_the_length(dialect: Dialect, unit: str) -> None:
    """A megabyte of anything parses within two seconds; quadratic work would take hours."""
    for prefix in ("", "Action: a\nAction Input:", "<tool_call>", "<tool_call>```", "Action"):
        action = prefix + unit * (1_000_000 // len(unit))
        started = time.process_time()
        dialect.parse(action)
        assert time.process_time() - started < 2.0


@every_dialect
def test_observation_and_message_carry_the_text_unchanged(dialect: Dialect) -> None:
    text = "l1\n  l2 \ud800 π"
    assert text in dialect.observation(text, "x")
    message = dialect.message(text)
    assert text in message["content"]
    json.dumps(message)


def test_an_unknown_dialect_or_option_raises_at_once() -> None:
    with pytest.raises(ArgumentError, match="unknown dialect 'raect'; known: hermes, react"):
        make_dialect("raect")
    with pytest.raises(ArgumentError, match="does not take"):
        make_dialect({"name": "hermes", "on_conflict": "error"})
