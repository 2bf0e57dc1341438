"""The states of a promotion, and every way from one to another. Pure: records in, records out.

    requested ──judged──▶ pending_approval ──approved──▶ approved ──applied──▶ applied ──▶ superseded, rolled_back
                └───────▶ blocked ──overridden──▶ pending_approval

Every open state also ends by rejection, cancelling or expiry; an approved one by whatever it rests on being no longer
so. Each function gives a `Step`, or raises `Refusal` with the name of the rule.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence

from evalkit.canonical import digest
from evalkit.errors import Refusal
from evalkit.promotion import people
from evalkit.promotion.durations import span
from evalkit.promotion.expiry import OPEN, moment
from evalkit.promotion.facts import Facts, Step, event, was_protected
from evalkit.promotion.freezing import in_the_way
from evalkit.promotion.obstacles import (
    base_moved,
    ended,
    is_protected,
    moved_to,
    outdated,
    policy_under,
    require_no_vote,
    require_overridable,
    require_reason,
    require_same_policy,
)
from evalkit.promotion.policy import Policy
from evalkit.promotion.records import Actor, Approval, Event, Evidence, Override, PolicyText, Promotion, RuleVerdict

_ALIAS = re.compile(r"(?!v[0-9]+$|latest$)[^\W\d_][\w.-]{0,99}")


def fingerprint(promotion: Promotion, evidence: Evidence, policy: PolicyText) -> str:
    """What approvals bind to: the SHA-256 of subject, datasets, scorers, policy and run digest."""
    return digest(
        {
            "subject": {"kind": promotion.kind, "name": promotion.name, "digest": promotion.to_digest},
            "datasets": evidence.datasets,
            "scorers": evidence.scorers,
            "policy": policy.digest,
            "run_digest": evidence.run_digest,
        }
    )


def opened(draft: Promotion, facts: Facts) -> Step:
    """A new promotion as it was asked for: `draft` has what was asked, and nothing of what follows."""
    policy, actor = facts.policy, draft.by
    people.require(
        actor, people.MAY_REQUEST, alias=draft.alias, protected=policy.protected, action="request a promotion"
    )
    if not _ALIAS.fullmatch(draft.alias):
        raise Refusal(
            "alias",
            f"{draft.alias!r:.80} cannot be the name of an alias.",
            hint="Write one such as production: a letter, then letters, digits, -, _ and .; no version such as v2.",
        )
    _require_known_policy(draft, facts)
    if facts.digest == draft.to_digest:
        raise Refusal(
            "no_change",
            f"{draft.alias} of {draft.subject} is at this version already.",
            hint="There is nothing to promote.",
        )
    made = dataclasses.replace(
        draft,
        from_digest=facts.digest,
        base_generation=facts.generation,
        created_at=facts.now,
        state="requested",
        state_since=facts.now,
        policy=policy.text,
    )
    said = event(
        "promotion.requested",
        made,
        actor,
        facts.now,
        from_digest=made.from_digest,
        to_digest=made.to_digest,
        base_generation=made.base_generation,
        reason=made.reason,
        policy=made.policy.digest,
    )
    return Step(promotion=made, events=(said,))


def judged(
    promotion: Promotion,
    facts: Facts,
    *,
    actor: Actor,
    evidence: Evidence,
    verdicts: Sequence[RuleVerdict],
    evaluator: str,
) -> Step:
    """The promotion with evidence, under the policy in force now. Approvals of what was judged before are dismissed,
    and so is an override. Where nobody has to approve, one that passes is approved.
    """
    policy = facts.policy
    people.require(
        actor, people.MAY_REQUEST, alias=promotion.alias, protected=is_protected(promotion, facts), action="judge again"
    )
    over = ended(promotion, facts, actor, OPEN, "judge it again") or base_moved(promotion, facts, actor)
    if over is not None:
        return over
    at = moment(promotion, facts.now)
    made = dataclasses.replace(
        promotion,
        evidence=evidence,
        policy=policy.text,
        fingerprint=fingerprint(promotion, evidence, policy.text),
        verdicts=tuple(verdicts),
        evaluator=evaluator,
        override=None,
    )
    changed = [
        word
        for word, is_new in (
            ("evidence", promotion.evidence != evidence),
            ("policy", promotion.policy.digest != made.policy.digest),
            ("verdict", promotion.override is not None),
        )
        if is_new
    ]
    dismissed: tuple[Event, ...] = ()
    if made.fingerprint != promotion.fingerprint or promotion.override is not None:
        made, dismissed = _dismissed(made, f"new {' and '.join(changed) or 'evidence'}", actor, at)
    said = event(
        "promotion.evaluated",
        made,
        actor,
        at,
        decision=made.decision,
        fingerprint=made.fingerprint,
        policy=made.policy.digest,
        runs=list(evidence.runs),
        not_passed=[_verdict_facts(one) for one in verdicts if one.decision != "pass"],
    )
    if made.decision != "pass":
        made = moved_to(made, "blocked", at)
        return Step(
            promotion=made,
            events=(said, *dismissed, event("promotion.blocked", made, actor, at, decision=made.decision)),
        )
    made = moved_to(made, "pending_approval", at)
    return _counted(Step(promotion=made, events=(said, *dismissed)), policy, actor, at)


def approve(promotion: Promotion, facts: Facts, *, actor: Actor, vote_id: str, comment: str = "") -> Step:
    """Somebody's yes to what they saw; `approved` once there are enough."""
    policy = policy_under(promotion)
    people.require_voter(actor, promotion, policy)
    over = ended(promotion, facts, actor, ("pending_approval",), "approve it")
    if over is not None:
        return over
    require_same_policy(promotion, facts)
    own = people.selves(promotion).get(people.person(actor.name))
    if own and not policy.allow_self_approval:
        raise Refusal(
            "self_approval",
            f"{actor.name} {own}, and may not approve it.",
            why="An approval is another pair of eyes.",
            hint="Ask somebody else.",
        )
    require_no_vote(promotion, actor)
    at = moment(promotion, facts.now)
    vote = _vote(promotion, actor, vote_id, comment, at, approves=True, is_self=bool(own))
    made = dataclasses.replace(promotion, approvals=(*promotion.approvals, vote))
    said = event(
        "approval.given",
        made,
        actor,
        at,
        fingerprint=vote.fingerprint,
        comment=comment,
        self_approval=vote.is_self or None,
    )
    return _counted(Step(promotion=made, events=(said,)), policy, actor, at)


def reject(promotion: Promotion, facts: Facts, *, actor: Actor, vote_id: str, reason: str) -> Step:
    """Somebody's no, which ends it."""
    people.require_voter(actor, promotion, policy_under(promotion))
    over = ended(promotion, facts, actor, OPEN, "reject it")
    if over is not None:
        return over
    require_reason(reason, "A rejection")
    require_no_vote(promotion, actor)
    at = moment(promotion, facts.now)
    own = people.person(actor.name) in people.selves(promotion)
    vote = _vote(promotion, actor, vote_id, reason, at, approves=False, is_self=own)
    made = dataclasses.replace(promotion, approvals=(*promotion.approvals, vote))
    made = moved_to(made, "rejected", at, f"Rejected by {actor.name}: {reason}")
    return Step(promotion=made, events=(event("promotion.rejected", made, actor, at, reason=reason),))


def withdraw(promotion: Promotion, facts: Facts, *, actor: Actor, reason: str = "") -> Step:
    """The actor's approval taken back. One that was approved by it is no longer so, and ends."""
    people.require(
        actor,
        (),
        alias=promotion.alias,
        protected=policy_under(promotion).protected,
        action="withdraw",
        reads_roles=False,
    )
    over = ended(promotion, facts, actor, ("pending_approval", "approved"), "withdraw an approval of it")
    if over is not None:
        return over
    mine = [one for one in people.standing(promotion) if people.person(one.by.name) == people.person(actor.name)]
    if not mine:
        raise Refusal(
            "one_vote",
            f"{actor.name} has not approved it, so there is nothing to withdraw.",
            hint="Somebody who may approve can reject it.",
        )
    at = moment(promotion, facts.now)
    votes = tuple(
        dataclasses.replace(one, dismissed="withdrawn" + (f": {reason}" if reason else "")) if one in mine else one
        for one in promotion.approvals
    )
    made = dataclasses.replace(promotion, approvals=votes)
    said = event("approval.withdrawn", made, actor, at, approval=mine[0].id, reason=reason)
    if promotion.state != "approved":
        return Step(promotion=made, events=(said,))
    made = moved_to(made, "invalidated", at, f"{actor.name} withdrew the approval that it rested on.")
    return Step(promotion=made, events=(said, event("promotion.invalidated", made, actor, at, reason=made.note)))


def cancel(promotion: Promotion, facts: Facts, *, actor: Actor, reason: str = "") -> Step:
    """Taken back, by who asked for it or by an admin."""
    protected = policy_under(promotion).protected
    people.require(actor, (), alias=promotion.alias, protected=protected, action="cancel", reads_roles=False)
    asked = people.person(actor.name) == people.person(promotion.by.name)
    if not asked and not people.holds(actor, people.MAY_ADMINISTER, promotion.alias):
        raise Refusal(
            "requester",
            f"{actor.name} did not ask for it, and may not cancel it.",
            hint=f"{promotion.by.name} may, and an admin; somebody who may approve can reject it.",
        )
    over = ended(promotion, facts, actor, OPEN, "cancel it")
    if over is not None:
        return over
    at = moment(promotion, facts.now)
    made = moved_to(promotion, "cancelled", at, f"Cancelled by {actor.name}" + (f": {reason}" if reason else "."))
    return Step(promotion=made, events=(event("promotion.cancelled", made, actor, at, reason=reason),))


def override(promotion: Promotion, facts: Facts, *, actor: Actor, reason: str, rules: Sequence[str] = ()) -> Step:
    """Somebody's decision to go on in spite of `rules` (all that did not pass, where none is named)."""
    policy = policy_under(promotion)
    rule = policy.override
    if rule is None:
        raise Refusal(
            "override",
            f"The policy {policy.name} lets nobody override a verdict.",
            hint="Fix what did not pass, or let the policy have an `override` table.",
        )
    people.require_person(actor, "override a verdict")
    people.require(
        actor,
        people.MAY_VOTE if rule.by else people.MAY_ADMINISTER,
        alias=promotion.alias,
        protected=policy.protected,
        action="override a verdict",
    )
    if rule.by and not people.listed(actor, rule.by, promotion.alias):
        raise Refusal(
            "override",
            f"{actor.name} is not among those who may override a verdict under {promotion.alias}.",
            hint=f"The policy {policy.name} names: {', '.join(rule.by)}.",
        )
    over = ended(promotion, facts, actor, ("blocked",), "override its verdict")
    if over is not None:
        return over
    require_same_policy(promotion, facts)
    require_reason(reason, "An override")
    missed = list(dict.fromkeys(one.rule for one in promotion.verdicts if one.decision != "pass"))
    chosen = list(dict.fromkeys(rules)) or missed
    require_overridable(missed, chosen, rule.rules)
    at = moment(promotion, facts.now)
    said = Override(
        rules=tuple(chosen), reason=reason, by=actor, at=at, expires_at=at + dt.timedelta(seconds=rule.good_for)
    )
    made, dismissed = _dismissed(dataclasses.replace(promotion, override=said), "an override", actor, at)
    made = moved_to(made, "pending_approval", at)
    told = event(
        "promotion.overridden", made, actor, at, rules=chosen, reason=reason, expires_at=said.expires_at.isoformat()
    )
    return _counted(Step(promotion=made, events=(told, *dismissed)), policy, actor, at)


def apply(promotion: Promotion, facts: Facts, *, actor: Actor, stale: Sequence[RuleVerdict] = ()) -> Step:
    """The move itself, if nothing has changed since it was judged: `stale` are the rules that no longer hold."""
    policy = policy_under(promotion)
    people.require(
        actor, people.MAY_APPLY, alias=promotion.alias, protected=is_protected(promotion, facts), action="apply"
    )
    over = (
        ended(promotion, facts, actor, ("approved",), "apply it")
        or base_moved(promotion, facts, actor)
        or outdated(promotion, facts, actor, stale)
    )
    if over is not None:
        return over
    frozen = in_the_way(promotion, policy, facts)
    if frozen:
        raise Refusal(
            "freeze",
            f"{promotion.alias} of {promotion.subject} is frozen: {'; '.join(frozen)}.",
            why="Nothing is applied during a freeze; it stays approved until it expires.",
            hint="Wait, or have the freeze lifted; a rollback is possible.",
        )
    at = moment(promotion, facts.now)
    ready = promotion.state_since + dt.timedelta(seconds=policy.wait)
    if at < ready:
        raise Refusal(
            "wait",
            f"It can be applied in {span((ready - at).total_seconds())}, at {ready:%Y-%m-%d %H:%M:%S} UTC.",
            why=f"The policy {policy.name} asks for {span(policy.wait)} after the approval.",
            hint="Apply it then.",
        )
    return applied(promotion, facts, actor, at)


def applied(promotion: Promotion, facts: Facts, actor: Actor, at: dt.datetime) -> Step:
    """The promotion in force, and those before it no longer: the end of every way to the alias."""
    made = dataclasses.replace(
        moved_to(promotion, "applied", at),
        applied_at=at,
        applied_by=actor,
        generation=facts.generation + 1,
    )
    events = [
        event(
            "promotion.applied" if made.rollback_of is None else "promotion.rollback_applied",
            made,
            actor,
            at,
            from_digest=facts.digest,
            to_digest=made.to_digest,
            generation_before=facts.generation,
            generation=made.generation,
            fingerprint=made.fingerprint,
            rollback_of=made.rollback_of,
            reason=made.reason,
        )
    ]
    others: list[Promotion] = []
    for one in facts.history:
        if one.state == "applied" and one.id != made.id:
            undone = one.id == made.rollback_of
            note = f"Rolled back by {actor.name}: {made.reason}" if undone else ""
            after = moved_to(one, "rolled_back" if undone else "superseded", at, note)
            others.append(dataclasses.replace(after, superseded_by=made.id))
            events.append(event(f"promotion.{after.state}", after, actor, at, by=made.id))
    return Step(promotion=made, events=tuple(events), others=tuple(others), move=(made.to_digest, facts.generation))


def _require_known_policy(draft: Promotion, facts: Facts) -> None:
    """A protected alias stays so: the policy lies in files that whoever has the checkout can edit."""
    last = was_protected(facts.history)
    if last is None or last.policy.digest == facts.policy.text.digest:
        return
    people.require(draft.by, people.MAY_REQUEST, alias=draft.alias, protected=True, action="request a promotion")
    if not people.holds(draft.by, people.MAY_ADMINISTER, draft.alias):
        raise Refusal(
            "policy_change",
            f"{draft.alias} is protected, and its policy is another one than it was last promoted under.",
            why=f"The promotion {last.id} was judged by the policy {last.policy.digest[:12]}, this one would be by "
            f"{facts.policy.text.digest[:12]}.",
            hint="The first promotion under a new policy is asked for by an admin of the alias; after that by anyone.",
        )


def _vote(
    promotion: Promotion, actor: Actor, vote_id: str, comment: str, at: dt.datetime, *, approves: bool, is_self: bool
) -> Approval:
    return Approval(
        id=vote_id,
        promotion=promotion.id,
        by=actor,
        approves=approves,
        comment=comment,
        at=at,
        fingerprint=promotion.fingerprint,
        is_self=is_self,
    )


def _dismissed(promotion: Promotion, why: str, actor: Actor, at: dt.datetime) -> tuple[Promotion, tuple[Event, ...]]:
    gone = people.standing(promotion)
    votes = tuple(dataclasses.replace(one, dismissed=why) if one in gone else one for one in promotion.approvals)
    made = dataclasses.replace(promotion, approvals=votes)
    return made, tuple(
        event("approval.dismissed", made, actor, at, approval=one.id, voter=one.by.name, reason=why) for one in gone
    )


def _counted(step: Step, policy: Policy, actor: Actor, at: dt.datetime) -> Step:
    """The step, gone on to `approved` where there are approvals enough."""
    made = step.promotion
    wanted, found = people.needed(made, policy), people.given(made)
    if found < wanted:
        if step.events[0].action == "approval.given":
            return step
        said = event("promotion.pending_approval", made, actor, at, needed=wanted)
        return dataclasses.replace(step, events=(*step.events, said))
    made = moved_to(made, "approved", at)
    said = event("promotion.approved", made, actor, at, needed=wanted, given=found, fingerprint=made.fingerprint)
    return dataclasses.replace(step, promotion=made, events=(*step.events, said))


def _verdict_facts(one: RuleVerdict) -> dict[str, str]:
    facts = {"rule": one.rule, "decision": one.decision, "suite": one.suite, "text": one.text, "reason": one.reason}
    return {key: value for key, value in facts.items() if value}
