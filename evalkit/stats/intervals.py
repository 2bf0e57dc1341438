"""Intervals: where the true value may lie, given the cases that were seen.

All are two-sided: at a level of 0.95 each limit is wrong at most about 2.5 % of the time, which is the error that a
gate on that limit takes. `docs/design/statistics.md` says why these and not others.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left
from collections.abc import Callable

from evalkit.stats.special import beta_cdf, beta_quantile, binomial_cdf, normal_quantile, t_quantile


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """`low` to `high` at `level`, made by `method`; a limit may be infinite where the data set none.

    `effective` is the number of independent right-or-wrong cases that would have been as informative, or `None`
    where that has no meaning.
    """

    low: float
    high: float
    level: float
    method: str
    effective: float | None = None


CLOPPER_PEARSON = "Clopper-Pearson"
KORN_GRAUBARD = "Korn-Graubard"
STUDENT = "Student t"
ORDER = "order statistics"


def clopper_pearson(successes: float, n: float, *, level: float = 0.95) -> Interval:
    """The exact interval of a share: `successes` of `n` independent right-or-wrong cases.

    Both may be fractional, which is how Korn and Graubard use it. Source: Clopper and Pearson (1934), by the beta
    quantiles. Raises `ValueError` unless `0 <= successes <= n` and `n > 0`.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} of {n} is no share")
    tail = (1 - level) / 2
    failures = n - successes
    low = beta_quantile(tail, successes, failures + 1) if successes > 0 else 0.0
    high = beta_quantile(1 - tail, successes + 1, failures) if failures > 0 else 1.0
    return Interval(low=low, high=high, level=level, method=CLOPPER_PEARSON, effective=float(n))


def korn_graubard(
    mean: float, variance: float, groups: int, *, level: float = 0.95, cap: float | None = None
) -> Interval:
    """The interval of a mean of values in [0, 1], such as case means over repeats.

    `mean` is that of the case means, `variance` the squared standard error of it (their sample variance over their
    number), `groups` the number of cases, or of clusters of cases. The number of independent right-or-wrong cases
    that would have the same variance takes the place of n in Clopper and Pearson's formula, shrunk by
    (z / t with groups − 1 degrees of freedom)². Where all groups agree, `variance` is 0 and the number is `groups`.
    `cap` is the most it may be: the number of trials, for right-or-wrong data.

    Source: Korn and Graubard (1998), as in R's `survey::svyciprop(method="beta")`, which shrinks by
    t(trials − 1) / t(groups − 1) instead. Raises `ValueError` for fewer than two groups.
    """
    if groups < 2:
        raise ValueError("no interval from fewer than two cases")
    tail = (1 - level) / 2
    shrink = (normal_quantile(tail) / t_quantile(tail, groups - 1)) ** 2
    n = groups * shrink if variance <= 0 else mean * (1 - mean) / variance * shrink
    if cap is not None:
        n = min(n, cap)
    n = max(n, 1e-9)
    inside = min(max(mean, 0.0), 1.0)
    exact = clopper_pearson(n * inside, n, level=level)
    return Interval(low=exact.low, high=exact.high, level=level, method=KORN_GRAUBARD, effective=n)


def student(mean: float, variance: float, groups: int, *, level: float = 0.95) -> Interval:
    """The t interval of a mean without bounds (seconds, tokens, dollars); arguments as in `korn_graubard`.

    Source: Student (1908). Raises `ValueError` for fewer than two groups.
    """
    if groups < 2:
        raise ValueError("no interval from fewer than two cases")
    half = t_quantile((1 - level) / 2, groups - 1) * math.sqrt(max(variance, 0.0))
    return Interval(low=mean - half, high=mean + half, level=level, method=STUDENT)


def order_ranks(n: int, share: float, *, level: float = 0.95) -> tuple[int | None, int | None]:
    """Which of `n` sorted values bound the quantile at `share`, counted from 1; `None` where none does.

    The number of values at or below the true quantile is binomial, whatever their distribution. Source: the exact
    binomial interval of a quantile (Conover 1999, 3.2), as in `scipy.stats.quantile_test`.
    """
    tail = (1 - level) / 2
    low = _first(n, lambda rank: binomial_cdf(rank - 1, n, share) > tail) - 1
    high = _first(n, lambda rank: 1 - binomial_cdf(rank - 1, n, share) <= tail)
    return (low if low >= 1 else None, high if high <= n else None)


def chance_at_least(bound: float, successes: int, n: int) -> float:
    """How likely the true share is at least `bound`, after `successes` of `n`, with Jeffreys' prior.

    For a sentence beside an undecided verdict; no verdict rests on it.
    """
    if bound <= 0:
        return 1.0
    return 0.0 if bound >= 1 else 1 - beta_cdf(bound, successes + 0.5, n - successes + 0.5)


def _first(n: int, holds: Callable[[int], bool]) -> int:
    """The first rank from 1 to n for which `holds`, which stays true once it is; n + 1 for none."""
    return 1 + bisect_left(range(1, n + 1), True, key=holds)
