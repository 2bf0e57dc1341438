"""Under pytest-xdist: bodies overlap within each worker, the run is that of one process, and workers may die."""

from __future__ import annotations

import re

import pytest

SPREAD = ("-p", "xdist", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:randomly")

RICH = """
import pathlib

@evalkit.scorer(blocking=False)
def size(output):
    if output == 5:
        raise ValueError("no ruler")
    return None if output == 6 else len(str(output)) / 2

@evalkit.suite(
    dataset=rows(9, metadata={"lang": "de"}), scorers=[same, size], repeat=2, gates=["same >= 0.5", "size >= 0.1"]
)
async def test_gated(case, evalkit):
    with __import__("evalkit").span("thinking", about=case.id):
        await asyncio.sleep(0)
    if case.input == 1:
        raise RuntimeError("model away")
    evalkit.score("asked", "yes" if case.input % 2 else "no")
    return -1 if case.input == 2 and evalkit.trial == 2 else case.input

@evalkit.suite(dataset=rows(6), scorers=[same])
def test_ungated(case):
    if case.input == 1:
        pytest.skip("not today")
    assert case.input != 4, "not four"
    return case.input

@pytest.mark.parametrize("n", [1, 2, 3])
def test_by_hand(evalkit, n):
    evalkit.output(n)
    evalkit.score("polite", n / 4)
"""


def test_two_workers_make_the_run_of_one_process(run_evals, unlike, page_of):
    one = run_evals(RICH)
    two = run_evals(RICH, "-n", "2", *SPREAD, plugins=True, subprocess=True)
    assert two.run.id != one.run.id
    assert (len(one.run.suites), len(one.run.verdicts)) == (3, 3)
    assert sum(trial.trace is not None for trial in one.run.suites[0].trials) == 18
    assert unlike(two.run, one.run) == []
    assert page_of(two.run) == page_of(one.run)
    assert two.result.ret == one.result.ret == 1


@pytest.mark.parametrize("dist", ["load", "worksteal", "loadfile", "loadscope", "loadgroup"])
def test_bodies_overlap_within_a_worker(run_evals, pytester, dist):
    # From the ninth on, each body waits until four have been in flight at once in one of the processes.
    ran = run_evals(
        """
import os
import pathlib
seen = pathlib.Path(os.environ["PYTEST_XDIST_TESTRUNUID"])
running = 0

@evalkit.suite(dataset=rows(24), scorers=[same], timeout=60)
async def test_it(case):
    global running
    if case.input < 8:
        return case.input
    running += 1
    if running >= 4:
        seen.touch()
    while not seen.exists():
        await asyncio.sleep(0.005)
    running -= 1
    return case.input
""",
        "-n", "2", "--dist", dist, *SPREAD, plugins=True, subprocess=True,
    )  # fmt: skip
    ran.result.assert_outcomes(passed=24)


DEADLY = """
import os, signal

@evalkit.suite(dataset=rows(12), scorers=[same], gates=["same >= 0.5", "errors <= 20%"])
async def test_it(case):
    await asyncio.sleep(0.01)
    if case.input == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return case.input
"""


@pytest.mark.parametrize("dist", ["load", "loadgroup"])
def test_a_worker_that_dies_costs_one_trial_the_right_one(run_evals, dist):
    ran = run_evals(DEADLY, "-n", "2", "--dist", dist, *SPREAD, plugins=True, subprocess=True)
    outcomes = ran.outcomes()
    assert outcomes == {f"c{i}": "errored" if i == 5 else "passed" for i in range(12)}
    (died,) = [trial.output.error for trial in ran.suite.trials if trial.output.error is not None]
    assert (died.type, died.is_assertion) == ("WorkerDied", False)
    assert [verdict.decision for verdict in ran.run.verdicts] == ["pass", "pass"]
    assert ran.run.verdicts[0].errored == 1
    assert ran.run.status == "complete"
    assert ran.result.ret == 1, "a process that dies is never a pass"


def test_without_new_workers_the_run_is_interrupted_and_judged_with_what_is_missing(run_evals):
    ran = run_evals(
        DEADLY, "-n", "2", "--max-worker-restart", "0", *SPREAD, plugins=True, subprocess=True,
    )  # fmt: skip
    assert ran.run.status == "interrupted"
    assert len(ran.suite.trials) < 12
    assert "Not every case was run" in " ".join(ran.text.split())
    assert len(ran.run.verdicts) == 2
    assert ran.result.ret != 0


def test_the_first_failure_ends_the_session_and_the_run(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(200), scorers=[same])
async def test_it(case):
    await asyncio.sleep(0.05)
    return None if case.input == 0 else case.input
""",
        "-n", "2", "-x", "--evalkit-max-concurrency", "2", *SPREAD, plugins=True, subprocess=True,
    )  # fmt: skip
    assert ran.run.status == "interrupted"
    assert 0 < len(ran.suite.trials) < 200
    assert ran.result.ret == 2


def test_each_worker_running_everything_is_refused_before_anything_runs(run_evals, pytester):
    ran = run_evals(RICH, "-n", "2", "--dist", "each", *SPREAD, plugins=True, subprocess=True)
    assert "Evals cannot run under --dist each." in ran.text
    assert ran.run is None
    assert ran.result.ret == 4


def test_ordinary_tests_may_run_in_each_worker(run_evals):
    ran = run_evals("def test_it(): pass", "-n", "2", "--dist", "each", *SPREAD, plugins=True, subprocess=True)
    ran.result.assert_outcomes(passed=2)


def test_the_progress_ends_at_100_per_cent_though_a_worker_collects_late(run_evals, pytester):
    pytester.makeconftest(
        """
import time

def pytest_collection_modifyitems(config):
    if getattr(config, "workerinput", {}).get("workerid") == "gw1":
        time.sleep(1)
"""
    )
    ran = run_evals(RICH, "-n", "2", *SPREAD, plugins=True, subprocess=True)
    shares = [int(share) for share in re.findall(r"\[ *(\d+)%\]", ran.text)]
    assert shares
    assert shares[-1] == 100
    assert shares == sorted(shares)
