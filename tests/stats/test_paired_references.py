"""Paired differences agree with values computed elsewhere: R, PropCIs, scipy and what was published."""

from __future__ import annotations

import json
import math
import os
import statistics
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.columns import read
from evalkit.stats.differences import differences
from evalkit.stats.drops import narrowest_margin, rising_cases, smallest_drop, unchanged_cases
from evalkit.stats.paired import (
    MCNEMAR,
    SIGN_FLIP,
    SIGN_FLIP_NORMAL,
    SIGN_FLIP_SAMPLED,
    log_ratio,
    mcnemar,
    paired_student,
    score_interval,
    sign_flip,
    tango,
    tango_statistic,
)
from evalkit.stats.pairing import pairing
from evalkit.stats.special import normal_quantile

TOLERANCE = 5e-9
"""The references are printed to eight digits or more."""

TEN = (0.02, 0.05, -0.02, 0.10, 0.03, 0.09, -0.01, 0.09, 0.06, 0.04)
DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared/data")


@pytest.mark.parametrize(
    ("better", "worse", "n", "low", "high"),
    [
        (12, 4, 50, 0.00349223, 0.31498021),
        (0, 0, 40, -0.0876216012, 0.0876216012),
        (3, 9, 100, -0.1376930094, 0.0091156014),
    ],
)
def test_tango_is_that_of_propcis_and_ratesci(better, worse, n, low, high):
    found = tango(better, worse, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=TOLERANCE)


def test_fractional_tango_of_case_means(make_suite):
    third = Fraction(1, 3)
    changes = [0] * 30 + [third] * 3 + [-third] * 5 + [-1] + [2 * third]
    up, down = (float(sum(max(sign * d, 0) for d in changes)) for sign in (1, -1))
    found = tango(up, down, 40)
    assert float(sum(changes)) / 40 == pytest.approx(-0.025)
    assert (found.low, found.high) == pytest.approx((-0.15498204, 0.09972143), abs=TOLERANCE)
    by_t = paired_student(-0.025, statistics.variance(map(float, changes)) * 39, 40)
    assert (by_t.low, by_t.high) == pytest.approx((-0.1028, 0.0528), abs=5e-5)


def test_the_same_from_trials_of_two_runs(make_suite):
    """Ten changed cases of three trials: too few for t, so the fractional interval is taken."""
    base = [[1, 0, 0]] * 30 + [[0, 0, 0]] * 3 + [[1, 0, 0]] * 5 + [[1, 1, 1]] + [[0, 0, 0]]
    candidate = [[0, 1, 0]] * 30 + [[1, 0, 0]] * 3 + [[0, 0, 0]] * 5 + [[0, 0, 0]] + [[1, 1, 0]]
    found = next(d for d in differences(make_suite(base), make_suite(candidate)) if d.name == "accuracy")
    assert found.method == "fractional Tango"
    made = score_interval(5 / 3, 8 / 3, 40)
    assert (found.low, found.high) == pytest.approx((made.low, made.high), abs=TOLERANCE)
    # Safe on both sides, and so a little wider than the interval that it is made from.
    assert -0.17 < found.low < -0.15498204
    assert 0.09972143 < found.high < 0.12
    assert (found.pairs, len(found.improved), len(found.regressed), found.equal) == (40, 4, 6, 30)
    assert found.test == SIGN_FLIP


def test_mcnemar_is_exact():
    assert mcnemar(12, 4) == pytest.approx(0.07681274, abs=TOLERANCE)
    assert mcnemar(4, 12) == mcnemar(12, 4)
    assert mcnemar(0, 0) == 1.0


def test_sign_flips_are_counted_to_the_last_pattern():
    assert sign_flip(TEN) == (14 / 1024, SIGN_FLIP)
    assert sign_flip(TEN[::-1]) == sign_flip(TEN)
    assert sign_flip([0.0] * 50) == (1.0, SIGN_FLIP)


def test_many_sign_flips_are_drawn_with_a_seed():
    many = [*TEN, *TEN, 0.0]
    p, how = sign_flip(many)
    assert how == SIGN_FLIP_SAMPLED
    assert sign_flip(many) == sign_flip(sorted(many)) == (p, how)
    # 14 of 20 cases rose by one unit: exact McNemar asks the same question of equal sizes.
    drawn, _ = sign_flip([1.0] * 14 + [-1.0] * 6)
    assert drawn == pytest.approx(mcnemar(14, 6), abs=0.015)


def test_very_many_sign_flips_are_normal():
    many = [0.1] * 1030 + [-0.1] * 971
    p, how = sign_flip(many)
    assert how == SIGN_FLIP_NORMAL
    assert p == pytest.approx(mcnemar(1030, 971), abs=0.02)
    fewer, how = sign_flip(many[1:])
    assert how == SIGN_FLIP_SAMPLED
    assert fewer == pytest.approx(p, abs=0.03)


def test_paired_t_is_that_of_r():
    mean = statistics.fmean(TEN)
    found = paired_student(mean, statistics.variance(TEN) * 9, 10)
    assert (found.low, found.high) == pytest.approx((0.0153608489, 0.0746391511), abs=5e-11)


def test_the_log_ratio_is_that_of_a_linear_model_of_it():
    """Where each candidate is the base times a constant, the ratio is known exactly and the interval is a point."""
    base = [1.0, 2.0, 4.0, 3.0]
    candidate = [1.1 * value for value in base]
    means = statistics.fmean(base), statistics.fmean(candidate)
    deviation = math.fsum((c / means[1] - b / means[0]) ** 2 for b, c in zip(base, candidate, strict=True))
    found = log_ratio(*means, deviation, 4)
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))
    with pytest.raises(ValueError, match="above 0"):
        log_ratio(0.0, 1.0, 0.1, 10)


@pytest.mark.parametrize(
    ("level", "needed"),
    [(0.95, {0.01: 381, 0.02: 189, 0.05: 73, 0.10: 36}), (0.9, {0.01: 299, 0.02: 149, 0.05: 59, 0.10: 29})],
)
def test_how_many_unchanged_cases_a_margin_takes(level, needed):
    for margin, n in needed.items():
        assert unchanged_cases(margin, level=level) == n
        assert score_interval(0, 0, n, level=level).low >= -margin > score_interval(0, 0, n - 1, level=level).low
        assert narrowest_margin(n, level=level) <= margin + 0.001


@pytest.mark.parametrize(
    ("level", "needed"),
    [(0.95, {0.01: 381, 0.02: 189, 0.05: 73, 0.10: 35}), (0.9, {0.01: 268, 0.02: 133, 0.05: 52, 0.10: 25})],
)
def test_how_many_unchanged_cases_tangos_interval_would_take(level, needed):
    """z² (1 − margin) / margin, which for few cases or at a level of 90 % is less than the chances allow."""
    for margin, n in needed.items():
        assert tango(0, 0, n, level=level).low >= -margin > tango(0, 0, n - 1, level=level).low
    assert (1 - 0.1) ** 25 > 0.05


@pytest.mark.parametrize(
    ("n", "drops"), [(40, (0.20, 0.24, 0.28)), (100, (0.08, 0.12, 0.15)), (200, (0.04, 0.08, 0.09))]
)
def test_the_smallest_drop_that_exact_mcnemar_sees(n, drops):
    assert tuple(smallest_drop(n, flips) for flips in (0, 0.025, 0.05)) == drops


def test_the_normal_approximation_takes_over_without_a_jump():
    assert smallest_drop(2_000, 0.05) == pytest.approx(smallest_drop(2_001, 0.05), abs=0.01)


@pytest.mark.parametrize("margin", [0, 0.1, 0.5])
def test_how_many_rising_cases_a_gain_takes(margin):
    n = rising_cases(margin)
    assert score_interval(n, 0, n).low > margin >= score_interval(n - 1, 0, n - 1).low
    assert rising_cases(1) is None


COUNTS = st.integers(2, 60).flatmap(
    lambda n: st.integers(0, n).flatmap(
        lambda b: st.integers(0, n - b).map(lambda c: (b, c, n)),
    )
)


@given(counts=COUNTS, level=st.sampled_from([0.8, 0.95, 0.99]))
def test_tango_is_where_a_scan_finds_the_statistic_crossing(counts, level):
    b, c, n = counts
    z = normal_quantile((1 - level) / 2)
    found = tango(b, c, n, level=level)
    inside = [d / 2000 for d in range(-1999, 2000) if abs(tango_statistic(b, c, n, d / 2000)) < z]
    if inside:
        assert found.low == pytest.approx(min(inside), abs=1 / 1000)
        assert found.high == pytest.approx(max(inside), abs=1 / 1000)


@given(
    n=st.integers(1, 200),
    up=st.floats(0, 1),
    share=st.floats(0, 1),
    level=st.sampled_from([0.8, 0.95, 0.99]),
)
def test_tango_has_the_estimate_inside_and_mirrors(n, up, share, level):
    better, worse = n * up * share, n * up * (1 - share)
    found = tango(better, worse, n, level=level)
    other = tango(worse, better, n, level=level)
    assert -1 <= found.low <= (better - worse) / n + 1e-9
    assert (better - worse) / n - 1e-9 <= found.high <= 1
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low))


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded outputs are not at {DATA}; set EVALKIT_DATA")
def test_gsm8k_systems_of_the_paper_pair_by_question(make_suite):
    by_model: dict[str, dict[str, bool]] = {}
    with (DATA / "gsm8k/outputs.jsonl").open() as lines:
        for line in lines:
            row = json.loads(line)
            by_model.setdefault(row["model"], {})[row["id"]] = row["is_correct"]
    suites = {name: make_suite([float(answers[key]) for key in sorted(answers)]) for name, answers in by_model.items()}
    by_size = {sum(answers.values()): name for name, answers in by_model.items()}
    fine, verified, large = by_size[286], by_size[515], by_size[458]

    gain = next(d for d in differences(suites[fine], suites[verified]) if d.name == "accuracy")
    assert (len(gain.higher), len(gain.lower), gain.pairs) == (293, 64, 1319)
    assert gain.difference == pytest.approx(0.173616, abs=5e-7)
    published = tango(293, 64, 1319)
    assert (published.low, published.high) == pytest.approx((0.147353, 0.200387), abs=5e-7)
    assert gain.method == "Tango"
    assert (gain.low, gain.high) == pytest.approx((published.low, published.high), abs=0.0005)
    assert gain.low < published.low < published.high < gain.high
    tables = [read(suites[name]) for name in (fine, verified)]
    data = pairing(*((table, table.columns["accuracy"]) for table in tables), failed_as_zero=True).statistics()
    assert math.sqrt(data.deviation / 1318 / 1319) == pytest.approx(0.013509, abs=5e-7)

    claim = next(d for d in differences(suites[verified], suites[large]) if d.name == "accuracy")
    assert (len(claim.higher), len(claim.lower), claim.test) == (152, 209, MCNEMAR)
    assert claim.p_value == pytest.approx(0.003150657, abs=5e-10)
