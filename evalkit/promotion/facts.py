"""What the rules of promotion are judged against, and what comes of a command."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from evalkit.errors import Refusal
from evalkit.promotion.policy import Policy, policy_of
from evalkit.promotion.records import Actor, Event, Freeze, Promotion


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How things stand at the moment of a command, all read in one transaction.

    `now` is the highest time that the store has seen. `policy` is the one in force for the alias now. `position` is
    the digest that the alias points at and its generation, `None` where there is no such alias. `history` are all
    promotions of the alias, the oldest first; `freezes` all that were ever declared.
    """

    now: dt.datetime
    policy: Policy
    position: tuple[str, int] | None = None
    history: tuple[Promotion, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    @property
    def digest(self) -> str | None:
        """The version in force, by its digest."""
        return None if self.position is None else self.position[0]

    @property
    def generation(self) -> int:
        """The generation of the alias; 0 where there is none."""
        return 0 if self.position is None else self.position[1]

    @property
    def in_force(self) -> Promotion | None:
        """The promotion that put the alias where it is; `None` where it was set otherwise."""
        for one in reversed(self.history):
            if one.state == "applied" and one.to_digest == self.digest:
                return one
        return None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a command makes of a promotion: all of it is written in one transaction, or none.

    `others` are promotions that change with it. `move` is the digest that the alias is to point at and the generation
    that it must still be of. `refusal` is why it was not done, where something has to be written nevertheless, such as
    that the promotion has expired.
    """

    promotion: Promotion
    events: tuple[Event, ...] = ()
    others: tuple[Promotion, ...] = ()
    move: tuple[str, int] | None = None
    refusal: Refusal | None = None


def event(action: str, promotion: Promotion, actor: Actor, at: dt.datetime, **facts: Any) -> Event:
    """A row of the audit log about a promotion; facts that are empty are left out."""
    said: Mapping[str, Any] = {key: value for key, value in facts.items() if value not in (None, "", (), [])}
    return Event(
        action=action,
        actor=actor,
        at=at,
        subject=promotion.subject,
        alias=promotion.alias,
        promotion=promotion.id,
        facts=said,
    )


def was_protected(history: tuple[Promotion, ...]) -> Promotion | None:
    """The last promotion that moved the alias, where its policy protected it; `None` otherwise."""
    moved = [one for one in history if one.applied_at is not None]
    if not moved:
        return None
    last = max(moved, key=lambda one: one.generation or 0)
    try:
        return last if policy_of(last.policy).protected else None
    except ValueError:  # of a later version of evalkit, say: then nothing may be taken for granted
        return last
