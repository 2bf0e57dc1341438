"""The history of a suite is read from what was computed when its runs ended, by indexes, however large the runs are."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from evalkit.canonical import utc_now
from evalkit.runs import Metric, Provenance, Verdict
from evalkit.store import RunFilter, Store, Used, open_store
from evalkit.store.filters import RunFilter as Filter
from evalkit.versions import Version

START = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)


def metric(value: float, **changes: object) -> Metric:
    base = Metric(suite="math", name="exact", statistic="rate", value=value, low=value - 0.1, high=value + 0.1)
    return dataclasses.replace(base, **changes)


def test_points_are_oldest_first_with_metrics_of_one_slice_and_gates(begin, store: Store) -> None:
    ids = []
    for number in range(3):
        example = begin(store, started_at=START + dt.timedelta(hours=number))
        sliced = metric(0.1, slice={"lang": "de"})
        verdict = Verdict(suite="math", gate="exact >= 0.5", decision="pass", observed=0.5)
        example.finish(metrics=[metric(number / 10), sliced, metric(0.9, suite="other")], verdicts=[verdict])
        ids.append(example.run_id)
    points = store.history("math")
    assert [point.run_id for point in points] == ids
    assert [[one.value for one in point.metrics] for point in points] == [[0.0], [0.1], [0.2]]
    assert points[0].gates == (("exact >= 0.5", "pass"),)
    assert [point.run_id for point in store.history("math", last=2)] == ids[1:]
    assert [one.value for one in store.history("math", slice={"lang": "de"})[0].metrics] == [0.1]
    assert store.history("nothing") == []


def test_filters_hold_together(begin, store: Store) -> None:
    version = Version(kind="prompt", name="reply", digest="ab" * 32, body={"text": "x"}, number=1)
    example = begin(store, versions=(version,))
    example.finish()
    other = begin(store, started_at=START + dt.timedelta(hours=1))
    other.finish(status="failed")

    def found(**fields: object) -> list[str]:
        return [run.id for run in store.runs(wanted=RunFilter(**fields))]

    assert found(status="failed") == [other.run_id]
    assert found(used=(Used(kind="prompt", name="reply"),)) == [example.run_id]
    assert found(used=(Used(kind="prompt", name="reply", digest="ab" * 32),), status="complete") == [example.run_id]
    assert found(used=(Used(kind="prompt", name="reply", digest="00" * 32),)) == []
    assert found(used=(Used(kind="model", name="reply"),)) == []
    assert found(decision="none") == [other.run_id, example.run_id]
    assert found(since=utc_now() + dt.timedelta(days=1)) == []
    assert [run.id for run in store.runs(suite="math", wanted=RunFilter(status="failed"))] == [other.run_id]


def test_a_run_that_died_is_interrupted_in_filters_too(begin, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    example = begin(store)
    assert [run.id for run in store.runs(wanted=RunFilter(status="running"))] == [example.run_id]
    later = utc_now() + dt.timedelta(hours=1)
    monkeypatch.setattr("evalkit.store.filters.utc_now", lambda: later)
    assert store.runs(wanted=RunFilter(status="running")) == []
    assert [run.id for run in store.runs(wanted=RunFilter(status="interrupted"))] == [example.run_id]


def test_the_history_is_read_by_indexes_and_never_looks_at_trials(begin, store: Store, path: Path) -> None:
    begin(store).finish(metrics=[metric(0.5)])
    with sqlite3.connect(path) as database:
        clauses, values = Filter(branch="main", since=START, used=(Used(kind="prompt", name="p"),)).clauses()
        plan = database.execute(
            "EXPLAIN QUERY PLAN SELECT r.id FROM suites AS s JOIN runs AS r ON r.id = s.run_id"
            f" WHERE s.name = ? AND {clauses} ORDER BY r.started_at DESC",
            ["math", *values],
        ).fetchall()
        told = " ".join(row[-1] for row in plan)
        assert "SEARCH s USING" in told
        assert "SEARCH r USING" in told
        assert "SCAN" not in told
        of_metrics = database.execute(
            "EXPLAIN QUERY PLAN SELECT name FROM metrics WHERE run_id IN (?, ?) AND suite = ? AND slice = ?",
            ["a", "b", "math", "{}"],
        ).fetchall()
        assert "SEARCH metrics USING" in of_metrics[0][-1]


def test_no_statement_of_it_reads_trials_or_scores(begin, store: Store, path: Path) -> None:
    example = begin(store)
    example.add(example.trial(0))
    example.finish(metrics=[metric(0.5)])
    with sqlite3.connect(path) as database:
        database.executescript("DROP TABLE scores; ALTER TABLE trials RENAME TO trials_away;")
    with open_store(str(path), read_only=True) as again:
        assert [one.value for one in again.history("math")[0].metrics] == [0.5]


def test_provenance_is_in_the_points(begin, store: Store) -> None:
    example = begin(store)
    store.start_run(
        example.run_id,
        started_at=START,
        provenance=Provenance(commit="ab" * 20, branch="main", dirty=True),
        seed=0,
    )
    (point,) = store.history("math")
    assert (point.partial, point.decision, point.status) == (False, None, "running")
    assert point.dataset == example.dataset.digest
