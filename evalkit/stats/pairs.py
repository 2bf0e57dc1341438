"""One quantity in two runs, paired on case ids: the sufficient statistics of the difference, and its interval.

A pair is complete when both sides have all their planned trials. Any other is open: its difference is not left out,
it may be anything that the missing values could make it.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from evalkit.stats.columns import Column, Shape, Table
from evalkit.stats.intervals import Interval
from evalkit.stats.means import PerCase, exact, per_case
from evalkit.stats.paired import FRACTIONAL_TANGO, PAIRED_T, TANGO, log_ratio, score_interval
from evalkit.stats.spread import Spread, filled, powers, unbounded

FEWEST_CHANGED = 20
"""Changed cases below which the t interval of a difference is not trusted: it would be far too narrow."""

_ORDER: tuple[Shape, ...] = ("binary", "unit", "unbounded", "label")
_PATH_POINTS = 64


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenPair:
    """`count` pairs whose difference is only known to lie between `low` and `high`, which may be infinite."""

    low: float
    high: float
    count: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What a paired difference and its interval are computed from. Differences are candidate minus baseline.

    Over the `complete` pairs: `base` and `candidate` are the sums of the case means, `up` the sum of all rises and
    `down` that of all falls (positive), `higher` and `lower` how many cases rose and fell, `deviation`, `third` and
    `fourth` the sums of the squares, cubes and fourth powers of the distances of the differences from their mean.
    `relative` and its two further powers are the same for the relative difference (see `paired.log_ratio`), and
    `None` where a case mean is not above 0. `one_trial` is whether each case had one trial on both sides. The fourth
    powers are `None` in records that lack them.
    """

    shape: Shape
    one_trial: bool
    complete: int
    base: Fraction
    candidate: Fraction
    up: Fraction
    down: Fraction
    higher: int
    lower: int
    deviation: float
    relative: float | None
    open: tuple[OpenPair, ...]
    third: float = 0.0
    fourth: float | None = None
    relative_third: float = 0.0
    relative_fourth: float | None = None

    @property
    def cases(self) -> int:
        """How many pairs there should be."""
        return self.complete + self.missing

    @property
    def missing(self) -> int:
        """How many pairs are open."""
        return sum(pair.count for pair in self.open)

    @property
    def changed(self) -> int:
        """How many complete pairs differ at all."""
        return self.higher + self.lower

    @property
    def is_exact(self) -> bool:
        """Whether these are right-or-wrong cases with one trial each, for which Tango's interval was made."""
        return self.shape == "binary" and self.one_trial

    @property
    def difference(self) -> Fraction | None:
        """The mean difference over the complete pairs; `None` without one."""
        return (self.up - self.down) / self.complete if self.complete else None

    @property
    def relative_difference(self) -> float | None:
        """`candidate / base − 1`; `None` where that has no meaning."""
        if self.relative is None or self.base <= 0 or self.candidate <= 0:
            return None
        return float(self.candidate / self.base) - 1

    def intervals(self, level: float) -> list[Interval]:
        """The intervals of the difference under the ways to fill in what is missing that move a limit furthest.

        One where nothing is missing; none where the data give no interval: fewer than two pairs, words, something
        missing without bounds, or an unbounded metric of which fewer than `FEWEST_CHANGED` cases changed.
        """
        n = self.cases
        if n < 2 or self.shape == "label" or any(math.isinf(pair.low) or math.isinf(pair.high) for pair in self.open):
            return []
        if self.is_exact:
            return list(self._score_intervals(level, TANGO))
        found: list[Interval] = []
        if self.shape != "unbounded" and self.changed < FEWEST_CHANGED:
            found.extend(self._score_intervals(level, FRACTIONAL_TANGO))
        if self.changed >= FEWEST_CHANGED or (found and self.changed + self.missing >= FEWEST_CHANGED):
            found.extend(unbounded(way, level=level, method=PAIRED_T) for way in self._imputations())
        return found

    def interval(self, level: float) -> Interval | None:
        """The interval of the difference, wide enough for whatever the missing values may be; `None` for none."""
        found = self.intervals(level)
        if not found:
            return None
        return dataclasses.replace(found[0], low=min(i.low for i in found), high=max(i.high for i in found))

    def relative_interval(self, level: float) -> Interval | None:
        """The interval of the relative difference; `None` where something is missing, not positive, or too few."""
        if self.relative_difference is None or self.open or self.complete < 2 or self.relative is None:
            return None
        if self.changed < FEWEST_CHANGED:
            return None
        n = self.complete
        base, candidate = float(self.base / n), float(self.candidate / n)
        third, fourth = self.relative_third, self.relative_fourth
        return log_ratio(base, candidate, self.relative, n, level=level, third=third, fourth=fourth)

    def _score_intervals(self, level: float, method: str) -> Iterator[Interval]:
        ends = [(pair.low, pair.high, pair.count) for pair in self.open]
        for side in (0, 1) if ends else (0,):
            up = float(self.up) + math.fsum(max(end[side], 0.0) * end[2] for end in ends)
            down = float(self.down) + math.fsum(max(-end[side], 0.0) * end[2] for end in ends)
            yield dataclasses.replace(score_interval(up, down, self.cases, level=level), method=method)

    def _imputations(self) -> Iterator[Spread]:
        """The differences at the extremes and on the way between them; they are spread widest in between."""
        centre = float(self.difference or 0)
        if not self.open:
            yield self._filled(centre, ())
            return
        ends = [(pair.low, pair.high) for pair in self.open for _ in range(pair.count)]
        yield self._filled(centre, [min(max(centre, low), high) for low, high in ends])
        for path in (sorted(ends), sorted(ends, reverse=True)):
            step = max(1, math.ceil(len(path) / _PATH_POINTS))
            for flipped in {*range(0, len(path) + 1, step), len(path)}:
                yield self._filled(centre, [high for _, high in path[:flipped]] + [low for low, _ in path[flipped:]])

    def _filled(self, centre: float, values: Sequence[float]) -> Spread:
        return filled(centre, self.complete, (self.deviation, self.third, self.fourth), values)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One case on both sides: the ends between which each mean lies, which are one where nothing is missing."""

    case: str
    base: tuple[Fraction | float, Fraction | float]
    candidate: tuple[Fraction | float, Fraction | float]
    difference: Fraction | None = dataclasses.field(init=False)
    """Candidate minus baseline; `None` where the pair is open."""

    def __post_init__(self) -> None:
        (b_low, b_high), (c_low, c_high) = self.base, self.candidate
        is_open = not (b_low is b_high or b_low == b_high) or not (c_low is c_high or c_low == c_high)
        difference = None if is_open else Fraction(c_low) - Fraction(b_low)
        object.__setattr__(self, "difference", difference)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The cases that both runs selected, in the candidate's order, and the ids that only one of them has."""

    shape: Shape
    one_trial: bool
    pairs: tuple[Pair, ...]
    only_base: tuple[str, ...]
    only_candidate: tuple[str, ...]

    def statistics(self) -> Pairs:
        """The sufficient statistics; the order of the cases leaves no trace in them."""
        known = [(pair, d) for pair in self.pairs if (d := pair.difference) is not None]
        differences = [d for _, d in known]
        open_: Counter[tuple[float, float]] = Counter(
            (float(pair.candidate[0] - pair.base[1]), float(pair.candidate[1] - pair.base[0]))
            for pair in self.pairs
            if pair.difference is None
        )
        base = _total([Fraction(pair.base[0]) for pair, _ in known])
        candidate = _total([Fraction(pair.candidate[0]) for pair, _ in known])
        mean = float(_total(differences) / len(differences)) if differences else 0.0
        varied = len(set(differences)) > 1
        deviation, third, fourth = powers((float(d) - mean, 1) for d in differences) if varied else (0.0, 0.0, 0.0)
        relative = _relative([pair for pair, _ in known], base, candidate)
        return Pairs(
            shape=self.shape,
            one_trial=self.one_trial,
            complete=len(known),
            base=base,
            candidate=candidate,
            up=_total([d for d in differences if d.numerator > 0]),
            down=-_total([d for d in differences if d.numerator < 0]),
            higher=sum(d.numerator > 0 for d in differences),
            lower=sum(d.numerator < 0 for d in differences),
            deviation=deviation,
            relative=None if relative is None else relative[0],
            open=tuple(OpenPair(low=low, high=high, count=count) for (low, high), count in sorted(open_.items())),
            third=third,
            fourth=fourth,
            relative_third=0.0 if relative is None else relative[1],
            relative_fourth=None if relative is None else relative[2],
        )


def pairing(
    base: tuple[Table, Column],
    candidate: tuple[Table, Column],
    *,
    failed_as_zero: bool,
    positions: Sequence[int] | None = None,
) -> Pairing:
    """Pair one column of two runs by case id; `positions` are those of the candidate's cases, or all.

    The wider of the two shapes holds for both. A trial whose function raised counts as 0 if `failed_as_zero` and
    the column is bounded, and as missing otherwise.
    """
    shape = max(base[1].shape, candidate[1].shape, key=_ORDER.index)
    sides = []
    for table, column in (base, candidate):
        view = dataclasses.replace(column, shape=shape)
        sides.append(per_case(table, view, failed_as_zero=failed_as_zero, precise=True))
    before, after = sides
    shape = max(before.shape, after.shape, key=_ORDER.index)
    index = {case: position for position, case in enumerate(base[0].case_ids)}
    ids = candidate[0].case_ids
    chosen = range(len(ids)) if positions is None else positions
    both = [position for position in chosen if ids[position] in index]
    pairs = [
        Pair(case=ids[position], base=_ends(before, index[ids[position]]), candidate=_ends(after, position))
        for position in both
    ]
    whole = set(ids)
    return Pairing(
        shape=shape,
        one_trial=all(side.planned[i] <= 1 for side, i in _planned(before, after, both, index, ids)),
        pairs=tuple(pairs),
        only_base=tuple(case for case in base[0].case_ids if case not in whole),
        only_candidate=tuple(ids[position] for position in chosen if ids[position] not in index),
    )


def _planned(
    before: PerCase, after: PerCase, both: Sequence[int], index: dict[str, int], ids: Sequence[str]
) -> Iterator[tuple[PerCase, int]]:
    for position in both:
        yield after, position
        yield before, index[ids[position]]


def _ends(side: PerCase, case: int) -> tuple[Fraction | float, Fraction | float]:
    """The mean of a case twice, or what it would be if all that is missing were low, and high."""
    known, planned = side.known[case], side.planned[case]
    total = side.sums[case]
    if known == 0 and math.isinf(side.range[1]):
        return side.range
    total = exact(total) if isinstance(total, float) else total if isinstance(total, Fraction) else Fraction(total)
    if known == planned > 0:
        mean = total if known == 1 else total / known
        return mean, mean
    low, high = side.range
    missing = max(planned - known, 1)
    count = max(planned, 1)
    return tuple(end if math.isinf(end) else (total + missing * Fraction(end)) / count for end in (low, high))  # type: ignore[return-value]  # two ends, two values


def _total(values: Sequence[Fraction]) -> Fraction:
    """The exact sum, by denominators: adding thousands of fractions one by one is slow."""
    by_denominator: Counter[int] = Counter()
    for value in values:
        by_denominator[value.denominator] += value.numerator
    return sum((Fraction(n, d) for d, n in by_denominator.items()), Fraction(0))


def _relative(pairs: Sequence[Pair], base: Fraction, candidate: Fraction) -> tuple[float, float, float] | None:
    if not pairs or any(pair.base[0] <= 0 or pair.candidate[0] <= 0 for pair in pairs):
        return None
    first, second = float(base / len(pairs)), float(candidate / len(pairs))
    return powers((float(pair.candidate[0]) / second - float(pair.base[0]) / first, 1) for pair in pairs)
