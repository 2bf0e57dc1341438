"""The ledger: one transaction in which promotions change, aliases move, and the audit log says so."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evalkit.audit.entry import GENESIS, body_of, following
from evalkit.canonical import utc_now
from evalkit.promotion.records import Actor, Event, Freeze, PolicyText, Promotion
from evalkit.store import promotions
from evalkit.store.aliases import move, position
from evalkit.store.cells import text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Session
from evalkit.store.outbox import enqueue
from evalkit.store.plain import from_plain, to_plain
from evalkit.versions import SubjectKind

FREEZE = (
    "id", "subject", "alias", "reason", "since", "until", "declared_by", "lifted_at", "lifted_by",
)  # fmt: skip
HEAD = ("id", "clock", "seq", "hash")
AUDIT = ("seq", "prev_hash", "hash", "body")
Webhooks = Mapping[str, Sequence[str]]
"""By the name of a webhook, the events that it listens to: `promotion.applied`, `promotion.*` or `*`."""

_DECLARE = (
    f"INSERT INTO freezes ({', '.join(FREEZE)}) VALUES ({', '.join('?' * len(FREEZE))})"  # noqa: S608 - our own names
    " ON CONFLICT (id) DO UPDATE SET lifted_at = excluded.lifted_at, lifted_by = excluded.lifted_by"
)
_KEEP_HEAD = (
    "INSERT INTO ledger (id, clock, seq, hash) VALUES (1, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET clock = excluded.clock, seq = excluded.seq, hash = excluded.hash"
)
_EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class StoreLedger:
    """The `Ledger` of a store; `open_ledger` gives one. Anything it raises undoes the whole transaction."""

    def __init__(self, session: Session, webhooks: Webhooks = MappingProxyType({})) -> None:
        self._session = session
        self._webhooks = webhooks
        self._kept = self._clock, self._seq, self._hash = read_head(session)

    def now(self) -> dt.datetime:
        """The time, UTC, or the highest time that the store has seen, where the clock was put back."""
        self._clock = max(self._clock, utc_now())
        return self._clock

    def promotion(self, promotion_id: str) -> Promotion | None:
        """The promotion as it stands, with its approvals."""
        found = promotions.find(self._session, "id = ?", [promotion_id])
        return found[0] if found else None

    def promotions(self, kind: SubjectKind, name: str, alias: str) -> Sequence[Promotion]:
        """All of one alias, the oldest first."""
        return promotions.find(
            self._session, "kind = ? AND name = ? AND alias = ?", [kind, text_cell(name), text_cell(alias)]
        )

    def save(self, promotion: Promotion) -> None:
        """Write a promotion, new or changed, with its policy; what was asked for, and said, must be as it was."""
        self.keep(promotion.policy)
        promotions.save(self._session, promotion)

    def position(self, kind: SubjectKind, name: str, alias: str) -> tuple[str, int] | None:
        """The digest that the alias points at, and its generation; `None` where there is no such alias."""
        return position(self._session, kind, name, alias)

    def move(
        self, kind: SubjectKind, name: str, alias: str, digest: str, *, expected_generation: int, by: str
    ) -> int | None:
        """Point the alias at `digest`, by compare-and-swap; its new generation, or `None` where it has moved before."""
        return move(
            self._session,
            kind,
            name,
            alias,
            digest,
            expected_generation=expected_generation,
            by=by,
            at=self.now(),
        )

    def freezes(self) -> Sequence[Freeze]:
        """All freezes that were ever declared, the oldest first."""
        return find_freezes(self._session)

    def declare(self, freeze: Freeze) -> None:
        """Write a freeze, new or lifted."""
        row = (
            freeze.id,
            text_cell(freeze.subject),
            text_cell(freeze.alias),
            text_cell(freeze.reason),
            time_cell(freeze.since),
            None if freeze.until is None else time_cell(freeze.until),
            promotions.record_cell(freeze.by),
            None if freeze.lifted_at is None else time_cell(freeze.lifted_at),
            promotions.record_cell(freeze.lifted_by),
        )
        self._session.executemany(_DECLARE, [row])

    def keep(self, policy: PolicyText) -> None:
        """Keep a policy's text under its digest; one that is there already stays."""
        self._session.executemany(
            "INSERT INTO policies (digest, name, text, first_seen) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(policy.digest, text_cell(policy.name), text_cell(policy.text), time_cell(self.now()))],
        )

    def append(self, event: Event) -> None:
        """Add a row to the audit log, and to the outbox for each webhook that listens to it."""
        plain = to_plain(event)
        entry = following(self._hash, self._seq + 1, body_of({**plain, "facts": dict(event.facts)}))
        self._session.executemany(
            "INSERT INTO audit (seq, prev_hash, hash, body) VALUES (?, ?, ?, ?)",
            [(entry.seq, entry.prev_hash, entry.hash, entry.body)],
        )
        self._seq, self._hash = entry.seq, entry.hash
        enqueue(self._session, entry, event, self._webhooks, at=self.now())

    def finish(self) -> None:
        """Write where the clock and the log stand; the last thing of the transaction."""
        now = self._clock, self._seq, self._hash
        if now != self._kept:
            self._session.executemany(_KEEP_HEAD, [(time_cell(now[0]), now[1], now[2])])


@contextlib.contextmanager
def open_ledger(database: Database, webhooks: Webhooks = MappingProxyType({})) -> Iterator[StoreLedger]:
    """See `Store.ledger`."""
    with database.lasting() as session:
        ledger = StoreLedger(session, webhooks)
        yield ledger
        ledger.finish()


def read_head(session: Session) -> tuple[dt.datetime, int, str]:
    """The highest time seen, and the number and hash of the newest entry of the log, as the ledger keeps them.

    Kept apart from the log, so that the next entry gives it away when the last ones were cut off.
    """
    found = session.execute("SELECT clock, seq, hash FROM ledger WHERE id = 1")
    if found:
        return time_of(found[0][0]), found[0][1], found[0][2]
    last = session.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    return (_EARLIEST, last[0][0], last[0][1]) if last else (_EARLIEST, 0, GENESIS)


def find_freezes(session: Session) -> list[Freeze]:
    """All freezes, the oldest first."""
    found = session.execute(f"SELECT {', '.join(FREEZE)} FROM freezes ORDER BY since, id")  # noqa: S608 - our own names
    return [_freeze_of(dict(zip(FREEZE, row, strict=True))) for row in found]


def _freeze_of(cells: Mapping[str, Any]) -> Freeze:
    lifted = cells["lifted_by"]
    return Freeze(
        id=cells["id"],
        subject=text_of(cells["subject"]),
        alias=text_of(cells["alias"]),
        reason=text_of(cells["reason"]),
        since=time_of(cells["since"]),
        until=None if cells["until"] is None else time_of(cells["until"]),
        by=from_plain(Actor, json.loads(cells["declared_by"])),
        lifted_at=None if cells["lifted_at"] is None else time_of(cells["lifted_at"]),
        lifted_by=None if lifted is None else from_plain(Actor, json.loads(lifted)),
    )


def list_freezes(database: Database) -> list[Freeze]:
    """See `Store.freezes`."""
    with database.reading() as session:
        return find_freezes(session)


def clock(database: Database) -> dt.datetime:
    """See `Store.now`."""
    with database.reading() as session:
        return max(read_head(session)[0], utc_now())
