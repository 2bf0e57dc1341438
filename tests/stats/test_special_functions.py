"""The quantiles behind every interval are right: beside exact arithmetic, and beside scipy, which only tests import.

Where ours and scipy differ by more than 1e-13, exact arithmetic has always sided with ours so far: scipy 1.17 is off
by 4e-12 in `betainc(10, 1e6, 1.4e-5)` and by 4e-9 in `betaincinv(1000, 1e6, 0.9)`. Hence the tolerance of 1e-11.
"""

from __future__ import annotations

import itertools
import math
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.special import beta_cdf, beta_quantile, binomial_cdf, normal_quantile, t_quantile

SHAPES = (0.05, 0.5, 1, 1.5, 3, 10, 40, 100.5, 1e3, 1e4, 1e6)
PLACES = (1e-12, 1e-6, 0.001, 0.1, 0.3, 0.5, 0.9, 0.975, 0.999, 1 - 1e-9)
TAILS = (1e-10, 0.0005, 0.005, 0.025, 0.05, 0.5, 0.9, 0.975, 0.9995)


@pytest.mark.parametrize("a", SHAPES)
def test_the_incomplete_beta_is_scipys(a):
    from scipy import special

    for b, x in itertools.product(SHAPES, PLACES):
        assert beta_cdf(x, a, b) == pytest.approx(float(special.betainc(a, b, x)), rel=1e-11, abs=1e-300)


@pytest.mark.parametrize("a", SHAPES)
def test_the_quantile_is_where_scipy_says_the_probability_is(a):
    from scipy import special

    for b, probability in itertools.product(SHAPES, TAILS):
        x = beta_quantile(probability, a, b)
        step = _step_of(x, a, b) if 1e-290 < x < 1 else math.inf
        assert abs(float(special.betainc(a, b, x)) - probability) <= max(1e-11 * probability, 8 * step)


@pytest.mark.parametrize(
    ("a", "b", "x"),
    [(3, 10**6, 5.3e-6), (10, 10**6, 1.4e-5), (1000, 10**6, 0.001), (40, 10**5, 4e-4), (38, 3, 0.83), (400, 37, 0.9)],
)
def test_the_incomplete_beta_is_the_exact_binomial_sum(a, b, x):
    """With whole a and b it is the chance of at least a successes in a + b − 1 tries, summed here with 60 digits."""
    with localcontext(Context(prec=60)):
        n, p = a + b - 1, Decimal(x)
        term, below = (1 - p) ** n, Decimal(0)
        for k in range(a):
            below += term
            term *= p * (n - k) / ((1 - p) * (k + 1))
        assert abs(Decimal(beta_cdf(x, a, b)) / (1 - below) - 1) < Decimal("1e-13")


def _step_of(x: float, a: float, b: float) -> float:
    """How much probability lies between x and the next float: no quantile can be nearer than that."""
    log = (a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - (math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b))
    return math.ulp(x) * math.exp(min(log, 700))


@pytest.mark.parametrize("df", [1, 2, 3, 5, 9, 10, 11, 19, 39, 100, 1e3, 1e5])
def test_students_t_is_scipys(df):
    from scipy import special

    for tail in (0.25, 0.05, 0.025, 0.01, 0.005, 0.0005):
        assert t_quantile(tail, df) == pytest.approx(-float(special.stdtrit(df, tail)), rel=1e-12)


def test_the_normal_quantile_is_scipys():
    from scipy import special

    for tail in (0.25, 0.05, 0.025, 0.005, 1e-6):
        assert normal_quantile(tail) == pytest.approx(-float(special.ndtri(tail)), rel=1e-12)


@given(k=st.integers(0, 30), n=st.integers(1, 30), p=st.fractions(Fraction(1, 100), Fraction(99, 100)))
def test_the_binomial_adds_up_to_the_exact_sum(k, n, p):
    exact = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(min(k, n) + 1))
    assert binomial_cdf(k, n, float(p)) == pytest.approx(float(exact), rel=1e-11)


@given(a=st.floats(0.1, 1e5), b=st.floats(0.1, 1e5), p=st.floats(1e-6, 1 - 1e-6))
def test_a_quantile_undoes_the_distribution(a, b, p):
    x = beta_quantile(p, a, b)
    assert 0 <= x <= 1
    if 1e-200 < x < 1:
        assert beta_cdf(x, a, b) == pytest.approx(p, rel=1e-9, abs=8 * _step_of(x, a, b))


@pytest.mark.parametrize(("x", "a", "b"), [(-0.1, 1, 1), (1.1, 1, 1), (0.5, 0, 1), (0.5, 1, -2)])
def test_what_is_no_place_in_the_distribution_is_refused(x, a, b):
    with pytest.raises(ValueError, match="no incomplete beta"):
        beta_cdf(x, a, b)
