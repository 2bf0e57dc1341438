"""A store that is full or read-only, and files that take nothing, by means that every machine has.

SQLite itself refuses here: `max_page_count` gives the error of a full disk, `query_only` that of a read-only one. What
real disks do is in `test_disks_that_refuse.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.store import open_store

REFUSES = """
import os
import evalkit.store.store as store
from evalkit.store.sqlite import SqliteDatabase

add_trials, batches = store.Store.add_trials, [0]
PRAGMA = {"full": "max_page_count = 1", "read-only": "query_only = ON"}[os.environ["REFUSAL"]]

def refused(self, *arguments, **options):
    batches[0] += 1
    if batches[0] == int(os.environ["AFTER"]):
        self._database._connection.execute(f"PRAGMA {PRAGMA}")
    return add_trials(self, *arguments, **options)

store.Store.add_trials = refused
"""
SAID = {"full": "No space is left for the store.", "read-only": "The store cannot be written"}


@pytest.mark.slow
@pytest.mark.parametrize("refusal", SAID)
def test_a_store_that_refuses_in_the_middle_of_a_session(
    tmp_path, start, look, count, times, facts, undisturbed, put_back, refusal
):
    counted = count("sqlite")
    for number in range(times(2, 10)):
        path = tmp_path / f"{number}.db"
        environment = {"REFUSAL": refusal, "AFTER": str(1 + number), "SECONDS_A_CASE": "0.05"}
        session = start(str(path), conftest=REFUSES, env=environment)
        assert session.wait() == 1, session.text
        assert f"The store failed: {SAID[refusal]}" in session.text
        with open_store(path) as store:
            assert store.load(store.resolve("last")).status == "running", "what is in the spool is not there yet"
            assert put_back(store, session)
        run = look(str(path), session, set(), counted)
        assert facts(run) == undisturbed()
        assert run.degraded
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


NOWHERE = """
import errno, os, pathlib
import evalkit.store.spool as spool

append = spool._append

def refused(path, line):
    if not pathlib.Path(os.environ["ROOM"]).exists():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    append(path, line)

spool._append = refused
"""


@pytest.mark.slow
@pytest.mark.parametrize("is_made", [False, True], ids=["no room at all", "room that is made"])
def test_a_spool_that_finds_no_room(tmp_path, start, look, count, facts, undisturbed, put_back, is_made):
    """What is reported while no file takes anything is kept as soon as one does; else what is lost is said."""
    counted, path, room = count("sqlite"), tmp_path / "evalkit.db", tmp_path / "room"
    environment = {"REFUSAL": "full", "AFTER": "3", "ROOM": str(room), "SECONDS_A_CASE": "0.1"}
    session = start(str(path), conftest=REFUSES + NOWHERE, env=environment)
    session.until(reported=80)
    if is_made:
        room.touch()
    assert session.wait() == 1, session.text
    assert ("lost" in session.text) is not is_made
    with open_store(path) as store:
        assert put_back(store, session) is is_made
        if is_made:
            run = look(str(path), session, set(), counted)
            assert facts(run) == undisturbed()
        else:
            kept = store.load(store.resolve("last"))
            assert f"pytest --evalkit-resume {kept.id}" in session.text
            assert kept.verdicts == ()
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no /dev/full")
@pytest.mark.parametrize("option", ["--evalkit-report", "--evalkit-markdown"])
def test_pages_that_cannot_be_written(tmp_path, start, count, option):
    """It is said, and the run is what it is; the device is still the device, though root could replace it."""
    path = tmp_path / "evalkit.db"
    session = start(str(path), arguments=[f"{option}=/dev/full"], env={"SECONDS_A_CASE": "0"})
    assert session.wait() == 1, session.text
    assert "could not be written: /dev/full" in session.text
    assert "No space left on device" in session.text
    assert "Traceback" not in session.text
    assert Path("/dev/full").is_char_device()
    assert not [*Path("/dev").glob(".full*")]
    with open_store(path) as store:
        run = store.load(store.resolve("last"))
    assert (run.status, run.decision, run.degraded) == ("complete", "fail", "")
    count("sqlite").faults += 1


@pytest.mark.slow
def test_a_bundle_that_cannot_be_written_any_more(tmp_path, start, count):
    """The shard goes on and is in its store; that its bundle is no whole one is said, and none is left that looks so."""
    source = """
import errno, os
import evalkit.store.spool as spool

append = spool._append

def refused(path, line):
    if path.name.endswith(".unfinished") and b'"add_trials"' in line and b"c9" in line:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    append(path, line)

spool._append = refused
"""
    path, bundle = tmp_path / "evalkit.db", tmp_path / "bundle.jsonl"
    arguments = ["--evalkit-shard=1/2", f"--evalkit-bundle={bundle}"]
    session = start(str(path), conftest=source, arguments=arguments, env={"SECONDS_A_CASE": "0"})
    session.wait()
    assert f"The bundle {bundle} is not whole" in session.text.replace("\n", " "), session.text
    assert "No space left on device" in session.text
    assert "Traceback" not in session.text
    assert not bundle.exists()
    with open_store(path) as store:
        run = store.load(store.resolve("last"))
    assert {trial.case_id for trial in run.suites[0].trials} >= session.acknowledged
    assert len(run.suites[0].trials) >= 100
    count("sqlite").faults += 1


@pytest.mark.slow
def test_a_server_that_is_full_or_only_read_from(empty_database, start, look, count, facts, undisturbed, put_back):
    """As where its disk is full, and as where it has become the one that only follows another."""
    import psycopg

    counted = count(empty_database)
    open_store(empty_database).close()
    plain = empty_database.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
        )
        session = start(empty_database, env={"SECONDS_A_CASE": "0.05"})
        session.until(reported=40)
        connection.execute("CREATE TRIGGER full_disk BEFORE INSERT ON trials EXECUTE FUNCTION full_disk()")
        assert session.wait() == 1, session.text
        assert "The store failed: The server of the store is out of space." in session.text
        connection.execute("DROP TRIGGER full_disk ON trials")
        with open_store(empty_database) as store:
            assert put_back(store, session)
        run = look(empty_database, session, set(), counted)
        assert facts(run) == undisturbed()
        assert run.degraded
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    session = start(empty_database)
    assert session.wait() == 4, session.text
    assert not session.acknowledged
    assert "The server does not let this user do that." in session.text
    assert "Traceback" not in session.text
    counted.faults += 1
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)
