"""Tools that an agent can call, and `make_tools`, which takes them by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from react_envs.errors import ArgumentError
from react_envs.tools.finish import Finish
from react_envs.tools.pages import LookupTool, PageSearchTool, Think, page_tools
from react_envs.tools.passages import PassageSearchTool
from react_envs.tools.python import PythonTool
from react_envs.tools.tool import FunctionTool, Tool, as_tool, call_tool

__all__ = [
    "TOOLS",
    "Finish",
    "FunctionTool",
    "LookupTool",
    "PageSearchTool",
    "PassageSearchTool",
    "PythonTool",
    "Think",
    "Tool",
    "as_tool",
    "call_tool",
    "make_tools",
    "page_tools",
]

TOOLS: dict[str, Callable[..., Tool]] = {
    "python": PythonTool,
    "finish": Finish,
    "think": Think,
}
"""What a name in `tools=[...]` stands for. Pass an object to use any other tool."""


def make_tools(tools: Iterable[str | Mapping[str, Any] | Tool | Callable[..., Any]]) -> list[Tool]:
    """Tools from names, `{"name": ..., **options}`, typed functions and `Tool` objects.

    Names and mappings are plain JSON, so an environment made with them keeps a spec that
    can be written to JSON.

    Raises:
        ArgumentError: for an unknown name or option, or two tools of one name.

    >>> [tool.name for tool in make_tools(["python", {"name": "finish"}])]
    ['python', 'finish']
    """
    if isinstance(tools, str):
        raise ArgumentError(
            f"expected a list of tools, got the string {tools!r}: write [{tools!r}]"
        )
    if not isinstance(tools, Iterable):
        raise ArgumentError(f"expected a list of tools, got {tools!r}: write [] for none")
    made = [_make_tool(tool) for tool in tools]
    names = [tool.name for tool in made]
    if len(set(names)) < len(names):
        raise ArgumentError(f"tools need different names, got {names}")
    return made


def _make_tool(tool: Any) -> Tool:
    options: dict[str, Any] = {}
    if isinstance(tool, Mapping):
        options = dict(tool)
        tool = options.pop("name", None)
    if isinstance(tool, str) and tool in TOOLS:
        try:
            return as_tool(TOOLS[tool](**options))
        except TypeError as error:
            raise ArgumentError(f"tool {tool!r} does not take {options}: {error}") from error
    if isinstance(tool, str) or tool is None:
        raise ArgumentError(f"unknown tool {tool!r}; known by name: {', '.join(sorted(TOOLS))}")
    return as_tool(tool)
