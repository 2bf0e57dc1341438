"""A backup is proved before it replaces anything, and what it replaces is kept."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import NotFound, StoreCorrupt, StoreError, StoreLocked
from evalkit.store import backup, check, checking, open_store, restore, revisions, schema


@pytest.fixture
def full(store: Any, begin: Any) -> Any:
    """A run of 20 trials in a store that is still open, its log not folded in."""
    run = begin(store, size=20)
    run.add(*(run.trial(index) for index in range(20)))
    return run


def test_a_backup_of_a_store_in_use_is_whole(full: Any, path: Path, tmp_path: Path) -> None:
    made = backup(path, tmp_path / "copies" / "monday.db")
    full.add(full.trial(0, number=2))
    assert (made.runs, made.schema, made.source) == (1, revisions.HEAD, str(path))
    assert json.loads(made.manifest.read_text())["sha256"] == made.sha256
    restore(made.path, tmp_path / "again.db")
    assert sorted(file.name for file in made.path.parent.iterdir()) == ["monday.db", "monday.db.json"]
    assert check(tmp_path / "again.db").counts["trials"] == 20


def test_backups_while_another_process_writes(full: Any, path: Path, tmp_path: Path, script: Any) -> None:
    writer = script(
        """
        import datetime as dt, sys
        from evalkit.store import open_store
        from evalkit.trial import Output, Trial

        path, run_id = sys.argv[1:]
        with open_store(path) as store:
            for number in range(2, 100_000):
                store.add_trials(run_id, "math", [Trial(
                    case_id="case-000", number=number, output=Output(value="x" * 3000), outcome="passed",
                    started_at=dt.datetime.now(dt.UTC), duration=0.1,
                )])
                print(number, flush=True)
        """,
        path,
        full.run_id,
    )
    try:
        for index in range(5):
            acknowledged = int(writer.stdout.readline())
            made = backup(path, tmp_path / f"{index}.db")
            restore(made.path, tmp_path / f"again-{index}.db")
            found = check(tmp_path / f"again-{index}.db")
            assert found.ok
            assert found.counts["trials"] >= 20 + acknowledged - 1
            assert found.counts["scores"] == 20
    finally:
        writer.kill()
        writer.communicate()


def test_a_folder_as_target_gives_the_backup_a_dated_name(full: Any, path: Path, tmp_path: Path) -> None:
    made = backup(f"sqlite:///{path}", tmp_path)
    assert made.path.parent == tmp_path
    assert made.path.name.startswith("evalkit-20")
    assert made.path.suffix == ".db"


def test_a_backup_overwrites_nothing(full: Any, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious.txt"
    target.write_text("precious")
    with pytest.raises(StoreError, match="overwrite"):
        backup(path, target)
    assert target.read_text() == "precious"


@pytest.mark.parametrize("by", ["file", "manifest"])
def test_restoring_brings_back_the_state_and_keeps_what_was_there(
    full: Any, path: Path, tmp_path: Path, by: str
) -> None:
    made = backup(path, tmp_path / "b.db")
    full.add(full.trial(0, number=2))
    full.store.close()
    kept = restore(made.path if by == "file" else made.manifest, path)
    with open_store(path) as store:
        assert len(store.load(full.run_id).suite("math").trials) == 20
    assert kept is not None
    with open_store(kept) as store:
        assert len(store.load(full.run_id).suite("math").trials) == 21


def test_restoring_where_there_is_no_store(full: Any, path: Path, tmp_path: Path) -> None:
    made = backup(path, tmp_path / "b.db")
    elsewhere = tmp_path / "new" / "evalkit.db"
    assert restore(made.path, elsewhere) is None
    assert check(elsewhere).counts["trials"] == 20


def test_restoring_over_a_damaged_store(full: Any, path: Path, tmp_path: Path) -> None:
    made = backup(path, tmp_path / "b.db")
    full.store.close()
    path.write_bytes(b"garbage" * 1000)
    kept = restore(made.path, path)
    assert kept is not None
    assert kept.read_bytes() == b"garbage" * 1000
    assert check(path).ok


def test_a_backup_that_changed_is_refused_and_the_store_left_alone(full: Any, path: Path, tmp_path: Path) -> None:
    made = backup(path, tmp_path / "b.db")
    full.store.close()
    content = bytearray(made.path.read_bytes())
    content[-10] ^= 1
    made.path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="SHA-256 differs"):
        restore(made.path, path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.restoring"))


def test_a_store_in_use_is_not_replaced(full: Any, path: Path, tmp_path: Path) -> None:
    made = backup(path, tmp_path / "b.db")
    with pytest.raises(StoreLocked, match="has the store open"):
        restore(made.path, path)
    full.add(full.trial(0, number=2))
    assert len(full.trials()) == 21


@pytest.mark.parametrize("missing", ["copy", "manifest"])
def test_half_a_backup(full: Any, path: Path, tmp_path: Path, missing: str) -> None:
    made = backup(path, tmp_path / "b.db")
    (made.path if missing == "copy" else made.manifest).unlink()
    with pytest.raises(NotFound):
        restore(made.manifest if missing == "copy" else made.path, tmp_path / "x.db")
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"file": 3}', "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")]
)
def test_a_manifest_that_is_none(full: Any, path: Path, tmp_path: Path, text: str) -> None:
    made = backup(path, tmp_path / "b.db")
    made.manifest.write_text(text, "utf-8")
    with pytest.raises(StoreCorrupt, match="no manifest"):
        restore(made.path, tmp_path / "x.db")


def test_a_manifest_cannot_point_out_of_its_folder(full: Any, path: Path, tmp_path: Path) -> None:
    made = backup(path, tmp_path / "copies" / "b.db")
    secret = tmp_path / "secret.db"
    secret.write_bytes(made.path.read_bytes())
    said = json.loads(made.manifest.read_text())
    made.manifest.write_text(json.dumps(said | {"file": "../secret.db"}))
    with pytest.raises(NotFound):
        restore(made.manifest, tmp_path / "x.db")


def test_what_is_no_store_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        backup(tmp_path / "none.db", tmp_path / "b.db")
    foreign = tmp_path / "foreign.db"
    database = sqlite3.connect(foreign)
    database.execute("CREATE TABLE t (x)")
    database.close()
    with pytest.raises(StoreCorrupt):
        backup(foreign, tmp_path / "b.db")
    with pytest.raises(StoreError, match="pg_dump"):
        backup("postgresql://user:secret@host/db", tmp_path / "b.db")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["foreign.db"]


def test_check_looks_at_every_table() -> None:
    assert set(checking.TABLES) == set(schema.metadata.tables)


def test_check_counts_rows_and_finds_a_blob_that_changed(full: Any, path: Path) -> None:
    full.add(full.trial(0, number=2, case_id="x" * 10, output=full.trial(0).output.__class__(value="y" * 20_000)))
    found = check(path)
    assert found.ok
    assert (found.schema, found.needs_upgrade) == (revisions.HEAD, False)
    assert found.counts["trials"] == 21
    assert found.counts["blobs"] == 1
    full.store.close()
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE blobs SET encoding = 'raw', data = CAST('other' AS BLOB)")
        database.execute("UPDATE trials SET suite_id = 77 WHERE trial = 2")
    database.close()
    found = check(path)
    assert not found.ok
    assert any("other content" in problem for problem in found.problems)
    assert any("refer to something that is missing" in problem for problem in found.problems)


def test_check_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        check(tmp_path / "none.db")
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreCorrupt):
        check(tmp_path / "garbage.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(NotFound):
        check(tmp_path / "empty.db")
