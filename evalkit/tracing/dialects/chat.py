"""Chat completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.tracing import names
from evalkit.tracing.call import CallResult
from evalkit.tracing.dialects import fields


def request_attributes(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for beside the messages."""
    found = fields.settings(request)
    kind = fields.text(fields.mapping(request.get("response_format")).get("type"))
    if kind is not None:
        found[names.OUTPUT_TYPE] = "text" if kind == "text" else "json"
    return found


def request_content(request: Mapping[str, Any]) -> dict[str, Any]:
    """The messages and the tools."""
    found: dict[str, Any] = {}
    messages = fields.objects(request.get("messages"))
    if messages:
        found[names.INPUT_MESSAGES] = [_message(message) for message in messages]
    tools = fields.objects(request.get("tools"))
    if tools:
        found[names.TOOL_DEFINITIONS] = [{"type": tool.get("type"), **_function(tool)} for tool in tools]
    return found


def result(answer: Mapping[str, Any], *, status: int, complete: bool, error: str | None) -> CallResult:
    """What a completion says."""
    usage, more = fields.usage(
        answer.get("usage"),
        input_name="prompt_tokens",
        output_name="completion_tokens",
        details="prompt_tokens_details",
    )
    model, fingerprint = fields.text(answer.get("model")), fields.text(answer.get("system_fingerprint"))
    choices = fields.objects(answer.get("choices"))
    reasons = tuple(reason for choice in choices if (reason := fields.text(choice.get("finish_reason"))))
    given = {
        names.RESPONSE_MODEL: model,
        names.RESPONSE_ID: fields.text(answer.get("id")),
        names.FINISH_REASONS: list(reasons) or None,
        names.FINGERPRINT: fingerprint,
        names.SERVICE_TIER: fields.text(answer.get("service_tier")),
    }
    messages = [
        {**_message(fields.mapping(choice.get("message"))), "finish_reason": choice.get("finish_reason")}
        for choice in choices
    ]
    return CallResult(
        status=status,
        model=model,
        usage=usage,
        finish_reasons=reasons,
        fingerprint=fingerprint,
        complete=complete,
        error=error,
        attributes={name: value for name, value in given.items() if value is not None} | more,
        content={names.OUTPUT_MESSAGES: messages} if messages else {},
    )


def joined(events: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any] | None, bool]:
    """The completion that the chunks of a stream amount to; it has ended when each choice has a reason."""
    if not events:
        return None, False
    answer: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for event in events:
        for name in ("id", "model", "system_fingerprint", "service_tier", "usage", "error"):
            if event.get(name):
                answer[name] = event[name]
        for piece in fields.objects(event.get("choices")):
            number = fields.whole(piece.get("index")) or 0
            choice = choices.setdefault(number, {"message": {"role": "assistant", "content": ""}, "calls": {}})
            _grow(choice, fields.mapping(piece.get("delta")))
            if fields.text(piece.get("finish_reason")):
                choice["finish_reason"] = piece["finish_reason"]
    for choice in choices.values():
        calls = choice.pop("calls")
        if calls:
            choice["message"]["tool_calls"] = [call for _, call in sorted(calls.items())]
    answer["choices"] = [choice for _, choice in sorted(choices.items())]
    return answer, bool(choices) and all("finish_reason" in choice for choice in choices.values())


def _grow(choice: dict[str, Any], delta: Mapping[str, Any]) -> None:
    message = choice["message"]
    for name in ("content", "refusal", "reasoning_content"):
        if isinstance(delta.get(name), str):
            message[name] = (message.get(name) or "") + delta[name]
    if fields.text(delta.get("role")):
        message["role"] = delta["role"]
    for place, piece in enumerate(fields.objects(delta.get("tool_calls"))):
        index = fields.whole(piece.get("index"))
        call = choice["calls"].setdefault(
            place if index is None else index,
            {"id": None, "type": "function", "function": {"name": "", "arguments": ""}},
        )
        call["id"] = piece.get("id") or call["id"]
        function = fields.mapping(piece.get("function"))
        for name in ("name", "arguments"):
            if isinstance(function.get(name), str):
                call["function"][name] += function[name]


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    role = message.get("role") or "assistant"
    parts: list[dict[str, Any]] = []
    if fields.text(message.get("reasoning_content")):
        parts.append({"type": "reasoning", "content": message["reasoning_content"]})
    content = message.get("content")
    if role == "tool":
        parts.append({"type": "tool_call_response", "id": message.get("tool_call_id"), "response": content})
    elif fields.text(content):
        parts.append({"type": "text", "content": content})
    else:
        parts += [_part(part) for part in fields.objects(content)]
    if fields.text(message.get("refusal")):
        parts.append({"type": "refusal", "content": message["refusal"]})
    parts += [
        {"type": "tool_call", "id": call.get("id"), **_called(call)}
        for call in fields.objects(message.get("tool_calls"))
    ]
    found: dict[str, Any] = {"role": role, "parts": parts}
    if fields.text(message.get("name")):
        found["name"] = message["name"]
    return found


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    kind = part.get("type")
    if kind in ("text", "input_text", "output_text"):
        return {"type": "text", "content": part.get("text")}
    if kind == "refusal":
        return {"type": "refusal", "content": part.get("refusal")}
    return dict(part)


def _called(call: Mapping[str, Any]) -> dict[str, Any]:
    function = fields.mapping(call.get("function")) or fields.mapping(call.get("custom"))
    given = function.get("arguments", function.get("input"))
    return {"name": function.get("name"), "arguments": fields.arguments(given)}


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = fields.mapping(tool.get("function")) or {name: tool[name] for name in tool if name != "type"}
    return {name: function[name] for name in ("name", "description", "parameters") if name in function}
