"""Which slices moved between two runs, and that luck among many slices is allowed for."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from evalkit.case import Case
from evalkit.runs import DatasetInfo, SuiteInfo, SuiteRun
from evalkit.score import Score
from evalkit.stats.differences import differences
from evalkit.stats.moved import moved_slices
from evalkit.stats.paired import mcnemar
from evalkit.trial import Output, Trial

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def suite_of(values: list[float], groups: list[str]) -> SuiteRun:
    cases = [Case(id=f"c{n}", input=n, metadata={"group": group}) for n, group in enumerate(groups)]
    trials = [
        Trial(
            case_id=case.id,
            output=Output(value=n),
            scores=(Score(name="right", value=value, scorer="right", scorer_version="1"),),
            outcome="passed",
            started_at=START,
            duration=1,
        )
        for n, (case, value) in enumerate(zip(cases, values, strict=True))
    ]
    dataset = DatasetInfo(name="d", digest="d", size=len(cases))
    info = SuiteInfo(name="s", nodeid="", location="", dataset=dataset, declared=len(cases), planned=len(cases))
    return SuiteRun(info=info, cases=tuple(cases), trials=tuple(trials))


def moved(before: list[float], after: list[float], groups: list[str], **options: int):
    base, candidate = suite_of(before, groups), suite_of(after, groups)
    return moved_slices(base, candidate, differences(base, candidate), **options)


def test_a_slice_that_fell_has_its_own_difference_interval_and_counts():
    groups = ["a"] * 20 + ["b"] * 20
    after = [0.0] * 10 + [1.0] * 30
    (one,) = moved([1.0] * 40, after, groups)
    assert one.slice == {"group": "a"}
    assert (one.pairs, one.improved, one.regressed) == (20, 0, 10)
    assert (one.base, one.candidate, one.difference) == (1.0, 0.5, -0.5)
    assert one.low is not None
    assert one.high is not None
    assert one.low < -0.5 < one.high < 0
    assert one.p_value == pytest.approx(2 * 0.5**10)
    assert one.q_value == pytest.approx(2 * one.p_value), "two slices were tested"
    assert one.is_marked


def test_the_p_value_is_the_sign_test_s_for_graded_scores_too():
    groups = ["a"] * 12 + ["b"] * 12
    before = [0.5] * 24
    after = [0.4 - n / 100 for n in range(9)] + [0.6] * 3 + [0.5] * 12
    (one,) = moved(before, after, groups)
    assert one.p_value == pytest.approx(mcnemar(3, 9))


def test_slices_without_a_change_count_as_tests_and_are_not_told():
    groups = [letter for letter in "abcdefghij" for _ in range(10)]
    after = [0.0] * 6 + [1.0] * 94
    (one,) = moved([1.0] * 100, after, groups)
    assert one.q_value == pytest.approx(min(1.0, 10 * 2 * 0.5**6))
    assert not one.is_marked


def test_a_few_pairs_have_no_interval():
    groups = ["a"] * 6 + ["b"] * 30
    (one,) = moved([1.0] * 36, [0.0] * 6 + [1.0] * 30, groups)
    assert (one.low, one.high, one.method) == (None, None, "")


def test_at_most_so_many_are_told_unless_more_are_marked():
    groups = [letter for letter in "abcdefghij" for _ in range(10)]
    after = [0.0 if n % 10 == 0 else 1.0 for n in range(100)]
    assert len(moved([1.0] * 100, after, groups, most=3)) == 3
    assert len(moved([1.0] * 100, [0.0] * 100, groups, most=3)) == 10, "all are marked"


def test_noise_is_marked_about_as_seldom_as_promised():
    """Where nothing moved, some slice is marked in about one comparison of ten, or fewer; 200 were drawn by seed."""
    generator = random.Random(20261123)
    groups = [letter for letter in "abcdefgh" for _ in range(25)]
    false = 0
    for _ in range(200):
        before = [float(generator.random() < 0.7) for _ in groups]
        after = [float(generator.random() < 0.7) for _ in groups]
        false += any(one.is_marked for one in moved(before, after, groups))
    assert false <= 26
