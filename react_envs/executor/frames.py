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
_REQUEST = struct.Struct(">II")
"""Bytes of the payload, bytes of its replay; the replay and the code follow."""
_REPLY = struct.Struct(">IBBdIIII")
"""Bytes of the payload, status, flags, CPU seconds, and the characters of stdout, stderr, error
and value, which follow as one text."""
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
    source = code.encode("utf-8", "surrogatepass")
    before = json.dumps(replay).encode("ascii") if replay else b""
    size = _REQUEST.size - HEADER_BYTES + len(before) + len(source)
    return _REQUEST.pack(size, len(before)) + before + source


def decode_request(request: bytes) -> tuple[str, list[tuple[str, Status]]]:
    """What `encode_request` was given; the frame is the trainer's and needs no checks."""
    start = _REQUEST.size
    _, size = _REQUEST.unpack_from(request)
    replay = json.loads(request[start : start + size]) if size else []
    return request[start + size :].decode("utf-8", "surrogatepass"), replay


def encode_reply(reply: Reply) -> bytes:
    """The frame of a reply; lone surrogates pass."""
    stdout, stderr = reply.stdout, reply.stderr
    error, value = reply.error or "", reply.value or ""
    texts = (stdout + stderr + error + value).encode("utf-8", "surrogatepass")
    flags = (
        reply.truncated * _TRUNCATED
        | reply.fresh * _FRESH
        | reply.last * _LAST
        | (reply.error is not None) * _HAS_ERROR
        | (reply.value is not None) * _HAS_VALUE
    )
    head = _REPLY.pack(
        _REPLY.size - HEADER_BYTES + len(texts),
        _CODES[reply.status],
        flags,
        reply.cpu_s,
        len(stdout),
        len(stderr),
        len(error),
        len(value),
    )
    return head + texts


def reply_bound(output_chars: int) -> int:
    """Most bytes that an honest reply can take (UTF-8 gives a character up to 4)."""
    chars = 2 * (output_chars + CUT_NOTE_CHARS) + ERROR_CHARS + VALUE_CHARS + 2 * CUT_NOTE_CHARS
    return _REPLY.size + 4 * chars


def decode_reply(reply: bytes | bytearray, output_chars: int) -> Reply:
    """Parse and check the frame of a reply, whose length is known to be right.

    Raises:
        FrameError: for anything but a reply that an honest child could have sent.
    """
    try:
        _, code, flags, cpu_s, out, err, bad, last = _REPLY.unpack_from(reply)
        status = _STATUSES[code]
        texts = reply[_REPLY.size :].decode("utf-8", "surrogatepass")
    except (struct.error, IndexError, UnicodeDecodeError):
        raise FrameError("not the fields of a reply") from None
    if out + err + bad + last != len(texts) or flags > _ALL_FLAGS or not 0 <= cpu_s < math.inf:
        raise FrameError("not the fields of a reply")
    if (
        max(out, err) > output_chars + CUT_NOTE_CHARS
        or bad > ERROR_CHARS + CUT_NOTE_CHARS
        or last > VALUE_CHARS + CUT_NOTE_CHARS
    ):
        raise FrameError("a text is too long")
    stdout, stderr = texts[:out], texts[out : out + err]
    error = texts[out + err : len(texts) - last] if flags & _HAS_ERROR else None
    value = texts[len(texts) - last :] if flags & _HAS_VALUE else None
    if not texts.isascii():
        stdout, stderr = _printable(stdout), _printable(stderr)
        error = None if error is None else _printable(error)
        value = None if value is None else _printable(value)
    return Reply(
        status,
        stdout,
        stderr,
        error,
        value,
        flags & _TRUNCATED != 0,
        cpu_s,
        flags & _FRESH != 0,
        flags & _LAST != 0,
    )


def _printable(text: str) -> str:
    """`text` so that it encodes as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
