"""Where our own spans come from, and where all spans go.

The provider never samples, cuts nothing off, reads no environment variable but `OTEL_SDK_DISABLED`, exports nothing and
leaves the `random` module's state alone, so that a seeded test draws what it draws without us.
"""

from __future__ import annotations

import os
import random
import threading
from typing import Any

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from evalkit.tracing import orphans
from evalkit.tracing.given import take
from evalkit.tracing.scope import BY_TRACE, inherited, is_disabled
from evalkit.version import __version__

_LIMITS = (
    "max_attributes",
    "max_span_attributes",
    "max_event_attributes",
    "max_link_attributes",
    "max_events",
    "max_links",
    "max_attribute_length",
    "max_span_attribute_length",
)
"""All that the SDK would cut off; by default a long chat loses its first messages."""


class Collector(SpanProcessor):
    """Gives each span to the trial whose trace it belongs to; synchronous, so that there is nothing to flush."""

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's
        """Note an open span; a trace that begins inside a trial becomes part of it."""
        number = span.context.trace_id
        scope = BY_TRACE.get(number)
        if scope is None:
            if span.instrumentation_scope is not None and span.instrumentation_scope.name == OWN:
                return  # the root of a trial, which makes itself known
            scope = inherited()
            if scope is None or (scope.tree is None and scope.trace() is None):
                return
            assert scope.tree is not None, "asked for just above"
            scope.tree.adopt(number)
        if scope.tree is not None:
            scope.tree.started(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that has ended."""
        scope = None if span.context is None else BY_TRACE.get(span.context.trace_id)
        given = take(span)
        if scope is not None and scope.tree is not None:
            scope.tree.ended(span, given)
        else:
            orphans.add(span, given)


class _Ids(IdGenerator):
    def __init__(self) -> None:
        self._random = random.Random(os.urandom(16))  # noqa: S311 - names of spans, not secrets

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128) or 1


OWN = "evalkit"
"""The name under which our own spans are made."""

_COLLECTOR = Collector()
_LOCK = threading.Lock()
_own: TracerProvider | None = None
_tracer: api.Tracer | None = None


def tracer_of(scope: tuple[Any, ...]) -> api.Tracer:
    """A tracer for spans of others that nobody but us provides; `scope` is what `get_tracer` takes."""
    tracer()
    return api.NoOpTracer() if _own is None else _own.get_tracer(*scope)


def tracer() -> api.Tracer | None:
    """The tracer of our own spans, `None` where the SDK is switched off."""
    global _own, _tracer
    if _tracer is None and not is_disabled():
        with _LOCK:
            if _own is None:
                _own = TracerProvider(
                    sampler=ALWAYS_ON,
                    resource=Resource.get_empty(),
                    shutdown_on_exit=False,
                    id_generator=_Ids(),
                    span_limits=SpanLimits(**dict.fromkeys(_LIMITS, SpanLimits.UNSET)),
                )
                _own.add_span_processor(_COLLECTOR)
                _tracer = _own.get_tracer(OWN, __version__)
    return _tracer


def join(present: api.TracerProvider) -> bool:
    """Have our processor see the spans of the application's provider; `False` where it takes none."""
    if not isinstance(present, TracerProvider):
        return False
    processors = getattr(present._active_span_processor, "_span_processors", ())
    if _COLLECTOR not in processors:
        present.add_span_processor(_COLLECTOR)
    return True
