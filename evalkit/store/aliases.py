"""Aliases: movable names of versions, moved only by who knows where they point."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.canonical import utc_now
from evalkit.errors import NotFound, StoreError
from evalkit.store.cells import maybe_text, maybe_text_of, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Session, again
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
    webhooks: Mapping[str, Sequence[str]],
) -> Alias:
    """See `Store.set_alias`."""
    return _move_audited(database, kind, name, alias, digest, expected_generation, by, utc_now(), webhooks)


@again
def _move_audited(
    database: Database,
    kind: SubjectKind,
    name: str,
    alias: str,
    digest: str,
    expected_generation: int,
    by: str | None,
    at: dt.datetime,
    webhooks: Mapping[str, Sequence[str]],
) -> Alias:
    from evalkit.promotion.records import Actor, Event  # here, as an ordinary session moves no alias
    from evalkit.store.ledger import StoreLedger

    with database.lasting() as session:
        before = _find(session, kind, name, alias)
        moved = move(session, kind, name, alias, digest, expected_generation=expected_generation, by=by, at=at)
        now = _find(session, kind, name, alias)
        if moved is not None and now is not None:
            ledger = StoreLedger(session, webhooks)
            facts = {"from": before and before.digest, "to": digest, "generation": moved}
            ledger.append(
                Event(
                    action="alias.moved",
                    actor=Actor(name=by or ""),
                    at=ledger.now(),
                    subject=f"{kind}/{name}",
                    alias=alias,
                    facts=facts,
                )
            )
            ledger.finish()
            return now
        # The connection may have broken after the server had moved it: then it is as we said, by the time and all.
        said = (digest, expected_generation + 1, time_cell(at), by)
        if now is None or (now.digest, now.generation, time_cell(now.updated_at), now.updated_by) != said:
            where = database.url
            if not _is_registered(session, kind, name, digest):
                raise NotFound(f'The store has no version {digest[:12]} of the {kind} "{name}".', where=where)
            raise _moved(now, kind, name, alias, expected_generation, where)
        return now


def position(session: Session, kind: SubjectKind, name: str, alias: str) -> tuple[str, int] | None:
    """Where an alias points, with its generation."""
    found = _find(session, kind, name, alias)
    return None if found is None else (found.digest, found.generation)


def move(
    session: Session,
    kind: SubjectKind,
    name: str,
    alias: str,
    digest: str,
    *,
    expected_generation: int,
    by: str | None,
    at: dt.datetime,
) -> int | None:
    """Point an alias at a version by compare-and-swap; its new generation, `None` where nothing was moved.

    That is where it is of another generation, or there is no such version.
    """
    if not _is_registered(session, kind, name, digest):
        return None
    key = [text_cell(kind), text_cell(name), text_cell(alias)]
    said = [text_cell(digest), time_cell(at), maybe_text(by)]
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
    return moved[0][0] if moved else None


def _is_registered(session: Session, kind: str, name: str, digest: str) -> bool:
    key = [text_cell(kind), text_cell(name), text_cell(digest)]
    return bool(session.execute("SELECT 1 FROM versions WHERE kind = ? AND name = ? AND digest = ?", key))


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
