"""OpenAIPolicy against a real server process on 127.0.0.1, working and failing."""

from __future__ import annotations

import email.utils
import json
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from openai_server import OpenAIServer

from react_envs.agents.policies import openai
from react_envs.agents.policies.openai import OpenAIPolicy, Usage
from react_envs.errors import ArgumentError, PolicyFailure
from react_envs.types import Context, Turn

MESSAGES = ({"role": "system", "content": "Think."}, {"role": "user", "content": "3 + 12? 🍎"})
CONTEXT = Context("Question: 3 + 12? 🍎\n", MESSAGES, ("\nObservation:",), {}, seed=5)
ACTED = replace(
    CONTEXT,
    messages=(
        *MESSAGES,
        {"role": "assistant", "content": "<tool_call>...</tool_call>"},
        {"role": "tool", "content": "15\n"},
        {"role": "tool", "content": ""},
    ),
)
KEY = "sk-very-secret-0123456789"

MakePolicy = Callable[..., OpenAIPolicy]


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
def lenient_server() -> Iterator[OpenAIServer]:
    with OpenAIServer(strict=False) as server:
        yield server


@pytest.fixture(scope="module")
def model_server() -> Iterator[OpenAIServer]:
    with OpenAIServer(model=True) as server:
        yield server


@pytest.fixture
def make_policy(monkeypatch: pytest.MonkeyPatch, server: OpenAIServer) -> Iterator[MakePolicy]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(openai, "BACKOFF_S", (0.01, 0.05))
    policies = []

    def make(**settings: Any) -> OpenAIPolicy:
        policy = OpenAIPolicy(**{"model": "tiny", "base_url": server.url, **settings})
        policies.append(policy)
        return policy

    yield make
    for policy in policies:
        policy.close()


def failure_of(policy: OpenAIPolicy, context: Context = CONTEXT) -> PolicyFailure:
    with pytest.raises(PolicyFailure) as failure:
        policy(context)
    return failure.value


# Requests


def test_a_chat_request_has_the_messages_and_the_settings(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script("Final Answer: 15")
    policy = make_policy(temperature=0.5, top_p=0.9, max_tokens=64)
    assert policy(CONTEXT) == "Final Answer: 15"
    (request,) = server.requests()
    seed = request["body"].pop("seed")
    assert 0 <= seed < 2**31
    assert request["path"] == "/v1/chat/completions"
    assert request["body"] == {
        "model": "tiny",
        "messages": list(MESSAGES),
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 64,
        "stop": ["\nObservation:"],
    }
    assert "authorization" not in request["headers"]


def test_a_completion_request_has_the_prompt(server: OpenAIServer, make_policy: MakePolicy) -> None:
    server.script("Final Answer: 15")
    completion = make_policy(mode="completion")(CONTEXT)
    assert completion == "Final Answer: 15"
    assert completion.finish_reason == "stop"
    (request,) = server.requests()
    assert request["path"] == "/v1/completions"
    assert request["body"]["prompt"] == CONTEXT.prompt
    assert "messages" not in request["body"]


@pytest.mark.parametrize("strict", [True, False])
def test_what_tools_said_is_sent_as_user_messages_that_every_server_takes(
    server: OpenAIServer, lenient_server: OpenAIServer, make_policy: MakePolicy, strict: bool
) -> None:
    asked = server if strict else lenient_server
    asked.script("Final Answer: 15")
    assert make_policy(base_url=asked.url)(ACTED) == "Final Answer: 15"
    (request,) = asked.requests()
    assert request["body"]["messages"] == [
        *ACTED.messages[:3],
        {"role": "user", "content": "<tool_response>\n15\n\n</tool_response>"},
        {"role": "user", "content": "<tool_response>\n\n</tool_response>"},
    ]
    assert ACTED.messages[3]["role"] == "tool", "the context itself is left as it was"


def test_the_tool_role_is_sent_on_request_to_servers_that_take_it(
    server: OpenAIServer, lenient_server: OpenAIServer, make_policy: MakePolicy
) -> None:
    lenient_server.script("Final Answer: 15")
    policy = make_policy(base_url=lenient_server.url, tool_role="tool")
    assert policy(ACTED) == "Final Answer: 15"
    (request,) = lenient_server.requests()
    assert request["body"]["messages"] == list(ACTED.messages)
    server.script("not reached")
    with pytest.raises(ArgumentError, match="Missing parameter 'tool_call_id'"):
        make_policy(tool_role="tool")(ACTED)


def test_no_more_than_four_stop_strings_are_sent_and_no_empty_one(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script("a", "b")
    policy = make_policy()
    policy(replace(CONTEXT, stop=("", "1", "2", "3", "4", "5")))
    policy(replace(CONTEXT, stop=()))
    first, second = (request["body"] for request in server.requests())
    assert first["stop"] == ["1", "2", "3", "4"]
    assert "stop" not in second


def test_the_seed_sent_depends_on_the_episode_and_on_the_turn(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script("a", "b", "c", "d")
    policy = make_policy()
    later = replace(CONTEXT, turns=(Turn(kept="", observation=""),))
    for context in (CONTEXT, CONTEXT, later, replace(CONTEXT, seed=-6)):
        policy(context)
    seeds = [request["body"]["seed"] for request in server.requests()]
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 3


def test_extra_fields_override_and_none_takes_a_field_out(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script("a")
    extra = {"top_k": 20, "seed": None, "max_tokens": None, "max_completion_tokens": 9}
    make_policy(extra_body=extra)(CONTEXT)
    (request,) = server.requests()
    body = request["body"]
    assert (body["top_k"], body["max_completion_tokens"]) == (20, 9)
    assert not {"seed", "max_tokens"} & set(body)


def test_text_that_has_no_utf8_is_sent_with_question_marks(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script("a")
    make_policy(mode="completion")(replace(CONTEXT, prompt="a\ud800b\0"))
    (request,) = server.requests()
    assert request["body"]["prompt"] == "a?b\0"


# Replies


def test_a_reply_without_text_is_an_empty_turn(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script({"message": {"content": None}, "choice": {"finish_reason": "content_filter"}})
    completion = make_policy()(CONTEXT)
    assert completion == ""
    assert completion.finish_reason == "content_filter"


@pytest.mark.parametrize(
    ("content", "arguments", "text"),
    [
        pytest.param(
            None,
            '{"code": "print(3 + 12)"}',
            '<tool_call>\n{"name": "python", "arguments": {"code": "print(3 + 12)"}}\n</tool_call>',
            id="call alone",
        ),
        pytest.param(
            "I compute.",
            {"code": "1 € "},
            'I compute.\n<tool_call>\n{"name": "python", "arguments": {"code": "1 € "}}\n'
            "</tool_call>",
            id="after text, arguments as an object",
        ),
        pytest.param(
            "",
            '{"code": ',
            '<tool_call>\n{"name": "python", "arguments": {"code": }\n</tool_call>',
            id="malformed arguments stay malformed",
        ),
    ],
)
def test_tool_calls_that_the_server_took_out_are_text_again(
    server: OpenAIServer, make_policy: MakePolicy, content: str | None, arguments: Any, text: str
) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "python", "arguments": arguments}}
    server.script({"message": {"content": content, "tool_calls": [call]}})
    assert make_policy()(CONTEXT) == text


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_that_the_server_took_out_takes_the_ids_with_it(
    server: OpenAIServer, make_policy: MakePolicy, field: str
) -> None:
    reply = {"text": "15", "message": {field: "Add."}, "choice": {"token_ids": [1, 2]}}
    server.script(reply, reply)
    completion = make_policy()(CONTEXT)
    assert completion == "15"
    assert completion.token_ids is None
    with pytest.raises(ArgumentError, match="without reasoning"):
        make_policy(return_token_ids=True)(CONTEXT)


@pytest.mark.parametrize("field", ["stop_reason", "matched_stop"])
@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_a_stop_string_that_the_server_names_is_put_back(
    server: OpenAIServer, make_policy: MakePolicy, field: str, mode: str
) -> None:
    named = {"choice": {field: "\nObservation:"}}
    server.script(
        {"text": "Action: python", **named},
        {"text": "Action: python\nObservation:", **named},
        {"text": "Action: python", "choice": {field: 151645}},
        {"text": "Action: python", "choice": {field: "something else"}},
    )
    policy = make_policy(mode=mode)
    texts = [policy(CONTEXT) for _ in range(4)]
    assert texts == ["Action: python\nObservation:"] * 2 + ["Action: python"] * 2


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_ids_and_logprobs_are_read_where_servers_put_them(
    server: OpenAIServer, make_policy: MakePolicy, mode: str
) -> None:
    tokens = [{"token": "1", "logprob": -0.5}, {"token": "5", "logprob": -1}]
    logprobs = {"content": tokens} if mode == "chat" else {"token_logprobs": [-0.5, -1]}
    choice = {"token_ids": [7, 8], "logprobs": logprobs}
    prompt = {"prompt_token_ids": [1, 2, 3]}
    reply = {"reply": prompt} if mode == "chat" else {"choice": prompt}
    server.script({"text": "15", **reply, "choice": {**choice, **reply.get("choice", {})}})
    completion = make_policy(mode=mode, return_token_ids=True)(CONTEXT)
    assert completion.prompt_token_ids == [1, 2, 3]
    assert completion.token_ids == [7, 8]
    assert completion.logprobs == [-0.5, -1.0]
    (request,) = server.requests()
    assert request["body"]["return_token_ids"] is True
    assert request["body"]["logprobs"] == (True if mode == "chat" else 1)


def test_ids_that_were_asked_for_and_did_not_come_end_the_run(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script("15")
    with pytest.raises(ArgumentError, match=r"vLLM 0\.10\.2"):
        make_policy(return_token_ids=True)(CONTEXT)


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_a_served_model_writes_what_it_writes_here_with_the_same_ids(
    model_server: OpenAIServer, make_policy: MakePolicy, mode: str
) -> None:
    from tiny_model import make_model, make_tokenizer

    from react_envs.agents.policies.hf import HFPolicy

    settings: dict[str, Any] = {"mode": mode, "temperature": 1.0}
    local = HFPolicy(make_model(), make_tokenizer(), max_new_tokens=24, **settings)
    served = make_policy(
        base_url=model_server.url, max_tokens=24, return_token_ids=True, **settings
    )
    model_server.script()
    free = served(replace(CONTEXT, stop=()))
    (request,) = model_server.requests()
    stops = (str(free)[8:10],)
    for context in (replace(CONTEXT, stop=()), replace(CONTEXT, stop=stops)):
        here = local(replace(context, seed=request["body"]["seed"]))
        there = served(context)
        if context.stop:  # the server cuts after the stop string, the model after a token
            assert there == here[: here.index(stops[0]) + len(stops[0])]
        else:
            assert there == here
        assert there.prompt_token_ids == here.prompt_token_ids
        assert there.token_ids == here.token_ids
        assert there.logprobs == pytest.approx(here.logprobs, abs=1e-5)
        assert there.finish_reason == here.finish_reason


# Counting


def test_usage_adds_up_over_threads_retries_and_failures(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script(*(["a"] * 30), {"status": 500}, "b", {"reply": {"usage": None}})
    policy = make_policy()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(policy, [CONTEXT] * 30))
    policy(CONTEXT)
    policy(CONTEXT)
    assert policy.usage == Usage(
        requests=32, retries=1, prompt_tokens=7 * 31, completion_tokens=3 * 31
    )


def test_connections_are_used_again(server: OpenAIServer, make_policy: MakePolicy) -> None:
    server.script(*(["a"] * 10))
    policy = make_policy()
    for _ in range(10):
        policy(CONTEXT)
    assert len({request["client"] for request in server.requests()}) == 1


# Failures


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param({"status": 429}, "http_429", id="429"),
        pytest.param({"status": 500, "raw": "<html>"}, "http_500", id="500"),
        pytest.param({"status": 503}, "http_503", id="503"),
        pytest.param({"status": 408}, "http_408", id="408"),
        pytest.param({"text": "x" * 9999, "cut": True}, "connection", id="cut in mid-body"),
        pytest.param({"raw": "", "cut": True}, "bad_response", id="no body"),
        pytest.param({"raw": '{"choices": ['}, "bad_response", id="bad JSON"),
        pytest.param({"raw": "[]"}, "bad_response", id="not an object"),
        pytest.param({"reply": {"choices": []}}, "bad_response", id="no choices"),
        pytest.param({"reply": {"choices": None}}, "bad_response", id="choices null"),
        pytest.param({"choice": {"message": None}}, "bad_response", id="no message"),
        pytest.param({"message": {"content": 5}}, "bad_response", id="content no text"),
        pytest.param({"choice": {"token_ids": ["a"]}}, "bad_response", id="ids no numbers"),
        pytest.param(
            {"choice": {"token_ids": [1], "logprobs": {"content": []}}},
            "bad_response",
            id="ids without their logprobs",
        ),
        pytest.param({"message": {"tool_calls": [{}]}}, "bad_response", id="call without name"),
    ],
)
def test_what_may_pass_is_tried_again_and_then_is_a_failure(
    server: OpenAIServer, make_policy: MakePolicy, reply: dict[str, Any], kind: str
) -> None:
    policy = make_policy(retries=2)
    server.script(reply, reply, "Final Answer: 15")
    assert policy(CONTEXT) == "Final Answer: 15"
    assert policy.usage.retries == 2
    server.script(reply, reply, reply, "too late")
    failure = failure_of(policy)
    assert failure.kind == kind
    assert "(3 attempts)" in str(failure)
    assert len(server.requests()) == 3


def test_retry_after_is_waited_for(server: OpenAIServer, make_policy: MakePolicy) -> None:
    server.script({"status": 429, "headers": {"Retry-After": "1"}}, "a")
    started = time.monotonic()
    assert make_policy()(CONTEXT) == "a"
    assert 1.0 <= time.monotonic() - started < 3.0


@pytest.mark.parametrize(
    "retry_after",
    ["3600", email.utils.formatdate(time.time() + 3600, usegmt=True)],
    ids=["seconds", "date"],
)
def test_a_longer_retry_after_than_there_is_time_fails_at_once(
    server: OpenAIServer, make_policy: MakePolicy, retry_after: str
) -> None:
    server.script({"status": 429, "headers": {"Retry-After": retry_after}}, "too late")
    started = time.monotonic()
    assert failure_of(make_policy(timeout_s=5)).kind == "http_429"
    assert time.monotonic() - started < 2.0


def test_a_retry_after_that_means_nothing_is_ignored(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script({"status": 503, "headers": {"Retry-After": "soon"}}, "a")
    assert make_policy()(CONTEXT) == "a"


def test_a_silent_server_is_left_when_the_time_is_up_whatever_retries_are_left(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script({"status": 500}, {"hang_s": 5}, "too late")
    started = time.monotonic()
    failure = failure_of(make_policy(timeout_s=0.7, retries=50))
    assert failure.kind == "timeout"
    assert 0.6 <= time.monotonic() - started < 2.5


def test_waits_grow_up_to_a_bound_and_differ(
    monkeypatch: pytest.MonkeyPatch, make_policy: MakePolicy
) -> None:
    monkeypatch.setattr(openai, "BACKOFF_S", (0.5, 30.0))
    policy = make_policy()
    for attempt, most in [(0, 0.5), (1, 1.0), (5, 16.0), (50, 30.0), (5000, 30.0)]:
        waits = [policy._backoff_s(attempt) for _ in range(20)]
        assert all(most / 2 <= wait <= most for wait in waits)
        assert len(set(waits)) > 1


def test_a_server_that_is_not_there_is_a_failure(make_policy: MakePolicy) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/v1"
        failure = failure_of(make_policy(base_url=url, retries=1))
    assert failure.kind == "connection"
    assert url in str(failure)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        pytest.param(401, "Incorrect API key provided", id="key"),
        pytest.param(403, "Forbidden", id="forbidden"),
        pytest.param(404, "The model `tiny` does not exist", id="model"),
        pytest.param(400, "Unrecognized request argument: top_k", id="field"),
        pytest.param(422, "Input should be a valid integer", id="validation"),
        pytest.param(307, "Moved", id="redirect"),
    ],
)
def test_what_no_episode_can_help_is_raised_at_once(
    server: OpenAIServer, make_policy: MakePolicy, status: int, message: str
) -> None:
    raw = json.dumps({"error": {"message": message}})
    server.script({"status": status, "raw": raw, "headers": {"Location": "/v1/completions"}}, "a")
    with pytest.raises(ArgumentError, match=f"answered {status}: {message}"):
        make_policy()(CONTEXT)
    assert len(server.requests()) == 1


def test_a_wrong_path_is_raised_at_once_with_a_hint(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    with pytest.raises(ArgumentError, match="check base_url"):
        make_policy(base_url=server.origin)(CONTEXT)


def test_a_request_that_is_refused_after_others_were_not_costs_its_episode_only(
    server: OpenAIServer, make_policy: MakePolicy
) -> None:
    server.script("a", {"status": 400, "raw": '{"error": "odd characters"}'}, {"status": 401})
    policy = make_policy()
    policy(CONTEXT)
    failure = failure_of(policy)
    assert failure.kind == "http_400"
    assert "odd characters" in str(failure)
    with pytest.raises(ArgumentError, match="401"):
        policy(CONTEXT)


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
        "Your input exceeds the context window of this model.",
        "'max_tokens' or 'max_completion_tokens' is too large: 512. This model's maximum context "
        "length is 4096 tokens and your request has 4000 input tokens (512 > 4096 - 4000).",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "Requested token count exceeds the model's maximum context length of 4096 tokens.",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.",
    ],
    ids=["vLLM", "SGLang", "llama.cpp", "OpenAI", "vLLM max_tokens", "vLLM V1", "SGLang 2", "TGI"],
)
def test_a_context_that_is_too_long_costs_its_episode_only(
    server: OpenAIServer, make_policy: MakePolicy, message: str
) -> None:
    refusal = {"status": 400, "raw": json.dumps({"error": {"message": message}})}
    server.script(refusal, "a", refusal)
    policy = make_policy()
    assert failure_of(policy).kind == "context_length"
    policy(CONTEXT)
    assert failure_of(policy).kind == "context_length"
    assert policy.usage.retries == 0


@pytest.mark.parametrize("status", [400, 413])
def test_the_code_of_a_full_context_is_enough_whatever_the_message(
    server: OpenAIServer, make_policy: MakePolicy, status: int
) -> None:
    error = {"code": "context_length_exceeded", "message": "Too much to read. " * 50}
    server.script({"status": status, "raw": json.dumps({"error": error})})
    failure = failure_of(make_policy())
    assert failure.kind == "context_length"
    assert f"{status}: context_length_exceeded: Too much" in str(failure)


@pytest.mark.parametrize(
    "settings",
    [{"max_tokens": 4096}, {"extra_body": {"max_tokens": None, "max_completion_tokens": 5000}}],
    ids=["max_tokens", "extra_body"],
)
def test_a_max_tokens_that_no_context_leaves_room_for_is_no_failure_of_the_model(
    server: OpenAIServer, make_policy: MakePolicy, settings: dict[str, Any]
) -> None:
    message = "This model's maximum context length is 4096 tokens and your request has 9"
    refusal = {"status": 400, "raw": json.dumps({"error": {"message": message}})}
    server.script(refusal, refusal)
    with pytest.raises(ArgumentError, match="max_tokens must leave room"):
        make_policy(**settings)(CONTEXT)
    assert failure_of(make_policy(max_tokens=4095)).kind == "context_length"


# Secrets and arguments


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_key_that_is_echoed_where_a_message_is_cut_is_not_shown_in_part(
    server: OpenAIServer, make_policy: MakePolicy, status: int
) -> None:
    policy = make_policy(api_key=KEY, retries=0)
    for filling in (190, 490):
        server.script({"status": status, "raw": "x" * filling + KEY})
        with pytest.raises((PolicyFailure, ArgumentError)) as caught:
            policy(CONTEXT)
        assert KEY[:5] not in str(caught.value)


@pytest.mark.parametrize("source", ["argument", "environment"])
def test_the_key_is_sent_and_never_shown(
    server: OpenAIServer,
    make_policy: MakePolicy,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    source: str,
) -> None:
    if source == "environment":
        monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
    echo = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}."}})
    server.script(
        "a", {"status": 500, "raw": echo}, {"raw": f"not JSON: {KEY}"}, {"status": 401, "raw": echo}
    )
    policy = make_policy(api_key=KEY if source == "argument" else None, retries=0)
    shown = [repr(policy), str(policy.usage)]
    with caplog.at_level("DEBUG"):
        policy(CONTEXT)
        for _ in range(3):
            with pytest.raises((PolicyFailure, ArgumentError)) as caught:
                policy(CONTEXT)
            shown += [repr(caught.value), *traceback.format_exception(caught.value)]
    assert "[api key]" in shown[2]
    assert KEY not in "".join(shown) + caplog.text
    headers = [request["headers"]["authorization"] for request in server.requests()]
    assert headers == [f"Bearer {KEY}"] * 4


def test_a_password_of_netrc_is_not_sent_in_place_of_the_key(
    server: OpenAIServer, make_policy: MakePolicy, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.script("a", "b")
    make_policy(api_key=KEY)(CONTEXT)
    make_policy()(CONTEXT)
    first, second = (request["headers"] for request in server.requests())
    assert first["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in second


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"mode": "text"}, id="mode"),
        pytest.param({"tool_role": "function"}, id="tool_role"),
        pytest.param({"temperature": -1}, id="temperature"),
        pytest.param({"top_p": 1.5}, id="top_p"),
        pytest.param({"max_tokens": 0}, id="max_tokens"),
        pytest.param({"timeout_s": 0}, id="timeout_s"),
        pytest.param({"timeout_s": float("inf")}, id="timeout_s infinite"),
        pytest.param({"retries": -1}, id="retries"),
        pytest.param({"extra_body": {"stream": True}}, id="stream"),
        pytest.param({"base_url": "127.0.0.1:8000"}, id="no scheme"),
        pytest.param({"base_url": "ftp://127.0.0.1/v1"}, id="wrong scheme"),
        pytest.param({"base_url": "http://"}, id="no host"),
        pytest.param({"base_url": f"http://me:{KEY}@127.0.0.1/v1"}, id="password in url"),
        pytest.param({"base_url": f"http://127.0.0.1/v1?key={KEY}"}, id="key in url"),
        pytest.param({"api_key": KEY + "\nX-Other: 1"}, id="header in key"),
        pytest.param({"api_key": KEY + "€"}, id="key not ASCII"),
    ],
)
def test_unusable_arguments_are_refused_at_once(
    make_policy: MakePolicy, settings: dict[str, Any]
) -> None:
    with pytest.raises(ArgumentError) as error:
        make_policy(**settings)
    assert KEY not in str(error.value)
