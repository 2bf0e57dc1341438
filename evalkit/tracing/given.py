"""Attributes of our own spans, kept beside OpenTelemetry's span while it is open.

OpenTelemetry's spans take no nested data, and look at every part of each value; messages would be written as JSON to be
read again a moment later. Nobody but us sees these spans, so what is known of them need not pass through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

Given = dict[str, Any]
"""Canonical attributes, as plain JSON data."""

_OPEN: dict[int, Given] = {}


def give(span_id: int, attributes: Given) -> None:
    """`attributes` are those of the open span; they may still change."""
    _OPEN[span_id] = attributes


def take(span: ReadableSpan) -> Given | None:
    """What was given to a span that has ended, `None` for one that is not ours."""
    return None if span.context is None else _OPEN.pop(span.context.span_id, None)
