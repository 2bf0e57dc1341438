"""The records of a promotion: what was asked for, on which evidence, under which policy, and what people said of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

from evalkit.runs import Decision
from evalkit.versions import SubjectKind

State = Literal[
    "requested",
    "blocked",
    "pending_approval",
    "approved",
    "applied",
    "superseded",
    "rolled_back",
    "rejected",
    "cancelled",
    "expired",
    "invalidated",
]
"""Where a promotion stands; `docs/promotion.md` draws how one becomes another."""

TERMINAL: frozenset[State] = frozenset({"superseded", "rolled_back", "rejected", "cancelled", "expired", "invalidated"})
"""States that nothing leads out of."""

_WORST_FIRST: tuple[Decision, ...] = ("fail", "inconclusive", "pass")

Authentication = Literal["asserted-local", "api-token", "proxy"]
"""How somebody proved who they are; `asserted-local` is the operating system's user, which proves nothing."""

Role = Literal["viewer", "runner", "author", "approver", "admin"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did something. `roles` have the aliases that each holds for, `*` for all; a local user has none.

    `token` is the id of the API token (never the token), `None` without one; `ci` the URL of the job that it ran in.
    """

    name: str
    is_service: bool = False
    authentication: Authentication = "asserted-local"
    roles: Mapping[Role, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    token: str | None = None
    ci: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PolicyText:
    """The policy that a promotion is judged by: `text` is its canonical JSON, `digest` the SHA-256 of that."""

    name: str
    digest: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the stored runs say, in digests and counts, so that it can be held against the present.

    `run_digest` is the SHA-256 over the sorted digests of the results of all cases. `datasets` are digests by suite;
    `scorers` are by `suite/name`, each with version, config and, for a judge, the id of its calibration and where it
    stood. `subject` is the digest of the version that was run. `lock` is the digest of the versions of the packages.
    `selection` says why a suite ran on a part of its cases, empty where none did. `finished_at` is of the oldest run,
    or of the outputs that it scored again.
    `others` are the prompts and models that the suites used beside the subject: digests by `model/solver`.
    `by_suite` counts `cases`, `planned`, `executed`, `errored` and `unscored` of each suite. `baselines` are the ids of
    the runs that gates compared with, by suite; `baseline` is the first of them. `collected_at` is when it was judged.
    """

    runs: tuple[str, ...]
    run_digest: str
    baseline: str | None
    suites: tuple[str, ...]
    datasets: Mapping[str, str]
    scorers: Mapping[str, Mapping[str, Any]]
    subject: str
    lock: str
    cases: int
    planned: int
    executed: int
    errored: int
    unscored: int
    seed: int
    selection: str
    is_complete: bool
    commit: str | None
    dirty: bool | None
    finished_at: dt.datetime | None
    others: Mapping[str, str] = dataclasses.field(default_factory=dict)
    by_suite: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    baselines: Mapping[str, str] = dataclasses.field(default_factory=dict)
    collected_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """What one rule of the policy came to.

    `rule` is its name, such as `gate`, `max_age`, `min_cases`, `judges`; `text` the rule as the policy has it.
    `observed`, `low` and `high` are figures in words (`0.91`, `12 days`), empty where there is none. `reason` is a
    sentence for a person, `hint` the way forward.
    """

    rule: str
    text: str
    decision: Decision
    suite: str = ""
    slice: str = ""
    observed: str = ""
    low: str = ""
    high: str = ""
    n: int = 0
    reason: str = ""
    hint: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody's decision to go on in spite of rules that did not pass; good until `expires_at`."""

    rules: tuple[str, ...]
    reason: str
    by: Actor
    at: dt.datetime
    expires_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's recorded yes or no. `fingerprint` is of the evidence that they saw; `is_self` says that they are
    also who asked for the promotion or wrote the version. `dismissed` says why it no longer counts, empty if it does.
    """

    id: str
    promotion: str
    by: Actor
    approves: bool
    comment: str
    at: dt.datetime
    fingerprint: str
    is_self: bool = False
    dismissed: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which an alias does not move; `subject` is `prompt/NAME`, `model/NAME` or `*`, `alias` a name or `*`.

    `until` is `None` for one that somebody has to lift; `lifted_at` and `lifted_by` say that somebody did.
    """

    id: str
    subject: str
    alias: str
    reason: str
    since: dt.datetime
    until: dt.datetime | None
    by: Actor
    lifted_at: dt.datetime | None = None
    lifted_by: Actor | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A request to move an alias to another version, with what it rests on. What was asked for never changes.

    `from_digest` and `base_generation` are where the alias stood when it was asked for: `None` and 0 where it did not
    exist. `fingerprint` is the SHA-256 of the canonical JSON of subject, datasets, scorers, policy and run digest.
    `state_since` is when it came into its state. `rollback_of` is the
    promotion that a rollback undoes, `superseded_by` the one that came after it; `generation` is the alias's after it
    was applied. `note` says why it ended, in words.
    """

    id: str
    kind: SubjectKind
    name: str
    alias: str
    from_digest: str | None
    to_digest: str
    base_generation: int
    created_at: dt.datetime
    by: Actor
    author: str | None
    reason: str
    policy: PolicyText
    evidence: Evidence | None
    fingerprint: str
    evaluator: str
    verdicts: tuple[RuleVerdict, ...] = ()
    state: State = "requested"
    state_since: dt.datetime
    override: Override | None = None
    approvals: tuple[Approval, ...] = ()
    applied_at: dt.datetime | None = None
    applied_by: Actor | None = None
    generation: int | None = None
    rollback_of: str | None = None
    superseded_by: str | None = None
    note: str = ""

    @property
    def decision(self) -> Decision | None:
        """The one verdict over all rules: `fail` beats `inconclusive` beats `pass`; `None` before any was made."""
        found = {verdict.decision for verdict in self.verdicts}
        return next((one for one in _WORST_FIRST if one in found), None)

    @property
    def subject(self) -> str:
        """What it moves, as people type it: `prompt/support-reply`."""
        return f"{self.kind}/{self.name}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What an audit row says: `action` such as `promotion.applied`, who, about what, and the facts as plain JSON."""

    action: str
    actor: Actor
    at: dt.datetime
    subject: str
    alias: str = ""
    promotion: str | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
