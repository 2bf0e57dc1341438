"""Eight processes that write at once, one of them killed; and a child that was forked in the middle of it all."""

from __future__ import annotations

import random
import signal
import subprocess
import sys

import pytest

from evalkit.runs import Run
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
dataset = Dataset.of([Case(id=f"c{i}", input=i) for i in range(int(sys.argv[2]))], name="d")
info = SuiteInfo(
    name="s", nodeid="n", location="l", dataset=DatasetInfo(name="d", digest=dataset.digest, size=len(dataset))
)
with open_store(sys.argv[1]) as store:
    run_id = new_id()
    print(run_id, flush=True)
    sys.stdin.readline()
    store.start_run(run_id, started_at=now, provenance=Provenance(), seed=0)
    store.add_suite(run_id, info, dataset, dataset.cases)
    for start in range(0, len(dataset), 4):
        trials = [
            Trial(
                case_id=case.id, output=Output(value=f"{run_id} {case.input}"), scores=(Score(name="a", value=True),),
                outcome="passed", started_at=now, duration=0.0,
            )
            for case in dataset.cases[start : start + 4]
        ]
        store.add_trials(run_id, "s", trials)
        print(*(trial.case_id for trial in trials), flush=True)
    store.finish_run(run_id, status="complete", finished_at=now, metrics=[], verdicts=[])
"""


@pytest.mark.slow
def test_eight_processes_write_at_once_and_one_is_killed(url, times, count):
    size, chance, counted = times(120, 1200), random.Random(8), count(url)
    open_store(url).close()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    runs = [writer.stdout.readline().strip() for writer in writers]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    victim = chance.randrange(8)
    begun = [writers[victim].stdout.readline() for _ in range(chance.randrange(1, size // 5))]
    writers[victim].send_signal(signal.SIGKILL)
    said = [writer.communicate(timeout=300)[0] for writer in writers]
    said[victim] = "".join(begun) + said[victim]
    assert [writer.returncode for writer in writers if writer is not writers[victim]] == [0] * 7
    counted.faults += 1
    with open_store(url) as store:
        assert sorted(run.id for run in store.runs()) == sorted(runs)
        loaded = {run: store.load(run) for run in runs}
        briefs = {run.id: run for run in store.runs()}
    for run, text in zip(runs, said, strict=True):
        lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = {case for line in lines for case in line.split()}
        kept = [trial.case_id for trial in loaded[run].suites[0].trials]
        counted.acknowledged += len(acknowledged)
        counted.lost += len(acknowledged - set(kept))
        counted.doubled += max(len(kept) - len(set(kept)), briefs[run].counts["passed"] - len(kept))
        assert all(t.output.value == f"{run} {t.case_id[1:]}" for t in loaded[run].suites[0].trials)
        counted.wrong += (loaded[run].status == "complete") is not (len(kept) == size)
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)
    assert check(url).ok


FORKING = """
import concurrent.futures, multiprocessing, os
import pytest
import evalkit
from evalkit import Case

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

def twice(number):
    return 2 * number

@evalkit.suite(
    dataset=[Case(id=f"c{i}", input=i, expected=i) for i in range(240)],
    scorers=[same], gates=["mean(same) >= 0.9"], max_concurrency=AT_ONCE,
)
def test_it(case):
    if case.input % 60 == 7:
        WORK
    return case.input if case.input < 180 else -1
"""
WAYS = {
    "a child that ends at once": """
        child = os.fork()
        if not child:
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    """,
    "a child that leaves through pytest, as if it were the session": """
        child = os.fork()
        if not child:
            pytest.exit("it is only a child", returncode=3)
        os.waitpid(child, 0)
    """,
    "a pool of processes": """
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
            assert list(pool.map(twice, range(4))) == [0, 2, 4, 6]
    """,
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_bodies_that_fork(url, start, look, count, facts, undisturbed, way):
    """One at a time: whoever forks in a thread has taken locks of all others with him, with or without evalkit."""
    counted = count(url)
    source = FORKING.replace("AT_ONCE", "1").replace("        WORK", WAYS[way].strip("\n"))
    session = start(url, source=source, arguments=["-W", "ignore::DeprecationWarning"])
    assert session.wait() == 1, session.text
    run = look(url, session, set(), counted)
    assert (run.status, facts(run)) == ("complete", undisturbed())
    assert not run.degraded
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


IN_A_TRANSACTION = """
import datetime as dt, os, sys
from evalkit.errors import StoreError
from evalkit.canonical import new_id
from evalkit.runs import Provenance
from evalkit.store import open_store

store = open_store(sys.argv[1])
now = dt.datetime.now(dt.UTC)
before, after = new_id(), new_id()
store.start_run(before, started_at=now, provenance=Provenance(), seed=0)
with store._database.writing() as session:
    session.execute("UPDATE runs SET degraded = ? WHERE id = ?", ["by the parent", before])
    child = os.fork()
    if not child:
        if sys.argv[1].endswith(".db"):
            try:
                store.start_run(after, started_at=now, provenance=Provenance(), seed=0)
            except StoreError:
                sys.exit(0)  # with all that the interpreter does at its end
            os._exit(9)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
store.start_run(after, started_at=now, provenance=Provenance(), seed=0)
store.close()
print(before, after)
"""


def test_a_fork_in_the_middle_of_a_transaction(url, count):
    done = subprocess.run([sys.executable, "-c", IN_A_TRANSACTION, url], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split()
    with open_store(url) as store:
        run: Run = store.load(before)
        assert (run.degraded, store.load(after).status) == ("by the parent", "running")
        assert len(store.runs()) == 2
    assert check(url).ok
    count(url).faults += 1
