"""Evidence: what stored runs say of one version, in digests and counts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.canonical import digest, jsonable
from evalkit.errors import Refusal
from evalkit.promotion import Evidence
from evalkit.runs import OUTPUTS_ENDED, Run, ScorerInfo, SuiteRun
from evalkit.trial import Trial, redacted
from evalkit.trust import informed
from evalkit.versions import SubjectKind, Version

if TYPE_CHECKING:
    from evalkit.store import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A suite of a run that used the version in question."""

    run: Run
    suite: SuiteRun


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The evidence, and the suites that it was made from."""

    evidence: Evidence
    cited: tuple[Cited, ...]


def load_runs(store: Store, run_ids: Sequence[str], *, until: dt.datetime | None = None) -> list[Run]:
    """The runs with their outputs, and with what was known of judges and cases: now, or at the time `until`."""
    known = [one for one in store.calibrations() if until is None or one.made_at <= until]
    found: list[Run] = []
    for run_id in run_ids:
        said = [one for one in store.annotations(run_id) if until is None or one.at <= until]
        found.append(informed(store.load(run_id, traces=False), said, known))
    return found


def collect(runs: Sequence[Run], *, kind: SubjectKind, name: str, to_digest: str) -> Collected:
    """What the runs say of the version `to_digest`.

    Only suites that used the prompt or model count. Raises `Refusal` (`subject`) for a run in which none did, and for
    one in which a suite used another version of it, saying which versions were used; and for a suite that is in two
    of the runs.
    """
    cited = [one for run in runs for one in _cited(run, kind, name, to_digest)]
    names = [one.suite.info.name for one in cited]
    for suite in names:
        if names.count(suite) > 1:
            raise Refusal(
                "subject",
                f"The suite {suite} is in two of the runs.",
                why="It would be judged twice, and nobody could say which counts.",
                hint="Give one run of each suite.",
            )
    ends = [run.finished_at for run in runs] + [
        dt.datetime.fromisoformat(at) for one in cited for at in _outputs_ended(one)
    ]
    counts = {one.suite.info.name: _counts(one.suite) for one in cited}
    sums = {key: sum(count[key] for count in counts.values()) for key in ("cases", *_COUNTED)}
    commits = {run.provenance.commit for run in runs}
    dirty = [run.provenance.dirty for run in runs]
    packages = [dict(run.provenance.packages) for run in runs]
    evidence = Evidence(
        runs=tuple(run.id for run in runs),
        run_digest=run_digest(cited),
        baseline=None,
        suites=tuple(names),
        datasets={one.suite.info.name: one.suite.info.dataset.digest for one in cited},
        scorers={
            f"{one.suite.info.name}/{scorer.name}": _scorer(scorer)
            for one in cited
            for scorer in one.suite.info.scorers
        },
        subject=to_digest,
        lock=digest(packages[0] if all(one == packages[0] for one in packages) else packages),
        cases=sums["cases"],
        planned=sums["planned"],
        executed=sums["executed"],
        errored=sums["errored"],
        unscored=sums["unscored"],
        seed=runs[0].seed,
        selection="; ".join(_part(one) for one in cited if _part(one)),
        is_complete=all(_is_whole(one) for one in cited),
        commit=commits.pop() if len(commits) == 1 else None,
        dirty=True if True in dirty else None if None in dirty else False,
        finished_at=None if None in ends else min(end for end in ends if end is not None),
        others=_others(cited, kind, name),
        by_suite=counts,
    )
    return Collected(evidence=evidence, cited=tuple(cited))


_COUNTED = ("planned", "executed", "errored", "unscored")


def run_digest(cited: Sequence[Cited]) -> str:
    """The SHA-256 over the sorted digests of all results, so that the order in which they came does not matter."""
    results = sorted(
        result_digest(one.suite.info.name, trial, one.suite.info.dataset.digest)
        for one in cited
        for trial in one.suite.trials
    )
    return hashlib.sha256("\n".join(results).encode("ascii")).hexdigest()


def result_digest(suite: str, trial: Trial, dataset: str) -> str:
    """The digest of one result: which case of which dataset, what came out of it, and what the scorers said.

    Times, costs and explanations are no part of it: they do not decide. Figures are text, as `repr` writes them.
    """
    error = trial.output.error
    return digest(
        {
            "suite": suite,
            "dataset": dataset,
            "case": trial.case_id,
            "trial": trial.number,
            "attempt": trial.attempt,
            "outcome": trial.outcome,
            "output": redacted(trial.output.value) or digest(trial.output.value),
            "error": None if error is None else {"type": error.type, "message": error.message},
            "scores": [
                {
                    "name": score.name,
                    "value": None if score.value is None else repr(score.value),
                    "label": score.label,
                    "status": score.status,
                    "passed": score.passed,
                    "version": score.scorer_version,
                }
                for score in trial.scores
            ],
        }
    )


def _cited(run: Run, kind: SubjectKind, name: str, to_digest: str) -> list[Cited]:
    found: list[Cited] = []
    for suite in run.suites:
        used = [one for one in suite.versions if (one.kind, one.name) == (kind, name)]
        wrong = [one for one in used if one.digest != to_digest]
        if wrong:
            raise Refusal(
                "subject",
                f"The suite {suite.info.name} of the run {run.id[:13]} used {_said(wrong)}, "
                f"and the promotion is to {to_digest[:8]}.",
                why="What was run is not what would be put in force.",
                hint=f"Run it with that version: --evalkit-{kind} {name}={to_digest[:12]}",
            )
        if used:
            found.append(Cited(run=run, suite=suite))
    if not found:
        used = [one for suite in run.suites for one in suite.versions]
        raise Refusal(
            "subject",
            f"No suite of the run {run.id[:13]} used the {kind} {name}.",
            why=f"It used {_said(used)}." if used else "It used no prompt and no model that evalkit knows of.",
            hint=f"Give a run of suites that declare {kind}={name!r}, or load it in their trials.",
        )
    return found


def _outputs_ended(one: Cited) -> Sequence[str]:
    """When the outputs of a suite were made, where they were scored again later: that made them no younger."""
    at = one.suite.info.metadata.get(OUTPUTS_ENDED)
    return () if at is None else (at,)


def _said(versions: Sequence[Version]) -> str:
    return ", ".join(dict.fromkeys(one.title for one in versions))


def _scorer(scorer: ScorerInfo) -> Mapping[str, Any]:
    said: dict[str, Any] = {"version": scorer.version, "config": jsonable(dict(scorer.config))}
    if scorer.pass_mark is not None:
        said["pass_mark"] = scorer.pass_mark
    if scorer.is_judge:
        judge = scorer.judge
        said["standing"] = "uncalibrated" if judge is None else judge.standing
        said["calibration"] = None if judge is None else judge.calibration
    return said


def _counts(suite: SuiteRun) -> dict[str, int]:
    outcomes = [trial.outcome for trial in suite.trials]
    return {
        "cases": len({trial.case_id for trial in suite.trials if trial.outcome != "errored"}),
        "planned": suite.info.planned,
        "executed": len(outcomes),
        "errored": outcomes.count("errored"),
        "unscored": outcomes.count("unscored"),
    }


def _part(cited: Cited) -> str:
    """Why a suite is not whole, in a few words; empty where it is."""
    info, run = cited.suite.info, cited.run
    if run.status != "complete":
        return f"{info.name}: the run is {run.status}"
    if info.is_partial:
        return f"{info.name}: {info.selection or f'{info.planned} of {info.declared} trials'}"
    return f"{info.name}: {run.degraded}" if run.degraded else ""


def _is_whole(cited: Cited) -> bool:
    return not _part(cited) and len(cited.suite.trials) >= cited.suite.info.planned > 0


def _others(cited: Sequence[Cited], kind: SubjectKind, name: str) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for one in cited:
        for version in one.suite.versions:
            if (version.kind, version.name) != (kind, name):
                found.setdefault(f"{version.kind}/{version.name}", set()).add(version.digest)
    return {key: " ".join(sorted(digests)) for key, digests in sorted(found.items())}
