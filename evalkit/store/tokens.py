"""API tokens in the store: made and revoked with an entry of the audit log, found by their SHA-256."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Sequence
from typing import Any

from evalkit.errors import NotFound, did_you_mean
from evalkit.identity.token import Token
from evalkit.promotion.records import Actor, Event
from evalkit.store.cells import json_cell, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Session
from evalkit.store.ledger import StoreLedger, Webhooks
from evalkit.store.plain import from_plain
from evalkit.store.promotions import record_cell

COLUMNS = (
    "id", "sha256", "name", "is_service", "roles", "created_at", "created_by", "expires_at", "revoked_at", "revoked_by",
)  # fmt: skip


def add_token(database: Database, token: Token, sha256: str, webhooks: Webhooks) -> None:
    """See `Store.add_token`."""
    row = (
        token.id,
        sha256,
        text_cell(token.name),
        int(token.is_service),
        json_cell({role: list(aliases) for role, aliases in token.roles.items()}),
        time_cell(token.created_at),
        record_cell(token.created_by),
        None if token.expires_at is None else time_cell(token.expires_at),
        None,
        None,
    )
    facts = {
        "token": token.id,
        "service": token.is_service,
        "roles": {role: list(aliases) for role, aliases in token.roles.items()},
        "expires_at": None if token.expires_at is None else time_cell(token.expires_at),
    }
    with database.lasting() as session:
        session.executemany(
            f"INSERT INTO tokens ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})",  # noqa: S608
            [row],
        )
        _append(session, webhooks, "token.created", token.created_by, token.name, facts)


def revoke_token(database: Database, name: str, by: Actor, webhooks: Webhooks) -> Token:
    """See `Store.revoke_token`."""
    with database.lasting() as session:
        token = _named(find(session), name, database.url)
        if token.revoked_at is not None:
            return token
        at = StoreLedger(session).now()
        session.execute(
            "UPDATE tokens SET revoked_at = ?, revoked_by = ? WHERE id = ?", [time_cell(at), record_cell(by), token.id]
        )
        _append(session, webhooks, "token.revoked", by, token.name, {"token": token.id})
        return _named(find(session), token.id, database.url)


def _append(session: Session, webhooks: Webhooks, action: str, by: Actor, name: str, facts: dict[str, Any]) -> None:
    ledger = StoreLedger(session, webhooks)
    ledger.append(Event(action=action, actor=by, at=ledger.now(), subject=f"token/{name}", facts=facts))
    ledger.finish()


def list_tokens(database: Database) -> list[Token]:
    """See `Store.tokens`."""
    with database.reading() as session:
        return find(session)


def named_token(database: Database, name: str) -> Token:
    """See `Store.named_token`."""
    return _named(list_tokens(database), name, database.url)


def find_token(database: Database, sha256: str) -> Token | None:
    """See `Store.token`."""
    with database.reading() as session:
        found = session.execute(
            f"SELECT {', '.join(COLUMNS)} FROM tokens WHERE sha256 = ?",  # noqa: S608 - our own names
            [sha256],
        )
    # What is looked up is a digest, so how long the database takes says nothing of the token; this one compares evenly.
    return _token_of(found[0]) if found and hmac.compare_digest(found[0][1], sha256) else None


def find(session: Session) -> list[Token]:
    """All tokens, the oldest first."""
    found = session.execute(f"SELECT {', '.join(COLUMNS)} FROM tokens ORDER BY created_at, id")  # noqa: S608
    return [_token_of(row) for row in found]


def _named(tokens: Sequence[Token], name: str, where: str) -> Token:
    wanted = name.strip()
    live = [one for one in tokens if one.name == wanted and one.revoked_at is None]
    matches = [one for one in tokens if one.id == wanted] or live
    matches = matches or [one for one in tokens if wanted and one.id.startswith(wanted.lower())]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = "".join(f"\n  {one.id}  {one.name}" for one in matches)
        raise NotFound(f'"{name}" could be {len(matches)} tokens:{shown}', hint="Give the id.")
    raise NotFound(
        f'The store has no token "{name}".{did_you_mean(wanted, [one.name for one in tokens])}',
        where=where,
        hint="See which there are: evalkit tokens",
    )


def _token_of(row: Sequence[Any]) -> Token:
    cells = dict(zip(COLUMNS, row, strict=True))
    times: dict[str, dt.datetime | None] = {
        name: None if cells[name] is None else time_of(cells[name]) for name in ("expires_at", "revoked_at")
    }
    return Token(
        id=cells["id"],
        name=text_of(cells["name"]),
        is_service=bool(cells["is_service"]),
        roles={role: tuple(aliases) for role, aliases in json.loads(cells["roles"]).items()},
        created_at=time_of(cells["created_at"]),
        created_by=from_plain(Actor, json.loads(cells["created_by"])),
        expires_at=times["expires_at"],
        revoked_at=times["revoked_at"],
        revoked_by=None if cells["revoked_by"] is None else from_plain(Actor, json.loads(cells["revoked_by"])),
    )
