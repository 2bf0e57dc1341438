"""Promotions as they stand now, and what one still needs."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from evalkit.promoting.requesting import no_longer_so
from evalkit.promotion import Promotion, RuleVerdict, people
from evalkit.promotion.expiry import OPEN, as_of, deadline
from evalkit.promotion.facts import Facts
from evalkit.promotion.freezing import in_the_way
from evalkit.promotion.policy import Policy, policy_of
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.promoting.policies import Policies
    from evalkit.store import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a promotion still needs. `promotion` has the state that it is in by now, expiry included.

    `needed` and `given` count approvals. `approvers` say in words who may approve, `excluded` names those who may not
    though they could (`anna: asked for it`). `stale` are the verdicts that would keep it from being applied now;
    `frozen` says which freezes are in the way. `ready_at` is when its wait is over, `expires_at` when it expires; both
    are `None` where there is no such time. `next` is a sentence on what to do.
    """

    promotion: Promotion
    needed: int
    given: int
    approvers: str
    excluded: tuple[str, ...]
    stale: tuple[RuleVerdict, ...]
    frozen: tuple[str, ...]
    ready_at: dt.datetime | None
    expires_at: dt.datetime | None
    next: str


def find(store: Store, promotion: str) -> Promotion:
    """The promotion of that id, or whose id alone begins so, in the state that it is in by now. Raises `NotFound`."""
    return _as_of(store.promotion(promotion), store.now())


def listed(
    store: Store, *, kind: SubjectKind | None = None, name: str | None = None, alias: str | None = None
) -> list[Promotion]:
    """Promotions in the state that they are in by now, the newest first."""
    now = store.now()
    return [_as_of(one, now) for one in reversed(store.promotions(kind=kind, name=name, alias=alias))]


def outlook(store: Store, promotion: str, *, policies: Policies) -> Outlook:
    """What a promotion still needs, judged as of now. Raises `NotFound`."""
    recorded = store.promotion(promotion)
    there = store.alias(recorded.kind, recorded.name, recorded.alias)
    facts = Facts(
        now=store.now(),
        policy=policies.find(recorded.kind, recorded.name, recorded.alias),
        position=None if there is None else (there.digest, there.generation),
        freezes=tuple(store.freezes()),
    )
    return outlook_of(recorded, facts, stale=tuple(no_longer_so(store, _as_of(recorded, facts.now), policies)))


def outlook_of(recorded: Promotion, facts: Facts, *, stale: tuple[RuleVerdict, ...] = ()) -> Outlook:
    """What a promotion needs by those facts; one that was not written yet, such as that of a dry run, has one too."""
    promotion = _as_of(recorded, facts.now)
    policy = _policy(promotion) or facts.policy
    found = deadline(promotion, policy)
    is_open = promotion.state in OPEN
    ready_at = None
    if promotion.state == "approved" and policy.wait:
        ready_at = promotion.state_since + dt.timedelta(seconds=policy.wait)
    made = Outlook(
        promotion=promotion,
        needed=people.needed(promotion, policy),
        given=people.given(promotion),
        approvers=_approvers(policy, promotion.alias),
        excluded=()
        if policy.allow_self_approval
        else tuple(f"{name}: {why}" for name, why in sorted(people.selves(promotion).items())),
        stale=(*_moved(promotion, facts), *_policy_changed(promotion, facts), *stale) if is_open else (),
        frozen=in_the_way(promotion, policy, facts) if is_open else (),
        ready_at=ready_at,
        expires_at=None if found is None else found[0],
        next="",
    )
    return dataclasses.replace(made, next=_next(made, facts.now))


def _as_of(promotion: Promotion, now: dt.datetime) -> Promotion:
    policy = _policy(promotion)
    return promotion if policy is None else as_of(promotion, policy, now)


def _policy(promotion: Promotion) -> Policy | None:
    try:
        return policy_of(promotion.policy)
    except ValueError:  # written by a later version: shown as it is recorded
        return None


def _approvers(policy: Policy, alias: str) -> str:
    if policy.approvers:
        who = ", ".join(policy.approvers)
        return f"{who}, with a token" if policy.protected else who
    if policy.protected:
        return f"whoever has the role approver or admin for {alias}"
    return "anybody but a service account"


def _moved(promotion: Promotion, facts: Facts) -> tuple[RuleVerdict, ...]:
    if (facts.digest, facts.generation) == (promotion.from_digest, promotion.base_generation):
        return ()
    return (
        RuleVerdict(
            rule="base_moved",
            text="the alias is where it was",
            decision="fail",
            reason="The alias was moved by another since this was asked for.",
            hint="Ask anew: it is then compared with what is in force now.",
        ),
    )


def _policy_changed(promotion: Promotion, facts: Facts) -> tuple[RuleVerdict, ...]:
    if promotion.policy.digest == facts.policy.text.digest:
        return ()
    return (
        RuleVerdict(
            rule="policy",
            text="the policy is the one that it was judged by",
            decision="fail",
            reason=f"The policy of {promotion.alias} is another one than it was judged by.",
            hint="Judge it again, or ask anew.",
        ),
    )


def _next(made: Outlook, now: dt.datetime) -> str:
    promotion = made.promotion
    if promotion.state not in OPEN:
        return promotion.note or {"applied": "It is in force."}.get(promotion.state, "")
    if made.stale:
        return made.stale[0].hint
    if promotion.state == "requested":
        return "It needs a run to be judged on."
    if promotion.state == "blocked":
        first = next(one for one in promotion.verdicts if one.decision != "pass")
        return first.hint or "Fix what did not pass, and ask anew with a new run."
    if promotion.state == "pending_approval":
        return f"It needs {made.needed - made.given} more of {made.needed} approvals, by {made.approvers}."
    if made.frozen:
        return f"It waits for the end of a freeze: {made.frozen[0]}."
    if made.ready_at is not None and now < made.ready_at:
        return f"It can be applied from {made.ready_at:%Y-%m-%d %H:%M:%S} UTC on."
    return "It can be applied."
