"""Writes runs: every call is one transaction, committed when it returns.

There is one writer to a run. Keys are natural (run, suite, case, trial, attempt), so that sending the same thing
twice, after an answer that got lost, changes nothing: every method is done `again` where the connection broke.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from evalkit.canonical import utc_now
from evalkit.case import Case, Dataset
from evalkit.errors import NotFound, StoreError
from evalkit.runs import Metric, Provenance, RunStatus, SuiteInfo, Verdict, worst
from evalkit.store import rows
from evalkit.store.blobs import BlobWriter
from evalkit.store.cells import maybe_json, maybe_text, text_cell, time_cell
from evalkit.store.counts import count_outcomes
from evalkit.store.database import Database, Duplicate, Session, again
from evalkit.trial import Trial
from evalkit.versions import Version

if TYPE_CHECKING:
    from evalkit.store.versions import Use

HEARTBEAT_EVERY = 5.0
"""Seconds after which a written batch also says that the run is alive."""

_CASES_AT_ONCE = 1000
_CASES_ASKED = 400
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Writer:
    """The writing half of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._blobs = BlobWriter()
        self._suites: dict[tuple[str, str], int] = {}
        self._beats: dict[str, float] = {}
        self._loaded: set[tuple[int, str, str, str]] = set()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._lock:
            try:
                with self._database.writing() as session:
                    yield session
            except BaseException:
                self._blobs.forget()
                self._loaded.clear()
                raise

    @again
    def start_run(self, run_id: str, *, started_at: dt.datetime, provenance: Provenance, seed: int) -> None:
        """Record that a run began; one that is there already is taken up again and is `running`."""
        row = rows.run_row(run_id, started_at, utc_now(), provenance, seed)
        with self._writing() as session:
            session.executemany(rows.INSERT_RUN, [row])
        self._beats[run_id] = time.monotonic()

    @again
    def add_suite(self, run_id: str, info: SuiteInfo, dataset: Dataset, cases: Sequence[Case]) -> None:
        """Record a suite of a run and the cases selected; the dataset is written if this version is not there.

        A suite that is there already is left as it is; raises `StoreError` if it ran on another dataset.
        """
        suite_row = rows.suite_row(run_id, info, dataset, cases)
        declared = self._use(run_id, "declared", info.versions)
        with self._writing() as session:
            if not session.execute("SELECT 1 FROM datasets WHERE digest = ?", [dataset.digest]):
                self._add_dataset(session, dataset)
            self._blobs.save(session)
            session.executemany(rows.INSERT_SUITE, [suite_row])
            found = session.execute(
                "SELECT id, dataset FROM suites WHERE run_id = ? AND name = ?", [run_id, text_cell(info.name)]
            )
            suite_id, digest = found[0]
            if declared is not None and digest == dataset.digest:
                declared.write(session, suite_id)
        if digest != dataset.digest:
            raise StoreError(
                f'The suite "{info.name}" of the run {run_id} was recorded on another version of its dataset.',
                where=self._database.url,
                why=f"It has {digest[:12]}, this is {dataset.digest[:12]}; results on both would be mixed.",
                hint="Start a new run.",
            )
        self._suites[run_id, info.name] = suite_id

    def _add_dataset(self, session: Session, dataset: Dataset) -> None:
        session.executemany(rows.INSERT_DATASET, [rows.dataset_row(dataset, utc_now())])
        for start in range(0, len(dataset.cases), _CASES_AT_ONCE):
            part = dataset.cases[start : start + _CASES_AT_ONCE]
            made = [
                rows.case_row(dataset.digest, position, case, self._blobs) for position, case in enumerate(part, start)
            ]
            self._blobs.save(session)
            session.executemany(rows.INSERT_CASE, made)

    @again
    def settle_suite(self, run_id: str, info: SuiteInfo) -> None:
        """Record the selection and the metadata of a suite as they are at its end; nothing else of it changes."""
        with self._writing() as session:
            session.execute(
                "UPDATE suites SET selection = ?, metadata = ? WHERE run_id = ? AND name = ?",
                [maybe_text(info.selection), maybe_json(info.metadata), run_id, text_cell(info.name)],
            )

    @again
    def add_trials(self, run_id: str, suite: str, trials: Sequence[Trial]) -> None:
        """Append finished trials with their scores; one that is there already is left as it is."""
        if not trials:
            return
        with self._lock:
            suite_id = self._suites.get((run_id, suite)) or self._find_suite(run_id, suite)
            try:
                self._append(run_id, suite_id, trials)
            except Duplicate:
                self._append_missing(run_id, suite_id, trials)

    def _append(self, run_id: str, suite_id: int, trials: Sequence[Trial]) -> None:
        blobs = self._blobs
        trial_rows = [rows.trial_row(suite_id, trial, blobs) for trial in trials]
        score_rows = [row for trial in trials for row in rows.score_rows(suite_id, trial, blobs)]
        more = self._more(run_id, suite_id, trials)
        now = time.monotonic()
        late = now - self._beats.get(run_id, 0.0) > HEARTBEAT_EVERY
        with self._writing() as session:
            blobs.save(session)
            session.executemany(rows.INSERT_TRIAL, trial_rows)
            session.executemany(rows.INSERT_SCORE, score_rows)
            for write in more:
                write(session)
            if late:
                self._beat(session, run_id)
        if late:
            self._beats[run_id] = now

    def _use(self, run_id: str, how: str, versions: Sequence[Version]) -> Use | None:
        if not versions:
            return None
        from evalkit.store.versions import Use

        return Use(run_id, how, versions, self._blobs)

    def _more(self, run_id: str, suite_id: int, trials: Sequence[Trial]) -> list[Callable[[Session], None]]:
        """What goes with the trials into the same transaction: the versions they loaded, and their traces."""
        more: list[Callable[[Session], None]] = []
        loaded = {(suite_id, version.kind, version.name, version.digest): version
                  for trial in trials for version in trial.versions}  # fmt: skip
        use = self._use(run_id, "loaded", [version for key, version in loaded.items() if key not in self._loaded])
        if use is not None:
            self._loaded.update(loaded)  # forgotten again if the transaction fails
            more.append(lambda session: use.write(session, suite_id))
        if any(trial.trace is not None for trial in trials):
            from evalkit.store.traces import TraceRows

            more.append(TraceRows(suite_id, trials, self._blobs).write)
        return more

    def _append_missing(self, run_id: str, suite_id: int, trials: Sequence[Trial]) -> None:
        # A trial and its scores were committed together, so where the trial is there, so are its scores.
        with self._writing() as session:
            there = _there(session, suite_id, trials)
            for trial in trials:
                row = rows.trial_row(suite_id, trial, self._blobs)
                if row[1:4] in there:
                    continue
                there.add(row[1:4])
                scores = rows.score_rows(suite_id, trial, self._blobs)
                more = self._more(run_id, suite_id, [trial])
                self._blobs.save(session)
                session.executemany(rows.INSERT_TRIAL + rows.KEEP, [row])
                session.executemany(rows.INSERT_SCORE + rows.KEEP, scores)
                for write in more:
                    write(session)

    @again
    def register(self, version: Version, *, author: str | None, commit: str | None) -> Version:
        """Keep a version of a prompt or model; see `Store.register`."""
        from evalkit.store.versions import Registration

        made = Registration(version, self._blobs, author=author, commit=commit)
        with self._writing() as session:
            self._blobs.save(session)
            return made.write(session)

    @again
    def heartbeat(self, run_id: str) -> None:
        """Say that the run is alive; without it for a minute, a run that did not finish is shown as interrupted."""
        with self._writing() as session:
            self._beat(session, run_id)
        self._beats[run_id] = time.monotonic()

    def _beat(self, session: Session, run_id: str) -> None:
        session.execute("UPDATE runs SET heartbeat_at = ? WHERE id = ?", [time_cell(utc_now()), run_id])

    @again
    def finish_run(
        self,
        run_id: str,
        *,
        status: RunStatus,
        finished_at: dt.datetime,
        metrics: Sequence[Metric],
        verdicts: Sequence[Verdict],
        degraded: str = "",
        prices: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Record how a run ended, with what was computed and decided; replaces what an earlier end recorded."""
        ending = [
            status, worst(verdicts), time_cell(finished_at), time_cell(utc_now()), text_cell(degraded),
            maybe_json(dict(prices)), run_id,
        ]  # fmt: skip
        with self._writing() as session:
            session.execute(
                "UPDATE runs SET status = ?, decision = ?, finished_at = ?, heartbeat_at = ?, degraded = ?,"
                " prices = ? WHERE id = ?",
                ending,
            )
            if not session.execute("SELECT 1 FROM runs WHERE id = ?", [run_id]):
                raise NotFound(f"The store has no run {run_id} to finish.", where=self._database.url)
            session.execute("DELETE FROM metrics WHERE run_id = ?", [run_id])
            session.execute("DELETE FROM verdicts WHERE run_id = ?", [run_id])
            session.executemany(
                rows.INSERT_METRIC, [rows.metric_row(run_id, at, metric) for at, metric in enumerate(metrics)]
            )
            session.executemany(
                rows.INSERT_VERDICT, [rows.verdict_row(run_id, at, verdict) for at, verdict in enumerate(verdicts)]
            )
            suites = [suite_id for (suite_id,) in session.execute("SELECT id FROM suites WHERE run_id = ?", [run_id])]
            counted = count_outcomes(session, suites)
            session.executemany(
                "UPDATE suites SET passed = ?, missed = ?, errored = ?, unscored = ? WHERE id = ?",
                [(*counts.values(), suite_id) for suite_id, counts in counted.items()],
            )
        self._beats.pop(run_id, None)

    def _find_suite(self, run_id: str, suite: str) -> int:
        with self._database.reading() as session:
            found = session.execute("SELECT id FROM suites WHERE run_id = ? AND name = ?", [run_id, text_cell(suite)])
        if not found:
            raise NotFound(f'The store has no suite "{suite}" in the run {run_id}.', where=self._database.url)
        suite_id: int = found[0][0]
        self._suites[run_id, suite] = suite_id
        return suite_id


def _there(session: Session, suite_id: int, trials: Sequence[Trial]) -> set[tuple[Any, ...]]:
    """The keys of what is stored of the cases of `trials`; a suite may have many more."""
    cases = sorted({text_cell(trial.case_id) for trial in trials})
    found: set[tuple[Any, ...]] = set()
    for start in range(0, len(cases), _CASES_ASKED):
        part = cases[start : start + _CASES_ASKED]
        marks = ", ".join("?" * len(part))
        found.update(
            tuple(row)
            for row in session.execute(
                f"SELECT case_id, trial, attempt FROM trials WHERE suite_id = ? AND case_id IN ({marks})",  # noqa: S608 - only marks
                [suite_id, *part],
            )
        )
    return found
