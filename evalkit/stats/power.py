"""How many cases a claim takes: before a run, so that none is paid for that cannot decide, and after it, as advice."""

from __future__ import annotations

import math

from evalkit.stats.intervals import clopper_pearson
from evalkit.stats.special import beta_quantile, normal_quantile, t_quantile

MOST_CASES = 1_000_000
"""Beyond this many we say that the numbers are too close to tell apart."""


def perfect_cases(bound: float, *, level: float = 0.95, repeated: bool = False) -> int | None:
    """The fewest cases that can show a share of at least `bound`, if every one of them passes; `None` for none.

    The lower limit of n out of n is tail^(1/n). With `repeated` trials the interval is Korn and Graubard's, whose n
    is a little smaller than the number of cases. By symmetry this is also how many cases without one event can show
    a share of at most 1 − `bound`.
    """
    if bound <= 0:
        return 1
    if bound >= 1:
        return None
    low, high = 1, 2
    while best_bound(high, level=level, repeated=repeated) < bound:
        low, high = high, high * 2
        if high > 1 << 40:
            return None
    while low < high:
        middle = (low + high) // 2
        if best_bound(middle, level=level, repeated=repeated) >= bound:
            high = middle
        else:
            low = middle + 1
    return low


def best_bound(cases: int, *, level: float = 0.95, repeated: bool = False) -> float:
    """The highest share that `cases` cases can show, if every one of them passes."""
    tail = (1 - level) / 2
    if repeated:
        if cases < 2:
            return 0.0
        effective = cases * (normal_quantile(tail) / t_quantile(tail, cases - 1)) ** 2
        return beta_quantile(tail, effective, 1.0)
    return beta_quantile(tail, float(cases), 1.0)


def deciding_passes(cases: int, bound: float, *, level: float = 0.95) -> tuple[int | None, int | None]:
    """How many of `cases` must pass to show a share of at least `bound`, and how few show that it is below it.

    For one right-or-wrong trial a case. `None` where no number does.
    """
    low, high = 0, cases + 1
    while low < high:
        middle = (low + high) // 2
        if middle <= cases and clopper_pearson(middle, cases, level=level).low < bound:
            low = middle + 1
        else:
            high = middle
    passing = low if low <= cases else None
    low, high = -1, cases
    while low < high:
        middle = (low + high + 1) // 2
        if clopper_pearson(middle, cases, level=level).high < bound:
            low = middle
        else:
            high = middle - 1
    return passing, low if low >= 0 else None


def cases_to_decide_share(share: float, bound: float, *, level: float = 0.95, per_case: float = 1.0) -> int | None:
    """About how many cases would decide if the true share is that seen; `None` beyond `MOST_CASES`.

    `per_case` is how many independent right-or-wrong cases one case was worth, below 1 where cases differ a lot.
    """

    def decided(n: int) -> bool:
        interval = clopper_pearson(share * n, n, level=level)
        return interval.low >= bound if share >= bound else interval.high < bound

    n = 2
    while not decided(n):
        n *= 2
        if n > MOST_CASES:
            return None
    low, high = n // 2, n
    while low < high:
        middle = (low + high) // 2
        if decided(middle):
            high = middle
        else:
            low = middle + 1
    return math.ceil(low / per_case)


def cases_to_decide_mean(mean: float, deviation: float, bound: float, *, level: float = 0.95) -> int | None:
    """About how many cases would decide for a mean without bounds, if the mean and spread seen are the true ones.

    `deviation` is the standard deviation of the case means. `None` beyond `MOST_CASES`.
    """
    distance = abs(mean - bound)
    if distance == 0:
        return None
    n = math.ceil((normal_quantile((1 - level) / 2) * deviation / distance) ** 2) + 2
    return n if n <= MOST_CASES else None


def quantile_cases(share: float, *, upper: bool, level: float = 0.95) -> int:
    """The fewest cases that give the quantile at `share` an upper limit at all, or a lower one.

    72 for an upper limit of p95 at 95 %: a value above the quantile has to be among them.
    """
    return math.ceil(math.log((1 - level) / 2) / math.log(share if upper else 1 - share) - 1e-12)
