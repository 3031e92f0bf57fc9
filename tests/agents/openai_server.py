"""An OpenAI-compatible server in a process of its own on 127.0.0.1, for tests.

It serves the tiny model of `tiny_model.py` or scripted replies, and fails on demand:

    with OpenAIServer() as server:
        server.script("Final Answer: 4", {"status": 429, "headers": {"Retry-After": "1"}})
        OpenAIPolicy("tiny", server.url)(context)
        server.requests()  # what it was asked, headers included

A scripted reply is a text or a dictionary with some of: `text`, `message` and `choice` (fields
to add), `reply` (fields to add to the whole reply), `status`, `headers`, `raw` (a body as it
stands), `hang_s` (seconds of silence first), `cut` (close the connection in mid-body). A server
whose script is at its end answers with its model if it has one, else with status 500.

As OpenAI's own, it refuses with status 400 a tool message that answers no tool call of the
assistant message before it; `OpenAIServer(strict=False)` takes it, as vLLM and SGLang do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener


class OpenAIServer:
    """The server process, seen from the test."""

    def __init__(self, *, model: bool = False, strict: bool = True) -> None:
        flags = {"--model": model, "--strict": strict}
        command = [sys.executable, __file__, *(flag for flag, on in flags.items() if on)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port, "the server process did not start"
        self.origin = f"http://127.0.0.1:{port}"
        self.url = self.origin + "/v1"

    def script(self, *replies: str | dict[str, Any]) -> None:
        """Give these replies to the next requests, and forget earlier scripts and requests."""
        self._control("script", list(replies))

    def requests(self) -> list[dict[str, Any]]:
        """`path`, `headers` (names in lower case), `body`, `client` (port) since `script`."""
        received: list[dict[str, Any]] = self._control("requests", None)
        return received

    def _control(self, name: str, value: Any) -> Any:
        request = Request(f"{self.origin}/{name}", json.dumps(value).encode(), method="POST")
        with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
            return json.load(response)

    def __enter__(self) -> OpenAIServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class _State:
    def __init__(self, engine: Any, strict: bool) -> None:
        self.engine = engine
        self.strict = strict
        self.script: deque[Any] = deque()
        self.requests: list[dict[str, Any]] = []
        self.lock = threading.Lock()


class _Engine:
    """The tiny model behind the fields of the API, with vLLM's extensions."""

    def __init__(self) -> None:
        from tiny_model import make_model, make_tokenizer

        self.tokenizer, self.model = make_tokenizer(), make_model()

    def reply(self, chat: bool, body: dict[str, Any]) -> dict[str, Any]:
        from react_envs.agents.policies.hf import HFPolicy
        from react_envs.types import Context

        policy = HFPolicy(
            self.model,
            self.tokenizer,
            mode="chat" if chat else "completion",
            max_new_tokens=body["max_tokens"],
            temperature=body["temperature"],
            top_p=body["top_p"],
        )
        stop = tuple(body.get("stop", ()))
        messages = tuple(body.get("messages", ()))
        sampled = policy(Context(body.get("prompt", ""), messages, stop, {}, seed=body["seed"]))
        ids, logprobs = sampled.token_ids or [], sampled.logprobs or []
        text, matched = str(sampled), None
        for string in stop:
            if string in text:
                text, matched = text[: text.index(string)], string
        choice: dict[str, Any] = {"finish_reason": sampled.finish_reason, "stop_reason": matched}
        choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        reply: dict[str, Any] = {
            "choices": [choice],
            "usage": {
                "prompt_tokens": len(sampled.prompt_token_ids or []),
                "completion_tokens": len(ids),
            },
        }
        if body.get("logprobs"):
            tokens = [{"token": f"token_id:{i}", "logprob": p} for i, p in zip(ids, logprobs)]  # noqa: B905
            choice["logprobs"] = {"content": tokens} if chat else {"token_logprobs": logprobs}
        if body.get("return_token_ids"):
            choice["token_ids"] = ids
            (reply if chat else choice)["prompt_token_ids"] = sampled.prompt_token_ids
        return reply


def _scripted_reply(chat: bool, script: dict[str, Any]) -> dict[str, Any]:
    text = script.get("text", "")
    choice: dict[str, Any] = {"finish_reason": "stop"}
    if chat:
        message = {"role": "assistant", "content": text, **script.get("message", {})}
        choice["message"] = message
    else:
        choice["text"] = text
    choice |= script.get("choice", {})
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    return {"choices": [choice], "usage": usage, **script.get("reply", {})}


def _refusal(messages: list[dict[str, Any]]) -> str | None:
    """What OpenAI's rules for tool messages have against `messages`."""
    unanswered: set[str] = set()
    for message in messages:
        if message["role"] != "tool":
            unanswered = {call["id"] for call in message.get("tool_calls", ())}
        elif "tool_call_id" not in message:
            return "Missing parameter 'tool_call_id'"
        elif message["tool_call_id"] not in unanswered:
            return "A tool message must answer a preceding message with 'tool_calls'"
    return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet: two would wait 40 ms for an acknowledgement
    state: _State

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/script":
            with self.state.lock:
                self.state.script = deque(json.loads(raw))
                self.state.requests.clear()
            self._send(200, b"null")
        elif self.path == "/requests":
            self._send(200, json.dumps(self.state.requests).encode())
        elif self.path in ("/v1/chat/completions", "/v1/completions"):
            self._complete(self.path == "/v1/chat/completions", json.loads(raw))
        else:
            self._send(404, b'{"detail": "Not Found"}')

    def _complete(self, chat: bool, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.state.lock:
            client = self.client_address[1]
            received = {"path": self.path, "headers": headers, "body": body, "client": client}
            self.state.requests.append(received)
            refusal = _refusal(body.get("messages", [])) if self.state.strict else None
            if refusal:
                self._send(400, json.dumps({"error": {"message": refusal}}).encode())
                return
            script = self.state.script.popleft() if self.state.script else None
        if script is None and self.state.engine is not None:
            self._send(200, json.dumps(self.state.engine.reply(chat, body)).encode())
            return
        if script is None:
            script = {"status": 500, "raw": "the script has ended"}
        if isinstance(script, str):
            script = {"text": script}
        time.sleep(script.get("hang_s", 0))
        raw = script.get("raw")
        data = (json.dumps(_scripted_reply(chat, script)) if raw is None else raw).encode()
        self._send(script.get("status", 200), data, script.get("headers"), script.get("cut", False))

    def _send(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, cut: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = cut

    def log_message(self, format: str, *args: Any) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--strict", action="store_true")
    arguments = parser.parse_args()
    _Handler.state = _State(_Engine() if arguments.model else None, arguments.strict)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
