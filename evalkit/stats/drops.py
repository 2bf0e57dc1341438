"""How many cases a comparison takes, and how small a drop it can see: before a run, and as advice after it."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache

from evalkit.stats.intervals import Interval
from evalkit.stats.paired import PAIRED_T, log_ratio, score_interval, unseen
from evalkit.stats.pairs import FEWEST_CHANGED, Pairs
from evalkit.stats.power import MOST_CASES
from evalkit.stats.special import binomial_cdf, normal_quantile
from evalkit.stats.spread import spread, unbounded

_MOST_EXACT = 2_000
"""Cases up to which the chances are summed up; above, the normal approximation is as good."""

POWER = 0.8


def unchanged_cases(margin: float, *, level: float = 0.95) -> int | None:
    """The fewest cases that can show "not worse by `margin`" if not one of them changes; `None` for none.

    Without a change the limit is Tango's, −z² / (n + z²), or the exact one if that is further out (see
    `paired.score_interval`): 189 cases for 0.02 at 95 %.
    """
    if margin <= 0:
        return None
    z, tail = normal_quantile((1 - level) / 2), (1 - level) / 2
    exact = math.log(tail) / math.log1p(-margin) if margin < 1 else 1.0
    return max(math.ceil(max(z * z * (1 - margin) / margin, exact) - 1e-9), 1)


def narrowest_margin(cases: int, *, level: float = 0.95) -> float:
    """The smallest margin that `cases` cases can keep to if not one changes, rounded up to three digits."""
    z = normal_quantile((1 - level) / 2)
    edge = max(z * z / (cases + z * z), unseen(cases, level=level))
    return math.ceil(edge * 1000 - 1e-9) / 1000


def rising_cases(margin: float, *, level: float = 0.95) -> int | None:
    """The fewest cases that can show "better by `margin`" if every one of them rises; `None` for none."""
    if margin >= 1:
        return None
    n = 2
    while score_interval(n, 0, n, level=level).low <= margin:
        n += max(n // 20, 1)
        if n > MOST_CASES:
            return None
    while n > 2 and score_interval(n - 1, 0, n - 1, level=level).low > margin:
        n -= 1
    return n


def smallest_drop(n: int, flips: float, *, level: float = 0.95, power: float = POWER) -> float | None:
    """The smallest drop of a share, in hundredths, that `n` right-or-wrong cases show `power` of the time.

    `flips` is the share of cases that change each way without any drop. The test is McNemar's, exact, and its power
    is summed over the number of changed cases. `None` where no drop is seen so often.
    """
    highest = math.floor((1 - 2 * flips) * 100 + 1e-9)
    low, high = 1, highest + 1
    while low < high:
        middle = (low + high) // 2
        if _power(n, middle / 100, flips, level) >= power:
            high = middle
        else:
            low = middle + 1
    return low / 100 if low <= highest else None


@lru_cache(maxsize=1024)
def _power(n: int, drop: float, flips: float, level: float) -> float:
    """The chance that exact McNemar shows a drop."""
    changed = drop + 2 * flips
    if n > _MOST_EXACT:
        z = normal_quantile((1 - level) / 2)
        error = math.sqrt((changed - drop * drop) / n)
        return 1.0 if error == 0 else 0.5 * math.erfc((z - drop / error) / math.sqrt(2))
    falling = (drop + flips) / changed
    total = 0.0
    for m in range(n + 1):
        chance = _binomial(m, n, changed)
        if chance > 1e-12 and (needed := _lopsided(m, level)) is not None:
            total += chance * (1 - binomial_cdf(needed - 1, m, falling))
    return total


@lru_cache(maxsize=8192)
def _lopsided(m: int, level: float) -> int | None:
    """How many of `m` changed cases must have fallen for McNemar's test to see it."""
    low, high = (m + 1) // 2, m + 1
    while low < high:
        middle = (low + high) // 2
        if 2 * binomial_cdf(m - middle, m, 0.5) <= 1 - level:
            high = middle
        else:
            low = middle + 1
    return low if low <= m else None


def _binomial(k: int, n: int, p: float) -> float:
    if p >= 1:
        return float(k == n)
    logarithm = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(logarithm + k * math.log(p) + (n - k) * math.log1p(-p))


def detectable(pairs: Pairs, *, level: float = 0.95) -> float | None:
    """The difference that so many cases, changing as much as these did, would show 80 % of the time.

    Exact for right-or-wrong cases with one trial. Otherwise (z + z') · sd / √n (Miller 2024), and never less than
    what Tango's interval leaves open where nothing changes. `None` where there is nothing to go by.
    """
    n = pairs.complete
    if n < 2 or pairs.shape == "label":
        return None
    if pairs.is_exact:
        return smallest_drop(n, pairs.changed / n / 2, level=level)
    z = normal_quantile((1 - level) / 2)
    formula = (z + normal_quantile(1 - POWER)) * math.sqrt(pairs.deviation / (n - 1) / n)
    if pairs.shape == "unbounded":
        return formula or None
    return max(formula, z * z / (n + z * z))


def cases_to_decide(
    pairs: Pairs, decided: Callable[[Interval], bool], *, level: float, relative: bool = False
) -> int | None:
    """About how many cases would decide if they go on as these did; `None` beyond `MOST_CASES`."""
    n = pairs.complete
    if n < 2:
        return None

    def enough(cases: int) -> bool:
        factor = cases / n
        if relative:
            if pairs.relative is None:
                return False
            base, candidate = float(pairs.base / n), float(pairs.candidate / n)
            third, fourth = _scaled(pairs.relative_third, pairs.relative_fourth, factor)
            ratio = log_ratio(base, candidate, pairs.relative * factor, cases, level=level, third=third, fourth=fourth)
            return decided(ratio)
        if pairs.is_exact or pairs.changed * factor < FEWEST_CHANGED:
            up, down = float(pairs.up) * factor, float(pairs.down) * factor
            return pairs.shape != "unbounded" and decided(score_interval(up, down, cases, level=level))
        mean = float(pairs.difference or 0)
        second = pairs.deviation * factor
        third, fourth = _scaled(pairs.third, pairs.fourth, factor)
        found = spread(mean, second / (cases - 1) / cases, cases, second=second, third=third, fourth=fourth)
        return decided(unbounded(found, level=level, method=PAIRED_T))

    low, high = n, n + 1
    while not enough(high):
        low, high = high, high * 2
        if high > MOST_CASES:
            return None
    return low + bisect_left(range(low, high), True, key=enough)


def _scaled(third: float, fourth: float | None, factor: float) -> tuple[float, float | None]:
    return third * factor, None if fourth is None else fourth * factor


def mirrored(interval: Interval) -> Interval:
    """The interval of the opposite difference."""
    return dataclasses.replace(interval, low=-interval.high, high=-interval.low)
