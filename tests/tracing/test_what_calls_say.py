"""Requests and answers of models as canonical attributes: golden ones by hand, recorded ones against their figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.tracing import CallResult, describe_http, describe_request, describe_response
from evalkit.usage import Usage

URL = "https://api.openai.com/v1/"


def said(path: str, request: dict[str, Any], answer: Any, *, status: int = 200) -> tuple[Any, CallResult]:
    call = describe_request(URL + path, json.dumps(request).encode())
    assert call is not None
    return call, describe_response(call, status=status, body=answer if isinstance(answer, str) else json.dumps(answer))


def stream(*events: Any, done: bool = True) -> str:
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return text + "data: [DONE]\n\n" if done else text


def test_a_chat_completion():
    call, result = said(
        "chat/completions",
        {
            "model": "gpt-4o",
            "temperature": 0.5,
            "max_completion_tokens": 100,
            "stop": "END",
            "seed": 7,
            "response_format": {"type": "json_schema", "json_schema": {}},
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "What is it?"}]},
                {"role": "assistant", "tool_calls": [{"id": "t1", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
                {"role": "tool", "tool_call_id": "t1", "content": "42"},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        },
        {
            "id": "chatcmpl-1",
            "model": "gpt-4o-2024-08-06",
            "system_fingerprint": "fp_1",
            "service_tier": "default",
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "It is 42."}}],
            "usage": {
                "prompt_tokens": 40,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 32},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
        },
    )
    assert (call.api, call.name, call.model, call.provider, call.stream) == (
        "chat",
        "chat gpt-4o",
        "gpt-4o",
        "openai",
        False,
    )
    assert call.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "server.address": "api.openai.com",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.output.type": "json",
    }
    assert call.content == {
        "gen_ai.input.messages": [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "What is it?"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": "42"}]},
        ],
        "gen_ai.tool.definitions": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    }
    assert result.usage == Usage(input_tokens=40, output_tokens=5, cached_tokens=32)
    assert (result.model, result.fingerprint, result.finish_reasons) == ("gpt-4o-2024-08-06", "fp_1", ("stop",))
    assert result.attributes == {
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "openai.response.system_fingerprint": "fp_1",
        "openai.response.service_tier": "default",
        "gen_ai.usage.reasoning.output_tokens": 2,
    }
    assert result.content["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "It is 42."}], "finish_reason": "stop"}
    ]


def test_a_streamed_completion_with_text_and_two_tool_calls():
    def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
        return {"id": "c", "model": "m-1", "choices": [{"index": index, "delta": delta, "finish_reason": reason}]}

    _, result = said(
        "chat/completions",
        {"model": "m", "stream": True, "messages": []},
        stream(
            chunk({"role": "assistant", "content": "Let "}),
            chunk({"content": "me see"}),
            chunk({"tool_calls": [{"index": 0, "id": "t1", "function": {"name": "f", "arguments": '{"a"'}}]}),
            chunk({"tool_calls": [{"index": 1, "id": "t2", "function": {"name": "g", "arguments": ""}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
            chunk({}, "tool_calls"),
            {"id": "c", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 8}},
        ),
    )
    assert result.usage == Usage(input_tokens=9, output_tokens=8)
    assert result.finish_reasons == ("tool_calls",)
    assert result.complete
    (message,) = result.content["gen_ai.output.messages"]
    assert message["parts"] == [
        {"type": "text", "content": "Let me see"},
        {"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}},
        {"type": "tool_call", "id": "t2", "name": "g", "arguments": ""},
    ]


def test_a_stream_without_usage_says_unknown_and_not_nought():
    event = {"model": "m", "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
    _, result = said("chat/completions", {"model": "m", "stream": True}, stream(event))
    assert result.usage is None
    assert result.complete


@pytest.mark.parametrize("broken", ['data: {"model": "m", "choi', "", "data: nonsense\n\n", ": a comment\n\n"])
def test_a_stream_that_broke_off_is_not_complete(broken):
    event = {"model": "m", "choices": [{"index": 0, "delta": {"content": "half"}}]}
    _, result = said("chat/completions", {"model": "m", "stream": True}, stream(event, done=False) + broken)
    assert not result.complete
    assert result.content["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": "half"}]


def test_responses_with_a_tool_call_and_reasoning():
    call, result = said(
        "responses",
        {
            "model": "gpt-5",
            "instructions": "Be brief.",
            "max_output_tokens": 10,
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "function_call_output", "call_id": "t0", "output": "done"},
            ],
            "text": {"format": {"type": "json_schema"}},
        },
        {
            "id": "resp_1",
            "model": "gpt-5-2026",
            "status": "completed",
            "output": [
                {"type": "reasoning", "summary": [{"text": "Hm."}]},
                {"type": "function_call", "call_id": "t1", "name": "f", "arguments": "{}"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Well."}]},
            ],
            "usage": {
                "input_tokens": 3,
                "output_tokens": 4,
                "input_tokens_details": {"cached_tokens": 1},
                "output_tokens_details": {"reasoning_tokens": 2},
            },
        },
    )
    assert call.content["gen_ai.system_instructions"] == [{"type": "text", "content": "Be brief."}]
    assert [message["role"] for message in call.content["gen_ai.input.messages"]] == ["user", "tool"]
    assert call.attributes["gen_ai.output.type"] == "json"
    assert call.attributes["gen_ai.request.max_tokens"] == 10
    assert result.usage == Usage(input_tokens=3, output_tokens=4, cached_tokens=1)
    assert result.finish_reasons == ("tool_calls",)
    (message,) = result.content["gen_ai.output.messages"]
    assert [part["type"] for part in message["parts"]] == ["reasoning", "tool_call", "text"]


def test_a_streamed_response_whole_and_broken_off():
    delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hel"}
    created = {"type": "response.created", "response": {"id": "r", "model": "m-1", "status": "in_progress"}}
    whole = {"id": "r", "model": "m-1", "status": "completed", "usage": {"input_tokens": 1, "output_tokens": 2}}
    request = {"model": "m", "stream": True, "input": "x"}
    _, result = said("responses", request, stream(created, delta, {"type": "response.completed", "response": whole}))
    assert (result.usage, result.complete, result.finish_reasons) == (
        Usage(input_tokens=1, output_tokens=2),
        True,
        ("stop",),
    )
    _, broken = said("responses", request, stream(created, delta, done=False))
    assert (broken.usage, broken.complete, broken.model) == (None, False, "m-1")
    assert broken.content["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": "Hel"}]


def test_embeddings():
    call, result = said(
        "embeddings",
        {"model": "e", "input": ["a", "b"], "dimensions": 8},
        {"model": "e-1", "data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 2, "total_tokens": 2}},
    )
    assert (call.name, call.attributes["gen_ai.embeddings.dimension.count"]) == ("embeddings e", 8)
    assert result.usage == Usage(input_tokens=2, output_tokens=0)
    assert "embedding" not in repr(result.attributes) + repr(result.content)


def test_an_error_says_what_the_server_said():
    error = {"error": {"message": "Too many.", "type": "requests", "code": "rate_limit_exceeded"}}
    _, result = said("chat/completions", {"model": "m"}, error, status=429)
    assert (result.error, result.usage) == ("HTTP 429: Too many.", None)
    assert result.attributes == {"error.type": "rate_limit_exceeded"}
    _, page = said("chat/completions", {"model": "m"}, "<html>", status=502)
    assert page.error == "HTTP 502"
    _, late = said("chat/completions", {"model": "m"}, error, status=200)
    assert late.error == "Too many."


@pytest.mark.parametrize(
    ("url", "provider", "model"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai", "m"),
        ("http://127.0.0.1:8000/v1/chat/completions", "openai", "m"),
        ("https://api.groq.com/openai/v1/chat/completions", "groq", "m"),
        ("https://notgroq.com/v1/chat/completions", "openai", "m"),
        ("https://mine.openai.azure.com/openai/deployments/big/chat/completions?api-version=1", "azure.ai.openai", "m"),
        ("https://openrouter.ai/api/v1/chat/completions/", "openrouter", "m"),
    ],
)
def test_who_answers_is_told_by_the_host_and_what_is_asked_by_the_path(url, provider, model):
    call = describe_request(url, json.dumps({"model": model}))
    assert (call.provider, call.model, call.api) == (provider, model, "chat")


def test_azure_names_its_deployment_in_the_path():
    url = "https://mine.openai.azure.com/openai/deployments/big/chat/completions"
    assert describe_request(url, b"{}").model == "big"


@pytest.mark.parametrize("body", [None, b"", b"[1]", b"no json", b'"text"'])
def test_what_is_no_request_to_a_model_is_none(body):
    assert describe_request(URL + "chat/completions", body) is None
    assert describe_request(URL + "files", b"{}") is None


def test_http_keeps_no_query_and_no_password():
    call = describe_http("get", "https://user:secret@example.org:8443/a/b?key=secret#secret")
    assert call.name == "GET example.org/a/b"
    assert call.attributes == {
        "http.request.method": "GET",
        "url.full": "https://example.org:8443/a/b",
        "server.address": "example.org",
        "server.port": 8443,
    }
    assert describe_response(call, status=503, body=b"down").error == "HTTP 503"


FIELDS = [
    "choices",
    "message",
    "delta",
    "content",
    "tool_calls",
    "function",
    "usage",
    "output",
    "role",
    "type",
    "error",
    "index",
    "arguments",
    "prompt_tokens",
    "input_tokens",
    "response",
    "text",
    "model",
    "messages",
    "input",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(
    request=st.dictionaries(st.sampled_from(["model", "messages", "tools", "input", "stop", "n"]), JSON), answer=JSON
)
@pytest.mark.parametrize("path", ["chat/completions", "responses", "embeddings"])
def test_no_json_whatever_makes_it_raise(path, request, answer):
    call = describe_request(URL + path, json.dumps(request))
    assert call is not None
    for body in (json.dumps(answer), stream(answer, answer)):
        for status in (200, 400):
            describe_response(call, status=status, body=body)


# Recorded


def recorded(data: Path) -> Iterator[dict[str, Any]]:
    with (data / "recorded_api" / "openai_google.jsonl").open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def described(row: dict[str, Any]) -> tuple[Any, CallResult]:
    call = describe_request(f"https://{row['host']}{row['path']}", row["request"])
    answer = row["response"]
    body = answer if isinstance(answer, str) else json.dumps(answer)
    return call, describe_response(call, status=row["status"], body=body)


def spans_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    def value(given: dict[str, Any]) -> Any:
        ((kind, inner),) = given.items()
        if kind == "arrayValue":
            return [value(item) for item in inner.get("values", [])]
        return int(inner) if kind == "intValue" else inner

    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield {item["key"]: value(item["value"]) for item in span.get("attributes", ())}


@pytest.mark.data
def test_recorded_chats_have_the_token_counts_that_were_recorded(data):
    expected = json.loads((data / "EXPECTED.json").read_text())["otlp"]["values"]["openai_chat_default.otlp.json"]
    calls = [described(row) for row in recorded(data) if row["path"].endswith("/chat/completions")]
    usages = [result.usage for _, result in calls if result.usage is not None]
    assert len(calls) == expected["by_operation"]["chat"]
    assert sum(usage.input_tokens for usage in usages) == expected["input_tokens"]
    assert sum(usage.output_tokens for usage in usages) == expected["output_tokens"]
    assert sum(result.error is not None for _, result in calls) == expected["error_spans"]


@pytest.mark.data
def test_recorded_chats_say_what_opentelemetry_s_own_instrumentation_said_of_them(data):
    """Model, tokens, reasons and messages, attribute by attribute, against spans that were recorded from the client."""
    document = json.loads((data / "otlp" / "openai_chat_span_attrs.otlp.json").read_text())
    theirs = {span["gen_ai.response.id"]: span for span in spans_of(document) if "gen_ai.response.id" in span}
    compared = messages = 0
    for row in recorded(data):
        call, result = described(row) if row["path"].endswith("/chat/completions") else (None, None)
        span = theirs.get(result.attributes.get("gen_ai.response.id")) if result is not None else None
        if span is None:
            continue
        ours = {**call.attributes, **call.content, **result.attributes, **result.content}
        for name in ("gen_ai.request.model", "gen_ai.response.model", "gen_ai.response.finish_reasons"):
            assert name not in span or ours[name] == span[name], (row["id"], name)
        for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
            assert name not in span or ours[name] == json.loads(span[name]), (row["id"], name)
            messages += name in span
        used = (result.usage.input_tokens, result.usage.output_tokens) if result.usage else (None, None)
        assert used == (span.get("gen_ai.usage.input_tokens"), span.get("gen_ai.usage.output_tokens"))
        compared += 1
    assert (compared, messages) == (31, 62)


@pytest.mark.data
def test_recorded_responses_are_all_read(data):
    rows = [row for row in recorded(data) if row["path"].endswith("/responses")]
    results = [described(row)[1] for row in rows]
    answered = [result for result in results if result.error is None]
    assert (len(results), len(answered)) == (21, 20)
    for result in answered:
        assert result.complete
        assert result.usage is not None
        assert result.finish_reasons in (("stop",), ("tool_calls",))
        assert result.content["gen_ai.output.messages"][0]["parts"]


@pytest.mark.data
def test_recorded_calls_to_other_interfaces_are_none_of_ours(data):
    others = [row for row in recorded(data) if "googleapis" in row["host"]]
    assert len(others) == 25
    assert all(describe_request(f"https://{row['host']}{row['path']}", row["request"]) is None for row in others)
