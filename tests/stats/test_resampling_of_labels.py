"""The bootstrap of label figures: scipy's where nothing is imagined, and a width where nothing was wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest

from evalkit.stats.agreement import bca, cohen_kappa, confusion, macro_f1, matthews
from evalkit.stats.labels import Unit, bounds_of, counts_of, figure_of
from evalkit.stats.resampling import interval_of, plain_interval

TABLE = {("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15}
OF_PAIRS = {
    "kappa": lambda pairs: cohen_kappa(confusion(pairs)[1]).value,
    "mcc": lambda pairs: matthews(confusion(pairs)[1]),
    "f1": lambda pairs: macro_f1(confusion(pairs)[1]),
}


def units(table):
    return tuple(
        Unit(sides=(((true, given, Fraction(1)),),), count=count) for (true, given), count in sorted(table.items())
    )


@pytest.mark.parametrize("statistic", OF_PAIRS)
def test_without_an_imagined_answer_it_is_scipys_bca(statistic):
    pairs = [pair for pair, count in TABLE.items() for _ in range(count)]
    theirs = bca(pairs, OF_PAIRS[statistic], resamples=2_999)
    ours = plain_interval(statistic, units(TABLE))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert float(figure_of(statistic, counts_of(units(TABLE)))) == pytest.approx(OF_PAIRS[statistic](pairs))


@pytest.mark.parametrize("statistic", OF_PAIRS)
def test_the_same_cases_always_give_the_same_interval(statistic):
    first, again = (interval_of(statistic, units(TABLE), level=0.95) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("statistic", OF_PAIRS)
def test_more_of_the_same_narrows_it_and_perfection_has_a_width(statistic):
    widths = []
    for n in (15, 60, 240):
        found = interval_of(statistic, units({("a", "a"): n, ("b", "b"): n}), level=0.95)
        assert found.high == 1
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2] > 0
    assert plain_interval(statistic, units({("a", "a"): 15, ("b", "b"): 15})).low == 1


def test_it_passes_by_luck_no_more_often_than_it_says():
    """With the truth at the bound, over 300 seeded suites: the plain bootstrap of 30 cases passes far too often."""
    import numpy as np

    rng = np.random.default_rng(7)
    chances = {("true", "true"): 0.19, ("true", "false"): 0.01, ("false", "true"): 0.016, ("false", "false"): 0.784}
    big = {pair: round(1000 * chance) for pair, chance in chances.items()}
    truth = float(figure_of("f1", counts_of(units(big))))
    lucky = {"ours": 0, "plain": 0}
    seen = {}
    for counts in rng.multinomial(30, list(chances.values()), size=300):
        key = tuple(counts)
        if key not in seen:
            drawn = units({pair: int(count) for pair, count in zip(chances, counts, strict=True) if count})
            plain = plain_interval("f1", drawn, resamples=999)
            seen[key] = (interval_of("f1", drawn, level=0.95, resamples=999).low, plain.low)
        lucky["ours"] += seen[key][0] > truth
        lucky["plain"] += seen[key][1] > truth
    assert lucky["ours"] <= 0.025 * 300
    assert lucky["plain"] > 0.2 * 300


@pytest.mark.parametrize("statistic", OF_PAIRS)
def test_bounds_without_anything_missing_are_the_figure(statistic):
    counts = counts_of(units(TABLE))
    value = figure_of(statistic, counts)
    assert bounds_of(statistic, counts) == (value, value)


def test_an_irrational_figure_is_that_of_a_float_and_a_square_is_exact():
    assert float(figure_of("mcc", counts_of(units(TABLE)))) == pytest.approx(0.4082482905, abs=5e-11)
    square = {("a", "a"): 8, ("a", "b"): 2, ("b", "a"): 2, ("b", "b"): 8}
    assert figure_of("mcc", counts_of(units(square))) == Fraction(3, 5)
