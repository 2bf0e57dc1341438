"""One suite over its runs: what was measured, on which cases, by which scorers, with which prompts and models.

Only what was computed when each run ended is read: its metrics and verdicts, never its trials. However many scores a
run has, its point costs some rows.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.runs import Decision, Metric, RunStatus
from evalkit.store import records, rows
from evalkit.store.cells import flag_of, json_cell, maybe_text_of, text_cell, text_of, time_of
from evalkit.store.database import Database, Session
from evalkit.store.filters import RunFilter
from evalkit.store.listing import shortest
from evalkit.store.liveness import shown_status
from evalkit.versions import SubjectKind

_AT_ONCE = 400
"""Parameters to a statement; SQLite takes at least 999."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UsedVersion:
    """A prompt or a model that a suite used; `number` is the one people know it by, `v3`."""

    kind: SubjectKind
    name: str
    number: int
    digest: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """One run of a suite in brief.

    `dataset` is the digest of its cases, `scorers` the version of each by name. `partial` says that not all of the
    suite was run. `metrics` are those of one slice or of the whole suite, in the order of the run, `gates` each line
    with what it came to. `decision` is that of the whole run; `None` without gates or before the end.
    """

    run_id: str
    short: str
    status: RunStatus
    started_at: dt.datetime
    decision: Decision | None
    commit: str | None
    branch: str | None
    dirty: bool | None
    dataset: str
    dataset_name: str
    scorers: Mapping[str, str]
    partial: bool
    versions: tuple[UsedVersion, ...]
    metrics: tuple[Metric, ...]
    gates: tuple[tuple[str, Decision], ...]


def suite_history(
    database: Database, suite: str, *, last: int | None, chosen: Mapping[str, str], wanted: RunFilter
) -> list[HistoryPoint]:
    """See `Store.history`."""
    clauses, values = wanted.clauses()
    most = "" if last is None else f" LIMIT {int(last)}"
    with database.reading() as session:
        found = session.execute(
            "SELECT r.id, r.status, r.heartbeat_at, r.started_at, r.decision, r.git_commit, r.git_branch, r.git_dirty,"  # noqa: S608 - our own clauses
            " s.id, s.dataset, s.dataset_name, s.scorers, s.declared, s.planned, s.selection"
            " FROM suites AS s JOIN runs AS r ON r.id = s.run_id"
            f" WHERE s.name = ? AND {clauses} ORDER BY r.started_at DESC, r.id DESC{most}",
            [text_cell(suite), *values],
        )
        if not found:
            return []
        ids = [row[0] for row in found]
        shorts = shortest([run_id for (run_id,) in session.execute("SELECT id FROM runs ORDER BY id")])
        metrics = _metrics(session, ids, suite, chosen)
        gates = _gates(session, ids, suite)
        versions = _versions(session, [row[8] for row in found])
    return [
        _point(
            row,
            short=shorts[row[0]],
            metrics=metrics.get(row[0], ()),
            gates=gates.get(row[0], ()),
            versions=versions.get(row[8], ()),
        )
        for row in reversed(found)
    ]


def _point(
    row: Sequence[Any],
    *,
    short: str,
    metrics: Sequence[Metric],
    gates: Sequence[tuple[str, Decision]],
    versions: Sequence[UsedVersion],
) -> HistoryPoint:
    (
        run_id, status, heartbeat, started_at, decision, commit, branch, dirty,
        _, dataset, dataset_name, scorers, declared, planned, selection,
    ) = row  # fmt: skip
    return HistoryPoint(
        run_id=run_id,
        short=short,
        status=shown_status(status, heartbeat),
        started_at=time_of(started_at),
        decision=decision,
        commit=maybe_text_of(commit),
        branch=maybe_text_of(branch),
        dirty=flag_of(dirty),
        dataset=dataset,
        dataset_name=text_of(dataset_name),
        scorers={scorer["name"]: scorer["version"] for scorer in json.loads(scorers)},
        partial=declared != planned or selection is not None,
        versions=tuple(versions),
        metrics=tuple(metrics),
        gates=tuple(gates),
    )


def _metrics(session: Session, ids: Sequence[str], suite: str, chosen: Mapping[str, str]) -> dict[str, list[Metric]]:
    found: dict[str, list[Metric]] = {}
    for some in _portions(ids):
        for run_id, *cells in session.execute(
            f"SELECT run_id, {', '.join(rows.METRIC[2:])} FROM metrics"  # noqa: S608 - our own names
            f" WHERE run_id IN ({_marks(some)}) AND suite = ? AND slice = ? ORDER BY run_id, position",
            [*some, text_cell(suite), json_cell(dict(chosen))],
        ):
            found.setdefault(run_id, []).append(records.metric_of(cells))
    return found


def _gates(session: Session, ids: Sequence[str], suite: str) -> dict[str, list[tuple[str, Decision]]]:
    found: dict[str, list[tuple[str, Decision]]] = {}
    for some in _portions(ids):
        for run_id, gate, decision in session.execute(
            f"SELECT run_id, gate, decision FROM verdicts WHERE run_id IN ({_marks(some)}) AND suite = ?"  # noqa: S608
            " ORDER BY run_id, position",
            [*some, text_cell(suite)],
        ):
            found.setdefault(run_id, []).append((text_of(gate), decision))
    return found


def _versions(session: Session, ids: Sequence[int]) -> dict[int, list[UsedVersion]]:
    found: dict[int, list[UsedVersion]] = {}
    for some in _portions(ids):
        for suite_id, kind, name, number, digest in session.execute(
            "SELECT DISTINCT u.suite_id, v.kind, v.name, v.number, v.digest FROM suite_versions AS u"  # noqa: S608
            " JOIN versions AS v ON v.kind = u.kind AND v.name = u.name AND v.digest = u.digest"
            f" WHERE u.suite_id IN ({_marks(some)}) ORDER BY u.suite_id, v.kind DESC, v.name, v.number",
            some,
        ):
            version = UsedVersion(kind=kind, name=text_of(name), number=number, digest=digest)
            found.setdefault(suite_id, []).append(version)
    return found


def _portions(ids: Sequence[Any]) -> list[list[Any]]:
    return [list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE)]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
