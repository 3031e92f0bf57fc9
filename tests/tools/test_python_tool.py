"""The `python` tool of the environments."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from react_envs.errors import ArgumentError
from react_envs.tools import PythonTool, call_tool
from react_envs.types import Task

TASK = Task("?", ("1",))


@pytest.fixture
def tool() -> Iterator[PythonTool]:
    tool = PythonTool()
    tool.start(TASK, seed=5)
    yield tool
    tool.close()


def test_variables_persist_within_an_episode_and_never_across(tool: PythonTool) -> None:
    assert call_tool(tool, {"code": "x = 20"}).text == "(no output; use print())"
    assert call_tool(tool, {"code": "print(x + 1)"}).text == "21"
    tool.start(TASK, seed=6)
    assert "NameError" in call_tool(tool, {"code": "print(x)"}).text


def test_the_episodes_seed_fixes_random(tool: PythonTool) -> None:
    draw = {"code": "import random; print(random.random())"}
    first = call_tool(tool, draw).text
    assert 0 <= float(first) < 1
    tool.start(TASK, seed=5)
    assert call_tool(tool, draw).text == first
    tool.start(TASK, seed=6)
    assert call_tool(tool, draw).text != first


def test_an_error_in_the_code_is_text_and_not_ok(tool: PythonTool) -> None:
    result = call_tool(tool, {"code": "1 / 0"})
    assert not result.ok
    assert result.failure is None
    assert result.text.endswith("ZeroDivisionError: division by zero")
    assert result.meta["status"] == "error"


def test_meta_says_whether_something_was_printed_and_what_holds_the_code(tool: PythonTool) -> None:
    silent = call_tool(tool, {"code": "x = 1"}).meta
    loud = call_tool(tool, {"code": "print(1)"}).meta
    assert (silent["printed"], loud["printed"]) == (False, True)
    assert loud["isolation"] == tool.session.isolation["level"]


def test_a_pickled_tool_starts_its_own_session(tool: PythonTool) -> None:
    call_tool(tool, {"code": "x = 1"})
    copied = pickle.loads(pickle.dumps(tool))
    assert "NameError" in call_tool(copied, {"code": "print(x)"}).text
    assert call_tool(tool, {"code": "print(x)"}).text == "1"
    copied.close()


def test_a_closed_tool_works_again(tool: PythonTool) -> None:
    tool.close()
    assert call_tool(tool, {"code": "print(2)"}).text == "2"


def test_wrong_options_raise_when_the_tool_is_made() -> None:
    with pytest.raises(ArgumentError, match="cpu_limit_s"):
        PythonTool(cpu_limit_s=-1)
    with pytest.raises(TypeError):
        PythonTool(cpu_limit=1)


def test_retools_fault_with_programs_that_print_nothing_is_a_switch() -> None:
    published = PythonTool(retool_no_print=True)
    published.start(TASK, seed=5)
    result = call_tool(published, {"code": "1 + 1"})
    assert (result.text, result.ok) == (
        "TypeError: a bytes-like object is required, not 'list'", False,
    )  # fmt: skip
    assert call_tool(published, {"code": "print(1 + 1)"}).text == "2"
    assert "ZeroDivisionError" in call_tool(published, {"code": "1 / 0"}).text
    published.close()
    mended = PythonTool(show_last_value=True)
    mended.start(TASK, seed=5)
    assert call_tool(mended, {"code": "1 + 1"}).text == "2"
    mended.close()
