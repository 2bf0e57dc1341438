"""From OpenTelemetry's spans to ours: whoever made them, the same attributes mean the same afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from evalkit.spans import Span, SpanKind, SpanStatus, Trace
from evalkit.tracing import folding, names
from evalkit.tracing.given import Given
from evalkit.tracing.joining import with_arguments
from evalkit.tracing.values import from_attribute, plain
from evalkit.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

NORMALISER = "1"
"""The version of these rules, kept with each trace: a trace of earlier rules can be made anew from `Span.raw`."""

_NONE: Mapping[str, Any] = MappingProxyType({})
UNFINISHED = "not finished when the trial ended"
_STATUS: dict[str, SpanStatus] = {"UNSET": "unset", "OK": "ok", "ERROR": "error"}
_KINDS: dict[str, SpanKind] = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "responses": "llm",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "chain",
    "retrieval": "retrieval",
}
_OWN_KINDS: frozenset[str] = frozenset(
    {"case", "llm", "embedding", "tool", "agent", "retrieval", "chain", "scorer", "http"}
)


class Raw(NamedTuple):  # which takes a quarter of the time of a frozen dataclass to make
    """A span as it came, from the SDK or from a file. Ids are lower-case hex, times nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    end_ns: int
    status: SpanStatus = "unset"
    message: str | None = None
    attributes: Mapping[str, Any] = _NONE
    events: tuple[Mapping[str, Any], ...] = ()


def trace_of(
    trace_id: str,
    ended: Iterable[tuple[ReadableSpan, Given | None]],
    *,
    unfinished: Iterable[tuple[ReadableSpan, Given | None]] = (),
    now: int,
    capture: str = "content",
) -> Trace:
    """The trace that the spans of a trial make, under one root.

    What belongs to another trace, or whose parent is not among them, hangs on the root. `now` is when spans that are
    not finished are taken to have ended.
    """
    spans = [span_of(span, given, now=now, capture=capture) for span, given in ended]
    spans += [span_of(span, given, now=now, capture=capture, unfinished=True) for span, given in unfinished]
    spans.sort(key=lambda span: (span.start_ns, span.kind != "case"))
    return Trace(trace_id=trace_id, spans=_one_root(trace_id, with_arguments(spans)), normaliser=NORMALISER)


def span_of(
    span: ReadableSpan, given: Given | None, *, now: int, capture: str = "content", unfinished: bool = False
) -> Span:
    """One span of the SDK's as ours; `given` is what we know of one that we made, beside what it says itself."""
    context, parent = span.context, span.parent
    assert context is not None, "a span of the SDK has a context"
    status = "error" if unfinished else _STATUS[span.status.status_code.name]
    return _normalised(
        Raw(
            trace_id=format(context.trace_id, "032x"),
            span_id=format(context.span_id, "016x"),
            parent_id=None if parent is None else format(parent.span_id, "016x"),
            name=span.name,
            start_ns=span.start_time or now,
            end_ns=max(span.end_time or now, span.start_time or 0),  # the clock may have been set back
            status=status,
            message=UNFINISHED if unfinished else span.status.description,
            attributes=dict(span.attributes) if span.attributes else _NONE,
            events=()
            if not span.events
            else tuple(
                {"name": event.name, "time_ns": event.timestamp, "attributes": dict(event.attributes or {})}
                for event in span.events
            ),
        ),
        given,
        capture,
    )


def normalised(raw: Raw, *, capture: str = "content") -> Span:
    """A span with canonical attributes, and what it came with beside them where that is something else.

    With `capture="metadata"` what people wrote is left out, and so is every text whose meaning is not known.
    """
    return _normalised(raw, None, capture)


def _normalised(raw: Raw, given: Given | None, capture: str) -> Span:
    came = raw.attributes
    is_plain = not came or not any(name in names.ALIASES or name.startswith(folding.PREFIXES) for name in came)
    attributes = {name: from_attribute(value) for name, value in came.items()} if is_plain else folding.folded(came)
    if given is not None:
        attributes |= given
    kind = _kind(attributes)
    kept = attributes if capture == "content" else _without_content(attributes)
    return Span(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_id=raw.parent_id,
        kind=kind,
        name=raw.name,
        start_ns=raw.start_ns,
        end_ns=raw.end_ns,
        status=raw.status,
        error=_error(raw),
        model=_text(attributes.get(names.RESPONSE_MODEL) or attributes.get(names.REQUEST_MODEL)),
        provider=_text(attributes.get(names.PROVIDER)),
        usage=_usage(attributes) if kind in ("llm", "embedding") else None,
        tool_name=_text(attributes.get(names.TOOL_NAME)) if kind == "tool" else None,
        attributes=kept,
        raw=_NONE if is_plain or capture != "content" else {name: plain(value) for name, value in came.items()},
        events=tuple(_event(event, capture) for event in raw.events),
    )


def _kind(attributes: Mapping[str, Any]) -> SpanKind:
    own = attributes.get(names.KIND)
    if own in _OWN_KINDS:
        kind: SpanKind = own
        return kind
    operation = attributes.get(names.OPERATION)
    if isinstance(operation, str):
        return _KINDS.get(operation, "chain")
    if names.METHOD in attributes or "http.method" in attributes:
        return "http"
    return "chain"


def _usage(attributes: Mapping[str, Any]) -> Usage | None:
    input_tokens, output_tokens = _whole(attributes, names.INPUT_TOKENS), _whole(attributes, names.OUTPUT_TOKENS)
    cost, saved = _money(attributes, names.COST), _money(attributes, names.SAVED)
    if input_tokens is None and output_tokens is None and cost is None:
        return None
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=_whole(attributes, names.CACHED_TOKENS),
        cost=cost,
        saved=saved,
        calls=1,
        uncounted=int(input_tokens is None and output_tokens is None),
        unpriced=int(cost is None),
    )


def _whole(attributes: Mapping[str, Any], name: str) -> int | None:
    value = attributes.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _money(attributes: Mapping[str, Any], name: str) -> Decimal | None:
    value = attributes.get(name)
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _error(raw: Raw) -> str | None:
    if raw.status != "error":
        return None
    for event in raw.events:
        if event.get("name") == "exception" and not raw.message:
            found = event.get("attributes", {})
            return f"{found.get('exception.type', 'exception')}: {found.get('exception.message', '')}".rstrip(": ")
    return raw.message or _text(raw.attributes.get(names.ERROR_TYPE)) or "error"


def _event(event: Mapping[str, Any], capture: str) -> Mapping[str, Any]:
    attributes = {name: from_attribute(value) for name, value in event.get("attributes", {}).items()}
    kept = attributes if capture == "content" else _without_content(attributes)
    return {"name": event["name"], "time_ns": event.get("time_ns"), "attributes": kept}


def _without_content(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in attributes.items()
        if name not in names.CONTENT and (name in _METADATA or name.startswith(_SAFE) or not _holds_text(value))
    }


_METADATA = frozenset(value for name, value in vars(names).items() if name.isupper() and isinstance(value, str))
_SAFE = ("evalkit.", "gen_ai.request.", "gen_ai.agent.", "http.", "server.", "exception.type")


def _holds_text(value: Any) -> bool:
    return not isinstance(value, bool | int | float | None)


def _one_root(trace_id: str, spans: list[Span]) -> tuple[Span, ...]:
    root = next((span for span in spans if span.kind == "case" and span.trace_id == trace_id), None)
    if root is None:
        return tuple(spans)
    known = {span.span_id for span in spans}
    return tuple(
        span
        if span is root or (span.trace_id == trace_id and span.parent_id in known)
        else dataclasses.replace(
            span, trace_id=trace_id, parent_id=span.parent_id if span.parent_id in known else root.span_id
        )
        for span in spans
    )
