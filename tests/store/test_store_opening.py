"""Opening a store: where it can be, and what is said where it cannot."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import (
    ConfigError,
    EvalkitError,
    NotFound,
    StoreCorrupt,
    StoreError,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
)
from evalkit.store import check, open_store, revisions


def set_revision(path: Path, revision: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", [revision])


def assert_helpful(error: EvalkitError, path: Path) -> None:
    assert str(path) in str(error)
    assert error.why or error.hint
    assert error.exit_code == 2


def test_a_new_store_is_made_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "evalkit.db"
    with open_store(path) as store:
        assert store.url == f"sqlite:///{path}"
        assert store.schema_version() == revisions.HEAD
    assert path.is_file()
    assert not path.with_name("evalkit.db-wal").exists()


def test_a_path_a_string_and_a_url_are_the_same_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("e v.db") as store:
        run_id = begin(store).run_id
    for url in (tmp_path / "e v.db", "sqlite:///e v.db", "sqlite:///e%20v.db", f"sqlite:///{tmp_path}/e v.db"):
        with open_store(url, create=False) as store:
            assert store.resolve("last") == run_id


@pytest.mark.parametrize("name", ["100%20 sure?.db", "#1;x=y&z.db", "größe.db"])
def test_the_url_of_a_store_opens_it_whatever_the_file_is_called(tmp_path: Path, begin: Any, name: str) -> None:
    with open_store(tmp_path / name) as store:
        begin(store)
        url = store.url
    assert [file.name for file in tmp_path.iterdir()] == [name]
    with open_store(url, create=False) as store:
        assert len(store.runs()) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no place for a store"),
        (":memory:", "no place for a store"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgressql://h/d", 'Did you mean "postgresql"'),
        ("mysql://h/d", "cannot be at"),
    ],
)
def test_a_url_that_is_no_stores(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        open_store(url)


@pytest.mark.parametrize("options", [{"create": False}, {"read_only": True}])
def test_no_store_there(tmp_path: Path, options: dict[str, bool]) -> None:
    path = tmp_path / "none" / "evalkit.db"
    with pytest.raises(NotFound, match="no store at"):
        open_store(path, **options)
    assert not path.parent.exists()


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="this is a folder") as caught:
        open_store(tmp_path)
    assert_helpful(caught.value, tmp_path)


def test_an_empty_file_becomes_a_store(tmp_path: Path, begin: Any) -> None:
    path = tmp_path / "evalkit.db"
    path.touch()
    with pytest.raises(NotFound, match="empty"):
        open_store(path, read_only=True)
    with open_store(path) as store:
        begin(store)
        assert len(store.runs()) == 1


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"{}", b"SQLite format 3\x00" + b"\xff" * 5000])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes, read_only: bool) -> None:
    path = tmp_path / "evalkit.db"
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt) as caught:
        open_store(path, read_only=read_only)
    assert_helpful(caught.value, path)
    assert path.read_bytes() == content


def test_a_database_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="not a store of evalkit") as caught:
        open_store(path)
    assert "recipes" in str(caught.value)
    assert path.read_bytes() == before


def test_a_damaged_page_is_reported(store: Any, begin: Any, path: Path) -> None:
    run = begin(store, size=500)
    run.add(*(run.trial(index) for index in range(500)))
    store.close()
    content = bytearray(path.read_bytes())
    start = content.index(b"answer 250") // 4096 * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with open_store(path) as damaged, pytest.raises(StoreCorrupt, match="damaged") as caught:
        damaged.load(run.run_id)
    assert_helpful(caught.value, path)
    assert not check(path).ok


@pytest.mark.parametrize("revision", ["0005", "9999", "f00dcafe"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_from_the_future_is_refused_and_not_touched(
    store: Any, path: Path, revision: str, read_only: bool
) -> None:
    store.close()
    set_revision(path, revision)
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer evalkit") as caught:
        open_store(path, read_only=read_only)
    assert_helpful(caught.value, path)
    assert "pip install -U" in str(caught.value)
    assert path.read_bytes() == before


def test_a_store_that_lost_its_revision(store: Any, path: Path) -> None:
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM alembic_version")
    with pytest.raises(StoreCorrupt, match="which schema"):
        open_store(path)


def test_a_lock_that_another_process_keeps(store: Any, begin: Any, path: Path, script: Any) -> None:
    run = begin(store)
    holder = script(
        """
        import sqlite3, sys
        database = sqlite3.connect(sys.argv[1], isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        print("held", flush=True)
        sys.stdin.read()
        """,
        path,
        stdin=-1,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with open_store(path, timeout=0.2) as impatient:
            assert impatient.runs()[0].id == run.run_id, "reading goes on while another writes"
            with pytest.raises(StoreLocked, match=r"waited 0\.2 s") as caught:
                impatient.add_trials(run.run_id, "math", [run.trial(0)])
            assert_helpful(caught.value, path)
            holder.communicate(timeout=20)
            impatient.add_trials(run.run_id, "math", [run.trial(0)])
    finally:
        holder.kill()
        holder.communicate()
    assert run.trials() == (run.trial(0),)


def test_a_store_opened_for_reading_takes_nothing(store: Any, begin: Any, path: Path) -> None:
    run = begin(store)
    run.add(run.trial(0))
    with open_store(path, read_only=True) as reading:
        assert reading.load(run.run_id).suite("math").trials == (run.trial(0),)
        with pytest.raises(StoreReadOnly, match="for reading only"):
            reading.heartbeat(run.run_id)


@pytest.mark.parametrize("limit", ["max_page_count", "file size"])
def test_no_space_left(store: Any, begin: Any, path: Path, script: Any, outputs: Any, limit: str) -> None:
    run = begin(store)
    run.add(run.trial(0))
    store.close()
    writer = script(
        """
        import datetime as dt, os, resource, signal, sys
        from evalkit.errors import StoreFull
        from evalkit.store import open_store
        from evalkit.trial import Output, Trial

        path, run_id, limit = sys.argv[1:]
        store = open_store(path)
        if limit == "file size":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        else:
            store._database._connection.execute("PRAGMA max_page_count = 300")

        def write(number, size):
            store.add_trials(run_id, "math", [Trial(
                case_id="case-001", number=number, output=Output(value=os.urandom(size // 2).hex()),
                outcome="passed", started_at=dt.datetime.now(dt.UTC), duration=0.1,
            )])

        done = 0
        try:
            while True:
                write(done + 1, 200_000)
                done += 1
        except StoreFull as error:
            print(done, error.where == path, flush=True)
        try:
            write(999, 50_000_000)
        except StoreFull:
            print("still full", flush=True)
        """,
        path,
        run.run_id,
        limit,
    )
    (said,) = outputs([writer])
    done, rest = said.split(maxsplit=1)
    assert int(done) >= 3
    assert rest == "True\nstill full\n"
    with open_store(path) as again:
        trials = again.load(run.run_id).suite("math").trials
    assert len(trials) == 1 + int(done), "what was acknowledged is there, and nothing of what was refused"
    assert check(path).ok


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that any user may enter, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="evalkit-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes mean something else there")
@pytest.mark.parametrize("what", ["file", "folder", "both", "no store yet"])
def test_a_file_or_folder_without_the_right_to_write(
    public: Path, begin: Any, script: Any, outputs: Any, what: str
) -> None:
    path = public / "evalkit.db"
    if what != "no store yet":
        with open_store(path) as store:
            run = begin(store)
            run.add(run.trial(0))
        path.chmod(0o444 if what in ("file", "both") else 0o666)
    public.chmod(0o777 if what == "file" else 0o555)
    reader = script(
        """
        import os, sys
        import evalkit.store.listing, evalkit.store.naming, evalkit.store.reader, evalkit.store.spool
        from evalkit.errors import NotFound, StoreReadOnly
        from evalkit.store import open_store

        if os.geteuid() == 0:  # whom file modes do not concern
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        path = sys.argv[1]
        try:
            with open_store(path) as store:
                store.heartbeat("any")
        except StoreReadOnly as error:
            print(error.where == path, bool(error.hint))
        try:
            with open_store(path, read_only=True) as store:
                run_id = store.resolve("last")
                print(len(store.load(run_id).suite("math").trials))
        except NotFound:
            print("none")
        """,
        path,
    )
    (said,) = outputs([reader])
    assert said.split() == ["True", "True", "none" if what == "no store yet" else "1"]


def test_the_default_folder_keeps_itself_out_of_commits(tmp_path):
    open_store(tmp_path / ".evalkit" / "evalkit.db").close()
    assert (tmp_path / ".evalkit" / ".gitignore").read_text() == "*\n"
    open_store(tmp_path / "mine" / "evalkit.db").close()
    assert not (tmp_path / "mine" / ".gitignore").exists()
