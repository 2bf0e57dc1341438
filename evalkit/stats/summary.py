"""The metrics of a suite: every score and every built-in quantity, over all cases and over each slice."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from evalkit.runs import Metric, SuiteRun
from evalkit.stats.clusters import FEW
from evalkit.stats.columns import BUILTINS, ERRORED, FAILED, SCORED, Column, Table, read
from evalkit.stats.means import Means, PerCase, means, pass_rates, per_case
from evalkit.stats.ranks import ranks, share_of
from evalkit.stats.repeats import flaky_cases, reduced
from evalkit.stats.slices import Slice, all_slices
from evalkit.stats.stopped import BIASED, is_stopped, stopped_interval, what_ran
from evalkit.stats.totals import total
from evalkit.stats.variance import variance_split

FEWEST_FOR_INTERVAL = 10
"""Below this many cases the values say more than any interval would."""

_FLAKY_SHOWN = 5

_QUANTILES = ("p50", "p95")
_SUMS = ("cost", "input_tokens", "output_tokens")


def summarise(suite: SuiteRun, *, level: float = 0.95) -> tuple[Metric, ...]:
    """The metrics of one suite: first each score over all cases, then the built-ins, then the slices.

    A score whose values are all 0 and 1 has its `rate`, any other its `mean`; a score with a pass mark has the
    `rate` of passes besides. The unit is the case: trials of one case are averaged first, and the interval is that
    of the case means (see `Means.interval`). A trial whose function raised counts as 0 on a scale from 0 to 1; a
    trial without a score counts as nothing in `value`, and as whatever it might have been in `low` and `high`.
    Latency, cost and tokens are there where they were recorded. Where the suite was repeated, a score that is right or
    wrong has its `flake_rate`, `pass@K` and `pass^K` besides. Of a suite that stopped early it is the cases that ran.
    """
    if is_stopped(suite.info):
        suite = what_ran(suite)
    table = read(suite)
    slices = all_slices(suite.cases)
    counts = _Counts(table, slices)
    scores = [column for column in table.columns.values() if not column.builtin]
    found: list[Metric] = []
    sliced: list[Metric] = []
    for column in [*scores, table.columns["errors"]]:
        for view, statistic in _views(column):
            collapsed = per_case(table, view, failed_as_zero=not column.builtin)
            whole, parts = counts.of(view)
            metric = _mean_metric(view, statistic, means(collapsed), level, suite, whole)
            found.append(dataclasses.replace(metric, note=_joined(metric.note, _on_repeats(table, view, collapsed))))
            for chosen, positions in slices.items():
                metric = _mean_metric(view, statistic, means(collapsed, positions), level, suite, parts[chosen])
                sliced.append(dataclasses.replace(metric, slice=dict([chosen])))
    for column in scores:
        found.extend(_repeated(table, column, level, counts))
    for name in BUILTINS:
        if name != "errors":
            found.extend(_measured(table, table.columns[name], level, counts))
    return (*found, *sliced)


def _views(column: Column) -> Iterator[tuple[Column, str]]:
    if column.shape == "binary":
        yield column, "rate"
        return
    if column.shape != "label":
        yield column, "mean"
    if any(passed is not None for passed in column.passed):
        yield pass_rates(column), "rate"
    elif column.shape == "label":
        yield column, "labels"


def _repeated(table: Table, column: Column, level: float, counts: _Counts) -> Iterator[Metric]:
    """What repeats say of a score that is right or wrong."""
    trials = set(table.planned)
    judged = column.shape == "binary" or any(passed is not None for passed in column.passed)
    if len(trials) != 1 or (k := trials.pop()) < 2 or not judged:
        return
    view = pass_rates(column)
    whole, _ = counts.of(view)
    for statistic in ("flake_rate", f"pass@{k}", f"pass^{k}"):
        data = reduced(table, column, statistic, failed_as_zero=True)
        yield _mean_metric(view, statistic, data, level, table.suite, whole)


def _on_repeats(table: Table, column: Column, collapsed: PerCase) -> str:
    """Which cases are flaky, and whether more trials or more cases would narrow the interval more."""
    told: list[str] = []
    split = variance_split(collapsed)
    if split is None or column.builtin:
        return ""
    if column.shape == "binary" and (flaky := flaky_cases(table, column)):
        named = ", ".join(case.case_id for case in flaky[:_FLAKY_SHOWN]) + (", …" if len(flaky) > _FLAKY_SHOWN else "")
        rate = math.fsum(case.rate for case in flaky) / len(table.case_ids)
        of = f"{len(flaky):,} of {len(table.case_ids):,} cases {'is' if len(flaky) == 1 else 'are'} flaky ({named})"
        told.append(f"{of}, and two runs of a case disagree with a chance of {100 * rate:.3g} %")
    if split.cases >= FEWEST_FOR_INTERVAL and split.sampling > 0 and table.clusters is None:
        now, trials, cases = (
            f"±{split.half_width(**more):.3g}"
            for more in ({}, {"more_trials": split.trials}, {"more_cases": split.cases})
        )
        told.append(f"{now} now; about {trials} with twice the trials of each case, {cases} with twice the cases")
    return "; ".join(told)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


@dataclasses.dataclass(frozen=True, slots=True)
class _Count:
    """How many cases and trials a metric is over, and what became of the trials."""

    cases: int
    planned: int
    trials: int
    scored: int
    errored: int
    failed: int


class _Counts:
    """Counts per slice, from one pass over the trials of a column."""

    def __init__(self, table: Table, slices: dict[Slice, list[int]]) -> None:
        self._table = table
        self._slices = slices
        self._trials = [0] * len(table.case_ids)
        for case in table.case_of:
            self._trials[case] += 1

    def of(self, column: Column) -> tuple[_Count, dict[Slice, _Count]]:
        """The counts over all cases, and over each slice."""
        cases = len(self._table.case_ids)
        scored, errored, failed = [0] * cases, [0] * cases, [0] * cases
        for case, state in zip(self._table.case_of, column.states, strict=True):
            if state == SCORED:
                scored[case] += 1
            elif state in (ERRORED, FAILED):
                errored[case] += 1
                failed[case] += state == FAILED

        def count(positions: Sequence[int]) -> _Count:
            columns = (self._table.planned, self._trials, scored, errored, failed)
            return _Count(len(positions), *(sum(map(values.__getitem__, positions)) for values in columns))

        return count(range(cases)), {chosen: count(positions) for chosen, positions in self._slices.items()}


def _mean_metric(column: Column, statistic: str, data: Means, level: float, suite: SuiteRun, count: _Count) -> Metric:
    notes: list[str] = [BIASED] if is_stopped(suite.info) else []
    low = high = None
    method = ""
    missing = data.planned - (count.scored if column.shape == "label" else data.values)
    value = data.value if column.shape != "label" else None
    if column.shape == "label":
        shown = sorted(column.labels.items(), key=lambda item: (-item[1], item[0]))[:8]
        notes.append("labels: " + ", ".join(f"{label} {number}" for label, number in shown))
    elif data.cases < FEWEST_FOR_INTERVAL:
        notes.append(f"fewer than {FEWEST_FOR_INTERVAL} cases, so no interval")
    elif value is not None:
        interval = stopped_interval(data, level) if is_stopped(suite.info) else data.interval(level)
        if interval is not None:
            low, high, method = interval.low, interval.high, interval.method
            if column.builtin and column.unit:  # seconds, money and tokens are never below nothing
                low = max(low, 0.0)
        elif missing:
            notes.append("no interval, since missing values have no bounds here")
    if data.clusters is not None and data.groups < FEW and low is not None:
        notes.append(f"few clusters: {data.groups}, so the interval is only a guide")
    if count.failed and column.shape == "label":
        notes.append(f"{count.failed} failed {'trial has' if count.failed == 1 else 'trials have'} no label")
    elif count.failed and data.range == (0.0, 1.0) and not column.builtin:
        notes.append(f"{count.failed} failed {'trial counts' if count.failed == 1 else 'trials count'} as 0")
    if missing and low is not None:
        notes.append(f"{missing} missing, and the interval allows for whatever they would have been")
    elif missing:
        notes.append(f"{missing} missing")
    return Metric(
        suite=suite.info.name,
        name=column.name,
        statistic=statistic,
        value=None if value is None else float(value),
        unit=column.unit,
        low=low,
        high=high,
        level=level,
        method=method,
        cases=count.cases,
        trials=count.trials,
        scored=count.scored,
        unscored=count.trials - count.scored - count.errored,
        errored=count.errored,
        note="; ".join(notes),
    )


def _measured(table: Table, column: Column, level: float, counts: _Counts) -> Iterator[Metric]:
    if SCORED not in column.states:
        return
    count, _ = counts.of(column)
    suite = table.suite
    base = _mean_metric(column, "mean", means(per_case(table, column, failed_as_zero=False)), level, suite, count)
    yield base
    if column.name in _SUMS:
        data = total(table, column)
        known = f"of {data.known} known, {data.missing} unknown" if data.missing else ""
        yield dataclasses.replace(
            base, statistic="sum", value=float(data.total), low=None, high=None, method="", note=known
        )
        return
    ordered = ranks(table, column, failed_as_zero=False)
    for statistic in _QUANTILES:
        lacking = BIASED if is_stopped(suite.info) else f"too few cases for an interval of {statistic}"
        interval = ordered.interval(share_of(statistic), level)
        bounded = ordered.groups >= FEWEST_FOR_INTERVAL and not (math.isinf(interval.low) or math.isinf(interval.high))
        bounded = bounded and not is_stopped(suite.info)
        yield dataclasses.replace(
            base,
            statistic=statistic,
            value=ordered.value(statistic),
            low=interval.low if bounded else None,
            high=interval.high if bounded else None,
            method=interval.method if bounded else "",
            note="" if bounded else lacking,
        )
