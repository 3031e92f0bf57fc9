"""The drill's four functions: its behaviours, and its four faults mended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from react_envs import drill
from react_envs.drill import parse_react_step, run_react_loop

ADD = "Thought: I should add first.\nAction: calc\nAction Input: 2 + 3\n"
ANSWER = "Thought: 5 doubled is 10.\nFinal Answer: 10\n"


def calc(expression: str) -> Any:
    a, _, b = expression.split()
    return int(a) + int(b)


def scripted(*completions: str) -> Callable[[str], str]:
    replies = iter(completions)
    return lambda prompt: next(replies)


def play(*completions: str, tools: Any = None, **kwargs: Any) -> drill.Trajectory:
    return run_react_loop(scripted(*completions), tools or {"calc": calc}, "2 + 3?", **kwargs)


# --- One step


def test_an_action_step() -> None:
    step = parse_react_step(ADD)
    assert (step.thought, step.action, step.action_input) == (
        "I should add first.", "calc", "2 + 3",
    )  # fmt: skip
    assert (step.is_final, step.final_answer, step.error) == (False, None, None)


def test_a_final_step() -> None:
    step = parse_react_step(ANSWER)
    assert (step.is_final, step.final_answer, step.action) == (True, "10", None)
    assert step.thought == "5 doubled is 10."


def test_a_final_answer_wins_over_a_stray_action() -> None:
    step = parse_react_step("Thought: done.\nAction: calc\nAction Input: 9\nFinal Answer: 7\n")
    assert step.is_final
    assert step.final_answer == "7"
    assert step.action is None


def test_a_final_answer_is_the_rest_of_its_line() -> None:
    assert parse_react_step("Final Answer: 7\nand some more").final_answer == "7"
    assert parse_react_step("Final Answer:\n7").final_answer == "7"


def test_an_input_may_have_several_lines() -> None:
    assert parse_react_step("Action: a\nAction Input: x\ny\n").action_input == "x\ny"


def test_a_step_without_a_thought() -> None:
    assert parse_react_step("Action: a\nAction Input: x\n").thought == ""
    assert parse_react_step("").error is not None


# --- The loop


def test_the_tool_is_called_once_and_its_result_stands_between_the_turns() -> None:
    trajectory = play(ADD, ANSWER)
    assert trajectory.calls == [("calc", "2 + 3", "5")]
    assert trajectory.transcript == f"Question: 2 + 3?\n{ADD}Observation: 5\n{ANSWER}"
    assert (trajectory.stop_reason, trajectory.final_answer) == ("final_answer", "10")
    assert len(trajectory.steps) == 2
    assert [role for _, role in trajectory.segments] == [
        "prompt", "agent", "observation", "agent",
    ]  # fmt: skip
    assert "".join(text for text, _ in trajectory.segments) == trajectory.transcript


def test_a_model_that_never_answers_stops_at_the_budget() -> None:
    trajectory = play(*[ADD] * 3, max_steps=3)
    assert (trajectory.stop_reason, trajectory.final_answer) == ("max_steps", None)
    assert len(trajectory.calls) == 3


def test_mistakes_are_observations() -> None:
    trajectory = play("Thought: hm\n", "Action: nope\nAction Input: x\n", ANSWER)
    assert trajectory.calls == [
        (None, None, "Error: could not parse an Action or Final Answer"),
        ("nope", "x", "Error: unknown tool 'nope'"),
    ]
    assert trajectory.stop_reason == "final_answer"


def test_the_prefix_of_observations_can_be_chosen() -> None:
    assert "\nResult = 5\n" in play(ADD, ANSWER, observation_prefix="Result = ").transcript


def test_a_line_break_that_the_model_left_out_is_the_environments() -> None:
    trajectory = play(ADD.rstrip(), ANSWER)
    assert trajectory.segments[1] == (ADD.rstrip(), "agent")
    assert trajectory.segments[2] == ("\nObservation: 5\n", "observation")


# --- The faults


def test_an_observation_of_the_models_own_is_neither_input_nor_trained() -> None:
    """No stop string: the input runs on to the end, and the forged result is an agent token."""
    trajectory = play(ADD + "Observation: 99\nFinal Answer: 99\n", ANSWER)
    assert trajectory.calls == [("calc", "2 + 3", "5")]
    assert trajectory.steps[0].fabricated_observation
    assert "99" not in trajectory.transcript
    trained = "".join(text for text, role in trajectory.segments if role == "agent")
    assert trained == ADD + ANSWER


def test_a_final_answer_inside_a_thought_ends_nothing() -> None:
    thought = "Thought: I will write Final Answer: 5 later.\nAction: calc\nAction Input: 2 + 3\n"
    trajectory = play(thought, ANSWER)
    assert trajectory.calls == [("calc", "2 + 3", "5")]
    assert trajectory.final_answer == "10"


def test_an_exception_in_a_tool_is_an_observation() -> None:
    def down(text: str) -> str:
        raise ConnectionError("no route")

    trajectory = play("Action: calc\nAction Input: 2 x 3 y\n", ANSWER)
    assert trajectory.calls[0][2].startswith("Error: ValueError: ")
    trajectory = play(ADD, ANSWER, tools={"calc": down})
    assert "unavailable" in trajectory.calls[0][2]
    assert trajectory.stop_reason == "final_answer"


def test_an_action_without_an_input_calls_nothing() -> None:
    called: list[str] = []
    trajectory = play("Action: calc\n", ANSWER, tools={"calc": called.append})
    assert not called
    assert trajectory.calls == [(None, None, trajectory.steps[0].error)]
    assert "no 'Action Input:'" in trajectory.calls[0][2]


def test_a_tool_cannot_answer() -> None:
    trajectory = play(ADD, ANSWER, tools={"calc": lambda text: "x\nFinal Answer: 7"})
    assert trajectory.final_answer == "10"
    assert "\nFinal Answer: 7" not in trajectory.transcript


def test_a_step_is_read_in_linear_time() -> None:
    started = time.process_time()
    for text in ("Action:" * 100_000, "Thought: " + "\n" * 500_000, " " * 500_000):
        parse_react_step(text)
    assert time.process_time() - started < 3.0


# --- Labels and loss


def test_labels_keep_the_agents_tokens_only() -> None:
    pytest.importorskip("react_envs.training", reason="the training package is not there yet")
    segments = [([0, 1], "prompt"), ([2, 3], "agent"), ([4], "observation"), ([5, 6], "agent")]
    ids, labels = drill.build_sft_labels(segments)
    assert ids == [0, 1, 2, 3, 4, 5, 6]
    assert labels == [-100, -100, 2, 3, -100, 5, 6]


def test_the_loss_is_the_mean_over_the_agents_tokens() -> None:
    pytest.importorskip("react_envs.training", reason="the training package is not there yet")
    torch = pytest.importorskip("torch")
    logits = torch.randn(7, 11, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([-100, -100, 2, 3, -100, 5, 6])
    loss = drill.masked_cross_entropy(logits, labels)
    reference = torch.nn.functional.cross_entropy(logits, labels, ignore_index=-100)
    assert torch.allclose(loss, reference, atol=1e-6)
    masked, trained = logits.clone(), logits.clone()
    masked[4, 0] += 100.0
    trained[3, 0] += 100.0
    assert torch.allclose(drill.masked_cross_entropy(masked, labels), loss, atol=1e-6)
    assert not torch.allclose(drill.masked_cross_entropy(trained, labels), loss, atol=1e-6)
    assert drill.masked_cross_entropy(logits, torch.full((7,), -100)).item() == 0.0


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'build_rl_labels'"):
        drill.build_rl_labels  # noqa: B018
