"""One way to run an inner pytest, which checks what was stored every time."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pytest_evalkit.evals  # noqa: F401 - pytester forgets what an inner session imports first; half of a package stays
from evalkit.runs import Run, SuiteRun
from evalkit.store import open_store

QUIET = ("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:xdist", "-p", "no:hypothesispytest", "-p", "no:randomly")

HEAD = """
import asyncio, logging, sys, threading, time
import pytest
import evalkit
from evalkit import Case

def rows(n, **more):
    return [Case(id=f"c{i}", input=i, expected=i, **more) for i in range(n)]

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

"""


@dataclasses.dataclass(slots=True)
class Ran:
    """What an inner pytest showed, and what it stored."""

    result: pytest.RunResult
    run: Run | None

    @property
    def text(self) -> str:
        return self.result.stdout.str()

    @property
    def suite(self) -> SuiteRun:
        assert self.run is not None
        (suite,) = self.run.suites
        return suite

    def outcomes(self) -> dict[str, str]:
        return {
            trial.case_id if trial.number == 1 else f"{trial.case_id}-t{trial.number}": trial.outcome
            for trial in self.suite.trials
        }


@pytest.fixture
def run_evals(pytester: pytest.Pytester) -> Callable[..., Ran]:
    """Write a test file below `HEAD`, run pytest on it, check the store's invariants, and give both."""

    def run(source: str, *arguments: str, plugins: bool = False, subprocess: bool = False) -> Ran:
        pytester.makepyfile(test_inner=HEAD + source)
        quiet = () if plugins else QUIET
        go = pytester.runpytest_subprocess if subprocess else pytester.runpytest_inprocess
        result = go(*quiet, *arguments)
        return Ran(result=result, run=stored(pytester.path))

    return run


@pytest.fixture
def start_evals(pytester: pytest.Pytester) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start pytest on a test file below `HEAD` in a process of its own; killed at the end if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *arguments: str) -> subprocess.Popen[str]:
        pytester.makepyfile(test_inner=HEAD + source)
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *QUIET, "--rootdir", str(pytester.path), *arguments],
            cwd=pytester.path,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "100"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_hear_ctrl_c,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a CI that runs in the background passes on that it is ignored


@pytest.fixture
def stored_run(pytester: pytest.Pytester) -> Callable[[], Run | None]:
    """The newest run of the inner store, checked."""
    return lambda: stored(pytester.path)


def stored(folder: Path) -> Run | None:
    """The newest run in the folder's store, checked; `None` where there is no store."""
    file = folder / ".evalkit" / "evalkit.db"
    if not file.exists():
        return None
    with open_store(file, read_only=True) as store:
        runs = store.runs()
        if not runs:
            return None
        run = store.load(runs[0].id)
    check(run)
    return run


def check(run: Run) -> None:
    """What holds for every run, whatever happened in it."""
    assert run.status in ("running", "complete", "interrupted", "failed")
    assert run.status == "running" or (run.finished_at is not None and run.finished_at >= run.started_at)
    names = [suite.info.name for suite in run.suites]
    assert len(names) == len(set(names)), "suites of one run have names of their own"
    for suite in run.suites:
        keys = Counter((trial.case_id, trial.number, trial.attempt) for trial in suite.trials)
        assert set(keys.values()) <= {1}, "a trial is stored once"
        assert {trial.case_id for trial in suite.trials} <= {case.id for case in suite.cases}
        assert len(suite.trials) <= suite.info.planned <= suite.info.declared
        for trial in suite.trials:
            assert (trial.output.error is None) or trial.outcome in ("missed", "errored")
            for score in trial.scores:
                assert (score.value is None) or score.status == "scored"
    for verdict in run.verdicts:
        assert verdict.suite in names
        assert verdict.reason
    for metric in run.metrics:
        assert metric.suite in names
        if metric.low is not None and metric.high is not None and metric.value is not None:
            assert metric.low <= metric.value <= metric.high
