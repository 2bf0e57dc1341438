"""Going back to a version that was in force before."""

from __future__ import annotations

import dataclasses

from evalkit.errors import Refusal
from evalkit.promotion import people
from evalkit.promotion.facts import Facts, Step, was_protected
from evalkit.promotion.machine import applied
from evalkit.promotion.obstacles import require_reason
from evalkit.promotion.records import Actor, Promotion
from evalkit.versions import SubjectKind


def rolled_back(
    facts: Facts,
    *,
    promotion_id: str,
    kind: SubjectKind,
    name: str,
    alias: str,
    actor: Actor,
    reason: str,
    to_digest: str | None = None,
) -> Step:
    """A new promotion, applied at once, that points the alias at a version that was applied under it before: at
    `to_digest`, or at the one before the one in force. It rests on the evidence that the version was applied on, and
    no freeze is in its way. Raises `Refusal`.
    """
    protected = facts.policy.protected or was_protected(facts.history) is not None
    people.require(actor, people.MAY_ROLL_BACK, alias=alias, protected=protected, action="roll back")
    require_reason(reason, "A rollback")
    subject = f"{kind}/{name}"
    target = _before(facts) if to_digest is None else _applied_earlier(facts, to_digest)
    if target is None:
        what = f"No version was applied under {alias} of {subject} before the one in force."
        if to_digest is not None:
            what = f"The version {to_digest[:12]} was never applied under {alias} of {subject}."
        raise Refusal(
            "rollback",
            what,
            why="A rollback goes to what has been in force before, as nothing is judged for it.",
            hint=f"Ask for a promotion to {'that version' if to_digest else 'the version that you want'}.",
        )
    if target.to_digest == facts.digest:
        raise Refusal(
            "no_change",
            f"{alias} of {subject} is at this version already.",
            hint="Name another that was in force before.",
        )
    undone = facts.in_force
    draft = dataclasses.replace(
        target,
        id=promotion_id,
        from_digest=facts.digest,
        base_generation=facts.generation,
        created_at=facts.now,
        by=actor,
        reason=reason,
        state="requested",
        state_since=facts.now,
        override=None,
        approvals=(),
        applied_at=None,
        applied_by=None,
        generation=None,
        rollback_of=None if undone is None else undone.id,
        superseded_by=None,
        note=f"Back to what the promotion {target.id} applied.",
    )
    return applied(draft, facts, actor, facts.now)


def _by_generation(facts: Facts) -> list[Promotion]:
    done = [one for one in facts.history if one.applied_at is not None]
    return sorted(done, key=lambda one: one.generation or 0)


def _applied_earlier(facts: Facts, digest: str) -> Promotion | None:
    return next((one for one in reversed(_by_generation(facts)) if one.to_digest == digest), None)


def _before(facts: Facts) -> Promotion | None:
    """The last promotion, no rollback itself, before the one that first brought what is in force; what was itself
    rolled back is no place to go back to.
    """
    done = [one for one in _by_generation(facts) if one.rollback_of is None]
    reached = [at for at, one in enumerate(done) if one.to_digest == facts.digest and one.state != "rolled_back"]
    earlier = done[: reached[-1]] if reached else done
    return next(
        (one for one in reversed(earlier) if one.state != "rolled_back" and one.to_digest != facts.digest), None
    )
