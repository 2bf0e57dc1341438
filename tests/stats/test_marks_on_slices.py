"""Marks on slices: a slice against the rest of its suite, among as many slices as there are."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats.marks import FISHER, WELCH, fisher, slice_marks, welch


@given(a=st.integers(0, 60), b=st.integers(0, 60), c=st.integers(0, 60), d=st.integers(0, 60))
def test_fisher_is_that_of_scipy(a, b, c, d):
    if a + b and c + d:
        assert fisher(a, a + b, c, c + d) == pytest.approx(stats.fisher_exact([[a, b], [c, d]])[1], rel=1e-6, abs=1e-12)


def test_welch_is_that_of_scipy():
    first, second = [0.2, 0.5, 0.9, 0.4, 0.1], [0.6, 0.9, 1.0, 0.8, 0.7, 0.65]
    assert welch(first, second) == pytest.approx(stats.ttest_ind(first, second, equal_var=False).pvalue, rel=1e-9)


def marks(make_suite, cells, languages, **options):
    suite = make_suite(cells, metadata=[{"lang": one} for one in languages], **options)
    return {mark.slice["lang"]: mark for mark in slice_marks(suite) if mark.name == "accuracy"}


def test_a_slice_that_is_worse_than_the_rest_is_marked(make_suite):
    found = marks(make_suite, [1] * 60 + [0] * 15 + [1] * 5, ["en"] * 30 + ["fr"] * 30 + ["de"] * 20)
    assert found["de"].is_marked
    assert (found["de"].value, found["de"].rest) == (0.25, 1.0)
    assert found["de"].test == FISHER
    assert found["de"].p_value == pytest.approx(stats.fisher_exact([[5, 15], [60, 0]])[1])


def test_the_q_values_are_those_of_all_slices_and_scores_of_the_suite(make_suite):
    rng = random.Random(5)
    suite = make_suite([rng.choice([0, 1]) for _ in range(200)], metadata=[{"group": str(i % 20)} for i in range(200)])
    found = slice_marks(suite)
    p_values = [mark.p_value for mark in found]
    assert len(p_values) == 40  # the score and the errors
    expected = stats.false_discovery_control(p_values, method="bh")
    assert [mark.q_value for mark in found] == pytest.approx(list(expected))


def test_twenty_slices_of_one_rate_are_seldom_marked(make_suite):
    """At 5 % each, 64 of 100 suites would have a false alarm."""
    rng = random.Random(11)
    alarms = 0
    for _ in range(60):
        suite = make_suite(
            [int(rng.random() < 0.8) for _ in range(200)], metadata=[{"group": str(i % 20)} for i in range(200)]
        )
        alarms += any(mark.is_marked for mark in slice_marks(suite))
    assert alarms <= 9


def test_what_is_missing_is_filled_in_against_a_mark(make_suite):
    known = marks(make_suite, [1] * 40 + [0] * 10, ["en"] * 40 + ["de"] * 10)
    assert known["de"].is_marked
    lost = marks(make_suite, [1] * 40 + ["raise"] * 10, ["en"] * 40 + ["de"] * 10)
    assert lost["de"].p_value == 1
    assert lost["de"].value is None


def test_graded_scores_need_ten_cases_on_either_side(make_suite):
    cells = [0.9, 0.8, 0.85] * 10 + [0.1, 0.2, 0.15] * 4
    found = marks(make_suite, cells, ["en"] * 30 + ["de"] * 12)
    assert (found["de"].test, found["de"].is_marked) == (WELCH, True)
    assert marks(make_suite, cells[:36], ["en"] * 30 + ["de"] * 6)["de"].p_value is None


def test_cases_that_hang_together_have_no_marks(make_suite):
    from evalkit.case import CLUSTER

    metadata = [{"lang": "de" if i < 20 else "en", "doc": str(i // 4)} for i in range(40)]
    suite = make_suite([0] * 20 + [1] * 20, metadata=metadata)
    clustered = dataclasses.replace(suite, info=dataclasses.replace(suite.info, metadata={CLUSTER: "doc"}))
    assert all(mark.p_value is None for mark in slice_marks(clustered))


def test_repeats_of_a_case_are_one_case(make_suite):
    once = marks(make_suite, [1] * 30 + [0] * 10, ["en"] * 30 + ["de"] * 10)["de"]
    thrice = marks(make_suite, [[1] * 3] * 30 + [[0] * 3] * 10, ["en"] * 30 + ["de"] * 10)["de"]
    assert once.p_value == thrice.p_value
