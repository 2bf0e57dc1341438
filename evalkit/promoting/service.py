"""The commands on promotions: each is one transaction of the store, with its rows in the audit log.

All raise `Refusal`, with the name of the rule, where a rule does not allow it, and `NotFound` for what is not there.
With `dry_run` everything is judged in the same way and nothing is written. `policies` are those of the project now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from evalkit.canonical import new_id
from evalkit.errors import NotFound, Refusal
from evalkit.promoting.desk import Webhooks, facts_of, on_promotion, outcome, transaction, write
from evalkit.promoting.outcome import Outcome
from evalkit.promoting.policies import Policies
from evalkit.promoting.requesting import TRIES, at_once, judged_now, no_longer_so, requested
from evalkit.promotion import Actor, Freeze, Promotion, freezing, machine
from evalkit.promotion.facts import Facts, Step
from evalkit.promotion.rollback import rolled_back
from evalkit.version import __version__
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.store import Store

NOBODY: Webhooks = MappingProxyType({})


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
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Ask for `alias` of a prompt or model to be moved to `version`, and judge the evidence of `runs` (any names of
    runs) at once.

    The promotion that it gives is `blocked`, `pending_approval`, `approved` (it waits, or there is a freeze) or
    `applied`; without runs it is `requested`, and `evaluate` judges it later. `baseline` names the run that gates
    compare with, `None` is what the promotion in force cites.
    """
    found = store.version(kind, name, version)
    cited = tuple(dict.fromkeys(store.resolve(run) for run in runs))
    compared = _compared(store, baseline, cited, is_first=store.alias(kind, name, alias) is None)
    for _ in range(TRIES):
        done = requested(
            store,
            found=found,
            alias=alias,
            runs=cited,
            actor=actor,
            policies=policies,
            reason=reason,
            baseline=compared,
            webhooks=webhooks,
            dry_run=dry_run,
        )
        if done is not None:
            return outcome(done, dry_run=dry_run)
    raise Refusal("base_moved", f"{alias} of {kind}/{name} keeps being moved by others.", hint="Try again.")


def _compared(store: Store, baseline: str | None, runs: Sequence[str], *, is_first: bool) -> str | None:
    """The id of the run that `runs` are compared with: `last` is the last one before they began.

    Where nothing is in force yet (`is_first`), there is nothing to be worse than, and a run may be held against itself.
    """
    if baseline is None or is_first:
        return baseline and store.resolve(baseline)
    compared = store.resolve(baseline, before=min(map(store.began, runs), default=None))
    if compared in runs:
        raise Refusal(
            "baseline",
            f"The run {compared} cannot be its own baseline.",
            why="Compared with itself nothing has ever become worse.",
            hint="Name the run that it is to be held against; `evalkit runs` lists them.",
        )
    return compared


def evaluate(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    runs: Sequence[str] | None = None,
    baseline: str | None = None,
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Judge an open promotion again: on other `runs`, or on its own under the policy of now. Approvals of what was
    judged before are dismissed.
    """
    found = store.promotion(promotion)
    cited = found.evidence.runs if runs is None and found.evidence is not None else tuple(runs or ())
    if not cited:
        raise Refusal("evidence", f"The promotion {found.id} has no run to be judged on.", hint="Give one with --run.")
    chosen = tuple(dict.fromkeys(store.resolve(run) for run in cited))
    judged = judged_now(
        store,
        policies,
        kind=found.kind,
        name=found.name,
        alias=found.alias,
        to_digest=found.to_digest,
        runs=chosen,
        baseline=_compared(store, baseline, chosen, is_first=store.alias(found.kind, found.name, found.alias) is None),
    )

    def take(now: Promotion, facts: Facts) -> Step:
        step = machine.judged(
            now,
            facts,
            actor=actor,
            evidence=judged.evidence,
            verdicts=judged.verdicts,
            evaluator=__version__,
        )
        return at_once(step, facts, actor)

    return on_promotion(store, found.id, actor=actor, policies=policies, webhooks=webhooks, dry_run=dry_run, take=take)


def approve(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    comment: str = "",
    seen: str | None = None,
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Record a person's yes to what they saw. The promotion is `approved` once there are enough; `apply` applies it.

    `seen` is the fingerprint of the evidence that they were shown, or the beginning of it: where it is another one by
    now, the approval is refused. `None` takes the one that there is.
    """

    def take(now: Promotion, facts: Facts) -> Step:
        if seen is not None and not now.fingerprint.startswith(seen):
            raise Refusal(
                "fingerprint",
                f"The evidence of the promotion {now.id} is not what you saw: it was judged again since.",
                why="An approval is of what was seen, and of nothing else.",
                hint=f"Look at it again: evalkit promotions show {now.id}",
            )
        return machine.approve(now, facts, actor=actor, vote_id=new_id(), comment=comment)

    return on_promotion(store, promotion, actor=actor, policies=policies, webhooks=webhooks, dry_run=dry_run, take=take)


def reject(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    reason: str,
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Record a person's no, which is final."""

    def take(now: Promotion, facts: Facts) -> Step:
        return machine.reject(now, facts, actor=actor, vote_id=new_id(), reason=reason)

    return on_promotion(store, promotion, actor=actor, policies=policies, webhooks=webhooks, dry_run=dry_run, take=take)


def withdraw(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    reason: str = "",
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Take back the actor's own approval. One that was approved already ends `invalidated`."""

    def take(now: Promotion, facts: Facts) -> Step:
        return machine.withdraw(now, facts, actor=actor, reason=reason)

    return on_promotion(store, promotion, actor=actor, policies=policies, webhooks=webhooks, dry_run=dry_run, take=take)


def cancel(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    reason: str = "",
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Take a promotion back; for who asked for it, and for admins."""

    def take(now: Promotion, facts: Facts) -> Step:
        return machine.cancel(now, facts, actor=actor, reason=reason)

    return on_promotion(store, promotion, actor=actor, policies=policies, webhooks=webhooks, dry_run=dry_run, take=take)


def override(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    reason: str,
    rules: Sequence[str] = (),
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Go on with a blocked promotion in spite of `rules`; none given means all that did not pass."""

    def take(now: Promotion, facts: Facts) -> Step:
        return machine.override(now, facts, actor=actor, reason=reason, rules=rules)

    return on_promotion(store, promotion, actor=actor, policies=policies, webhooks=webhooks, dry_run=dry_run, take=take)


def apply(
    store: Store,
    promotion: str,
    *,
    actor: Actor,
    policies: Policies,
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Move the alias, if everything that was judged is still so. Otherwise the promotion ends `invalidated`, which is
    recorded, and `Refusal` is raised.
    """
    found = store.promotion(promotion)
    stale = no_longer_so(store, found, policies)

    def take(now: Promotion, facts: Facts) -> Step:
        if now.evidence != found.evidence:
            raise Refusal(
                "evidence",
                f"The promotion {now.id} was judged anew just now.",
                hint="Look at it again, then apply it.",
            )
        return machine.apply(now, facts, actor=actor, stale=stale)

    return on_promotion(store, found.id, actor=actor, policies=policies, webhooks=webhooks, dry_run=dry_run, take=take)


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
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Point the alias at a version that was applied under it before, at once: the one before, or the version `to`."""
    target = None if to is None else store.version(kind, name, to).version.digest
    with transaction(store, webhooks=webhooks, dry_run=dry_run) as ledger:
        step = rolled_back(
            facts_of(ledger, policies, kind, name, alias),
            promotion_id=new_id(),
            kind=kind,
            name=name,
            alias=alias,
            actor=actor,
            reason=reason,
            to_digest=target,
        )
        step = write(ledger, step, actor)
    return outcome(step, dry_run=dry_run)


def freeze(
    store: Store,
    *,
    subject: str = "*",
    alias: str = "*",
    actor: Actor,
    policies: Policies,
    reason: str,
    until: dt.datetime | None = None,
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """Let nothing be applied under an alias until somebody lifts it, or until `until`; rollbacks go on."""
    with transaction(store, webhooks=webhooks, dry_run=dry_run) as ledger:
        declared, said = freezing.declare(
            Freeze(id=new_id(), subject=subject, alias=alias, reason=reason, since=ledger.now(), until=until, by=actor),
            protected=policies.is_protected(subject, alias),
        )
        ledger.declare(declared)
        ledger.append(said)
    return Outcome(events=(said,), freeze=declared, dry_run=dry_run)


def lift(
    store: Store,
    freeze: str,
    *,
    actor: Actor,
    policies: Policies,
    reason: str = "",
    webhooks: Webhooks = NOBODY,
    dry_run: bool = False,
) -> Outcome:
    """End a freeze, by its id or the beginning of it."""
    with transaction(store, webhooks=webhooks, dry_run=dry_run) as ledger:
        found = _freeze(ledger.freezes(), freeze)
        lifted, said = freezing.lift(
            found,
            actor=actor,
            now=ledger.now(),
            protected=policies.is_protected(found.subject, found.alias),
            reason=reason,
        )
        ledger.declare(lifted)
        ledger.append(said)
    return Outcome(events=(said,), freeze=lifted, dry_run=dry_run)


def _freeze(freezes: Sequence[Freeze], name: str) -> Freeze:
    wanted = name.strip().lower()
    matches = [one for one in freezes if one.id == wanted] or [
        one for one in freezes if wanted and one.id.startswith(wanted)
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotFound(f'"{name}" is the beginning of {len(matches)} freezes.', hint="Give more of the id.")
    on = ", ".join(one.id for one in freezes if one.lifted_at is None)
    raise NotFound(f'There is no freeze "{name}".', hint=f"Those not lifted: {on}." if on else "None is in force.")
