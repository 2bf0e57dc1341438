"""The part of a store that promotions need: the ledger, the audit log, the outbox and API tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from evalkit.store.database import Database
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.audit import Checkpoint, Entry, Verified
    from evalkit.identity import Token
    from evalkit.promotion.records import Actor, Freeze, Promotion
    from evalkit.store.ledger import StoreLedger
    from evalkit.store.outbox import Fate, Message


class LedgerStore:
    """What a `Store` does for promotions; what reads or writes is imported when it is first used."""

    def __init__(self, database: Database, webhooks: Mapping[str, Sequence[str]]) -> None:
        self._database = database
        self._webhooks = webhooks

    def ledger(self, *, webhooks: Mapping[str, Sequence[str]] | None = None) -> AbstractContextManager[StoreLedger]:
        """One transaction for promotions, aliases and the audit log: committed at its end, undone by an exception.

        Nobody else has one at the same time, and when it has ended it is on the disk. Ask nothing else of the store
        inside it. `webhooks` are the events that each webhook listens to, by its name, such as `promotion.*`; `None`
        stands for those that the store was opened with.
        """
        from evalkit.store.ledger import open_ledger

        return open_ledger(self._database, self._webhooks if webhooks is None else webhooks)

    def now(self) -> dt.datetime:
        """The time, UTC, or the highest time that the ledger has seen, where the clock was put back."""
        from evalkit.store.ledger import clock

        return clock(self._database)

    def promotions(
        self,
        *,
        kind: SubjectKind | None = None,
        name: str | None = None,
        alias: str | None = None,
        state: Sequence[str] = (),
    ) -> list[Promotion]:
        """The promotions, the oldest first: of one kind, name or alias, or in one of the states given."""
        from evalkit.store.promotions import list_promotions

        return list_promotions(self._database, kind=kind, name=name, alias=alias, state=state)

    def promotion(self, name: str) -> Promotion:
        """The promotion whose id is `name`, or begins with it. Raises `NotFound`, with those that it could mean."""
        from evalkit.store.promotions import find_promotion

        return find_promotion(self._database, name)

    def promotions_citing(self, run_id: str) -> list[str]:
        """The ids of the promotions that rest on a run, which therefore cannot be deleted."""
        from evalkit.store.promotions import list_citing

        return list_citing(self._database, run_id)

    def freezes(self) -> list[Freeze]:
        """All freezes that were ever declared, the oldest first, lifted ones included."""
        from evalkit.store.ledger import list_freezes

        return list_freezes(self._database)

    def audit(self, *, after: int = 0, limit: int | None = None) -> list[Entry]:
        """The audit log, in its order: the entries after number `after`, at most `limit`."""
        from evalkit.store.auditing import list_entries

        return list_entries(self._database, after=after, limit=limit)

    def verify_audit(self, *, checkpoint: Checkpoint | None = None, strict: bool = False) -> Verified:
        """Whether the audit log is what it was when it was written, with the first entry that is not.

        `checkpoint` is where it stood once: without one, a log that was rewritten as a whole, its ledger included, goes
        unnoticed. `strict` also reads each body; see `evalkit.audit.verify`.
        """
        from evalkit.store.auditing import verify_log

        return verify_log(self._database, checkpoint=checkpoint, strict=strict)

    def checkpoint(self) -> Checkpoint:
        """Where the audit log stands now."""
        from evalkit.store.auditing import take_checkpoint

        return take_checkpoint(self._database)

    def outbox(self, state: Fate | None = None) -> list[Message]:
        """The messages for webhooks, the oldest first; those in one state, where it is given."""
        from evalkit.store.outbox import list_messages

        return list_messages(self._database, state)

    def lease(
        self, *, holder: str, now: dt.datetime, until: dt.datetime, targets: Sequence[str], limit: int = 50
    ) -> list[Message]:
        """Take up to `limit` messages of `targets` that are due at `now`, to send them; it counts as an attempt.

        Until `until`, or `settle`, nobody else is given them.
        """
        from evalkit.store.outbox import lease

        return lease(self._database, holder=holder, now=now, until=until, targets=targets, limit=limit)

    def settle(
        self,
        message: Message,
        *,
        state: Fate,
        next_at: dt.datetime,
        delivered_at: dt.datetime | None = None,
        status: int | None = None,
        error: str | None = None,
    ) -> bool:
        """Write what came of sending a message that was leased; `False` where somebody else has it by now."""
        from evalkit.store.outbox import settle

        return settle(
            self._database,
            message,
            state=state,
            next_at=next_at,
            delivered_at=delivered_at,
            status=status,
            error=error,
        )

    def redeliver(self, name: str, *, now: dt.datetime) -> Message:
        """Have a message sent again, delivered or dead: the one whose id is `name`, or begins with it.

        Raises `NotFound`.
        """
        from evalkit.store.outbox import redeliver

        return redeliver(self._database, name, now=now)

    def add_token(self, token: Token, sha256: str) -> None:
        """Keep an API token, of which `sha256` is the digest; the audit log gets an entry `token.created`."""
        from evalkit.store.tokens import add_token

        add_token(self._database, token, sha256, self._webhooks)

    def revoke_token(self, name: str, *, by: Actor) -> Token:
        """Revoke the API token of that id, beginning of an id, or name, with an entry `token.revoked`.

        One that is revoked already stays as it is. Raises `NotFound`, with those that it could mean.
        """
        from evalkit.store.tokens import revoke_token

        return revoke_token(self._database, name, by, self._webhooks)

    def named_token(self, name: str) -> Token:
        """The API token of that id, beginning of an id, or name; of a name, the one that is not revoked.

        Raises `NotFound`, with those that it could mean.
        """
        from evalkit.store.tokens import named_token

        return named_token(self._database, name)

    def tokens(self) -> list[Token]:
        """All API tokens, the oldest first, those included that no longer work."""
        from evalkit.store.tokens import list_tokens

        return list_tokens(self._database)

    def token(self, sha256: str) -> Token | None:
        """The API token of which `sha256` is the digest, whether or not it still works; `None` where there is none."""
        from evalkit.store.tokens import find_token

        return find_token(self._database, sha256)
