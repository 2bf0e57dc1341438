"""A store on a database server, by way of SQLAlchemy; all that is particular to PostgreSQL is here.

The tables of an empty database are made when it is first opened; those of an older schema are upgraded only when
`evalkit db upgrade` asks for it, since others may be using them.

A server may be restarted while a run goes on. Whoever wants a transaction then waits, a bounded time, until there is a
connection again; a transaction that broke raises `StoreAway`, and `again` does it once more where that changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import IntegrityError as AlchemyIntegrityError

from evalkit.errors import (
    ConfigError,
    MissingExtra,
    NotFound,
    StoreAway,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
)
from evalkit.store import revisions
from evalkit.store.address import Address
from evalkit.store.database import PATIENCE, Duplicate, Row
from evalkit.store.opening import check_revision, older_schema
from evalkit.store.schema import alembic_version, metadata

CREATION_LOCK = 0x65_76_61_6C  # "eval": the advisory lock that makers and upgraders of a schema hold
LEDGER_LOCK = 0x65_76_61_6D  # the one that those hold who write to the audit log
_ROWS_AT_ONCE = 1000
_UNIQUE = "23505"
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0
_ALIVE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""So that a peer which went without a word, its machine or the network, is noticed within half a minute."""


class _Session:
    def __init__(self, connection: sa.Connection, mark: str) -> None:
        self._connection = connection
        self._mark = mark

    def execute(self, statement: str, values: Row = ()) -> Sequence[Any]:
        done = self._connection.exec_driver_sql(self._marked(statement), tuple(values))
        return [tuple(row) for row in done] if done.returns_rows else []

    def executemany(self, statement: str, rows: Iterable[Row]) -> None:
        remaining = iter(rows)
        while part := [tuple(row) for row in islice(remaining, _ROWS_AT_ONCE)]:
            self._connection.exec_driver_sql(self._marked(statement), part)

    def stream(self, statement: str, values: Row = (), *, at_once: int) -> Iterator[Row]:
        options = {"stream_results": True, "max_row_buffer": at_once}
        for row in self._connection.exec_driver_sql(
            self._marked(statement), tuple(values) or None, execution_options=options
        ):
            yield tuple(row)

    def remove_blobs(self, digests: Sequence[str]) -> None:
        # Without the constraints, which then look at everything once. The lock is held until they are back.
        keys = [
            (table.name, key.parent.name)
            for table in metadata.sorted_tables
            for key in table.foreign_keys
            if key.column.table.name == "blobs"
        ]
        for table, column in keys:
            self.execute(f"ALTER TABLE {table} DROP CONSTRAINT fk_{table}_{column}")
        self.executemany("DELETE FROM blobs WHERE digest = ?", ((digest,) for digest in digests))
        for table, column in keys:
            self.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_{column}"
                f" FOREIGN KEY({column}) REFERENCES blobs (digest)"
            )

    def settle(self) -> None:
        for table in metadata.sorted_tables:
            counted = table.autoincrement_column
            if counted is not None:
                self._connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{counted.name}'),"  # noqa: S608 - our names
                    f" COALESCE(MAX({counted.name}), 1), MAX({counted.name}) IS NOT NULL) FROM {table.name}"
                )

    def _marked(self, statement: str) -> str:
        return statement.replace("?", self._mark)


class ServerDatabase:
    """A store on a server, through an engine whose driver takes `%s` or `?` marks.

    `patience` is for how many seconds it tries to connect again, once it has been connected; used up, and until there
    is a connection, every transaction tries once only.
    """

    def __init__(self, engine: sa.Engine, url: str, *, read_only: bool = False, patience: float = PATIENCE) -> None:
        self.url = url
        self._engine = engine
        self._read_only = read_only
        self._lock = threading.RLock()
        self._mark = "?" if engine.dialect.paramstyle == "qmark" else "%s"
        self._patience = patience
        self._was_there = False
        self._process = os.getpid()

    @contextlib.contextmanager
    def reading(self) -> Iterator[_Session]:
        """A transaction that sees one state of the database throughout."""
        with self._connected() as connection:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield _Session(connection, self._mark)

    @contextlib.contextmanager
    def writing(self) -> Iterator[_Session]:
        """A transaction that is committed at the end."""
        if self._read_only:
            raise StoreReadOnly("The store was opened for reading only.", where=self.url)
        with self._connected() as connection, connection.begin():
            yield _Session(connection, self._mark)

    @contextlib.contextmanager
    def lasting(self) -> Iterator[_Session]:
        """A writing transaction beside which there is no other of this kind."""
        with self.writing() as session:
            session.execute(f"SELECT pg_advisory_xact_lock({LEDGER_LOCK})")
            yield session

    @contextlib.contextmanager
    def sweeping(self) -> Iterator[_Session]:
        """A writing transaction beside which others only read what it may delete."""
        with self.writing() as session:
            session.execute("LOCK TABLE runs, suites, datasets, blobs IN EXCLUSIVE MODE")
            yield session

    def compact(self, *, always: bool = False) -> int:  # noqa: ARG002 - as the protocol has it
        """Nothing: the server does that by itself (autovacuum)."""
        return 0

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        if self._process != os.getpid():  # a fork: the connections, and whoever held the lock, are the parent's
            self._engine.dispose(close=False)
            self._lock, self._process = threading.RLock(), os.getpid()
        with self._lock, self._translated(), self._connect() as connection:
            yield connection

    def _connect(self) -> sa.Connection:
        deadline, wait = time.monotonic() + self._patience, _FIRST_WAIT
        while True:
            try:
                connection = self._engine.connect()
            except OperationalError as error:
                if not self._was_there or time.monotonic() + wait > deadline:
                    self._was_there = False
                    away = failure(error, self.url)
                    if isinstance(away, StoreAway):
                        away.lasting = True
                    raise away from error
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
            else:
                self._was_there = True
                return connection

    def create(self) -> None:
        """Make the tables, unless they are there; any number of processes may do so at once."""
        with self._connected() as connection, connection.begin():
            hold_creation_lock(connection)
            if sa.inspect(connection).has_table("alembic_version"):
                return
            alembic_version.create(connection)
            metadata.create_all(connection)
            connection.execute(alembic_version.insert().values(version_num=revisions.HEAD))

    def has_tables(self) -> bool:
        """Whether a store has been made here."""
        with self._connected() as connection:
            return sa.inspect(connection).has_table("alembic_version")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise failure(error, self.url) from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def open_server(address: Address, *, create: bool, read_only: bool, timeout: float) -> ServerDatabase:
    """The database of `address`; its tables are made where there are none and `create` says so."""
    database = ServerDatabase(make_engine(address, timeout=timeout), address.shown, read_only=read_only)
    try:
        if not database.has_tables():
            if not create:
                raise NotFound(f"There is no store at {address.shown}.", hint="Run a suite first: pytest evals/")
            database.create()
        revision = check_revision(database, where=address.shown)
        if revision != revisions.HEAD:
            raise older_schema(revision, address.shown)
    except BaseException:
        database.close()
        raise
    return database


def make_engine(address: Address, *, timeout: float) -> sa.Engine:
    """The engine for `address`; `timeout` is how many seconds a statement waits for a lock.

    Behind a pooler, such as PgBouncer, every transaction may have another connection to the server. So no setting lasts
    longer than a transaction, and statements are prepared only where the server itself answers.
    """
    try:
        import psycopg  # noqa: F401 - asked for by name, so that its absence has a good answer
    except ImportError:
        raise MissingExtra("psycopg", "postgres", needed_for="A store on PostgreSQL") from None
    try:
        engine = sa.create_engine(
            sa.make_url(str(address.url)),
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, **_ALIVE},
        )
    except (SQLAlchemyError, NoSuchModuleError, ValueError) as error:
        raise ConfigError(f"{address.shown} is no address of a database: {error}") from None

    @sa.event.listens_for(engine, "connect")
    def _look_for_a_pooler(connection: Any, _record: object) -> None:
        connection.autocommit = True
        (process,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        if process != connection.info.backend_pid:  # a pooler stands between, and gives a number of its own
            connection.prepare_threshold = None
        connection.autocommit = False

    @sa.event.listens_for(engine, "begin")
    def _limit_waiting(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(timeout * 1000))}")

    return engine


def hold_creation_lock(connection: sa.Connection) -> None:
    """Wait for, and hold until the end of the transaction, the right to make or change the tables."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CREATION_LOCK})")


def failure(error: SQLAlchemyError, where: str) -> Exception:
    """What `error` means for the one who wanted the store at `where`: the `StoreError` that fits, or `Duplicate`."""
    original = error.orig if isinstance(error, DBAPIError) else None
    state = getattr(original, "sqlstate", None) or ""
    said = f"The server says: {str(original or error).strip().splitlines()[0]}"
    if state == _UNIQUE:
        return Duplicate(said)
    if isinstance(error, AlchemyIntegrityError):
        return StoreError("The store refused a row.", where=where, why=said)
    if state in ("53100", "53200"):
        return StoreFull("The server of the store is out of space.", where=where, why=said)
    if state in ("25006", "42501"):
        return StoreReadOnly(
            "The server does not let this user do that.",
            where=where,
            why=said,
            hint="Which rights there are, and what gives them: evalkit db roles",
        )
    if state in ("55P03", "57014"):
        return StoreLocked("Others hold the store for too long.", where=where, why=said, hint="Try again.")
    broke = not state and isinstance(error, OperationalError | InterfaceError)
    if getattr(error, "connection_invalidated", False) or state[:2] in ("08", "57") or broke:
        return StoreAway(
            "The server of the store cannot be reached, or went away.",
            where=where,
            why=said,
            hint="Check that it runs, and the address, user and password.",
        )
    return StoreError("The store failed.", where=where, why=said)
