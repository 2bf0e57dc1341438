"""Every way of arriving at the schema gives the same tables, and older stores are brought there."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite

from evalkit.errors import NotFound, StoreError
from evalkit.runs import Run
from evalkit.store import (
    aliases,
    calibrations,
    check,
    exchanges,
    ledger,
    open_store,
    outbox,
    promotions,
    revisions,
    rows,
    schema,
    tokens,
    traces,
    upgrade,
    upgrading,
    versions,
)
from evalkit.store.annotations import COLUMNS as ANNOTATION
from evalkit.store.plain import from_plain

SCHEMA_SQL = Path(schema.__file__).with_name("schema.sql")
STEP = '''
"""A step for the tests: one more column."""
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("suites") as table:
        table.add_column(sa.Column("owner", sa.Text(), nullable=False, server_default="nobody"))
    {more}


def downgrade() -> None:
    with op.batch_alter_table("suites") as table:
        table.drop_column("owner")
'''
PATCHED = """
import sys
from pathlib import Path
from evalkit.store import revisions, upgrading
revisions.REVISIONS = ("0001", "0002", "0003", "0004", "0005")
revisions.HEAD = "0005"
upgrading.MIGRATIONS = Path(sys.argv[2])
from evalkit.store import open_store
"""


def tables(path: Path) -> dict[str, Any]:
    """What a file's schema says, without what does not matter: spacing, and the order of constraints."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    said: dict[str, Any] = {}
    for name, statement in found:
        lines = [re.sub(r"\s+", " ", line).strip().rstrip(",") for line in statement.splitlines()]
        columns = [line for line in lines if not line.startswith(("CONSTRAINT", "PRIMARY KEY"))]
        constraints = sorted(
            line.replace(" (", "(") for line in lines if line.startswith(("CONSTRAINT", "PRIMARY KEY"))
        )
        said[name] = ([line.replace('"', "") for line in columns], constraints)
    return said


@contextlib.contextmanager
def migrating(path: Path) -> Iterator[sa.Connection]:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_schema_sql_is_what_the_tables_say() -> None:
    assert SCHEMA_SQL.read_text("utf-8") == schema.ddl(sqlite.dialect()), (
        f"write evalkit.store.schema.ddl(sqlite.dialect()) to {SCHEMA_SQL.name}"
    )


def test_a_new_store_create_all_and_the_migrations_give_the_same_tables(tmp_path: Path) -> None:
    new, created, migrated = (tmp_path / name for name in ("new.db", "created.db", "migrated.db"))
    open_store(new).close()
    with migrating(created) as connection:
        schema.alembic_version.create(connection)
        schema.metadata.create_all(connection)
    with migrating(migrated) as connection:
        upgrading.migrate(connection)
    assert tables(new) == tables(created) == tables(migrated)
    assert len(tables(new)) > 10


def test_alembic_finds_no_difference(tmp_path: Path) -> None:
    with migrating(tmp_path / "e.db") as connection:
        upgrading.migrate(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_down_to_nothing_and_up_again(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    with migrating(path) as connection:
        upgrading.migrate(connection)
    before = tables(path)
    with migrating(path) as connection:
        upgrading.migrate(connection, "base", down=True)
    assert set(tables(path)) == {"alembic_version"}
    with migrating(path) as connection:
        upgrading.migrate(connection)
    assert tables(path) == before


def test_the_revisions_named_are_those_of_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrading.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == revisions.REVISIONS
    assert scripts.get_current_head() == revisions.HEAD


def test_the_columns_written_are_those_of_the_tables() -> None:
    later = {
        "runs": {"decision", "finished_at", "prices"},
        "suites": {"id", "passed", "missed", "errored", "unscored"},
    }
    others = {
        "traces": traces.TRACE,
        "spans": traces.SPAN,
        "versions": versions.COLUMNS,
        "exchanges": exchanges.COLUMNS,
        "aliases": aliases.COLUMNS,
        "suite_versions": versions.USE,
        "annotations": ANNOTATION,
        "calibrations": calibrations.COLUMNS,
        "blobs": ("digest", "size", "encoding", "data"),
        "policies": promotions.POLICY,
        "promotions": promotions.COLUMNS,
        "promotion_runs": promotions.CITED,
        "approvals": promotions.APPROVAL,
        "freezes": ledger.FREEZE,
        "audit": ledger.AUDIT,
        "ledger": ledger.HEAD,
        "outbox": outbox.COLUMNS,
        "tokens": tokens.COLUMNS,
    }
    for table in schema.metadata.sorted_tables:
        written = others.get(table.name) or getattr(rows, table.name.removesuffix("s").upper())
        assert set(written) | later.get(table.name, set()) == set(table.columns.keys())


def test_the_tables_can_be_made_on_postgresql() -> None:
    statements = schema.ddl(postgresql.dialect())
    assert "BYTEA" in statements
    assert "DOUBLE PRECISION" in statements


def test_an_ordinary_session_imports_neither_sqlalchemy_nor_alembic(path: Path, script: Any, outputs: Any) -> None:
    code = """
    import datetime as dt, sys
    from evalkit.provenance import collect
    from evalkit.store import open_store
    for _ in range(2):
        with open_store(sys.argv[1]) as store:
            store.start_run("r", started_at=dt.datetime.now(dt.UTC), provenance=collect(), seed=1)
            store.runs(), store.resolve("last"), store.load("r")
    print(sorted({"sqlalchemy", "alembic"} & set(sys.modules)))
    """
    assert outputs([script(code, path)]) == ["[]\n"]


@pytest.fixture
def next_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations with one more step, as if this evalkit were a later one."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for file in (
        "env.py",
        "versions/r0001_first_tables.py",
        "versions/r0002_traces_and_versions.py",
        "versions/r0003_annotations_and_calibrations.py",
        "versions/r0004_promotions_and_audit.py",
    ):
        (folder / file).write_text((upgrading.MIGRATIONS / file).read_text("utf-8"), "utf-8")
    (folder / "versions" / "r0004_step.py").write_text(STEP.format(more=""), "utf-8")
    monkeypatch.setattr(revisions, "REVISIONS", ("0001", "0002", "0003", "0004", "0005"))
    monkeypatch.setattr(revisions, "HEAD", "0005")
    monkeypatch.setattr(upgrading, "MIGRATIONS", folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return folder


@pytest.fixture
def old(path: Path, begin: Any) -> Any:
    with open_store(path) as store:
        run = begin(store)
        run.add(run.trial(0))
    return run


def test_an_older_store_is_backed_up_and_upgraded_when_opened(path: Path, old: Any, next_schema: Path) -> None:
    with open_store(path) as store:
        assert store.schema_version() == "0005"
        assert store.load(old.run_id).suite("math").trials == (old.trial(0),)
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT owner FROM suites").fetchone() == ("nobody",)
    kept = path.with_name("evalkit.db.before-0005")
    assert check(kept).schema == "0004"
    assert check(kept).counts["trials"] == 1
    assert kept.with_name(kept.name + ".json").is_file()


OLD_STORES = Path(__file__).with_name("stores")


@pytest.fixture
def real_0001(path: Path) -> Path:
    """A store that an evalkit with the first tables wrote."""
    path.parent.mkdir(parents=True)
    path.write_bytes((OLD_STORES / "revision-0001.db").read_bytes())
    return path


def test_a_real_store_of_the_first_tables_is_upgraded_and_reads_as_it_was(real_0001: Path) -> None:
    assert check(real_0001).schema == "0001"
    assert check(real_0001).ok
    expected = from_plain(Run, json.loads((OLD_STORES / "revision-0001.json").read_text("utf-8")))
    with open_store(real_0001) as store:
        assert store.schema_version() == revisions.HEAD
        run = store.load(expected.id)
        assert dataclasses.replace(run, store=None) == expected
        assert store.traces(run.id) == []
        assert store.versions("prompt") == []
    found = check(real_0001)
    assert found.ok
    assert found.counts["trials"] == 7
    kept = real_0001.with_name(f"{real_0001.name}.before-{revisions.HEAD}")
    assert (check(kept).schema, check(kept).counts["trials"]) == ("0001", 7)


def test_an_upgraded_store_has_the_same_tables_as_a_new_one(real_0001: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    open_store(new).close()
    upgrade(real_0001)
    assert tables(real_0001) == tables(new)


def test_an_upgraded_store_takes_a_run(real_0001: Path, begin: Any) -> None:
    with open_store(real_0001) as store:
        run = begin(store)
        run.add(run.trial(0))
        run.finish()
        assert run.trials() == (run.trial(0),)
        assert len(store.runs()) == 2


def test_a_store_of_the_first_tables_on_a_server(empty_database: str, begin: Any) -> None:
    engine = sa.create_engine(empty_database)
    with engine.begin() as connection:
        upgrading.migrate(connection, "0001")
        connection.exec_driver_sql("INSERT INTO datasets VALUES ('d', 'sums', NULL, 0, '2026-11-22T09:30:00.000000Z')")
    with pytest.raises(StoreError, match="evalkit db upgrade"):
        open_store(empty_database)
    assert (upgrade(empty_database).before, upgrade(empty_database).after) == ("0001", revisions.HEAD)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert connection.exec_driver_sql("SELECT name FROM datasets").scalar() == "sums"
    engine.dispose()
    with open_store(empty_database) as store:
        run = begin(store)
        run.add(run.trial(0))
        assert run.trials() == (run.trial(0),)


def test_upgrade_says_what_it_did(path: Path, old: Any, next_schema: Path) -> None:
    assert check(path).needs_upgrade
    done = upgrade(path)
    assert (done.before, done.after) == ("0004", "0005")
    assert done.backup is not None
    assert done.backup.runs == 1
    assert upgrade(path) == upgrading.Upgrade(before="0005", after="0005")
    with pytest.raises(NotFound):
        upgrade(path.with_name("none.db"))


def test_an_older_store_is_not_changed_by_reading(path: Path, old: Any, next_schema: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreError, match="evalkit db upgrade"):
        open_store(path, read_only=True)
    assert path.read_bytes() == before


def test_a_step_that_fails_leaves_the_store_as_it_was(path: Path, old: Any, next_schema: Path) -> None:
    step = next_schema / "versions" / "r0004_step.py"
    step.write_text(STEP.format(more='op.execute("INSERT INTO nowhere VALUES (1)")'), "utf-8")
    before = tables(path)
    with pytest.raises(StoreError, match="upgrade of the store failed"):
        open_store(path)
    assert tables(path) == before
    assert check(path).schema == "0004"
    step.write_text(STEP.format(more=""), "utf-8")
    with open_store(path) as store:
        assert store.schema_version() == "0005"


def test_a_step_that_would_orphan_rows_is_not_taken(path: Path, old: Any, next_schema: Path) -> None:
    step = next_schema / "versions" / "r0004_step.py"
    step.write_text(STEP.format(more='op.execute("DELETE FROM datasets")'), "utf-8")
    with pytest.raises(StoreError, match="without what they belong to"):
        open_store(path)
    assert check(path).ok
    assert check(path).schema == "0004"


@pytest.mark.slow
def test_six_processes_upgrade_at_once(path: Path, old: Any, next_schema: Path, script: Any, outputs: Any) -> None:
    code = PATCHED + "with open_store(sys.argv[1]) as store: print(store.schema_version(), len(store.runs()))"
    assert outputs([script(code, path, next_schema) for _ in range(6)]) == ["0005 1\n"] * 6
    assert check(path).ok


@pytest.mark.slow
def test_an_upgrade_killed_in_the_middle_can_be_done_again(
    path: Path, old: Any, next_schema: Path, script: Any, outputs: Any
) -> None:
    step = next_schema / "versions" / "r0004_step.py"
    step.write_text(STEP.format(more="print('half', flush=True); import time; time.sleep(60)"), "utf-8")
    process = script(PATCHED + "open_store(sys.argv[1])", path, next_schema)
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    assert check(path).schema == "0004"
    step.write_text(STEP.format(more=""), "utf-8")
    with open_store(path) as store:
        assert store.load(old.run_id).suite("math").trials == (old.trial(0),)
    assert check(path).ok
