"""No question to the store reads a large table from end to end: every statement finds its rows by an index."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from evalkit.annotation import Annotation
from evalkit.canonical import new_id
from evalkit.errors import NotFound
from evalkit.exchange import Exchange
from evalkit.spans import Span, Trace
from evalkit.store.sqlite import SqliteDatabase
from evalkit.versions import Version

LARGE = ("trials", "scores", "spans", "traces", "blobs", "cases", "suite_versions", "metrics", "verdicts")
AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def trace_id(number: int) -> str:
    return f"{number:08x}{number:024x}"


def traced(trial: Any, number: int) -> Any:
    name = trace_id(number)
    spans = tuple(
        Span(
            trace_id=name,
            span_id=f"{at:016x}",
            parent_id=None if at == 0 else f"{0:016x}",
            name="s",
            start_ns=at,
            end_ns=9,
        )
        for at in range(3)
    )
    return dataclasses.replace(trial, trace=Trace(trace_id=name, spans=spans, normaliser="1"))


@pytest.fixture
def two_runs(store: Any, begin: Any) -> Any:
    """A run of a suite with traces and large values, after another one; the newer is given."""
    prompt = Version(kind="prompt", name="greet", digest="a" * 64, body={"text": "Hi"})
    for number in range(2):
        run = begin(store, size=10, started_at=AT + dt.timedelta(hours=number), versions=(prompt,))
        for index in range(8):
            trial = run.trial(index)
            large = dataclasses.replace(trial.output, value=f"{number} {index} " * 3000)
            run.add(traced(dataclasses.replace(trial, output=large), 100 * number + index))
        run.finish()
    store.exchanges.put([Exchange(key="k", method="POST", url="http://127.0.0.1:9", recorded_at=AT)])
    return run


@pytest.fixture
def said(store: Any) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is sent from here on, with its values."""
    found: list[tuple[str, Any]] = []
    database = store._database
    if isinstance(database, SqliteDatabase):
        database._connection.set_trace_callback(lambda text: found.append((text, None)))
        yield found
        database._connection.set_trace_callback(None)
        return

    def note(_: Any, __: Any, statement: str, values: Any, ___: Any, many: bool) -> None:
        found.append((statement, values[0] if many else values))

    sa.event.listen(database._engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(database._engine, "before_cursor_execute", note)


def full_scans(store: Any, statement: str, values: Any) -> list[str]:
    """The parts of a statement's plan that read all of a large table, or of an index of one."""
    database = store._database
    if isinstance(database, SqliteDatabase):
        rows = database._connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        names = aliases_of(statement)
        scans = [re.match(r"SCAN (\w+)", row[-1]) for row in rows]
        return [found[0] for found in scans if found and names.get(found[1], found[1]) in LARGE]
    with database._engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
    return [f"{node['Node Type']} of {node['Relation Name']}" for node in nodes(plan["Plan"]) if reads_all(node)]


def aliases_of(statement: str) -> dict[str, str]:
    return {alias: table for table, alias in re.findall(r"\b(?:FROM|JOIN)\s+(\w+)\s+AS\s+(\w+)", statement)}


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for part in node.get("Plans", ()):
        yield from nodes(part)


def reads_all(node: Any) -> bool:
    kind = node["Node Type"]
    if node.get("Relation Name") not in LARGE:
        return False
    return kind == "Seq Scan" or (kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node)


def not_there(store: Any) -> None:
    with pytest.raises(NotFound):
        store.trace("ffff")


def questions(store: Any, run: Any) -> dict[str, Callable[[], Any]]:
    """What is asked of a store, and by whom."""
    name, trace = run.run_id, trace_id(100)
    return {
        "evalkit runs": lambda: store.runs(),
        "evalkit runs --limit": lambda: store.runs(limit=1),
        "runs of a suite": lambda: store.runs(suite="math"),
        "last": lambda: store.resolve("last"),
        "last~1": lambda: store.resolve("last~1"),
        "SUITE@last": lambda: store.resolve("math@last"),
        "beginning of an id": lambda: store.resolve(name[:35]),
        "show, compare, gate": lambda: store.load(name, payload=False),
        "report": lambda: store.load(name, payload=True),
        "a trial": lambda: store.trial(name, "math", "case-001", 1),
        "a dataset": lambda: store.dataset(run.dataset.digest),
        "traces list": lambda: store.traces(name),
        "traces list of a case": lambda: store.traces(name, suite="math", case="case-001"),
        "traces show": lambda: store.trace(trace),
        "beginning of a trace": lambda: store.trace_summary(trace[:9]),
        "a trace that is not there": lambda: not_there(store),
        "earlier runs": lambda: store.earlier_runs(name),
        "history": lambda: store.history("math"),
        "history of one run": lambda: store.history("math", last=1),
        "versions": lambda: store.versions("prompt", "greet"),
        "a version": lambda: store.version("prompt", "greet", "v1"),
        "aliases": lambda: (store.alias("prompt", "greet", "production"), store.aliases("prompt")),
        "labels": lambda: store.annotations(name),
        "calibrations": lambda: store.calibrations("grade"),
        "an exchange": lambda: store.exchanges.get("k"),
        "exchanges alike": lambda: store.exchanges.alike(method="POST", url="http://127.0.0.1:9"),
        "citations": lambda: store.promotions_citing(name),
    }


def test_no_question_reads_a_large_table_from_end_to_end(
    store: Any, two_runs: Any, said: list[tuple[str, Any]]
) -> None:
    asked = questions(store, two_runs)
    by_question: dict[str, list[tuple[str, Any]]] = {}
    for question, ask in asked.items():
        said.clear()
        ask()
        by_question[question] = [(text, values) for text, values in said if text.lstrip().startswith("SELECT")]
        assert by_question[question], f"{question}: nothing was asked"
    slow = {
        f"{question}: {text}": scans
        for question, statements in by_question.items()
        for text, values in statements
        if (scans := full_scans(store, text, values))
    }
    assert slow == {}


def test_writing_looks_nothing_up_from_end_to_end(
    store: Any, two_runs: Any, begin: Any, said: list[tuple[str, Any]]
) -> None:
    said.clear()
    run = begin(store, size=10, run_id=new_id())
    run.add(traced(run.trial(0), 900))
    run.add(run.trial(0), run.trial(1))  # one that is there: taken again row by row
    store.heartbeat(run.run_id)
    run.finish()
    store.annotate([
        Annotation(
            id="a", run_id=run.run_id, suite="math", case_id="case-000", trial=1, name="n", label="l", annotator="x",
            at=AT, chosen="all",
        )
    ])  # fmt: skip
    statements = [(text, values) for text, values in said if text.lstrip().startswith(("SELECT", "UPDATE", "DELETE"))]
    assert len(statements) > 8
    slow = {text: scans for text, values in statements if (scans := full_scans(store, text, values))}
    assert slow == {}


def test_a_full_scan_would_be_noticed(store: Any, two_runs: Any) -> None:
    """The test of the tests."""
    assert full_scans(store, "SELECT AVG(latency) FROM trials", ())
    assert full_scans(store, "SELECT s.name FROM scores AS s WHERE s.value > 0.5", ())
    assert full_scans(store, "SELECT COUNT(*) FROM spans WHERE kind = 'llm'", ())
    assert full_scans(store, "SELECT trace_id FROM traces ORDER BY start_ns DESC LIMIT 3", ())
    assert not full_scans(store, "SELECT value FROM scores WHERE suite_id = 1", ())


def test_listing_runs_reads_no_trial_of_a_finished_run(store: Any, two_runs: Any, said: list[tuple[str, Any]]) -> None:
    """So that `evalkit runs` takes as long with a million scores as with ten."""
    said.clear()
    assert len(store.runs()) == 2
    assert said
    assert not [text for text, _ in said if re.search(r"\b(trials|scores|spans|traces)\b", text)]
