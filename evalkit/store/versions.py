"""Versions of prompts and models: registered under the next number of their name, and found again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evalkit.canonical import utc_now
from evalkit.errors import NotFound, StoreError, did_you_mean
from evalkit.store.blobs import BlobReader, BlobWriter
from evalkit.store.cells import json_cell, maybe_text, maybe_text_of, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Row, Session
from evalkit.versions import SubjectKind, Version

Key = tuple[str, str, str]
"""Kind, name and digest: which version it is."""

COLUMNS = ("kind", "name", "digest", "number", "created_at", "source", "git_commit", "author", "body", "body_blob")
_INSERT = (
    f"INSERT INTO versions ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our names
    " ON CONFLICT DO NOTHING RETURNING number"
)
USE = ("suite_id", "how", "kind", "name", "digest", "position")
_INSERT_USE = f"INSERT INTO suite_versions ({', '.join(USE)}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
_NUMBER = re.compile(r"v?([1-9][0-9]{0,8})")
_DIGEST = re.compile(r"[0-9a-f]{4,64}")
_TRIES = 1000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A version as the store has it: when it was first seen, from which commit, by whom; `None` where not known.

    `aliases` are the names that point at it now.
    """

    version: Version
    created_at: dt.datetime
    commit: str | None
    author: str | None
    aliases: tuple[str, ...] = ()


def key_of(version: Version) -> Key:
    """The cells by which a version is known."""
    return text_cell(version.kind), text_cell(version.name), text_cell(version.digest)


class Use:
    """The versions that a suite of a run declared or loaded, to be registered and noted down in one transaction."""

    def __init__(self, run_id: str, how: str, versions: Sequence[Version], blobs: BlobWriter) -> None:
        self._run_id = run_id
        self._how = how
        self._keys = [key_of(version) for version in versions]
        self._rows = _rows(versions, blobs)

    def write(self, session: Session, suite_id: int) -> None:
        """Register those not there yet, with the run's commit and user, and note that the suite used them."""
        found = session.execute("SELECT git_commit, user_name FROM runs WHERE id = ?", [self._run_id])
        commit, author = found[0] if found else (None, None)
        for key, rest in self._rows:
            _register(session, key, commit, author or None, rest)
        session.executemany(
            _INSERT_USE,
            [(suite_id, self._how, *key, position) for position, key in enumerate(self._keys)],
        )


class Registration:
    """One version that is to be registered by itself; made before the transaction, as its body may be a blob."""

    def __init__(self, version: Version, blobs: BlobWriter, *, author: str | None, commit: str | None) -> None:
        self._version = version
        self._author = maybe_text(author)
        self._commit = maybe_text(commit)
        [(self._key, self._rest)] = _rows([version], blobs)

    def write(self, session: Session) -> Version:
        """Register it unless it is there; the version with its number."""
        number = _register(session, self._key, self._commit, self._author, self._rest)
        return dataclasses.replace(self._version, number=number)


def _rows(versions: Iterable[Version], blobs: BlobWriter) -> list[tuple[Key, Row]]:
    # Sorted, so that two who register the same ones on a server cannot wait for each other.
    return [
        (key, (maybe_text(version.source), *blobs.cells(json_cell(dict(version.body)))))
        for key, version in sorted({key_of(version): version for version in versions}.items())
    ]


def _number(session: Session, key: Key) -> int | None:
    found = session.execute("SELECT number FROM versions WHERE kind = ? AND name = ? AND digest = ?", key)
    number: int | None = found[0][0] if found else None
    return number


def _register(session: Session, key: Key, commit: str | None, author: str | None, rest: Row) -> int:
    known = _number(session, key)
    if known is not None:
        return known
    # On a server another transaction may take the same number first. It is waited for; then the next one is tried.
    source, *body = rest
    for _ in range(_TRIES):
        found = session.execute("SELECT MAX(number) FROM versions WHERE kind = ? AND name = ?", key[:2])
        row = (*key, (found[0][0] or 0) + 1, time_cell(utc_now()), source, commit, author, *body)
        taken = session.execute(_INSERT, row)
        number: int | None = taken[0][0] if taken else _number(session, key)
        if number is not None:
            return number
    raise StoreError(f"No number was found for a version of {text_of(key[1])}.", hint="Try again.")


def versions_of_suite(session: Session, suite_id: int) -> tuple[tuple[Version, ...], dict[Key, Version]]:
    """The versions that a suite declared, in their order, and all that it used, by key."""
    columns = ", ".join(f"v.{column}" for column in COLUMNS)
    found = session.execute(
        f"SELECT u.how, {columns} FROM suite_versions AS u JOIN versions AS v"  # noqa: S608 - our own names
        " ON v.kind = u.kind AND v.name = u.name AND v.digest = u.digest WHERE u.suite_id = ? ORDER BY u.position",
        [suite_id],
    )
    used: dict[Key, Version] = {}
    blobs = BlobReader(session)
    blobs.fetch(row[-1] for row in found)
    for row in found:
        used.setdefault(tuple(row[1:4]), version_of(row[1:], blobs))
    return tuple(used[tuple(row[1:4])] for row in found if row[0] == "declared"), used


def version_of(cells: Sequence[Any], blobs: BlobReader) -> Version:
    """The columns of `COLUMNS`."""
    kind, name, digest, number, _, source, _, _, body, body_blob = cells
    return Version(
        kind=kind,
        name=text_of(name),
        digest=text_of(digest),
        number=number,
        source=maybe_text_of(source),
        body=json.loads(blobs.text(body, body_blob) or "{}"),
    )


def list_versions(database: Database, kind: SubjectKind, name: str | None) -> list[Registered]:
    """See `Store.versions`."""
    with database.reading() as session:
        which, values = "kind = ?", [text_cell(kind)]
        if name is not None:
            which += " AND name = ?"
            values.append(text_cell(name))
        return _registered(session, which, values)


def _registered(session: Session, which: str, values: Row) -> list[Registered]:
    found = session.execute(
        f"SELECT {', '.join(COLUMNS)} FROM versions WHERE {which} ORDER BY name, number",  # noqa: S608 - our own names
        values,
    )
    pointing: dict[Key, list[str]] = {}
    for *key, alias in session.execute("SELECT kind, name, digest, alias FROM aliases ORDER BY alias"):
        pointing.setdefault((key[0], key[1], key[2]), []).append(text_of(alias))
    blobs = BlobReader(session)
    blobs.fetch(row[-1] for row in found)
    return [
        Registered(
            version=version_of(row, blobs),
            created_at=time_of(row[4]),
            commit=maybe_text_of(row[6]),
            author=maybe_text_of(row[7]),
            aliases=tuple(pointing.get(tuple(row[:3]), ())),
        )
        for row in found
    ]


def find_version(database: Database, kind: SubjectKind, name: str, which: str) -> Registered:
    """See `Store.version`."""
    with database.reading() as session:
        known = _registered(session, "kind = ? AND name = ?", [text_cell(kind), text_cell(name)])
        if not known:
            found = session.execute("SELECT DISTINCT name FROM versions WHERE kind = ?", [text_cell(kind)])
            names = [text_of(cell) for (cell,) in found]
            raise NotFound(
                f'The store has no {kind} "{name}".{did_you_mean(name, names)}',
                where=database.url,
                hint=f"It has {', '.join(sorted(names))}." if names else f"It has no {kind}s yet.",
            )
    return _chosen(known, kind, name, which.strip(), database.url)


def _chosen(known: Sequence[Registered], kind: str, name: str, which: str, where: str) -> Registered:
    by_alias = {alias: one for one in known for alias in one.aliases}
    if which in by_alias:
        return by_alias[which]
    if which == "latest":
        return known[-1]
    number = _NUMBER.fullmatch(which)
    by_number = {one.version.number: one for one in known}
    if number is not None and int(number[1]) in by_number:
        return by_number[int(number[1])]
    matches = [one for one in known if one.version.digest.startswith(which)] if _DIGEST.fullmatch(which) else []
    if len(matches) == 1:
        return matches[0]
    labels = [one.version.label for one in known]
    if matches:
        shown = ", ".join(f"{one.version.label} ({one.version.digest[:16]})" for one in matches[:5])
        raise NotFound(f'"{which}" is the beginning of {len(matches)} versions of {name}: {shown}.', where=where)
    raise NotFound(
        f'The {kind} "{name}" has no version "{which}".{did_you_mean(which, [*by_alias, *labels, "latest"])}',
        where=where,
        hint=f"It has {_range(labels)}{_aliases(by_alias)}; a version is named by number, digest or alias.",
    )


def _range(labels: Sequence[str]) -> str:
    return ", ".join(labels) if len(labels) <= 3 else f"{labels[0]} to {labels[-1]}"


def _aliases(by_alias: Mapping[str, Registered]) -> str:
    return "".join(f", {alias} → {one.version.label}" for alias, one in sorted(by_alias.items()))
