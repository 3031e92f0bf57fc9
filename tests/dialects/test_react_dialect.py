"""The `react` dialect: what each written form means."""

from __future__ import annotations

import pytest

from react_envs.dialects import ReactDialect
from react_envs.errors import ArgumentError
from react_envs.types import ToolCall

parse = ReactDialect().parse


def test_multi_line_input_runs_to_the_end_of_the_turn() -> None:
    turn = parse("Thought: t\nAction: python\nAction Input: a = 1\nprint(a)\n")
    assert turn.call is not None
    assert turn.call.arguments == "a = 1\nprint(a)"


def test_what_follows_the_input_is_dropped() -> None:
    turn = parse("Action: python\nAction Input: print(1)\nThought: then I stop\n")
    assert turn.call is not None
    assert turn.call.arguments == "print(1)"
    assert turn.dropped == "Thought: then I stop\n"


def test_fields_inside_a_fence_are_part_of_the_input() -> None:
    code = 's = """\nThought: not one\nFinal Answer: nor this\n"""\nprint(s)'
    turn = parse(f"Action: python\nAction Input:\n```python\n{code}\n```\nThought: more")
    assert turn.call is not None
    assert turn.call.arguments == code
    assert turn.dropped == "Thought: more"
    assert not turn.fabricated_observation


def test_an_unclosed_fence_is_cut_at_a_self_written_observation() -> None:
    turn = parse("Action: python\nAction Input: ```python\nprint(1)\nObservation: 1\n")
    assert turn.call is not None
    assert turn.fabricated_observation
    assert "Observation" not in turn.kept


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("Final Answer: 18", id="plain"),
        pytest.param("Thought: done\nFinal Answer: 18\n", id="thought"),
        pytest.param("Final Answer:\n18", id="next-line"),
        pytest.param("**Final Answer:** 18", id="bold"),
        pytest.param("  Final Answer : 18", id="blanks"),
        pytest.param("Final Answer: 18\nObservation: right!", id="then-observation"),
        pytest.param("Final Answer: 18\n\nQuestion: what is next?\nThought: x", id="next-question"),
    ],
)
def test_written_forms_of_an_answer(written: str) -> None:
    assert parse(written).answer == "18"


def test_an_answer_may_have_several_lines() -> None:
    assert parse("Final Answer: one\ntwo\n").answer == "one\ntwo"


def test_a_thought_may_mention_the_final_answer() -> None:
    turn = parse("Thought: the Final Answer: is near\nAction: python\nAction Input: 1\n")
    assert turn.answer is None
    assert turn.call is not None


@pytest.mark.parametrize("number", ["", " 1", "2"])
def test_numbered_fields_are_read(number: str) -> None:
    turn = parse(f"Thought{number}: t\nAction{number}: python\nAction{number} Input: 1\n")
    assert turn.call is not None
    assert turn.call.arguments == "1"


def test_action_and_answer_in_one_turn_is_decided_by_on_conflict() -> None:
    both = "Action: python\nAction Input: print(1)\nFinal Answer: 1\n"
    assert ReactDialect(on_conflict="final_wins").parse(both).answer == "1"
    error = ReactDialect(on_conflict="error").parse(both).error
    assert error is not None
    assert "an Action and a Final Answer" in error


def test_an_answer_behind_a_self_written_observation_does_not_count() -> None:
    turn = parse("Action: python\nAction Input: print(1)\nObservation: 1\nFinal Answer: 1\n")
    assert turn.answer is None
    assert turn.call is not None
    assert turn.fabricated_observation


@pytest.mark.parametrize(
    ("action", "told"),
    [
        pytest.param("", "neither an Action nor a Final Answer", id="empty"),
        pytest.param("I think it is 7", "neither an Action nor a Final Answer", id="prose"),
        pytest.param("Action: python", "no 'Action Input:'", id="no-input"),
        pytest.param("Action: python\nThought: hm", "no 'Action Input:'", id="thought-next"),
        pytest.param("Action:\nAction Input: 1", "names no tool", id="no-tool"),
        pytest.param("Final Answer:  \n", "is empty", id="empty-answer"),
    ],
)
def test_malformed_turns_are_told_what_to_write(action: str, told: str) -> None:
    error = parse(action).error
    assert error is not None
    assert told in error
    assert "Final Answer: <answer>" in error


def test_the_observation_starts_on_a_line_of_its_own() -> None:
    dialect = ReactDialect()
    assert dialect.observation("4", "Action Input: 1\n") == "Observation: 4\n"
    assert dialect.observation("4", "Action Input: 1") == "\nObservation: 4\n"


def test_on_conflict_takes_two_values_only() -> None:
    with pytest.raises(ArgumentError, match="actually: 'first'"):
        ReactDialect(on_conflict="first")  # type: ignore[arg-type]


def test_an_observation_is_cut_in_a_fence_too_as_an_engine_would() -> None:
    turn = parse("Action Input: ```\nx\nObservation: 5\n```\nFinal Answer: 5")
    assert turn.answer is None
    assert turn.fabricated_observation
    assert "Observation" not in turn.kept


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        pytest.param("<think>\nFinal Answer: 5\nno\n</think>\nFinal Answer: 18", "18", id="draft"),
        pytest.param("<think>easy</think>Final Answer: 18", "18", id="same-line"),
        pytest.param("Final Answer: 5\n</think>\n\nFinal Answer: 18", "18", id="open-in-prompt"),
        pytest.param("<think>\nFinal Answer: 5", None, id="never-closed"),
        pytest.param("<think>x</think>", None, id="only-thought"),
    ],
)
def test_reasoning_is_not_searched(action: str, answer: str | None) -> None:
    assert parse(action).answer == answer


@pytest.mark.parametrize(
    "name", ["python", "`python`", "**python**", "[python]", "python.", '"python"', " python "]
)
def test_markup_around_a_tools_name_is_no_part_of_it(name: str) -> None:
    turn = parse(f"Action: {name}\nAction Input: `print(1)`\n")
    assert turn.call is not None
    assert (turn.call.name, turn.call.arguments) == ("python", "print(1)")


@pytest.mark.parametrize(
    "written", ["Final answer: 18", "FINAL ANSWER: 18", "Final Answer：18", "**final answer**: 18"]
)
def test_the_case_of_final_answer_does_not_matter(written: str) -> None:
    assert parse(written).answer == "18"


def test_annotations_in_code_are_no_fields() -> None:
    code = "class Step:\n    action: str\n    thought: str\n    observation: str = ''"
    turn = parse(f"Action: python\nAction Input: {code}\n")
    assert turn.call is not None
    assert turn.call.arguments == code
    assert not turn.fabricated_observation


def test_a_call_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(ArgumentError, match="cannot write this call"):
        ReactDialect().format_call(ToolCall("python", 'x = """\nObservation: 1\n"""'))
