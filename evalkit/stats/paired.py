"""Two runs of the same cases: intervals of the mean difference, and p-values beside them.

A difference is candidate minus baseline, case by case. Nothing here needs a library: the limits are found by halving.
`docs/design/paired-comparisons.md` says why these methods and not others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from operator import getitem

from evalkit.stats.intervals import Interval
from evalkit.stats.special import binomial_cdf, normal_quantile, t_quantile

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
    b, c, d = better, worse, difference
    numerator = b - c - n * d
    first = 2 * n
    second = -b - c + (2 * n - b + c) * d
    third = -c * d * (1 - d)
    root = math.sqrt(max(second * second - 4 * first * third, 0.0))
    # The usual form cancels where `second` is positive.
    q = -2 * third / (root + second) if second > 0 else (root - second) / (2 * first)
    variance = n * (2 * q + d * (1 - d))
    if variance <= 0:
        return math.copysign(math.inf, numerator) if abs(numerator) > 1e-12 * n else 0.0
    return numerator / math.sqrt(variance)


def _upper(better: float, worse: float, n: int, z: float) -> float:
    low, high = min((better - worse) / n, 1.0), 1.0
    if tango_statistic(better, worse, n, high) >= -z:
        return high
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if tango_statistic(better, worse, n, middle) > -z:
            low = middle
        else:
            high = middle
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


def log_ratio(base: float, candidate: float, deviation: float, n: int, *, level: float = 0.95) -> Interval:
    """The interval of the relative difference of two means, `candidate / base − 1`, both above 0.

    `deviation` is the sum over the cases of (candidate_i / candidate − base_i / base)², which by the delta method is
    that of the logarithm of the ratio. The interval is made on that logarithm and turned back, so that −100 % is
    never passed. Raises `ValueError` for a mean that is not positive, and for fewer than two cases.
    """
    if n < 2 or base <= 0 or candidate <= 0:
        raise ValueError("a relative difference needs two cases and means above 0")
    half = t_quantile((1 - level) / 2, n - 1) * math.sqrt(deviation / (n - 1) / n)
    centre = math.log(candidate / base)
    return Interval(low=math.expm1(centre - half), high=math.expm1(centre + half), level=level, method=LOG_RATIO)


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
