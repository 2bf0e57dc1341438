"""The rules of a policy on evidence, beside its gates: is it whole, recent, enough, and still of what is there now?

Pure functions of records. Each rule gives at least one `RuleVerdict`, so that a record says what was looked at.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping

from evalkit.promotion.durations import span
from evalkit.promotion.policy import Policy
from evalkit.promotion.records import Evidence, RuleVerdict
from evalkit.runs import Decision

_GOOD_ENOUGH = {"calibrated": ("calibrated", "interchangeable"), "interchangeable": ("interchangeable",)}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What evidence is held against: how things are now.

    `run_digest` is what the runs come to when they are read again, `None` where one is gone. `datasets` are digests by
    suite and `scorers` versions by `suite/name`, both as the newest comparable run of the suite has them; a suite
    without one is left out. `others` are the digests in force of the prompts and models used beside the subject; those
    without an alias are left out. `standings` say how far judges are trusted now, by `suite/name`.
    """

    run_digest: str | None
    datasets: Mapping[str, str] = dataclasses.field(default_factory=dict)
    scorers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    others: Mapping[str, str] = dataclasses.field(default_factory=dict)
    standings: Mapping[str, str] = dataclasses.field(default_factory=dict)


def on_evidence(policy: Policy, evidence: Evidence, now: dt.datetime) -> list[RuleVerdict]:
    """What the rules say of the evidence as it was collected."""
    return [
        _complete(evidence),
        *_suites(policy, evidence),
        _max_age(policy, evidence, now),
        *_min_cases(policy, evidence),
        *_max_errors(policy, evidence),
        *_judges(policy, evidence, {}),
        *_dirty(policy, evidence),
    ]


def on_present(policy: Policy, evidence: Evidence, present: Present) -> list[RuleVerdict]:
    """Whether the evidence is of what is there now: the rule `current`."""
    found: list[str] = []
    for suite, digest in sorted(evidence.datasets.items()):
        now = present.datasets.get(suite, digest)
        if now != digest:
            found.append(f"The dataset of {suite} is another by now: {now[:12]}, and the run had {digest[:12]}.")
    found.extend(_scorers(evidence, present))
    if policy.others == "current":
        for other, digest in sorted(evidence.others.items()):
            now = present.others.get(other, digest)
            if now != digest:
                found.append(f"The run used {other} at {digest[:12]}, and {now[:12]} is in force.")
    if not found:
        return [
            RuleVerdict(
                rule="current",
                text="what was run is what is there now",
                decision="pass",
                reason="Datasets, scorers and the other versions are those of now.",
            )
        ]
    return [
        RuleVerdict(
            rule="current",
            text="what was run is what is there now",
            decision="fail",
            reason=reason,
            hint="Run the suites again, as things are now, and promote on that run.",
        )
        for reason in found
    ]


def no_longer(policy: Policy, evidence: Evidence, present: Present, now: dt.datetime) -> list[RuleVerdict]:
    """The rules that evidence which was good once does not meet any more; empty where it still is."""
    verdicts = [
        _max_age(policy, evidence, now),
        *_judges(policy, evidence, present.standings),
        *on_present(policy, evidence, present),
    ]
    if present.run_digest != evidence.run_digest:
        verdicts.append(
            RuleVerdict(
                rule="run_digest",
                text="the stored results are those that were judged",
                decision="fail",
                observed="" if present.run_digest is None else present.run_digest[:12],
                reason="What the store has of the runs is not what was judged.",
                hint="Look at `evalkit audit verify` and at backups; promote on a new run.",
            )
        )
    return [one for one in verdicts if one.decision != "pass"]


def _verdict(
    rule: str, text: str, is_met: bool, reason: str, *, observed: str = "", suite: str = "", n: int = 0, hint: str = ""
) -> RuleVerdict:
    decision: Decision = "pass" if is_met else "fail"
    return RuleVerdict(
        rule=rule,
        text=text,
        decision=decision,
        suite=suite,
        observed=observed,
        n=n,
        reason=reason,
        hint="" if is_met else hint,
    )


def _complete(evidence: Evidence) -> RuleVerdict:
    text = "every case of every suite ran, in a run that ended"
    if evidence.is_complete:
        return _verdict("complete", text, True, f"All {evidence.planned:,} planned trials ran.", n=evidence.executed)
    said = f" ({evidence.selection})" if evidence.selection else ""
    return _verdict(
        "complete",
        text,
        False,
        f"The evidence is not whole{said}: {evidence.executed:,} of {evidence.planned:,} planned trials are there.",
        n=evidence.executed,
        hint="Run the suites whole, without a selection or a sample.",
    )


def _suites(policy: Policy, evidence: Evidence) -> list[RuleVerdict]:
    return [
        _verdict(
            "suites",
            f"{suite} ran",
            suite in evidence.suites,
            f"{suite} ran with this version."
            if suite in evidence.suites
            else f"No run has the suite {suite} with this version.",
            suite=suite,
            hint=f"Run {suite} with this version too, and give its run.",
        )
        for suite in policy.suites
    ]


def _max_age(policy: Policy, evidence: Evidence, now: dt.datetime) -> RuleVerdict:
    text = f"no older than {span(policy.max_age)}"
    if evidence.finished_at is None:
        return _verdict("max_age", text, False, "A run has not ended.", hint="Wait until it has.")
    age = max((now - evidence.finished_at).total_seconds(), 0.0)
    return _verdict(
        "max_age",
        text,
        age <= policy.max_age,
        f"The oldest run ended {span(age)} ago.",
        observed=span(age),
        hint="Run the suites again.",
    )


def _min_cases(policy: Policy, evidence: Evidence) -> list[RuleVerdict]:
    if not policy.min_cases:
        return []
    return [
        _verdict(
            "min_cases",
            f"at least {policy.min_cases:,} cases",
            counts["cases"] >= policy.min_cases,
            f"{suite} has a result of {counts['cases']:,} cases.",
            observed=str(counts["cases"]),
            suite=suite,
            n=counts["cases"],
            hint="Add cases to the dataset, or look at what errored.",
        )
        for suite, counts in sorted(evidence.by_suite.items())
    ]


def _max_errors(policy: Policy, evidence: Evidence) -> list[RuleVerdict]:
    given = policy.max_errors
    if given is None:
        return []
    found: list[RuleVerdict] = []
    for suite, counts in sorted(evidence.by_suite.items()):
        errored, executed = counts["errored"], counts["executed"]
        share = float(given[:-1]) / 100 if given.endswith("%") else None
        allowed = errored <= int(given) if share is None else errored <= share * executed
        found.append(
            _verdict(
                "max_errors",
                f"at most {given} of the trials errored" if share is not None else f"at most {given} errors",
                allowed and executed > 0,
                f"{errored:,} of {executed:,} trials of {suite} errored.",
                observed=str(errored),
                suite=suite,
                n=executed,
                hint="See what errored with `evalkit show RUN --failed`, and run again.",
            )
        )
    return found


def _judges(policy: Policy, evidence: Evidence, standings: Mapping[str, str]) -> list[RuleVerdict]:
    if policy.judges is None:
        return []
    wanted = _GOOD_ENOUGH[policy.judges]
    found: list[RuleVerdict] = []
    for key, said in sorted(evidence.scorers.items()):
        if "standing" not in said:
            continue
        standing = standings.get(key, str(said["standing"]))
        suite, _, name = key.partition("/")
        found.append(
            _verdict(
                "judges",
                f"judges are {policy.judges}",
                standing in wanted,
                f"The judge {name} of {suite} is {standing}.",
                observed=standing,
                suite=suite,
                hint=f"Label some of its cases and calibrate it: evalkit judges calibrate {name}",
            )
        )
    return found


def _dirty(policy: Policy, evidence: Evidence) -> list[RuleVerdict]:
    if policy.allow_dirty:
        return []
    text = "run from a checkout without uncommitted changes"
    hint = "Commit, and run again."
    if evidence.dirty is None:
        return [
            RuleVerdict(
                rule="dirty",
                text=text,
                decision="inconclusive",
                reason="It is not known whether the checkout had uncommitted changes.",
                hint=hint,
            )
        ]
    reason = "The checkout had uncommitted changes." if evidence.dirty else "Everything was committed."
    return [_verdict("dirty", text, not evidence.dirty, reason, hint=hint)]


def _scorers(evidence: Evidence, present: Present) -> list[str]:
    suites = {key.partition("/")[0] for key in present.scorers}
    versions = {key: str(said["version"]) for key, said in evidence.scorers.items()}
    keys = {key for key in (*versions, *present.scorers) if key.partition("/")[0] in suites}
    found: list[str] = []
    for key in sorted(keys):
        suite, _, name = key.partition("/")
        before, now = versions.get(key), present.scorers.get(key)
        if before is None:
            found.append(f"{suite} has the scorer {name} by now, and the run did not.")
        elif now is None:
            found.append(f"{suite} has no scorer {name} any more.")
        elif before != now:
            found.append(f"The scorer {name} of {suite} is of another version by now.")
    return found
