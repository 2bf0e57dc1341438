"""`evalkit db copy` and `evalkit db roles`: a store moves to a server, and roles get their rights there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from evalkit.canonical import new_id, utc_now
from evalkit.runs import Provenance
from evalkit.store import open_store

STORE = ".evalkit/evalkit.db"
Make = Callable[..., Any]


def test_a_store_is_copied_to_a_server_and_used_there(cli: Any, make_run: Make, empty_database: str) -> None:
    run = make_run()
    running = new_id()
    with open_store(STORE) as store:
        store.start_run(running, started_at=utc_now(), provenance=Provenance(), seed=1)
    result = cli("db", "copy", STORE, empty_database)
    assert result.code == 0, result.err
    assert "runs                            2" in result.out
    assert "every table has the same rows" in result.out
    assert f"the run {running} was going on" in result.out
    assert cli("show", run.id, "--store", empty_database).code == 0
    again = cli("db", "copy", STORE, empty_database)
    assert "has the same already; nothing was written" in again.out
    make_run()
    other = cli("db", "copy", STORE, empty_database)
    assert other.code == 2
    assert "There is another store already" in other.err
    assert "Traceback" not in other.err


def test_as_json(cli: Any, make_run: Make) -> None:
    make_run()
    found = json.loads(cli("db", "copy", STORE, "copy.db", "--json").out)
    assert (found["schema"], found["already"], found["running"]) == ("evalkit.db/1", False, [])
    assert found["tables"]["runs"]["rows"] == 1
    assert len(found["tables"]["runs"]["digest"]) == 64
    assert Path("copy.db").exists()


def test_roles_are_printed_for_someone_else_to_run(cli: Any) -> None:
    result = cli("db", "roles", "--app", "evalkit_app", "--reader", "looker")
    assert result.code == 0, result.err
    assert 'GRANT SELECT, INSERT ON "public".trials TO "evalkit_app";' in result.out
    assert 'GRANT SELECT ON "public".trials TO "looker";' in result.out
    assert 'ON "public".tokens TO "looker"' not in result.out
    assert all(line.endswith(";") for line in result.out.splitlines())


def test_roles_are_applied(cli: Any, empty_database: str) -> None:
    open_store(empty_database).close()
    name = f"evalkit_{new_id().replace('-', '')}"
    engine = sa.create_engine(sa.make_url(empty_database).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
    try:
        result = cli("db", "roles", "--app", name, "--apply", "--store", empty_database)
        assert result.code == 0, result.err
        assert "statements run." in result.out
        with engine.begin() as connection:
            may = connection.exec_driver_sql(f"SELECT has_table_privilege('{name}', 'trials', 'INSERT')").scalar_one()
        assert may is True
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP ROLE {name}")
        engine.dispose()


def test_mistakes(cli: Any, make_run: Make) -> None:
    make_run()
    for words, said in (
        (["db", "roles"], "--app ROLE"),
        (["db", "roles", "--app", "a", "--apply"], "has no users"),
        (["db", "copy", "none.db", "other.db"], "There is no store"),
        (["db", "copy", STORE, STORE], "to itself"),
    ):
        result = cli(*words)
        assert result.code == 2, words
        assert said in result.err
        assert "Traceback" not in result.err
