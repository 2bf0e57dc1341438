"""Which runs are asked for: by suite, status, verdict, branch, commit, time, prompt and model."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from evalkit.canonical import utc_now
from evalkit.runs import Decision, RunStatus
from evalkit.store.cells import text_cell, time_cell
from evalkit.store.liveness import ALIVE_FOR
from evalkit.versions import SubjectKind


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A prompt or a model that a run used; `digest` names one version of it, `None` any."""

    kind: SubjectKind
    name: str
    digest: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """What a run has to be; each field that is given holds.

    `status` is the one that is shown, so a run that died is `interrupted`. `decision` is `none` for runs without one.
    `commit` is the beginning of one. `since` is inclusive, `until` is not. Of `used` a run has to have used every one.
    """

    suite: str | None = None
    status: RunStatus | None = None
    decision: Decision | str | None = None
    branch: str | None = None
    commit: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    used: tuple[Used, ...] = ()

    def clauses(self) -> tuple[str, list[Any]]:
        """The conditions on a row `r` of `runs` as SQL (`TRUE` where there is none), and their values."""
        made: list[str] = []
        values: list[Any] = []

        def add(clause: str, *more: Any) -> None:
            made.append(clause)
            values.extend(more)

        if self.suite is not None:
            add("r.id IN (SELECT run_id FROM suites WHERE name = ?)", text_cell(self.suite))
        if self.status is not None:
            self._status(add)
        if self.decision == "none":
            add("r.decision IS NULL")
        elif self.decision is not None:
            add("r.decision = ?", self.decision)
        if self.branch is not None:
            add("r.git_branch = ?", text_cell(self.branch))
        if self.commit is not None:
            start = text_cell(self.commit.lower())
            add("r.git_commit >= ? AND r.git_commit < ?", start, f"{start}g")  # of hex digits, the last is f
        if self.since is not None:
            add("r.started_at >= ?", time_cell(self.since))
        if self.until is not None:
            add("r.started_at < ?", time_cell(self.until))
        for one in self.used:
            version = "" if one.digest is None else " AND v.digest = ?"
            add(
                "r.id IN (SELECT s.run_id FROM suite_versions AS v JOIN suites AS s ON s.id = v.suite_id"  # noqa: S608
                f" WHERE v.kind = ? AND v.name = ?{version})",
                one.kind,
                text_cell(one.name),
                *([] if one.digest is None else [one.digest]),
            )
        return " AND ".join(made) or "1 = 1", values

    def _status(self, add: Any) -> None:
        """A run that says it is running and has been silent for too long was interrupted; see `shown_status`."""
        oldest = time_cell(utc_now() - ALIVE_FOR)
        if self.status == "running":
            add("r.status = 'running' AND r.heartbeat_at >= ?", oldest)
        elif self.status == "interrupted":
            add("(r.status = 'interrupted' OR (r.status = 'running' AND r.heartbeat_at < ?))", oldest)
        else:
            add("r.status = ?", self.status)
