"""One way to run an inner pytest, which checks what was stored every time.

With `EVALKIT_TEST_PG_URL` set, the modules of `ON_BOTH` run on PostgreSQL as well; with `EVALKIT_TEST_STORE=postgresql` all of
them run there and nowhere else, but for tests that look at the file of the store.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pytest_evalkit.evals  # noqa: F401 - pytester forgets what an inner session imports first; half of a package stays
from evalkit.errors import NotFound
from evalkit.runs import Provenance, Run, SuiteRun
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

SERVER = os.environ.get("EVALKIT_TEST_PG_URL", "")
ONLY = os.environ.get("EVALKIT_TEST_STORE", "")
ON_BOTH = {"test_gates_in_sessions", "test_prompts_in_sessions"}
"""What a session is: modules whose tests look at the store through the command line and the records only."""

_READS, _NAMES, _COPIES = "reads the file by itself", "names the file to a command", "copies the folder of the store"
IN_A_FILE = {
    "test_attempts_at_one_commit::test_a_stored_run_says_which_attempt_it_was": _NAMES,
    "test_bad_input_in_sessions::test_a_store_from_the_future": "makes the file one of a later evalkit",
    "test_bad_input_in_sessions::test_a_store_that_fails_in_the_middle_changes_no_outcome_and_loses_nothing": _READS,
    "test_baselines_in_sessions::test_a_run_that_did_not_end_is_no_baseline": _READS,
    "test_replay_in_sessions::test_a_key_is_nowhere_in_what_is_recorded": "looks for a key in the bytes of the file",
    "test_replay_in_sessions::test_without_a_cache_nothing_is_recorded": _READS,
    "test_resuming::test_a_run_that_may_still_go_on_is_left_alone": _READS,
    "test_resuming::test_a_shard_that_broke_off_is_gone_on_with_and_its_bundle_is_whole": _READS,
    "test_resuming::test_errors_are_attempted_again_and_misses_are_not": _READS,
    "test_resuming::test_what_broke_off_comes_to_what_it_would_have_come_to": _COPIES,
    "test_retries_of_outages": _READS,
    "test_sigterm_from_ci::test_a_second_one_kills_and_the_run_is_still_no_complete_one": _NAMES,
    "test_sigterm_from_ci::test_under_xdist_too": _READS,
    "test_stopping::test_kill_9_loses_nothing_that_was_reported": _NAMES,
    "test_suites_that_changed::test_a_suite_that_is_run_is_whole": _NAMES,
    "test_suites_that_stop::test_a_stopped_run_is_no_baseline_and_the_stored_run_gives_the_same_verdict": _READS,
}  # fmt: skip
"""Tests, or all those of a module, that stay with the file, and why."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    names = {module, f"{module}::{metafunc.function.__name__}"}
    if "stored_on" not in metafunc.fixturenames or not SERVER or names & IN_A_FILE.keys():
        return
    if ONLY or module in ON_BOTH:
        metafunc.parametrize("stored_on", [ONLY] if ONLY else ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def stored_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where inner sessions store: in their folder's file, or in a database of their own on the server."""
    kind = getattr(request, "param", "sqlite")
    if kind == "postgresql":
        monkeypatch.setenv("EVALKIT_STORE", request.getfixturevalue("empty_database"))
    return kind


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
    place = os.environ.get("EVALKIT_STORE") or folder / ".evalkit" / "evalkit.db"
    try:
        opened = open_store(place, read_only=True)
    except NotFound:
        return None
    with opened as store:
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


@pytest.fixture
def unlike() -> Callable[[Run, Run], list[str]]:
    """Where two runs differ, and in what, but for times, ids, and how and where they were started."""
    return lambda one, other: list(_unlike(_alike(one), _alike(other)))


@pytest.fixture
def page_of(tmp_path: Path) -> Callable[[Run], bytes]:
    """The HTML report of a run whose times and ids are replaced by fixed ones."""
    from evalkit_reports import write_html

    return lambda run: write_html(_settled(run), tmp_path / "settled.html").read_bytes()


def _alike(value: Any) -> Any:
    """A record without what differs between any two runs: times, ids, and how and where it was started."""
    if isinstance(value, Run):
        value = dataclasses.replace(value, provenance=Provenance(), store=None)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        made: dict[str, Any] = {name: _alike(field) for name, field in fields.items() if name not in _TIMES}
        if fields.get("name") == "latency":  # a metric of times
            made = {name: made[name] for name in ("suite", "name", "statistic", "cases", "trials", "scored", "errored")}
        return type(value).__name__, made
    if isinstance(value, dict):
        return {key: _alike(item) for key, item in value.items() if key != "evalkit.run.id"}
    if isinstance(value, tuple | list):
        return [_alike(item) for item in value]
    return value


_TIMES = frozenset(
    ("id", "started_at", "finished_at", "ended_at", "duration", "latency", "trace_id", "span_id", "parent_id",
     "start_ns", "end_ns")
)  # fmt: skip


def _unlike(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Where two records differ, and in what."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _unlike(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _unlike(*pair, f"{path}[{place}]")
    elif one != other:
        yield f"{path}: {one!r:.300} != {other!r:.300}"


def _settled(run: Run) -> Run:
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    suites = [
        dataclasses.replace(
            suite,
            trials=tuple(
                dataclasses.replace(
                    trial,
                    started_at=when,
                    duration=0.0,
                    trace=None,
                    output=dataclasses.replace(trial.output, latency=0.5, trace_id=None),
                )
                for trial in suite.trials
            ),
        )
        for suite in run.suites
    ]
    timeless = [metric for metric in run.metrics if metric.name != "latency"]
    return dataclasses.replace(
        run, id="01", started_at=when, finished_at=when, provenance=Provenance(), store=None,
        suites=tuple(suites), metrics=tuple(timeless),
    )  # fmt: skip
