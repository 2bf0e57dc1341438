"""What the commands for promotions print with `--json`; `docs/cli.md` says what is in it."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from evalkit.canonical import jsonable
from evalkit.cli import subjectviews
from evalkit.cli.promotionviews import Versions, freeze_state
from evalkit.cli.shapes import moment

if TYPE_CHECKING:
    from evalkit.cli.desk import Desk
    from evalkit.promoting import Outcome, Outlook
    from evalkit.promotion import Actor, Approval, Evidence, Freeze, Override, Promotion, RuleVerdict

PROMOTION = "evalkit.promotion/1"
ACTED = "evalkit.promoted/1"
VERIFIED = "evalkit.verified/1"
FREEZE = "evalkit.freeze/1"
POLICY = "evalkit.policy/1"


def promotion_shape(promotion: Promotion, versions: Versions) -> dict[str, Any]:
    """A promotion: one of `promotions --json`, and the `promotion` of the commands that act on one."""
    return {
        "schema": PROMOTION,
        "id": promotion.id,
        "state": promotion.state,
        "state_since": moment(promotion.state_since),
        "note": promotion.note,
        "subject": promotion.subject,
        "alias": promotion.alias,
        "from": _version(promotion.from_digest, versions),
        "to": _version(promotion.to_digest, versions),
        "created_at": moment(promotion.created_at),
        "by": actor_shape(promotion.by),
        "author": promotion.author,
        "reason": promotion.reason,
        "policy": {
            "name": promotion.policy.name,
            "digest": promotion.policy.digest,
            "content": json.loads(promotion.policy.text),
        },
        "evidence": None if promotion.evidence is None else _evidence(promotion.evidence),
        "verdicts": [verdict_shape(one) for one in promotion.verdicts],
        "decision": promotion.decision,
        "evaluator": promotion.evaluator,
        "fingerprint": promotion.fingerprint,
        "override": None if promotion.override is None else _override(promotion.override),
        "approvals": [_approval(one) for one in promotion.approvals],
        "applied_at": moment(promotion.applied_at),
        "applied_by": None if promotion.applied_by is None else actor_shape(promotion.applied_by),
        "generation": {"before": promotion.base_generation, "after": promotion.generation},
        "rollback_of": promotion.rollback_of,
        "superseded_by": promotion.superseded_by,
    }


def acted_shape(desk: Desk, outcome: Outcome, look: Outlook, code: int) -> dict[str, Any]:
    """What a command did to a promotion, or would do: `promote --json` and its like."""
    promotion = outcome.promotion
    assert promotion is not None, "freezes have a shape of their own"
    versions = desk.versions(promotion)
    return {
        "schema": ACTED,
        "dry_run": outcome.dry_run,
        "exit_code": code,
        "promotion": promotion_shape(promotion, versions),
        "changes": changes_shape(promotion, versions),
        "outlook": outlook_shape(look),
        "events": [event.action for event in outcome.events],
        "others": [{"id": one.id, "state": one.state} for one in outcome.others],
        "audit": desk.store.checkpoint().sealed(desk.key),
    }


def changes_shape(promotion: Promotion, versions: Versions) -> dict[str, Any] | None:
    """What differs from the version in force, as `prompts diff --json` has it; `null` where there was none."""
    after = versions.get(promotion.to_digest)
    before = None if promotion.from_digest is None else versions.get(promotion.from_digest)
    if before is None or after is None:
        return None
    from evalkit.registry import difference

    old, new = (subjectviews.Shown(version=one, stored=None, is_file=False) for one in (before, after))
    return subjectviews.changes_shape(old, new, difference(before, after))


def outlook_shape(look: Outlook) -> dict[str, Any]:
    """What a promotion still needs."""
    return {
        "needed": look.needed,
        "given": look.given,
        "approvers": look.approvers,
        "excluded": list(look.excluded),
        "stale": [verdict_shape(one) for one in look.stale],
        "frozen": list(look.frozen),
        "ready_at": moment(look.ready_at),
        "expires_at": moment(look.expires_at),
        "next": look.next,
    }


def verdict_shape(one: RuleVerdict) -> dict[str, Any]:
    """What one rule came to."""
    return {
        "rule": one.rule,
        "text": one.text,
        "verdict": one.decision,
        "suite": one.suite,
        "slice": one.slice,
        "observed": one.observed,
        "interval": [one.low, one.high] if one.low or one.high else None,
        "n": one.n,
        "reason": one.reason,
        "hint": one.hint,
    }


def actor_shape(actor: Actor) -> dict[str, Any]:
    """Who, and how that is known."""
    return {
        "name": actor.name,
        "service": actor.is_service,
        "authentication": actor.authentication,
        "token": actor.token,
        "ci": actor.ci,
    }


def freeze_shape(one: Freeze, now: dt.datetime) -> dict[str, Any]:
    """One of `freeze list --json`."""
    return {
        "schema": FREEZE,
        "id": one.id,
        "state": freeze_state(one, now),
        "subject": one.subject,
        "alias": one.alias,
        "reason": one.reason,
        "since": moment(one.since),
        "until": moment(one.until),
        "by": actor_shape(one.by),
        "lifted_at": moment(one.lifted_at),
        "lifted_by": None if one.lifted_by is None else actor_shape(one.lifted_by),
    }


def _version(digest: str | None, versions: Versions) -> dict[str, Any] | None:
    if digest is None:
        return None
    found = versions.get(digest)
    return {"number": None if found is None else found.number, "digest": digest}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "runs": list(evidence.runs),
        "run_digest": evidence.run_digest,
        "baseline": evidence.baseline,
        "suites": list(evidence.suites),
        "datasets": dict(evidence.datasets),
        "scorers": jsonable(dict(evidence.scorers)),
        "subject": evidence.subject,
        "others": dict(evidence.others),
        "lock": evidence.lock,
        "cases": evidence.cases,
        "trials": {
            "planned": evidence.planned,
            "executed": evidence.executed,
            "errored": evidence.errored,
            "unscored": evidence.unscored,
        },
        "by_suite": {suite: dict(counts) for suite, counts in evidence.by_suite.items()},
        "seed": evidence.seed,
        "selection": evidence.selection,
        "complete": evidence.is_complete,
        "commit": evidence.commit,
        "dirty": evidence.dirty,
        "finished_at": moment(evidence.finished_at),
    }


def _override(one: Override) -> dict[str, Any]:
    return {
        "rules": list(one.rules),
        "reason": one.reason,
        "by": actor_shape(one.by),
        "at": moment(one.at),
        "expires_at": moment(one.expires_at),
    }


def _approval(one: Approval) -> dict[str, Any]:
    return {
        "id": one.id,
        "approves": one.approves,
        "by": actor_shape(one.by),
        "at": moment(one.at),
        "comment": one.comment,
        "fingerprint": one.fingerprint,
        "self": one.is_self,
        "dismissed": one.dismissed,
    }
