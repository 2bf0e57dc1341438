"""What stands in the way of a command: a state, a time that is over, a base that moved, a rule.

Some of it ends the promotion, which has to be recorded: those functions give the `Step` that says so, or `None` where
nothing is in the way. The others raise `Refusal`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from evalkit.errors import Refusal
from evalkit.promotion import people
from evalkit.promotion.expiry import as_of, moment
from evalkit.promotion.facts import Facts, Step, event
from evalkit.promotion.policy import OVERRIDABLE, Policy, policy_of
from evalkit.promotion.records import TERMINAL, Actor, Promotion, RuleVerdict, State

_FINAL = {
    "rejected": "A rejection is final.",
    "superseded": "Another came after it.",
    "rolled_back": "It was rolled back.",
}


_NEXT = {
    "requested": "It has no evidence yet: judge it on a run first.",
    "blocked": "Its verdict is no pass: judge it on another run, or override it where the policy lets you.",
    "pending_approval": "It waits for approvals.",
    "approved": "It has the approvals it needs, and can be applied.",
    "applied": "It is in force; a rollback undoes it.",
}


def policy_under(promotion: Promotion) -> Policy:
    """The policy that it was judged by. Raises `Refusal` where this version of evalkit cannot read it."""
    try:
        return policy_of(promotion.policy)
    except ValueError as error:
        raise Refusal(
            "policy", f"The promotion {promotion.id} cannot go on: {error}.", hint="Ask anew, under the policy of now."
        ) from None


def is_protected(promotion: Promotion, facts: Facts) -> bool:
    """Whether it is protected by the policy that it was judged by, or by the one of now."""
    return facts.policy.protected or policy_under(promotion).protected


def moved_to(promotion: Promotion, state: State, at: dt.datetime, note: str = "") -> Promotion:
    """The promotion in another state."""
    return dataclasses.replace(promotion, state=state, state_since=at, note=note or promotion.note)


def ended(promotion: Promotion, facts: Facts, actor: Actor, allowed: Sequence[State], action: str) -> Step | None:
    """The step that says that it has expired, `None` where it is in one of the states `allowed`. Raises `Refusal`
    where it is in another.
    """
    now = as_of(promotion, policy_under(promotion), facts.now)
    if now.state != promotion.state:
        return Step(
            promotion=now,
            events=(event("promotion.expired", now, actor, moment(promotion, facts.now), reason=now.note),),
            refusal=Refusal(
                "expiry",
                f"The promotion {now.id} has expired.",
                why=now.note,
                hint="Ask anew, with evidence of now.",
            ),
        )
    if promotion.state in allowed:
        return None
    final = promotion.state in TERMINAL
    raise Refusal(
        "final" if final else "state",
        f"The promotion {promotion.id} is {promotion.state.replace('_', ' ')}: nobody can {action}.",
        why=_FINAL.get(promotion.state) or promotion.note or None,
        hint="A new request is a new promotion." if final else _NEXT.get(promotion.state),
    )


def base_moved(promotion: Promotion, facts: Facts, actor: Actor) -> Step | None:
    """The step that ends it where the alias is not where it was."""
    if (facts.digest, facts.generation) == (promotion.from_digest, promotion.base_generation):
        return None
    return overtaken(promotion, actor, moment(promotion, facts.now))


def overtaken(promotion: Promotion, actor: Actor, at: dt.datetime) -> Step:
    """The promotion whose alias another moved first."""
    made = moved_to(promotion, "invalidated", at, "The alias was moved by another since this was asked for.")
    return Step(
        promotion=made,
        events=(event("promotion.invalidated", made, actor, at, rule="base_moved", reason=made.note),),
        refusal=Refusal(
            "base_moved",
            f"{made.alias} of {made.subject} was moved by another since this was asked for.",
            why="It was judged against a version that is no longer in force.",
            hint="Ask anew: it is then compared with what is in force now.",
        ),
    )


def outdated(promotion: Promotion, facts: Facts, actor: Actor, stale: Sequence[RuleVerdict]) -> Step | None:
    """The step that ends it where what it rests on is no longer so."""
    reasons = [one.reason for one in stale if one.decision != "pass"]
    rule, hint = "stale", "Ask anew, with a run of now."
    if promotion.policy.digest != facts.policy.text.digest:
        reasons.insert(0, f"The policy of {promotion.alias} is another one than it was judged by.")
        rule, hint = "policy", "Ask anew: it is then judged by the policy of now."
    if not reasons:
        return None
    at = moment(promotion, facts.now)
    made = moved_to(promotion, "invalidated", at, " ".join(reasons))
    return Step(
        promotion=made,
        events=(event("promotion.invalidated", made, actor, at, rule=rule, reason=made.note),),
        refusal=Refusal(
            rule,
            f"The promotion {promotion.id} rests on what is no longer so, and can never be applied.",
            why=made.note,
            hint=hint,
        ),
    )


def require_same_policy(promotion: Promotion, facts: Facts) -> None:
    """Raise `Refusal` (`policy`) where the policy in force is another one than it was judged by."""
    if promotion.policy.digest != facts.policy.text.digest:
        raise Refusal(
            "policy",
            f"The policy of {promotion.alias} is another one than the promotion was judged by.",
            why="What people agreed to would no longer be what is asked of it.",
            hint="Judge it again under the policy of now, or ask anew.",
        )


def require_reason(reason: str, what: str) -> None:
    """Raise `Refusal` (`reason`) where none is given."""
    if not reason.strip():
        raise Refusal("reason", f"{what} needs a reason.", hint="Give one with --reason; it is kept in the audit log.")


def require_no_vote(promotion: Promotion, actor: Actor) -> None:
    """Raise `Refusal` (`one_vote`) where the actor has voted already."""
    for one in people.standing(promotion):
        if people.person(one.by.name) == people.person(actor.name):
            raise Refusal(
                "one_vote",
                f"{actor.name} has {'approved' if one.approves else 'rejected'} it already, and has one vote.",
                hint="Withdraw it first, to vote otherwise.",
            )


def require_overridable(missed: Sequence[str], chosen: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise `Refusal` (`override`) unless `chosen` are all rules that did not pass, and each may be overridden."""
    for name in (*chosen, *missed):
        if name not in OVERRIDABLE or name not in allowed:
            why = "It says that the evidence is of something else, or of another time."
            raise Refusal(
                "override",
                f'The rule "{name}" cannot be overridden.',
                why=why if name not in OVERRIDABLE else f"The policy allows it for: {', '.join(allowed)}.",
                hint="Judge it on a run that meets the rule.",
            )
    left = [name for name in missed if name not in chosen]
    if left:
        raise Refusal(
            "override",
            f"Other rules did not pass either: {', '.join(left)}.",
            hint="Name them too, or leave the rules out to mean all that did not pass.",
        )
    unneeded = [name for name in chosen if name not in missed]
    if unneeded:
        raise Refusal(
            "override",
            f"There is nothing to override in: {', '.join(unneeded)}.",
            hint=f"What did not pass: {', '.join(missed)}.",
        )
