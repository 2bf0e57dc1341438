"""The mean of a suite: every case weighs the same, repeats of a case are one case, and what is missing stays open.

A case is complete when each of its planned trials has a value, and open otherwise. An open case has a range instead
of a mean: what it would be if its missing values were all as low, or all as high, as they can be.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

from evalkit.stats.clusters import Cluster, grouped, imputed
from evalkit.stats.columns import FAILED, SCORED, Column, Shape, Table
from evalkit.stats.intervals import Interval, clopper_pearson
from evalkit.stats.spread import Spread, bounded, filled, powers, unbounded

Number = Any
"""The sum of a case: an int for right-or-wrong values, a float for a summary, a Decimal where it has to be exact."""

EXACT = Context(prec=1100)
"""Digits enough to add any floats without rounding."""

_PATH_POINTS = 64


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PerCase:
    """One column collapsed to its cases: the sum, sum of squares and number of known values, and what was planned.

    `clusters` has the number of each case's cluster, or is `None` where the suite names none.
    """

    shape: Shape
    range: tuple[float, float]
    sums: list[Number]
    squares: list[float]
    known: list[int]
    planned: list[int]
    clusters: list[int] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """`count` cases alike: `known` of `planned` values are there and add up to `sum`.

    `least` and `most` are what the case can come to; `None` where that is the mean with all missing values as low,
    or as high, as they can be.
    """

    sum: Fraction
    known: int
    planned: int
    count: int
    least: Fraction | None = None
    most: Fraction | None = None

    def end(self, imputed: float) -> Fraction:
        """What the case comes to if every missing value is `imputed`, one end of the range."""
        stated = self.least if imputed <= 0 else self.most
        if stated is not None:
            return stated
        return (self.sum + (self.planned - self.known) * Fraction(imputed)) / self.planned


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a mean, its bounds and its interval are computed from.

    `total` is the exact sum of the complete cases' means; `deviation`, `third` and `fourth` are the sums of the
    squares, cubes and fourth powers of their distances from their mean, `fourth` `None` in records that lack it;
    `least` and `most` are their extremes, `within` the mean over them of the variance that reruns alone give a
    case mean (`None` where no case was repeated). `range` is that of a single value; `values` and `planned` count
    trials. `clusters` are the groups of cases that hang together, `None` where each case stands for itself; `capped`
    is whether the value of a case is worked out from right-or-wrong trials, and so tells no more than they do.
    """

    shape: Shape
    range: tuple[float, float]
    complete: int
    total: Fraction
    deviation: float
    least: Fraction
    most: Fraction
    within: float | None
    open: tuple[Open, ...]
    values: int
    planned: int
    most_trials: int
    capped: bool = False
    clusters: tuple[Cluster, ...] | None = None
    third: float = 0.0
    fourth: float | None = None

    @property
    def groups(self) -> int:
        """How many independent things there are: clusters, or cases where none are named."""
        return self.cases if self.clusters is None else sum(cluster.count for cluster in self.clusters)

    @property
    def variance(self) -> float:
        """The squared standard error of the mean of the complete cases, or of the clusters if nothing is missing."""
        if self.clusters is not None and not self.open:
            return next(imputed(self.clusters)).variance
        return self.deviation / (self.complete - 1) / self.complete

    @property
    def is_exact(self) -> bool:
        """Whether each case is one right-or-wrong value that stands for itself, so that the interval is exact."""
        return self.shape == "binary" and self.most_trials == 1 and self.clusters is None

    @property
    def cases(self) -> int:
        """How many cases there should be, whether or not they have values."""
        return self.complete + self.open_cases

    @property
    def open_cases(self) -> int:
        """How many cases miss some or all of their values."""
        return sum(cell.count for cell in self.open)

    @property
    def value(self) -> Fraction | None:
        """The mean over the cases that have any value; `None` where none has."""
        seen = [cell for cell in self.open if cell.known]
        cases = self.complete + sum(cell.count for cell in seen)
        if not cases:
            return None
        return (self.total + sum((cell.count * cell.sum / cell.known for cell in seen), Fraction(0))) / cases

    @property
    def bounds(self) -> tuple[Fraction | None, Fraction | None]:
        """The mean if everything missing were as low, and as high, as it can be; `None` for no bound at all."""
        low, high = self.range
        return self._bound(low), self._bound(high)

    def _bound(self, imputed: float) -> Fraction | None:
        if self.open and math.isinf(imputed):
            return None
        total = self.total
        for cell in self.open:
            total += cell.count * cell.end(imputed)
        return total / self.cases if self.cases else None

    def interval(self, level: float) -> Interval | None:
        """The interval by the shape of the data, wide enough for whatever the missing values may be.

        Clopper-Pearson for one right-or-wrong trial a case, Korn-Graubard for repeats and for anything in [0, 1],
        Student's t otherwise, the latter two made safe for long tails (see `evalkit.stats.spread`); with clusters
        never Clopper-Pearson, and by the variance between them. `None` for fewer than two cases or clusters, labels,
        and missing values without bounds.
        """
        if self.groups < 2 or self.shape == "label" or (self.open and math.isinf(sum(map(abs, self.range)))):
            return None
        if self.is_exact:
            passes = int(self.total)
            worst = clopper_pearson(passes, self.cases, level=level)
            best = clopper_pearson(passes + self.open_cases, self.cases, level=level) if self.open else worst
            return dataclasses.replace(worst, high=best.high)
        found = [self._interval_at(filled, level) for filled in self._possible()]
        first = found[0]
        return dataclasses.replace(first, low=min(i.low for i in found), high=max(i.high for i in found))

    def _possible(self) -> Iterator[Spread]:
        """The spread of the cases, or clusters, for each way to fill in what is missing."""
        return self._imputations() if self.clusters is None else imputed(self.clusters)

    def _interval_at(self, filled: Spread, level: float) -> Interval:
        if self.shape == "unbounded":
            return unbounded(filled, level=level)
        cap = self.planned if self.shape == "binary" or self.capped else None
        return bounded(filled, level=level, cap=cap, wary=self.capped)

    def _imputations(self) -> Iterator[Spread]:
        """The spread of the cases for the ways to fill in what is missing that can move a limit furthest.

        Both extremes, those between where some cases are low and the others high (that makes the variance largest),
        and the one where the missing cases agree with the rest (that may make it zero).
        """
        centre = float(self.total / self.complete) if self.complete else 0.0
        if not self.open:
            yield self._filled(centre, ())
            return
        low, high = self.range
        ends: list[tuple[float, float]] = []
        for cell in self.open:
            ends += [(float(cell.end(low)), float(cell.end(high)))] * cell.count
        yield self._filled(centre, [min(max(centre, least), most) for least, most in ends])
        for path in (sorted(ends), sorted(ends, reverse=True)):
            stops = range(len(path) + 1)
            step = max(1, math.ceil(len(path) / _PATH_POINTS))
            for flipped in {*stops[::step], len(path)}:
                filled = [most for _, most in path[:flipped]] + [least for least, _ in path[flipped:]]
                yield self._filled(centre, filled)

    def _filled(self, centre: float, values: Sequence[float]) -> Spread:
        return filled(centre, self.complete, (self.deviation, self.third, self.fourth), values)


def exact(value: float) -> Fraction:
    """A float as the decimal it is printed as, so that seven times 0.7 averages to 0.7."""
    return Fraction(int(value)) if value.is_integer() else Fraction(repr(value))


def range_of(column: Column) -> tuple[float, float]:
    """The least and greatest that a value of the column can be, as far as that is known."""
    if column.shape != "unbounded":
        return 0.0, 1.0
    return (0.0 if column.builtin else -math.inf), math.inf


def pass_rates(column: Column) -> Column:
    """The column of passed trials: 1 and 0 by the assertion or pass mark, or by values that are themselves 1 and 0."""
    values: list[float | None] = []
    states = bytearray(column.states)
    for position, (value, passed) in enumerate(zip(column.values, column.passed, strict=True)):
        share = float(passed) if passed is not None else value if value in (0.0, 1.0) else None
        values.append(share)
        if share is None and states[position] == SCORED:
            states[position] = 2
    return dataclasses.replace(column, values=values, states=states, shape="binary", settled=True)


def per_case(table: Table, column: Column, *, failed_as_zero: bool, precise: bool = False) -> PerCase:
    """Collapse a column to its cases.

    A trial whose function raised counts as 0 if `failed_as_zero` and the column is bounded, and as missing
    otherwise. `precise` adds in decimals, for gates; shares are exact either way.
    """
    cases = len(table.case_ids)
    whole = column.shape == "binary"
    sums: list[Number] = [0 if whole else Decimal(0) if precise else 0.0] * cases
    squares = [0.0] * cases
    known = [0] * cases
    zero = failed_as_zero and column.shape in ("binary", "unit")
    with localcontext(EXACT):
        for case, value, state in zip(table.case_of, column.values, column.states, strict=True):
            if value is not None:
                known[case] += 1
                sums[case] += int(value) if whole else Decimal(repr(value)) if precise else value
                squares[case] += value * value
            elif zero and state == FAILED:
                known[case] += 1
    return PerCase(
        shape="unit" if column.shape == "binary" and not column.settled else column.shape,
        range=range_of(column),
        sums=sums,
        squares=squares,
        known=known,
        planned=table.planned,
        clusters=table.clusters,
    )


def means(collapsed: PerCase, positions: Sequence[int] | None = None) -> Means:
    """The means of all cases, or of those at `positions`."""
    columns: tuple[Sequence[Any], ...] = (collapsed.sums, collapsed.known, collapsed.planned)
    if positions is not None:
        columns = tuple(list(map(column.__getitem__, positions)) for column in columns)
    cells: Counter[tuple[Number, int, int]] = Counter(zip(*columns, strict=True))
    whole = [(total, known, count) for (total, known, planned), count in cells.items() if known == planned > 0]
    holes = [
        Open(sum=_fraction(total), known=known, planned=planned, count=count)
        for (total, known, planned), count in cells.items()
        if known < planned
    ]
    complete = sum(count for _, _, count in whole)
    total, least, most, (deviation, third, fourth) = _moments(whole, complete)
    return Means(
        shape=collapsed.shape,
        range=collapsed.range,
        complete=complete,
        total=total,
        deviation=deviation,
        least=least,
        most=most,
        within=_within(collapsed, positions),
        open=tuple(sorted(holes, key=lambda cell: (cell.sum, cell.known, cell.planned))),
        values=sum(known * count for (_, known, _), count in cells.items()),
        planned=sum(planned * count for (_, _, planned), count in cells.items()),
        most_trials=max((planned for _, _, planned in cells), default=0),
        clusters=_clusters(collapsed, positions),
        third=third,
        fourth=fourth,
    )


def _clusters(collapsed: PerCase, positions: Sequence[int] | None) -> tuple[Cluster, ...] | None:
    if collapsed.clusters is None:
        return None
    chosen = range(len(collapsed.known)) if positions is None else positions
    low, high = (end if math.isfinite(end) else math.nan for end in collapsed.range)
    ends: list[tuple[float, float]] = []
    for case in chosen:
        total, planned = float(collapsed.sums[case]), max(collapsed.planned[case], 1)
        missing = collapsed.planned[case] - collapsed.known[case]
        if not missing:
            ends.append((total / planned, total / planned))
        else:
            ends.append(((total + missing * low) / planned, (total + missing * high) / planned))
    return grouped((collapsed.clusters[case] for case in chosen), ends)


def _within(collapsed: PerCase, positions: Sequence[int] | None) -> float | None:
    """The mean over the complete, repeated cases of the variance that reruns alone give their means."""
    if max(collapsed.known, default=0) < 2:
        return None
    found: list[float] = []
    for case in range(len(collapsed.known)) if positions is None else positions:
        known = collapsed.known[case]
        if known == collapsed.planned[case] and known > 1:
            spread = max(collapsed.squares[case] - float(collapsed.sums[case]) ** 2 / known, 0.0)
            found.append(spread / (known - 1) / known)
    return math.fsum(found) / len(found) if found else None


def _moments(
    whole: list[tuple[Number, int, int]], complete: int
) -> tuple[Fraction, Fraction, Fraction, tuple[float, float, float]]:
    """The sum of the complete cases' means, their extremes, and the powers of their distances from their mean."""
    if not whole:
        return Fraction(0), Fraction(0), Fraction(0), (0.0, 0.0, 0.0)
    if isinstance(whole[0][0], float):  # a summary, where speed matters and nothing is decided
        floats = [(total / known, count) for total, known, count in whole]
        total = Fraction(math.fsum(value * count for value, count in floats))
        least, most = Fraction(min(floats)[0]), Fraction(max(floats)[0])
    else:
        floats = [(float(total) / known, count) for total, known, count in whole]
        by_trials: dict[int, list[tuple[Number, int]]] = {}
        for value, known, count in whole:
            by_trials.setdefault(known, []).append((value, count))
        total = sum((exact_sum(cells) / known for known, cells in by_trials.items()), Fraction(0))
        least = min(_fraction(min(cells)[0]) / known for known, cells in by_trials.items())
        most = max(_fraction(max(cells)[0]) / known for known, cells in by_trials.items())
    if least == most:
        return total, least, most, (0.0, 0.0, 0.0)
    centre = float(total / complete)
    return total, least, most, powers([value - centre for value, _ in floats], [count for _, count in floats])


def exact_sum(cells: Iterable[tuple[Number, int]]) -> Fraction:
    """The sum of values times counts, without rounding."""
    with localcontext(EXACT):
        return Fraction(sum((value * count for value, count in cells), 0))


def _fraction(value: Number) -> Fraction:
    return exact(value) if isinstance(value, float) else Fraction(value)
