"""Which runs may go: those that no rule keeps and nothing rests on. Looks, and changes nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence

from evalkit.errors import ConfigError
from evalkit.store.cells import text_of, time_of
from evalkit.store.database import Database, Session

STILL = dt.timedelta(hours=1)
"""A run that has not ended, and gave a sign of life in this time, is left alone, and so is what it may yet use."""

_CALIBRATED = "a judge was calibrated on it"
_LABELLED = "people labelled its outputs"
_PROMOTED = "a promotion rests on it"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXTS = {
    "trials": ("output", "traceback", "metadata", "error_message"),
    "scores": ("explanation", "traceback", "metadata", "error_message"),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is kept: runs younger than `age`, and the last `last` of each suite; `None` is no rule.

    Raises `ConfigError` where there is neither, as nothing would be left.
    """

    age: dt.timedelta | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        if self.age is None and self.last is None:
            raise ConfigError("Nothing says what to keep.", hint="Give --keep 90d, --keep-last 20, or both.")
        if (self.age is not None and self.age < dt.timedelta()) or (self.last is not None and self.last < 0):
            raise ConfigError("Less than nothing cannot be kept.", hint="Give --keep 90d, --keep-last 20, or both.")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """A run that would go. `size` is about how many bytes its trials, scores and spans take, without shared values."""

    run_id: str
    started_at: dt.datetime
    suites: tuple[str, ...]
    why: str
    trials: int
    scores: int
    spans: int
    size: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """A run that no rule keeps, and that stays because something rests on it: `why`."""

    run_id: str
    started_at: dt.datetime
    why: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done, the oldest run first. `runs` are all that there are, `going_on` those that have not ended.

    `before` is the time from which on everything is young enough; `None` without such a rule.
    """

    runs: int
    doomed: tuple[Doomed, ...]
    spared: tuple[Spared, ...]
    going_on: tuple[str, ...]
    before: dt.datetime | None


def last_gates(database: Database) -> list[str]:
    """The gates of each suite as it was run last."""
    with database.reading() as session:
        found = session.execute(
            "SELECT s.name, s.gates FROM suites AS s JOIN runs AS r ON r.id = s.run_id ORDER BY r.started_at, r.id"
        )
    newest: dict[str, str] = dict(found)
    return sorted({text_of(gate) for gates in newest.values() for gate in json.loads(gates)})


def plan(database: Database, rule: Rule, *, now: dt.datetime, named: Mapping[str, str] | None = None) -> Plan:
    """What `rule` would have go. `named` are runs that stay for reasons known elsewhere: why, by the run's id."""
    with database.reading() as session:
        runs = session.execute("SELECT id, status, started_at, heartbeat_at FROM runs ORDER BY started_at, id")
        suites: dict[str, list[str]] = {}
        for run_id, name in session.execute("SELECT run_id, name FROM suites ORDER BY id"):
            suites.setdefault(run_id, []).append(text_of(name))
        going_on = tuple(
            run_id for run_id, status, _, beat in runs if status == "running" and now - time_of(beat) < STILL
        )
        resting = _resting(session, runs, suites) | dict(named or {})
        resting |= dict.fromkeys(going_on, "it is going on")
        young = _young(runs, suites, rule, now)
        doomed: list[Doomed] = []
        spared: list[Spared] = []
        for run_id, _, started_at, _ in runs:
            if run_id in young:
                continue
            at = time_of(started_at)
            if run_id in resting:
                spared.append(Spared(run_id=run_id, started_at=at, why=resting[run_id]))
            else:
                doomed.append(_doomed(session, run_id, at, suites.get(run_id, ()), _why(rule)))
    return Plan(
        runs=len(runs),
        doomed=tuple(doomed),
        spared=tuple(spared),
        going_on=going_on,
        before=None if rule.age is None else now - rule.age,
    )


def resting_on(session: Session, run_id: str) -> str | None:
    """Why the run has to stay, by what the store itself knows; `None` where nothing rests on it.

    As `plan` has it, asked of one run: it is asked once for each that goes, and there may be thousands of others.
    """
    for table, why in (("promotion_runs", _PROMOTED), ("annotations", _LABELLED)):
        if session.execute(f"SELECT 1 FROM {table} WHERE run_id = ? LIMIT 1", [run_id]):  # noqa: S608 - our own names
            return why
    name = f"%{run_id}%"
    if session.execute("SELECT 1 FROM calibrations WHERE source LIKE ? OR body LIKE ? LIMIT 1", [name, name]):
        return _CALIBRATED
    for (suite,) in session.execute("SELECT name FROM suites WHERE run_id = ? ORDER BY id DESC", [run_id]):
        last = session.execute(
            "SELECT r.id FROM runs AS r JOIN suites AS s ON s.run_id = r.id WHERE s.name = ? AND r.status = 'complete'"
            " ORDER BY r.started_at DESC, r.id DESC LIMIT 1",
            [suite],
        )
        if last and last[0][0] == run_id:
            return _last(text_of(suite))
    return None


def _resting(session: Session, runs: Sequence[Sequence[str]], suites: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Why runs stay, the strongest reason last."""
    found: dict[str, str] = {}
    last = {name: run_id for run_id, status, _, _ in runs if status == "complete" for name in suites.get(run_id, ())}
    for name, run_id in last.items():
        found[run_id] = _last(name)
    for source, body in session.execute("SELECT source, body FROM calibrations"):
        for run_id in _ID.findall(f"{source} {body}"):
            found[run_id] = _CALIBRATED
    for (run_id,) in session.execute("SELECT DISTINCT run_id FROM annotations"):
        found[run_id] = _LABELLED
    for (run_id,) in session.execute("SELECT DISTINCT run_id FROM promotion_runs"):
        found[run_id] = _PROMOTED
    return found


def _last(suite: str) -> str:
    return f"it is the last complete run of {suite}"


def _young(
    runs: Sequence[Sequence[str]], suites: Mapping[str, Sequence[str]], rule: Rule, now: dt.datetime
) -> set[str]:
    kept: set[str] = set()
    seen: dict[str, int] = {}
    for run_id, _, started_at, _ in reversed(runs):
        if rule.age is not None and now - time_of(started_at) <= rule.age:
            kept.add(run_id)
        for name in suites.get(run_id, ("",)):
            seen[name] = seen.get(name, 0) + 1
            if rule.last is not None and seen[name] <= rule.last:
                kept.add(run_id)
    return kept


def _why(rule: Rule) -> str:
    said: list[str] = []
    if rule.age is not None:
        said.append(f"older than {_age(rule.age)}")
    if rule.last is not None:
        said.append(f"not among the last {rule.last} of its suites")
    return " and ".join(said)


def _age(age: dt.timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"


def _doomed(session: Session, run_id: str, at: dt.datetime, suites: Sequence[str], why: str) -> Doomed:
    counts, size = {"trials": 0, "scores": 0, "spans": 0}, 0
    for (suite_id,) in session.execute("SELECT id FROM suites WHERE run_id = ?", [run_id]):
        for table, columns in _TEXTS.items():
            lengths = " + ".join(f"COALESCE(LENGTH({column}), 0)" for column in columns)
            ((rows, texts),) = session.execute(
                f"SELECT COUNT(*), SUM({lengths}) FROM {table} WHERE suite_id = ?",  # noqa: S608 - our own names
                [suite_id],
            )
            counts[table] += rows
            size += int(texts or 0) + 150 * rows  # ids, times and figures are short, and many
        ((spans, texts),) = session.execute(
            "SELECT COUNT(*), SUM(COALESCE(LENGTH(s.attributes), 0) + COALESCE(LENGTH(s.raw), 0)"
            " + COALESCE(LENGTH(s.events), 0)) FROM traces AS t JOIN spans AS s ON s.trace_id = t.trace_id"
            " WHERE t.suite_id = ?",
            [suite_id],
        )
        counts["spans"] += spans
        size += int(texts or 0) + 200 * spans
    return Doomed(run_id=run_id, started_at=at, suites=tuple(suites), why=why, size=size, **counts)
