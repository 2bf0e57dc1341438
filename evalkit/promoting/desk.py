"""One command on promotions as one transaction: facts read, a step taken, everything written, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evalkit.errors import NotFound
from evalkit.promoting.outcome import Outcome
from evalkit.promoting.policies import Policies
from evalkit.promotion import Actor, Promotion
from evalkit.promotion.facts import Facts, Step
from evalkit.promotion.ledger import Ledger
from evalkit.promotion.obstacles import overtaken
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.store import Store

Webhooks = Mapping[str, Sequence[str]]
"""By the name of a webhook, the events that it listens to."""


class _Undone(Exception):
    """Raised inside a transaction that was only to be looked at."""


@contextlib.contextmanager
def transaction(store: Store, *, webhooks: Webhooks, dry_run: bool) -> Iterator[Ledger]:
    """The ledger of the store; with `dry_run` what is done in it is undone at its end."""
    with contextlib.suppress(_Undone), store.ledger(webhooks=webhooks) as ledger:
        yield ledger
        if dry_run:
            raise _Undone


def facts_of(ledger: Ledger, policies: Policies, kind: SubjectKind, name: str, alias: str) -> Facts:
    """How things stand for an alias, inside a transaction."""
    return Facts(
        now=ledger.now(),
        policy=policies.find(kind, name, alias),
        position=ledger.position(kind, name, alias),
        history=tuple(ledger.promotions(kind, name, alias)),
        freezes=tuple(ledger.freezes()),
    )


def write(ledger: Ledger, step: Step, actor: Actor) -> Step:
    """Write what a step makes of things. Where the alias has moved after all, the step that says so is written."""
    made = step.promotion
    if step.move is not None:
        digest, generation = step.move
        moved = ledger.move(made.kind, made.name, made.alias, digest, expected_generation=generation, by=actor.name)
        if moved is None:
            step = overtaken(made, actor, made.state_since)
    ledger.save(step.promotion)
    for other in step.others:
        ledger.save(other)
    for event in step.events:
        ledger.append(event)
    return step


def on_promotion(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    webhooks: Webhooks,
    dry_run: bool,
    take: Callable[[Promotion, Facts], Step],
) -> Outcome:
    """The step that `take` gives for a promotion, by its id or the beginning of it, written in one transaction.

    A refusal that ends the promotion is written, and then raised.
    """
    found = store.promotion(promotion)
    with transaction(store, webhooks=webhooks, dry_run=dry_run) as ledger:
        now = ledger.promotion(found.id)
        if now is None:
            raise NotFound(f"The store has no promotion {found.id} any more.")
        step = write(ledger, take(now, facts_of(ledger, policies, now.kind, now.name, now.alias)), actor)
    return outcome(step, dry_run=dry_run)


def outcome(step: Step, *, dry_run: bool) -> Outcome:
    """What came of a step. Raises the refusal that it has."""
    if step.refusal is not None:
        raise step.refusal
    return Outcome(promotion=step.promotion, events=step.events, others=step.others, dry_run=dry_run)
