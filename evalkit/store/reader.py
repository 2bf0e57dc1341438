"""Reads a run back as the records it was written from."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit.case import Case, Dataset
from evalkit.errors import NotFound, did_you_mean
from evalkit.runs import Run, SuiteRun
from evalkit.score import Score
from evalkit.spans import Trace
from evalkit.store import records, rows
from evalkit.store.blobs import BlobReader
from evalkit.store.cells import maybe_text_of, text_cell, text_of, time_of
from evalkit.store.database import Database, Session
from evalkit.store.liveness import shown_status
from evalkit.trial import Trial
from evalkit.versions import Version

Key = tuple[str, str, str]

_PAYLOAD = ("output", "output_blob", "metadata", "metadata_blob")
_BRIEF = tuple(column for column in rows.TRIAL[1:] if column not in _PAYLOAD)
_PROVENANCE = rows.RUN[rows.RUN.index("git_commit") :]
_BLOBS_OF_A_TRIAL = slice(_BRIEF.index("traceback_blob"), None, 2)
_BLOBS_OF_A_SCORE = slice(rows.SCORE.index("traceback_blob") - 1, None, 2)
_SUITE = tuple(column for column in rows.SUITE[1:] if column != "selected")


def load(database: Database, run_id: str, *, payload: bool, traces: bool) -> Run:
    """The whole run; see `Store.load`."""
    columns = ("status", "heartbeat_at", "started_at", "finished_at", "degraded", "seed", "prices", *_PROVENANCE)
    with database.reading() as session, _no_collection():
        found = session.execute(f"SELECT {', '.join(columns)} FROM runs WHERE id = ?", [run_id])  # noqa: S608
        if not found:
            raise NotFound(f"The store has no run {run_id}.", where=database.url, hint="See: evalkit runs")
        status, heartbeat, started_at, finished_at, degraded, seed, prices, *provenance = found[0]
        return Run(
            id=run_id,
            status=shown_status(status, heartbeat),
            started_at=time_of(started_at),
            finished_at=None if finished_at is None else time_of(finished_at),
            provenance=records.provenance_of(provenance),
            suites=_suites(session, run_id, payload=payload, traced=traces),
            metrics=tuple(records.metric_of(row) for row in _ordered(session, "metrics", rows.METRIC[2:], run_id)),
            verdicts=tuple(records.verdict_of(row) for row in _ordered(session, "verdicts", rows.VERDICT[2:], run_id)),
            seed=int(seed),
            store=database.url,
            degraded=text_of(degraded),
            prices={} if prices is None else json.loads(prices),
        )


def load_dataset(database: Database, digest: str) -> Dataset:
    """A version of a dataset, whole; see `Store.dataset`."""
    with database.reading() as session:
        found = session.execute("SELECT name, source FROM datasets WHERE digest = ?", [digest])
        if not found:
            raise NotFound(f"The store has no dataset {digest[:12]}.", where=database.url)
        name, source = found[0]
        cases = tuple(_cases(session, digest).values())
    return Dataset(name=text_of(name), cases=cases, digest=digest, source=maybe_text_of(source))


def load_trial(database: Database, run_id: str, suite: str, case_id: str, number: int) -> Trial:
    """One trial, with everything; see `Store.trial`."""
    with database.reading() as session:
        found = session.execute("SELECT id FROM suites WHERE run_id = ? AND name = ?", [run_id, text_cell(suite)])
        if not found:
            known = session.execute("SELECT name FROM suites WHERE run_id = ?", [run_id])
            near = did_you_mean(suite, [text_of(name) for (name,) in known])
            raise NotFound(f'The run {run_id} has no suite "{suite}".{near}', where=database.url)
        key = [found[0][0], text_cell(case_id), number]
        which = "suite_id = ? AND case_id = ? AND trial = ?"
        _, used = _versions(session, found[0][0])
        made = _trials(session, which, key, used, payload=True, traced=True)
        if not made:
            raise NotFound(
                f'The suite "{suite}" of the run {run_id} has no trial {number} of the case "{case_id}".',
                where=database.url,
            )
        return made[0]


def _ordered(session: Session, table: str, columns: Sequence[str], run_id: str) -> Sequence[Any]:
    return session.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE run_id = ? ORDER BY position",  # noqa: S608 - our names
        [run_id],
    )


def _suites(session: Session, run_id: str, *, payload: bool, traced: bool) -> tuple[SuiteRun, ...]:
    columns = ", ".join(f"s.{column}" for column in _SUITE)
    found = session.execute(
        f"SELECT s.id, d.size, s.selected, {columns} FROM suites AS s"  # noqa: S608 - our own names
        " JOIN datasets AS d ON d.digest = s.dataset WHERE s.run_id = ? ORDER BY s.id",
        [run_id],
    )
    made: list[SuiteRun] = []
    for suite_id, size, selected, *cells in found:
        declared, used = _versions(session, suite_id)
        info = records.suite_info_of(cells, size, declared)
        cases = _cases(session, info.dataset.digest)
        trials = _trials(session, "suite_id = ?", [suite_id], used, payload=payload, traced=traced)
        places = {case_id: place for place, case_id in enumerate(cases)}
        trials.sort(key=lambda trial: (places.get(trial.case_id, size), trial.case_id, trial.number))
        chosen = cases.values() if selected is None else [cases[case_id] for case_id in json.loads(selected)]
        made.append(SuiteRun(info=info, cases=tuple(chosen), trials=tuple(trials)))
    return tuple(made)


def _cases(session: Session, digest: str) -> dict[str, Case]:
    found = session.execute(
        f"SELECT {', '.join(rows.CASE[2:])} FROM cases WHERE dataset = ? ORDER BY position",  # noqa: S608
        [digest],
    )
    blobs = BlobReader(session)
    blobs.fetch(digest for row in found for digest in (row[4], row[6], row[8]))
    cases = [records.case_of(row, blobs) for row in found]
    return {case.id: case for case in cases}


def _versions(session: Session, suite_id: int) -> tuple[tuple[Version, ...], Mapping[Key, Version]]:
    if not session.execute("SELECT 1 FROM suite_versions WHERE suite_id = ? LIMIT 1", [suite_id]):
        return (), {}
    from evalkit.store.versions import versions_of_suite

    return versions_of_suite(session, suite_id)


def _traces(session: Session, which: str, key: Sequence[Any]) -> Mapping[tuple[str, int, int], Trace]:
    if not session.execute(f"SELECT 1 FROM traces WHERE {which} LIMIT 1", key):  # noqa: S608 - our own clauses
        return {}
    from evalkit.store.traces import traces_where

    return traces_where(session, which, key)


def _trials(
    session: Session, which: str, key: Sequence[Any], versions: Mapping[Key, Version], *, payload: bool, traced: bool
) -> list[Trial]:
    columns = _BRIEF + (_PAYLOAD if payload else ())
    found = session.execute(f"SELECT {', '.join(columns)} FROM trials WHERE {which}", key)  # noqa: S608 - our names
    score_rows = session.execute(
        f"SELECT {', '.join(rows.SCORE[1:])} FROM scores WHERE {which}"  # noqa: S608 - our own names
        " ORDER BY case_id, trial, attempt, position",
        key,
    )
    blobs = BlobReader(session)
    blobs.fetch(digest for row in found for digest in row[_BLOBS_OF_A_TRIAL])
    blobs.fetch(digest for row in score_rows for digest in row[_BLOBS_OF_A_SCORE])
    # Only the last attempt of a trial is its result; the earlier ones were lost to faults of the machinery.
    latest: dict[tuple[str, int], Any] = {}
    for row in found:
        before = latest.get(row[:2])
        if before is None or row[2] > before[2]:
            latest[row[:2]] = row
    scores: dict[tuple[str, int, int], list[Score]] = {}
    alike = records.AlikeScores(blobs)
    for row in score_rows:
        scores.setdefault(row[:3], []).append(alike.score(row[4:]))
    traces = _traces(session, which, key) if traced else {}
    return [
        records.trial_of(
            row,
            tuple(scores.get(row[:3], ())),
            blobs,
            payload=payload,
            trace=traces.get(row[:3]),
            versions=versions,
        )
        for row in latest.values()
    ]


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Tens of thousands of small records are made while loading, and none is garbage: looking costs a third more."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
