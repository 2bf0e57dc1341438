"""The commands on promotions: each is one transaction of the store, with its rows in the audit log.

All raise `Refusal`, with the name of the rule, where a rule does not allow it, and `NotFound` for what is not there.
With `dry_run` everything is judged in the same way and nothing is written. `policies` are those of the project now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.promoting.outcome import Outcome
from evalkit.promotion import Actor
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.promoting.policies import Policies
    from evalkit.store import Store


def request(
    store: Store,
    *,
    kind: SubjectKind,
    name: str,
    version: str,
    alias: str,
    runs: Sequence[str] = (),
    actor: Actor,
    policies: Policies,
    reason: str = "",
    baseline: str | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Ask for `alias` of a prompt or model to be moved to `version`, and judge the evidence of `runs` (any names of
    runs) at once.

    The promotion that it gives is `blocked`, `pending_approval`, `approved` (it waits, or there is a freeze) or
    `applied`; without runs it is `requested`, and `evaluate` judges it later. `baseline` names the run that gates
    compare with, `None` is what the promotion in force cites.
    """
    raise NotImplementedError


def evaluate(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    runs: Sequence[str] | None = None,
    baseline: str | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Judge an open promotion again: on other `runs`, or on its own under the policy of now. Approvals of what was
    judged before are dismissed.
    """
    raise NotImplementedError


def approve(
    store: Store, promotion: str, *, actor: Actor, policies: Policies, comment: str = "", dry_run: bool = False
) -> Outcome:
    """Record a person's yes to what they saw. The promotion is `approved` once there are enough; `apply` applies it."""
    raise NotImplementedError


def reject(
    store: Store, promotion: str, *, actor: Actor, policies: Policies, reason: str, dry_run: bool = False
) -> Outcome:
    """Record a person's no, which is final."""
    raise NotImplementedError


def withdraw(
    store: Store, promotion: str, *, actor: Actor, policies: Policies, reason: str = "", dry_run: bool = False
) -> Outcome:
    """Take back the actor's own approval. One that was approved already ends `invalidated`."""
    raise NotImplementedError


def cancel(
    store: Store, promotion: str, *, actor: Actor, policies: Policies, reason: str = "", dry_run: bool = False
) -> Outcome:
    """Take a promotion back; for who asked for it, and for admins."""
    raise NotImplementedError


def override(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    reason: str,
    rules: Sequence[str] = (),
    dry_run: bool = False,
) -> Outcome:
    """Go on with a blocked promotion in spite of `rules`; none given means all that did not pass."""
    raise NotImplementedError


def apply(store: Store, promotion: str, *, actor: Actor, policies: Policies, dry_run: bool = False) -> Outcome:
    """Move the alias, if everything that was judged is still so. Otherwise the promotion ends `invalidated`, which is
    recorded, and `Refusal` is raised.
    """
    raise NotImplementedError


def rollback(
    store: Store,
    *,
    kind: SubjectKind,
    name: str,
    alias: str,
    actor: Actor,
    policies: Policies,
    reason: str,
    to: str | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Point the alias at a version that was applied under it before, at once: the one before, or the version `to`."""
    raise NotImplementedError


def freeze(
    store: Store,
    *,
    subject: str = "*",
    alias: str = "*",
    actor: Actor,
    policies: Policies,
    reason: str,
    until: dt.datetime | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Let nothing be applied under an alias until somebody lifts it, or until `until`; rollbacks go on."""
    raise NotImplementedError


def lift(
    store: Store, freeze: str, *, actor: Actor, policies: Policies, reason: str = "", dry_run: bool = False
) -> Outcome:
    """End a freeze, by its id or the beginning of it."""
    raise NotImplementedError
