"""Old runs go, never one that something rests on; then what nothing refers to any more. On both kinds of store."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from evalkit.annotation import Annotation
from evalkit.canonical import new_id, utc_now
from evalkit.errors import ConfigError
from evalkit.exchange import Exchange
from evalkit.promotion.records import Actor
from evalkit.spans import Span, Trace
from evalkit.store import schema
from evalkit.store.address import parse
from evalkit.store.calibrations import StoredCalibration
from evalkit.store.opening import open_database
from evalkit.store.pruning import columns_of_blobs, prune, sweep
from evalkit.store.retention import Plan, Rule, plan, resting_on
from evalkit.versions import Version

NOW = utc_now()
WHO = Actor(name="somebody")
OLD = Rule(age=dt.timedelta(days=90))
Make = Callable[..., Any]


@pytest.fixture
def make(store: Any, begin: Any) -> Make:
    """A finished run of a suite so many days ago, each with a large value of its own and one that all have."""

    def made(days: float, *, suite: str = "math", end: str | None = "complete", size: int = 3) -> Any:
        run = begin(store, suite=suite, size=size, started_at=NOW - dt.timedelta(days=days))
        own = f"only in {run.run_id} " * 1000
        trials = []
        for index, value in enumerate((own, "in every run " * 1000)):
            trial = run.trial(index)
            trials.append(dataclasses.replace(trial, output=dataclasses.replace(trial.output, value=value)))
        store.add_trials(run.run_id, suite, [*trials, traced(run.trial(2), run.run_id)])
        if end is not None:
            run.finish(status=end)
        return run

    return made


def traced(trial: Any, run_id: str) -> Any:
    name = new_id().replace("-", "")
    said = [{"role": "user", "content": f"{run_id} asks " * 100}, {"role": "user", "content": "all ask " * 200}]
    span = Span(
        trace_id=name, span_id="1" * 16, kind="llm", name="chat", start_ns=1, end_ns=2,
        attributes={"messages": said, "long": [{"n": f"{run_id} {n}" * 40} for n in range(120)]},
    )  # fmt: skip
    return dataclasses.replace(trial, trace=Trace(trace_id=name, spans=(span,), normaliser="1"))


def planned(store: Any, rule: Rule = OLD, **more: Any) -> Plan:
    return plan(store._database, rule, now=NOW, **more)


def doomed(store: Any, rule: Rule = OLD, **more: Any) -> list[str]:
    return [one.run_id for one in planned(store, rule, **more).doomed]


def contents(store: Any) -> dict[str, set[Any]]:
    with store._database.reading() as session:
        return {
            table.name: {tuple(row) for row in session.execute(f"SELECT * FROM {table.name}")}
            for table in schema.metadata.sorted_tables
        }


def test_what_is_old_goes_and_the_last_complete_run_of_a_suite_stays(store: Any, make: Make) -> None:
    old, other = make(200), make(150, suite="words")
    middle, young = make(100), make(10)
    found = planned(store)
    assert [one.run_id for one in found.doomed] == [old.run_id, middle.run_id]
    assert [(one.run_id, one.why) for one in found.spared] == [(other.run_id, "it is the last complete run of words")]
    assert found.doomed[0].why == "older than 90 days"
    assert (found.doomed[0].trials, found.doomed[0].scores, found.doomed[0].spans) == (3, 3, 1)
    assert found.doomed[0].size > 500
    assert found.runs == 4
    assert young.run_id not in str(found)


def test_the_last_runs_of_each_suite_are_kept(store: Any, make: Make) -> None:
    runs = [make(days) for days in (9, 8, 7)]
    words = [make(days, suite="words") for days in (30, 20)]
    assert doomed(store, Rule(last=2)) == [runs[0].run_id]
    assert doomed(store, Rule(last=1)) == [words[0].run_id, runs[0].run_id, runs[1].run_id]
    assert doomed(store, Rule(last=1, age=dt.timedelta(days=8.5))) == [words[0].run_id, runs[0].run_id]
    assert planned(store, Rule(last=0)).doomed[0].why == "not among the last 0 of its suites"
    assert set(doomed(store, Rule(last=0))).isdisjoint({runs[2].run_id, words[1].run_id})


def test_no_rule_is_no_order_to_delete_all() -> None:
    with pytest.raises(ConfigError, match="what to keep"):
        Rule()
    with pytest.raises(ConfigError, match="Less than nothing"):
        Rule(last=-1)


def test_what_something_rests_on_stays(store: Any, make: Make) -> None:
    labelled, calibrated, promoted, named, going_on, dead, free = (make(days) for days in range(300, 307))
    store.annotate([
        Annotation(
            id="a", run_id=labelled.run_id, suite="math", case_id="case-000", trial=1, name="exact", label="good",
            annotator="ann", at=NOW, chosen="random",
        )
    ])  # fmt: skip
    store.add_calibration(
        StoredCalibration(
            id="c", judge="grade", scorer_version="1", made_at=NOW, n=1, trust="trusted",
            source=f"run {calibrated.run_id}", body={},
        )
    )  # fmt: skip
    rest_a_promotion_on(store, promoted.run_id)
    store.start_run(going_on.run_id, started_at=NOW - dt.timedelta(days=304), provenance=labelled_provenance(), seed=1)
    with store._database.writing() as session:
        session.execute("UPDATE runs SET status = 'running' WHERE id = ?", [dead.run_id])
        session.execute("UPDATE runs SET heartbeat_at = '2020-01-01T00:00:00.000000Z' WHERE id = ?", [dead.run_id])
    last = make(100)
    found = planned(store, named={named.run_id: "the settings name it as the baseline"})
    assert {one.run_id: one.why for one in found.spared} == {
        labelled.run_id: "people labelled its outputs",
        calibrated.run_id: "a judge was calibrated on it",
        promoted.run_id: "a promotion rests on it",
        named.run_id: "the settings name it as the baseline",
        going_on.run_id: "it is going on",
        last.run_id: "it is the last complete run of math",
    }
    assert {one.run_id for one in found.doomed} == {dead.run_id, free.run_id}
    assert found.going_on == (going_on.run_id,)
    told_elsewhere = {named.run_id, going_on.run_id}
    others = [run.id for run in store.runs() if run.id not in told_elsewhere]
    with store._database.reading() as session:
        asked = {run_id: resting_on(session, run_id) for run_id in others}
    assert {run_id: why for run_id, why in asked.items() if why is not None} == {
        one.run_id: one.why for one in found.spared if one.run_id not in told_elsewhere
    }, "what is asked before a run goes is what the plan said"


def labelled_provenance() -> Any:
    from evalkit.runs import Provenance

    return Provenance()


def rest_a_promotion_on(store: Any, run_id: str) -> None:
    version = store.register(Version(kind="prompt", name="greet", digest="a" * 64, body={"text": "Hi"}))
    at = "2026-11-01T00:00:00.000000Z"
    with store._database.writing() as session:
        session.execute("INSERT INTO policies (digest, name, text, first_seen) VALUES ('p', 'strict', '{}', ?)", [at])
        session.execute(
            "INSERT INTO promotions (id, kind, name, alias, state, state_since, created_at, to_digest, base_generation,"
            " body, policy, fingerprint, evaluator, note) VALUES ('p1', 'prompt', 'greet', 'production', 'applied', ?, ?,"
            " ?, 0, '{}', 'p', 'f', '1', '')",
            [at, at, version.digest],
        )
        session.execute("INSERT INTO promotion_runs (promotion_id, run_id, how) VALUES ('p1', ?, 'evidence')", [run_id])


def test_a_run_goes_with_all_of_its_rows_and_nothing_else(store: Any, make: Make) -> None:
    kept = make(1)
    before = contents(store)
    gone = make(200)
    done = prune(store._database, planned(store), actor=WHO)
    after = contents(store)
    said = {name: rows for name, rows in after.items() if name not in ("audit", "ledger")}
    assert said == {name: before[name] for name in said}
    assert (done.runs, done.trials, done.scores, done.spans) == (1, 3, 3, 1)
    assert done.swept
    assert done.blobs >= 3, "its own output, its own message, its list of attributes"
    assert done.stored > 0
    assert gone.run_id not in str(after | {"audit": ()})
    assert store.load(kept.run_id).suite("math").trials[2].trace is not None


def test_what_was_deleted_is_in_the_audit_log(store: Any, make: Make) -> None:
    make(1)
    gone = make(200)
    prune(store._database, planned(store), actor=WHO)
    (entry,) = store.audit()
    assert '"run.deleted"' in str(entry) or "run.deleted" in str(entry)
    assert gone.run_id in str(entry)
    assert "older than 90 days" in str(entry)
    assert "somebody" in str(entry)


def test_a_second_time_there_is_nothing_to_do(store: Any, make: Make) -> None:
    make(1)
    make(200)
    old = planned(store)
    prune(store._database, old, actor=WHO)
    before = contents(store)
    again = prune(store._database, planned(store), actor=WHO)
    assert (again.runs, again.blobs, again.datasets, again.exchanges) == (0, 0, 0, 0)
    prune(store._database, old, actor=WHO)  # the same plan again, as after a connection that broke
    assert contents(store) == before


def test_what_came_to_rest_on_a_run_meanwhile_counts(store: Any, make: Make) -> None:
    make(1)
    one, other = make(200), make(300)
    found = planned(store)
    rest_a_promotion_on(store, other.run_id)
    done = prune(store._database, found, actor=WHO)
    assert done.left == ((other.run_id, "a promotion rests on it"),)
    assert {run.id for run in store.runs()} >= {other.run_id}
    assert one.run_id not in {run.id for run in store.runs()}


def test_datasets_and_answers_that_nothing_uses_are_swept(store: Any, make: Make) -> None:
    make(1, suite="math")
    make(200, suite="gone", size=5)
    with store._database.writing() as session:
        session.execute("UPDATE runs SET status = 'interrupted' WHERE decision IS NULL AND started_at < ?", ["2026-09"])
    put = [
        Exchange(
            key=key, method="POST", url="http://127.0.0.1:9", recorded_at=NOW - dt.timedelta(days=days), suite=suite
        )
        for key, days, suite in (("a", 200, "gone"), ("b", 1, "gone"), ("c", 200, "math"), ("d", 200, ""))
    ]
    store.exchanges.put(put)
    with store._database.writing() as session:
        session.execute("UPDATE runs SET status = 'failed' WHERE id IN (SELECT run_id FROM suites WHERE name = 'gone')")
    done = prune(store._database, planned(store), actor=WHO)
    assert (done.runs, done.datasets, done.exchanges) == (1, 1, 1)
    assert {exchange.key for exchange in store.exchanges.all()} == {"b", "c", "d"}


def test_nothing_shared_is_swept_while_a_run_goes_on(store: Any, make: Make) -> None:
    make(1)
    make(200)
    going_on = make(0, end=None)
    done = prune(store._database, planned(store), actor=WHO)
    assert (done.runs, done.swept, done.blobs) == (1, False, 0)
    going_on.finish()
    found = sweep(store._database, before=None)
    assert found is not None
    assert found.blobs > 0


def test_a_plan_changes_nothing(store: Any, make: Make) -> None:
    make(1)
    make(200)
    before = contents(store)
    assert planned(store).doomed
    assert contents(store) == before


def test_the_tables_are_as_they_were_after_a_sweep(store: Any, make: Make, address: str) -> None:
    make(1)
    make(200)
    prune(store._database, planned(store), actor=WHO)
    if not address.startswith("postgresql"):
        assert store._database.reading is not None
        with store._database.writing() as session:
            assert session.execute("PRAGMA foreign_keys") == [(1,)]
        return
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = sa.create_engine(sa.make_url(address).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        keys = connection.exec_driver_sql(
            "SELECT COUNT(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = 'blobs'::regclass AND convalidated"
        ).scalar_one()
    engine.dispose()
    assert keys == len(columns_of_blobs())


def test_every_table_of_a_run_is_thought_of() -> None:
    """A table that refers to runs, suites or trials and that pruning does not know would keep runs from going."""
    source = (Path(schema.__file__).with_name("pruning.py")).read_text("utf-8")
    known = set(re.findall(r'"(\w+)"', source)) | {"spans", "annotations", "promotion_runs"}
    referring = {
        table.name
        for table in schema.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in ("runs", "suites", "trials", "traces")
    }
    assert referring <= known


def test_space_is_given_back(path: Path, begin: Any) -> None:
    import os

    from evalkit.store import open_store

    with open_store(path) as store:
        begin(store).finish()
        run = begin(store, started_at=NOW - dt.timedelta(days=200))
        for index in range(3):
            trial = run.trial(index)
            run.add(
                dataclasses.replace(trial, output=dataclasses.replace(trial.output, value=os.urandom(500_000).hex()))
            )
        run.finish(status="failed")
    database = open_database(parse(str(path)), create=False, read_only=False)
    before = path.stat().st_size
    prune(database, plan(database, OLD, now=NOW), actor=WHO)
    freed = database.compact()
    database.close()
    assert freed > 500_000
    assert path.stat().st_size <= before - freed
