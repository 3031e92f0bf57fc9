"""Length-prefixed frames of text: the only language that a trainer and its sandbox speak.

A frame is four bytes of length (big-endian) and that many bytes of payload. Requests come from
the trainer and are trusted; replies come from a process that ran a model's code and are believed
in nothing: their length is bounded before they are read, a fixed layout of numbers and texts is
all that they can carry, and each field is checked. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from react_envs.executor.result import Status

__all__ = [
    "HEADER_BYTES",
    "ORDER",
    "FrameError",
    "Reply",
    "decode_reply",
    "decode_request",
    "encode_reply",
    "encode_request",
    "frame",
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

_STATUSES = get_args(Status)
_CODES = {status: code for code, status in enumerate(_STATUSES)}
_REPLY = struct.Struct(">BBdIIII")
"""Status, flags, CPU seconds, then the bytes of stdout, stderr, error and value, which follow."""
_TRUNCATED, _FRESH, _LAST, _HAS_ERROR, _HAS_VALUE = 1, 2, 4, 8, 16
_ALL_FLAGS = 31


class FrameError(ValueError):
    """A frame is too long or has the wrong shape."""


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


def frame(payload: bytes) -> bytes:
    """`payload` with its length before it."""
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


def payload_bytes(header: bytes | bytearray) -> int:
    """Length that the first four bytes of a frame announce."""
    return int.from_bytes(header[:HEADER_BYTES], "big")


def encode_request(code: str, replay: Sequence[tuple[str, Status]]) -> bytes:
    """The frame that asks a child to run `code` after the snippets of `replay`."""
    before = json.dumps(replay).encode("ascii") if replay else b""
    source = code.encode("utf-8", "surrogatepass")
    return b"".join(
        (
            (HEADER_BYTES + len(before) + len(source)).to_bytes(HEADER_BYTES, "big"),
            len(before).to_bytes(HEADER_BYTES, "big"),
            before,
            source,
        )
    )


def decode_request(payload: bytes) -> tuple[str, list[tuple[str, Status]]]:
    """What `encode_request` was given; it is the trainer's and needs no checks."""
    start = HEADER_BYTES + payload_bytes(payload)
    replay = json.loads(payload[HEADER_BYTES:start]) if start > HEADER_BYTES else []
    return payload[start:].decode("utf-8", "surrogatepass"), replay


def encode_reply(reply: Reply) -> bytes:
    """The frame of a reply; lone surrogates pass."""
    flags = (
        reply.truncated * _TRUNCATED
        | reply.fresh * _FRESH
        | reply.last * _LAST
        | (reply.error is not None) * _HAS_ERROR
        | (reply.value is not None) * _HAS_VALUE
    )
    stdout = reply.stdout.encode("utf-8", "surrogatepass")
    stderr = reply.stderr.encode("utf-8", "surrogatepass")
    error = (reply.error or "").encode("utf-8", "surrogatepass")
    value = (reply.value or "").encode("utf-8", "surrogatepass")
    sizes = len(stdout), len(stderr), len(error), len(value)
    head = _REPLY.pack(_CODES[reply.status], flags, reply.cpu_s, *sizes)
    length = (len(head) + sum(sizes)).to_bytes(HEADER_BYTES, "big")
    return b"".join((length, head, stdout, stderr, error, value))


def reply_bound(output_chars: int) -> int:
    """Most payload bytes that an honest reply can take (UTF-8 gives a character up to 4)."""
    chars = 2 * (output_chars + CUT_NOTE_CHARS) + ERROR_CHARS + VALUE_CHARS + 2 * CUT_NOTE_CHARS
    return _REPLY.size + 4 * chars


def decode_reply(payload: bytes | bytearray, output_chars: int) -> Reply:
    """Parse and check the payload of a reply.

    Raises:
        FrameError: for anything but a reply that an honest child could have sent.
    """
    try:
        code, flags, cpu_s, *sizes = _REPLY.unpack_from(payload)
        status = _STATUSES[code]
    except (struct.error, IndexError):
        raise FrameError("not the fields of a reply") from None
    if flags > _ALL_FLAGS or len(payload) != _REPLY.size + sum(sizes):
        raise FrameError("not the fields of a reply")
    if not 0 <= cpu_s < math.inf:
        raise FrameError("cpu_s is not a time")
    stdout_end = _REPLY.size + sizes[0]
    stderr_end = stdout_end + sizes[1]
    error_end = stderr_end + sizes[2]
    error = _text(payload[stderr_end:error_end], ERROR_CHARS)
    value = _text(payload[error_end:], VALUE_CHARS)
    return Reply(
        status,
        _text(payload[_REPLY.size : stdout_end], output_chars),
        _text(payload[stdout_end:stderr_end], output_chars),
        error if flags & _HAS_ERROR else None,
        value if flags & _HAS_VALUE else None,
        flags & _TRUNCATED != 0,
        cpu_s,
        flags & _FRESH != 0,
        flags & _LAST != 0,
    )


def _text(field: bytes | bytearray, max_chars: int) -> str:
    """`field` as text that encodes as UTF-8."""
    if not field:
        return ""
    try:
        text = field.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise FrameError("a text is not UTF-8") from None
    if len(text) > max_chars + CUT_NOTE_CHARS:
        raise FrameError(f"expected text of at most {max_chars} characters and a note")
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
