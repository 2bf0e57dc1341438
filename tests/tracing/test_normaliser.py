"""Whoever made a span, the same attributes mean the same afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.spans import Span, Trace
from evalkit.tracing import names
from evalkit.tracing.counting import used
from evalkit.tracing.joining import with_arguments
from evalkit.tracing.normalise import NORMALISER, Raw, normalised
from evalkit.usage import summed


def one(attributes: dict[str, Any], *, capture: str = "content", **fields: Any) -> Span:
    given = {"trace_id": "0" * 31 + "1", "span_id": "0" * 15 + "1", "parent_id": None, "name": "n"}
    return normalised(Raw(**{**given, "start_ns": 1, "end_ns": 2, "attributes": attributes, **fields}), capture=capture)


def test_a_span_that_is_canonical_already_is_kept_once():
    span = one(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.response.model": "m-1",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.usage.cache_read.input_tokens": 1,
            "gen_ai.input.messages": '[{"role": "user", "parts": []}]',
            "evalkit.cost": "0.0001",
        }
    )
    assert (span.kind, span.model, span.provider, span.raw) == ("llm", "m-1", "openai", {})
    assert span.attributes["gen_ai.input.messages"] == [{"role": "user", "parts": []}]
    usage = span.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (3, 4, 1)
    assert (usage.cost, usage.calls, usage.unpriced) == (Decimal("0.0001"), 1, 0)


OPENINFERENCE_LLM = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "llm.provider": "openai",
    "llm.token_count.prompt": 30,
    "llm.token_count.completion": 12,
    "llm.token_count.prompt_details.cache_read": 8,
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Weather?",
    "llm.input_messages.2.message.role": "tool",
    "llm.input_messages.2.message.tool_call_id": "t0",
    "llm.input_messages.2.message.content": "sunny",
    "llm.input_messages.10.message.role": "user",
    "llm.input_messages.10.message.content": "last",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "t1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Oslo"}',
    "input.value": "{}",
}


def test_openinference_of_a_model():
    span = one(OPENINFERENCE_LLM)
    assert (span.kind, span.model, span.provider) == ("llm", "gpt-4o", "openai")
    assert (span.usage.input_tokens, span.usage.output_tokens, span.usage.cached_tokens) == (30, 12, 8)
    assert span.attributes["gen_ai.operation.name"] == "chat"
    assert span.attributes["gen_ai.input.messages"] == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t0", "response": "sunny"}]},
        {"role": "user", "parts": [{"type": "text", "content": "last"}]},
    ]
    assert span.attributes["gen_ai.output.messages"] == [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Oslo"}}],
        }
    ]
    assert span.raw == OPENINFERENCE_LLM
    assert not any(name.startswith(("llm.", "openinference.")) for name in span.attributes)


@pytest.mark.parametrize(
    ("given", "kind", "operation"),
    [
        ("LLM", "llm", "chat"),
        ("EMBEDDING", "embedding", "embeddings"),
        ("TOOL", "tool", "execute_tool"),
        ("AGENT", "agent", "invoke_agent"),
        ("RETRIEVER", "retrieval", "retrieval"),
        ("CHAIN", "chain", "chain"),
        ("GUARDRAIL", "chain", "chain"),
    ],
)
def test_openinference_s_kinds(given, kind, operation):
    span = one({"openinference.span.kind": given})
    assert (span.kind, span.attributes["gen_ai.operation.name"]) == (kind, operation)


def test_openinference_of_a_tool_takes_what_it_was_called_with_and_never_its_schema():
    span = one(
        {
            "openinference.span.kind": "TOOL",
            "tool.name": "weather",
            "tool.parameters": '{"type": "object", "properties": {}}',
            "input.value": '{"input": {"city": "Oslo"}}',
            "output.value": '{"output": "sunny"}',
        }
    )
    assert (span.kind, span.tool_name, span.usage) == ("tool", "weather", None)
    assert span.attributes["gen_ai.tool.call.arguments"] == {"city": "Oslo"}
    assert span.attributes["gen_ai.tool.call.result"] == "sunny"
    assert "tool.parameters" not in span.attributes


def test_openinference_of_a_retriever():
    span = one(
        {
            "openinference.span.kind": "RETRIEVER",
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.content": "text",
            "retrieval.documents.0.document.score": 0.5,
            "retrieval.documents.1.document.content": "more",
        }
    )
    assert span.attributes["gen_ai.retrieval.documents"] == [
        {"id": "d1", "content": "text", "score": 0.5},
        {"content": "more"},
    ]


@pytest.mark.parametrize(("alias", "canonical"), sorted(names.ALIASES.items()))
def test_every_alias_is_folded_and_the_canonical_name_wins(alias, canonical):
    value: Any = 5 if "token" in alias else "text"
    assert one({alias: value}).attributes[canonical] in (value, [value])
    other: Any = 6 if "token" in alias else "other"
    both = one({alias: value, canonical: other})
    assert both.attributes[canonical] == other
    assert alias not in both.attributes
    assert both.raw[alias] == value


def test_the_flat_messages_of_before():
    span = one(
        {
            "gen_ai.system": "OpenAI",
            "llm.request.type": "chat",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "hi",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "yo",
            "gen_ai.completion.0.finish_reason": "stop",
            "gen_ai.usage.prompt_tokens": 1,
            "gen_ai.usage.completion_tokens": 2,
        }
    )
    assert span.kind == "llm"
    assert span.attributes["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "yo"}], "finish_reason": "stop"}
    ]
    assert span.usage.total_tokens == 3


def test_metadata_only_leaves_out_what_people_wrote():
    given = {**OPENINFERENCE_LLM, "some.text": "Weather?", "some.number": 7}
    span = one(given, capture="metadata", events=({"name": "gen_ai.choice", "attributes": {"content": "Weather?"}},))
    assert "Weather?" not in repr(span)
    assert "Be brief." not in repr(span)
    assert (span.model, span.usage.input_tokens, span.attributes["some.number"]) == ("gpt-4o", 30, 7)
    assert (span.raw, span.events[0]["name"]) == ({}, "gen_ai.choice")


def test_errors_are_sentences():
    exception = {"name": "exception", "attributes": {"exception.type": "ValueError", "exception.message": "no"}}
    assert one({}, status="error", events=(exception,)).error == "ValueError: no"
    assert one({}, status="error", message="said").error == "said"
    assert one({"error.type": "timeout"}, status="error").error == "timeout"
    assert one({"error.type": "timeout"}, status="ok").error is None


@pytest.mark.parametrize("tokens", [-1, 1.5, True, "3", None, float("inf")])
def test_what_is_no_count_is_unknown(tokens):
    given = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": tokens}
    assert one({name: value for name, value in given.items() if value is not None}).usage is None


# Counting


def tree(*spans: tuple[str, str | None, dict[str, Any]]) -> Trace:
    made = [
        one(attributes, span_id=name, name=name, parent_id=parent, start_ns=place)
        for place, (name, parent, attributes) in enumerate(spans)
    ]
    return Trace(trace_id=made[0].trace_id, spans=tuple(made), normaliser=NORMALISER)


def chat(tokens: int | None = None, **more: Any) -> dict[str, Any]:
    given = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": tokens, **more}
    return {name: value for name, value in given.items() if value is not None}


def test_tokens_are_counted_on_the_innermost_calls_alone():
    trace = tree(
        ("case", None, {"evalkit.kind": "case"}),
        ("framework", "case", chat(30)),
        ("client", "framework", chat(30)),
        ("sent", "client", chat(10)),
        ("sent again", "client", chat(20)),
        ("alone", "case", chat(5)),
    )
    assert sorted(usage.input_tokens for _, usage in used(trace)) == [5, 10, 20]


def test_where_the_innermost_does_not_say_the_one_around_it_does():
    trace = tree(("case", None, {"evalkit.kind": "case"}), ("client", "case", chat(30)), ("sent", "client", chat()))
    assert [(usage.input_tokens, usage.uncounted) for _, usage in used(trace)] == [(30, 0)]


def test_a_refused_call_is_none_and_one_that_broke_off_is_unknown():
    refused = chat(**{"http.response.status_code": 429})
    trace = tree(
        ("case", None, {"evalkit.kind": "case"}),
        ("client", "case", chat()),
        ("1", "client", refused),
        ("2", "client", chat()),
    )
    assert [(usage.calls, usage.uncounted) for _, usage in used(trace)] == [(1, 1)]
    only = tree(("case", None, {"evalkit.kind": "case"}), ("client", "case", chat()), ("1", "client", refused))
    assert used(only) == []


def test_calls_belong_to_the_scorer_around_them():
    trace = tree(
        ("case", None, {"evalkit.kind": "case"}),
        ("a", "case", chat(1)),
        ("judge", "case", {"evalkit.kind": "scorer", "evalkit.scorer": "judge"}),
        ("chain", "judge", {}),
        ("b", "chain", chat(2)),
        ("late", "case", chat(3, **{"evalkit.scorer": "panel"})),
    )
    assert [(scorer, usage.input_tokens) for scorer, usage in used(trace)] == [(None, 1), ("judge", 2), ("panel", 3)]


# Recorded


def spans_of(path: Path) -> Iterator[Span]:
    def value(given: dict[str, Any]) -> Any:
        ((kind, inner),) = given.items()
        if kind == "arrayValue":
            return tuple(value(item) for item in inner.get("values", []))
        return int(inner) if kind == "intValue" else inner

    def attributes(given: dict[str, Any]) -> dict[str, Any]:
        return {item["key"]: value(item["value"]) for item in given.get("attributes", ())}

    for resource in json.loads(path.read_text())["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                status = span.get("status", {})
                yield normalised(
                    Raw(
                        trace_id=span["traceId"],
                        span_id=span["spanId"],
                        parent_id=span.get("parentSpanId") or None,
                        name=span["name"],
                        start_ns=int(span["startTimeUnixNano"]),
                        end_ns=int(span["endTimeUnixNano"]),
                        status=("unset", "ok", "error")[status.get("code", 0)],
                        message=status.get("message"),
                        attributes=attributes(span),
                        events=tuple(
                            {"name": event["name"], "attributes": attributes(event)} for event in span.get("events", ())
                        ),
                    )
                )


FILES = (
    "openai_chat_default.otlp.json",
    "openai_chat_span_attrs.otlp.json",
    "tau_agent_default.otlp.json",
    "tau_agent_span_attrs.otlp.json",
)


def test_what_a_tool_was_called_with_is_found_by_the_call_s_id():
    asked = [{"role": "assistant", "parts": [{"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}}]}]
    heard = [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": "42"}]}]
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f"}
    spans = tree(
        ("1", None, {"gen_ai.operation.name": "chat", "gen_ai.output.messages": json.dumps(asked)}),
        ("2", None, {**tool, "gen_ai.tool.call.id": "t1"}),
        ("3", None, {**tool, "gen_ai.tool.call.id": "t2"}),
        ("4", None, {**tool, "gen_ai.tool.call.id": "t1", "gen_ai.tool.call.arguments": "its own"}),
        ("5", None, {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(heard)}),
    ).spans
    done = {span.name: span.attributes for span in with_arguments(spans)}
    assert (done["2"][names.TOOL_ARGUMENTS], done["2"][names.TOOL_RESULT]) == ({"a": 1}, "42")
    assert names.TOOL_ARGUMENTS not in done["3"]
    assert (done["4"][names.TOOL_ARGUMENTS], done["4"][names.TOOL_RESULT]) == ("its own", "42")


@pytest.mark.data
def test_recorded_tool_calls_find_their_arguments(data):
    spans = with_arguments(list(spans_of(data / "otlp" / "tau_agent_span_attrs.otlp.json")))
    tools = [span for span in spans if span.kind == "tool"]
    assert len(tools) == 7
    for span in tools:
        assert isinstance(span.attributes[names.TOOL_ARGUMENTS], dict)
    assert sum(names.TOOL_RESULT in span.attributes for span in tools) == 5


@pytest.mark.data
@pytest.mark.parametrize("name", FILES)
def test_recorded_spans_have_the_figures_that_were_counted(data, name):
    expected = json.loads((data / "EXPECTED.json").read_text())["otlp"]["values"][name]
    spans = list(spans_of(data / "otlp" / name))
    ids = {span.span_id for span in spans}
    traces = {span.trace_id for span in spans}
    by_operation = expected["by_operation"]
    assert len(spans) == expected["spans"]
    assert len(traces) == expected["traces"]
    assert sum(span.parent_id is None for span in spans) == expected["roots"]
    assert sum(span.parent_id is not None and span.parent_id not in ids for span in spans) == expected["orphans"]
    assert sum(span.status == "error" for span in spans) == expected["error_spans"]
    assert sum(span.kind == "llm" for span in spans) == by_operation["chat"]
    assert sum(span.kind == "tool" for span in spans) == by_operation.get("execute_tool", 0)
    assert sum(span.kind == "agent" for span in spans) == by_operation.get("invoke_agent", 0)
    assert sum(span.kind == "chain" for span in spans) == by_operation.get("-", 0)
    assert sum(names.INPUT_MESSAGES in span.attributes for span in spans) == expected["with_input_messages"]
    usages = [usage for _, usage in used(Trace(trace_id="all", spans=tuple(spans)))]
    total = summed(usages)
    assert total is not None
    assert (total.input_tokens or 0, total.output_tokens or 0) == (expected["input_tokens"], expected["output_tokens"])
    assert all(span.tool_name for span in spans if span.kind == "tool")
    assert all(span.raw == {} for span in spans)
    if expected["with_input_messages"]:
        messages = [span.attributes[names.INPUT_MESSAGES] for span in spans if names.INPUT_MESSAGES in span.attributes]
        assert all(isinstance(part, dict) for chat in messages for message in chat for part in message["parts"])
