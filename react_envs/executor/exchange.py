"""One request to a child and its reply, moved on whenever the socket allows it.

The child may be hostile: it may not read, reply in drops, too much or nonsense. So nothing here
blocks, and what it may send is bounded before it is kept.
"""

from __future__ import annotations

import json
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


class Exchange:
    """A request on its way, then the reply on its way back."""

    def __init__(
        self, channel: socket.socket, request: bytes, output_chars: int, greeted: bool
    ) -> None:
        """Prepare to send `request`; `greeted` says that the child's first frame was read."""
        self._channel = channel
        self._unsent = memoryview(request)
        self._received = bytearray()
        self._output_chars = output_chars
        self.greeted = greeted
        """True once the child said that it is locked down."""

    @property
    def events(self) -> int:
        """What to poll the socket for."""
        return select.POLLIN | select.POLLOUT if self._unsent else select.POLLIN

    def send(self) -> None:
        """Send what the socket takes now."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._channel.send(self._unsent) :]
        except BlockingIOError:
            pass
        except ConnectionError:
            # The child is gone, but it may have said why: `receive` will tell.
            self._unsent = self._unsent[:0]

    def advance(self) -> Reply | None:
        """Send and receive what the socket allows now; the reply once it is complete.

        Raises:
            ConnectionError: the child is gone.
            FrameError: it broke the protocol.
            ExecutorError: it could not be locked down.
        """
        if self._unsent:
            self.send()
        try:
            chunk = self._channel.recv(16384)
        except BlockingIOError:
            return None
        if not chunk:
            raise ConnectionError("the child is gone")
        self._received += chunk
        return self._parse()

    def _parse(self) -> Reply | None:
        if not self.greeted:
            greeting = self._frame(_GREETING_BOUND)
            if greeting is None:
                return None
            error = json.loads(greeting)["error"]
            if error is not None:
                raise ExecutorError(f"a child of the Python executor could not start: {error}")
            self.greeted = True
        payload = self._frame(reply_bound(self._output_chars))
        if payload is None:
            return None
        if self._received:
            raise FrameError("bytes after the reply")
        return decode_reply(payload, self._output_chars)

    def _frame(self, bound: int) -> bytes | None:
        """Take the first frame's payload off what was received, None if it is not all there."""
        if len(self._received) < HEADER_BYTES:
            return None
        size = payload_bytes(self._received)
        if size > bound:
            raise FrameError(f"a frame of {size} bytes, at most {bound} are allowed")
        end = HEADER_BYTES + size
        if len(self._received) < end:
            return None
        payload = bytes(self._received[HEADER_BYTES:end])
        del self._received[:end]
        return payload
