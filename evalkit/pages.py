"""The page of a stored run, with all that its store knows around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.runs import Run
from evalkit.trust import informed
from evalkit.versions import Version
from evalkit_reports import write_html
from evalkit_reports.context import (
    ApprovalView,
    Context,
    EarlierRun,
    JudgeCard,
    PromotionView,
    RuleVerdict,
)
from evalkit_reports.trend import MOST_RUNS

if TYPE_CHECKING:
    from evalkit.promotion import Actor, Approval, Promotion
    from evalkit.store import Store
    from evalkit.store.history import HistoryPoint

MOST_SPANS = 300_000
"""Of a run whose traces have more together they are left out of the page, which says so."""

_STATES = {"pending_approval": "waiting for approval", "rolled_back": "rolled back"}
_KNOWN_BY = {"asserted-local": "the user of the machine", "api-token": "an API token", "proxy": "the proxy"}


def write_stored(store: Store, run: str, path: Path, *, baseline: str | None = None, title: str | None = None) -> Path:
    """Write the page of the stored run called `run` to `path` and return it; see `evalkit_reports.write_html`.

    `baseline` names the run to hold it against. Raises `NotFound` for names that no run has, and `EvalkitError` where
    the page cannot be written.
    """
    run_id = store.resolve(run)
    spans = sum(trace.spans for trace in store.traces(run_id))
    found = store.load(run_id, traces=spans <= MOST_SPANS)
    before = None
    if baseline is not None:
        before = store.load(store.resolve(baseline, before=found.started_at), traces=False)
    known = context(store, found, baseline=before)
    if spans > MOST_SPANS:
        note = f"They have {spans:,} spans, too many for a page. `evalkit traces show` has each of them."
        known = known.with_note("Traces left out", note)
    return write_html(informed(found, store.annotations(run_id), store.calibrations()), path, title=title, around=known)


def context(store: Store, run: Run, *, baseline: Run | None = None) -> Context:
    """What a store knows around a run: earlier runs of its suites, its judges, the promotions that rest on it."""
    cards = [
        JudgeCard(judge=one.judge, version=one.scorer_version, made_at=one.made_at, body=one.body)
        for one in store.calibrations()
    ]
    cited = store.promotions_citing(run.id)
    return Context(
        baseline=baseline,
        earlier={suite.info.name: _earlier(store, run, suite.info.name) for suite in run.suites},
        attempts=store.earlier_runs(run.id),
        promotions=tuple(_promotion(store, one) for one in map(store.promotion, cited) if _rests_on(one, run)),
        cards=tuple(cards),
    )


def _rests_on(promotion: Promotion, run: Run) -> bool:
    """Whether the run is its evidence, and not only what that is compared with."""
    return promotion.evidence is not None and run.id in promotion.evidence.runs


def _earlier(store: Store, run: Run, suite: str) -> tuple[EarlierRun, ...]:
    """The runs of a suite before this one that came to their end, the last of them, oldest first."""
    from evalkit.store.filters import RunFilter

    wanted = RunFilter(until=run.started_at)
    points = store.history(suite, last=3 * MOST_RUNS, wanted=wanted)
    ended = [one for one in points if one.run_id != run.id and one.status == "complete"]
    return tuple(_in_brief(one) for one in ended[-(MOST_RUNS - 1) :])


def _in_brief(point: HistoryPoint) -> EarlierRun:
    states = {decision for _, decision in point.gates}
    return EarlierRun(
        run=point.run_id,
        started_at=point.started_at,
        commit=point.commit,
        decision="fail"
        if "fail" in states
        else "inconclusive"
        if "inconclusive" in states
        else "pass"
        if states
        else None,
        dataset=point.dataset,
        dataset_name=point.dataset_name,
        scorers=point.scorers,
        partial=point.partial,
        metrics=point.metrics,
    )


def _promotion(store: Store, one: Promotion) -> PromotionView:
    known = {found.version.digest: found.version for found in store.versions(one.kind, one.name)}
    pushed = one.override
    return PromotionView(
        id=one.id,
        subject=one.subject,
        alias=one.alias,
        old="" if one.from_digest is None else _label(one.from_digest, known),
        new=_label(one.to_digest, known),
        state=_STATES.get(one.state, one.state),
        policy=one.policy.name,
        requested_by=_who(one.by),
        requested_at=one.created_at,
        rules=tuple(
            RuleVerdict(rule=verdict.text or verdict.rule, state=verdict.decision, reason=verdict.reason)
            for verdict in one.verdicts
        ),
        approvals=tuple(map(_approval, one.approvals)),
        needed=one.note,
        override="" if pushed is None else f"{', '.join(pushed.rules)} by {_who(pushed.by)}: {pushed.reason}",
        fingerprint=one.fingerprint,
    )


def _approval(one: Approval) -> ApprovalView:
    comment = f"{one.comment} (dismissed: {one.dismissed})" if one.dismissed else one.comment
    return ApprovalView(
        who=_who(one.by),
        decision="approved" if one.approves else "rejected",
        how=_KNOWN_BY.get(one.by.authentication, one.by.authentication),
        when=one.at,
        reason=comment,
        is_own=one.is_self,
    )


def _who(actor: Actor) -> str:
    return f"{actor.name} (a service)" if actor.is_service else actor.name


def _label(digest: str, known: Mapping[str, Version]) -> str:
    found = known.get(digest)
    return digest[:8] if found is None or found.number is None else f"v{found.number} ({digest[:8]})"
