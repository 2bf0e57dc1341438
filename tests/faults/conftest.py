"""Sessions to disturb, on either store, and the counts of what became of them.

`EVALKIT_TEST_FAULTS=long`, or `python -m tests.faults --long`, does everything many more times.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import utc_now
from evalkit.runs import Run
from evalkit.store import Store, check, ingest, liveness, open_store

LONG = os.environ.get("EVALKIT_TEST_FAULTS") == "long"
SIZE = 240
RIGHT = 180
"""The first 180 of the 240 cases are right. A run that was cut off looks better than it is: a gate would pass it."""

SUITE = f"""
import asyncio, os
import evalkit
from evalkit import Case

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

@evalkit.suite(
    dataset=[Case(id=f"c{{i}}", input=i, expected=i) for i in range({SIZE})],
    scorers=[same],
    gates=["mean(same) >= 0.9"],
    max_concurrency=8,
)
async def test_it(case):
    await asyncio.sleep(float(os.environ.get("SECONDS_A_CASE", "0.002")))
    return case.input if case.input < {RIGHT} else -1
"""
HANGS = float(os.environ.get("HANGS", "120"))
"""Seconds after which a session is killed."""
SAID = re.compile(r"test_it\[(c\d+)\] (?:PASSED|MISSED|FAILED|ERROR)")
QUIET = ("asyncio", "anyio", "xdist", "hypothesispytest", "randomly", "cacheprovider")


@dataclasses.dataclass(kw_only=True)
class Count:
    """What became of what was disturbed."""

    faults: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0


class Session:
    """pytest on the suite above, in a process and a folder of its own, that can be disturbed."""

    def __init__(self, folder: Path, url: str, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "test_inner.py").write_text(options.pop("source", SUITE))
        if (conftest := options.pop("conftest", None)) is not None:
            (folder / "conftest.py").write_text(conftest)
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "400"}
        quiet = [word for name in QUIET for word in ("-p", f"no:{name}")]
        words = [sys.executable, "-m", "pytest", "-v", *quiet, "--rootdir", str(folder), f"--evalkit-store={url}"]
        self.folder = folder
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [*options.pop("within", ()), *words, *options.pop("arguments", ())],
            cwd=folder,
            env=env | options.pop("env", {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_started(options.pop("preexec", None)),
        )
        assert not options
        self._limit = threading.Timer(
            HANGS, self._process.kill
        )  # a session that hangs is to fail the test, not stop it
        self._limit.start()

    @property
    def acknowledged(self) -> set[str]:
        """The ids of the cases that were reported: what was reported is stored."""
        return {found[1] for line in self.lines if (found := SAID.search(line))}

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def until(self, reported: int) -> None:
        """Wait until so many cases are reported, or it has ended."""
        assert self._process.stdout is not None
        while len(self.acknowledged) < reported and (line := self._process.stdout.readline()):
            self.lines.append(line)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code, when it has ended."""
        assert self._process.stdout is not None
        # A line that was cut off may be half of one that says more.
        self.lines.extend(line for line in self._process.stdout if line.endswith("\n"))
        self._process.stdout.close()
        self._limit.cancel()
        return self._process.wait()

    def close(self) -> None:
        self._limit.cancel()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _started(more: Callable[[], None] | None) -> Callable[[], None]:
    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a CI in the background passes on that it is ignored
        if more is not None:
            more()

    return prepare


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Start a session on the store at a URL; what still runs at the end is killed."""
    started: list[Session] = []

    def go(url: str, **options: Any) -> Session:
        started.append(Session(tmp_path / f"project{len(started)}", url, **options))
        return started[-1]

    yield go
    for session in started:
        session.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new store of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'evalkit.db'}"
    address: str = request.getfixturevalue("empty_database")
    return address


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Iterator[Callable[..., Count]]:
    """The counts of this test, for one kind of store; they are printed when all tests are done."""
    counts: dict[str, Count] = {}

    def of(url: str) -> Count:
        return counts.setdefault("PostgreSQL" if url.startswith("postgresql") else "SQLite", Count())

    yield of
    for kind, found in counts.items():
        request.node.user_properties.append(("faults", json.dumps([kind, dataclasses.asdict(found)])))


@pytest.fixture
def times() -> Callable[[int, int], int]:
    """`times(few, many)`: how often something is done, in the short and in the long version."""
    return lambda few, many: many if LONG else few


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run | None]:
    """What a store has of the run that a session was making, counted; `None` where it has nothing of it.

    What is looked at: the store opens and is whole; each acknowledged trial is there once, as it was; the run is
    complete with its verdict, or it is shown as interrupted and has none.
    """

    def at(url: str, session: Session, seen: set[str], count: Count, *, ended: bool = False) -> Run | None:
        count.faults += 1
        count.acknowledged += len(session.acknowledged)
        with monkeypatch.context() as later, open_store(url) as store:
            later.setattr(liveness, "utc_now", lambda: utc_now() + 3 * liveness.ALIVE_FOR)
            assert check(url).ok
            new = [run.id for run in store.runs() if run.id not in seen]
            assert len(new) <= 1, "a session makes one run"
            if not new:
                count.lost += len(session.acknowledged)
                return None
            seen.add(new[0])
            run = store.load(new[0])
            (brief,) = [run for run in store.runs() if run.id == new[0]]
        _count(run, brief, session, count)
        assert ended or run.status in ("complete", "interrupted")
        return run

    return at


def _count(run: Run, brief: Any, session: Session, count: Count) -> None:
    trials = [trial for suite in run.suites for trial in suite.trials]
    kept = Counter((trial.case_id, trial.number, trial.attempt) for trial in trials)
    count.lost += len(session.acknowledged - {case_id for case_id, _, _ in kept})
    count.doubled += sum(kept.values()) - len(kept) + max(0, sum(brief.counts.values()) - len(trials))
    for trial in trials:
        truth = int(trial.case_id[1:])
        assert trial.output.value == (truth if truth < RIGHT else -1)
        assert [score.value for score in trial.scores] == [truth < RIGHT]
    if run.status == "complete":
        count.wrong += len(kept) != SIZE or brief.decision != "fail" or not run.verdicts
    else:
        count.wrong += bool(run.verdicts) or brief.decision is not None


@pytest.fixture
def facts() -> Callable[[Run], Any]:
    """What a run says, without what differs from run to run: ids and times."""
    return _facts


def _facts(run: Run) -> Any:
    return (
        run.status,
        [(verdict.suite, verdict.gate, verdict.decision, verdict.reason) for verdict in run.verdicts],
        [
            (m.suite, m.name, m.statistic, m.value, m.low, m.high, dict(m.slice))
            for m in run.metrics
            if m.name not in ("latency", "duration")
        ],
        [
            (t.case_id, t.number, t.attempt, t.outcome, t.output.value, [(s.name, s.value, s.status) for s in t.scores])
            for suite in run.suites
            for t in suite.trials
        ],
    )


@pytest.fixture
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Any]:
    """The facts of a session that nothing happened to."""
    made: list[Any] = []

    def facts() -> Any:
        if not made:
            folder = tmp_path_factory.mktemp("undisturbed")
            # With the switch of the long version set: what it is called must be nothing that a session refuses.
            session = Session(folder, str(folder / "evalkit.db"), env={"EVALKIT_TEST_FAULTS": "long"})
            assert session.wait() == 1, session.text
            with open_store(folder / "evalkit.db") as store:
                made.append(_facts(store.load(store.resolve("last"))))
            assert len(made[0][-1]) == SIZE
        return made[0]

    return facts


def spool_of(session: Session) -> str | None:
    """The spool that a session names in its last lines."""
    found = re.search(r"evalkit ingest (\S+\.jsonl)", session.text.replace("\n", " "))
    return found and found[1]


@pytest.fixture(name="spool_of")
def _spool_of() -> Callable[[Session], str | None]:
    return spool_of


@pytest.fixture
def put_back() -> Callable[[Store, Session], bool]:
    """Take in the spool that a session names in its last lines; whether it names one."""

    def take(store: Store, session: Session) -> bool:
        spool = spool_of(session)
        if spool is None:
            return False
        for _ in range(2):  # the second time changes nothing
            ingest(store, spool)
        return True

    return take


def wait_for(done: Callable[[], Any], session: Session) -> None:
    """Wait until `done()` is true."""
    for _ in range(2400):
        if done():
            return
        if session.ended:
            break
        time.sleep(0.05)
    raise AssertionError(f"it never came to that: {session.text}")


@pytest.fixture(name="wait_for")
def _wait_for() -> Callable[..., None]:
    return wait_for
