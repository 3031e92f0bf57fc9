"""One episode's Python: runs snippets under the policy and turns what happens into an `Outcome`.

Usable in-process, for tests and for trusted code; only the operating-system layer around it is a
boundary. Within one process, `run` is not for several threads at once: `sys.stdout` and the
`warnings` filters are exchanged while a snippet runs, and sympy's own random numbers are shared.
"""

from __future__ import annotations

import contextvars
import re
import sys
import warnings
from dataclasses import dataclass
from typing import Any, Literal

from react_envs.executor.episode import Modules, SnippetStream, Streams, TextWriter
from react_envs.executor.ownership import FILENAME_PREFIX
from react_envs.executor.policy import LAST_VALUE, NotAllowed, compile_snippet
from react_envs.executor.snippet_builtins import make_builtins
from react_envs.executor.tracebacks import describe_exception, failing_line, format_snippet_error

__all__ = ["MAX_SOURCE_BYTES", "Interpreter", "Outcome", "TextWriter", "TimeLimitExceeded"]

MAX_SOURCE_BYTES = 64 * 1024
"""Longest source in UTF-8; a longer one is refused before it is compiled."""


class TimeLimitExceeded(BaseException):
    """Raised inside a snippet by the process's CPU timer, again and again until it ends."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a snippet ended."""

    status: Literal["ok", "error", "blocked", "timeout", "memory"]
    """`blocked`: the policy refused something and the snippet did not catch the refusal."""
    error: str | None = None
    """What the model reads: a trimmed traceback, a syntax error or the policy's refusal."""
    value: str | None = None
    """`repr` of a trailing expression, if asked for and not None."""


_OK = Outcome("ok")


class Interpreter:
    """One episode's namespace: variables persist across `run`, also after an error.

    >>> import io
    >>> python, out, err = Interpreter(seed=1), io.StringIO(), io.StringIO()
    >>> python.run("import math; r = 2", out, err).status
    'ok'
    >>> python.run("print(round(math.pi * r**2, 2))", out, err).status, out.getvalue()
    ('ok', '12.57\\n')
    >>> python.run("import os", out, err).error.partition(";")[0]
    "line 1: import of 'os' is not allowed"
    """

    def __init__(self, *, seed: int = 0, show_last_value: bool = False) -> None:
        """Start an episode.

        Args:
            seed: fixes `random`, `numpy.random` and what else would differ between runs.
            show_last_value: report the value of a trailing expression, as a notebook does.
        """
        self._show_last_value = show_last_value
        self._streams = Streams()
        self._stdout = SnippetStream(self._streams, "out")
        self._stderr = SnippetStream(self._streams, "err")
        self._modules = Modules(seed, self._streams)
        self._runs = 0
        self._sources: dict[str, str] = {}
        self._namespace: dict[str, Any] = {"__name__": "__main__", "__doc__": None}
        self._namespace["__builtins__"] = make_builtins(
            self._namespace, self._streams, self._modules, self._remember_string
        )
        self._context = contextvars.Context()  # decimal and numpy keep their settings in it
        self._filters: Any = list(_DEFAULT_FILTERS)

    def run(
        self, source: str, stdout: TextWriter, stderr: TextWriter, time_limit_s: float | None = None
    ) -> Outcome:
        """Run `source`; whatever it does, an `Outcome` comes back.

        Args:
            source: Python text, with or without a Markdown fence around it.
            stdout: receives what the snippet prints, as it prints it. Its `write` must not
                print to `sys.stdout`, which leads back to it while a snippet runs.
            stderr: receives its warnings.
            time_limit_s: limit of the timer that raises `TimeLimitExceeded`, for the message.
        """
        try:
            return self._run(source, stdout, stderr)
        except TimeLimitExceeded:
            limit = "its time limit" if time_limit_s is None else f"{time_limit_s:g} seconds"
            return Outcome("timeout", f"execution exceeded {limit}")
        except MemoryError:
            return Outcome("memory", "MemoryError: the memory limit was exceeded")

    def _run(self, source: str, stdout: TextWriter, stderr: TextWriter) -> Outcome:
        self._streams.out, self._streams.err = stdout, stderr
        before = _enter(self._stdout, self._stderr)
        try:
            compiled = self._compile(source)
            if type(compiled) is Outcome:
                return compiled
            _filter_warnings(self._filters)
            if self._modules.recursion_limit is not None:
                sys.setrecursionlimit(max(self._modules.recursion_limit, sys.getrecursionlimit()))
            self._context.run(exec, compiled, self._namespace)
            value = self._namespace.pop(LAST_VALUE, None)
            return _OK if value is None else Outcome("ok", value=str.__str__(repr(value)))
        except (TimeLimitExceeded, MemoryError):
            raise
        except SystemExit as error:
            return self._exit(error, stderr)
        except NotAllowed as error:
            line = failing_line(error)
            message = describe_exception(error).partition(": ")[2]
            return Outcome("blocked", f"line {line}: {message}" if line else message)
        except BaseException as error:
            return Outcome("error", format_snippet_error(error, self._sources))
        finally:
            if warnings.filters is not _SILENT:
                self._filters = warnings.filters
            _leave(before)

    def _compile(self, source: str) -> Any:
        """The code object of `source`, or the `Outcome` that says why there is none."""
        if not isinstance(source, str):
            return Outcome(
                "error", f"TypeError: the code must be text, not {type(source).__name__}"
            )
        source = without_fence(str.__str__(source))
        size = len(source) if source.isascii() else len(source.encode("utf-8", "replace"))
        if size > MAX_SOURCE_BYTES:
            return Outcome(
                "error", f"the code is {size:,} bytes long; the limit is {MAX_SOURCE_BYTES:,} bytes"
            )
        filename = self._remember(source)
        try:
            return compile_snippet(source, filename, keep_last_value=self._show_last_value)
        except NotAllowed as error:
            return Outcome("blocked", str(error))
        except UnicodeEncodeError:
            return Outcome("error", "SyntaxError: the code holds lone surrogates")
        except ValueError as error:
            return Outcome("error", f"SyntaxError: {error}")
        except SyntaxError as error:
            return Outcome("error", describe_exception(error))
        except (RecursionError, MemoryError):
            return Outcome("error", "SyntaxError: the code is nested too deeply")
        except OverflowError as error:
            return Outcome("error", f"SyntaxError: {error}")

    def _remember(self, source: str) -> str:
        """Keep `source` for tracebacks; the file name under which they find it."""
        self._runs += 1
        filename = f"{FILENAME_PREFIX}>" if self._runs == 1 else f"{FILENAME_PREFIX} {self._runs}>"
        self._sources[filename] = source
        return filename

    def _remember_string(self, source: str) -> str:
        """The same for text that the snippet evaluates; only the latest is kept."""
        filename = f"{FILENAME_PREFIX} string>"
        self._sources[filename] = source
        return filename

    def _exit(self, error: SystemExit, stderr: TextWriter) -> Outcome:
        if isinstance(error.code, str):
            stderr.write(str.__str__(error.code) + "\n")
        return Outcome("ok")


_FENCE = re.compile(
    r"\s*```[ \t]*(?:python3?|py)?[ \t]*\r?\n(.*?)(?:\n?[ \t]*```)?\s*", re.S | re.I
)


def without_fence(source: str) -> str:
    """`source` without the Markdown fence that encloses all of it, if one does.

    >>> without_fence("```python\\nprint(1)\\n```")
    'print(1)'
    """
    if source.lstrip()[:3] != "```":
        return source
    match = _FENCE.fullmatch(source)
    return source if match is None else match[1]


_DEFAULT_FILTERS = [
    ("default", None, DeprecationWarning, "__main__", 0),
    ("ignore", None, DeprecationWarning, None, 0),
    ("ignore", None, PendingDeprecationWarning, None, 0),
    ("ignore", None, ImportWarning, None, 0),
    ("ignore", None, ResourceWarning, None, 0),
]


# While a snippet is compiled: what the compiler warns of is no output of the snippet.
_SILENT: Any = [("ignore", None, Warning, None, 0)]


def _filter_warnings(filters: Any) -> None:
    warnings.filters = filters
    warnings._filters_mutated()  # type: ignore[attr-defined]


def _enter(stdout: SnippetStream, stderr: SnippetStream) -> tuple[Any, ...]:
    """Exchange what the process has one of; returns what `_leave` needs to put it back."""
    before = (
        sys.stdout,
        sys.stderr,
        warnings.showwarning,
        sys.unraisablehook,
        warnings.filters,
        sys.getrecursionlimit(),
        sys.get_int_max_str_digits(),
    )
    sys.stdout, sys.stderr = stdout, stderr
    warnings.showwarning = _show_warning
    sys.unraisablehook = _show_unraisable
    _filter_warnings(_SILENT)
    return before


def _leave(before: tuple[Any, ...]) -> None:
    sys.stdout, sys.stderr, warnings.showwarning, sys.unraisablehook = before[:4]
    filters, depth, digits = before[4:]
    _filter_warnings(filters)
    sys.setrecursionlimit(depth)
    sys.set_int_max_str_digits(digits)


def _show_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Write what Python could not raise, from a destructor say, without the host's paths."""
    error = unraisable.exc_value
    if isinstance(error, TimeLimitExceeded):
        description = "the time limit was exceeded"
    else:
        description = "unknown" if error is None else format_snippet_error(error, {})
    place = getattr(unraisable.object, "__qualname__", None)
    where = f" in {place}" if type(place) is str else ""
    sys.stderr.write(f"Exception ignored{where}:\n{description}\n")


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Write a warning where the snippet's errors go, without the paths of the host."""
    place = f"{filename}:{lineno}: " if filename.startswith(FILENAME_PREFIX) else ""
    stream = sys.stderr if file is None else file
    stream.write(f"{place}{category.__name__}: {message}\n")
