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
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from evalkit.errors import NotFound, StoreError, StoreTooNew
from evalkit.store import revisions
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
    if before == revisions.HEAD:
        return Upgrade(before=before, after=before)
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(path, timeout=timeout, isolation_level=None),
        poolclass=NullPool,
    )
    try:
        # SQLAlchemy rolls back what it finds on a new connection, so the transaction begins after that. It holds
        # the right to write from the look at the revision, over the backup, to the last step.
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # steps copy and rename tables; checked below
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            before = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
            if before == revisions.HEAD:
                return Upgrade(before=before, after=before)
            kept = copy_store(path, path.with_name(f"{path.name}.before-{revisions.HEAD}"))
            migrate(connection)
            _check_references(connection, path)
            connection.commit()
    except SQLAlchemyError as error:
        original = error.orig if isinstance(error, DBAPIError) else None
        known = failure(original, path, timeout) if isinstance(original, sqlite3.Error) else None
        if known is not None and type(known) is not StoreError and not isinstance(known, StoreTooNew):
            raise known from error
        raise _failed(error, str(path)) from error
    except CommandError as error:
        raise _failed(error, str(path)) from error
    finally:
        engine.dispose()
    return Upgrade(before=before, after=revisions.HEAD, backup=kept)


def _check_references(connection: sa.Connection, path: Path) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StoreError(
            f"The upgrade would leave {len(broken)} rows of {broken[0][0]} without what they belong to.",
            where=str(path),
            why="It was not done, and the store is as it was.",
            hint="Check the store with: evalkit db check",
        )


def _failed(error: Exception, where: str) -> StoreError:
    return StoreError(
        f"The upgrade of the store failed: {str(error).strip().splitlines()[0]}",
        where=where,
        why="Nothing was changed: the store is as it was.",
        hint="Please report this, with the line above.",
    )


def _upgrade_server(address: Address) -> Upgrade:
    from evalkit.store.server import ServerDatabase, failure, hold_creation_lock, make_engine

    engine = make_engine(address, timeout=WAIT)
    database = ServerDatabase(engine, address.shown)
    try:
        if not database.has_tables():
            raise NotFound(f"There is no store at {address.shown}.")
        check_revision(database, where=address.shown)
        with engine.begin() as connection:
            hold_creation_lock(connection)
            before = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
            if before != revisions.HEAD:
                migrate(connection)
    except (SQLAlchemyError, CommandError) as error:
        known = failure(error, address.shown) if isinstance(error, SQLAlchemyError) else None
        if isinstance(known, StoreError) and type(known) is not StoreError:
            raise known from error
        raise _failed(error, address.shown) from error
    finally:
        database.close()
    return Upgrade(before=before, after=revisions.HEAD)


def migrate(connection: sa.Connection, target: str = "head", *, down: bool = False) -> None:
    """Take the steps to the revision `target` on `connection`, inside the transaction that it has open."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, target)
