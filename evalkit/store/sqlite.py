"""All that is particular to SQLite: how it is opened, how it locks, what its errors mean.

It goes through the standard library's driver, because the recorder writes here while the user's tests run, and
importing SQLAlchemy would cost such a session more than all its writing.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from evalkit.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked, StoreReadOnly, StoreTooNew
from evalkit.store.database import Duplicate, Row

_SCHEMA = Path(__file__).with_name("schema.sql")
_PAGES = ("page_size", "page_count", "freelist_count")


class _Session:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Row = ()) -> Sequence[Any]:
        return self._connection.execute(statement, values).fetchall()

    def executemany(self, statement: str, rows: Iterable[Row]) -> None:
        self._connection.executemany(statement, rows)

    def stream(self, statement: str, values: Row = (), *, at_once: int) -> Iterator[Row]:  # noqa: ARG002 - one by one
        yield from self._connection.execute(statement, values)

    def remove_blobs(self, digests: Sequence[str]) -> None:
        self.executemany("DELETE FROM blobs WHERE digest = ?", ((digest,) for digest in digests))

    def settle(self) -> None:
        pass  # SQLite looks at the highest number that there is


class SqliteDatabase:
    """A store in one file. One connection, shared by the threads of this process under a lock.

    `timeout` is how many seconds to wait for another process. `still` says that nobody writes to the file, a backup
    for instance: it is read as it lies, and nothing is put beside it. Raises the `StoreError` that says why it
    cannot be opened; a file that does not exist is created only by a writer.
    """

    def __init__(self, path: Path, *, read_only: bool = False, still: bool = False, timeout: float = 30.0) -> None:
        self.path = path
        self.url = "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")
        self._read_only = read_only or still
        self._still = still
        self._timeout = timeout
        self._lock = threading.RLock()
        self._process = os.getpid()
        with self._translated():
            self._connection = self._connect()
        self._session = _Session(self._connection)

    def _connect(self) -> sqlite3.Connection:
        if self._still:
            return self._opened("ro&immutable=1")
        connection = self._opened("ro" if self._read_only else "rwc")
        try:
            if self._read_only:
                connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            else:
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            connection.close()
            if self._read_only and self._is_whole_alone(error):
                return self._opened("ro&immutable=1")
            raise
        return connection

    def _is_whole_alone(self, error: sqlite3.Error) -> bool:
        # A WAL store wants to write its index beside itself. Where it may not, or finds no space, and no log waits to
        # be read, the file alone is the whole truth, and can be read as something that nobody changes.
        refused = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        refused = refused or _is_out_of_space(error.sqlite_errorcode)
        log = Path(f"{self.path}-wal")
        return refused and self.path.exists() and (not log.exists() or log.stat().st_size == 0)

    def _opened(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[_Session]:
        """A transaction that sees one state of the file throughout."""
        with self._transaction("BEGIN"):
            yield self._session

    @contextlib.contextmanager
    def writing(self) -> Iterator[_Session]:
        """A transaction that has the right to write from its start, so that it cannot fail half-way for a lock."""
        if self._read_only:
            raise StoreReadOnly(
                "The store was opened for reading only.",
                where=str(self.path),
                hint="Open it without read_only.",
            )
        with self._transaction("BEGIN IMMEDIATE"):
            yield self._session

    @contextlib.contextmanager
    def lasting(self) -> Iterator[_Session]:
        """The same, on the disk when it returns: a crash of the machine does not undo it."""
        with self._lock:
            with self._translated():
                self._connection.execute("PRAGMA synchronous = FULL")
            try:
                with self.writing() as session:
                    yield session
            finally:
                with self._translated():
                    self._connection.execute("PRAGMA synchronous = NORMAL")

    @contextlib.contextmanager
    def sweeping(self) -> Iterator[_Session]:
        """A writing transaction that does not look for what refers to each row that goes."""
        with self._lock:
            with self._translated():
                self._connection.execute("PRAGMA foreign_keys = OFF")
            try:
                with self.writing() as session:
                    yield session
            finally:
                with self._translated():
                    self._connection.execute("PRAGMA foreign_keys = ON")

    def compact(self, *, always: bool = False) -> int:
        """Write the file anew where a quarter of it or more is free, and nobody else has it open for writing.

        `always` does so however little is free, so that nothing of what was deleted is left in the file.
        """
        with self._lock, self._translated():
            ask = self._connection.execute
            size, pages, free = (
                ask(f"PRAGMA {what}").fetchone()[0] for what in ("page_size", "page_count", "freelist_count")
            )
            if free * 4 < pages and not always:
                return 0
            ask("VACUUM")
            ask("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return int(size * (pages - ask("PRAGMA page_count").fetchone()[0]))

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        # Before the lock, which a thread that the child does not have may have held when it was forked.
        if os.getpid() != self._process:
            raise StoreError(
                "The store was opened by the process that this one was forked from.",
                where=str(self.path),
                why="Two processes on one connection would spoil the file.",
                hint="Open it again in this process.",
            )
        with self._lock, self._translated():
            self._connection.execute(begin)
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back by itself; asking again would be an error of its own.
                if self._connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorname in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"):
                raise Duplicate(str(error)) from error
            raise failure(error, self.path, self._timeout) from error
        except sqlite3.Error as error:
            raise failure(error, self.path, self._timeout) from error

    def create(self, revision: str) -> None:
        """Make the tables, unless they are there; any number of processes may do so at once."""
        self._to_wal()
        with self.writing() as session:
            if session.execute("SELECT 1 FROM sqlite_master LIMIT 1"):
                return
            for statement in _SCHEMA.read_text(encoding="utf-8").split(";\n"):
                if statement.strip():
                    session.execute(statement)
            session.execute("INSERT INTO alembic_version (version_num) VALUES (?)", [revision])

    def _to_wal(self) -> None:
        # Changing the journal needs the file for itself, and SQLite does not wait for that as it does elsewhere.
        deadline = time.monotonic() + self._timeout
        with self._lock, self._translated():
            while True:
                try:
                    self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
                else:
                    return

    def copy_to(self, target: Path) -> None:
        """Copy the file to `target` as it is at one moment, while others may go on using it."""
        try:
            with self._lock, contextlib.closing(sqlite3.connect(target)) as copy:
                self._connection.backup(copy)
        except sqlite3.Error as error:
            found = failure(error, self.path, self._timeout)
            if isinstance(found, StoreFull):  # which nothing is that is only read
                found.where = str(target)
            raise found from error

    def tables(self) -> set[str]:
        """The names of the tables there are."""
        with self.reading() as session:
            return {name for (name,) in session.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def close(self) -> None:
        """Close the file; the last one out folds the log back into it."""
        with self._lock:
            self._connection.close()


def _is_out_of_space(extended: int) -> bool:
    """Whether that is a full disk: for the file, or for the index of its log, which a reader needs as well."""
    return extended & 0xFF == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE


def failure(error: sqlite3.Error, path: Path, timeout: float) -> StoreError:
    """What `error` means for the one who wanted the store at `path`, with what to do about it."""
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    where = str(path)
    said = f"SQLite says: {error}."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(
            f"Another process holds the store; waited {timeout:g} s.",
            where=where,
            why="Nothing of this step was written.",
            hint="Find who has it open (lsof, or a database browser with unsaved changes), then try again.",
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreCorrupt(
            "The file is not a database." if code == sqlite3.SQLITE_NOTADB else "The database is damaged.",
            where=where,
            why=said,
            hint="Restore a backup (evalkit db restore), or move the file away and a new store is made.",
        )
    if code == sqlite3.SQLITE_CONSTRAINT:
        return StoreError("The store refused a row.", where=where, why=said)
    full = _is_out_of_space(extended)
    if full or extended == sqlite3.SQLITE_IOERR_WRITE:
        return StoreFull(
            "No space is left for the store."
            if full
            else "The disk refused a write: over a quota or limit, or failing.",
            where=where,
            why=f"This step was not written; what was written before it is safe. {said}",
            hint="Free some space, or put the store elsewhere (--evalkit-store).",
        )
    if code == sqlite3.SQLITE_READONLY or (code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) and path.exists()):
        return StoreReadOnly(
            "The store cannot be written: the file, or the folder around it, is read-only.",
            where=where,
            why=said,
            hint="Make both writable, or put the store elsewhere (--evalkit-store).",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreReadOnly(
            "The store cannot be created here.",
            where=where,
            why=said,
            hint="Make the folder writable, or put the store elsewhere (--evalkit-store).",
        )
    if "no such column" in str(error) or "no such table" in str(error):
        return StoreTooNew(
            "The store has other tables than this evalkit knows.",
            where=where,
            why=said,
            hint="Check it with: evalkit db check",
        )
    return StoreError("The store failed.", where=where, why=said, hint="Check it with: evalkit db check")
