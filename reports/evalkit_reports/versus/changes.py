"""What became of each case from the base to a candidate: newly failing or passing, other scores, another output."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evalkit.case import Case
from evalkit.comparison import Comparison
from evalkit.runs import SuiteRun
from evalkit.trial import Trial

NEWLY_FAILING, NEWLY_PASSING, SCORED_OTHERWISE, SAID_OTHERWISE, ONLY_BASE, ONLY_CANDIDATE = (1 << n for n in range(6))
"""The bits of `Change.kind`; a case may have several, and one with none is the same on both sides."""

SETTLED = 1e-9
"""Scores closer than this are the same score."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One case in the base and in one candidate; a side on which it did not run has no trials."""

    kind: int
    base: tuple[Trial, ...]
    candidate: tuple[Trial, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCase:
    """One case with what became of it in each candidate, in their order; `None` for one that is not compared."""

    suite: str
    case: Case
    changes: tuple[Change | None, ...]


def changed_cases(comparisons: Sequence[Comparison]) -> list[ChangedCase]:
    """Every case of every suite that is compared, in the order of the base, what only a candidate has last."""
    made: list[ChangedCase] = []
    for name in dict.fromkeys(suite.name for one in comparisons for suite in one.suites if not suite.refused):
        made += _suite(name, comparisons)
    return made


def _suite(name: str, comparisons: Sequence[Comparison]) -> list[ChangedCase]:
    base = suite_of(comparisons[0].base.suites, name)
    before = _by_case(base)
    sides = [_Side(one, name) for one in comparisons]
    known = [base, *(side.suite for side in sides if side.compared is not None)]
    cases = {case.id: case for suite in known if suite is not None for case in suite.cases}
    made: list[ChangedCase] = []
    for case_id, case in cases.items():
        changes = tuple(side.change(case_id, before.get(case_id, ())) for side in sides)
        if any(change is not None and (change.base or change.candidate) for change in changes):
            made.append(ChangedCase(suite=name, case=case, changes=changes))
    return made


class _Side:
    """One suite of one candidate."""

    def __init__(self, comparison: Comparison, name: str) -> None:
        found = next((suite for suite in comparison.suites if suite.name == name), None)
        self.compared = None if found is None or found.refused else found
        self.suite = suite_of(comparison.candidate.suites, name)
        self._trials = _by_case(self.suite)
        self._identical = frozenset(found.identical if found else ())
        self._bits = dict.fromkeys(found.newly_failing if found else (), NEWLY_FAILING)
        self._bits |= dict.fromkeys(found.newly_passing if found else (), NEWLY_PASSING)

    def change(self, case_id: str, base: tuple[Trial, ...]) -> Change | None:
        if self.compared is None:
            return None
        candidate = self._trials.get(case_id, ())
        if not base or not candidate:
            kind = ONLY_BASE if base else ONLY_CANDIDATE if candidate else 0
            return Change(kind=kind, base=base, candidate=candidate)
        kind = self._bits.get(case_id, 0)
        if _scores_differ(base, candidate):
            kind |= SCORED_OTHERWISE
        if case_id not in self._identical:
            kind |= SAID_OTHERWISE
        return Change(kind=kind, base=base, candidate=candidate)


def suite_of(suites: Sequence[SuiteRun], name: str) -> SuiteRun | None:
    """The suite of that name, `None` where there is none."""
    return next((suite for suite in suites if suite.info.name == name), None)


def _scores_differ(base: Sequence[Trial], candidate: Sequence[Trial]) -> bool:
    first, second = _scores(base), _scores(candidate)
    if first.keys() != second.keys():
        return True
    return any(not _alike(first[name], second[name]) for name in first)


def _scores(trials: Sequence[Trial]) -> dict[str, tuple[list[float], list[str]]]:
    """For each score its values over the trials, and what it says without a number."""
    found: dict[str, tuple[list[float], list[str]]] = {}
    for trial in trials:
        for score in trial.scores:
            values, words = found.setdefault(score.name, ([], []))
            if score.value is None:
                words.append(score.label if score.label is not None else score.status)
            else:
                values.append(score.value)
    return found


def _alike(one: tuple[list[float], list[str]], other: tuple[list[float], list[str]]) -> bool:
    if sorted(one[1]) != sorted(other[1]) or bool(one[0]) != bool(other[0]):
        return False
    return not one[0] or abs(sum(one[0]) / len(one[0]) - sum(other[0]) / len(other[0])) <= SETTLED


def _by_case(suite: SuiteRun | None) -> Mapping[str, tuple[Trial, ...]]:
    found: dict[str, list[Trial]] = {}
    for trial in sorted(suite.trials if suite else (), key=lambda trial: trial.number):
        found.setdefault(trial.case_id, []).append(trial)
    return {case_id: tuple(trials) for case_id, trials in found.items()}
