"""What a tool is: a typed function with a docstring, or a small object with a lifecycle."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from react_envs.errors import ArgumentError, ToolError, ToolFailure, is_world_failure
from react_envs.tools.schema import parameters_of
from react_envs.types import Task, ToolResult

__all__ = ["FunctionTool", "Tool", "as_tool", "call_tool", "failing_as_the_world"]

UNAVAILABLE = "Error: the tool is unavailable at the moment; there is no result."
"""What the model reads when the world failed. The kind of failure is in `info` only."""


class Tool:
    """A tool with state: subclass it, set `name` and write a typed `__call__`.

    `start` is called when an episode begins and `close` when its environment closes. Each
    environment works on its own deep copy of the tools it was given. What cannot or should
    not be copied (a connection, a large index) is made in `start`, or kept by a
    `__deepcopy__` of the tool.

    >>> class Counter(Tool):
    ...     name = "count"
    ...     def start(self, task, seed):
    ...         self.calls = 0
    ...     def __call__(self, step: int = 1) -> str:
    ...         '''Count the calls of this episode.'''
    ...         self.calls += step
    ...         return str(self.calls)
    >>> counter = Counter()
    >>> counter.description, list(counter.parameters["properties"])
    ('Count the calls of this episode.', ['step'])
    """

    name: str = ""

    if TYPE_CHECKING:
        # each tool has parameters of its own
        __call__: Callable[..., ToolResult | str]

    @property
    def _function(self) -> Callable[..., Any]:
        if not callable(self):
            raise ArgumentError(f"{type(self).__name__} needs a typed __call__")
        return type(self).__call__

    @cached_property
    def description(self) -> str:
        """What the tool does, for the prompt: the docstring up to its `Args:`."""
        docstring = inspect.getdoc(self._function) or ""
        return " ".join(docstring.split("\nArgs:")[0].split())

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        return parameters_of(self._function)

    @property
    def spec(self) -> dict[str, Any]:
        """Name, description and schema as chat APIs write a function; the caller may change it."""
        function = {"name": self.name, "description": self.description}
        return {
            "type": "function",
            "function": {**function, "parameters": copy.deepcopy(self.parameters)},
        }

    def start(self, task: Task, seed: int) -> None:
        """Forget the last episode; `seed` fixes whatever is random in this one."""

    def overhear(self, episode: str, action: str, observe: Callable[[str], str]) -> None:
        """Before each call: the episode's text so far, the turn that makes the call included.

        Most tools have no use for it. `action` is what is kept of the turn: the `Completion` with
        its token ids, if the agent gave one and nothing of it was cut. `observe` writes a result
        as the observation it will be.
        """

    def close(self) -> None:
        """Release what the tool holds; it may be used again afterwards."""


class FunctionTool(Tool):
    """A typed function with a docstring as a tool; name and schema are taken from it."""

    def __init__(self, function: Callable[..., ToolResult | str]) -> None:
        self.function = function
        self.name = function.__name__

    @property
    def _function(self) -> Callable[..., Any]:
        return self.function

    def __call__(self, **arguments: Any) -> ToolResult | str:
        return self.function(**arguments)


def as_tool(tool: Tool | Callable[..., ToolResult | str]) -> Tool:
    """`tool` itself, or a `FunctionTool` around a plain function.

    Raises:
        ArgumentError: for anything else, a lambda, a missing docstring or a parameter
            whose type has no JSON schema.
    """
    if not isinstance(tool, Tool):
        if not inspect.isroutine(tool) or tool.__name__ == "<lambda>":
            raise ArgumentError(
                f"expected a tool to be a Tool, a typed function or a tool's name, got {tool!r}"
            )
        tool = FunctionTool(tool)
    if not tool.name:
        raise ArgumentError(f"{type(tool).__name__} needs a `name`")
    if not tool.description:
        raise ArgumentError(f"tool {tool.name!r} needs a docstring: the model reads it")
    if inspect.iscoroutinefunction(tool._function):
        raise ArgumentError(f"tool {tool.name!r} is async; expected a function that returns text")
    tool.parameters  # noqa: B018 - raises here, not in the middle of an episode
    return tool


def call_tool(tool: Tool, arguments: Mapping[str, Any]) -> ToolResult:
    """Run `tool` with checked arguments; whatever happens inside becomes a `ToolResult`.

    After a failure of the world (`react_envs.errors.is_world_failure`) the model reads one
    fixed sentence and `failure` has the kind. `ToolError` and any other exception are the
    model's to read, `SystemExit` included.
    """
    try:
        result = tool(**arguments)
        return result if isinstance(result, ToolResult) else ToolResult(str(result))
    except ToolError as error:
        return ToolResult(f"Error: {_cut(str(error))}", ok=False)
    except (Exception, SystemExit) as error:
        message = _message(error)
        why = {"exception": type(error).__name__, "message": message}
        if is_world_failure(error):
            kind = getattr(error, "kind", type(error).__name__)
            return ToolResult(UNAVAILABLE, ok=False, failure=kind, meta=why)
        return ToolResult(f"Error: {type(error).__name__}: {_cut(message)}", False, meta=why)


@contextmanager
def failing_as_the_world(kind: str = "source") -> Iterator[None]:
    """Whatever a source of documents raises is the world's failure, never text for the model.

    A page that cannot be read, a server that sends nonsense: what their code happens to raise
    says nothing that the agent did. `ToolError` and the world's own errors pass as they are,
    others become a `ToolFailure` of this `kind`.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ToolError) or is_world_failure(error):
            raise
        raise ToolFailure(f"{type(error).__name__}: {error}", kind) from error


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be read)"


def _cut(message: str) -> str:
    return message if len(message) <= 1_000 else message[:1_000] + " ... (cut)"
