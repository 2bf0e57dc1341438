"""A store on PostgreSQL that several people use: upgrades that meet, servers that go away, user rights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from evalkit.errors import StoreAway, StoreError, StoreTooNew
from evalkit.store import check, database, open_store, revisions, upgrade, upgrading
from evalkit.store.server import ServerDatabase

LATER = f"{int(revisions.HEAD) + 1:04}"
STEP = '''
"""A step for the tests: one more column."""
import sqlalchemy as sa
from alembic import op

revision = "{later}"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("suites", sa.Column("owner", sa.Text(), nullable=False, server_default="nobody"))
    {more}
'''
PATCHED = f"""
import sys
from pathlib import Path
from evalkit.store import revisions, upgrading
revisions.REVISIONS = (*revisions.REVISIONS, "{LATER}")
revisions.HEAD = "{LATER}"
upgrading.MIGRATIONS = Path(sys.argv[2])
from evalkit.store import open_store, upgrade
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine may take longer to start a server than anybody would wait for one."""
    monkeypatch.setattr(database, "PATIENCE", 300.0)
    monkeypatch.setitem(ServerDatabase.__init__.__kwdefaults__, "patience", 300.0)


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations with one more step, for processes that are `PATCHED` to know it."""
    folder = tmp_path / "migrations"
    shutil.copytree(upgrading.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    step(folder)
    return folder


def step(folder: Path, more: str = "") -> None:
    text = STEP.format(later=LATER, head=revisions.HEAD, more=more)
    (folder / "versions" / f"r{LATER}_step.py").write_text(text, "utf-8")


@pytest.fixture
def filled(empty_database: str, begin: Any) -> str:
    with open_store(empty_database) as store:
        run = begin(store)
        run.add(run.trial(0))
        run.finish()
    return empty_database


def engine_of(url: str) -> sa.Engine:
    return sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))


def revision_of(url: str) -> str:
    engine = engine_of(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    engine.dispose()
    return str(found)


def test_six_processes_upgrade_a_server_at_once(filled: str, later: Path, script: Any, outputs: Any) -> None:
    code = PATCHED + "done = upgrade(sys.argv[1]); print(done.before, done.after)"
    said = outputs([script(code, filled, later) for _ in range(6)])
    assert sorted(said) == sorted([f"{revisions.HEAD} {LATER}\n"] + [f"{LATER} {LATER}\n"] * 5)
    assert revision_of(filled) == LATER


def test_an_upgrade_of_a_server_killed_in_the_middle_can_be_done_again(
    filled: str, later: Path, script: Any, outputs: Any
) -> None:
    step(later, more="print('half', flush=True); import time; time.sleep(600)")
    process = script(PATCHED + "upgrade(sys.argv[1])", filled, later)
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    assert revision_of(filled) == revisions.HEAD
    step(later)
    assert outputs([script(PATCHED + "print(upgrade(sys.argv[1]).after)", filled, later)]) == [f"{LATER}\n"]


def test_a_step_that_fails_leaves_the_server_as_it_was_and_says_so(
    filled: str, later: Path, script: Any, outputs: Any
) -> None:
    step(later, more='op.execute("INSERT INTO nowhere VALUES (1)")')
    code = """
    from evalkit.errors import StoreError
    try:
        upgrade(sys.argv[1])
    except StoreError as error:
        print(error)
    """
    (said,) = outputs([script(PATCHED + textwrap.dedent(code), filled, later)])
    assert "The upgrade of the store failed" in said
    assert "nothing was changed" in said.lower()
    assert revision_of(filled) == revisions.HEAD
    with open_store(filled) as store:
        assert len(store.runs()) == 1


def test_an_older_server_is_not_written_to_and_the_command_is_named(
    filled: str, later: Path, script: Any, outputs: Any
) -> None:
    code = """
from evalkit.errors import StoreError
for read_only in (False, True):
    try:
        open_store(sys.argv[1], read_only=read_only)
    except StoreError as error:
        print("evalkit db upgrade" in str(error))
"""
    assert outputs([script(PATCHED + code, filled, later)]) == ["True\nTrue\n"]
    assert revision_of(filled) == revisions.HEAD


def test_a_newer_server_is_refused(filled: str, later: Path, script: Any, outputs: Any) -> None:
    outputs([script(PATCHED + "upgrade(sys.argv[1])", filled, later)])
    for work in (open_store, upgrade, check):
        with pytest.raises(StoreTooNew, match="newer evalkit"):
            work(filled)


def test_a_server_restarted_between_two_writes_is_connected_to_again(own_server: Any, begin: Any) -> None:
    with open_store(own_server.url) as store:
        run = begin(store)
        run.add(run.trial(0))
        own_server.stop("immediate")
        own_server.start()
        run.add(run.trial(1))
        assert run.trials() == (run.trial(0), run.trial(1))


def test_writing_waits_for_a_server_that_comes_back(own_server: Any, begin: Any) -> None:
    with open_store(own_server.url) as store:
        run = begin(store)
        own_server.stop("immediate")
        tried = threading.Event()
        connect = store._database._engine.connect

        def noted() -> Any:
            tried.set()
            return connect()

        store._database._engine.connect = noted
        back = threading.Thread(target=lambda: (tried.wait(60), own_server.start()))
        back.start()
        run.add(run.trial(0))
        back.join(60)
        assert run.trials() == (run.trial(0),)


def test_a_transaction_that_broke_is_done_again_and_nothing_is_there_twice(own_server: Any, begin: Any) -> None:
    with open_store(own_server.url) as store:
        run = begin(store, size=20)
        engine = store._database._engine
        breaks = iter([True, False, True, False])

        def break_before(connection: Any) -> None:
            if next(breaks, False):
                own_server.stop("immediate")
                own_server.start()

        sa.event.listen(engine, "commit", break_before)
        for index in range(4):
            run.add(run.trial(index))
        sa.event.remove(engine, "commit", break_before)
        assert run.trials() == tuple(run.trial(index) for index in range(4))
    assert check(own_server.url).counts["trials"] == 4


def test_an_answer_that_got_lost_after_the_commit_doubles_nothing(
    own_server: Any, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(own_server.url) as store:
        run = begin(store)
        real = sa.Engine.connect
        lost = iter([True, False, True, False, False])

        class Losing:
            """A connection whose commit works, while the answer to it does not arrive."""

            def __init__(self, connection: sa.Connection) -> None:
                self._real = connection

            def __getattr__(self, name: str) -> Any:
                return getattr(self._real, name)

            def __enter__(self) -> Any:
                return self

            def __exit__(self, *about: Any) -> None:
                failed = about[0] is not None
                self._real.close()
                if not failed and next(lost, False):
                    raise sa.exc.OperationalError("COMMIT", None, Exception("server closed the connection"))

        monkeypatch.setattr(store._database._engine, "connect", lambda: Losing(real(store._database._engine)))
        run.add(run.trial(0), run.trial(1))
        store.finish_run(run.run_id, status="complete", finished_at=run.trial(0).started_at, metrics=[], verdicts=[])
        monkeypatch.undo()
        assert run.trials() == (run.trial(0), run.trial(1))
        assert dict(store.runs()[0].counts)["passed"] == 2


def test_a_server_that_stays_away_is_given_up_once_and_then_fails_at_once(own_server: Any, begin: Any) -> None:
    with open_store(own_server.url) as store:
        run = begin(store)
        store._database._patience = 0.3
        own_server.stop("immediate")
        with pytest.raises(StoreAway, match="cannot be reached"):
            run.add(run.trial(0))
        slept: list[float] = []
        real = time.sleep
        time.sleep = lambda seconds: (slept.append(seconds), real(seconds))[1]  # type: ignore[assignment]
        try:
            with pytest.raises(StoreAway):
                run.add(run.trial(0))
        finally:
            time.sleep = real
        assert slept == [], "it was waited for once; until it answers, nobody waits again"
        own_server.start()
        run.add(run.trial(0))
        assert run.trials() == (run.trial(0),)


def test_a_fork_does_not_share_the_connection(filled: str) -> None:
    store = open_store(filled)
    assert len(store.runs()) == 1
    assert isinstance(store._database, ServerDatabase)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if len(store.runs()) == 1 else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(store.runs()) == 1
    store.close()


def test_a_run_goes_on_while_the_server_is_restarted(own_server: Any, tmp_path: Path) -> None:
    """A whole pytest session: the server crashes and comes back in its middle, and the run is complete."""
    (tmp_path / "test_inner.py").write_text(
        """
import pathlib, time
import evalkit
from evalkit import Case

HERE = pathlib.Path(__file__).parent

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

@evalkit.suite(dataset=[Case(id=f"c{i}", input=i, expected=i) for i in range(30)], scorers=[same])
def test_inner(case):
    if case.input == 10:
        (HERE / "now").touch()
        for _ in range(6000):
            if (HERE / "went").exists():
                break
            time.sleep(0.01)
    return case.input
""",
        "utf-8",
    )
    session = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "test_inner.py"],
        cwd=tmp_path,
        env={**os.environ, "EVALKIT_STORE": own_server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not (tmp_path / "now").exists():
        assert session.poll() is None, session.communicate()[0]
        time.sleep(0.01)
    own_server.stop("immediate")
    (tmp_path / "went").touch()
    own_server.start()
    said, _ = session.communicate(timeout=300)
    assert session.returncode == 0, said
    with open_store(own_server.url) as store:
        (found,) = store.runs()
        assert (found.status, found.degraded, found.counts["passed"]) == ("complete", "", 30)


def test_what_the_server_refuses_is_not_tried_again(empty_database: str) -> None:
    with open_store(empty_database) as store:
        with pytest.raises(StoreError) as caught, store._database.writing() as session:
            session.execute("INSERT INTO metrics (run_id, position) VALUES ('nowhere', 1)")
        assert not isinstance(caught.value, StoreAway)


def test_options_in_the_address_are_used(empty_database: str) -> None:
    asked = sa.make_url(empty_database).update_query_dict({"options": "-c synchronous_commit=off"})
    with open_store(asked.render_as_string(hide_password=False)) as store, store._database.reading() as session:
        assert session.execute("SHOW synchronous_commit") == [("off",)]
        assert session.execute("SHOW lock_timeout") == [("30s",)]
