"""Two runs side by side, case by case: what differs, and what may not be compared at all.

A comparison pairs the cases of two runs by id. It is refused where the pairs would not be pairs: another version
of the dataset, or of the scorer. Each difference has the interval that a gate on it would use, and a p-value.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from evalkit.canonical import digest
from evalkit.runs import Run, SuiteRun
from evalkit.stats.differences import Difference, dataset_refusal, differences
from evalkit.stats.multiplicity import holm
from evalkit.trial import Trial
from evalkit.versions import Version


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VersionPair:
    """A prompt or a model on both sides; `None` where a side did not use it."""

    base: Version | None
    candidate: Version | None

    @property
    def title(self) -> str:
        """`prompt reply v2 (ab12cd34) → v3 (cd34ef56)`, or which one both used, or which side alone."""
        if self.base is None or self.candidate is None:
            one = self.base or self.candidate
            return f"{one.title if one else ''}, only in the {'candidate' if self.base is None else 'base'}"
        if (self.base.name, self.base.digest) == (self.candidate.name, self.candidate.digest):
            return f"{self.candidate.title} in both"
        after = self.candidate.title
        if self.base.name == self.candidate.name:
            after = after.removeprefix(f"{self.candidate.kind} {self.candidate.name} ")
        return f"{self.base.title} → {after}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SuiteComparison:
    """One suite in two runs.

    `newly_failing` and `newly_passing` are ids of cases that passed on one side, in all trials, and did not on the
    other. `identical` are those whose outputs are the same in every trial, `unpaired` those that ran on one
    side only. `versions` are the prompts and models of both sides. `refused` says why the suite is not compared, and is
    empty where it is.
    """

    name: str
    cases: int = 0
    metrics: tuple[Difference, ...] = ()
    newly_failing: tuple[str, ...] = ()
    newly_passing: tuple[str, ...] = ()
    identical: tuple[str, ...] = ()
    unpaired: tuple[str, ...] = ()
    versions: tuple[VersionPair, ...] = ()
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Several runs, each compared with one base.

    `adjusted` has for each suite and metric one p-value per candidate, in their order, adjusted by Holm's rule for
    there being so many; `None` where a candidate has none.
    """

    comparisons: tuple[Comparison, ...]
    adjusted: Mapping[tuple[str, str], tuple[float | None, ...]]


def compare_all(base: Run, candidates: Sequence[Run]) -> Candidates:
    """Each of several candidates against one base, with p-values that allow for there being several.

    Source of the rule: Holm (1979). It holds per metric: over all metrics together some are still small by chance.
    """
    comparisons = tuple(compare(base, candidate) for candidate in candidates)
    found: dict[tuple[str, str], list[float | None]] = {}
    for at, comparison in enumerate(comparisons):
        for suite in comparison.suites:
            for metric in suite.metrics:
                row = found.setdefault((suite.name, metric.name), [None] * len(comparisons))
                row[at] = metric.p_value
    adjusted: dict[tuple[str, str], tuple[float | None, ...]] = {}
    for key, row in found.items():
        steps = iter(holm([value for value in row if value is not None]))
        adjusted[key] = tuple(None if value is None else next(steps) for value in row)
    return Candidates(comparisons=comparisons, adjusted=adjusted)


def compare(base: Run, candidate: Run, *, p_values: bool = True) -> Comparison:
    """The comparison of two runs; both with their payload, or no output counts as identical.

    `p_values` may be left out for speed.
    """
    before = {suite.info.name: suite for suite in base.suites}
    after = {suite.info.name: suite for suite in candidate.suites}
    suites = [
        _suite(before[name], suite, p_values=p_values) if name in before else _only(name, "candidate")
        for name, suite in after.items()
    ]
    suites.extend(_only(name, "base") for name in before if name not in after)
    return Comparison(base=base, candidate=candidate, suites=tuple(suites))


def _only(name: str, side: str) -> SuiteComparison:
    return SuiteComparison(name=name, refused=f"only the {side} has this suite")


def _suite(base: SuiteRun, candidate: SuiteRun, *, p_values: bool) -> SuiteComparison:
    why = dataset_refusal(base, candidate)
    if why:
        return SuiteComparison(name=candidate.info.name, versions=_versions(base, candidate), refused=why)
    before, after = _by_case(base), _by_case(candidate)
    both = [case for case in before if case in after]
    passed = {case: (_all_passed(before[case]), _all_passed(after[case])) for case in both}
    return SuiteComparison(
        name=candidate.info.name,
        cases=len(both),
        metrics=differences(base, candidate, p_values=p_values),
        newly_failing=tuple(case for case, sides in passed.items() if sides == (True, False)),
        newly_passing=tuple(case for case, sides in passed.items() if sides == (False, True)),
        identical=tuple(case for case in both if _outputs(before[case]) == _outputs(after[case])),
        versions=_versions(base, candidate),
        unpaired=(*(case for case in before if case not in after), *(case for case in after if case not in before)),
    )


def _versions(base: SuiteRun, candidate: SuiteRun) -> tuple[VersionPair, ...]:
    pairs: list[VersionPair] = []
    for kind in ("prompt", "model"):
        before = [one for one in base.versions if one.kind == kind]
        after = [one for one in candidate.versions if one.kind == kind]
        if len(before) == len(after) == 1:  # one of a kind on each side is compared, whatever they are called
            pairs.append(VersionPair(base=before[0], candidate=after[0]))
            continue
        for name in dict.fromkeys(one.name for one in [*before, *after]):
            sides = [[one for one in side if one.name == name] for side in (before, after)]
            pairs.extend(VersionPair(base=a, candidate=b) for a, b in itertools.zip_longest(*sides))
    return tuple(pairs)


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
