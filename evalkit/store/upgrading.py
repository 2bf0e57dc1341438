"""Brings a store to the schema of this evalkit, in one transaction that other upgraders wait for.

The only module that imports Alembic. A file is backed up before it is changed.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import NullPool

from evalkit.errors import NotFound, StoreError
from evalkit.store import revision
from evalkit.store.address import Address, parse
from evalkit.store.backups import Backup, copy_store
from evalkit.store.opening import WAIT, check_revision
from evalkit.store.sqlite import SqliteDatabase, failure

MIGRATIONS = Path(__file__).with_name("migrations")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What an upgrade did: the schema before and after, and the backup made first, `None` where none was needed."""

    before: str
    after: str
    backup: Backup | None = None


def upgrade(url: str | Path) -> Upgrade:
    """Bring the store at `url` to this evalkit's schema; nothing happens to one that is there already.

    A file is backed up beside itself first. All or nothing: a step that fails leaves the store as it was. Raises
    `NotFound` where there is no store, `StoreTooNew` for one of a newer evalkit.
    """
    address = parse(url)
    if address.path is None:
        return _upgrade_server(address)
    if not address.path.exists():
        raise NotFound(f"There is no store at {address.path}.")
    return upgrade_file(address.path)


def upgrade_file(path: Path, *, timeout: float = WAIT) -> Upgrade:
    """Upgrade the store in the file `path`; of several processes that try at once, one does it and the rest wait."""
    database = SqliteDatabase(path, timeout=timeout)
    try:
        before = check_revision(database, where=str(path))
    finally:
        database.close()
    if before == revision.HEAD:
        return Upgrade(before=before, after=before)
    try:
        # An immediate transaction is taken by hand, before SQLAlchemy sees the connection, so that it is one
        # transaction for the look at the revision, the backup and all the steps.
        raw = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        try:
            raw.execute("PRAGMA foreign_keys = OFF")  # tables are copied and renamed; checked at the end instead
            raw.execute("BEGIN IMMEDIATE")
            before = str(raw.execute("SELECT version_num FROM alembic_version").fetchone()[0])
            if before == revision.HEAD:
                raw.execute("ROLLBACK")
                return Upgrade(before=before, after=before)
            kept = copy_store(path, path.with_name(f"{path.name}.before-{revision.HEAD}"))
            _run_in(raw, path)
        finally:
            raw.close()
    except sqlite3.Error as error:
        raise failure(error, path, timeout) from error
    return Upgrade(before=before, after=revision.HEAD, backup=kept)


def _run_in(raw: sqlite3.Connection, path: Path) -> None:
    engine = sa.create_engine("sqlite://", creator=lambda: raw, poolclass=NullPool)
    with engine.connect() as connection:
        connection.begin()
        migrate(connection)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise StoreError(
                f"The upgrade would leave {len(broken)} rows of {broken[0][0]} without what they belong to.",
                where=str(path),
                why="It was not done.",
                hint="Please report this.",
            )
        connection.commit()


def _upgrade_server(address: Address) -> Upgrade:
    from evalkit.store.server import ServerDatabase, hold_creation_lock, make_engine

    engine = make_engine(address, timeout=WAIT)
    database = ServerDatabase(engine, address.shown)
    try:
        if not database.has_tables():
            raise NotFound(f"There is no store at {address.shown}.")
        check_revision(database, where=address.shown)
        with engine.begin() as connection:
            hold_creation_lock(connection)
            before = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
            if before != revision.HEAD:
                migrate(connection)
    finally:
        database.close()
    return Upgrade(before=before, after=revision.HEAD)


def migrate(connection: sa.Connection, target: str = "head", *, down: bool = False) -> None:
    """Take the steps to the revision `target` on `connection`, inside the transaction that it has open."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, target)
