"""The sufficient statistics of a paired difference, and its interval.

A pair is complete when both sides have all their planned trials. Any other is open: its difference is not left out,
it may be anything that the missing values could make it. `evalkit.stats.pairing` makes them from two runs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from evalkit.stats.columns import Shape
from evalkit.stats.intervals import Interval
from evalkit.stats.paired import FRACTIONAL_TANGO, PAIRED_T, TANGO, log_ratio, score_interval
from evalkit.stats.spread import Spread, filled, unbounded

FEWEST_CHANGED = 20
"""Changed cases below which the t interval of a difference is not trusted: it would be far too narrow."""

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
