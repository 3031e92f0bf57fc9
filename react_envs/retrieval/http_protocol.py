"""`HttpProtocol`: one connection of an HTTP/1.1 server that nobody can hold up.

httptools (llhttp, Node's parser) reads the requests. What is ours is when to stop: a request has to
be whole within a time and a size, whoever does not read the answers is cut off, and a connection
works on one request at a time. uvicorn has no such limits, hence not uvicorn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from react_envs.errors import MissingExtraError

try:
    import httptools
except ImportError as error:
    raise MissingExtraError.for_extra("httptools", "search") from error

__all__ = ["HttpProtocol", "Limits", "Reply", "Request"]

MAX_PIPELINED = 16
LINGER_S = 2.0
"""Seconds that a client has to read why it was refused."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask of a server."""

    body_bytes: int = 4 * 2**20
    header_bytes: int = 16 * 2**10
    connections: int = 1024
    read_s: float = 10.0
    """Seconds from the first byte of a request to its last."""
    write_s: float = 30.0
    """Seconds in which the client has to take an answer."""
    idle_s: float = 75.0
    """Seconds that a connection may be idle."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, JSON in bytes, further headers."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Request:
    """A request as it was read."""

    method: str = ""
    path: str = ""
    body: bytearray = field(default_factory=bytearray)
    keep_alive: bool = True


class HttpProtocol(asyncio.Protocol):
    """Reads requests of a connection, has each answered in turn, writes the answers.

    Args:
        answer: makes a reply of a request; must not raise.
        complain: makes a reply of a status and a reason, for what never became a request.
        limits: see `Limits`.
        connections: the open connections of the server, which this one joins.
    """

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Reply]],
        complain: Callable[[int, str], Reply],
        limits: Limits,
        connections: set[HttpProtocol],
    ) -> None:
        self._answer = answer
        self._complain = complain
        self._limits = limits
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._reading: Request | None = None
        self._framing: list[bytes] = []
        """Headers that say how long the body is."""
        self._header_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_request = False
        self._discarded = 0
        self._drained = asyncio.Event()
        self._drained.set()

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._connections) >= self._limits.connections:
            self._refuse(503, "too many connections")
            return
        self._connections.add(self)
        self._within(self._limits.idle_s, None)

    def connection_lost(self, exception: Exception | None) -> None:
        self._connections.discard(self)
        self._within(None, None)
        self._drained.set()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._last_request:
            self._discarded += len(data)
            if self._discarded > self._limits.body_bytes:
                self._transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # it is answered as if it had not asked for an upgrade
            if self._framing:
                self._read_body(data[upgrade.args[0] :])
            else:
                self._last_request = True
        except _TooMuchError as error:
            self._refuse(error.status, str(error))
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, _TooMuchError):
                self._refuse(cause.status, str(cause))
            else:
                self._refuse(400, f"expected HTTP/1.1: {error}")

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        self._reading = Request()
        self._framing = []
        self._header_bytes = 0
        if self._task is None:
            self._within(self._limits.read_s, "the request did not come in time")

    def on_url(self, url: bytes) -> None:
        self._count_header(len(url))
        assert self._reading is not None
        self._reading.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_header(len(name) + len(value))
        lower = name.lower()
        if lower in (b"content-length", b"transfer-encoding"):
            self._framing.append(name + b": " + value)
        if lower == b"expect" and value.lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif lower == b"content-length" and int(value) > self._limits.body_bytes:
            raise _TooMuchError(413, f"expected a body of at most {self._limits.body_bytes} bytes")

    def on_headers_complete(self) -> None:
        assert self._reading is not None
        self._reading.method = self._parser.get_method().decode("latin-1")
        self._reading.keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        assert self._reading is not None
        self._reading.body += body
        if len(self._reading.body) > self._limits.body_bytes:
            raise _TooMuchError(413, f"expected a body of at most {self._limits.body_bytes} bytes")

    def on_message_complete(self) -> None:
        assert self._reading is not None
        if self._framing and self._parser.should_upgrade():
            return  # its body comes yet, see data_received
        self._waiting.append(self._reading)
        self._reading = None
        if len(self._waiting) > MAX_PIPELINED:
            raise _TooMuchError(503, "too many requests at once on a connection")
        if self._task is None:
            self._within(None, None)
            self._task = self._loop.create_task(self._work())
        else:
            self._transport.pause_reading()

    # --- ours ---

    def _read_body(self, data: bytes) -> None:
        """Read a request anew whose body the parser took for another protocol's."""
        assert self._reading is not None
        line = f"{self._reading.method} {self._reading.path} HTTP/1.1".encode("latin-1")
        self._parser = httptools.HttpRequestParser(self)
        head = [line, *self._framing, b"Connection: close"]
        self.data_received(b"\r\n".join(head) + b"\r\n\r\n" + data)

    @property
    def busy(self) -> bool:
        """True while a request is being answered."""
        return self._task is not None

    def finish(self) -> None:
        """Close as soon as the request that is being answered, if any, has its answer."""
        self._last_request = True
        self._waiting.clear()
        if self._task is None:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    async def _work(self) -> None:
        while self._waiting:
            request = self._waiting.popleft()
            reply = await self._answer(request)
            self._last_request = self._last_request or not request.keep_alive
            self._write(reply, with_body=request.method != "HEAD")
            if not self._drained.is_set():
                self._within(self._limits.write_s, None)
                await self._drained.wait()
                self._within(None, None)
            if self._last_request:
                self._transport.close()
                # the answer may still be in our buffer, and the client may never take it
                self._within(self._limits.write_s, None)
                return
        self._task = None
        self._transport.resume_reading()
        if self._reading is None:
            self._within(self._limits.idle_s, None)
        else:
            self._within(self._limits.read_s, "the request did not come in time")

    def _write(self, reply: Reply, with_body: bool = True) -> None:
        lines = [
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
            "Content-Type: application/json",
            f"Content-Length: {len(reply.body)}",
            *(f"{name}: {value}" for name, value in reply.headers),
        ]
        if self._last_request:
            lines.append("Connection: close")
        head = "\r\n".join(lines) + "\r\n\r\n"
        self._transport.write(head.encode("latin-1") + (reply.body if with_body else b""))

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what is no request, or none in time, and close."""
        self._last_request = True
        self._reading = None
        self._waiting.clear()
        if self._task is None:
            self._write(self._complain(status, reason))
            # closing while the client still sends would destroy what it has not read yet
            self._transport.write_eof()
            self._within(LINGER_S, None)

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self._limits.header_bytes:
            raise _TooMuchError(
                431, f"expected headers of at most {self._limits.header_bytes} bytes"
            )

    def _within(self, seconds: float | None, complaint: str | None) -> None:
        """Replace the timer: after `seconds` complain, or close if there is nothing to say."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is None:
            return
        if complaint is None:
            self._timer = self._loop.call_later(seconds, self._transport.abort)
        else:
            self._timer = self._loop.call_later(seconds, self._refuse, 408, complaint)


class _TooMuchError(Exception):
    """A request goes beyond a limit."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
