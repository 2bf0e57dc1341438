"""What every part's tests need."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import pkgutil
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import evalkit
from evalkit.canonical import new_id
from evalkit.case import Case
from evalkit.runs import DatasetInfo, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import ErrorInfo, Score
from evalkit.trial import Output, Trial, Usage, outcome_of

pytest_plugins = ["pytester"]

# How long one example takes says more about the machine than about the code.
settings.register_profile("evalkit", deadline=None)
settings.load_profile("evalkit")

SERVER = os.environ.get("EVALKIT_TEST_PG_URL", "")
_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_ERROR = ErrorInfo(type="RuntimeError", message="it broke")


@pytest.fixture(scope="session")
def make_suite() -> Callable[..., SuiteRun]:
    """Builds the records of a suite from what became of each trial.

    `make_suite([1, 0, None, "raise", "fail", "absent"])` has six cases: scored 1 and 0, unscored, a scorer that
    raised, a function that raised, a trial that never ran. A list in the list is a case with repeats. `score` is the
    scorer's name; `latency` and `usage` are per case; further fields go to `SuiteInfo`.
    """
    return _make_suite


def _make_suite(
    cells: Sequence[Any],
    *,
    score: str = "accuracy",
    metadata: Sequence[Mapping[str, Any]] = (),
    tags: Sequence[Sequence[str]] = (),
    latency: Sequence[float | None] = (),
    usage: Sequence[Usage | None] = (),
    scorers: tuple[ScorerInfo, ...] | None = None,
    **info: Any,
) -> SuiteRun:
    cases, trials = [], []
    rows = [cell if isinstance(cell, list | tuple) else [cell] for cell in cells]
    for i, row in enumerate(rows):
        case = Case(
            id=f"case-{i}", input=i, metadata=metadata[i] if metadata else {}, tags=tuple(tags[i]) if tags else ()
        )
        cases.append(case)
        for number, cell in enumerate(row, 1):
            if cell != "absent":
                seconds = latency[i] if latency else None
                trials.append(_trial(case.id, number, cell, score, seconds, usage[i] if usage else None))
    repeat = max((len(row) for row in rows), default=1)
    planned = sum(len(row) for row in rows)
    fields: dict[str, Any] = {
        "name": "suite",
        "nodeid": "evals/test_it.py::test_it",
        "location": "evals/test_it.py:3",
        "dataset": DatasetInfo(name="cases", digest="0" * 64, size=len(cases)),
        "scorers": (ScorerInfo(name=score, version="1"),) if scorers is None else scorers,
        "repeat": repeat,
        "declared": planned,
        "planned": planned,
    }
    return SuiteRun(info=SuiteInfo(**(fields | info)), cases=tuple(cases), trials=tuple(trials))


def _trial(case_id: str, number: int, cell: Any, score: str, latency: float | None, usage: Usage | None) -> Trial:
    output = Output(value="text", latency=latency, usage=usage)
    scores: tuple[Score, ...]
    if cell == "fail":
        output, scores = Output(error=_ERROR, latency=latency, usage=usage), ()
    elif cell == "raise":
        scores = (Score(name=score, status="error", error=_ERROR, scorer=score),)
    elif isinstance(cell, Score):
        scores = (cell,)
    else:
        scores = (Score(name=score, value=cell, scorer=score),)
    return Trial(
        case_id=case_id,
        number=number,
        output=output,
        scores=scores,
        outcome=outcome_of(output, scores),
        started_at=_NOW,
        duration=0.1,
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what became of what the tests of `tests/faults` disturbed, whichever process they ran in."""
    counts: dict[str, Counter[str]] = {}
    untried: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) != "teardown":
                continue
            for name, said in report.user_properties:
                if name == "faults":
                    kind, found = json.loads(said)
                    counts.setdefault(kind, Counter()).update(found)
                elif name == "untried":
                    untried[said] += 1
    for kind, found in sorted(counts.items()):
        terminalreporter.write_line(
            f"Faults, {kind}: acknowledged results lost {found['lost']}, doubled {found['doubled']}, "
            f"wrong verdicts {found['wrong']}, over {found['faults']} faults and {found['acknowledged']:,} results."
        )
    for what, times in untried.items():
        terminalreporter.write_line(f"Faults not tried on this machine, by {times} tests: {what}.", yellow=True)


class PostgresServer:
    """A PostgreSQL server of our own, made from the programs that this machine has, in a folder of its own.

    It listens on a socket in that folder only: no port that somebody else may take in the meantime.
    """

    def __init__(self) -> None:
        found = [shutil.which("pg_ctl"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")))]
        programs = [Path(name).parent for name in found if name]
        assert programs, "EVALKIT_TEST_PG_URL=local, and no PostgreSQL is installed here"
        self._programs = programs[-1]
        self._folder = Path(tempfile.mkdtemp(prefix="evalkit-pg-"))
        self._options: dict[str, Any] = {"check": True, "capture_output": True, "cwd": "/", "timeout": 120}
        if os.getuid() == 0:  # initdb refuses to be run by root
            shutil.chown(self._folder, "postgres")
            self._options |= {"user": "postgres", "extra_groups": []}
        self._run("initdb", "-A", "trust", "-E", "UTF8", "-U", "postgres", "--no-sync")
        self.url = f"postgresql://postgres@/postgres?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-k {self._folder} -c fsync=off -c listen_addresses=''"
        self._run("pg_ctl", "-l", self._folder / "log", "-o", options, "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop it; `immediate` is as if it had crashed."""
        self._run("pg_ctl", "-m", how, "-w", "stop")

    def remove(self) -> None:
        """Stop it where it runs, and forget it."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: Any) -> None:
        subprocess.run([self._programs / program, "-D", self._folder / "data", *arguments], **self._options)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of the PostgreSQL server to test with, as `EVALKIT_TEST_PG_URL` says.

    It is a URL such as `postgresql://user@host/postgres`, or `local`: then one is started, from the programs that this
    machine has, and stopped at the end.
    """
    if not SERVER:
        pytest.skip("EVALKIT_TEST_PG_URL names no PostgreSQL server")
    if SERVER != "local":
        yield SERVER
        return
    server = PostgresServer()
    try:
        server.start()
        yield server.url
    finally:
        server.remove()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that runs for this test only, which may stop and start it."""
    if not SERVER:
        pytest.skip("EVALKIT_TEST_PG_URL asks for no PostgreSQL server")
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def empty_database(server_url: str) -> Iterator[str]:
    """The address of a new database on the server."""
    import sqlalchemy as sa

    server = sa.create_engine(
        sa.make_url(server_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    name = f"evalkit_{new_id().replace('-', '')}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield server.url.set(database=name).render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


def _load_all() -> None:
    """Import every module of evalkit that is loaded on first use.

    pytester forgets what an inner session was the first to import; a module that comes back is another one, with
    another idea of which trial is running.
    """
    for module in pkgutil.walk_packages(evalkit.__path__, "evalkit."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


_load_all()
