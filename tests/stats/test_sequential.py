"""Stopping early: what can no longer change, and what the full suite will very likely say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.gates import judge, parse
from evalkit.stats.power import deciding_passes
from evalkit.stats.sequential import (
    confidence_sequence,
    curtailed,
    e_value,
    full_suite_passes,
    is_decided,
    settled_early,
    stops_anytime,
)


def test_the_beta_binomial_sequence_is_that_of_r():
    assert e_value(38, 40, 0.9) == pytest.approx(0.2403399755, abs=5e-11)
    assert confidence_sequence(38, 40) == pytest.approx((0.7661057977, 0.9984756178), abs=5e-10)


def test_the_sequence_without_replacement_is_that_of_r():
    assert full_suite_passes(38, 40, 100) == (80, 98)


def test_before_and_after_the_run():
    assert full_suite_passes(0, 0, 50) == (0, 50)
    assert full_suite_passes(31, 50, 50) == (31, 31)
    assert confidence_sequence(0, 0) == (0.0, 1.0)
    assert confidence_sequence(0, 9)[0] == 0.0


def test_impossible_counts_are_refused():
    for wrong in ((3, 2, 5), (1, 6, 5), (-1, 2, 5)):
        with pytest.raises(ValueError, match="cannot be"):
            full_suite_passes(*wrong)
        with pytest.raises(ValueError, match="cannot be"):
            curtailed(*wrong, needed=1, failing=0)


RUNS = st.lists(st.booleans(), min_size=1, max_size=40)


@given(outcomes=RUNS, bound=st.sampled_from([0.1, 0.5, 0.8, 0.9]), level=st.sampled_from([None, 0.95, 0.8]))
def test_what_is_settled_early_is_the_verdict_of_the_full_run(make_suite, outcomes, bound, level):
    text = f"accuracy >= {bound}" + ("" if level is None else f" @ {level * 100:g}%")
    cases = len(outcomes)
    (verdict,) = judge([parse(text)], make_suite([int(outcome) for outcome in outcomes]))
    if level is not None and cases < 2:
        return
    for done in range(cases + 1):
        early = settled_early(sum(outcomes[:done]), done, cases, bound, level=level)
        if early is not None:
            assert verdict.decision == ("pass" if early else "fail")
    if verdict.decision != "inconclusive":
        assert settled_early(sum(outcomes), cases, cases, bound, level=level) is (verdict.decision == "pass")


@given(outcomes=RUNS, bound=st.sampled_from([0.3, 0.8]))
def test_once_decided_is_decided_for_good(outcomes, bound):
    cases = len(outcomes)
    needed, failing = deciding_passes(cases, bound)
    decided = [is_decided(sum(outcomes[:n]), n, cases, needed=needed, failing=failing) for n in range(cases + 1)]
    assert decided == sorted(decided)
    assert decided[-1]


@pytest.mark.parametrize(("share", "bound"), [(0.95, 0.9), (0.9, 0.9), (0.7, 0.9), (0.5, 0.5)])
def test_the_full_suite_is_within_the_sequence_at_every_moment(share, bound):
    """Of 200 random orders at most a few leave it at any moment; a level of 95 % allows for ten."""
    cases, outside, wrong = 60, 0, 0
    right = round(share * cases)
    draws = random.Random(7)
    for _ in range(200):
        order = [1] * right + [0] * (cases - right)
        draws.shuffle(order)
        ranges = [full_suite_passes(sum(order[:n]), n, cases) for n in range(0, cases + 1, 3)]
        outside += any(not low <= right <= high for low, high in ranges)
        stops = (stops_anytime(sum(order[:n]), n, cases, bound, level=0.95) for n in range(0, cases + 1, 3))
        first = next(stop for stop in stops if stop is not None)
        wrong += first is not (right >= bound * cases)
    assert outside <= 10
    assert wrong <= 10


def test_a_bad_candidate_is_found_out_early():
    """400 cases, half of them right where nine in ten are asked for: the verdict is there within a tenth."""
    order = [1, 0] * 200
    random.Random(1).shuffle(order)
    at = next(n for n in range(401) if stops_anytime(sum(order[:n]), n, 400, 0.9) is False)
    assert at < 40
    decided = next(n for n in range(401) if settled_early(sum(order[:n]), n, 400, 0.9) is False)
    assert at < decided < 110
