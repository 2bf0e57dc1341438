"""Freezes: declared by people, or windows of a policy."""

from __future__ import annotations

import dataclasses
import datetime as dt

from evalkit.errors import Refusal
from evalkit.promotion import people
from evalkit.promotion.facts import Facts
from evalkit.promotion.policy import Policy
from evalkit.promotion.records import Actor, Event, Freeze, Promotion


def is_on(freeze: Freeze, now: dt.datetime) -> bool:
    """Whether a freeze is in force."""
    return freeze.lifted_at is None and freeze.since <= now and (freeze.until is None or now < freeze.until)


def touches(freeze: Freeze, subject: str, alias: str) -> bool:
    """Whether a freeze is of an alias of a subject."""
    return freeze.subject in ("*", subject) and freeze.alias in ("*", alias)


def in_the_way(promotion: Promotion, policy: Policy, facts: Facts) -> tuple[str, ...]:
    """What keeps a promotion from being applied now, in words; nothing does so during no freeze."""
    found = [
        f"{freeze.reason} (declared by {freeze.by.name}"
        + (f", until {freeze.until:%Y-%m-%d %H:%M} UTC)" if freeze.until is not None else ")")
        for freeze in facts.freezes
        if is_on(freeze, facts.now) and touches(freeze, promotion.subject, promotion.alias)
    ]
    windows = {window: None for held in (policy, facts.policy) for window in held.freeze}
    return (*found, *(window.text for window in windows if window.holds(facts.now)))


def declare(freeze: Freeze, *, protected: bool) -> tuple[Freeze, Event]:
    """The freeze and its row in the audit log. Raises `Refusal`."""
    people.require(freeze.by, people.MAY_FREEZE, alias=freeze.alias, protected=protected, action="declare a freeze")
    kind, _, name = freeze.subject.partition("/")
    if freeze.subject != "*" and not (kind in ("prompt", "model") and name):
        raise Refusal(
            "freeze",
            f"{freeze.subject!r:.80} is nothing that could be frozen.",
            why="A freeze of something that is not there would stop nothing.",
            hint="Write prompt/NAME, model/NAME, or * for everything.",
        )
    if not freeze.reason.strip():
        raise Refusal(
            "reason", "A freeze needs a reason.", hint="Give one with --reason; people who wait will read it."
        )
    if freeze.until is not None and freeze.until <= freeze.since:
        raise Refusal("freeze", "The freeze would end before it begins.", hint="Give a later time.")
    until = None if freeze.until is None else freeze.until.isoformat()
    return freeze, _event("freeze.declared", freeze, freeze.by, freeze.since, reason=freeze.reason, until=until)


def lift(freeze: Freeze, *, actor: Actor, now: dt.datetime, protected: bool, reason: str = "") -> tuple[Freeze, Event]:
    """The freeze, lifted. Raises `Refusal`; one that somebody with a proven identity declared takes another such."""
    people.require(
        actor,
        people.MAY_FREEZE,
        alias=freeze.alias,
        protected=protected or people.is_proven(freeze.by),
        action="lift a freeze",
    )
    if freeze.lifted_at is not None:
        raise Refusal("freeze", f"The freeze {freeze.id} was lifted already.", hint="Nothing is to be done.")
    at = max(now, freeze.since)
    made = dataclasses.replace(freeze, lifted_at=at, lifted_by=actor)
    return made, _event("freeze.lifted", made, actor, at, reason=reason or None, until=None)


def _event(action: str, freeze: Freeze, actor: Actor, at: dt.datetime, **facts: str | None) -> Event:
    said = {"freeze": freeze.id} | {key: value for key, value in facts.items() if value is not None}
    return Event(action=action, actor=actor, at=at, subject=freeze.subject, alias=freeze.alias, facts=said)
