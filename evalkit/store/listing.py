"""The runs of a store, newest first, each in one line's worth of facts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.runs import Decision, RunStatus
from evalkit.store.cells import flag_of, maybe_text_of, text_of, time_of
from evalkit.store.counts import OUTCOMES, count_outcomes
from evalkit.store.database import Database, Session
from evalkit.store.filters import RunFilter
from evalkit.store.liveness import shown_status

_SHORTEST = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in brief.

    `short` is the shortest prefix of the id, of 8 characters or more, that names this run alone. `counts` has the
    trials per outcome (`passed`, `missed`, `errored`, `unscored`), `planned` how many were to run. `decision` is
    `None` without gates or before the end. `partial` runs are no baseline and no evidence.
    """

    id: str
    short: str
    status: RunStatus
    started_at: dt.datetime
    finished_at: dt.datetime | None
    suites: tuple[str, ...]
    decision: Decision | None
    counts: Mapping[str, int]
    planned: int
    commit: str | None
    branch: str | None
    dirty: bool | None
    partial: bool
    degraded: str


def list_runs(database: Database, *, wanted: RunFilter, limit: int | None) -> list[RunSummary]:
    """The runs, newest first; see `Store.runs`."""
    where, values = wanted.clauses()
    most = "" if limit is None else f" LIMIT {int(limit)}"
    with database.reading() as session:
        found = session.execute(
            "SELECT r.id, r.status, r.heartbeat_at, r.started_at, r.finished_at, r.decision,"  # noqa: S608 - our own clauses
            " r.git_commit, r.git_branch, r.git_dirty, r.degraded FROM runs AS r"
            f" WHERE {where} ORDER BY r.started_at DESC, r.id DESC{most}",
            values,
        )
        if not found:
            return []
        shorts = shortest([run_id for (run_id,) in session.execute("SELECT id FROM runs ORDER BY id")])
        return [_summary(session, row, shorts[row[0]]) for row in found]


def _summary(session: Session, row: Sequence[Any], short: str) -> RunSummary:
    run_id, status, heartbeat, started_at, finished_at, decision, commit, branch, dirty, degraded = row
    status = shown_status(status, heartbeat)
    suites = session.execute(
        "SELECT id, name, declared, planned, selection, passed, missed, errored, unscored FROM suites"
        " WHERE run_id = ? ORDER BY id",
        [run_id],
    )
    counts = dict.fromkeys(OUTCOMES, 0)
    open_suites = [suite[0] for suite in suites if suite[5] is None or status == "running"]
    counted = count_outcomes(session, open_suites)
    for suite in suites:
        of_suite = counted.get(suite[0]) or dict(zip(OUTCOMES, suite[5:], strict=True))
        for outcome, count in of_suite.items():
            counts[outcome] += count
    return RunSummary(
        id=run_id,
        short=short,
        status=status,
        started_at=time_of(started_at),
        finished_at=None if finished_at is None else time_of(finished_at),
        suites=tuple(text_of(suite[1]) for suite in suites),
        decision=decision,
        counts=counts,
        planned=sum(suite[3] for suite in suites),
        commit=maybe_text_of(commit),
        branch=maybe_text_of(branch),
        dirty=flag_of(dirty),
        partial=status != "complete" or any(suite[2] != suite[3] or suite[4] is not None for suite in suites),
        degraded=text_of(degraded),
    )


def shortest(ids: Sequence[str]) -> dict[str, str]:
    """For each of `ids`, sorted, the shortest prefix that none of the others has."""
    shared = [_common(first, second) for first, second in itertools.pairwise(ids)]
    around = zip([0, *shared], [*shared, 0], strict=True)
    lengths = [max(before, after) + 1 for before, after in around]
    return {run_id: run_id[: max(_SHORTEST, length)].rstrip("-") for run_id, length in zip(ids, lengths, strict=True)}


def _common(first: str, second: str) -> int:
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length
