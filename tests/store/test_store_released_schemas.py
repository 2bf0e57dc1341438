"""A store that any earlier evalkit wrote is brought to the schema of this one, with every row that is in it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from evalkit.errors import StoreError, StoreTooNew
from evalkit.runs import Run
from evalkit.store import check, open_store, revisions, schema, upgrade, upgrading
from evalkit.store.plain import from_plain

STORES = Path(__file__).with_name("stores")
EARLIER = revisions.REVISIONS[:-1]


def connected(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(path))


def columns(database: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table but the one that names the revision."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        for table in tables
        if table != "alembic_version" and not table.startswith("sqlite_")
    }


def contents(path: Path, of: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    with connected(path) as database:
        return {
            table: sorted(database.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall(), key=repr)
            for table, names in of.items()
        }


@pytest.fixture(params=EARLIER)
def earlier(request: pytest.FixtureRequest, path: Path) -> Path:
    """A store that an evalkit of that schema wrote."""
    path.parent.mkdir(parents=True)
    path.write_bytes((STORES / f"revision-{request.param}.db").read_bytes())
    assert check(path).schema == request.param
    return path


def expected(revision: str) -> Run:
    return from_plain(Run, json.loads((STORES / f"revision-{revision}.json").read_text("utf-8")))


def test_every_earlier_schema_has_a_real_store_with_rows_in_every_table() -> None:
    for revision in EARLIER:
        kept = STORES / f"revision-{revision}.db"
        assert kept.stat().st_size < 200_000
        with connected(kept) as database:
            rows = {
                table: database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in columns(database)
            }
        assert min(rows.values()) > 0, f"{revision}: {rows}"


def test_no_row_changes_by_an_upgrade(earlier: Path) -> None:
    revision = check(earlier).schema
    with connected(earlier) as database:
        before = columns(database)
    kept = contents(earlier, before)
    done = upgrade(earlier)
    assert (done.before, done.after) == (revision, revisions.HEAD)
    assert contents(earlier, before) == kept
    assert done.backup is not None
    assert contents(done.backup.path, before) == kept
    found = check(earlier)
    assert found.problems == ()
    assert not found.needs_upgrade


def test_the_run_reads_as_it_did(earlier: Path) -> None:
    revision = check(earlier).schema
    with open_store(earlier) as store:
        found = expected(revision)
        run = store.load(found.id)
        assert dataclasses.replace(run, store=None) == found
        assert [summary.id for summary in store.runs()] == [found.id]
        if revision > "0001":
            assert [trace.spans for trace in store.traces(found.id)] == [3, 3]
            assert [known.version.name for known in store.versions("prompt")] == ["greet", "greet"]
        if revision > "0002":
            assert [label.annotator for label in store.annotations(found.id)] == ["ann"]
            assert [known.trust for known in store.calibrations("grade")] == ["trusted"]


def test_it_has_the_tables_of_a_new_one(earlier: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    open_store(new).close()
    upgrade(earlier)
    with connected(earlier) as upgraded, connected(new) as born:
        assert columns(upgraded) == columns(born)
        named = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY type, name"
        assert upgraded.execute(named).fetchall() == born.execute(named).fetchall()
    engine = sa.create_engine(f"sqlite:///{earlier}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("revision", EARLIER)
def test_the_same_on_a_server(empty_database: str, revision: str) -> None:
    engine = sa.create_engine(sa.make_url(empty_database).set(drivername="postgresql+psycopg"))
    filled_at(engine, revision)
    with pytest.raises(StoreError, match="evalkit db upgrade"):
        open_store(empty_database)
    done = upgrade(empty_database)
    assert (done.before, done.after) == (revision, revisions.HEAD)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    assert check(empty_database).problems == ()
    with open_store(empty_database) as store:
        found = expected(revision)
        assert dataclasses.replace(store.load(found.id), store=None) == found
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for work in (open_store, upgrade):
        with pytest.raises(StoreTooNew, match="newer evalkit"):
            work(empty_database)
    engine.dispose()


def filled_at(engine: sa.Engine, revision: str) -> None:
    """The tables of `revision` in an empty database, with the rows of its kept store."""
    with engine.begin() as connection, connected(STORES / f"revision-{revision}.db") as kept:
        upgrading.migrate(connection, revision)
        there = columns(kept)
        for table in [table.name for table in schema.metadata.sorted_tables if table.name in there]:
            names = there[table]
            marks = ", ".join(["%s"] * len(names))
            for row in kept.execute(f"SELECT {', '.join(names)} FROM {table}"):
                connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", tuple(row))
