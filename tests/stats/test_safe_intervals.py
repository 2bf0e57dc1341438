"""Intervals that gates rest on are wrong no more often than they say, on either side; the plain ones are."""

from __future__ import annotations

import math
import statistics
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.gates import judge, parse, recompute
from evalkit.stats.intervals import clopper_pearson, korn_graubard, student
from evalkit.stats.paired import mcnemar, score_interval, tango, unseen
from evalkit.stats.power import best_bound
from evalkit.stats.spread import Spread, bounded, filled, powers, spread, unbounded


def _spread(values):
    mean = statistics.fmean(values)
    second, third, fourth = powers([value - mean for value in values])
    n = len(values)
    return spread(mean, second / (n - 1) / n, n, second=second, third=third, fourth=fourth)


# differences of right-or-wrong cases


def _chances(n, rising, falling):
    def logarithm(k, p):
        return 0.0 if k == 0 else -math.inf if p <= 0 else k * math.log(p)

    for better in range(n + 1):
        for worse in range(n - better + 1):
            rest = n - better - worse
            ways = math.lgamma(n + 1) - math.lgamma(better + 1) - math.lgamma(worse + 1) - math.lgamma(rest + 1)
            chance = (
                ways + logarithm(better, rising) + logarithm(worse, falling) + logarithm(rest, 1 - rising - falling)
            )
            if chance > math.log(1e-9):
                yield better, worse, math.exp(chance)


@cache
def _limits(better, worse, n):
    return score_interval(better, worse, n), tango(better, worse, n)


@pytest.mark.parametrize("n", [20, 45])
@pytest.mark.parametrize("difference", [0.0, -0.03, -0.08, -0.2])
@pytest.mark.parametrize("rising", [0.0, 0.01, 0.05, 0.2])
def test_neither_limit_of_a_difference_is_wrong_more_often_than_it_says(n, difference, rising):
    """Every outcome is enumerated, so this is exact; by symmetry it holds for gains as well."""
    too_high = too_low = 0.0
    for better, worse, chance in _chances(n, rising, rising - difference):
        found, _ = _limits(better, worse, n)
        too_high += chance * (found.low > difference + 1e-12)
        too_low += chance * (found.high < difference - 1e-12)
    assert too_high <= 0.025
    assert too_low <= 0.025


def test_tangos_own_limits_are_wrong_more_often_where_few_cases_change():
    wrong = sum(chance for b, c, chance in _chances(200, 0.0, 0.02) if tango(b, c, 200).high < -0.02)
    assert wrong == pytest.approx(0.0493, abs=5e-5)


@given(
    counts=st.integers(2, 60).flatmap(
        lambda n: st.integers(0, n).flatmap(lambda b: st.integers(0, n - b).map(lambda c: (b, c, n)))
    ),
    level=st.sampled_from([0.8, 0.95, 0.99]),
)
def test_the_safe_interval_holds_tangos_and_mirrors_it(counts, level):
    b, c, n = counts
    found, plain, other = (
        f(*a, n, level=level) for f, a in ((score_interval, (b, c)), (tango, (b, c)), (score_interval, (c, b)))
    )
    assert found.low <= plain.low
    assert found.high >= plain.high
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low))
    assert -1 <= found.low <= found.high <= 1


@given(
    counts=st.integers(2, 60).flatmap(
        lambda n: st.integers(0, n).flatmap(lambda b: st.integers(0, n - b).map(lambda c: (b, c, n)))
    ),
    level=st.sampled_from([0.8, 0.95, 0.99]),
)
def test_an_interval_leaves_out_nothing_that_mcnemars_exact_test_allows(counts, level):
    b, c, n = counts
    found = score_interval(b, c, n, level=level)
    if mcnemar(b, c) > 1 - level:
        assert found.low <= 0 <= found.high


@given(
    counts=st.integers(3, 60).flatmap(
        lambda n: st.integers(0, n - 1).flatmap(lambda b: st.integers(1, n - b).map(lambda c: (b, c, n)))
    )
)
def test_a_case_that_did_not_fall_never_lowers_a_limit(counts):
    b, c, n = counts
    worse, better = score_interval(b, c, n), score_interval(b, c - 1, n)
    if b == c - 1 == 0:
        return  # where nothing changed the limits are the exact ones
    assert better.low >= worse.low - 1e-9
    assert better.high >= worse.high - 1e-9


def test_what_no_case_showed_may_still_be_there():
    for n in (10, 40, 400):
        assert (1 - unseen(n)) ** n == pytest.approx(0.025)
        assert score_interval(0, 0, n).high >= unseen(n)


# means of scores between 0 and 1


def test_light_tails_change_nothing():
    values = [passes / 4 for passes, cases in enumerate([14, 12, 10, 4, 10]) for _ in range(cases)]
    one = _spread(values)
    plain = korn_graubard(one.mean, one.variance, 50, cap=200)
    found = bounded(one, cap=200)
    assert one.kurtosis < 0
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-12)


def test_the_shape_of_values_is_that_of_scipy():
    from scipy import stats

    values = [0.1, 0.5, 0.9, 0.92, 0.93, 0.95, 0.95, 0.97, 0.98, 1.0, 1.0, 1.0, 0.99, 0.4]
    one = _spread(values)
    assert one.skewness == pytest.approx(stats.skew(values, bias=False))
    assert one.kurtosis == pytest.approx(stats.kurtosis(values, bias=False))
    assert one.freedom == pytest.approx(2 / (one.kurtosis / 14 + 2 / 13))


def test_a_few_cases_far_from_the_others_widen_the_interval():
    values = [0.95 + 0.001 * i for i in range(38)] + [0.0, 0.1]
    one = _spread(values)
    plain, found = korn_graubard(one.mean, one.variance, 40), bounded(one)
    assert found.low < plain.low - 0.02
    assert one.freedom < 10


@given(values=st.lists(st.floats(0, 1), min_size=10, max_size=60), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_no_suite_shows_more_than_if_every_case_were_perfect(values, level):
    found = bounded(_spread(values), level=level)
    most = best_bound(len(values), level=level, repeated=True)
    assert 0 <= found.low <= most + 1e-9
    assert 1 - most - 1e-9 <= found.high <= 1
    assert found.low - 1e-9 <= statistics.fmean(values) <= found.high + 1e-9


@given(values=st.lists(st.sampled_from([0.0, 1.0]), min_size=10, max_size=60))
def test_values_that_are_right_or_wrong_count_for_what_they_are(values):
    found, exact = bounded(_spread(values)), clopper_pearson(sum(values), len(values))
    assert found.low <= exact.low + 1e-9
    assert found.high >= exact.high - 1e-9
    assert found.effective >= len(values) * 0.7


def test_values_that_are_alike_but_for_rounding_are_alike():
    """A variance of 1e-33 is not evidence of endless precision."""
    noisy = Spread(mean=0.7, variance=1e-33, groups=20)
    assert bounded(noisy) == bounded(Spread(mean=0.7, variance=0.0, groups=20))


# means without bounds


def test_a_long_tail_moves_the_limit_on_its_side():
    values = [1.0 + 0.01 * i for i in range(30)] + [9.0, 14.0]
    one = _spread(values)
    plain, found = student(one.mean, one.variance, 32), unbounded(one)
    assert found.high - plain.high > 2 * (plain.low - found.low) > 0
    assert unbounded(Spread(mean=1, variance=0.04, groups=20)) == student(1, 0.04, 20)


@given(
    values=st.lists(st.floats(0, 1), min_size=3, max_size=30),
    more=st.lists(st.floats(0, 1), min_size=1, max_size=10),
)
def test_values_may_be_filled_in_afterwards(values, more):
    mean = statistics.fmean(values)
    later = filled(mean, len(values), powers([value - mean for value in values]), more)
    at_once = _spread([*values, *more])
    assert later.mean == pytest.approx(at_once.mean)
    assert later.variance == pytest.approx(at_once.variance, abs=1e-12)
    if at_once.variance > 1e-6:
        assert (later.skewness, later.kurtosis) == pytest.approx((at_once.skewness, at_once.kurtosis), abs=1e-4)


# in gates


def test_twenty_steady_scores_show_no_more_than_twenty_perfect_ones(make_suite):
    steady = make_suite([0.96, 0.97] * 10)
    (verdict,) = judge([parse("accuracy.mean >= 0.95 @ 95%")], steady)
    assert verdict.decision == "inconclusive"
    assert verdict.low == pytest.approx(best_bound(20, repeated=True))


def test_a_verdict_with_tails_comes_out_of_its_record_again(make_suite):
    cells = [1.0] * 30 + [0.1, 0.4, 0.95, None]
    for text in ("accuracy.mean >= 0.8 @ 95%", "accuracy.mean <= 0.99 @ 90%"):
        (verdict,) = judge([parse(text)], make_suite(cells))
        assert recompute(verdict) == verdict
        assert verdict.inputs["means"]["fourth"] > 0


def test_a_record_without_the_higher_powers_can_still_be_read(make_suite):
    """Verdicts were stored before the tails were looked at; they have the plain interval."""
    import dataclasses

    (verdict,) = judge([parse("accuracy.mean >= 0.8 @ 95%")], make_suite([1.0] * 30 + [0.1, 0.4, 0.95]))
    older = {name: value for name, value in verdict.inputs["means"].items() if name not in ("third", "fourth")}
    again = recompute(dataclasses.replace(verdict, inputs=verdict.inputs | {"means": older}))
    assert again.low > verdict.low
