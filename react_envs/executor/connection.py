"""The trainer's end of one child: a request goes out, its reply comes in, whatever the child does.

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
from react_envs.executor.zygote import Flavour, Zygote

__all__ = ["Child"]

_GREETING_BOUND = 4096
_CHUNK_BYTES = 16_384


class Child:
    """A living child and what is on its way to and from it."""

    __slots__ = (
        "_output_chars",
        "_received",
        "channel",
        "flavour",
        "greeted",
        "identity",
        "introduced",
        "unsent",
        "zygote",
    )

    def __init__(
        self,
        channel: socket.socket,
        identity: int,
        zygote: Zygote,
        flavour: Flavour,
        output_chars: int,
    ) -> None:
        """Wrap what `Zygote.spawn` gave.

        Args:
            channel: non-blocking, with the time-out for which `receive` may wait.
            identity: the child's id for `Zygote.kill`.
            zygote: where it was forked.
            flavour: of that zygote.
            output_chars: the session's limit.
        """
        self.channel = channel
        self.identity = identity
        self.zygote = zygote
        self.flavour = flavour
        self.introduced = False
        """True once its limits were sent."""
        self.greeted = False
        """True once it said that it is locked down."""
        self.unsent = b""
        """What the socket has not taken yet."""
        self._output_chars = output_chars
        self._received = bytearray()

    @property
    def events(self) -> int:
        """What to poll the socket for."""
        return select.POLLIN | select.POLLOUT if self.unsent else select.POLLIN

    def send(self, request: bytes) -> None:
        """Send what the socket takes now of `request`; the rest becomes `unsent`."""
        try:
            sent = os.write(self.channel.fileno(), request)
            self.unsent = request[sent:]
        except BlockingIOError:
            self.unsent = request
        except ConnectionError:
            # The child is gone, but it may have said why: `receive` will tell.
            self.unsent = b""

    def receive(self) -> Reply | None:
        """Wait for the next piece of what the child says; its reply once that is complete.

        Raises:
            TimeoutError: nothing came within the socket's time-out.
            ConnectionError: the child is gone.
            FrameError: it broke the protocol.
            ExecutorError: it could not be locked down.
        """
        chunk = self.channel.recv(_CHUNK_BYTES)
        if not chunk:
            raise ConnectionError("the child is gone")
        if (
            not self.greeted
            or self._received
            or HEADER_BYTES + int.from_bytes(chunk[:HEADER_BYTES], "big") != len(chunk)
        ):
            return self._collect(chunk)
        return decode_reply(chunk, self._output_chars)  # nearly always: all in one piece

    def _collect(self, chunk: bytes) -> Reply | None:
        received = self._received
        received += chunk
        if not self.greeted:
            size = _frame_bytes(received, _GREETING_BOUND)
            if len(received) < size:
                return None
            if size > HEADER_BYTES:
                error = received[HEADER_BYTES:size].decode("utf-8", "replace")
                raise ExecutorError(f"a child of the Python executor could not start: {error}")
            self.greeted = True
            del received[:size]
        size = _frame_bytes(received, reply_bound(self._output_chars))
        if len(received) < size:
            return None
        if len(received) > size:
            raise FrameError("bytes after the reply")
        self._received = bytearray()
        return decode_reply(received, self._output_chars)

    def end(self) -> None:
        """Hang up and have it killed, whatever it does."""
        self.zygote.kill(self.identity)
        self.channel.close()


def _frame_bytes(received: bytearray, bound: int) -> int:
    """Size of the frame that begins with `received`, as far as that can be told yet."""
    if len(received) < HEADER_BYTES:
        return HEADER_BYTES
    size = HEADER_BYTES + payload_bytes(received)
    if size > bound:
        raise FrameError(f"a frame of {size} bytes, at most {bound} are allowed")
    return size
