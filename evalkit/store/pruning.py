"""Takes out what a plan says, and then what nothing refers to any more.

Each run is one transaction, which looks again whether something rests on it and leaves an entry in the audit log. Large
values, versions of datasets and recorded answers are shared by runs, so they are swept in the end, in one transaction
of their own, and only while no run is going on that may be about to refer to them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator

from evalkit.canonical import utc_now
from evalkit.errors import StoreError
from evalkit.promotion.records import Actor, Event
from evalkit.store.blobs import unpacked
from evalkit.store.cells import time_cell, time_of
from evalkit.store.database import Database, Session, again
from evalkit.store.ledger import StoreLedger
from evalkit.store.retention import STILL, Doomed, Plan, resting_on
from evalkit.store.schema import metadata

_REFERENCE = re.compile(r'"\$blob":"([0-9a-f]{64})"')
_PIECES = ("attributes", "raw")
_AT_ONCE = 500


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was taken out. `left` are runs of the plan that stayed, since something rests on them by now: why, by id.

    `swept` says whether shared values were looked at; they are not while a run goes on. `stored` is how many bytes
    the values that went took.
    """

    runs: int
    trials: int
    scores: int
    spans: int
    left: tuple[tuple[str, str], ...]
    swept: bool
    blobs: int
    stored: int
    datasets: int
    exchanges: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What was referred to by nothing, and was taken out."""

    blobs: int = 0
    stored: int = 0
    datasets: int = 0
    exchanges: int = 0


def prune(database: Database, plan: Plan, *, actor: Actor, say: Callable[[Doomed], None] | None = None) -> Pruned:
    """Carry out `plan`; `say` is told of each run that is gone. Done a second time it finds nothing more to do.

    Raises `StoreReadOnly` where the user of the store may not delete.
    """
    gone: list[Doomed] = []
    left: list[tuple[str, str]] = []
    for doomed in plan.doomed:
        why = _take_out(database, doomed, actor)
        if why is not None:
            left.append((doomed.run_id, why))
            continue
        gone.append(doomed)
        if say is not None:
            say(doomed)
    swept = sweep(database, before=plan.before)
    found = swept or Swept()
    return Pruned(
        runs=len(gone),
        trials=sum(doomed.trials for doomed in gone),
        scores=sum(doomed.scores for doomed in gone),
        spans=sum(doomed.spans for doomed in gone),
        left=tuple(left),
        swept=swept is not None,
        blobs=found.blobs,
        stored=found.stored,
        datasets=found.datasets,
        exchanges=found.exchanges,
    )


@again
def _take_out(database: Database, doomed: Doomed, actor: Actor) -> str | None:
    """Delete a run; why it was not, where something rests on it by now."""
    run_id = doomed.run_id
    with database.lasting() as session:
        found = session.execute("SELECT status, heartbeat_at FROM runs WHERE id = ?", [run_id])
        if not found:
            return None  # by another, or by us before the connection broke
        status, beat = found[0]
        if status == "running" and utc_now() - time_of(beat) < STILL:
            return "it is going on"
        why = resting_on(session, run_id)
        if why is not None:
            return why
        for (suite_id,) in session.execute("SELECT id FROM suites WHERE run_id = ?", [run_id]):
            session.execute(
                "DELETE FROM spans WHERE trace_id IN (SELECT trace_id FROM traces WHERE suite_id = ?)", [suite_id]
            )
            for table in ("traces", "scores", "trials", "suite_versions"):
                session.execute(f"DELETE FROM {table} WHERE suite_id = ?", [suite_id])  # noqa: S608 - our own names
        for table in ("metrics", "verdicts", "suites"):
            session.execute(f"DELETE FROM {table} WHERE run_id = ?", [run_id])  # noqa: S608 - our own names
        session.execute("DELETE FROM runs WHERE id = ?", [run_id])
        ledger = StoreLedger(session)
        facts = {
            "run": run_id,
            "started_at": time_cell(doomed.started_at),
            "suites": list(doomed.suites),
            "trials": doomed.trials,
            "why": doomed.why,
        }
        ledger.append(Event(action="run.deleted", actor=actor, at=ledger.now(), subject=f"run/{run_id}", facts=facts))
        ledger.finish()
    return None


def sweep(database: Database, *, before: dt.datetime | None) -> Swept | None:
    """Take out values, datasets and recorded answers that nothing refers to; `None`, and nothing, while a run goes on.

    A recorded answer goes where it is older than `before` and its suite has no run left; without `before` all stay.
    """
    with database.sweeping() as session:
        beats = session.execute("SELECT heartbeat_at FROM runs WHERE status = 'running'")
        if any(utc_now() - time_of(beat) < STILL for (beat,) in beats):
            return None
        unused = [
            digest
            for (digest,) in session.execute(
                "SELECT digest FROM datasets WHERE NOT EXISTS (SELECT 1 FROM suites WHERE dataset = datasets.digest)"
            )
        ]
        for digest in unused:
            session.execute("DELETE FROM cases WHERE dataset = ?", [digest])
            session.execute("DELETE FROM datasets WHERE digest = ?", [digest])
        answers = 0
        if before is not None:
            old = session.execute(
                "SELECT key FROM exchanges WHERE recorded_at < ? AND suite <> ''"
                " AND NOT EXISTS (SELECT 1 FROM suites WHERE name = exchanges.suite)",
                [time_cell(before)],
            )
            session.executemany("DELETE FROM exchanges WHERE key = ?", old)
            answers = len(old)
        orphans, stored = _orphans(session)
        if orphans:
            session.remove_blobs(orphans)
            _require_all(session)
    return Swept(blobs=len(orphans), stored=stored, datasets=len(unused), exchanges=answers)


def columns_of_blobs() -> list[tuple[str, str]]:
    """Every column that has the digest of a blob, with its table."""
    return [
        (table.name, key.parent.name)
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "blobs"
    ]


def _orphans(session: Session) -> tuple[list[str], int]:
    """The digests of the blobs that nothing refers to, and how many bytes they take."""
    sizes = {
        bytes.fromhex(digest): int(size)
        for digest, size in session.stream("SELECT digest, LENGTH(data) FROM blobs", at_once=_AT_ONCE)
    }
    for table, column in columns_of_blobs():
        found = session.stream(
            f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL",  # noqa: S608 - our own names
            at_once=_AT_ONCE,
        )
        for (digest,) in found:
            sizes.pop(bytes.fromhex(digest), None)
    if sizes:
        for text in _pieces(session):
            for digest in _REFERENCE.findall(text):
                sizes.pop(bytes.fromhex(digest), None)
    return sorted(digest.hex() for digest in sizes), sum(sizes.values())


def _pieces(session: Session) -> Iterator[str]:
    """The texts of spans that name blobs in their midst."""
    for column in _PIECES:
        for (text,) in session.stream(
            f"SELECT {column} FROM spans WHERE {column} LIKE ?",  # noqa: S608 - our own names
            ["%$blob%"],
            at_once=_AT_ONCE,
        ):
            yield text
        for encoding, data in session.stream(
            f"SELECT encoding, data FROM blobs WHERE digest IN (SELECT {column}_blob FROM spans)",  # noqa: S608
            at_once=10,
        ):
            yield unpacked(encoding, data)


def _require_all(session: Session) -> None:
    for table, column in columns_of_blobs():
        if session.execute(
            f"SELECT 1 FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - our own names
            f" AND NOT EXISTS (SELECT 1 FROM blobs WHERE digest = {table}.{column}) LIMIT 1"
        ):
            raise StoreError(
                f"A value that {table}.{column} refers to would be gone.",
                why="It was taken back: nothing was swept.",
                hint="Please report this.",
            )
