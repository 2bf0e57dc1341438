"""The audit log as it is read: in its order, a part at a time, and held against what the ledger knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalkit.audit.checkpoint import Checkpoint, held_against
from evalkit.audit.entry import GENESIS, Entry
from evalkit.audit.verifying import Row, Verified, verify
from evalkit.canonical import utc_now
from evalkit.errors import StoreAway, StoreCorrupt, StoreError, StoreLocked
from evalkit.store.database import Database, Session
from evalkit.store.ledger import read_head

_AT_ONCE = 5000
_SELECT = "SELECT seq, prev_hash, hash, body FROM audit"


def list_entries(database: Database, *, after: int, limit: int | None) -> list[Entry]:
    """See `Store.audit`."""
    bound, values = ("", [after]) if limit is None else (" LIMIT ?", [after, limit])
    with database.reading() as session:
        found = session.execute(f"{_SELECT} WHERE seq > ? ORDER BY seq{bound}", values)
    return [Entry(seq=seq, prev_hash=prev, hash=own, body=body) for seq, prev, own, body in found]


def take_checkpoint(database: Database) -> Checkpoint:
    """See `Store.checkpoint`."""
    with database.reading() as session:
        clock, _, _ = read_head(session)
        last = session.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    seq, own = last[0] if last else (0, GENESIS)
    return Checkpoint(seq=seq, hash=own, at=max(clock, utc_now()))


def verify_log(database: Database, *, checkpoint: Checkpoint | None, strict: bool) -> Verified:
    """See `Store.verify_audit`."""
    try:
        with database.reading() as session:
            return verified(session, checkpoint=checkpoint, strict=strict)
    except (StoreAway, StoreCorrupt, StoreLocked):
        raise
    except StoreError:
        # A row holds something that the driver cannot even read, such as text that is no UTF-8. Which one it is shows
        # when each is read by itself.
        return _verify_each(database, strict)


def verified(session: Session, *, checkpoint: Checkpoint | None = None, strict: bool = False) -> Verified:
    """See `Store.verify_audit`; all of it in one transaction. Raises where a row cannot even be read."""
    found = verify(_rows(session), strict=strict)
    problem = found.problem or _cut(session, found)
    if not problem and checkpoint is not None:
        there = session.execute("SELECT hash FROM audit WHERE seq = ?", [checkpoint.seq])
        problem = held_against(checkpoint, found, there[0][0] if there else None)
    return Verified(entries=found.entries, seq=found.seq, hash=found.hash, problem=problem)


def _rows(session: Session) -> Iterator[Row]:
    part: Any = session.execute(f"{_SELECT} ORDER BY seq LIMIT ?", [_AT_ONCE])
    while part:
        yield from part
        part = session.execute(f"{_SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", [part[-1][0], _AT_ONCE])


def _cut(session: Session, found: Verified) -> str:
    """What is wrong with the end of the log: the ledger knows which entry was written last."""
    known = session.execute("SELECT seq, hash FROM ledger WHERE id = 1")
    if not known:
        return "" if found.seq == 0 else "The ledger no longer knows where the log stands: its row is gone."
    seq, own = known[0]
    if seq == found.seq and own == found.hash:
        return ""
    if isinstance(seq, int) and seq > found.seq:
        gone = f"Entry {seq} is" if seq == found.seq + 1 else f"Entries {found.seq + 1} to {seq} are"
        return f"{gone} missing: the end of the log was cut off."
    return f"Entry {found.seq}: the ledger did not write it; its last one is {seq}, {own!r:.20}."


def _verify_each(database: Database, strict: bool) -> Verified:
    with database.reading() as session:
        numbers = [seq for (seq,) in session.execute("SELECT seq FROM audit ORDER BY seq")]
    good = Verified(entries=0, seq=0, hash=GENESIS)
    for number in numbers:
        try:
            with database.reading() as session:
                row = session.execute(f"{_SELECT} WHERE seq = ?", [number])
        except StoreError as error:
            return _after(good, f"Entry {number}: it cannot be read. {error.why or ''}".strip())
        found = verify([tuple(row[0])], seq=good.seq, hash=good.hash, strict=strict)
        if found.problem:
            return _after(good, found.problem)
        good = Verified(entries=good.entries + 1, seq=found.seq, hash=found.hash)
    return good


def _after(good: Verified, problem: str) -> Verified:
    return Verified(entries=good.entries, seq=good.seq, hash=good.hash, problem=problem)
