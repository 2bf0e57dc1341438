"""A store is copied from a file to a server and back: every row of every table, or nothing at all."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from evalkit.errors import ConfigError, NotFound, StoreError
from evalkit.store import check, open_store, schema, upgrade
from evalkit.store.copying import copy_to

KEPT = Path(__file__).with_name("stores") / "revision-0003.db"


@pytest.fixture
def filled(tmp_path: Path, begin: Any) -> Path:
    """A file with rows in nearly all tables: a real store, upgraded, with a run that goes on."""
    path = tmp_path / "filled.db"
    path.write_bytes(KEPT.read_bytes())
    upgrade(path)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")  # as stores are; a file that is kept in the tests has no log
    with open_store(path) as store:
        run = begin(store, run_id="019b0000-0000-7000-8000-000000000001")
        run.add(
            dataclasses.replace(run.trial(0), output=dataclasses.replace(run.trial(0).output, value="é\0\ud800" * 9000))
        )
        version = store.versions("prompt", "greet")[-1].version
        store.set_alias("prompt", "greet", "staging", version.digest, expected_generation=0)
        store.set_alias("prompt", "greet", "staging", version.digest, expected_generation=1)
    return path


@pytest.fixture(params=["file to server", "file to file"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file to file":
        return str(tmp_path / "target.db")
    found: str = request.getfixturevalue("empty_database")
    return found


def contents(url: str | Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, sorted, however it is ordered there."""
    text = str(url)
    address = text.replace("postgresql:", "postgresql+psycopg:") if "://" in text else f"sqlite:///{text}"
    engine = sa.create_engine(address)
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in schema.metadata.sorted_tables
        }
    engine.dispose()
    return found


def test_every_row_of_every_table_is_copied(filled: Path, target: str) -> None:
    told: list[str] = []
    done = copy_to(filled, target, say=lambda table, rows: told.append(table))
    assert contents(target) == contents(filled)
    assert told == [table.name for table in schema.metadata.sorted_tables] == list(done.tables)
    assert done.tables["trials"].rows == 6
    assert done.tables["audit"].rows == 2
    assert done.running == ("019b0000-0000-7000-8000-000000000001",)
    assert not done.already
    assert check(target).ok


def test_the_copy_can_be_written_to(filled: Path, target: str, begin: Any) -> None:
    copy_to(filled, target)
    with open_store(target) as store:
        run = begin(store)
        run.add(run.trial(1))
        assert run.trials() == (run.trial(1),)
        version = store.versions("prompt", "greet")[-1].version
        store.set_alias("prompt", "greet", "staging", version.digest, expected_generation=2)
        assert [entry.seq for entry in store.audit()] == [1, 2, 3]


def test_from_a_server_back_to_a_file(filled: Path, empty_database: str, tmp_path: Path) -> None:
    copy_to(filled, empty_database)
    back = tmp_path / "back.db"
    copy_to(empty_database, back)
    assert contents(back) == contents(filled)
    assert check(back).ok


def test_copied_a_second_time_nothing_happens(filled: Path, target: str) -> None:
    first = copy_to(filled, target)
    second = copy_to(filled, target)
    assert second.already
    assert second.tables == first.tables


def test_another_store_is_not_mixed_with(filled: Path, target: str, begin: Any) -> None:
    with open_store(target) as store:
        begin(store).finish()
    before = contents(target)
    with pytest.raises(StoreError, match="There is another store already"):
        copy_to(filled, target)
    assert contents(target) == before


def test_a_row_that_differs_is_another_store(filled: Path, target: str) -> None:
    copy_to(filled, target)
    with sqlite3.connect(filled) as database:
        database.execute("UPDATE trials SET latency = 0.125 WHERE case_id = 'case-0'")
    database.close()
    with pytest.raises(StoreError, match="rows in trials"):
        copy_to(filled, target)


def test_what_comes_back_different_is_taken_back(filled: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalkit.store import copying

    real = copying._write

    def losing(session: Any, table: sa.Table, rows: Any) -> None:
        real(session, table, (row for at, row in enumerate(rows) if table.name != "scores" or at != 3))

    monkeypatch.setattr(copying, "_write", losing)
    with pytest.raises(StoreError, match="scores came back different"):
        copy_to(filled, target)
    assert not any(contents(target).values())
    monkeypatch.undo()
    copy_to(filled, target)
    assert contents(target) == contents(filled)


def test_a_copy_that_was_killed_left_nothing_and_can_be_made_again(filled: Path, target: str, script: Any) -> None:
    code = """
    import os, sys
    from evalkit.store.copying import copy_to
    copy_to(sys.argv[1], sys.argv[2], say=lambda table, rows: table == "spans" and os.kill(os.getpid(), 9))
    """
    process = script(code, filled, target)
    process.communicate(timeout=120)
    assert process.returncode == -9
    assert not any(contents(target).values())
    copy_to(filled, target)
    assert contents(target) == contents(filled)


def test_a_store_is_copied_while_a_run_writes_to_it(filled: Path, target: str, begin: Any) -> None:
    with open_store(filled) as store:
        run = begin(store, size=40)
        before = contents(filled)

        def write(table: str, rows: int) -> None:
            run.add(run.trial(len(run.trials())))

        done = copy_to(filled, target, say=write)
        assert len(run.trials()) == len(done.tables)
    assert contents(target) == before, "the state at the moment when it began"


def test_what_cannot_be_copied(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="to itself"):
        copy_to(filled, filled)
    with pytest.raises(NotFound):
        copy_to(tmp_path / "none.db", tmp_path / "target.db")
    assert not (tmp_path / "target.db").exists()
    old = tmp_path / "old.db"
    old.write_bytes(KEPT.read_bytes())
    with pytest.raises(StoreError, match="evalkit db upgrade"):
        copy_to(old, tmp_path / "target.db")


def test_memory_does_not_grow_with_the_store(tmp_path: Path, script: Any, outputs: Any, begin: Any) -> None:
    """100 MB of blobs go through in much less."""
    source = tmp_path / "large.db"
    with open_store(source) as store:
        run = begin(store, size=50)
        for index in range(50):
            trial = run.trial(index)
            run.add(
                dataclasses.replace(trial, output=dataclasses.replace(trial.output, value=os.urandom(1_000_000).hex()))
            )
    code = """
    import sys
    from evalkit.store.copying import copy_to
    def peak():
        return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
    copy_to(sys.argv[1], sys.argv[2])
    before = peak()
    copy_to(sys.argv[3], sys.argv[4])
    print(peak() - before)
    """
    small = tmp_path / "small.db"
    with open_store(small) as store:
        begin(store)
    (said,) = outputs([script(code, small, tmp_path / "one.db", source, tmp_path / "two.db")])
    assert source.stat().st_size > 50_000_000
    assert int(said) < 40_000
