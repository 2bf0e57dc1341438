"""What other instrumentation calls things, folded into the canonical attributes: OpenInference, and the conventions
of before 1.37.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from evalkit.tracing import names
from evalkit.tracing.values import from_attribute

PREFIXES = ("openinference.", "llm.", "gen_ai.prompt.", "gen_ai.completion.", "retrieval.documents.", "traceloop.")
"""How the names begin by which such a span is known."""

_OPERATIONS = {
    "LLM": "chat",
    "EMBEDDING": "embeddings",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "RETRIEVER": "retrieval",
    "CHAIN": "chain",
}
_TRACELOOP = {"tool": "execute_tool", "agent": "invoke_agent", "task": "chain", "workflow": "chain"}
_INDEXED = re.compile(
    r"^(llm\.input_messages|llm\.output_messages|gen_ai\.prompt|gen_ai\.completion|retrieval\.documents)\.(\d+)\.(.+)$"
)
_FOREIGN = re.compile(
    r"^(openinference\.|llm\.|gen_ai\.prompt\.|gen_ai\.completion\.|retrieval\.documents\.|traceloop\."
    r"|input\.(value|mime_type)$|output\.(value|mime_type)$|tool\.)"
)


def folded(given: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical attributes that `given` amounts to; those of no known meaning stay as they are."""
    kept = {
        name: from_attribute(value)
        for name, value in given.items()
        if name not in names.ALIASES and not _FOREIGN.match(name)
    }
    for name, value in given.items():
        canonical = names.ALIASES.get(name)
        if canonical is not None:
            kept.setdefault(canonical, _shaped(canonical, value))
    operation = _operation(given)
    if operation is not None:
        kept.setdefault(names.OPERATION, operation)
    for name, value in _content(given, kept.get(names.OPERATION)).items():
        kept.setdefault(name, value)
    return kept


def _shaped(canonical: str, value: Any) -> Any:
    if canonical == names.FINISH_REASONS and isinstance(value, str):
        return [value]
    return from_attribute(value)


def _operation(given: Mapping[str, Any]) -> str | None:
    kind = given.get("openinference.span.kind")
    if isinstance(kind, str):
        return _OPERATIONS.get(kind.upper(), "chain")
    kind = given.get("traceloop.span.kind")
    if isinstance(kind, str):
        return _TRACELOOP.get(kind, "chain")
    requested = given.get("llm.request.type")
    if isinstance(requested, str):
        return {"chat": "chat", "completion": "text_completion", "embedding": "embeddings"}.get(requested)
    return None


def _content(given: Mapping[str, Any], operation: Any) -> dict[str, Any]:
    lists: dict[str, dict[int, dict[str, Any]]] = {}
    for name, value in given.items():
        match = _INDEXED.match(name)
        if match:
            lists.setdefault(match[1], {}).setdefault(int(match[2]), {})[match[3]] = value
    found: dict[str, Any] = {}
    for prefix, canonical in (
        ("llm.input_messages", names.INPUT_MESSAGES),
        ("gen_ai.prompt", names.INPUT_MESSAGES),
        ("llm.output_messages", names.OUTPUT_MESSAGES),
        ("gen_ai.completion", names.OUTPUT_MESSAGES),
    ):
        if prefix in lists:
            found[canonical] = [_message(flat) for _, flat in sorted(lists[prefix].items())]
    if "retrieval.documents" in lists:
        found[names.DOCUMENTS] = [_document(flat) for _, flat in sorted(lists["retrieval.documents"].items())]
    if operation == "execute_tool":
        found |= _tool(given)
    return found


def _message(flat: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name.removeprefix("message."): value for name, value in flat.items()}
    parts: list[dict[str, Any]] = []
    content = fields.get("content")
    call_id = fields.get("tool_call_id")
    if isinstance(content, str) and content:
        if fields.get("role") == "tool" and isinstance(call_id, str):
            parts.append({"type": "tool_call_response", "id": call_id, "response": content})
        else:
            parts.append({"type": "text", "content": content})
    parts += [
        {"type": "text", "content": part["message_content.text"]}
        for part in _numbered(fields, "contents")
        if isinstance(part.get("message_content.text"), str)
    ]
    parts += [_call(part) for part in _numbered(fields, "tool_calls")]
    message: dict[str, Any] = {"role": fields.get("role", ""), "parts": parts}
    if isinstance(fields.get("finish_reason"), str):
        message["finish_reason"] = fields["finish_reason"]
    return message


def _numbered(fields: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    items: dict[int, dict[str, Any]] = {}
    for name, value in fields.items():
        head, _, rest = name.partition(".")
        number, _, field = rest.partition(".")
        if head == prefix and number.isdigit():
            items.setdefault(int(number), {})[field] = value
    return [item for _, item in sorted(items.items())]


def _call(flat: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name.removeprefix("tool_call.").removeprefix("function."): value for name, value in flat.items()}
    return {
        "type": "tool_call",
        "id": fields.get("id"),
        "name": fields.get("name"),
        "arguments": from_attribute(fields.get("arguments")),
    }


def _document(flat: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name.removeprefix("document."): value for name, value in flat.items()}
    return {name: fields[name] for name in ("id", "content", "score") if name in fields}


def _tool(given: Mapping[str, Any]) -> dict[str, Any]:
    # `tool.parameters` is the schema of the tool, and never what it was called with.
    found: dict[str, Any] = {}
    for canonical, keys in (
        (names.TOOL_ARGUMENTS, ("input.value", "traceloop.entity.input")),
        (names.TOOL_RESULT, ("output.value", "traceloop.entity.output")),
    ):
        for key in keys:
            if key in given:
                found[canonical] = _unwrapped(given[key])
                break
    return found


def _unwrapped(value: Any) -> Any:
    data = from_attribute(value)
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return data
    while isinstance(data, dict) and len(data) == 1 and next(iter(data)) in ("input", "output", "kwargs"):
        data = next(iter(data.values()))
    return data
