"""A server between client and server that does, on order, what networks and servers do."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

Reply = Callable[["Handler"], None]


class FaultProxy:
    """Plays the queued replies, one a request; without any it asks the server behind it."""

    def __init__(self, upstream: str | None) -> None:
        self.upstream = upstream
        self.queue: deque[Reply] = deque()
        self.always: Reply | None = None
        self.requests: list[tuple[float, str, bytes]] = []
        """Time, path and body of every request."""
        self.headers: list[dict[str, str]] = []
        self.ports: list[int] = []
        """The client's port of every request: which connection it came by."""
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        self.url = ""

    def answer(self, handler: Handler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        with self.lock:
            self.requests.append((time.monotonic(), handler.path, body))
            self.headers.append(dict(handler.headers))
            self.ports.append(handler.client_address[1])
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            reply = self.queue.popleft() if self.queue else self.always
        try:
            if reply is not None:
                reply(handler)
                return
            assert self.upstream is not None, "no reply is queued and there is no server behind"
            address = urlsplit(self.upstream)
            request = Request(f"{address.scheme}://{address.netloc}{handler.path}", body or None)
            for name in ("Content-Type", "User-Agent"):
                if name in handler.headers:
                    request.add_header(name, handler.headers[name])
            with urlopen(request, timeout=30) as response:
                handler.send(response.status, response.read())
        finally:
            with self.lock:
                self.in_flight -= 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def do_GET(self) -> None:
        try:
            self.proxy.answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_POST = do_PUT = do_GET

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # a handler that hangs on order must not hold up the end of the test
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of a server that fails on order go away in mid-answer."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def fault_proxy(upstream: str | None = None) -> Iterator[FaultProxy]:
    proxy = FaultProxy(upstream)
    handler = type("BoundHandler", (Handler,), {"proxy": proxy})
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    path = urlsplit(upstream).path if upstream else ""
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# --- replies ---


def says(payload: object) -> Reply:
    return lambda handler: handler.send(200, json.dumps(payload).encode())


def status(code: int, **headers: str) -> Reply:
    return lambda handler: handler.send(code, b"<html>no</html>", **headers)


def raw(body: bytes) -> Reply:
    return lambda handler: handler.send(200, body)


def hang(seconds: float) -> Reply:
    def reply(handler: Handler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return reply


def drop(handler: Handler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def half(handler: Handler) -> None:
    """Promise more than is sent."""
    handler.send(200, b'{"result": [[', Content_Length="5000")
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Send one byte at a time, never silent for long, never done."""
    handler.send(200, b"", Content_Length="5000")
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def endless(handler: Handler) -> None:
    """Send until the other side has enough."""
    handler.send(200, b"", Content_Length=str(10**12))
    while True:
        handler.wfile.write(b" " * 2**20)
