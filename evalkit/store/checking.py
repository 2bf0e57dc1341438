"""Looks a store over without changing anything in it."""

from __future__ import annotations

import dataclasses
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

from evalkit.errors import StoreCorrupt
from evalkit.store import revisions
from evalkit.store.address import parse
from evalkit.store.auditing import verified
from evalkit.store.blobs import unpacked
from evalkit.store.database import Database, Session
from evalkit.store.guards import missing
from evalkit.store.opening import check_revision, open_database, prepare_path
from evalkit.store.sqlite import SqliteDatabase

TABLES = (
    "runs", "suites", "datasets", "cases", "trials", "scores", "metrics", "verdicts", "traces", "spans",
    "versions", "aliases", "suite_versions", "exchanges", "annotations", "calibrations", "blobs",
    "policies", "promotions", "promotion_runs", "approvals", "freezes", "audit", "ledger", "outbox", "tokens",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a look at a store found: its schema, the rows of each table, and what is wrong with it, if anything.

    `size` is in bytes, `None` on a server. `needs_upgrade` is no problem: opening a file for writing does it.
    """

    url: str
    schema: str
    needs_upgrade: bool
    counts: Mapping[str, int]
    problems: tuple[str, ...]
    size: int | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(url: str | Path) -> Check:
    """Look over the store at `url`: integrity, references, the digest of every blob, rows per table.

    Raises `NotFound` where there is none, `StoreCorrupt` for a file that is no database, and `StoreTooNew`.
    """
    address = parse(url)
    path = address.path
    database: Database | None = None
    try:
        if path is None:
            database = open_database(address, create=False, read_only=True)
        else:
            prepare_path(path, create=False)
            database = SqliteDatabase(path, read_only=True)
        schema = check_revision(database, where=address.shown)
        problems: list[str] = []
        there = database.tables() if isinstance(database, SqliteDatabase) else TABLES  # an older file has fewer
        with database.reading() as session:
            if path is not None:
                problems.extend(_sqlite_problems(session))
            problems.extend(_blob_problems(session))
            if schema == revisions.HEAD:
                problems.extend(_audit_problems(session, on_sqlite=path is not None))
            counts = {
                table: session.execute(f"SELECT COUNT(*) FROM {table}")[0][0]  # noqa: S608 - our own names
                for table in TABLES
                if table in there
            }
    except StoreCorrupt as error:
        if error.what == "The file is not a database.":
            raise
        return Check(
            url=address.shown,
            schema="unknown",
            needs_upgrade=False,
            counts={},
            problems=(str(error),),
            size=None if path is None else path.stat().st_size,
        )
    finally:
        if database is not None:
            database.close()
    return Check(
        url=address.shown,
        schema=schema,
        needs_upgrade=schema != revisions.HEAD,
        counts=counts,
        problems=tuple(problems),
        size=None if path is None else path.stat().st_size,
    )


def _sqlite_problems(session: Session) -> list[str]:
    said = [str(line) for (line,) in session.execute("PRAGMA integrity_check")]
    problems = [] if said == ["ok"] else said
    broken = session.execute("PRAGMA foreign_key_check")
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        problems.append(f"{len(broken)} rows refer to something that is missing, in {tables}")
    return problems


def _audit_problems(session: Session, *, on_sqlite: bool) -> list[str]:
    found = verified(session)
    problems = [] if found.ok else [f"the audit log: {found.problem}"]
    gone = missing(session, on_sqlite=on_sqlite)
    if gone:
        problems.append(f"what keeps the audit log and promotions from being changed is not there: {', '.join(gone)}")
    return problems


def _blob_problems(session: Session) -> list[str]:
    problems: list[str] = []
    for (digest,) in session.execute("SELECT digest FROM blobs ORDER BY digest"):
        encoding, data = session.execute("SELECT encoding, data FROM blobs WHERE digest = ?", [digest])[0]
        try:
            real = hashlib.sha256(unpacked(encoding, data).encode()).hexdigest()
        except (zlib.error, ValueError) as error:
            problems.append(f"the blob {digest[:12]} cannot be read: {error}")
            continue
        if real != digest:
            problems.append(f"the blob {digest[:12]} has other content than its digest says")
    return problems
