"""Aliases: movable names of versions, moved only by who knows where they point."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from evalkit.canonical import utc_now
from evalkit.errors import NotFound, StoreError
from evalkit.store.cells import maybe_text, maybe_text_of, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Row, Session, again
from evalkit.versions import SubjectKind

COLUMNS = ("kind", "name", "alias", "digest", "generation", "updated_at", "updated_by")
_COLUMNS = ", ".join(COLUMNS)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Where an alias points. `generation` counts its moves from 1; `updated_by` is `None` where nobody said."""

    kind: SubjectKind
    name: str
    alias: str
    digest: str
    generation: int
    updated_at: dt.datetime
    updated_by: str | None


def find_alias(database: Database, kind: SubjectKind, name: str, alias: str) -> Alias | None:
    """See `Store.alias`."""
    with database.reading() as session:
        return _find(session, kind, name, alias)


def list_aliases(database: Database, kind: SubjectKind, name: str | None) -> list[Alias]:
    """See `Store.aliases`."""
    which, values = "kind = ?", [text_cell(kind)]
    if name is not None:
        which += " AND name = ?"
        values.append(text_cell(name))
    with database.reading() as session:
        found = session.execute(f"SELECT {_COLUMNS} FROM aliases WHERE {which} ORDER BY name, alias", values)  # noqa: S608
    return [_alias_of(row) for row in found]


def move_alias(
    database: Database,
    kind: SubjectKind,
    name: str,
    alias: str,
    digest: str,
    *,
    expected_generation: int,
    by: str | None,
) -> Alias:
    """See `Store.set_alias`."""
    said = [text_cell(digest), time_cell(utc_now()), maybe_text(by)]
    return _move(database, kind, name, alias, said, expected_generation)


@again
def _move(database: Database, kind: SubjectKind, name: str, alias: str, said: Row, expected_generation: int) -> Alias:
    key = [text_cell(kind), text_cell(name), text_cell(alias)]
    with database.writing() as session:
        if not session.execute(
            "SELECT 1 FROM versions WHERE kind = ? AND name = ? AND digest = ?", [*key[:2], said[0]]
        ):
            raise NotFound(f'The store has no version {said[0][:12]} of the {kind} "{name}".', where=database.url)
        if expected_generation == 0:
            moved = session.execute(
                f"INSERT INTO aliases ({_COLUMNS}) VALUES (?, ?, ?, ?, 1, ?, ?)"  # noqa: S608 - our own names
                " ON CONFLICT DO NOTHING RETURNING generation",
                [*key, *said],
            )
        else:
            moved = session.execute(
                "UPDATE aliases SET digest = ?, updated_at = ?, updated_by = ?, generation = generation + 1"
                " WHERE kind = ? AND name = ? AND alias = ? AND generation = ? RETURNING generation",
                [*said, *key, expected_generation],
            )
        now = _find(session, kind, name, alias)
        # The connection may have broken after the server had moved it: then it is as we said, by the time and all.
        ours = (
            now is not None and [text_cell(now.digest), time_cell(now.updated_at), maybe_text(now.updated_by)] == said
        )
        if now is None or not (moved or (ours and now.generation == expected_generation + 1)):
            raise _moved(now, kind, name, alias, expected_generation, database.url)
        return now


def _moved(now: Alias | None, kind: str, name: str, alias: str, expected: int, where: str) -> StoreError:
    found = "it is not there" if now is None else f"it is at {now.digest[:12]}, generation {now.generation}"
    return StoreError(
        f'The alias "{alias}" of the {kind} "{name}" is not where it was expected: {found}.',
        where=where,
        why=f"Generation {expected} was expected. Another moved it in the meantime; nothing was changed.",
        hint="Look at it again, then decide again.",
    )


def _find(session: Session, kind: str, name: str, alias: str) -> Alias | None:
    found = session.execute(
        f"SELECT {_COLUMNS} FROM aliases WHERE kind = ? AND name = ? AND alias = ?",  # noqa: S608 - our own names
        [text_cell(kind), text_cell(name), text_cell(alias)],
    )
    return _alias_of(found[0]) if found else None


def _alias_of(cells: Sequence[Any]) -> Alias:
    kind, name, alias, digest, generation, updated_at, updated_by = cells
    return Alias(
        kind=kind,
        name=text_of(name),
        alias=text_of(alias),
        digest=text_of(digest),
        generation=generation,
        updated_at=time_of(updated_at),
        updated_by=maybe_text_of(updated_by),
    )
