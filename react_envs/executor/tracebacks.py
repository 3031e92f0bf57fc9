"""What the model reads when its code fails: the snippet's own frames, no host paths, bounded."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from types import FrameType, TracebackType
from typing import Any

from react_envs.executor.ownership import FILENAME_PREFIX, is_snippet_class

__all__ = ["MAX_FRAMES", "describe_exception", "failing_line", "format_snippet_error"]

MAX_FRAMES = 6
"""Frames shown; of a longer traceback, the outermost and the innermost halves."""

_MAX_CHARS = 4000
_MAX_SOURCE_CHARS = 200
_STR_STEPS = 100_000


def format_snippet_error(error: BaseException, sources: Mapping[str, str]) -> str:
    """Traceback of `error` as CPython prints it, of the snippet's frames only.

    Args:
        error: what the snippet raised; code in its `__str__` runs, but only for `_STR_STEPS` steps.
        sources: text of each snippet by file name.
    """
    frames = _snippet_frames(error.__traceback__)
    lines = ["Traceback (most recent call last):"] if frames else []
    half = MAX_FRAMES // 2
    for position, (filename, line, function) in enumerate(frames):
        if len(frames) > MAX_FRAMES and half <= position < len(frames) - half:
            if position == half:
                lines.append(f"  [{len(frames) - MAX_FRAMES} more frames]")
            continue
        lines.append(f'  File "{filename}", line {line}, in {function[:100]}')
        text = sources.get(filename, "").splitlines()
        if 0 < line <= len(text) and text[line - 1].strip():
            lines.append(f"    {text[line - 1].strip()[:_MAX_SOURCE_CHARS]}")
    lines.append(describe_exception(error))
    return "\n".join(lines)


def failing_line(error: BaseException) -> int | None:
    """Line of the innermost frame of the snippet, None if there is none."""
    frames = _snippet_frames(error.__traceback__)
    return frames[-1][1] if frames else None


def _snippet_frames(trace: TracebackType | None) -> list[tuple[str, int, str]]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(FILENAME_PREFIX):
            frames.append((code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return frames


def describe_exception(error: BaseException) -> str:
    """The last lines of a traceback, `ValueError: message`; never raises, never loops."""
    kind = type(error)
    # Anything but plain values may run the snippet's code.
    plain = not is_snippet_class(kind) and all(
        type(arg) in _PLAIN_TYPES for arg in (*_args_of(error), *_notes_of(error))
    )
    try:
        text = _exception_only(error) if plain else _bounded(lambda: _exception_only(error))
    except Exception:
        text = f"{_name(kind)}: <unprintable message>"
    text = text.rstrip("\n")
    if len(text) > _MAX_CHARS:
        half = _MAX_CHARS // 2
        text = f"{text[:half]} ... [{len(text) - _MAX_CHARS} characters cut] ... {text[-half:]}"
    return text


_PLAIN_TYPES = {str, int, float, bytes, bool, type(None)}
_args_of: Callable[[BaseException], tuple[Any, ...]] = BaseException.args.__get__  # type: ignore[attr-defined]


def _notes_of(error: BaseException) -> list[Any]:
    notes = getattr(error, "__notes__", [])
    return notes if type(notes) is list else [notes]


def _name(kind: type) -> str:
    return str(type.__dict__["__name__"].__get__(kind))[:100]


def _exception_only(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error))


class _TooLong(Exception):
    pass


def _bounded(work: Callable[[], str]) -> str:
    """Result of `work`; `_TooLong` once it has run `_STR_STEPS` steps of Python."""
    steps = 0

    def count(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps > _STR_STEPS:
            raise _TooLong
        frame.f_trace_opcodes = True  # a loop within one line makes no line events
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return work()
    finally:
        sys.settrace(before)
