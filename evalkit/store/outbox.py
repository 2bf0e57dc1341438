"""The outbox: messages for webhooks, written in the transaction of what they tell of, and sent afterwards."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from evalkit.audit.entry import Entry
from evalkit.canonical import canonical_json, new_id
from evalkit.errors import NotFound
from evalkit.promotion.records import Event
from evalkit.store.cells import maybe_text, maybe_text_of, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Session

COLUMNS = (
    "id", "target", "seq", "body", "created_at", "state", "attempts", "next_at", "leased_by", "delivered_at",
    "last_status", "last_error",
)  # fmt: skip
Fate = Literal["waiting", "delivered", "dead"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message for one webhook. `id` is the same in every attempt; `seq` is that of the entry of the audit log.

    `state` is `waiting` (for `next_at`), `delivered`, or `dead`: given up, until it is redelivered by hand.
    `last_status` is of the last answer, `None` where none came; `last_error` says what went wrong.
    """

    id: str
    target: str
    seq: int
    body: str
    created_at: dt.datetime
    state: Fate
    attempts: int
    next_at: dt.datetime
    leased_by: str | None
    delivered_at: dt.datetime | None
    last_status: int | None
    last_error: str | None

    @property
    def action(self) -> str:
        """What it tells of, such as `promotion.applied`."""
        return str(json.loads(self.body)["type"])


def listens(patterns: Sequence[str], action: str) -> bool:
    """Whether one of `patterns`, such as `promotion.*`, is for `action`."""
    return any(fnmatchcase(action, pattern) for pattern in patterns)


def enqueue(
    session: Session, entry: Entry, event: Event, webhooks: Mapping[str, Sequence[str]], *, at: dt.datetime
) -> None:
    """Put a message for each webhook that listens to `event` into the outbox."""
    targets = [name for name, patterns in webhooks.items() if listens(patterns, event.action)]
    if not targets:
        return
    data = {**json.loads(entry.body), "seq": entry.seq, "hash": entry.hash}
    body = canonical_json({"type": event.action, "timestamp": time_cell(event.at), "data": data}).decode("utf-8")
    now = time_cell(at)
    session.executemany(
        f"INSERT INTO outbox ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})",  # noqa: S608 - our names
        [
            (new_id(), text_cell(name), entry.seq, body, now, "waiting", 0, now, None, None, None, None)
            for name in targets
        ],
    )


def list_messages(database: Database, state: Fate | None = None) -> list[Message]:
    """See `Store.outbox`."""
    which, values = ("", []) if state is None else (" WHERE state = ?", [state])
    with database.reading() as session:
        found = session.execute(f"SELECT {', '.join(COLUMNS)} FROM outbox{which} ORDER BY seq, target, id", values)  # noqa: S608
    return [_message_of(row) for row in found]


def lease(
    database: Database, *, holder: str, now: dt.datetime, until: dt.datetime, targets: Sequence[str], limit: int
) -> list[Message]:
    """Take up to `limit` messages that are due; until `until` nobody else is given them. See `Store.lease`."""
    if not targets:
        return []
    marks = ", ".join("?" * len(targets))
    with database.lasting() as session:
        due = session.execute(
            "SELECT id FROM outbox WHERE state = 'waiting' AND next_at <= ?"  # noqa: S608 - our own names
            f" AND target IN ({marks}) ORDER BY seq, target, id LIMIT ?",
            [time_cell(now), *map(text_cell, targets), limit],
        )
        taken: list[Message] = []
        for (identifier,) in due:
            taken += map(
                _message_of,
                session.execute(
                    "UPDATE outbox SET leased_by = ?, next_at = ?, attempts = attempts + 1 WHERE id = ?"  # noqa: S608
                    f" RETURNING {', '.join(COLUMNS)}",
                    [holder, time_cell(until), identifier],
                ),
            )
    return taken


def settle(
    database: Database,
    message: Message,
    *,
    state: Fate,
    next_at: dt.datetime,
    delivered_at: dt.datetime | None,
    status: int | None,
    error: str | None,
) -> bool:
    """Write what came of an attempt; `False` where somebody else holds the message by now. See `Store.settle`."""
    with database.lasting() as session:
        return bool(
            session.execute(
                "UPDATE outbox SET state = ?, next_at = ?, leased_by = NULL, delivered_at = ?, last_status = ?,"
                " last_error = ? WHERE id = ? AND leased_by = ? AND state = 'waiting' RETURNING id",
                [
                    state,
                    time_cell(next_at),
                    None if delivered_at is None else time_cell(delivered_at),
                    status,
                    maybe_text(error),
                    message.id,
                    message.leased_by,
                ],
            )
        )


def redeliver(database: Database, name: str, *, now: dt.datetime) -> Message:
    """See `Store.redeliver`."""
    wanted = name.strip().lower()
    with database.lasting() as session:
        ids = [identifier for (identifier,) in session.execute("SELECT id FROM outbox ORDER BY seq, target, id")]
        matches = [one for one in ids if one == wanted] or [one for one in ids if wanted and one.startswith(wanted)]
        if len(matches) != 1:
            which = f'"{name}" is the beginning of {len(matches)} messages.' if matches else f'no message "{name}".'
            raise NotFound(
                which if matches else f"The outbox has {which}",
                where=database.url,
                hint="See which there are: evalkit outbox",
            )
        found = session.execute(
            "UPDATE outbox SET state = 'waiting', attempts = 0, next_at = ?, leased_by = NULL, delivered_at = NULL"  # noqa: S608
            f" WHERE id = ? RETURNING {', '.join(COLUMNS)}",
            [time_cell(now), matches[0]],
        )
    return _message_of(found[0])


def _message_of(row: Sequence[Any]) -> Message:
    cells = dict(zip(COLUMNS, row, strict=True))
    return Message(
        id=cells["id"],
        target=text_of(cells["target"]),
        seq=cells["seq"],
        body=cells["body"],
        created_at=time_of(cells["created_at"]),
        state=cells["state"],
        attempts=cells["attempts"],
        next_at=time_of(cells["next_at"]),
        leased_by=cells["leased_by"],
        delivered_at=None if cells["delivered_at"] is None else time_of(cells["delivered_at"]),
        last_status=cells["last_status"],
        last_error=maybe_text_of(cells["last_error"]),
    )
