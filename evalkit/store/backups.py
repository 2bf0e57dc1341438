"""Copies of a store that are known to be whole, and the way back from one.

A backup is a file made by SQLite's online copy, while others go on writing, and beside it a manifest: JSON with the
SHA-256 of the file. Restoring proves the copy first and swaps it in last; the store it replaces is kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalkit.canonical import utc_now
from evalkit.errors import NotFound, StoreCorrupt, StoreError, StoreFull, StoreLocked, StoreReadOnly
from evalkit.store.address import parse
from evalkit.store.cells import time_cell
from evalkit.store.opening import WAIT, check_revision, prepare_path
from evalkit.store.sqlite import SqliteDatabase

_FORMAT = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup as its manifest describes it; `path` is the copy, `runs` how many runs are in it."""

    path: Path
    manifest: Path
    sha256: str
    size: int
    schema: str
    runs: int
    source: str
    made_at: str


def backup(url: str | Path, target: str | Path) -> Backup:
    """Copy the store at `url` to the file `target`, or into the folder `target`, with a manifest beside it.

    Others may go on using the store; the copy is its state at one moment. Raises `StoreError` where `target` is
    there already, or `url` is a server, whose own tools do this better (`pg_dump`).
    """
    source = _path_of(url, "backed up", "pg_dump")
    target = Path(target).expanduser().absolute()
    if target.is_dir():
        stamp = utc_now().strftime("%Y%m%dT%H%M%SZ")
        target = target / f"{source.stem}-{stamp}{source.suffix}"
    if target.exists():
        raise StoreError("The backup would overwrite a file.", where=str(target), hint="Give another name.")
    return copy_store(source, target)


def copy_store(source: Path, target: Path) -> Backup:
    """A backup of the file `source` at `target`, replacing what is there; both appear whole or not at all."""
    prepare_path(target, create=True)
    part = target.with_name(f"{target.name}.part")
    with _writing(part):
        _copy_pages(source, part)
        database = SqliteDatabase(part, still=True)
        try:
            schema = check_revision(database, where=str(source))
            with database.reading() as session:
                runs: int = session.execute("SELECT COUNT(*) FROM runs")[0][0]
        finally:
            database.close()
        made = Backup(
            path=target,
            manifest=manifest_of(target),
            sha256=_sha256(part),
            size=part.stat().st_size,
            schema=schema,
            runs=runs,
            source=str(source),
            made_at=time_cell(utc_now()),
        )
        part.replace(target)
        _write_manifest(made)
    return made


def restore(backup: str | Path, url: str | Path) -> Path | None:
    """Put a backup, named by its file or its manifest, in the place of the store at `url`.

    The copy has to have the digest of its manifest and to be whole, and nobody may have the store open
    (`StoreLocked`). The store that was there is kept; its new path is returned, `None` where there was none.
    Raises `StoreCorrupt` for a backup that is not what it was, `NotFound` for one that is not there.
    """
    target = _path_of(url, "restored", "pg_restore")
    found = read_backup(backup)
    _prove(found)
    prepare_path(target, create=True)
    part = target.with_name(f"{target.name}.restoring")
    with _writing(part):
        shutil.copyfile(found.path, part)
        if _sha256(part) != found.sha256:
            raise StoreCorrupt("The copy of the backup came out different.", where=str(part))
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        kept = _set_aside(target)
        part.replace(target)
        _sync_folder(target.parent)
    return kept


def read_backup(name: str | Path) -> Backup:
    """The backup that `name`, its file or its manifest, stands for."""
    path = Path(name).expanduser().absolute()
    manifest = path if path.suffix == ".json" else manifest_of(path)
    for wanted in (path, manifest):
        if not wanted.is_file():
            raise NotFound(f"There is no file {wanted}.", hint="A backup is two files: the copy and its .json.")
    try:
        said: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        found = Backup(
            path=manifest.with_name(Path(said["file"]).name),
            manifest=manifest,
            **{key: said[key] for key in ("sha256", "size", "schema", "runs", "source", "made_at")},
        )
    except (ValueError, KeyError, TypeError):
        raise StoreCorrupt("The file is no manifest of a backup.", where=str(manifest)) from None
    if not found.path.is_file():
        raise NotFound(f"The backup {found.path} is missing beside its manifest.", where=str(manifest))
    return found


def manifest_of(path: Path) -> Path:
    """Where the manifest of the backup `path` is."""
    return path.with_name(f"{path.name}.json")


@contextlib.contextmanager
def _writing(part: Path) -> Iterator[None]:
    """What is written to `part` is moved away in the end, or removed; an error of the disk says what it means."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        kind = {errno.ENOSPC: StoreFull, errno.EDQUOT: StoreFull, errno.EROFS: StoreReadOnly}.get(
            error.errno or 0, StoreError
        )
        raise kind(
            f"The copy cannot be written: {error.strerror or error}.",
            where=str(part.parent),
            why="The store is as it was.",
            hint="Free some space there, or make the folder writable.",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # as on a disk that is read-only, where there is nothing to remove
            _remove(part)


def _path_of(url: str | Path, done: str, tool: str) -> Path:
    address = parse(url)
    if address.path is None:
        raise StoreError(f"A store on a server is not {done} by evalkit.", where=address.shown, hint=f"Use {tool}.")
    return address.path


def _copy_pages(source: Path, target: Path) -> None:
    if not source.exists():
        raise NotFound(f"There is no store at {source}.")
    database = SqliteDatabase(source, read_only=True, timeout=WAIT)
    try:
        database.copy_to(target)
    finally:
        database.close()
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _write_manifest(made: Backup) -> None:
    said = {
        "format": _FORMAT,
        "file": made.path.name,
        "sha256": made.sha256,
        "size": made.size,
        "schema": made.schema,
        "runs": made.runs,
        "source": made.source,
        "made_at": made.made_at,
    }
    part = made.manifest.with_name(f"{made.manifest.name}.part")
    part.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    part.replace(made.manifest)
    _sync_folder(made.path.parent)


def _prove(found: Backup) -> None:
    if _sha256(found.path) != found.sha256:
        raise StoreCorrupt(
            "The backup is not what its manifest says: the SHA-256 differs.",
            where=str(found.path),
            why="It was changed or damaged after it was made; nothing was restored.",
        )
    database = SqliteDatabase(found.path, still=True)
    try:
        check_revision(database, where=str(found.path))
        with database.reading() as session:
            said = [line for (line,) in session.execute("PRAGMA integrity_check")]
    finally:
        database.close()
    if said != ["ok"]:
        raise StoreCorrupt("The backup is damaged.", where=str(found.path), why=f"SQLite says: {said[0]}")


def _set_aside(target: Path) -> Path | None:
    if not target.exists():
        return None
    kept = target.with_name(f"{target.name}.replaced-{utc_now().strftime('%Y%m%dT%H%M%S%fZ')}")
    with contextlib.suppress(sqlite3.DatabaseError):  # a damaged store is moved as it is
        _fold_log(target)
    target.rename(kept)
    for ending in ("-wal", "-shm"):
        beside = target.with_name(target.name + ending)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + ending))
    return kept


def _fold_log(target: Path) -> None:
    """Bring the log back into the file; only possible, and only allowed, when nobody else has the store open."""
    with contextlib.closing(sqlite3.connect(target, timeout=1.0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreLocked(
                    "Another process has the store open.",
                    where=str(target),
                    why="What it writes from now on would be lost.",
                    hint="Let the runs finish, close what reads it, then restore.",
                ) from None
            raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(part: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + ending).unlink(missing_ok=True)
