"""Traces: the spans of a trial as rows, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from evalkit.spans import Span, Trace
from evalkit.store import pieces, usages
from evalkit.store.blobs import BlobReader, BlobWriter
from evalkit.store.cells import json_cell, maybe_text, maybe_text_of, text_cell, text_of
from evalkit.store.database import Row, Session
from evalkit.tracing.counting import used
from evalkit.trial import Trial
from evalkit.usage import Usage, summed

TRACE = (
    "trace_id", "suite_id", "case_id", "trial", "attempt", "root_span_id", "start_ns", "end_ns", "status",
    "n_spans", "n_llm", "n_tool", *usages.COLUMNS, "normaliser", "error",
)  # fmt: skip
SPAN = (
    "trace_id", "position", "span_id", "parent_id", "kind", "name", "start_ns", "end_ns", "status", "model",
    "provider", *usages.COLUMNS, "tool_name", "error",
    "attributes", "attributes_blob", "raw", "raw_blob", "events", "events_blob",
)  # fmt: skip
_USAGE_AT = SPAN.index("input_tokens")
_AFTER_USAGE = SPAN.index("tool_name")
_FURTHEST = 2**63 - 1


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - our names


INSERT_TRACE = _insert("traces", TRACE)
INSERT_SPAN = _insert("spans", SPAN)


class TraceRows:
    """The rows of the traces of some trials, made before the transaction that writes them."""

    def __init__(self, suite_id: int, trials: Iterable[Trial], blobs: BlobWriter) -> None:
        self._traces: list[Row] = []
        self._spans: list[Row] = []
        for trial in trials:
            if trial.trace is not None:
                self._traces.append(_trace_row(suite_id, trial, trial.trace))
                self._spans.extend(_span_rows(trial.trace, blobs))

    def write(self, session: Session) -> None:
        """Write them, after the trials they belong to and the blobs they refer to."""
        if self._traces:
            session.executemany(INSERT_TRACE, self._traces)
            session.executemany(INSERT_SPAN, self._spans)


def _trace_row(suite_id: int, trial: Trial, trace: Trace) -> Row:
    spans, root = trace.spans, trace.root
    calls = [usage for _, usage in used(trace)]
    shown = root or (spans[0] if spans else None)
    return (
        text_cell(trace.trace_id), suite_id, text_cell(trial.case_id), trial.number, trial.attempt,
        None if root is None else text_cell(root.span_id),
        None if shown is None else _nanoseconds(min(span.start_ns for span in spans)),
        None if shown is None else _nanoseconds(max(span.end_ns for span in spans)),
        "unset" if shown is None else shown.status,
        len(spans), len(calls), sum(span.kind == "tool" for span in spans),
        *usages.usage_cells(summed(calls)),
        text_cell(trace.normaliser), None if shown is None else maybe_text(shown.error),
    )  # fmt: skip


def _span_rows(trace: Trace, blobs: BlobWriter) -> list[Row]:
    trace_id = text_cell(trace.trace_id)
    return [
        (
            trace_id, position, text_cell(span.span_id), maybe_text(span.parent_id), span.kind, text_cell(span.name),
            _nanoseconds(span.start_ns), _nanoseconds(span.end_ns), span.status, maybe_text(span.model),
            maybe_text(span.provider), *usages.usage_cells(span.usage), maybe_text(span.tool_name),
            maybe_text(span.error),
            *blobs.cells(pieces.pieces_cell(span.attributes, blobs)),
            *blobs.cells(pieces.pieces_cell(span.raw, blobs)),
            *blobs.cells(json_cell(list(span.events)) if span.events else None),
        )
        for position, span in enumerate(trace.spans)
    ]  # fmt: skip


def _nanoseconds(value: int) -> int:
    return max(-_FURTHEST, min(_FURTHEST, int(value)))


def traces_where(session: Session, which: str, values: Row) -> dict[tuple[str, int, int], Trace]:
    """The traces whose row fits `which`, by case, number and attempt of their trials."""
    found = session.execute(
        f"SELECT trace_id, case_id, trial, attempt, normaliser FROM traces WHERE {which}",  # noqa: S608 - our clauses
        values,
    )
    if not found:
        return {}
    columns = ", ".join(SPAN)
    rows = session.execute(
        f"SELECT {columns} FROM spans WHERE trace_id IN (SELECT trace_id FROM traces WHERE {which})"  # noqa: S608
        " ORDER BY trace_id, position",
        values,
    )
    spans = _spans_of(rows, BlobReader(session))
    return {
        (case_id, number, attempt): Trace(
            trace_id=text_of(trace_id), spans=tuple(spans.get(trace_id, ())), normaliser=text_of(normaliser)
        )
        for trace_id, case_id, number, attempt, normaliser in found
    }


def _spans_of(rows: Sequence[Sequence[Any]], blobs: BlobReader) -> dict[str, list[Span]]:
    blobs.fetch(digest for row in rows for digest in (row[-5], row[-3], row[-1]))
    attributes = [pieces.pieces_of(blobs.text(row[-6], row[-5])) for row in rows]
    raws = [pieces.pieces_of(blobs.text(row[-4], row[-3])) for row in rows]
    blobs.fetch(digest for values in (*attributes, *raws) for digest in pieces.references(values))
    made: dict[str, list[Span]] = {}
    for row, canonical, raw in zip(rows, attributes, raws, strict=True):
        made.setdefault(row[0], []).append(_span_of(row, canonical, raw, blobs))
    return made


def _span_of(
    row: Sequence[Any], attributes: dict[str, Any] | None, raw: dict[str, Any] | None, blobs: BlobReader
) -> Span:
    trace_id, _, span_id, parent_id, kind, name, start_ns, end_ns, status, model, provider = row[:_USAGE_AT]
    usage: Usage | None = usages.usage_of(row[_USAGE_AT:_AFTER_USAGE])
    more: dict[str, Any] = {}
    if attributes is not None:
        more["attributes"] = pieces.resolve(attributes, blobs)
    if raw is not None:
        more["raw"] = pieces.resolve(raw, blobs)
    return Span(
        trace_id=text_of(trace_id),
        span_id=text_of(span_id),
        parent_id=maybe_text_of(parent_id),
        kind=kind,
        name=text_of(name),
        start_ns=start_ns,
        end_ns=end_ns,
        status=status,
        error=maybe_text_of(row[_AFTER_USAGE + 1]),
        model=maybe_text_of(model),
        provider=maybe_text_of(provider),
        usage=usage,
        tool_name=maybe_text_of(row[_AFTER_USAGE]),
        events=tuple(pieces.events_of(blobs.text(row[-2], row[-1])) or ()),
        **more,
    )
