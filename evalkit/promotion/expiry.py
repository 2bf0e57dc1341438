"""When a promotion expires, judged when somebody looks, so that nothing has to run for it to happen."""

from __future__ import annotations

import dataclasses
import datetime as dt

from evalkit.promotion.durations import span
from evalkit.promotion.policy import Policy
from evalkit.promotion.records import Promotion, State

OPEN: tuple[State, ...] = ("requested", "blocked", "pending_approval", "approved")
"""States in which something may still come of a promotion."""


def moment(promotion: Promotion, now: dt.datetime) -> dt.datetime:
    """The time to judge by: never before what has already happened, whatever the clock says."""
    return max(now, promotion.state_since, promotion.created_at)


def deadline(promotion: Promotion, policy: Policy) -> tuple[dt.datetime, str] | None:
    """When an open promotion expires, and why in words; `None` for one that is not open."""
    if promotion.state not in OPEN:
        return None
    if promotion.state == "approved":
        at = promotion.state_since + dt.timedelta(seconds=policy.approved_for)
        why = f"it was not applied within {span(policy.approved_for)} of its approval"
    else:
        at = promotion.created_at + dt.timedelta(seconds=policy.pending_for)
        why = f"it was not decided within {span(policy.pending_for)} of the request"
    if promotion.override is not None and promotion.override.expires_at < at:
        return promotion.override.expires_at, "its override was good until then"
    return at, why


def as_of(promotion: Promotion, policy: Policy, now: dt.datetime) -> Promotion:
    """The promotion as it stands at `now`: `expired` where its time is over, else as it is recorded."""
    found = deadline(promotion, policy)
    if found is None or moment(promotion, now) < found[0]:
        return promotion
    return dataclasses.replace(promotion, state="expired", state_since=found[0], note=f"Expired: {found[1]}.")
