"""What a gate can say before the suite is done: the cases so far, counted one by one, and whether that is enough.

A gate is a step: with more and more right cases it goes from one verdict to the next, and never back. So it is decided
as soon as the least and the most that all cases together may come to lie on the same step.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from evalkit.case import Case
from evalkit.gates.gate import Gate
from evalkit.gates.sample import Sample, sample
from evalkit.gates.words import amount, asked, plural, sentence, subject
from evalkit.runs import Decision, Stop, SuiteInfo, SuiteRun
from evalkit.stats.columns import BUILTINS, Table, read
from evalkit.stats.intervals import clopper_pearson
from evalkit.stats.means import Means
from evalkit.stats.repeats import is_reducer
from evalkit.stats.sequential import Seen, shuffled
from evalkit.stats.slices import members
from evalkit.stats.totals import Each, Total

_WOULD = {"pass": "pass", "fail": "fail", "inconclusive": "stay undecided"}

METHOD = "prior-posterior ratio"
"""The method of an interval for what the full suite would say."""


def open_ended(gate: Gate, info: SuiteInfo) -> str:
    """Why no verdict on the gate is certain before the last case, as a clause, or nothing."""
    statistic = gate.reduces_by
    if gate.baseline is not None:
        return "it compares with a baseline, and such a run never stops early"
    if gate.each:
        return ""
    if is_reducer(statistic) or statistic not in ("mean", "rate", "sum"):
        return f"{subject(gate)} depends on cases that have not run in more ways than one"
    if gate.level is None:
        return ""
    if gate.is_builtin and gate.metric != "errors":
        return f"evidence on measured {gate.metric} depends on how much the last cases differ"
    if info.repeat > 1:
        return "evidence on repeated trials depends on how much the last cases differ"
    if info.cluster is not None:
        return "evidence on clusters depends on how much the last of them differ"
    return ""


class Steps:
    """The verdicts of a gate for every number of right cases, out of `cases`.

    `at(total)` is the verdict if the values of all cases add up to `total`; for evidence that is a whole number.
    """

    def __init__(self, gate: Gate, cases: int) -> None:
        self._gate = gate
        self._cases = cases
        self._edges = None if gate.confidence is None else self._found()

    def at(self, total: Fraction | float) -> Decision:
        """The verdict of the full suite if its values add up to `total`; infinite where nothing bounds it."""
        gate = self._gate
        if self._edges is not None:
            first, second = self._edges
            worst, best = ("fail", "pass") if gate.wants_more else ("pass", "fail")
            return worst if total < first else "inconclusive" if total < second else best  # type: ignore[return-value]  # mypy widens the pair of literals
        if isinstance(total, float) and math.isinf(total):
            return "pass" if gate.wants_more else "fail"
        return "pass" if gate.holds(Fraction(total) / self._weight) else "fail"

    @property
    def _weight(self) -> int:
        return 1 if self._gate.reduces_by == "sum" else max(self._cases, 1)

    def _found(self) -> tuple[int, int]:
        """The first numbers of right cases that end the lowest verdict, and that begin the highest."""
        level, gate, n = self._gate.confidence or 0.95, self._gate, self._cases

        def low(total: int) -> bool:
            return gate.holds(Fraction(clopper_pearson(total, n, level=level).low))

        def high(total: int) -> bool:
            return gate.holds(Fraction(clopper_pearson(total, n, level=level).high))

        begins = _first(n, low if gate.wants_more else lambda total: not low(total))
        ends = _first(n, high if gate.wants_more else lambda total: not high(total))
        return ends, begins


def _first(n: int, holds: Callable[[int], bool]) -> int:
    return bisect_left(range(n + 1), True, key=holds)


class Watch:
    """One gate while its suite runs. Cases are added in the order that was fixed beforehand, one or some at a time.

    `positions` are those of the gate's cases among `cases`. `why_not` says why nothing can be decided before the end,
    as a clause, and is empty otherwise; a case may turn out to bring such a reason. With `level` a verdict may also
    rest on what the full suite will say with that certainty, rather than on what it must say.
    """

    def __init__(self, gate: Gate, info: SuiteInfo, cases: Sequence[Case], *, level: float | None = None) -> None:
        self.gate = gate
        self.why_not = open_ended(gate, info)
        chosen = None if gate.slice is None else members(cases, *gate.slice)
        self._ids = None if chosen is None else {cases[position].id for position in chosen}
        self.cases = len(cases) if chosen is None else len(chosen)
        if not self.why_not and self.cases < (1 if gate.level is None else 2):
            self.why_not = f"there {'is' if self.cases == 1 else 'are'} {plural(self.cases, 'case')} of it"
        self._level = level if is_counted(gate, info) else None
        self._steps = Steps(gate, self.cases)
        self._done = 0
        self._least = Fraction(0)
        self._most: Fraction | float = Fraction(0)
        self._missed = False

    def add(self, table: Table) -> None:
        """Take note of the next cases with all their trials; the suite of the table is of these cases alone."""
        cases = table.suite.cases
        added = len(cases) if self._ids is None else sum(case.id in self._ids for case in cases)
        if self.why_not or not added:
            return
        self._done += added
        data = sample(self.gate, table).data
        if isinstance(data, Each):
            self._missed = self._missed or data.missed > 0
            return
        least, most = self._range(data, added)
        self._least += least
        self._most += most
        if not self._is_right_or_wrong(data, table.columns):
            name = self.gate.metric or "the score"
            self.why_not = f"{name} is not right or wrong, so that what is left might bring anything"

    def _range(self, data: Any, added: int) -> tuple[Fraction, Fraction | float]:
        """What the cases add to the total of the gate, at least and at most."""
        if isinstance(data, Total):
            low, high, times = *data.bounds, 1
        elif isinstance(data, Means):
            low, high, times = *data.bounds, data.cases
        else:
            low, high, times = Fraction(0), None if self._is_measured else Fraction(1), added
        return (low or Fraction(0)) * times, math.inf if high is None else high * times

    @property
    def _is_measured(self) -> bool:
        return self.gate.is_builtin and self.gate.metric != "errors"

    def _is_right_or_wrong(self, data: Any, columns: Mapping[str, Any]) -> bool:
        gate = self.gate
        if gate.is_builtin or data is None or gate.reduces_by == "rate":
            return True
        scores = [column for name, column in columns.items() if name not in BUILTINS]
        column = columns.get(gate.metric) or (scores[0] if len(scores) == 1 else None)
        return isinstance(data, Means) and data.range == (0.0, 1.0) and column is not None and column.assertions

    @property
    def decision(self) -> Decision | None:
        """The verdict of the full suite, where that is certain by now; `None` while it is open."""
        if self.why_not:
            return None
        rest = self.cases - self._done
        if self.gate.each:
            return "fail" if self._missed else None
        most = self._most if self._is_measured and not rest else math.inf if self._is_measured else self._most + rest
        worst, best = self._steps.at(self._least), self._steps.at(most)
        if worst == best:
            return worst
        if self._level is None:
            return None
        low, high = self.seen.span
        worst, best = self._steps.at(Fraction(low)), self._steps.at(Fraction(high))
        return worst if worst == best else None

    @property
    def seen(self) -> Seen:
        """The counts of right-or-wrong cases so far."""
        least = int(self._least)
        unknown = int(self._most) - least
        return Seen(passes=least, unknown=unknown, done=self._done, cases=self.cases, level=self._level or 0.0)


def is_counted(gate: Gate, info: SuiteInfo) -> bool:
    """Whether the gate is on how many cases are right, one trial each, so that the rest can be foreseen."""
    if info.repeat > 1 or gate.each or gate.baseline is not None or gate.reduces_by not in ("mean", "rate"):
        return False
    return (not gate.is_builtin or gate.metric == "errors") and not open_ended(gate, info)


def first_cases(suite: SuiteRun) -> SuiteRun:
    """The suite with the trials only that it was decided on when it stopped early; any other suite as it is.

    Of what was in flight besides, it depends on who was quick whether it is there: no verdict rests on it.
    """
    stop = suite.info.stop
    if stop is None or stop.at is None:
        return suite
    order = shuffled([case.id for case in suite.cases], stop.seed)
    ids = {suite.cases[position].id for position in order[: stop.at]}
    return dataclasses.replace(suite, trials=tuple(trial for trial in suite.trials if trial.case_id in ids))


def counted_early(gate: Gate, suite: SuiteRun, stop: Stop) -> Seen | None:
    """The counts that a gate was decided on, from `first_cases`; `None` where it counts nothing."""
    if stop.rule != "anytime" or stop.at is None or stop.level is None or not is_counted(gate, suite.info):
        return None
    order = shuffled([case.id for case in suite.cases], stop.seed)
    chosen = tuple(suite.cases[position] for position in order[: stop.at])
    info = dataclasses.replace(suite.info, planned=len(chosen), metadata={})
    found = sample(gate, read(SuiteRun(info=info, cases=chosen, trials=suite.trials)))
    data = found.data
    if not isinstance(data, Means) or data.shape != "binary" or data.most_trials != 1 or found.problem:
        return None
    whole = len(suite.cases) if gate.slice is None else len(members(suite.cases, *gate.slice))
    return Seen(passes=int(data.total), unknown=data.open_cases, done=data.cases, cases=whole, level=stop.level)


def verdict_early(gate: Gate, seen: Seen) -> tuple[Decision, str]:
    """The verdict that the full suite would very likely come to, and the sentence that says so."""
    steps = Steps(gate, seen.cases)
    low, high = seen.span
    worst, best = steps.at(Fraction(low)), steps.at(Fraction(high))
    decision: Decision = worst if worst == best else "inconclusive"
    span = f"{amount(gate, Fraction(low, seen.cases))} to {amount(gate, Fraction(high, seen.cases))}"
    known = "" if not seen.unknown else f", {seen.unknown:,} of them without a value"
    reason = (
        f"Stopped at {seen.done:,}/{seen.cases:,}{known}: with {100 * seen.level:.4g} % certainty {subject(gate)} "
        f"on all {seen.cases:,} cases would be {span}, and the gate on {asked(gate)} would {_WOULD[decision]}."
    )
    return decision, sentence(reason)


def tagged(found: Sample, gate: Gate, suite: SuiteRun) -> Sample:
    """The sample of a gate in a suite that stopped early, with what it was decided on; any other as it is."""
    stop = suite.info.stop
    if stop is None or stop.at is None:
        return found
    said = f"{stop.at:,} of {stop.cases:,} cases"
    return dataclasses.replace(found, stopped=said, early=counted_early(gate, suite, stop))
