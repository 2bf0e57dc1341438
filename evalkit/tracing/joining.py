"""Arguments and results that a tool's span does not have, taken from the messages that asked for it and heard of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from evalkit.spans import Span
from evalkit.tracing import names


def with_arguments(spans: Sequence[Span]) -> list[Span]:
    """The spans, with what the messages of the trace say of each tool's call, found by the call's id."""
    if not any(_is_wanting(span) for span in spans):
        return list(spans)
    called: dict[str, Any] = {}
    answered: dict[str, Any] = {}
    for part in _parts(spans):
        key = part.get("id")
        if not isinstance(key, str):
            continue
        if part.get("type") == "tool_call" and part.get("arguments") is not None:
            called.setdefault(key, part["arguments"])
        elif part.get("type") == "tool_call_response" and part.get("response") is not None:
            answered.setdefault(key, part["response"])
    return [_completed(span, called, answered) if _is_wanting(span) else span for span in spans]


def _is_wanting(span: Span) -> bool:
    has_both = names.TOOL_ARGUMENTS in span.attributes and names.TOOL_RESULT in span.attributes
    return span.kind == "tool" and names.TOOL_CALL_ID in span.attributes and not has_both


def _parts(spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
    for span in spans:
        for name in (names.INPUT_MESSAGES, names.OUTPUT_MESSAGES):
            messages = span.attributes.get(name)
            for message in messages if isinstance(messages, list) else ():
                parts = message.get("parts") if isinstance(message, dict) else None
                yield from (part for part in parts or () if isinstance(part, dict))


def _completed(span: Span, called: dict[str, Any], answered: dict[str, Any]) -> Span:
    key = span.attributes[names.TOOL_CALL_ID]
    found = {}
    if key in called:
        found[names.TOOL_ARGUMENTS] = called[key]
    if key in answered:
        found[names.TOOL_RESULT] = answered[key]
    return dataclasses.replace(span, attributes={**found, **span.attributes}) if found else span
