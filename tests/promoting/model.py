"""The rules of promotion once more, written from their description and not from the code: which of them a command
breaks, and what becomes of a promotion where it breaks none.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from evalkit.promotion import Actor
from evalkit.promotion.policy import OverrideRule, Policy

HOUR = dt.timedelta(hours=1)
FREE = Policy(name="free", override=OverrideRule(by=("carl",), good_for=12 * 3600))
TWO = Policy(name="two", min_approvals=2, wait=2 * 3600, override=OverrideRule(by=("carl",), good_for=48 * 3600))
SELF = Policy(name="self", min_approvals=1, allow_self_approval=True, approvers=("anna", "ben"), max_age=24 * 3600)
LOCKED = Policy(name="locked", min_approvals=1, protected=True, override=OverrideRule(approvals=2, good_for=24 * 3600))
POLICIES = {policy.name: policy for policy in (FREE, TWO, SELF, LOCKED)}
OPEN = ("requested", "blocked", "pending_approval", "approved")
FINAL = ("superseded", "rolled_back", "rejected", "cancelled", "expired", "invalidated")


@dataclasses.dataclass
class Ran:
    """A run: of which version, when, on which dataset, and whether its gates pass."""

    id: str
    version: int
    at: dt.datetime
    dataset: str
    is_good: bool


@dataclasses.dataclass
class Asked:
    """A promotion as the rules see it."""

    id: str
    version: int
    by: Actor
    policy: Policy
    created: dt.datetime
    since: dt.datetime
    base: tuple[int | None, int]
    state: str = "requested"
    run: Ran | None = None
    missed: frozenset[str] = frozenset()
    votes: dict[str, bool] = dataclasses.field(default_factory=dict)
    overridden: tuple[str, dt.datetime] | None = None
    generation: int | None = None
    is_rollback: bool = False

    @property
    def deadline(self) -> dt.datetime | None:
        if self.state not in OPEN:
            return None
        end = self.since + 72 * HOUR if self.state == "approved" else self.created + 14 * 24 * HOUR
        return end if self.overridden is None else min(end, self.overridden[1])

    @property
    def quorum(self) -> int:
        if self.overridden is None or self.policy.override is None:
            return self.policy.min_approvals
        return max(self.policy.min_approvals, self.policy.override.approvals)


@dataclasses.dataclass
class World:
    """How everything stands, by the rules."""

    now: dt.datetime
    policy: Policy = FREE
    alias: tuple[int | None, int] = (None, 0)
    asked: dict[str, Asked] = dataclasses.field(default_factory=dict)
    runs: list[Ran] = dataclasses.field(default_factory=list)
    is_frozen: bool = False
    authors: dict[int, str] = dataclasses.field(default_factory=dict)

    def state(self, one: Asked) -> str:
        end = one.deadline
        return "expired" if end is not None and self.now >= end else one.state

    # what a command breaks

    def may(self, who: Actor, roles: set[str], protected: bool) -> set[str]:
        broken: set[str] = set()
        if protected and who.authentication == "asserted-local":
            broken.add("identity")
        if who.authentication != "asserted-local" and not roles & set(who.roles):
            broken.add("role")
        return broken

    def not_in(self, one: Asked, states: tuple[str, ...]) -> set[str]:
        now = self.state(one)
        if now in states:
            return set()
        if now == "expired" and one.state != "expired":
            return {"expiry"}
        return {"final" if now in FINAL else "state"}

    def verdict(self, version: int, ran: Ran) -> frozenset[str]:
        missed: set[str] = set()
        if not ran.is_good:
            missed.add("gate")
        if self.now - ran.at > dt.timedelta(seconds=self.policy.max_age):
            missed.add("max_age")
        if self.runs[-1].dataset != ran.dataset:
            missed.add("current")
        return frozenset(missed)

    def breaks_request(self, version: int, who: Actor, ran: Ran | None) -> set[str]:
        broken = self.may(who, {"author", "runner", "admin"}, self.policy.protected)
        if self.alias[0] == version:
            broken.add("no_change")
        if ran is not None and ran.version != version:
            broken.add("subject")
        last = self.last_moved()
        if last is not None and last.policy.protected and last.policy != self.policy:
            if who.authentication == "asserted-local":
                broken.add("identity")
            elif "admin" not in who.roles:
                broken |= {"policy_change", "role"} if not self._asks(who) else {"policy_change"}
        return broken

    def _asks(self, who: Actor) -> bool:
        return bool({"author", "runner", "admin"} & set(who.roles))

    def last_moved(self) -> Asked | None:
        moved = [one for one in self.asked.values() if one.generation is not None]
        return max(moved, key=lambda one: one.generation or 0) if moved else None

    def breaks_evaluate(self, one: Asked, who: Actor, ran: Ran) -> set[str]:
        broken = self.may(who, {"author", "runner", "admin"}, self.policy.protected or one.policy.protected)
        broken |= self.not_in(one, OPEN)
        if ran.version != one.version:
            broken.add("subject")
        if self.alias != one.base:
            broken.add("base_moved")
        return broken

    def _breaks_vote(self, one: Asked, who: Actor) -> set[str]:
        broken = self.may(who, {"approver", "admin"}, one.policy.protected)
        if who.is_service:
            broken.add("service")
        if one.policy.approvers and who.name not in one.policy.approvers:
            broken.add("approvers")
        if who.name in one.votes:
            broken.add("one_vote")
        return broken

    def selves(self, one: Asked) -> set[str]:
        found = {one.by.name, self.authors[one.version]}
        return found | ({one.overridden[0]} if one.overridden else set())

    def breaks_approve(self, one: Asked, who: Actor) -> set[str]:
        broken = self._breaks_vote(one, who) | self.not_in(one, ("pending_approval",))
        if one.policy != self.policy:
            broken.add("policy")
        if who.name in self.selves(one) and not one.policy.allow_self_approval:
            broken.add("self_approval")
        return broken

    def breaks_reject(self, one: Asked, who: Actor, reason: str) -> set[str]:
        broken = self._breaks_vote(one, who) | self.not_in(one, OPEN)
        return broken | (set() if reason else {"reason"})

    def breaks_withdraw(self, one: Asked, who: Actor) -> set[str]:
        broken = self.not_in(one, ("pending_approval", "approved"))
        if one.policy.protected and who.authentication == "asserted-local":
            broken.add("identity")
        return broken | (set() if who.name in one.votes else {"one_vote"})

    def breaks_cancel(self, one: Asked, who: Actor) -> set[str]:
        broken = self.not_in(one, OPEN)
        if one.policy.protected and who.authentication == "asserted-local":
            broken.add("identity")
        return broken | (set() if who.name == one.by.name or "admin" in who.roles else {"requester"})

    def breaks_override(self, one: Asked, who: Actor) -> set[str]:
        rule = one.policy.override
        if rule is None:
            return {"override"}
        broken = self.may(who, {"approver", "admin"} if rule.by else {"admin"}, one.policy.protected)
        if who.is_service:
            broken.add("service")
        if rule.by and who.name not in rule.by:
            broken.add("override")
        broken |= self.not_in(one, ("blocked",))
        if one.policy != self.policy:
            broken.add("policy")
        return broken | ({"override"} if one.missed - {"gate"} else set())

    def breaks_apply(self, one: Asked, who: Actor) -> set[str]:
        protected = self.policy.protected or one.policy.protected
        broken = self.may(who, {"author", "runner", "approver", "admin"}, protected)
        broken |= self.not_in(one, ("approved",))
        if self.state(one) != "approved":
            return broken
        assert one.run is not None
        if self.alias != one.base:
            broken.add("base_moved")
        if one.policy != self.policy:
            broken.add("policy")
        if self.verdict(one.version, one.run) - {"gate"}:
            broken |= {"stale"}
        if self.is_frozen:
            broken.add("freeze")
        if self.now < one.since + dt.timedelta(seconds=one.policy.wait):
            broken.add("wait")
        return broken

    def breaks_rollback(self, who: Actor, reason: str, to: int | None) -> set[str]:
        last = self.last_moved()
        protected = self.policy.protected or (last is not None and last.policy.protected)
        broken = self.may(who, {"runner", "approver", "admin"}, protected)
        if not reason:
            broken.add("reason")
        if to is None:
            return broken if self.back() is not None else broken | {"rollback"}
        if not any(one.version == to and one.generation is not None for one in self.asked.values()):
            broken.add("rollback")
        if to == self.alias[0]:
            broken.add("no_change")
        return broken

    def back(self) -> int | None:
        """The version before: that of the last promotion before the one that brought what is in force."""
        moved = sorted((one for one in self.asked.values() if one.generation), key=lambda one: one.generation or 0)
        forward = [one for one in moved if not one.is_rollback]
        places = [at for at, one in enumerate(forward) if one.version == self.alias[0] and one.state != "rolled_back"]
        before = forward[: places[-1]] if places else forward
        kept = [one for one in before if one.state != "rolled_back" and one.version != self.alias[0]]
        return kept[-1].version if kept else None

    # what becomes of it

    def judge(self, one: Asked, ran: Ran) -> None:
        same = one.run is ran and one.policy == self.policy
        if not same or one.overridden is not None:
            one.votes.clear()
        one.run, one.policy, one.overridden = ran, self.policy, None
        one.missed = self.verdict(one.version, ran)
        if one.missed:
            self.enter(one, "blocked")
            return
        self.enter(one, "pending_approval")
        self.count(one)
        if one.state == "approved" and not one.policy.min_approvals and not one.policy.wait and not self.is_frozen:
            self.move(one)

    def count(self, one: Asked) -> None:
        if sum(one.votes.values()) >= one.quorum:
            self.enter(one, "approved")

    def move(self, one: Asked) -> None:
        in_force = self.alias[0]
        for other in self.asked.values():
            if other.state == "applied" and other is not one:
                undone = one.is_rollback and other.version == in_force
                other.state = "rolled_back" if undone else "superseded"
        self.alias = (one.version, self.alias[1] + 1)
        one.generation = self.alias[1]
        self.enter(one, "applied")

    def enter(self, one: Asked, state: str) -> None:
        one.state, one.since = state, self.now
