"""Two runs of the same cases: intervals of the mean difference, and p-values beside them.

A difference is candidate minus baseline, case by case. Nothing here needs a library: the limits are found by halving.
`docs/design/paired-comparisons.md` says why these methods and not others.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from operator import getitem

from evalkit.stats.intervals import Interval
from evalkit.stats.special import binomial_cdf, normal_quantile, t_quantile
from evalkit.stats.spread import spread, unbounded

TANGO = "Tango"
FRACTIONAL_TANGO = "fractional Tango"
PAIRED_T = "paired t"
LOG_RATIO = "log-ratio t"

MCNEMAR = "exact McNemar"
SIGN_FLIP = "exact sign-flip permutation"
SIGN_FLIP_SAMPLED = "sign-flip permutation, 9,999 draws"
SIGN_FLIP_NORMAL = "sign-flip permutation, normal limit"

MOST_PATTERNS = 15
"""Up to this many changed cases all 2^15 patterns of signs are counted; above, some are drawn."""

MOST_DRAWN = 2_000
"""Above so many changed cases the sum of the signed differences is normal to more digits than are shown."""

_DRAWS = 9_999
_BLOCK = 8


def tango(better: float, worse: float, n: int, *, level: float = 0.95) -> Interval:
    """The score interval of a difference of two paired shares: of `n` cases `better` rose and `worse` fell.

    For right-or-wrong cases, one trial each, both are counts. For case means and graded scores in [0, 1] they are
    the sums of the rises and of the falls ("fractional"), which makes the interval wider than it need be, as a
    square of a part is smaller than the part. Where nothing changed the limits are ±z² / (n + z²), so that equality
    is never claimed from a few cases.

    Source: Tango (1998), Statistics in Medicine 17, 891–908. Raises `ValueError` unless `n > 0`, neither sum is
    negative, and both together are at most `n`.
    """
    if not (n > 0 and better >= 0 and worse >= 0 and better + worse <= n * (1 + 1e-12)):
        raise ValueError(f"{better} up and {worse} down of {n} are no pairs")
    z = normal_quantile((1 - level) / 2)
    fractional = not (float(better).is_integer() and float(worse).is_integer())
    method = FRACTIONAL_TANGO if fractional else TANGO
    if better == worse == 0:
        edge = z * z / (n + z * z)
        return Interval(low=-edge, high=edge, level=level, method=method)
    high = _upper(better, worse, n, z)
    low = -_upper(worse, better, n, z)
    return Interval(low=low, high=high, level=level, method=method)


def tango_statistic(better: float, worse: float, n: int, difference: float) -> float:
    """Tango's T: how far the data are from a true difference of `difference`, in standard errors under it."""
    numerator, variance = _score(better, worse, n, difference)
    if variance <= 0:
        return math.copysign(math.inf, numerator) if abs(numerator) > 1e-12 * n else 0.0
    return numerator / math.sqrt(variance)


def _score(better: float, worse: float, n: int, difference: float) -> tuple[float, float]:
    """How far `better − worse` is from what the difference makes it, and its variance if that is the true one."""
    b, c, d = better, worse, difference
    first = 2 * n
    second = -b - c + (2 * n - b + c) * d
    third = -c * d * (1 - d)
    root = math.sqrt(max(second * second - 4 * first * third, 0.0))
    # The usual form cancels where `second` is positive.
    q = -2 * third / (root + second) if second > 0 else (root - second) / (2 * first)
    return b - c - n * d, max(n * (2 * q + d * (1 - d)), 0.0)


def _upper(better: float, worse: float, n: int, z: float) -> float:
    return _crossing((better - worse) / n, lambda d: tango_statistic(better, worse, n, d) < -z)


def score_interval(better: float, worse: float, n: int, *, level: float = 0.95) -> Interval:
    """Tango's interval with what it lacks to be safe on either side: the one that gates and tables use.

    The statistic is taken to be normal, and for few changed cases it is neither continuous nor symmetric: Tango's
    limit may be wrong in 5 % of the runs instead of 2.5 %. Here a limit moves out by half a case, since counts are
    whole, and by the skewness that the counts would have if the limit were true. Where nothing changed it is at
    least the exact limit, 1 − tail^(1/n). For counts, it holds 0 unless McNemar's exact test excludes it.

    Arguments as in `tango`, with sums of parts for case means ("fractional"). Sources: Tango (1998); the expansion of
    Cornish and Fisher (1938), with Yates' correction. Whether it keeps the level was found by summing up the chances
    of all outcomes, see `docs/statistics.md`. Raises `ValueError` as `tango` does.
    """
    plain = tango(better, worse, n, level=level)
    tail = (1 - level) / 2
    if better == worse == 0:
        edge = max(plain.high, unseen(n, level=level))
        return dataclasses.replace(plain, low=-edge, high=edge)
    z = normal_quantile(tail)
    high = max(plain.high, _corrected(better, worse, n, z))
    low = min(plain.low, -_corrected(worse, better, n, z))
    counts = plain.method == TANGO
    if counts and (low > 0 or high < 0) and mcnemar(int(better), int(worse)) > 1 - level:
        low, high = min(low, 0.0), max(high, 0.0)
    return dataclasses.replace(plain, low=low, high=high)


def unseen(n: int, *, level: float = 0.95) -> float:
    """The largest share of cases that may be of a kind which none of `n` happened to be: 1 − tail^(1/n)."""
    return -math.expm1(math.log((1 - level) / 2) / n)


def _corrected(better: float, worse: float, n: int, z: float) -> float:
    unchanged = max(n - better - worse, 0.0)
    # If every case changes, the difference of the two counts moves in steps of two.
    step: float = 0.5 + 0.5 * max(1 - 2 * unchanged / n, 0.0) ** (n / 2)
    lean = (z * z - 1) / 6

    def beyond(difference: float) -> bool:
        numerator, variance = _score(better, worse, n, difference)
        per_case, square = variance / n, difference * difference
        third = difference * (1 - 3 * (per_case + square) + 2 * square)
        skewness = min(max(third / per_case, -1.0), 1.0) if per_case > 1e-15 else math.copysign(1.0, third)
        return numerator + max(step - lean * skewness, 0.0) < -z * math.sqrt(variance)

    return _crossing((better - worse) / n, beyond)


def _crossing(estimate: float, beyond: Callable[[float], bool]) -> float:
    """The largest difference, from `estimate` up to 1, that is not yet `beyond` what the data allow."""
    low, high = min(estimate, 1.0), 1.0
    if not beyond(high):
        return high
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if beyond(middle):
            high = middle
        else:
            low = middle
    return high


def paired_student(mean: float, deviation: float, n: int, *, level: float = 0.95) -> Interval:
    """The t interval of a mean difference over `n` cases; `deviation` is the sum of squared distances from `mean`.

    Source: Student (1908), on one difference a case, with n − 1 degrees of freedom. Raises `ValueError` for fewer
    than two cases.
    """
    if n < 2:
        raise ValueError("no interval from fewer than two cases")
    half = t_quantile((1 - level) / 2, n - 1) * math.sqrt(max(deviation, 0.0) / (n - 1) / n)
    return Interval(low=mean - half, high=mean + half, level=level, method=PAIRED_T)


def log_ratio(
    base: float,
    candidate: float,
    deviation: float,
    n: int,
    *,
    level: float = 0.95,
    third: float = 0.0,
    fourth: float | None = None,
) -> Interval:
    """The interval of the relative difference of two means, `candidate / base − 1`, both above 0.

    `deviation` is the sum over the cases of (candidate_i / candidate − base_i / base)², which by the delta method is
    that of the logarithm of the ratio; `third` and `fourth` are the sums of the higher powers, with which the interval
    allows for long tails (see `spread.unbounded`). It is made on that logarithm and turned back, so that −100 % is
    never passed. Raises `ValueError` for a mean that is not positive, and for fewer than two cases.
    """
    if n < 2 or base <= 0 or candidate <= 0:
        raise ValueError("a relative difference needs two cases and means above 0")
    centre, variance = math.log(candidate / base), deviation / (n - 1) / n
    found = unbounded(spread(centre, variance, n, second=deviation, third=third, fourth=fourth), level=level)
    return Interval(low=math.expm1(found.low), high=math.expm1(found.high), level=level, method=LOG_RATIO)


def mcnemar(better: int, worse: int) -> float:
    """How often so lopsided a split of the changed cases, or more so, comes from a fair coin; two-sided and exact.

    1 where nothing changed. Source: McNemar (1947), with the binomial distribution in the place of χ².
    """
    changed = better + worse
    if changed == 0:
        return 1.0
    return min(1.0, 2 * binomial_cdf(min(better, worse), changed, 0.5))


def sign_flip(differences: Sequence[float], *, seed: int = 0) -> tuple[float, str]:
    """The p-value of a mean difference, if each case's difference could as well have had the other sign; and how.

    All patterns of signs are counted for up to `MOST_PATTERNS` cases that changed, else 9,999 drawn by `seed` and
    the one that was seen, and the normal limit taken above `MOST_DRAWN`. Two-sided; the
    order of the cases makes no difference. Source: Fisher's permutation test for pairs (1935).
    """
    sizes = sorted(abs(d) for d in differences if d)
    seen = abs(math.fsum(differences))
    # What is equal in decimals is equal here too.
    at_least = seen - 1e-9 * math.fsum(sizes)
    if len(sizes) <= MOST_PATTERNS:
        sums = _signed_sums(sizes)
        return sum(abs(total) >= at_least for total in sums) / len(sums), SIGN_FLIP
    if len(sizes) > MOST_DRAWN:
        spread = math.sqrt(2 * math.fsum(size * size for size in sizes))
        return math.erfc(seen / spread), SIGN_FLIP_NORMAL
    sizes += [0.0] * (-len(sizes) % _BLOCK)
    tables = [_signed_sums(sizes[start : start + _BLOCK]) for start in range(0, len(sizes), _BLOCK)]
    generator = random.Random(seed)  # noqa: S311 - draws for a p-value, not a secret
    extreme = 0
    for _ in range(_DRAWS):
        extreme += abs(sum(map(getitem, tables, generator.randbytes(len(tables))))) >= at_least
    return (extreme + 1) / (_DRAWS + 1), SIGN_FLIP_SAMPLED


def _signed_sums(sizes: Sequence[float]) -> list[float]:
    sums = [0.0]
    for size in sizes:
        sums = [total + size for total in sums] + [total - size for total in sums]
    return sums
