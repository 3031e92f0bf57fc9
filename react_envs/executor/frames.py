"""Length-prefixed JSON: the only language that a trainer and its sandbox speak.

A frame is four bytes of length (big-endian) and that many bytes of ASCII JSON. Requests come
from the trainer and are trusted; replies come from a process that ran a model's code and are
believed in nothing: their length is bounded before they are read, their shape is checked, and
all that they can carry is text. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any, get_args

from react_envs.executor.result import Status

__all__ = [
    "HEADER_BYTES",
    "ORDER",
    "FrameError",
    "Reply",
    "decode_reply",
    "encode",
    "parse",
    "payload_bytes",
    "reply_bound",
]

HEADER_BYTES = 4
ORDER = struct.Struct(">cQ")
"""An order to a zygote, on a socket of its own: `b"S"` (spawn) or `b"K"` (kill), a child's id."""
ERROR_CHARS = 8_000
"""Longest error text that a reply may carry; the child cuts at it."""
VALUE_CHARS = 8_000
"""Longest `repr` of a last expression that a reply may carry; the child cuts at it."""
CUT_NOTE_CHARS = 64
"""Room for the note that marks a cut."""

_STATUSES = frozenset(get_args(Status))
_print = json.JSONEncoder(separators=(",", ":")).encode
parse = json.JSONDecoder().decode
"""`json.loads` for text, without its questions."""


class FrameError(ValueError):
    """A frame is too long, is not JSON or has the wrong shape."""


@dataclass(slots=True)
class Reply:
    """A child's answer to one request, checked."""

    status: Status
    stdout: str
    stderr: str
    error: str | None
    value: str | None
    truncated: bool
    cpu_s: float
    fresh: bool
    """True if the snippet ran without the variables of earlier ones (see `child.py`)."""
    last: bool
    """True if the child exits after this reply."""


_FIELDS = Reply.__dataclass_fields__.keys()


def encode(message: object) -> bytes:
    """The frame of a JSON value; lone surrogates pass as escapes."""
    payload = _print(message).encode("ascii")
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


def payload_bytes(header: bytes | bytearray) -> int:
    """Length that the first four bytes of a frame announce."""
    return int.from_bytes(header[:HEADER_BYTES], "big")


def reply_bound(output_chars: int) -> int:
    """Most bytes that an honest reply can take (JSON escapes a character in up to 12)."""
    chars = 2 * (output_chars + CUT_NOTE_CHARS) + ERROR_CHARS + VALUE_CHARS + 2 * CUT_NOTE_CHARS
    return 1024 + 12 * chars


def decode_reply(payload: bytes | bytearray, output_chars: int) -> Reply:
    """Parse and check the payload of a reply.

    Raises:
        FrameError: for anything but a reply that an honest child could have sent.
    """
    try:
        fields = parse(payload.decode("ascii"))
    # Deep nesting ends in RecursionError, a number of 5,000 digits in ValueError.
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {type(error).__name__}") from None
    if type(fields) is not dict or fields.keys() != _FIELDS:
        raise FrameError("not the fields of a reply")
    reply = Reply(**fields)
    if type(reply.status) is not str or reply.status not in _STATUSES:
        raise FrameError("unknown status")
    if type(reply.cpu_s) is not float or not 0 <= reply.cpu_s < math.inf:
        raise FrameError("cpu_s is not a time")
    if not (type(reply.truncated) is type(reply.fresh) is type(reply.last) is bool):
        raise FrameError("a flag is not a boolean")
    reply.stdout = _text(reply.stdout, output_chars)
    reply.stderr = _text(reply.stderr, output_chars)
    if reply.error is not None:
        reply.error = _text(reply.error, ERROR_CHARS)
    if reply.value is not None:
        reply.value = _text(reply.value, VALUE_CHARS)
    return reply


def _text(field: Any, max_chars: int) -> str:
    """`field` as text that encodes as UTF-8."""
    if type(field) is not str or len(field) > max_chars + CUT_NOTE_CHARS:
        raise FrameError(f"expected text of at most {max_chars} characters and a note")
    if field.isascii():
        return field
    return field.encode("utf-8", "backslashreplace").decode("utf-8")
