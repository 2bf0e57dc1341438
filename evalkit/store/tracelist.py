"""The traces of a run in brief, and how one is found by the beginning of its id."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from evalkit.errors import NotFound, did_you_mean
from evalkit.spans import SpanStatus, Trace
from evalkit.store import usages
from evalkit.store.cells import maybe_text_of, text_cell, text_of
from evalkit.store.database import Database, Row, Session
from evalkit.trial import Outcome
from evalkit.usage import Usage

_SHOWN = 5
_COLUMNS = (
    "t.trace_id", "s.run_id", "s.name", "t.case_id", "t.trial", "t.attempt", "r.outcome", "t.start_ns", "t.end_ns",
    "t.status", "t.error", "t.n_spans", "t.n_llm", "t.n_tool", *(f"t.{column}" for column in usages.COLUMNS),
)  # fmt: skip
_FROM = (
    " FROM traces AS t JOIN suites AS s ON s.id = t.suite_id JOIN trials AS r ON r.suite_id = t.suite_id"
    " AND r.case_id = t.case_id AND r.trial = t.trial AND r.attempt = t.attempt"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """A trace in brief, and the trial it is of.

    `start_ns` and `end_ns` are those of all its spans together, `None` where it has none; `status` and `error` are its
    root's. `calls` counts the calls to models, `tools` the spans of tools. `usage` is what the calls used, judges
    included; `None` where there were none.
    """

    trace_id: str
    run_id: str
    suite: str
    case_id: str
    number: int
    attempt: int
    outcome: Outcome
    start_ns: int | None
    end_ns: int | None
    status: SpanStatus
    error: str | None
    spans: int
    calls: int
    tools: int
    usage: Usage | None

    @property
    def seconds(self) -> float | None:
        """How long it took, `None` where it has no spans."""
        return None if self.start_ns is None or self.end_ns is None else (self.end_ns - self.start_ns) / 1e9


def list_traces(database: Database, run_id: str, *, suite: str | None, case: str | None) -> list[TraceSummary]:
    """See `Store.traces`."""
    which, values = "s.run_id = ?", [run_id]
    for column, value in (("s.name", suite), ("t.case_id", case)):
        if value is not None:
            which += f" AND {column} = ?"
            values.append(text_cell(value))
    with database.reading() as session:
        return _listed(session, f"{which} ORDER BY s.id, t.start_ns, t.case_id, t.trial, t.attempt", values)


def find_trace(database: Database, name: str) -> TraceSummary:
    """See `Store.trace_summary`."""
    with database.reading() as session:
        trace_id = _resolve(session, name, database.url)
        return _listed(session, "t.trace_id = ?", [trace_id])[0]


def load_trace(database: Database, name: str) -> Trace:
    """See `Store.trace`."""
    from evalkit.store.traces import traces_where

    with database.reading() as session:
        trace_id = _resolve(session, name, database.url)
        return next(iter(traces_where(session, "trace_id = ?", [trace_id]).values()))


def _resolve(session: Session, name: str, where: str) -> str:
    wanted = text_cell(name.strip().lower())
    # From the name to just behind the last text that begins with it: a range, which the index of the key answers.
    found: Sequence[tuple[str]] = session.execute(
        "SELECT trace_id FROM traces WHERE trace_id >= ? AND trace_id < ? ORDER BY trace_id LIMIT ?",
        [wanted, f"{wanted}g", _SHOWN + 1],
    )
    ids = [trace_id for (trace_id,) in found]
    if wanted and len(ids) == 1:
        return ids[0]
    if wanted in ids:
        return wanted
    if wanted and ids:
        shown = "".join(f"\n  {text_of(trace_id)}" for trace_id in ids[:_SHOWN])
        more = "\n  and more" if len(ids) > _SHOWN else ""
        raise NotFound(f'"{name}" is the beginning of several traces:{shown}{more}', hint="Give more of the id.")
    # Those of the newest suite, which an index finds: all of them, by time, would be read from end to end.
    newest = session.execute(
        "SELECT trace_id FROM traces WHERE suite_id = (SELECT MAX(suite_id) FROM traces) ORDER BY case_id LIMIT 200"
    )
    raise NotFound(
        f'The store has no trace "{name}".{did_you_mean(name, [text_of(trace_id) for (trace_id,) in newest])}',
        where=where,
        hint="See which there are: evalkit traces list last" if newest else "No run in it was traced.",
    )


def _listed(session: Session, which: str, values: Row) -> list[TraceSummary]:
    found = session.execute(f"SELECT {', '.join(_COLUMNS)}{_FROM} WHERE {which}", values)
    return [_summary(row) for row in found]


def _summary(row: Sequence[Any]) -> TraceSummary:
    (
        trace_id, run_id, suite, case_id, number, attempt, outcome, start_ns, end_ns, status, error,
        spans, calls, tools, *usage,
    ) = row  # fmt: skip
    return TraceSummary(
        trace_id=text_of(trace_id),
        run_id=run_id,
        suite=text_of(suite),
        case_id=text_of(case_id),
        number=number,
        attempt=attempt,
        outcome=outcome,
        start_ns=start_ns,
        end_ns=end_ns,
        status=status,
        error=maybe_text_of(error),
        spans=spans,
        calls=calls,
        tools=tools,
        usage=usages.usage_of(usage),
    )
