"""The audit log as it is read: in its order, a part at a time."""

from __future__ import annotations

from evalkit.audit.entry import Entry
from evalkit.store.database import Database

_SELECT = "SELECT seq, prev_hash, hash, body FROM audit"


def list_entries(database: Database, *, after: int, limit: int | None) -> list[Entry]:
    """See `Store.audit`."""
    bound, values = ("", [after]) if limit is None else (" LIMIT ?", [after, limit])
    with database.reading() as session:
        found = session.execute(f"{_SELECT} WHERE seq > ? ORDER BY seq{bound}", values)
    return [Entry(seq=seq, prev_hash=prev, hash=own, body=body) for seq, prev, own, body in found]
