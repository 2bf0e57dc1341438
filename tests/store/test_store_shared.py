"""Several processes, and several threads, on one store."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

from evalkit.store import check, open_store, revisions

READY_GO = """
import sys
import evalkit.store.opening, evalkit.store.sqlite
from evalkit.store import open_store
print("ready", flush=True)
sys.stdin.readline()
"""


def start_together(processes: list[Any]) -> None:
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def test_six_processes_make_the_same_new_store(tmp_path: Path, script: Any, outputs: Any) -> None:
    for attempt in range(3):
        path = tmp_path / str(attempt) / "evalkit.db"
        code = READY_GO + "with open_store(sys.argv[1]) as store: print(store.schema_version())"
        processes = [script(code, path, stdin=-1) for _ in range(6)]
        start_together(processes)
        assert outputs(processes) == [f"{revisions.HEAD}\n"] * 6
        with contextlib.closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert database.execute("SELECT COUNT(*) FROM alembic_version").fetchone() == (1,)


def test_three_processes_write_runs_of_their_own_at_once(path: Path, script: Any, outputs: Any) -> None:
    code = (
        READY_GO
        + """
import datetime as dt
from evalkit.canonical import new_id
from evalkit.case import Case, Dataset
from evalkit.runs import DatasetInfo, Provenance, SuiteInfo
from evalkit.trial import Output, Trial
now = dt.datetime.now(dt.UTC)
dataset = Dataset.of([Case(id=f"c{i}", input=i) for i in range(40)], name="d")
info = SuiteInfo(name="s", nodeid="n", location="l", dataset=DatasetInfo(name="d", digest=dataset.digest, size=40))
with open_store(sys.argv[1]) as store:
    run_id = new_id()
    store.start_run(run_id, started_at=now, provenance=Provenance(), seed=0)
    store.add_suite(run_id, info, dataset, dataset.cases)
    for i in range(40):
        store.add_trials(run_id, "s", [
            Trial(case_id=f"c{i}", output=Output(value="shared " * 2000), outcome="passed", started_at=now, duration=0)
        ])
        store.runs()
    store.finish_run(run_id, status="complete", finished_at=now, metrics=[], verdicts=[])
"""
    )
    processes = [script(code, path, stdin=-1) for _ in range(3)]
    start_together(processes)
    outputs(processes)
    with open_store(path) as store:
        assert [(run.status, run.counts["passed"]) for run in store.runs()] == [("complete", 40)] * 3
    counts = check(path).counts
    assert (counts["datasets"], counts["cases"], counts["trials"], counts["blobs"]) == (1, 40, 120, 1)


def test_threads_share_one_store(store: Any, begin: Any) -> None:
    run = begin(store, size=80)
    failures: list[BaseException] = []

    def write(start: int) -> None:
        try:
            for index in range(start, 80, 4):
                run.add(run.trial(index))
                store.heartbeat(run.run_id)
                store.load(run.run_id, payload=False)
        except BaseException as error:  # whatever it is, the test is to fail with it
            failures.append(error)

    threads = [threading.Thread(target=write, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert run.trials() == tuple(run.trial(index) for index in range(80))
