"""Two runs side by side, case by case: what differs, and what may not be compared at all.

A comparison pairs the cases of two runs by id. It is refused where the pairs would not be pairs: another version
of the dataset, or of the scorer. It states differences as they were seen and claims nothing about chance.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from evalkit.canonical import digest
from evalkit.runs import Run, SuiteRun
from evalkit.stats.columns import FAILED, SCORED, Column, Table, read
from evalkit.trial import Trial


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetricDifference:
    """One metric over the pairs: the cases that have a value on both sides.

    `base` and `candidate` are means over the pairs of the cases' means, `difference` is candidate minus base, and
    all three are `None` without a pair. `higher`, `lower` and `equal` count the cases whose value rose, fell and
    stayed; `unpaired` those with a value on one side only. `refused` says why it is not compared, and is empty
    where it is.
    """

    name: str
    unit: str = ""
    base: float | None = None
    candidate: float | None = None
    difference: float | None = None
    pairs: int = 0
    higher: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    equal: int = 0
    unpaired: int = 0
    refused: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SuiteComparison:
    """One suite in two runs.

    `newly_failing` and `newly_passing` are ids of cases that passed on one side, in all trials, and did not on the
    other. `identical` are those whose outputs are the same in every trial, `unpaired` those that ran on one
    side only. `refused` says why the suite is not compared, and is empty where it is.
    """

    name: str
    cases: int = 0
    metrics: tuple[MetricDifference, ...] = ()
    newly_failing: tuple[str, ...] = ()
    newly_passing: tuple[str, ...] = ()
    identical: tuple[str, ...] = ()
    unpaired: tuple[str, ...] = ()
    refused: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs, suite by suite, in the order of the candidate."""

    base: Run
    candidate: Run
    suites: tuple[SuiteComparison, ...]

    @property
    def is_refused(self) -> bool:
        """Whether nothing at all could be compared."""
        return all(
            suite.refused or (suite.metrics and all(metric.refused for metric in suite.metrics))
            for suite in self.suites
        )


def compare(base: Run, candidate: Run) -> Comparison:
    """The comparison of two runs; both with their payload, or no output counts as identical."""
    before = {suite.info.name: suite for suite in base.suites}
    after = {suite.info.name: suite for suite in candidate.suites}
    suites = [
        _suite(before[name], suite) if name in before else _only(name, "candidate") for name, suite in after.items()
    ]
    suites.extend(_only(name, "base") for name in before if name not in after)
    return Comparison(base=base, candidate=candidate, suites=tuple(suites))


def _only(name: str, side: str) -> SuiteComparison:
    return SuiteComparison(name=name, refused=f"only the {side} has this suite")


def _suite(base: SuiteRun, candidate: SuiteRun) -> SuiteComparison:
    first, second = base.info.dataset, candidate.info.dataset
    if first.digest != second.digest:
        why = f"the datasets are two versions: {first.digest[:8]} and {second.digest[:8]}"
        return SuiteComparison(name=candidate.info.name, refused=why)
    before, after = _by_case(base), _by_case(candidate)
    both = [case for case in before if case in after]
    passed = {case: (_all_passed(before[case]), _all_passed(after[case])) for case in both}
    return SuiteComparison(
        name=candidate.info.name,
        cases=len(both),
        metrics=_metrics(base, candidate),
        newly_failing=tuple(case for case, sides in passed.items() if sides == (True, False)),
        newly_passing=tuple(case for case, sides in passed.items() if sides == (False, True)),
        identical=tuple(case for case in both if _outputs(before[case]) == _outputs(after[case])),
        unpaired=(*(case for case in before if case not in after), *(case for case in after if case not in before)),
    )


def _by_case(suite: SuiteRun) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in sorted(suite.trials, key=lambda trial: trial.number):
        found.setdefault(trial.case_id, []).append(trial)
    return {case.id: found[case.id] for case in suite.cases if case.id in found}


def _all_passed(trials: list[Trial]) -> bool:
    return all(trial.outcome == "passed" for trial in trials)


def _outputs(trials: list[Trial]) -> list[str]:
    return [
        digest([trial.output.value, trial.output.error and [trial.output.error.type, trial.output.error.message]])
        for trial in trials
    ]


def _metrics(base: SuiteRun, candidate: SuiteRun) -> tuple[MetricDifference, ...]:
    before, after = read(base), read(candidate)
    versions = _versions(base), _versions(candidate)
    made: list[MetricDifference] = []
    for name, column in sorted(after.columns.items(), key=lambda item: item[1].builtin):
        other = before.columns.get(name)
        if other is None:
            made.append(MetricDifference(name=name, refused="only the candidate has it"))
        elif not column.builtin and versions[0].get(name) != versions[1].get(name):
            why = "its scorer has another version: " + " and ".join(
                ", ".join(sorted(version.get(name, frozenset({"?"})))) or "?" for version in versions
            )
            made.append(MetricDifference(name=name, refused=why))
        else:
            made.append(_difference(name, _case_means(before, other), _case_means(after, column), column.unit))
    made.extend(
        MetricDifference(name=name, refused="only the base has it")
        for name in before.columns
        if name not in after.columns
    )
    return tuple(made)


def _versions(suite: SuiteRun) -> Mapping[str, frozenset[str]]:
    """For each score the versions of the scorers that gave it."""
    found: dict[str, set[str]] = {}
    for trial in suite.trials:
        for score in trial.scores:
            found.setdefault(score.name, set()).add(score.scorer_version)
    for scorer in suite.info.scorers:
        found.setdefault(scorer.name, {scorer.version})
    return {name: frozenset(versions) for name, versions in found.items()}


def _case_means(table: Table, column: Column) -> dict[str, float]:
    """The mean of each case that has a value in every trial. A function that raised is worth 0 in a share."""
    sums: dict[str, list[float]] = {}
    incomplete: set[str] = set()
    for position, (value, state) in enumerate(zip(column.values, column.states, strict=True)):
        case = table.case_ids[table.case_of[position]]
        if state == SCORED and value is not None:
            sums.setdefault(case, []).append(value)
        elif state == FAILED and column.shape in ("binary", "unit"):
            sums.setdefault(case, []).append(0.0)
        else:
            incomplete.add(case)
    return {case: math.fsum(values) / len(values) for case, values in sums.items() if case not in incomplete}


def _difference(name: str, before: dict[str, float], after: dict[str, float], unit: str) -> MetricDifference:
    both = [case for case in after if case in before]
    unpaired = len(before) + len(after) - 2 * len(both)
    if not both:
        return MetricDifference(name=name, unit=unit, unpaired=unpaired)
    first = math.fsum(before[case] for case in both) / len(both)
    second = math.fsum(after[case] for case in both) / len(both)
    higher = tuple(case for case in both if after[case] > before[case])
    lower = tuple(case for case in both if after[case] < before[case])
    return MetricDifference(
        name=name,
        unit=unit,
        base=first,
        candidate=second,
        difference=math.fsum(after[case] - before[case] for case in both) / len(both),
        pairs=len(both),
        higher=higher,
        lower=lower,
        equal=len(both) - len(higher) - len(lower),
        unpaired=unpaired,
    )
