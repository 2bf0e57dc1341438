"""The spans of one trial while it goes on: OpenTelemetry's, under one root."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextvars import Token

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN, Status, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace import Span as OpenSpan

from evalkit.spans import Trace
from evalkit.tracing import names, orphans, provider
from evalkit.tracing.given import Given, give, take
from evalkit.tracing.normalise import trace_of
from evalkit.tracing.scope import BY_TRACE, Scope


class Tree:
    """What is traced of one trial. Spans come in from any thread; after `end` they are too late.

    `trace_id` is 32 lower-case hex digits. Other traces that begin inside the trial become part of it.
    """

    def __init__(self, scope: Scope, root: OpenSpan) -> None:
        number = root.get_span_context().trace_id
        self.trace_id = format(number, "032x")
        self.root = root
        self._scope = scope
        self._context = set_span_in_context(root, Context())
        self._numbers = {number}
        self._open: dict[int, ReadableSpan] = {}
        self._ended: list[tuple[ReadableSpan, Given | None]] = []
        self._given_up: frozenset[int] = frozenset()
        self._result: Trace | None = None
        self._lock = threading.Lock()

    @classmethod
    def begin(cls, scope: Scope) -> Tree | None:
        """Begin the trial's root span, when the trial itself began; `None` where the SDK is switched off."""
        tracer = provider.tracer()
        if tracer is None:
            return None
        given: Given = {
            names.KIND: "case",
            names.RUN: scope.run_id,
            names.SUITE: scope.suite,
            names.CASE: scope.case_id,
            names.TRIAL: scope.number,
        }
        root = tracer.start_span(scope.case_id, context=Context(), start_time=scope.start_ns)
        context = root.get_span_context()
        give(context.span_id, {name: value for name, value in given.items() if value != ""})
        tree = cls(scope, root)
        BY_TRACE[context.trace_id] = scope
        return tree

    def start(self, name: str, attributes: Given) -> OpenSpan:
        """Begin a span below the current one, or below the root where that belongs to another trial or to none.

        `attributes` may be added to until the span ends.
        """
        tracer = provider.tracer()
        assert tracer is not None, "there is a root"
        span = tracer.start_span(name, context=self._here())
        give(span.get_span_context().span_id, attributes)
        return span

    def _here(self) -> Context | None:
        known = get_current_span().get_span_context().trace_id in self._numbers
        return None if known else self._context

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Within the block, new spans are below the root."""
        token = otel_context.attach(self._context)
        try:
            yield
        finally:
            otel_context.detach(token)

    def adopt(self, number: int) -> None:
        """Take another trace, which began inside this trial, for a part of it."""
        self._numbers.add(number)
        BY_TRACE[number] = self._scope

    def started(self, span: ReadableSpan) -> None:
        """A span has begun."""
        context = span.context
        if context is not None:
            self._open[context.span_id] = span

    def ended(self, span: ReadableSpan, given: Given | None) -> None:
        """A span has ended, with what was given to it where it is one of ours."""
        number = 0 if span.context is None else span.context.span_id
        with self._lock:
            self._open.pop(number, None)
            if self._result is None:
                self._ended.append((span, given))
                return
        if number not in self._given_up:
            orphans.add(span, given, late_for=self._scope)

    def end(self, error: str | None) -> Trace:
        """End the root, and make the trace of all there is."""
        if self._result is not None:
            return self._result
        self.root.set_status(Status(StatusCode.ERROR, error) if error is not None else Status(StatusCode.OK))
        self.root.end()
        with self._lock:
            ended, self._ended = self._ended, []
            unfinished = [(span, take(span)) for span in list(self._open.values())]
            self._given_up = frozenset(self._open)
            self._result = trace_of(
                self.trace_id, ended, unfinished=unfinished, now=time.time_ns(), capture=self._scope.capture
            )
        return self._result

    def close(self) -> None:
        """Forget which trial the trace was of, beyond its name."""
        for number in self._numbers:
            if BY_TRACE.get(number) is self._scope:
                del BY_TRACE[number]
                orphans.past(number, self._scope)


def enter(span: OpenSpan) -> Token[Context]:
    """From now on, in this context, new spans are below `span`; see `leave`."""
    return otel_context.attach(set_span_in_context(span))


def leave(token: Token[Context]) -> None:
    """The span that was current before is so again."""
    otel_context.detach(token)


def failed(span: OpenSpan, error: str) -> None:
    """Give an open span the status `error`."""
    span.set_status(Status(StatusCode.ERROR, error))


@contextlib.contextmanager
def detached() -> Iterator[None]:
    """Within the block, new spans are roots of their own."""
    token = otel_context.attach(set_span_in_context(INVALID_SPAN))
    try:
        yield
    finally:
        otel_context.detach(token)
