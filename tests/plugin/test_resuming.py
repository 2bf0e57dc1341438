"""`--evalkit-resume`: a run that broke off is gone on with, and comes to what it would have come to."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from evalkit.runs import Run

SPREAD = ("-p", "xdist", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:randomly")

SUITES = """
import os, pathlib, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a CI in the background has ignored
here = pathlib.Path(__file__).parent

def called(case):
    with open(here / "calls", "a") as file:
        file.write(f"{case.id}\\n")

@evalkit.suite(dataset=rows(16), scorers=[same], repeat=2, gates=["same >= 0.5", "errors <= 20%"], max_concurrency=2)
async def test_gated(case, evalkit):
    called(case)
    if case.input == 2 and not (here / "well").exists():
        raise ConnectionError("away")
    if case.input == 9 and not (here / "well").exists():
        BREAK
    return -1 if case.input == 3 else case.input

@evalkit.suite(dataset=rows(3), scorers=[same])
def test_ungated(case):
    called(case)
    return case.input if case.input else None

def test_by_hand(evalkit):
    evalkit.score("polite", 0.5)
"""
KILLED = SUITES.replace("BREAK", "os.kill(os.getpid(), signal.SIGKILL)")
CTRL_C = SUITES.replace("BREAK", "os.kill(os.getpid(), signal.SIGINT)")


def last_heard_of(folder: Path, year: int) -> None:
    """As if the run had been heard of in that year; it counts as alive for a minute after."""
    with sqlite3.connect(folder / ".evalkit" / "evalkit.db") as database:
        database.execute("UPDATE runs SET heartbeat_at = ?", [f"{year}-01-01T00:00:00.000000Z"])
    database.close()


def calls(folder: Path) -> list[str]:
    file = folder / "calls"
    made = file.read_text().split() if file.exists() else []
    file.unlink(missing_ok=True)
    return made


def comparable(run: Run) -> Run:
    """Without what tells a second attempt, and without traces, which depend on what the process has loaded."""
    suites = [
        dataclasses.replace(
            suite, trials=tuple(dataclasses.replace(trial, attempt=1, trace=None) for trial in suite.trials)
        )
        for suite in run.suites
    ]
    return dataclasses.replace(run, suites=tuple(suites))


@pytest.fixture
def uninterrupted(run_evals, pytester):
    """The same suites in one go, in a store that is then out of the way."""
    (pytester.path / "well").touch()
    ran = run_evals(KILLED)
    (pytester.path / "well").unlink()
    (pytester.path / ".evalkit").rename(pytester.path / "other")
    calls(pytester.path)
    return ran


@pytest.mark.parametrize(
    ("source", "workers"),
    [(KILLED, ()), (CTRL_C, ()), (KILLED, ("-n", "2", *SPREAD))],
    ids=["kill -9", "Ctrl-C", "kill -9, then xdist"],
)
def test_what_broke_off_comes_to_what_it_would_have_come_to(
    run_evals, pytester, unlike, uninterrupted, source, workers
):
    broken = run_evals(source, subprocess=True)
    assert broken.run.status in ("running", "interrupted")
    stood = sum(len(suite.trials) for suite in broken.run.suites)
    assert stood < 36
    calls(pytester.path)
    last_heard_of(pytester.path, 2001)
    (pytester.path / "well").touch()
    resumed = run_evals(source, "--evalkit-resume=last", *workers, plugins=bool(workers), subprocess=bool(workers))
    assert resumed.run.id == broken.run.id
    assert resumed.run.status == "complete"
    assert unlike(comparable(resumed.run), comparable(uninterrupted.run)) == []
    assert resumed.result.ret == uninterrupted.result.ret == 1, "what missed before still fails the session"
    assert "goes on" in resumed.text
    errored = sum(trial.outcome == "errored" for suite in broken.run.suites for trial in suite.trials)
    assert len(calls(pytester.path)) == 35 - (stood - errored), "only what is missing or errored is run"


def test_a_run_that_may_still_go_on_is_left_alone(run_evals, pytester):
    broken = run_evals(KILLED, subprocess=True)
    last_heard_of(pytester.path, 2999)
    again = run_evals(KILLED, "--evalkit-resume", broken.run.id)
    assert again.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "is still going on, or was a moment ago" in again.result.stderr.str() + again.text


def test_errors_are_attempted_again_and_misses_are_not(run_evals, pytester):
    source = SUITES.replace("BREAK", "pass")
    first = run_evals(source)
    assert first.run.status == "complete"
    calls(pytester.path)
    (pytester.path / "well").touch()
    again = run_evals(source, "--evalkit-resume=last", "-v")
    assert calls(pytester.path) == ["c2", "c2"]
    trials = {(trial.case_id, trial.number): trial for trial in again.run.suite("test_gated").trials}
    assert [(trials["c2", number].attempt, trials["c2", number].outcome) for number in (1, 2)] == [(2, "passed")] * 2
    assert trials["c3", 1].outcome == "missed"
    assert len(trials) == 32
    assert "2 had errored and were run again" in again.text
    assert "test_gated[c3] MISSED" in again.text
    with sqlite3.connect(pytester.path / ".evalkit" / "evalkit.db") as database:
        kept = database.execute("SELECT attempt, outcome FROM trials WHERE case_id = 'c2' AND trial = 1").fetchall()
    database.close()
    assert (1, "errored") in kept, "what was attempted first stays on record"


def test_with_nothing_left_the_verdicts_are_the_same_and_nothing_is_run(run_evals, pytester):
    (pytester.path / "well").touch()
    first = run_evals(KILLED)
    calls(pytester.path)
    again = run_evals(KILLED, "--evalkit-resume=last")
    assert calls(pytester.path) == []
    assert again.run.verdicts == first.run.verdicts
    assert again.result.ret == first.result.ret == 1
    assert again.result.parseoutcomes() == first.result.parseoutcomes()
    assert "test_ungated[c0]" in again.text
    assert "output:   null" in again.text, "a case that failed is shown as it failed"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("rows(16)", "rows(17)", "the dataset"),
        ('"same >= 0.5"', '"same >= 0.4"', "the gates"),
        ("repeat=2", "repeat=1", "the repeats"),
        ("dataset=rows(3), scorers=[same]", "dataset=rows(3), scorers=[same >= 0.5]", "the scorer same"),
        ("def test_by_hand(evalkit)", "def test_by_hand()", "it also has test_by_hand"),
    ],
)
def test_another_suite_is_refused_with_what_differs(run_evals, pytester, old, new, named):
    source = SUITES.replace("BREAK", "raise ValueError")
    first = run_evals(source)
    assert old in source
    calls(pytester.path)
    changed = source.replace(old, new).replace('evalkit.score("polite", 0.5)', "pass" if "()" in new else "evalkit")
    again = run_evals(changed, "--evalkit-resume=last")
    said = " ".join((again.result.stderr.str() + again.text).split())
    assert again.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "cannot be gone on with" in said
    assert named in said
    assert "Start a new run" in said
    assert calls(pytester.path) == []
    assert again.run == first.run, "the run is as it was"


def test_another_selection_is_refused(run_evals):
    source = SUITES.replace("BREAK", "raise ValueError")
    run_evals(source)
    again = run_evals(source, "--evalkit-resume=last", "-k", "c1 or test_by_hand")
    assert again.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "the cases selected" in " ".join((again.result.stderr.str() + again.text).split())


@pytest.mark.parametrize("workers", [(), ("-n", "1", *SPREAD)], ids=["one process", "xdist"])
def test_a_run_that_is_not_there_is_a_usage_error(run_evals, workers):
    ran = run_evals(
        "@evalkit.suite(dataset=rows(2), scorers=[same])\ndef test_it(case): return case.input\n",
        "--evalkit-resume=019", *workers, plugins=bool(workers), subprocess=bool(workers),
    )  # fmt: skip
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in ran.text + ran.result.stderr.str()


def test_a_shard_that_broke_off_is_gone_on_with_and_its_bundle_is_whole(run_evals, pytester):
    from evalkit.shardfile import read_bundle

    bundle = pytester.path / "b.jsonl"
    part = ("--evalkit-shard=2/2", f"--evalkit-bundle={bundle}")
    run_evals(KILLED, *part, subprocess=True)
    assert not bundle.exists(), "a bundle is there when it is whole"
    last_heard_of(pytester.path, 2001)
    (pytester.path / "well").touch()
    run_evals(KILLED, *part, "--evalkit-resume=last")
    read = read_bundle(bundle)
    assert read.status == "complete"
    last = {(trial.case_id, trial.number): trial for trial in read.parts["test_gated"].trials}
    assert len(last) == 16
    assert {trial.output.value for trial in last.values()} == {1, -1, 5, 7, 9, 11, 13, 15}
