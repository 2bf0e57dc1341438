"""Spans that belong to no trial, or come after its end: shown, not dropped."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from evalkit.spans import Span
from evalkit.tracing.given import Given
from evalkit.tracing.scope import Scope

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

LARGEST = 1000
"""How many are kept whole; all are counted."""

_REMEMBERED = 10_000  # names of trials that are over, for what comes late


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A span outside of all trials. `late_for` names the trial that it came too late for, `None` where there is none
    (a fixture wider than a test, or a thread that was there before).
    """

    span: Span
    late_for: str | None = None


class Orphans:
    """Those of one session."""

    def __init__(self) -> None:
        self.kept: list[Orphan] = []
        self.count = 0
        self.past: dict[int, str] = {}

    def add(self, span: ReadableSpan, given: Given | None, late_for: str | None) -> None:
        """Count a span, and keep it while there is room."""
        self.count += 1
        if len(self.kept) < LARGEST:
            from evalkit.tracing.normalise import span_of

            self.kept.append(Orphan(span=span_of(span, given, now=time.time_ns()), late_for=late_for))

    def sentence(self) -> str | None:
        """What there is to say about them, `None` where there are none."""
        if not self.count:
            return None
        late = sum(orphan.late_for is not None for orphan in self.kept)
        first = self.kept[0]
        of = f" (the first: {first.span.name!r}" + (f", after {first.late_for})" if first.late_for else ")")
        what = "span belongs" if self.count == 1 else "spans belong"
        note = f", {late} of them came after their trial had ended" if late else ""
        return f"{self.count} {what} to no trial{note}{of}."


_LISTENING: list[Orphans] = []


def listen(orphans: Orphans) -> None:
    """From now on `orphans` takes what comes."""
    _LISTENING.append(orphans)


def unlisten(orphans: Orphans) -> None:
    """`orphans` takes nothing more."""
    if orphans in _LISTENING:
        _LISTENING.remove(orphans)


def add(span: ReadableSpan, given: Given | None, *, late_for: Scope | None = None) -> None:
    """A span that belongs to no trial has ended; nobody may be interested."""
    if _LISTENING:
        taker = _LISTENING[-1]
        number: Any = span.context.trace_id if span.context is not None else None
        taker.add(span, given, label(late_for) if late_for is not None else taker.past.get(number))


def past(number: int, scope: Scope) -> None:
    """The trace of that number was the trial's, which is forgotten now."""
    if _LISTENING:
        labels = _LISTENING[-1].past
        labels[number] = label(scope)
        if len(labels) > _REMEMBERED:
            del labels[next(iter(labels))]


def label(scope: Scope) -> str:
    """What a trial is called in a sentence."""
    name = f"{scope.suite}[{scope.case_id}]" if scope.suite else scope.case_id
    return name if scope.number == 1 else f"{name} trial {scope.number}"
