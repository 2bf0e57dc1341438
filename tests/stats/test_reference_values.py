"""Intervals agree with values computed elsewhere: R, scipy and published tables."""

from __future__ import annotations

import math
import statistics

import pytest

from evalkit.stats.intervals import (
    chance_at_least,
    clopper_pearson,
    korn_graubard,
    order_ranks,
    student,
)
from evalkit.stats.power import (
    best_bound,
    cases_to_decide_share,
    deciding_passes,
    perfect_cases,
    quantile_cases,
)
from evalkit.stats.special import beta_quantile, t_quantile

TEN_BY_FOUR = [passes / 4 for passes in (4, 4, 4, 3, 4, 2, 4, 4, 0, 4)]
GRADED = [0.2, 0.5, 0.9, 1, 1, 1, 0.8, 0.7, 1, 0.95, 0.4, 1, 1, 0.85, 0.6]
TOLERANCE = 5e-10
"""The references are printed to ten digits."""


def _kg(values, **options):
    variance = statistics.variance(values) / len(values)
    return korn_graubard(statistics.fmean(values), variance, len(values), **options)


@pytest.mark.parametrize(
    ("passes", "n", "low", "high"),
    [
        (38, 40, 0.8308031360, 0.9938863534),
        (40, 40, 0.9119026971, 1.0),
        (0, 40, 0.0, 1 - 0.9119026971),
    ],
)
def test_clopper_pearson_is_that_of_r_binom_test(passes, n, low, high):
    interval = clopper_pearson(passes, n)
    assert interval.low == pytest.approx(low, abs=TOLERANCE)
    assert interval.high == pytest.approx(high, abs=TOLERANCE)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize(("passes", "n"), [(0, 7), (1, 7), (7, 7), (37, 40), (500, 1319), (9_999, 10_000)])
def test_clopper_pearson_is_that_of_scipy(passes, n, level):
    from scipy import stats

    theirs = stats.binomtest(passes, n).proportion_ci(confidence_level=level, method="exact")
    ours = clopper_pearson(passes, n, level=level)
    # scipy finds its limits with a root finder that stops at 2e-12.
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-10)


def test_korn_graubard_on_repeats():
    interval = _kg(TEN_BY_FOUR, cap=40)
    assert statistics.fmean(TEN_BY_FOUR) == pytest.approx(0.825)
    assert math.sqrt(statistics.variance(TEN_BY_FOUR) / 10) == pytest.approx(0.10573815, abs=5e-9)
    assert interval.effective == pytest.approx(9.69346948, abs=5e-9)
    assert (interval.low, interval.high) == pytest.approx((0.4634982172, 0.9835112890), abs=TOLERANCE)


def test_student_would_leave_the_scale_on_the_same_repeats():
    interval = student(statistics.fmean(TEN_BY_FOUR), statistics.variance(TEN_BY_FOUR) / 10, 10)
    assert (interval.low, interval.high) == pytest.approx((0.586, 1.064), abs=5e-4)


def test_korn_graubard_as_r_survey_has_it_is_a_little_narrower():
    """`svyciprop(method="beta")` shrinks by t(trials − 1) / t(cases − 1) where we shrink by z / t(cases − 1)."""
    variance = statistics.variance(TEN_BY_FOUR) / 10
    n = 0.825 * 0.175 / variance * (t_quantile(0.025, 39) / t_quantile(0.025, 9)) ** 2
    assert n == pytest.approx(10.3238602, abs=5e-8)
    theirs = clopper_pearson(n * 0.825, n)
    assert (theirs.low, theirs.high) == pytest.approx((0.4767049002, 0.9815050579), abs=TOLERANCE)
    ours = _kg(TEN_BY_FOUR, cap=40)
    assert ours.low < theirs.low < theirs.high < ours.high


@pytest.mark.parametrize(
    ("prior", "low", "high"), [(0.5, 0.8491349488, 0.9894655150), (1.0, 0.8346666466, 0.9846485285)]
)
def test_the_intervals_that_we_do_not_use_come_out_of_the_same_quantiles(prior, low, high):
    """Jeffreys' and the uniform prior, for 38 of 40, as R's qbeta has them."""
    found = (beta_quantile(0.025, 38 + prior, 2 + prior), beta_quantile(0.975, 38 + prior, 2 + prior))
    assert found == pytest.approx((low, high), abs=TOLERANCE)


def test_wilsons_interval_of_the_simulations_is_that_of_r_prop_test():
    pytest.importorskip("numpy", reason="the simulations draw with numpy")
    from benchmarks.simulation.shares import wilson

    assert wilson(38, 40) == pytest.approx((0.8349612263, 0.9861793326), abs=TOLERANCE)


def test_korn_graubard_on_graded_scores():
    interval = _kg(GRADED)
    assert interval.effective == pytest.approx(30.773122, abs=5e-7)
    assert (interval.low, interval.high) == pytest.approx((0.6095975, 0.9172852), abs=5e-8)


def test_korn_graubard_where_all_cases_agree_counts_cases_and_not_trials():
    interval = korn_graubard(1.0, 0.0, 20, cap=100)
    assert interval.effective == pytest.approx(20 * (1.959963985 / 2.093024054) ** 2, rel=1e-8)
    assert interval.high == 1.0


def test_student_is_that_of_r_t_test():
    d = (0.02, 0.05, -0.02, 0.10, 0.03, 0.09, -0.01, 0.09, 0.06, 0.04)
    interval = student(statistics.fmean(d), statistics.variance(d) / 10, 10)
    assert (interval.low, interval.high) == pytest.approx((0.0153608489, 0.0746391511), abs=TOLERANCE)


@pytest.mark.parametrize(("n", "ranks"), [(100, (90, 100)), (73, (65, 73)), (72, (64, 72)), (59, (52, None))])
def test_the_ranks_around_p95_are_those_of_scipy_quantile_test(n, ranks):
    assert order_ranks(n, 0.95) == ranks


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_ranks_around_any_quantile_are_those_of_scipy(share):
    from scipy import stats

    for n in (10, 40, 100, 367):
        values = list(range(1, n + 1))
        theirs = stats.quantile_test(values, p=share).confidence_interval(0.95)
        low, high = order_ranks(n, share)
        assert (low or -math.inf, high or math.inf) == (
            theirs.low if math.isfinite(theirs.low) else -math.inf,
            theirs.high if math.isfinite(theirs.high) else math.inf,
        )


@pytest.mark.parametrize(("bound", "n"), [(0.8, 17), (0.85, 23), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_the_cases_it_takes_even_if_all_pass(bound, n):
    assert perfect_cases(bound) == n
    assert clopper_pearson(n, n).low >= bound > clopper_pearson(n - 1, n - 1).low


@pytest.mark.parametrize(("bound", "n"), [(0.8, 26), (0.85, 35), (0.9, 54), (0.95, 110), (0.99, 555)])
def test_the_cases_it_takes_if_one_misses(bound, n):
    assert clopper_pearson(n - 1, n).low >= bound > clopper_pearson(n - 2, n - 1).low


@pytest.mark.parametrize(("n", "passing", "failing"), [(40, 40, 31), (100, 96, 83), (200, 189, 170), (400, 372, 347)])
def test_how_many_of_n_decide(n, passing, failing):
    assert deciding_passes(n, 0.9) == (passing, failing)


def test_where_no_number_of_passes_decides():
    assert deciding_passes(20, 0.9)[0] is None
    assert deciding_passes(2, 0.5)[1] is None


def test_repeats_take_a_few_cases_more():
    for bound in (0.5, 0.8, 0.9, 0.95):
        n = perfect_cases(bound, repeated=True)
        assert n > perfect_cases(bound)
        assert korn_graubard(1.0, 0.0, n).low >= bound > korn_graubard(1.0, 0.0, n - 1).low


def test_certainty_takes_more_cases_than_there_are():
    assert perfect_cases(1.0) is None
    assert perfect_cases(0.0) == 1


@pytest.mark.parametrize(("level", "n"), [(0.95, 72), (0.9, 59)])
def test_the_cases_that_p95_takes_for_an_upper_limit(level, n):
    assert quantile_cases(0.95, upper=True, level=level) == n
    assert order_ranks(n, 0.95, level=level)[1] == n
    assert order_ranks(n - 1, 0.95, level=level)[1] is None


def test_the_cases_that_p95_takes_for_a_lower_limit():
    n = quantile_cases(0.95, upper=False)
    assert order_ranks(n, 0.95)[0] is not None


@pytest.mark.parametrize(("share", "bound"), [(0.95, 0.9), (0.85, 0.9), (0.5, 0.6), (1.0, 0.9)])
def test_the_advised_number_of_cases_decides_and_one_less_does_not(share, bound):
    n = cases_to_decide_share(share, bound)

    def decided(cases):
        interval = clopper_pearson(share * cases, cases)
        return interval.low >= bound or interval.high < bound

    assert decided(n)
    assert not decided(n - 1)


def test_a_share_at_the_bound_is_never_decided():
    assert cases_to_decide_share(0.9, 0.9) is None


def test_the_best_bound_is_reached_by_perfect_cases_only():
    assert best_bound(40) == pytest.approx(0.9119026971, abs=TOLERANCE)
    assert best_bound(40, repeated=True) < best_bound(40)


def test_the_odds_are_jeffreys():
    from scipy import special

    assert chance_at_least(0.9, 37, 40) == pytest.approx(1 - float(special.betainc(37.5, 3.5, 0.9)), rel=1e-10)
    assert chance_at_least(0.0, 0, 40) == 1.0
    assert chance_at_least(1.0, 40, 40) == 0.0
