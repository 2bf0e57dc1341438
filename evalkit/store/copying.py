"""Copies a whole store to another place: from a file to a server, or back, all of it or nothing.

The source is read in one transaction, its state at one moment, while others go on using it. The target is written in
one as well, and read back before that is committed: for each table the number of rows and a digest of them have to
be those of the source. Rows go through in small parts, whatever the size of the store.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, Table

from evalkit.errors import ConfigError, StoreError
from evalkit.store.address import parse
from evalkit.store.database import Database, Row, Session
from evalkit.store.opening import open_database
from evalkit.store.schema import metadata

_ROWS, _BYTES = 500, 4_000_000
_LARGE = frozenset({"blobs", "exchanges"})
_MODULUS = 1 << 256


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is in a table; `digest` is the sum of the SHA-256 of its rows, modulo 2^256, so that no order matters."""

    rows: int
    digest: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy did. `already` says that the same was there before, and nothing was written.

    `running` are the runs that had not finished at that moment: what they wrote until then is in the copy, in which
    they will be shown as interrupted.
    """

    source: str
    target: str
    tables: Mapping[str, Content]
    already: bool
    running: tuple[str, ...]


class _Sum:
    def __init__(self) -> None:
        self.rows, self.total = 0, 0

    def see(self, row: Row) -> Row:
        cells = tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row)
        self.rows += 1
        digest = hashlib.sha256(repr(cells).encode("utf-8", "surrogatepass")).digest()
        self.total = (self.total + int.from_bytes(digest)) % _MODULUS
        return cells

    def content(self) -> Content:
        return Content(rows=self.rows, digest=f"{self.total:064x}")


def copy_to(source: str | Path, target: str | Path, *, say: Callable[[str, int], None] | None = None) -> Copied:
    """Copy the store at `source` to `target`, which is made; `say` is told each table and its rows as they are done.

    Nothing happens where `target` has the same already. Raises `StoreError` where it has something else, or where
    what came back is not what went in; nothing was written then. Raises `NotFound` where there is no source.
    """
    here, there = parse(source), parse(target)
    if here.shown == there.shown:
        raise ConfigError("A store cannot be copied to itself.", where=here.shown)
    origin = open_database(here, create=False, read_only=True)
    try:
        destination = open_database(there, create=True, read_only=False)
        try:
            return _copy(origin, destination, say or _say_nothing)
        finally:
            destination.close()
    finally:
        origin.close()


def _say_nothing(_: str, __: int) -> None:
    pass


def _copy(origin: Database, destination: Database, say: Callable[[str, int], None]) -> Copied:
    tables = metadata.sorted_tables
    with origin.reading() as source, destination.writing() as target:
        running = tuple(run for (run,) in source.execute("SELECT id FROM runs WHERE status = 'running' ORDER BY id"))
        filled = [table for table in tables if target.execute(f"SELECT 1 FROM {table.name} LIMIT 1")]  # noqa: S608
        contents: dict[str, Content] = {}
        for table in tables:
            seen = _Sum()
            rows = (seen.see(row) for row in _rows(source, table))
            if filled:
                for _ in rows:
                    pass
            else:
                _write(target, table, rows)
            contents[table.name] = seen.content()
            say(table.name, seen.rows)
        _compare(target, contents, destination.url, filled=bool(filled))
        if not filled:
            target.settle()
    return Copied(source=origin.url, target=destination.url, tables=contents, already=bool(filled), running=running)


def _rows(session: Session, table: Table) -> Iterator[Row]:
    columns = ", ".join(column.name for column in table.columns)
    key = list(table.primary_key.columns)
    counted = len(key) == 1 and isinstance(key[0].type, Integer)
    order = f" ORDER BY {key[0].name}" if counted else ""  # the audit log takes its rows in their order only
    return session.stream(
        f"SELECT {columns} FROM {table.name}{order}",  # noqa: S608 - our own names
        at_once=10 if table.name in _LARGE else _ROWS,
    )


def _write(session: Session, table: Table, rows: Iterable[Row]) -> None:
    names = [column.name for column in table.columns]
    insert = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
    part: list[Row] = []
    size = 0
    for row in rows:
        part.append(row)
        size += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
        if len(part) == _ROWS or size > _BYTES:
            session.executemany(insert, part)
            part, size = [], 0
    if part:
        session.executemany(insert, part)


def _compare(session: Session, wanted: Mapping[str, Content], where: str, *, filled: bool) -> None:
    for table in metadata.sorted_tables:
        seen = _Sum()
        for row in _rows(session, table):
            seen.see(row)
        found = seen.content()
        if found == wanted[table.name]:
            continue
        if filled:
            raise StoreError(
                f"There is another store already: {found.rows:,} rows in {table.name}, not the "
                f"{wanted[table.name].rows:,} of this one, or not the same.",
                where=where,
                why="Two stores are not mixed. Nothing was written.",
                hint="Copy to an empty place.",
            )
        raise StoreError(
            f"What was written to {table.name} came back different: {_brief(found)}, not {_brief(wanted[table.name])}.",
            where=where,
            why="It was taken back: nothing was written.",
            hint="Please report this.",
        )


def _brief(content: Content) -> str:
    return f"{content.rows:,} rows, {content.digest[:12]}"


def describe(copied: Copied) -> dict[str, Any]:
    """As JSON data."""
    return {
        "source": copied.source,
        "target": copied.target,
        "already": copied.already,
        "running": list(copied.running),
        "tables": {name: dataclasses.asdict(content) for name, content in copied.tables.items()},
    }
