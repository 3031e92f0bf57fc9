"""OpenAIPolicy: any server that speaks the OpenAI API writes the turns."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from react_envs.errors import ArgumentError, PolicyFailure
from react_envs.types import Completion, Context, Message

__all__ = ["OpenAIPolicy", "Usage"]

MAX_STOP_STRINGS = 4
"""The API takes no more."""
CONNECT_TIMEOUT_S = 10.0
BACKOFF_S = (0.5, 30.0)
"""First and longest wait between attempts; each is shortened at random by up to a half."""
POOL_SIZE = 128
"""Connections kept open; more threads than that would open a new one for each turn."""
CONTEXT_IS_FULL = re.compile(
    r"context.{0,20}(length|size|window)|maximum (model|prompt) length|`inputs` tokens",
    re.IGNORECASE,
)
"""In the code or message of a refusal by OpenAI, vLLM, SGLang, llama.cpp, xAI or TGI."""
CONTEXT_LIMIT = re.compile(r"maximum (?:context|model) length (?:is|of) (\d+)", re.IGNORECASE)
"""How OpenAI and vLLM say how many tokens a context and its completion may have together."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a policy has asked of its server so far."""

    requests: int = 0
    """Turns asked for, failed ones included."""
    retries: int = 0
    """HTTP requests beyond the first of each turn."""
    prompt_tokens: int = 0
    """As the server counts them; 0 if it does not."""
    completion_tokens: int = 0


class OpenAIPolicy:
    """Writes turns by asking a server for `/chat/completions` or `/completions`.

    Failures that may pass (429, 408, 5xx, a refused or broken connection, an unreadable
    reply) are tried again after a growing, jittered wait, and no earlier than the server's
    `Retry-After`; then they are `PolicyFailure`s, which a rollout records. What every later
    request would meet as well (a wrong key, an unknown model, an unknown field: 401, 403,
    404, 3xx, ...) is an `ArgumentError` at once, so a mistyped key does not fill a results
    file with failures. Of a request refused as malformed (400, 413, 422) the set-up is
    blamed until a first request has succeeded, and that one episode afterwards.

    The `Completion` holds text alone, unless the server tells its token ids: vLLM (0.10.2 or
    newer) does with `return_token_ids=True`. Log-probabilities are read only with ids; vLLM
    reports the model's own, before temperature and top-p. The server tokenises the context
    anew at each turn, so `prompt_token_ids` need not extend the turn before (`HFPolicy`'s do);
    a recorder has to compare them.

    Servers cut the text before the stop string. Where they say which one it was (vLLM,
    SGLang), it is put back, so that text and ids agree. Tool calls that a server took out of
    the text, which it should not since no `tools` are sent, are written back as `<tool_call>`
    JSON; reasoning that it took out stays out, as chat templates would have it in later turns.

    A context that leaves no room for a turn is a `PolicyFailure` of kind `"context_length"`.
    vLLM and OpenAI want room for all of `max_tokens`, however short the turn would have been;
    `HFPolicy` writes on what is left.

    Not covered: streaming; a server that keeps sending bytes for longer than `timeout_s`
    (silence is timed, not the reply as a whole).

    Args:
        model: the name that the server knows it by.
        base_url: up to and including the version, such as `"http://127.0.0.1:8000/v1"`.
        api_key: by default the environment's OPENAI_API_KEY, if any. It is sent to `base_url`
            and appears in no error, log or repr.
        mode: `"chat"` sends `context.messages`, `"completion"` `context.prompt`.
        tool_role: how messages of the tool role are sent in chat mode. `"user"` sends them as
            user messages with the content inside `<tool_response>` tags on lines of their own.
            All servers take that, and Qwen's templates render either role to the same text
            (but join tool messages that follow one another). `"tool"` sends them as they are.
            vLLM and SGLang accept that and leave it to the model's chat template; servers with
            OpenAI's rules refuse a tool message that answers no structured `tool_calls`,
            which turns written as text do not have.
        temperature, top_p, max_tokens: as the API has them.
        timeout_s: seconds for one turn, all attempts and waits included.
        retries: attempts after the first.
        return_token_ids: ask for token ids and log-probabilities, and insist on them.
        extra_body: more fields of the request, such as `{"top_k": 20}`; they override ours,
            and a field set to None is left out, such as `{"seed": None}` for a server that
            knows no seed.

    Raises:
        ArgumentError: for an unusable argument.

    >>> OpenAIPolicy("tiny", "http://127.0.0.1:8000/v1", api_key="secret")
    OpenAIPolicy(model='tiny', base_url='http://127.0.0.1:8000/v1', mode='chat')
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str | None = None,
        *,
        mode: Literal["chat", "completion"] = "chat",
        tool_role: Literal["user", "tool"] = "user",
        temperature: float = 0.0,
        top_p: float = 1.0,
        max_tokens: int = 512,
        timeout_s: float = 600.0,
        retries: int = 4,
        return_token_ids: bool = False,
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        _check(mode in ("chat", "completion"), "mode", '"chat" or "completion"', mode)
        _check(tool_role in ("user", "tool"), "tool_role", '"user" or "tool"', tool_role)
        _check(0 <= temperature < math.inf, "temperature", "finite and not negative", temperature)
        _check(0 < top_p <= 1, "top_p", "in (0, 1]", top_p)
        _check(max_tokens >= 1, "max_tokens", "at least 1", max_tokens)
        _check(0 < timeout_s < math.inf, "timeout_s", "finite and positive", timeout_s)
        _check(retries >= 0, "retries", "at least 0", retries)
        ours = {"messages", "prompt", "stream", "n"} & set(extra_body or {})
        _check(not ours, "extra_body", "without the fields that the policy writes", sorted(ours))
        self.model = model
        self.base_url = _checked_url(base_url)
        self.mode = mode
        self.tool_role = tool_role
        self.timeout_s = timeout_s
        self.retries = retries
        self._return_token_ids = return_token_ids
        self._settings: dict[str, Any] = {
            "model": model,
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_tokens,
        }
        if return_token_ids:
            self._settings["return_token_ids"] = True
            self._settings["logprobs"] = True if mode == "chat" else 1
        self._extra_body = dict(extra_body or {})
        key = os.environ.get("OPENAI_API_KEY") if api_key is None else api_key
        self._auth = _BearerAuth(key)
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(POOL_SIZE, POOL_SIZE))
        self._usage = Usage()
        self._usage_lock = threading.Lock()
        self._succeeded = False
        self._jitter = random.Random()

    def __repr__(self) -> str:
        return f"OpenAIPolicy(model={self.model!r}, base_url={self.base_url!r}, mode={self.mode!r})"

    @property
    def usage(self) -> Usage:
        """The counts at this moment, over all threads."""
        return self._usage

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def __call__(self, context: Context) -> Completion:
        """Write the next turn.

        Raises:
            PolicyFailure: of kind `"timeout"`, `"connection"`, `"bad_response"`,
                `"context_length"`, or `"http_<status>"`.
            ArgumentError: if the server refuses what this policy was constructed with.
        """
        body = self._body(context)
        deadline = time.monotonic() + self.timeout_s
        self._count(requests=1)
        for attempt in itertools.count():
            try:
                return self._attempt(body, context, deadline)
            except _PassingFailure as failure:
                wait_s = failure.retry_after_s + self._backoff_s(attempt)
                if attempt >= self.retries or time.monotonic() + wait_s >= deadline:
                    message = f"{failure} ({attempt + 1} attempts)"
                    raise PolicyFailure(message, failure.kind) from failure
            time.sleep(wait_s)
            self._count(retries=1)
        raise AssertionError("unreachable")

    def _body(self, context: Context) -> bytes:
        body = dict(self._settings)
        if self.mode == "chat":
            as_is = self.tool_role == "tool"
            body["messages"] = [m if as_is else _from_user(m) for m in context.messages]
        else:
            body["prompt"] = context.prompt
        if stop := [text for text in context.stop if text][:MAX_STOP_STRINGS]:
            body["stop"] = stop
        # Servers take 32 bits; equal seeds at every turn would repeat the same random numbers.
        seeds = np.random.SeedSequence([context.seed % 2**64, len(context.turns)])
        body["seed"] = int(seeds.generate_state(1)[0] >> 1)
        body |= self._extra_body
        body = {key: value for key, value in body.items() if value is not None}
        # Lone surrogates have no UTF-8; escaped ones make some servers refuse the request.
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")

    def _backoff_s(self, attempt: int) -> float:
        first, longest = BACKOFF_S
        return min(longest, first * 2.0 ** min(attempt, 64)) * self._jitter.uniform(0.5, 1.0)

    def _attempt(self, body: bytes, context: Context, deadline: float) -> Completion:
        """Ask once.

        Raises:
            _PassingFailure: if it may help to ask again.
        """
        path = "/chat/completions" if self.mode == "chat" else "/completions"
        left_s = max(deadline - time.monotonic(), 0.001)
        try:
            response = self._session.post(
                self.base_url + path,
                data=body,
                headers={"Content-Type": "application/json"},
                auth=self._auth,
                timeout=(min(CONNECT_TIMEOUT_S, left_s), left_s),
                allow_redirects=False,
            )
        except requests.Timeout as error:
            message = f"{self.base_url} did not answer in {self.timeout_s:g} s"
            raise _PassingFailure(message, "timeout") from error
        except requests.RequestException as error:
            message = f"{self.base_url} cannot be reached: {type(error).__name__}"
            raise _PassingFailure(message, "connection") from error
        if response.status_code != 200:
            raise self._refusal(response)
        try:
            reply = response.json()
            completion = self._read(reply, context)
            self._count(**_token_counts(reply))
        except ArgumentError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            text = self._auth.redact(response.text)[:200]
            message = f"{self.base_url} sent an unreadable reply: {text!r}"
            raise _PassingFailure(message, "bad_response") from error
        self._succeeded = True
        return completion

    def _refusal(self, response: requests.Response) -> Exception:
        """What an answer other than 200 means: try again, give up this turn, or give up."""
        status = response.status_code
        detail = self._auth.redact(_error_message(response))[:500]
        message = f"{self.base_url} answered {status}: {detail}"
        if status in (408, 425, 429) or status >= 500:
            return _PassingFailure(message, f"http_{status}", _retry_after_s(response))
        if status in (400, 413, 422):
            if CONTEXT_IS_FULL.search(detail):
                return self._full_context(message)
            if self._succeeded:
                return PolicyFailure(message, f"http_{status}")
        return ArgumentError(
            f"{message}; check base_url (with /v1), model {self.model!r}, mode {self.mode!r}, the "
            "API key and extra_body"
        )

    def _full_context(self, message: str) -> Exception:
        """The episode's failure, unless the context is too short for any episode."""
        limit = CONTEXT_LIMIT.search(message)
        settings = self._settings | self._extra_body
        wanted = settings.get("max_completion_tokens") or settings.get("max_tokens") or 0
        if limit and wanted >= int(limit[1]):
            return ArgumentError(f"{message}; max_tokens must leave room for the context")
        return PolicyFailure(message, "context_length")

    def _read(self, reply: dict[str, Any], context: Context) -> Completion:
        """The completion in a reply; any error of reading means that the reply is unusable."""
        choice = reply["choices"][0]
        taken_out = False
        if self.mode == "chat":
            message = choice["message"]
            calls = [_as_text(call["function"]) for call in message.get("tool_calls") or ()]
            taken_out = bool(calls or message.get("reasoning_content") or message.get("reasoning"))
            text = "\n".join(filter(None, [message.get("content"), *calls]))
        else:
            text = choice["text"]
        if not isinstance(text, str):
            raise TypeError(f"expected text, got {type(text).__name__}")
        matched = choice.get("stop_reason") or choice.get("matched_stop")
        if matched in context.stop and not text.endswith(matched):
            text += matched
        token_ids = choice.get("token_ids")
        prompt_token_ids = choice.get("prompt_token_ids") or reply.get("prompt_token_ids")
        if self._return_token_ids and (taken_out or token_ids is None or prompt_token_ids is None):
            raise ArgumentError(
                f"{self.base_url} did not return the token ids of its text: return_token_ids=True "
                "needs vLLM 0.10.2 or newer, started without reasoning and tool-call parsers"
            )
        if taken_out or token_ids is None:
            return Completion(text, finish_reason=choice.get("finish_reason"))
        return Completion(
            text,
            prompt_token_ids=None if prompt_token_ids is None else list(map(int, prompt_token_ids)),
            token_ids=list(map(int, token_ids)),
            logprobs=_logprobs(choice.get("logprobs")),
            finish_reason=choice.get("finish_reason"),
        )

    def _count(self, **more: int) -> None:
        with self._usage_lock:
            new = {name: getattr(self._usage, name) + count for name, count in more.items()}
            self._usage = replace(self._usage, **new)


class _PassingFailure(Exception):
    """A failure after which the same request may succeed."""

    def __init__(self, message: str, kind: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s


class _BearerAuth(AuthBase):
    """Sends the key, and knows how to keep it out of messages.

    As an `auth` of its own it also keeps requests from sending a password from ~/.netrc.
    """

    def __init__(self, key: str | None) -> None:
        self._key = (key or "").strip()
        if not (self._key.isascii() and self._key.isprintable() and " " not in self._key):
            raise ArgumentError("api_key must be printable ASCII without spaces (not shown here)")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def redact(self, message: str) -> str:
        return message.replace(self._key, "[api key]") if self._key else message


def _as_text(function: dict[str, Any]) -> str:
    """A structured tool call as the text that the hermes dialect reads."""
    arguments = function.get("arguments") or "{}"
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    # The arguments go in as the model wrote them: if they are no JSON, it is to be told so.
    name = json.dumps(function["name"], ensure_ascii=False)
    return f'<tool_call>\n{{"name": {name}, "arguments": {arguments}}}\n</tool_call>'


def _from_user(message: Message) -> Message:
    """A tool's message as the user message that Qwen's chat templates make of it."""
    if message["role"] != "tool":
        return message
    content = f"<tool_response>\n{message['content']}\n</tool_response>"
    return {"role": "user", "content": content}


def _logprobs(logprobs: dict[str, Any] | None) -> list[float] | None:
    if logprobs is None:
        return None
    if "token_logprobs" in logprobs:
        return list(map(float, logprobs["token_logprobs"]))
    return [float(token["logprob"]) for token in logprobs["content"]]


def _token_counts(reply: dict[str, Any]) -> dict[str, int]:
    usage = reply.get("usage") or {}
    return {name: int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")}


def _error_message(response: requests.Response) -> str:
    """The server's own code and words, in whichever of the usual places it put them."""
    try:
        reply = response.json()
        error = reply.get("error", reply)
        fields = error if isinstance(error, dict) else {"message": error}
    except (ValueError, AttributeError):
        fields = {}
    message = str(fields.get("message") or response.text or response.reason)
    code = fields.get("code")
    return f"{code}: {message}" if code and isinstance(code, str) else message


def _retry_after_s(response: requests.Response) -> float:
    """Seconds that the server asks to wait; 0.0 if it does not, or not understandably."""
    try:
        return float(Retry().parse_retry_after(response.headers.get("Retry-After", "0")))
    except InvalidHeader:
        return 0.0


def _checked_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ArgumentError(
            f"base_url must look like http://127.0.0.1:8000/v1, actually: {base_url!r}"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ArgumentError(
            "base_url must have no password, query or fragment (not shown here); "
            "pass the key as api_key"
        )
    return base_url.rstrip("/")


def _check(holds: bool, name: str, expected: str, actual: Any) -> None:
    if not holds:
        raise ArgumentError(f"{name} must be {expected}, actually: {actual!r}")
