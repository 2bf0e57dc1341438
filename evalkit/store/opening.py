"""Opens a store, making it where there is none, and refuses one that it would misread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from evalkit.errors import NotFound, StoreCorrupt, StoreError, StoreReadOnly, StoreTooNew
from evalkit.store import revisions
from evalkit.store.address import Address, parse
from evalkit.store.database import Database
from evalkit.store.sqlite import SqliteDatabase
from evalkit.store.store import Store

WAIT = 30.0
"""Seconds to wait for another process that writes."""


def open_store(
    url: str | Path,
    *,
    create: bool = True,
    read_only: bool = False,
    timeout: float = WAIT,
    webhooks: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Store:
    """The store at `url`: a path, `sqlite:///…` or `postgresql+psycopg://…`.

    Where there is none it is made, folders included, unless `create=False` or `read_only`, which raise
    `NotFound`. A file of an older schema is backed up beside itself and upgraded; a server's is upgraded only by
    `upgrade`. `timeout` is in seconds, for another process that writes. `webhooks` are the events that each webhook
    listens to, by its name: what the outbox gets. Raises the `StoreError` that fits: `StoreReadOnly`, `StoreLocked`,
    `StoreFull`, `StoreTooNew`, `StoreCorrupt`.
    """
    database = open_database(parse(url), create=create and not read_only, read_only=read_only, timeout=timeout)
    return Store(database, webhooks=webhooks)


def open_database(address: Address, *, create: bool, read_only: bool, timeout: float = WAIT) -> Database:
    """The database at `address`, with the tables of this evalkit in it."""
    if address.path is None:
        from evalkit.store.server import open_server

        return open_server(address, create=create, read_only=read_only, timeout=timeout)
    prepare_path(address.path, create=create)
    database = SqliteDatabase(address.path, read_only=read_only, timeout=timeout)
    try:
        if create and not database.tables():
            database.create(revisions.HEAD)
        revision = check_revision(database, where=address.shown)
        if revision == revisions.HEAD:
            return database
        if read_only:
            raise older_schema(revision, address.shown)
    except BaseException:
        database.close()
        raise
    database.close()
    from evalkit.store.upgrading import upgrade_file

    upgrade_file(address.path, timeout=timeout)
    return SqliteDatabase(address.path, timeout=timeout)


def prepare_path(path: Path, *, create: bool) -> None:
    """Make sure that a store can be at `path`: its folder is there, and it is no folder itself."""
    if path.is_dir():
        raise StoreError(
            "The store is a file, and this is a folder.", where=str(path), hint=f"Write {path / 'evalkit.db'}."
        )
    if path.exists():
        return
    if not create:
        raise NotFound(f"There is no store at {path}.", hint="Run a suite first: pytest evals/")
    try:
        is_new = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_new and path.parent.name == ".evalkit":  # the folder that nobody asked for stays out of their commits
            (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise StoreReadOnly(
            f"The folder of the store cannot be made: {error.strerror}.",
            where=str(path.parent),
            hint="Put the store elsewhere: --evalkit-store for pytest, --store for evalkit.",
        ) from None


def check_revision(database: Database, *, where: str) -> str:
    """The schema revision of `database`; raises `StoreTooNew` for one that this evalkit does not know."""
    if isinstance(database, SqliteDatabase):
        _require_tables(database.tables(), where)
    with database.reading() as session:
        found = session.execute("SELECT version_num FROM alembic_version")
    if not found:
        raise StoreCorrupt(
            "The store does not say which schema it has.",
            where=where,
            why="Its creation or an upgrade of it was interrupted from outside.",
            hint="Restore a backup: evalkit db restore",
        )
    revision: str = found[0][0]
    if revision != revisions.HEAD and not revisions.is_older(revision):
        raise StoreTooNew(
            f"The store was written by a newer evalkit: its schema is {revision}, this one knows {revisions.HEAD}.",
            where=where,
            why="Writing to it, or reading a column that means something else now, could spoil results.",
            hint="Upgrade: pip install -U pytest-evalkit",
        )
    return revision


def _require_tables(tables: set[str], where: str) -> None:
    if not tables:
        raise NotFound("The file is empty: no store has been made in it.", where=where)
    if "alembic_version" not in tables:
        raise StoreCorrupt(
            "The file is a database, but not a store of evalkit.",
            where=where,
            why="It has other tables: " + ", ".join(sorted(tables)[:5]) + ".",
            hint="Put the store elsewhere: --evalkit-store for pytest, --store for evalkit.",
        )


def older_schema(revision: str, where: str) -> StoreError:
    """The error for a store that has to be upgraded before it can be used."""
    return StoreError(
        f"The store has the schema {revision}; this evalkit needs {revisions.HEAD}.",
        where=where,
        hint="Upgrade it: evalkit db upgrade",
    )
