"""kill -9 in the middle of writing: what was acknowledged is there, and the store opens."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from evalkit.store import check, open_store

WRITER = """
import datetime as dt, sys
from evalkit.canonical import new_id
from evalkit.case import Case, Dataset
from evalkit.runs import DatasetInfo, Provenance, SuiteInfo
from evalkit.score import Score
from evalkit.store import open_store
from evalkit.trial import Output, Trial

now = dt.datetime.now(dt.UTC)
run_id = new_id()
dataset = Dataset.of([Case(id=f"c{i}", input=i) for i in range(50)], name="d")
info = SuiteInfo(name="s", nodeid="n", location="l", dataset=DatasetInfo(name="d", digest=dataset.digest, size=50))
print("run", run_id, flush=True)
store = open_store(sys.argv[1])
store.start_run(run_id, started_at=now, provenance=Provenance(), seed=0)
store.add_suite(run_id, info, dataset, dataset.cases)
for batch in range(100_000):
    store.add_trials(run_id, "s", [
        Trial(case_id=f"c{i}", number=batch + 1, output=Output(value="x" * (20_000 if i == 0 else 200)),
              scores=(Score(name="a", value=True), Score(name="b", value=0.5)), outcome="passed",
              started_at=now, duration=0.1)
        for i in range(10)
    ])
    print("stored", batch + 1, flush=True)
"""


def killed_after(process: Any, seconds: float) -> tuple[str, int]:
    """The run, and the batches that the process acknowledged before it was killed, `seconds` after its start."""
    run_id = process.stdout.readline().split()[1]
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    said = process.stdout.read()  # communicate() alone would lose what has been read ahead
    process.communicate(timeout=30)
    lines = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    return run_id, max((int(batch) for _, batch in lines), default=0)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_however_often_the_writer_is_killed(path: Path, script: Any) -> None:
    chance = random.Random(7)
    acknowledged: dict[str, int] = {}
    for _ in range(15):
        run_id, batches = killed_after(script(WRITER, path), chance.random() * 0.3)
        if batches:
            acknowledged[run_id] = batches
    assert len(acknowledged) >= 5, "too few writers got far enough for the test to mean anything"
    assert check(path).ok
    with open_store(path) as store:
        for run_id, batches in acknowledged.items():
            run = store.load(run_id)
            trials = run.suite("s").trials
            assert len(trials) % 10 == 0, "a batch is there as a whole or not at all"
            assert len(trials) // 10 in (batches, batches + 1)
            assert all(len(trial.scores) == 2 for trial in trials)
            assert run.status != "complete"


def test_a_writer_killed_once(path: Path, script: Any) -> None:
    process = script(WRITER, path)
    said = [process.stdout.readline() for _ in range(6)]
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read()
    process.communicate(timeout=30)
    batches = len([line for line in [*said, *rest.splitlines(keepends=True)] if line.startswith("stored")])
    assert batches >= 5
    with open_store(path) as store:
        assert len(store.load(said[0].split()[1]).suite("s").trials) // 10 in (batches - 1, batches, batches + 1)
    assert check(path).ok
