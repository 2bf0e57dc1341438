"""What stands around a run and is not in its record: a baseline, earlier runs, what is known of judges, promotions.

Whoever writes a page gives as much of it as there is; a page without any of it is whole, too.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from evalkit.runs import Decision, Metric, Run


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """An earlier run of one suite, in brief: when, at which commit, on which cases, and what came out.

    `dataset` is the digest of its cases, `dataset_name` what people call them, `scorers` the version of each scorer by
    name, `partial` says that not all cases were run: values that cannot be compared with those of the run before are
    shown, but not joined to them (`evalkit.trends.breaks`). `metrics` are those over the whole suite, or some of them.
    """

    run: str
    started_at: dt.datetime
    commit: str | None = None
    decision: Decision | None = None
    dataset: str = ""
    dataset_name: str = ""
    scorers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    partial: bool = False
    metrics: tuple[Metric, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """One rule of a promotion's policy, with what it found. `state` is `pass`, `fail` or `inconclusive`."""

    rule: str
    state: str
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """A person's recorded yes or no. `how` says how the person was known; `is_own` that they approved their own."""

    who: str
    decision: str
    how: str = ""
    when: dt.datetime | None = None
    reason: str = ""
    is_own: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PromotionView:
    """A request to move an alias, for which this run is evidence. All fields are texts as people are to read them.

    `state` is the word of its state (`open`, `approved`, `rejected`, `promoted`, …). `old` is empty where the alias
    was not set. `override` says who pushed it through in spite of its rules, and why; it is empty where nobody did.
    """

    id: str
    subject: str
    alias: str
    old: str = ""
    new: str = ""
    state: str = ""
    policy: str = ""
    requested_by: str = ""
    requested_at: dt.datetime | None = None
    rules: tuple[RuleVerdict, ...] = ()
    approvals: tuple[ApprovalView, ...] = ()
    needed: str = ""
    override: str = ""
    fingerprint: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JudgeCard:
    """A calibration of a judge of the run; `body` is what `evalkit judges calibrate --json` prints."""

    judge: str
    version: str
    made_at: dt.datetime
    body: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known around a run.

    `baseline` should have come with its outputs, or none of them is the same as here. `earlier` has by suite the runs
    before this one, oldest first; `attempts` by suite how many there were at this very commit on these very cases.
    `notes` are what else limits the page: a word, and a sentence.
    """

    baseline: Run | None = None
    earlier: Mapping[str, tuple[EarlierRun, ...]] = dataclasses.field(default_factory=dict)
    attempts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    promotions: tuple[PromotionView, ...] = ()
    cards: tuple[JudgeCard, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    def with_note(self, word: str, text: str) -> Context:
        """The same, with one more note."""
        return dataclasses.replace(self, notes=(*self.notes, (word, text)))
