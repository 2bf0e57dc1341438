"""Who somebody is, and what they may do: identities, roles, votes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalkit.errors import Refusal
from evalkit.promotion.policy import Policy
from evalkit.promotion.records import Actor, Approval, Promotion, Role

MAY_REQUEST: tuple[Role, ...] = ("author", "runner", "admin")
MAY_VOTE: tuple[Role, ...] = ("approver", "admin")
MAY_APPLY: tuple[Role, ...] = ("author", "runner", "approver", "admin")
MAY_ROLL_BACK: tuple[Role, ...] = ("runner", "approver", "admin")
MAY_FREEZE: tuple[Role, ...] = ("approver", "admin")
MAY_ADMINISTER: tuple[Role, ...] = ("admin",)


def person(name: str) -> str:
    """The name by which people are told apart: neither case nor spaces around it make another person."""
    return name.strip().casefold()


def is_proven(actor: Actor) -> bool:
    """Whether the actor proved who they are; the operating system's user proves nothing to others."""
    return actor.authentication != "asserted-local"


def holds(actor: Actor, roles: Iterable[Role], alias: str) -> bool:
    """Whether the actor has one of the roles for the alias."""
    return any(one in ("*", alias) for role in roles for one in actor.roles.get(role, ()))


def require(
    actor: Actor, roles: Sequence[Role], *, alias: str, protected: bool, action: str, reads_roles: bool = True
) -> None:
    """See that the actor may do something at all. Raises `Refusal`: `identity` for a local user under a protected
    alias, `role` for an authenticated one without any of `roles`; with `reads_roles` false that is not asked.
    """
    if protected and not is_proven(actor):
        raise Refusal(
            "identity",
            f"{actor.name} is known by the name of a local user only, and {alias} is protected: it cannot {action}.",
            why="Whoever has the machine can take any name there, so it proves nothing.",
            hint="Use an API token, in EVALKIT_TOKEN; an admin makes one with `evalkit tokens create`.",
        )
    if reads_roles and is_proven(actor) and not holds(actor, roles, alias):
        listed = " or ".join(roles)
        raise Refusal(
            "role",
            f"{actor.name} may not {action} under {alias}.",
            why=f"That takes the role {listed} for {alias}, which this token does not have.",
            hint="Ask an admin for a token with it, or somebody who has one.",
        )


def require_person(actor: Actor, action: str) -> None:
    """Raise `Refusal` (`service`) for a service account."""
    if actor.is_service:
        raise Refusal(
            "service",
            f"{actor.name} is a service account, which may request and apply, and never {action}.",
            why="An approval is a person's decision.",
            hint="Let a person do it, with a token of their own.",
        )


def listed(actor: Actor, entries: Sequence[str], alias: str) -> bool:
    """Whether an entry of a policy (`anna`, `role:admin`) means the actor."""
    for entry in entries:
        kind, colon, role = entry.partition(":")
        if colon and kind == "role":
            if role == "admin" and holds(actor, ("admin",), alias):
                return True
            if role == "approver" and holds(actor, MAY_VOTE, alias):
                return True
        elif person(entry) == person(actor.name):
            return True
    return False


def require_voter(actor: Actor, promotion: Promotion, policy: Policy) -> None:
    """See that the actor may vote on a promotion at all. Raises `Refusal`."""
    require_person(actor, "approve or reject")
    require(actor, MAY_VOTE, alias=promotion.alias, protected=policy.protected, action="approve or reject")
    if policy.approvers and not listed(actor, policy.approvers, promotion.alias):
        raise Refusal(
            "approvers",
            f"{actor.name} is not among those who may approve or reject under {promotion.alias}.",
            hint=f"The policy {policy.name} names: {', '.join(policy.approvers)}.",
        )


def selves(promotion: Promotion) -> dict[str, str]:
    """Those whose approval would be of their own doing, and why: `{"anna": "asked for it"}`."""
    found: dict[str, str] = {}
    if promotion.override is not None:
        found[person(promotion.override.by.name)] = "made the override"
    if promotion.author:
        found[person(promotion.author)] = "wrote the version"
    found[person(promotion.by.name)] = "asked for it"
    return found


def standing(promotion: Promotion) -> tuple[Approval, ...]:
    """The votes that count."""
    return tuple(one for one in promotion.approvals if not one.dismissed)


def given(promotion: Promotion) -> int:
    """How many different people approve."""
    return len({person(one.by.name) for one in standing(promotion) if one.approves})


def needed(promotion: Promotion, policy: Policy) -> int:
    """How many people must approve: as the policy says, and no fewer than an override takes."""
    if promotion.override is None or policy.override is None:
        return policy.min_approvals
    return max(policy.min_approvals, policy.override.approvals)
