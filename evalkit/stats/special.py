"""The incomplete beta function, its inverse, and Student's t: what the intervals stand on, in plain Python.

scipy has all of this, and is what the tests compare with; it is not imported here because a terminal summary that
needs four quantiles should not pay half a second for them. `docs/design/statistics.md` has the figures.

Sources: the continued fraction is the one of DiDonato and Morris, "Significant Digit Computation of the Incomplete
Beta Function Ratios" (1992), evaluated as Lentz did; the more usual one (DLMF 8.17.22) cancels where x is near the
mean and lost four digits in our tests. The factor beside it is a binomial density in the saddle-point form of
Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000), which keeps its digits where differences
of `lgamma` lose them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_EPSILON = 2.0**-53
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_NORMAL = NormalDist()


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0 and x in [0, 1].

    It is the chance that a Beta(a, b) variable is at most `x`. Raises `ValueError` outside these ranges.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"no incomplete beta at x={x}, a={a}, b={b}")
    if x in (0.0, 1.0):
        return x
    return _lower_tail(x, 1 - x, a, b)


@lru_cache(maxsize=4096)
def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x at which `beta_cdf(x, a, b)` is `probability`; Newton's method inside a bracket that only shrinks."""
    if not (a > 0 and b > 0 and 0 <= probability <= 1):
        raise ValueError(f"no beta quantile at p={probability}, a={a}, b={b}")
    if probability in (0.0, 1.0):
        return probability
    low, high = 0.0, 1.0
    x = _first_guess(probability, a, b)
    for _ in range(400):
        excess = _lower_tail(x, 1 - x, a, b) - probability
        if excess > 0:
            high = x
        else:
            low = x
        density = _front(x, 1 - x, a, b) / (x * (1 - x))
        step = excess / density if density > _TINY else math.inf
        following = x - step
        if abs(step) <= 2 * _EPSILON * x:
            return following
        if not low < following < high:
            # Far from the root the geometric mean crosses the decades that halving would crawl through.
            following = math.sqrt(low * high) if low > 0 and high / low > 4 else (low + high) / 2
            if low == 0.0 and high < 1e-3:
                following = high * high
        if abs(following - x) <= 2 * _EPSILON * x or following <= _TINY:
            return following
        x = following
    return x


def t_quantile(upper_tail: float, df: float) -> float:
    """The t with `df` degrees of freedom that is exceeded with probability `upper_tail`, which is in (0, 0.5]."""
    if not (0 < upper_tail <= 0.5 and df > 0):
        raise ValueError(f"no t quantile at tail={upper_tail}, df={df}")
    if df < 10:
        x = beta_quantile(2 * upper_tail, df / 2, 0.5)
        return math.sqrt(df * (1 - x) / x)
    y = beta_quantile(1 - 2 * upper_tail, 0.5, df / 2)
    return math.sqrt(df * y / (1 - y))


def normal_quantile(upper_tail: float) -> float:
    """The standard normal value that is exceeded with probability `upper_tail`."""
    return -_NORMAL.inv_cdf(upper_tail)


def binomial_cdf(k: int, n: int, p: float) -> float:
    """The chance of at most `k` successes in `n` tries of probability `p`."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    return beta_cdf(1 - p, n - k, k + 1)


def _lower_tail(x: float, y: float, a: float, b: float) -> float:
    if x > (a + 1) / (a + b + 2):
        return 1 - _front(y, x, b, a) / _fraction(y, x, b, a)
    return _front(x, y, a, b) / _fraction(x, y, a, b)


def _fraction(x: float, y: float, a: float, b: float) -> float:
    """The continued fraction of DiDonato and Morris, by Lentz's method."""
    result = a * (a * y - b * x + 1) / (a + 1)
    result = c = result if abs(result) > _TINY else _TINY
    d = 0.0
    for m in range(1, 100_000):
        numerator = (a + m - 1) * (a + b + m - 1) * m * (b - m) * (x / (a + 2 * m - 1)) ** 2
        term = m + m * (b - m) * x / (a + 2 * m - 1) + (a + m) * (a * y - b * x + 1 + m * (1 + y)) / (a + 2 * m + 1)
        d = term + numerator * d
        c = term + numerator / c
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = c if abs(c) > _TINY else _TINY
        result *= c * d
        if abs(c * d - 1) <= _EPSILON * 2:
            return result
    raise ArithmeticError(f"the incomplete beta did not settle at x={x}, a={a}, b={b}")


def _front(x: float, y: float, a: float, b: float) -> float:
    """x^a y^b / B(a, b), with y = 1 - x, in the saddle-point form."""
    n = a + b
    exponent = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    exponent -= _deviance(a, n * x) + _deviance(b, n * y)
    return math.exp(exponent) * math.sqrt(a * b / (2 * math.pi * n))


def _stirling_error(n: float) -> float:
    """The logarithm of n! minus Stirling's formula for it."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - _HALF_LOG_TWO_PI
    s = 1 / (n * n)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / n


def _deviance(value: float, mean: float) -> float:
    """value·log(value/mean) + mean − value, without cancellation where the two are close."""
    difference = value - mean
    if abs(difference) >= 0.1 * (value + mean):
        if mean == 0:
            return math.inf
        return value * math.log(value / mean) - difference
    v = difference / (value + mean)
    total, term = difference * v, 2 * value * v
    for j in range(1, 1000):
        term *= v * v
        following = total + term / (2 * j + 1)
        if following == total:
            break
        total = following
    return total


def _first_guess(p: float, a: float, b: float) -> float:
    if a >= 1 and b >= 1:  # Abramowitz and Stegun 26.5.22
        z = _NORMAL.inv_cdf(min(max(p, 1e-300), 1 - 1e-16))
        shape = (z * z - 3) / 6
        s, t = 1 / (2 * a - 1), 1 / (2 * b - 1)
        h = 2 / (s + t)
        w = -z * math.sqrt(max(shape + h, 0)) / h - (t - s) * (shape + 5 / 6 - 2 / (3 * h))
        guess = a / (a + b * math.exp(min(2 * w, 700)))
    else:
        log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
        below = math.exp(max((math.log(p * a) + log_beta) / a, -690))
        guess = below if below < a / (a + b) else 1 - min(((1 - p) * b * math.exp(log_beta)) ** (1 / b), 1 - 1e-12)
    return min(max(guess, 1e-290), 1 - 1e-16)
