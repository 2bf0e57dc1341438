"""Responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.tracing import names
from evalkit.tracing.call import CallResult
from evalkit.tracing.dialects import fields

_ENDS = ("response.completed", "response.incomplete", "response.failed")


def request_attributes(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for beside the input."""
    found = fields.settings(request)
    kind = fields.text(fields.mapping(fields.mapping(request.get("text")).get("format")).get("type"))
    if kind is not None:
        found[names.OUTPUT_TYPE] = "text" if kind == "text" else "json"
    conversation = fields.text(request.get("previous_response_id"))
    if conversation is not None:
        found["openai.request.previous_response_id"] = conversation
    return found


def request_content(request: Mapping[str, Any]) -> dict[str, Any]:
    """The input, the instructions and the tools."""
    found: dict[str, Any] = {}
    given = request.get("input")
    if fields.text(given):
        found[names.INPUT_MESSAGES] = [{"role": "user", "parts": [{"type": "text", "content": given}]}]
    elif fields.objects(given):
        found[names.INPUT_MESSAGES] = [_item(item) for item in fields.objects(given)]
    if fields.text(request.get("instructions")):
        found[names.INSTRUCTIONS] = [{"type": "text", "content": request["instructions"]}]
    tools = fields.objects(request.get("tools"))
    if tools:
        found[names.TOOL_DEFINITIONS] = [
            {name: tool[name] for name in ("type", "name", "description", "parameters") if name in tool}
            for tool in tools
        ]
    return found


def result(answer: Mapping[str, Any], *, status: int, complete: bool, error: str | None) -> CallResult:
    """What a response says."""
    usage, more = fields.usage(
        answer.get("usage"), input_name="input_tokens", output_name="output_tokens", details="input_tokens_details"
    )
    model = fields.text(answer.get("model"))
    items = fields.objects(answer.get("output"))
    reason = _reason(answer, items)
    given = {
        names.RESPONSE_MODEL: model,
        names.RESPONSE_ID: fields.text(answer.get("id")),
        names.FINISH_REASONS: [reason] if reason else None,
        names.SERVICE_TIER: fields.text(answer.get("service_tier")),
    }
    parts = [part for item in items for part in _item(item)["parts"]]
    message = {"role": "assistant", "parts": parts, "finish_reason": reason}
    return CallResult(
        status=status,
        model=model,
        usage=usage,
        finish_reasons=(reason,) if reason else (),
        complete=complete,
        error=error,
        attributes={name: value for name, value in given.items() if value is not None} | more,
        content={names.OUTPUT_MESSAGES: [message]} if parts else {},
    )


def joined(events: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any] | None, bool]:
    """The response that the events of a stream amount to: the last one whole, or what came of it."""
    for event in reversed(events):
        if event.get("type") in _ENDS and isinstance(event.get("response"), Mapping):
            return event["response"], True
    begun: dict[str, Any] = {}
    texts: dict[tuple[int, int], str] = {}
    for event in events:
        if isinstance(event.get("response"), Mapping):
            begun = dict(event["response"])
        if event.get("type") == "error":
            begun["error"] = event.get("error") or {"message": event.get("message")}
        if event.get("type") == "response.output_text.delta" and isinstance(event.get("delta"), str):
            place = (fields.whole(event.get("output_index")) or 0, fields.whole(event.get("content_index")) or 0)
            texts[place] = texts.get(place, "") + event["delta"]
    if not begun and not texts:
        return None, False
    if texts:
        content = [{"type": "output_text", "text": text} for _, text in sorted(texts.items())]
        begun["output"] = [{"type": "message", "role": "assistant", "content": content}]
    return begun, False


def _reason(answer: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> str | None:
    state = answer.get("status")
    if state == "incomplete":
        return fields.text(fields.mapping(answer.get("incomplete_details")).get("reason")) or "incomplete"
    if state == "completed":
        return (
            "tool_calls" if any(item.get("type") in ("function_call", "custom_tool_call") for item in items) else "stop"
        )
    return fields.text(state)


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    kind = item.get("type", "message")
    if kind in ("function_call", "custom_tool_call"):
        given = fields.arguments(item.get("arguments", item.get("input")))
        part = {"type": "tool_call", "id": item.get("call_id"), "name": item.get("name"), "arguments": given}
        return {"role": "assistant", "parts": [part]}
    if kind in ("function_call_output", "custom_tool_call_output"):
        part = {"type": "tool_call_response", "id": item.get("call_id"), "response": item.get("output")}
        return {"role": "tool", "parts": [part]}
    if kind == "reasoning":
        said = [summary.get("text") for summary in fields.objects(item.get("summary"))]
        return {"role": "assistant", "parts": [{"type": "reasoning", "content": text} for text in said if text]}
    if kind == "message":
        content = item.get("content")
        if fields.text(content):
            parts: list[dict[str, Any]] = [{"type": "text", "content": content}]
        else:
            parts = [_part(part) for part in fields.objects(content)]
        return {"role": item.get("role", "user"), "parts": parts}
    return {"role": "assistant", "parts": [dict(item)]}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text"):
        return {"type": "text", "content": part.get("text")}
    if kind == "refusal":
        return {"type": "refusal", "content": part.get("refusal")}
    return dict(part)
