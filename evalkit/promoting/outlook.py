"""Promotions as they stand now, and what one still needs."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from evalkit.promotion import Promotion, RuleVerdict
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
    raise NotImplementedError


def listed(
    store: Store, *, kind: SubjectKind | None = None, name: str | None = None, alias: str | None = None
) -> list[Promotion]:
    """Promotions in the state that they are in by now, the newest first."""
    raise NotImplementedError


def outlook(store: Store, promotion: str, *, policies: Policies) -> Outlook:
    """What a promotion still needs."""
    raise NotImplementedError
