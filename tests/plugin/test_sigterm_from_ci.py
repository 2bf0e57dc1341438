"""SIGTERM, as a CI sends it to a job that is cancelled: the session ends as with Ctrl-C, and what is done is kept."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

WAITING = """
from pathlib import Path
@pytest.fixture
def thing(case):
    yield
    with Path("gone").open("a") as file:
        file.write(case.id + "\\n")

@evalkit.suite(dataset=rows(50), scorers=[same], gates=["mean(same) >= 0.1"], max_concurrency=4)
async def test_it(case, thing):
    if case.input >= 10:
        Path(f"waiting{case.id}").touch()
        await asyncio.sleep(120)
    return case.input
"""


def until(done, process: subprocess.Popen[str]) -> None:
    """Wait for `done()`; fail with what the process printed where it ends before."""
    for _ in range(1200):
        if done():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    raise AssertionError("it never came to that")


def stored_trials(file: Path) -> int:
    """How many trials are in the store at `file`; none where it is not there yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            return database.execute("SELECT COUNT(*) FROM trials").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_what_is_done_is_kept_and_everything_is_torn_down(start_evals, stored_run, pytester):
    process = start_evals(WAITING)
    gone = pytester.path / "gone"
    until(lambda: all((pytester.path / f"waitingc{n}").exists() for n in (10, 11, 12, 13)), process)
    until(lambda: gone.exists() and len(gone.read_text().split()) == 10, process)
    time.sleep(0.5)  # else it may come in the middle of the last teardown
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert "SIGTERM" in output
    assert "Traceback (most recent call last)" not in output
    run = stored_run()
    assert run.status == "interrupted"
    assert run.finished_at is not None
    assert {trial.case_id for trial in run.suites[0].trials} == {f"c{i}" for i in range(10)}
    assert sorted(gone.read_text().split(), key=lambda name: int(name[1:])) == [f"c{i}" for i in range(14)]
    assert not run.verdicts


def test_a_second_one_kills_and_the_run_is_still_no_complete_one(start_evals, pytester):
    process = start_evals(
        """
from pathlib import Path
@pytest.fixture
def thing():
    yield
    Path("tearing").touch()
    time.sleep(120)

@evalkit.suite(dataset=rows(5), scorers=[same], max_concurrency=2)
async def test_it(case, thing):
    Path("waiting").touch()
    await asyncio.sleep(120)
"""
    )
    until((pytester.path / "waiting").exists, process)
    process.send_signal(signal.SIGTERM)
    until((pytester.path / "tearing").exists, process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    from evalkit.store import open_store

    with open_store(pytester.path / ".evalkit" / "evalkit.db") as store:
        assert (
            store.load(store.resolve("last")).status == "running"
        )  # nobody ended it; a minute later it is interrupted


def test_under_xdist_too(start_evals, stored_run, pytester):
    process = start_evals(WAITING, "-p", "xdist", "-n", "1")
    until((pytester.path / "waitingc10").exists, process)
    store = pytester.path / ".evalkit" / "evalkit.db"
    until(lambda: stored_trials(store), process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    run = stored_run()
    assert run.status == "interrupted"
    assert not run.verdicts


@pytest.mark.parametrize("whose", ["default", "of somebody else"])
def test_the_handler_that_was_there_is_there_again(run_evals, whose):
    def theirs(number, frame):
        raise AssertionError("not called")

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL if whose == "default" else theirs)
    try:
        ran = run_evals(
            f"""
import signal
@evalkit.suite(dataset=rows(1), scorers=[same])
def test_it(case):
    handler = signal.getsignal(signal.SIGTERM)
    assert (getattr(handler, "__name__", "") == "interrupt") is {whose == "default"}
    return case.input
"""
        )
        ran.result.assert_outcomes(passed=1)
        assert signal.getsignal(signal.SIGTERM) is (signal.SIG_DFL if whose == "default" else theirs)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_child_that_was_forked_dies_of_its_own_sigterm(run_evals):
    ran = run_evals(
        """
import os, signal
@evalkit.suite(dataset=rows(1), scorers=[same], max_concurrency=1)
def test_it(case):
    hear, say = os.pipe()
    child = os.fork()
    if not child:
        os.write(say, b".")  # what comes before this, Python forgets when it has forked
        time.sleep(60)
        os._exit(0)
    os.read(hear, 1)
    os.kill(child, signal.SIGTERM)
    return case.input if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM else None
""",
        subprocess=True,
    )
    ran.result.assert_outcomes(passed=1)
