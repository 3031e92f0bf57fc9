"""How an agent used its tools, and text that degenerates."""

from __future__ import annotations

import time
from typing import Any

import pytest

from react_envs.core import ReactEnv
from react_envs.rewards import behaviour, degenerate
from react_envs.rewards.behaviour import (
    answer_before_result,
    call_and_answer,
    call_without_print,
    malformed_call,
    result_unused,
)
from react_envs.rewards.degenerate import is_nonsense, is_repetitive
from react_envs.tasks import TaskList
from react_envs.types import Episode, Task, ToolCall, Turn
from react_envs.wrappers import EpisodeReward, StepLimit

CALL = ToolCall("python", {"code": "print(42)"})


def called(result: str = "42", **kwargs: Any) -> Turn:
    fields: dict[str, Any] = {"call": CALL, "tool_ok": True, "tool_result": result, **kwargs}
    return Turn("<tool_call>...</tool_call>", f"<tool_response>{result}", **fields)


def answered(text: str = "It is \\boxed{42}.", answer: str = "42", **kwargs: Any) -> Turn:
    return Turn(text, "", answer=answer, **kwargs)


def episode(*turns: Turn) -> Episode:
    return Episode(("42",), turns, None)


ALL = [getattr(behaviour, name) for name in behaviour.__all__]
GOOD = episode(called(), answered())


@pytest.mark.parametrize("term", [*ALL, degenerate.repetition, degenerate.nonsense])
def test_a_good_episode_has_none_of_the_bad_behaviours(term: Any) -> None:
    """Call, then response, then an answer that uses it: AgentJet's good case."""
    assert term(GOOD) == 0.0
    assert term(episode()) == 0.0


@pytest.mark.parametrize(
    ("term", "turns"),
    [
        pytest.param(call_without_print, [called("(no output)", tool_meta={"printed": False})],
                     id="nothing-printed"),
        pytest.param(call_without_print, [called("  ")], id="an-empty-result"),
        pytest.param(result_unused, [called("42"), answered("It is \\boxed{7}.", "7")],
                     id="the-number-is-not-used"),
        pytest.param(result_unused, [called("1,000 eggs"), answered("eggs: 100")],
                     id="a-word-beside-an-unused-number"),
        pytest.param(result_unused, [called("Paris, capital"), called("42"), answered()],
                     id="the-first-of-two"),
        pytest.param(call_and_answer, [called(dropped="\nso \\boxed{42}")], id="answer-after-call"),
        pytest.param(call_and_answer, [called(dropped="\nFinal Answer: 42")], id="text-answer"),
        pytest.param(call_and_answer, [called(dropped="<answer>42</answer>")], id="tag-answer"),
        pytest.param(call_and_answer, [answered("Action: f\nAction Input: 1\nFinal Answer: 42")],
                     id="answer-won"),
        pytest.param(call_and_answer, [answered(dropped="<search>q</search>")], id="call-after"),
        pytest.param(malformed_call, [Turn("x", "Error", parse_error="Error")], id="no-call"),
        pytest.param(answer_before_result, [answered()], id="at-once"),
        pytest.param(answer_before_result, [called(tool_ok=False), answered()], id="only-failed"),
    ],
)  # fmt: skip
def test_each_bad_behaviour_is_found_by_its_term(term: Any, turns: list[Turn]) -> None:
    assert term(episode(*turns)) == 1.0


@pytest.mark.parametrize(
    ("term", "turns"),
    [
        pytest.param(call_without_print, [called("", tool_ok=False)], id="a-failed-call"),
        pytest.param(call_without_print, [called("", tool_meta={"printed": True})], id="meta-wins"),
        pytest.param(result_unused, [called("42")], id="no-turn-after-it"),
        pytest.param(result_unused, [called("1,000"), answered("It is 1000.")], id="commas"),
        pytest.param(result_unused, [called("Paris!"), answered("paris it is")], id="words"),
        pytest.param(result_unused, [called("--"), answered()], id="nothing-to-use"),
        pytest.param(result_unused, [called(tool_ok=False), answered("7")], id="a-failed-result"),
        pytest.param(call_and_answer, [called(dropped="\nObservation: 3")], id="a-forged-result"),
        pytest.param(call_and_answer, [answered("Action 2: Finish[42]")], id="finish-is-no-call"),
        pytest.param(malformed_call, [called(parse_error="Error: no such tool")], id="readable"),
        pytest.param(answer_before_result, [called()], id="no-answer"),
    ],
)  # fmt: skip
def test_what_is_no_bad_behaviour(term: Any, turns: list[Turn]) -> None:
    assert term(episode(*turns)) == 0.0


@pytest.mark.parametrize(
    ("text", "repetitive"),
    [
        ("no no no no no no no no no no no", True),
        ("I will check. " * 10, True),
        ("the cat sat on it and the dog lay on it and the bird flew over it", False),
        ("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12", False),
        ("-" * 201, True),
        ("-" * 200, False),
        ("abab" * 51, True),
        ("x = 1\n" * 5, True),
        ("x = 1\n" * 4, False),
        ("", False),
    ],
)
def test_repetition(text: str, repetitive: bool) -> None:
    assert is_repetitive(text) is repetitive


@pytest.mark.parametrize(
    ("text", "nonsense"),
    [
        ("It is 42.<|im_end|>", False),
        ("It is<|im_end|> 42.", True),
        ("<|im_start|>assistant", True),
        ("<｜User｜> 42", True),
        ("a < b | c > d, 価格は42円です — ça va? 😀👍🏽", False),
        ("bad \ufffd bytes", True),
        ("lone \ud800", True),
        ("null \x00", True),
        ("private \ue000", True),
        ("tabs\tand\r\nlines", False),
        ("زبان \u200cها", False),
    ],
)
def test_nonsense(text: str, nonsense: bool) -> None:
    assert is_nonsense(text) is nonsense
    assert degenerate.nonsense(episode(Turn("fine", "", dropped=text))) == float(nonsense)


@pytest.mark.parametrize("unit", ["a ", "<|", "\\boxed", "\ufffe", "no ", "Action:\n"])
def test_terms_take_time_linear_in_the_length(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    long = episode(called(text, dropped=text), answered(text, dropped=text))
    started = time.process_time()
    for term in (*ALL, degenerate.repetition, degenerate.nonsense):
        term(long)
    assert time.process_time() - started < 3.0


PYTHON = '<tool_call>{"name": "python", "arguments": {"code": "print(42)"}}</tool_call>'
FINISH = '<tool_call>\n{"name": "finish", "arguments": {"answer": "42"}}\n</tool_call>'
CODE = "<code>\n```python\nprint(42)\n```\n</code>"


def python(code: str) -> str:
    """Run code."""
    return code


def search(query: str) -> str:
    """Find pages."""
    return query


@pytest.mark.parametrize(
    ("dialect", "action", "both"),
    [
        ("hermes", PYTHON, 0),
        ("hermes", PYTHON + FINISH, 1),
        ("hermes", FINISH + PYTHON, 1),
        ("hermes", FINISH, 0),
        ("hermes", "It is \\boxed{42}. " + PYTHON, 1),
        ("hermes", "<think>\\boxed{42}?</think> " + PYTHON, 0),
        ("hermes", PYTHON.replace("print(42)", "print('\\\\boxed{42}')"), 0),
        ("recall", "\\boxed{42}?</think> " + PYTHON, 0),
        ("retool", "so \\boxed{42} " + CODE, 1),
        ("retool", CODE + " so \\boxed{42}", 1),
        ("retool", CODE.removesuffix("</code>"), 0),
        ("retool", CODE.replace("42", "'\\boxed{42}'"), 0),
        ("retool", "<search> a </search> so <answer>\\boxed{42}</answer>", 1),
        ("search_r1", "<think>t</think><answer>42</answer> <python>print(42)</python>", 1),
        ("search_r1", "<think>t</think><python>print(42)</python><answer>42</answer>", 1),
        ("search_r1", "<think>t</think><python>print(42)", 0),
        ("search_r1", "<think>t</think><python>print(42)</python> <finish>42</finish>", 1),
        ("autocoa", "is it \\boxed{42}? <begin_search> a </end_search>", 0),
        ("autocoa", "<begin_python>1</end_python> so</think>\\boxed{42}", 1),
        ("react", "Thought: \\boxed{42}?\nAction: python\nAction Input: 1", 0),
        ("react", "Action: python\nAction Input: 1\nAction: finish\nAction Input: 42", 1),
        ("react", "Action: finish\nAction Input: 42", 0),
        ("react_paper", "Thought 1: t\nAction 1: Python[1]\nAction 2: Finish[42]", 1),
    ],
)
def test_a_call_and_an_answer_in_one_turn_of_any_dialect(
    dialect: str, action: str, both: int
) -> None:
    tasks = TaskList([Task("q", ("42",))])
    env = ReactEnv(tasks, [search, python, "finish"], dialect)
    rewarded = EpisodeReward(StepLimit(env, 1), {"call_and_answer": 1.0})
    rewarded.reset(seed=0)
    assert rewarded.step(action)[1] == both
