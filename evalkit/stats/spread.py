"""How the values of a sample lie about their mean, and the intervals that allow for a long tail.

A few values far out make the variance of a small sample a poor guide: most samples have fewer of them than they
should, and look better and steadier than they are. Both intervals here widen with the skewness and the kurtosis that
were seen; where there is none they are the plain ones of `intervals`. `docs/design/statistics.md` has the figures.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from operator import mul

from evalkit.stats.intervals import KORN_GRAUBARD, STUDENT, Interval, clopper_pearson
from evalkit.stats.special import beta_quantile, normal_quantile, t_quantile

_FEWEST = 10
"""Below this many values cubes and fourth powers tell nothing; no verdict rests on so few either."""

_NOTHING = 1e-24
"""A mean square below this is what rounding leaves of values that are all alike."""

_PER_SKEWNESS = 1 / 6
"""The first term of the Cornish-Fisher expansion of t: (2z² + 1) / 6 times the skewness of the mean."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The `mean` of `groups` independent values, its squared standard error, and the shape of the values.

    `skewness` and `kurtosis` are those of the values, without bias under the normal distribution; `kurtosis` is the
    excess over the normal distribution's. Both are 0 where nothing is known of them. `alike` is how many groups of
    one size would be worth as much, where they are clusters of several sizes.
    """

    mean: float
    variance: float
    groups: int
    skewness: float = 0.0
    kurtosis: float = 0.0
    alike: float | None = None

    @property
    def freedom(self) -> float:
        """The degrees of freedom of the variance: groups − 1 for light tails, fewer for heavy ones, at least 1.

        2 / (kurtosis / n + 2 / (n − 1)), from the variance of a sample variance (Satterthwaite's argument, 1946).
        """
        if self.kurtosis <= 0:
            return float(self.groups - 1)
        return max(2 / (self.kurtosis / self.groups + 2 / (self.groups - 1)), 1.0)


def spread(
    mean: float,
    variance: float,
    groups: int,
    *,
    second: float,
    third: float,
    fourth: float | None,
    alike: float | None = None,
) -> Spread:
    """The spread of `groups` values from the sums of the powers of their distances from their mean.

    `fourth` is `None` where the sums were not kept. Source: Fisher's G1 and G2 (Joanes and Gill 1998, type 2).
    """
    n = groups
    if n < _FEWEST or fourth is None or second <= _NOTHING * n or variance <= 0:
        return Spread(mean=mean, variance=variance, groups=groups, alike=alike)
    m2 = second / n
    skewness = third / n / m2**1.5
    kurtosis = max(fourth / n / m2**2, 1.0 + skewness**2) - 3
    return Spread(
        mean=mean,
        variance=variance,
        groups=groups,
        skewness=skewness * math.sqrt(n * (n - 1)) / (n - 2),
        kurtosis=(n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * kurtosis + 6),
        alike=alike,
    )


def powers(distances: Sequence[float], counts: Sequence[int] | None = None) -> tuple[float, float, float]:
    """The sums of squares, cubes and fourth powers of distances, each once or `counts` times; the order is nothing."""
    squares = [distance * distance for distance in distances]
    cubes = list(map(mul, squares, distances))
    fourths = list(map(mul, squares, squares))
    if counts is not None:
        squares, cubes, fourths = (list(map(mul, values, counts)) for values in (squares, cubes, fourths))
    return math.fsum(squares), math.fsum(cubes), math.fsum(fourths)


def filled(centre: float, complete: int, sums: tuple[float, float, float | None], values: Sequence[float]) -> Spread:
    """The spread of `complete` values, whose mean is `centre`, and of further `values` beside them.

    `sums` are those of the second, third and fourth powers of the distances of the complete ones from `centre`.
    """
    second, third, fourth = sums
    n = complete + len(values)
    mean = centre
    if values:
        shift = math.fsum(value - centre for value in values) / n
        mean += shift
        twice, thrice, more = powers([value - mean for value in values])
        if fourth is not None:
            fourth += -4 * shift * third + 6 * shift**2 * second + complete * shift**4 + more
        third += -3 * shift * second - complete * shift**3 + thrice
        second += complete * shift**2 + twice
    return spread(mean, second / (n - 1) / n, n, second=second, third=third, fourth=fourth)


def bounded(found: Spread, *, level: float = 0.95, cap: float | None = None, wary: bool = False) -> Interval:
    """The interval of a mean of values in [0, 1]: Korn and Graubard's, made safe for long tails.

    Three things are added to `intervals.korn_graubard`. The degrees of freedom are those that the tails leave (see
    `Spread.freedom`), though values never count for less than if each were 0 or 1. Where the tails are heavier than
    the normal distribution's, a limit moves out by one and a half times the skewness that right-or-wrong values of
    that mean would not have, since small samples show only a part of theirs. And no limit says more than it would
    if every case were perfect. `cap` is the most that the effective number of cases may be. `wary` allows for the
    skewness whatever the tails are: for values such as pass^k, which are few and seldom lie evenly.

    Sources: Korn and Graubard (1998); Johnson (1978), "Modified t tests and confidence intervals for asymmetrical
    populations". Raises `ValueError` for fewer than two groups.
    """
    n, tail = found.groups, (1 - level) / 2
    if n < 2:
        raise ValueError("no interval from fewer than two cases")
    mean = min(max(found.mean, 0.0), 1.0)
    z = normal_quantile(tail)
    varies = found.variance > _NOTHING
    perfect = (n if found.alike is None or not varies else found.alike) * (z / t_quantile(tail, n - 1)) ** 2
    effective = perfect
    if varies:
        raw = mean * (1 - mean) / found.variance
        effective = max(raw * (z / t_quantile(tail, found.freedom)) ** 2, perfect)
    effective = max(min(effective, math.inf if cap is None else cap), 1e-9)
    exact = clopper_pearson(effective * mean, effective, level=level)
    down = up = 0.0
    if (wary or found.kurtosis > 0) and 0 < mean < 1:
        unit = 1.5 * _PER_SKEWNESS * (2 * z * z + 1) * math.sqrt(found.variance)
        own = found.skewness / math.sqrt(n)
        expected = (1 - 2 * mean) / math.sqrt(mean * (1 - mean) * effective)
        down = unit * max(min(expected, 0.0) - own, 0.0)
        up = unit * max(own - max(expected, 0.0), 0.0)
    most = beta_quantile(tail, perfect, 1.0)
    return Interval(
        low=max(min(exact.low - down, most), 0.0),
        high=min(max(exact.high + up, 1 - most), 1.0),
        level=level,
        method=KORN_GRAUBARD,
        effective=effective,
    )


def unbounded(found: Spread, *, level: float = 0.95, method: str = STUDENT) -> Interval:
    """The t interval of a mean without bounds, wider where the values have tails or lean to one side.

    The degrees of freedom are those that the tails leave (see `Spread.freedom`), and the limit on the side of the
    longer tail moves out by twice what Johnson's (1978) formula asks for, since small samples show about half of
    their skewness. Raises `ValueError` for fewer than two groups.
    """
    n, tail = found.groups, (1 - level) / 2
    if n < 2:
        raise ValueError("no interval from fewer than two cases")
    z = normal_quantile(tail)
    error = math.sqrt(max(found.variance, 0.0))
    half = t_quantile(tail, found.freedom) * error
    shift = 2 * _PER_SKEWNESS * (2 * z * z + 1) * found.skewness / math.sqrt(n) * error
    return Interval(
        low=found.mean - half + min(shift, 0.0),
        high=found.mean + half + max(shift, 0.0),
        level=level,
        method=method,
    )
