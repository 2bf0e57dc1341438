"""What a promotion needs of the store: one transaction in which everything happens, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from evalkit.promotion.records import Event, Freeze, PolicyText, Promotion
from evalkit.versions import SubjectKind


class Ledger(Protocol):
    """One open transaction under the write lock; `Store.ledger()` gives it, commits it at its end, or rolls it back.

    Everything that is read through it is still so when it commits.
    """

    def now(self) -> dt.datetime:
        """The time, UTC: the clock's, or the highest time that the store has seen where the clock was put back."""
        ...

    def promotion(self, promotion_id: str) -> Promotion | None:
        """The promotion as it stands, with its approvals."""
        ...

    def promotions(self, kind: SubjectKind, name: str, alias: str) -> Sequence[Promotion]:
        """All of one alias, the oldest first."""
        ...

    def save(self, promotion: Promotion) -> None:
        """Write a promotion, new or changed. Approvals are only ever added, or marked as dismissed."""
        ...

    def position(self, kind: SubjectKind, name: str, alias: str) -> tuple[str, int] | None:
        """The digest that the alias points at, and its generation; `None` where there is no such alias."""
        ...

    def move(
        self, kind: SubjectKind, name: str, alias: str, digest: str, *, expected_generation: int, by: str
    ) -> int | None:
        """Point the alias at `digest`, by compare-and-swap; its new generation, or `None` where it has moved before."""
        ...

    def freezes(self) -> Sequence[Freeze]:
        """All freezes that were ever declared, the oldest first."""
        ...

    def declare(self, freeze: Freeze) -> None:
        """Write a freeze, new or lifted."""
        ...

    def keep(self, policy: PolicyText) -> None:
        """Keep a policy's text under its digest; one that is there already stays."""
        ...

    def append(self, event: Event) -> None:
        """Add a row to the audit log, and to the outbox for each webhook that listens to it."""
        ...
