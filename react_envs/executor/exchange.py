"""One request to a child and its reply, moved on whenever the socket allows it.

The child may be hostile: it may not read, reply in drops, too much or nonsense. So nothing here
waits for longer than the socket's time-out, and what it may send is bounded before it is kept.
"""

from __future__ import annotations

import os
import select
import socket

from react_envs.errors import ExecutorError
from react_envs.executor.frames import (
    HEADER_BYTES,
    FrameError,
    Reply,
    decode_reply,
    payload_bytes,
    reply_bound,
)

__all__ = ["Exchange"]

_GREETING_BOUND = 4096
_CHUNK_BYTES = 16_384


class Exchange:
    """A request on its way, then the reply on its way back."""

    __slots__ = ("_channel", "_output_chars", "_received", "_unsent", "greeted")

    def __init__(
        self, channel: socket.socket, request: bytes, output_chars: int, greeted: bool
    ) -> None:
        """Send of `request` what the socket takes now.

        Args:
            channel: a non-blocking socket; its time-out is for `receive` when nobody polled.
            request: frames for the child.
            output_chars: the session's limit.
            greeted: whether the child's first frame was read.
        """
        self._channel = channel
        self._unsent = request
        self._send()
        self._output_chars = output_chars
        self._received = bytearray()
        self.greeted = greeted
        """True once the child said that it is locked down."""

    @property
    def sent(self) -> bool:
        """True once the whole request is on its way."""
        return not self._unsent

    @property
    def events(self) -> int:
        """What to poll the socket for."""
        return select.POLLIN | select.POLLOUT if self._unsent else select.POLLIN

    def advance(self, events: int) -> Reply | None:
        """Go on as far as `events`, which poll gave, allow it; the reply once it is complete.

        Raises:
            ConnectionError: the child is gone.
            FrameError: it broke the protocol.
            ExecutorError: it could not be locked down.
        """
        if self._unsent:
            self._send()
        return None if events == select.POLLOUT else self.receive()

    def receive(self) -> Reply | None:
        """Wait for the next piece of the reply; the reply once it is complete.

        Raises:
            TimeoutError: nothing came within the socket's time-out.
            ConnectionError, FrameError, ExecutorError: as `advance`.
        """
        chunk = self._channel.recv(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionError("the child is gone")
        self._received += chunk
        if not self.greeted:
            greeting = self._payload(_GREETING_BOUND)
            if greeting is None:
                return None
            if greeting:
                error = greeting.decode("utf-8", "replace")
                raise ExecutorError(f"a child of the Python executor could not start: {error}")
            self.greeted = True
        payload = self._payload(reply_bound(self._output_chars))
        if payload is None:
            return None
        if self._received:
            raise FrameError("bytes after the reply")
        return decode_reply(payload, self._output_chars)

    def _send(self) -> None:
        try:
            sent = os.write(self._channel.fileno(), self._unsent)
            self._unsent = self._unsent[sent:]
        except BlockingIOError:
            pass
        except ConnectionError:
            # The child is gone, but it may have said why: `receive` will tell.
            self._unsent = b""

    def _payload(self, bound: int) -> bytearray | None:
        """Take the first frame's payload off what was received, None if it is not all there."""
        received = self._received
        if len(received) < HEADER_BYTES:
            return None
        size = payload_bytes(received)
        if size > bound:
            raise FrameError(f"a frame of {size} bytes, at most {bound} are allowed")
        end = HEADER_BYTES + size
        if len(received) < end:
            return None
        payload = received[HEADER_BYTES:end]
        del received[:end]
        return payload
