"""The span of one call, which may end elsewhere than it began: a stream ends when it is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evalkit.canonical import jsonable
from evalkit.tracing import names
from evalkit.tracing.call import CallInfo, CallResult
from evalkit.tracing.given import Given
from evalkit.tracing.scope import Scope, current, scoring
from evalkit.tracing.values import as_attribute
from evalkit.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class CallSpan:
    """One call in the making. Exactly one of `finish` and `fail` counts, whichever comes first; from any thread.

    `scope` is the trial that it is made in, `None` outside of all: nothing is recorded then.
    """

    __slots__ = ("_done", "_given", "_lock", "_scorer", "_span", "_start_ns", "info", "scope")

    def __init__(
        self, info: CallInfo, scope: Scope | None, span: Span | None = None, given: Given | None = None
    ) -> None:
        self.info = info
        self.scope = scope
        self._span = span
        self._given: Given = {} if given is None else given
        self._scorer = scoring()
        self._start_ns = time.perf_counter_ns()
        self._done = False
        self._lock = threading.Lock()

    def set(self, name: str, value: Any) -> None:
        """Add an attribute to the span."""
        self._given[name] = jsonable(value)

    def event(self, name: str, **attributes: Any) -> None:
        """Take note of something that happened now, such as a wait for a limit."""
        if self._span is not None:
            self._span.add_event(name, {key: as_attribute(value) for key, value in attributes.items()})

    def first_chunk(self) -> None:
        """Take note that the first piece of a stream is here; seconds since the call began are kept."""
        self.set(names.FIRST_CHUNK, (time.perf_counter_ns() - self._start_ns) / 1e9)

    def finish(
        self, result: CallResult, *, usage: Usage | None = None, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """End the span with what came back. `usage` is `result.usage` with its cost, where that is known.

        An answer that says what is wrong (a status of 400 or more) makes a span with the status `error`; it is no call
        that was answered, and counts for nothing.
        """
        if not self._claim():
            return
        counted = _counted(usage or result.usage, result) if self.info.is_model else None
        if self._span is None:
            if self.scope is not None and counted is not None:
                self.scope.spent(counted, scorer=self._scorer)
            return
        self._given[names.STATUS] = result.status
        self._given |= result.attributes
        self._given |= _used(counted)
        self._given |= attributes or {}
        if self.scope is None or self.scope.capture == "content":
            self._given |= result.content
        self._end(result.error)

    def fail(self, error: BaseException | str, *, attributes: Mapping[str, Any] | None = None) -> None:
        """End the span with the status `error`: nothing came back, or not all of it."""
        if not self._claim():
            return
        if self._span is None:
            if self.scope is not None and self.info.is_model:
                self.scope.spent(Usage(calls=1, uncounted=1, unpriced=1), scorer=self._scorer)
            return
        self._given |= attributes or {}
        if isinstance(error, BaseException):
            self._given[names.ERROR_TYPE] = type(error).__qualname__
            error = f"{type(error).__qualname__}: {error}" if str(error) else type(error).__qualname__
        self._end(error)

    def _claim(self) -> bool:
        with self._lock:
            done, self._done = self._done, True
        return not done

    def _end(self, error: str | None) -> None:
        assert self._span is not None
        if error is not None:
            from evalkit.tracing import tree

            tree.failed(self._span, error)
        self._span.end()


def start_call(info: CallInfo) -> CallSpan:
    """Begin the span of a call, below the span that is current here. It never becomes current itself."""
    scope = current()
    if scope is None:
        return CallSpan(info, None)
    tree = scope.trace()
    if tree is None:
        return CallSpan(info, scope)
    given: Given = {**info.attributes, names.KIND: _KINDS[info.api]}
    scorer = scoring()
    if scorer is not None:  # also where the scorer has no span, as this is the first of the trial
        given[names.SCORER] = scorer
    if scope.capture == "content":
        given |= info.content
    return CallSpan(info, scope, tree.start(info.name, given), given)


_KINDS = {"chat": "llm", "responses": "llm", "embeddings": "embedding", "http": "http"}


def _counted(usage: Usage | None, result: CallResult) -> Usage | None:
    if result.status >= 400:
        return None
    if usage is None:
        return Usage(calls=1, uncounted=1, unpriced=1)
    uncounted = int(usage.input_tokens is None and usage.output_tokens is None)
    return Usage(  # written out, since dataclasses.replace() takes several times as long
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost=usage.cost,
        cached_tokens=usage.cached_tokens,
        calls=1,
        uncounted=uncounted,
        unpriced=int(usage.cost is None),
        saved=usage.saved,
    )


def _used(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    figures = {
        names.INPUT_TOKENS: usage.input_tokens,
        names.OUTPUT_TOKENS: usage.output_tokens,
        names.CACHED_TOKENS: usage.cached_tokens,
        names.COST: None if usage.cost is None else str(usage.cost),
        names.SAVED: None if usage.saved is None else str(usage.saved),
    }
    return {name: value for name, value in figures.items() if value is not None}
