"""Tools: functions, objects, names, and what becomes of their exceptions."""

from __future__ import annotations

import copy
from typing import Any, Literal

import pytest
import requests

from react_envs.errors import ArgumentError, ToolError, ToolFailure
from react_envs.tools import Finish, PythonTool, Tool, as_tool, call_tool, make_tools
from react_envs.tools.tool import UNAVAILABLE
from react_envs.types import ToolResult


def double(x: int) -> str:
    """Double a number.

    Args:
        x: the number
    """
    return str(2 * x)


def failing(error: BaseException) -> Tool:
    def broken() -> str:
        """Fail."""
        raise error

    return as_tool(broken)


def test_a_typed_function_is_a_tool() -> None:
    tool = as_tool(double)
    assert (tool.name, tool.description) == ("double", "Double a number.")
    assert tool.spec["function"]["parameters"]["required"] == ["x"]
    assert call_tool(tool, {"x": 4}) == ToolResult("8")


@pytest.mark.parametrize(
    "thing", [lambda x: x, 3, None, int], ids=["lambda", "int", "none", "type"]
)
def test_what_is_no_tool_is_refused(thing: object) -> None:
    with pytest.raises(ArgumentError):
        as_tool(thing)  # type: ignore[arg-type]


def test_a_tool_without_docstring_or_name_is_refused() -> None:
    def silent(x: str) -> str:
        return x

    class Nameless(Tool):
        def __call__(self) -> str:
            """Do."""
            return ""

    with pytest.raises(ArgumentError, match="'silent' needs a docstring"):
        as_tool(silent)
    with pytest.raises(ArgumentError, match="Nameless needs a `name`"):
        as_tool(Nameless())


def test_a_tool_error_is_text_for_the_model() -> None:
    result = call_tool(failing(ToolError("no such page")), {})
    assert result == ToolResult("Error: no such page", ok=False)


def test_an_exception_of_the_tool_is_text_for_the_model_and_recorded() -> None:
    result = call_tool(failing(ZeroDivisionError("division by zero")), {})
    assert result.text == "Error: ZeroDivisionError: division by zero"
    assert (result.ok, result.failure) == (False, None)
    assert result.meta["exception"] == "ZeroDivisionError"


def test_a_wrong_path_is_the_models_mistake() -> None:
    result = call_tool(failing(FileNotFoundError("no file x")), {})
    assert result.failure is None
    assert "no file x" in result.text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ToolFailure("index gone", "index"), "index"),
        (TimeoutError("late"), "TimeoutError"),
        (ConnectionResetError("cut"), "ConnectionResetError"),
        (requests.exceptions.ReadTimeout("http://secret-host"), "ReadTimeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_worlds_failure_is_typed_and_its_text_never_reaches_the_model(
    error: Exception, kind: str
) -> None:
    result = call_tool(failing(error), {})
    assert (result.text, result.ok, result.failure) == (UNAVAILABLE, False, kind)
    assert result.meta["message"] == str(error)


def test_tools_by_name_with_options_and_as_objects() -> None:
    tools = make_tools(["finish", {"name": "python", "cpu_limit_s": 2.0}, double])
    assert [tool.name for tool in tools] == ["finish", "python", "double"]


@pytest.mark.parametrize(
    ("tools", "told"),
    [
        ("python", "got the string 'python'"),
        (["pyhton"], "unknown tool 'pyhton'; known by name: finish, python"),
        ([{"name": "python", "cpu_limit": 2}], "does not take {'cpu_limit': 2}"),
        ([{"cpu_limit_s": 2}], "unknown tool None"),
        ([double, double], "different names"),
    ],
    ids=["string", "typo", "option", "no-name", "twice"],
)
def test_unusable_tools_raise_at_once(tools: object, told: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        make_tools(tools)  # type: ignore[arg-type]
    assert told in str(raised.value)


def test_finish_is_never_run() -> None:
    with pytest.raises(RuntimeError):
        Finish()("42")


def test_a_copied_python_tool_does_not_share_its_session() -> None:
    tool = PythonTool()
    tool("x = 1")
    other = copy.copy(tool)
    assert "NameError" in other("print(x)").text
    assert tool("print(x)").text == "1"
    tool.close()
    other.close()


def test_a_tool_that_exits_or_returns_nonsense_is_text_for_the_model() -> None:
    class Nonsense:
        def __str__(self) -> str:
            raise ValueError("no text")

    def nonsense() -> str:
        """Return nonsense."""
        return Nonsense()  # type: ignore[return-value]

    assert call_tool(failing(SystemExit(3)), {}).text == "Error: SystemExit: 3"
    assert call_tool(as_tool(nonsense), {}).text == "Error: ValueError: no text"


def test_a_long_message_of_an_exception_is_cut() -> None:
    assert len(call_tool(failing(ValueError("x" * 10**6)), {}).text) < 1_100
    assert len(call_tool(failing(ToolError("x" * 10**6)), {}).text) < 1_100


def test_functions_that_no_call_could_use_are_refused() -> None:
    async def later(x: str) -> str:
        """Do it later."""
        return x

    def positional(x: str, /) -> str:
        """Do it."""
        return x

    def mixed(x: Literal[None, "a"]) -> str:
        """Do it."""
        return str(x)

    def strange(x: Any = object) -> str:
        """Do it."""
        return str(x)

    told = ["is async", "named parameters only", "has type", "must be a JSON value"]
    functions: list[Any] = [later, positional, mixed, strange]
    for function, message in zip(functions, told, strict=True):
        with pytest.raises(ArgumentError, match=message):
            as_tool(function)
