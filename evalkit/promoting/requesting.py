"""How a request comes about: its evidence is read and judged first, then everything is written in one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.canonical import new_id
from evalkit.errors import NotFound, Refusal
from evalkit.promoting.current import present
from evalkit.promoting.desk import Webhooks, facts_of, transaction, write
from evalkit.promoting.evidence import collect, load_runs
from evalkit.promoting.judging import Judged, in_force, judge_runs
from evalkit.promoting.policies import Policies
from evalkit.promotion import TERMINAL, Actor, Promotion, RuleVerdict, freezing, machine
from evalkit.promotion.facts import Facts, Step
from evalkit.promotion.rules import Present, no_longer
from evalkit.version import __version__
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.store import Registered, Store


def no_longer_so(store: Store, promotion: Promotion, policies: Policies) -> list[RuleVerdict]:
    """The rules that a promotion met when it was judged and does not meet now; empty where it has no evidence."""
    evidence = promotion.evidence
    if evidence is None or promotion.state in TERMINAL:
        return []
    policy = policies.find(promotion.kind, promotion.name, promotion.alias)
    now = store.now()
    try:
        runs = load_runs(store, evidence.runs)
        cited = collect(runs, kind=promotion.kind, name=promotion.name, to_digest=promotion.to_digest).cited
        here = present(store, evidence, cited, alias=promotion.alias)
    except (NotFound, Refusal):  # a run is gone, or is not what it was
        here = Present(run_digest=None)
    overridden = () if promotion.override is None else promotion.override.rules
    return [one for one in no_longer(policy, evidence, here, now) if one.rule not in overridden]


TRIES = 5
"""How often a request is judged anew because its alias moved meanwhile."""


def requested(
    store: Store,
    *,
    found: Registered,
    alias: str,
    runs: Sequence[str],
    actor: Actor,
    policies: Policies,
    reason: str,
    baseline: str | None,
    webhooks: Webhooks,
    dry_run: bool,
) -> Step | None:
    """The step of a request, written; `None` where the alias moved while its evidence was judged."""
    version = found.version
    kind, name = version.kind, version.name
    before = store.alias(kind, name, alias)
    judged = None
    if runs:
        judged = judged_now(
            store,
            policies,
            kind=kind,
            name=name,
            alias=alias,
            to_digest=version.digest,
            runs=runs,
            baseline=baseline,
        )
    now = store.now()
    draft = Promotion(
        id=new_id(),
        kind=kind,
        name=name,
        alias=alias,
        from_digest=None,
        to_digest=version.digest,
        base_generation=0,
        created_at=now,
        by=actor,
        author=found.author,
        reason=reason,
        policy=policies.find(kind, name, alias).text,
        evidence=None,
        fingerprint="",
        evaluator=__version__,
        state_since=now,
    )
    with transaction(store, webhooks=webhooks, dry_run=dry_run) as ledger:
        facts = facts_of(ledger, policies, kind, name, alias)
        if facts.generation != (0 if before is None else before.generation):
            return None
        step = machine.opened(draft, facts)
        if judged is not None:
            after = machine.judged(
                step.promotion,
                facts,
                actor=actor,
                evidence=judged.evidence,
                verdicts=judged.verdicts,
                evaluator=__version__,
            )
            step = at_once(dataclasses.replace(after, events=(*step.events, *after.events)), facts, actor)
        return write(ledger, step, actor)


def judged_now(
    store: Store,
    policies: Policies,
    *,
    kind: SubjectKind,
    name: str,
    alias: str,
    to_digest: str,
    runs: Sequence[str],
    baseline: str | None,
) -> Judged:
    """The runs judged by the policy of now, compared with `baseline`, or with what is in force."""
    there = store.alias(kind, name, alias)
    history = store.promotions(kind=kind, name=name, alias=alias)
    baselines = in_force(history, None if there is None else there.digest) if baseline is None else (baseline,)
    return judge_runs(
        store,
        policies.find(kind, name, alias),
        kind=kind,
        name=name,
        alias=alias,
        to_digest=to_digest,
        runs=runs,
        baselines=baselines,
        now=store.now(),
    )


def at_once(step: Step, facts: Facts, actor: Actor) -> Step:
    """The step gone on to the move, where nobody has to be asked and nothing has to be waited for."""
    made = step.promotion
    if made.state != "approved" or facts.policy.min_approvals or facts.policy.wait:
        return step
    if freezing.in_the_way(made, facts.policy, facts):
        return step
    after = machine.applied(made, facts, actor, made.state_since)
    return dataclasses.replace(after, events=(*step.events, *after.events))
