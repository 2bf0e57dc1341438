"""What a suite says of itself at its end, where it stopped early, is in the store and nothing else of it changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from evalkit.runs import Stop
from evalkit.store import Spool, ingest


def settled(info: Any) -> Any:
    stop = Stop(rule="anytime", seed=3, at=76, cases=400, level=0.995)
    return dataclasses.replace(
        info, selection="stopped at 76 of 400 (anytime)", metadata={**info.metadata, **stop.to_metadata()}
    )


def test_selection_and_metadata_come_back(store: Any, begin: Any) -> None:
    run = begin(store, size=3)
    run.add(run.trial(0))
    before = store.load(run.run_id).suite("math")
    store.settle_suite(run.run_id, settled(before.info))
    after = store.load(run.run_id).suite("math")
    assert after.info == settled(before.info)
    assert after.info.stop == Stop(rule="anytime", seed=3, at=76, cases=400, level=0.995)
    assert after.info.is_partial
    assert (after.cases, after.trials) == (before.cases, before.trials)
    assert store.runs()[0].partial


def test_the_same_twice_and_other_suites_are_left_alone(store: Any, begin: Any) -> None:
    first, second = begin(store, size=3), begin(store, size=3)
    info = store.load(first.run_id).suite("math").info
    for _ in range(2):
        store.settle_suite(first.run_id, settled(info))
    assert store.load(first.run_id).suite("math").info == settled(info)
    assert store.load(second.run_id).suite("math").info == info


def test_a_spool_keeps_it_until_the_store_is_well(store: Any, begin: Any, tmp_path: Path) -> None:
    run = begin(store, size=3)
    info = store.load(run.run_id).suite("math").info
    spool = Spool(tmp_path / "run.jsonl")
    spool.settle_suite(run.run_id, settled(info))
    for _ in range(2):
        ingest(store, spool.path)
    assert store.load(run.run_id).suite("math").info == settled(info)


def test_earlier_runs_are_counted_by_commit_and_cases(store: Any) -> None:
    """Without a commit nothing is counted; with one, in the order in which the runs began."""
    import datetime as dt

    from evalkit.case import Case, Dataset
    from evalkit.runs import DatasetInfo, Provenance, SuiteInfo

    dataset = Dataset.of([Case(id="a", input=1)], name="cases")
    info = SuiteInfo(
        name="suite",
        nodeid="n",
        location="f:1",
        dataset=DatasetInfo(name="cases", digest=dataset.digest, size=1),
        declared=1,
        planned=1,
    )
    began = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    rows = [("c1", False, None), ("c1", False, None), ("c1", True, None), ("c1", False, "-k x"), ("c2", False, None)]
    rows += [("c1", False, "stopped at 1 of 1 (decided)"), ("c1", False, None), (None, None, None), (None, None, None)]
    for number, (commit, dirty, selection) in enumerate(rows):
        name = f"01a20000-0000-7000-8000-{number:012}"
        when = began + dt.timedelta(minutes=number)
        store.start_run(name, started_at=when, provenance=Provenance(commit=commit, dirty=dirty), seed=0)
        store.add_suite(name, dataclasses.replace(info, selection=selection), dataset, dataset.cases)
        store.finish_run(name, status="complete", finished_at=when, metrics=[], verdicts=[])
    found = [store.earlier_runs(f"01a20000-0000-7000-8000-{number:012}").get("suite", 0) for number in range(len(rows))]
    assert found == [0, 1, 0, 0, 0, 2, 3, 0, 0]
