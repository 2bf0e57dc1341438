"""On a server an application adds to the store; it cannot alter it, nor rewrite what is only to be added to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import evalkit
from evalkit.canonical import new_id, utc_now
from evalkit.errors import ConfigError, StoreReadOnly
from evalkit.exchange import Exchange
from evalkit.promotion.records import Actor
from evalkit.runs import Provenance
from evalkit.store import open_store, upgrade
from evalkit.store.pruning import prune
from evalkit.store.retention import Rule, plan
from evalkit.store.roles import CHANGED, DELETED, PRIVATE, apply, grants
from evalkit.store.schema import metadata
from evalkit.versions import Version

OWNERS_ONLY = {"pruning.py", "redacting.py", "backups.py", "upgrading.py"}
"""Modules whose statements only the owner runs."""


@pytest.fixture
def roles(empty_database: str) -> Iterator[dict[str, str]]:
    """The addresses of a store by who asks: its owner, an application, a reader."""
    open_store(empty_database).close()
    names = {who: f"evalkit_{who}_{new_id().replace('-', '')}" for who in ("app", "reader")}
    engine = sa.create_engine(sa.make_url(empty_database).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        for name in names.values():
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
    apply(empty_database, [*grants(names["app"]), *grants(names["reader"], reads_only=True)])
    url = sa.make_url(empty_database)
    yield {
        "owner": empty_database,
        **{who: url.set(username=name).render_as_string(hide_password=False) for who, name in names.items()},
    }
    with engine.begin() as connection:
        for name in names.values():
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP ROLE {name}")
    engine.dispose()


def refused(url: str, statement: str) -> None:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as caught:
        connection.exec_driver_sql(statement)
    engine.dispose()
    assert caught.value.orig.sqlstate == "42501", f"{statement}: {caught.value}"


def test_an_application_uses_the_store(roles: dict[str, str], begin: Any) -> None:
    version = Version(kind="prompt", name="greet", digest="a" * 64, body={"text": "Hi"})
    with open_store(roles["app"]) as store:
        run = begin(store)
        run.add(run.trial(0))
        run.add(run.trial(0), run.trial(1))
        store.heartbeat(run.run_id)
        run.finish()
        run.finish()
        store.start_run(run.run_id, started_at=run.trial(0).started_at, provenance=Provenance(), seed=1)
        run.finish()
        store.register(version)
        store.set_alias("prompt", "greet", "production", version.digest, expected_generation=0)
        store.set_alias("prompt", "greet", "production", version.digest, expected_generation=1)
        exchange = Exchange(key="k", method="POST", url="http://127.0.0.1:9", recorded_at=run.trial(0).started_at)
        store.exchanges.put([exchange])
        store.exchanges.put([exchange])
        assert store.exchanges.prune() == 1
        assert run.trials() == (run.trial(0), run.trial(1))
        assert len(store.audit()) == 2


def test_it_cannot_alter_drop_or_rewrite(roles: dict[str, str], begin: Any) -> None:
    with open_store(roles["app"]) as store:
        run = begin(store)
        run.add(run.trial(0))
    tables = [table.name for table in metadata.sorted_tables]
    for table in tables:
        refused(roles["app"], f"TRUNCATE {table}")
        if table not in DELETED:
            refused(roles["app"], f"DELETE FROM {table}")
        if table not in CHANGED:
            column = next(iter(metadata.tables[table].columns)).name
            refused(roles["app"], f"UPDATE {table} SET {column} = {column}")
    for statement in (
        "CREATE TABLE mine (a int)",
        "UPDATE alembic_version SET version_num = '0001'",
        "UPDATE runs SET git_commit = 'other'",
        "UPDATE suites SET gates = '[]'",
        "UPDATE audit SET body = '{}'",
        "DELETE FROM trials",
        "UPDATE approvals SET approves = 1",
    ):
        refused(roles["app"], statement)
    for table in (*tables, "alembic_version"):
        for statement in (f"DROP TABLE {table}", f"ALTER TABLE {table} ADD COLUMN more int"):
            engine = sa.create_engine(sa.make_url(roles["app"]).set(drivername="postgresql+psycopg"))
            with engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="must be owner"):
                connection.exec_driver_sql(statement)
            engine.dispose()


def test_a_reader_reads_and_no_more(roles: dict[str, str], begin: Any) -> None:
    with open_store(roles["app"]) as store:
        run = begin(store)
        run.add(run.trial(0))
    with open_store(roles["reader"], read_only=True) as store:
        assert store.load(run.run_id).suite("math").trials == (run.trial(0),)
    with open_store(roles["reader"]) as store, pytest.raises(StoreReadOnly, match="does not let this user"):
        store.heartbeat(run.run_id)
    for table in PRIVATE:
        refused(roles["reader"], f"SELECT 1 FROM {table}")


def test_an_application_does_not_upgrade(roles: dict[str, str]) -> None:
    assert upgrade(roles["app"]).before == upgrade(roles["app"]).after
    with pytest.raises(StoreReadOnly, match="does not let this user"):
        apply(roles["app"], ["REVOKE SELECT ON runs FROM PUBLIC", "ALTER TABLE runs ADD COLUMN more int"])


def test_an_application_deletes_no_run(roles: dict[str, str], begin: Any) -> None:
    now = utc_now()
    with open_store(roles["app"]) as store:
        for days in (200, 1):
            begin(store, started_at=now - dt.timedelta(days=days)).finish()
        rule = Rule(age=dt.timedelta(days=90))
        found = plan(store._database, rule, now=now)
        assert len(found.doomed) == 1
        with pytest.raises(StoreReadOnly, match="does not let this user"):
            prune(store._database, found, actor=Actor(name="app"))
        assert len(store.runs()) == 2
    with open_store(roles["owner"]) as store:
        assert prune(store._database, found, actor=Actor(name="owner")).runs == 1
        assert len(store.runs()) == 1


def test_every_table_is_named_in_the_rights() -> None:
    text = "\n".join(grants("app"))
    for table in metadata.sorted_tables:
        assert re.search(rf"SELECT, INSERT.* ON \"public\"\.{table.name} TO \"app\"", text), table.name
    for table, columns in CHANGED.items():
        assert set(columns) <= set(metadata.tables[table].columns.keys())
    assert set(metadata.tables) >= DELETED | PRIVATE


def test_what_the_store_changes_or_deletes_is_allowed() -> None:
    """No statement of the store needs a right that an application does not have."""
    folder = Path(evalkit.__file__).parent / "store"
    source = {path.name: path.read_text("utf-8") for path in folder.glob("*.py") if path.name not in OWNERS_ONLY}
    changed = {(name, table) for name, text in source.items() for table in re.findall(r"UPDATE (\w+) SET", text)}
    deleted = {(name, table) for name, text in source.items() for table in re.findall(r"DELETE FROM (\w+)", text)}
    assert {table for _, table in changed} <= set(CHANGED), changed
    swept = {(name, "blobs") for name in ("server.py", "sqlite.py")}  # in a sweep, which is the owner's
    assert {table for _, table in deleted - swept} <= DELETED, deleted
    assert len(changed) >= 5
    assert len(deleted) > 2


def test_a_name_is_quoted() -> None:
    assert grants('a"; DROP TABLE runs; --')[0].endswith('FROM "a""; DROP TABLE runs; --"')
    for name in ("", "a\0b", "x" * 64):
        with pytest.raises(ConfigError, match="no name of a role"):
            grants(name)


def test_a_file_has_no_roles(path: Path) -> None:
    open_store(path).close()
    with pytest.raises(ConfigError, match="has no users"):
        apply(str(path), grants("app"))
