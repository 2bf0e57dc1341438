"""Cases that hang together count as one: cluster errors agree with R, and intervals widen."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.case import CLUSTER
from evalkit.gates import judge, parse, recompute
from evalkit.stats import summarise
from evalkit.stats.clusters import cluster_variance, cr0, cr2, cr2_freedom
from evalkit.stats.columns import read
from evalkit.stats.means import means, per_case

NAMES = [1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5, 5]
VALUES = [1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1]


def _grouped(names, values):
    members: dict[int, list[float]] = {}
    for name, value in zip(names, values, strict=True):
        members.setdefault(name, []).append(value)
    return [len(group) for group in members.values()], [sum(group) for group in members.values()]


@pytest.fixture(scope="session")
def clustered(make_suite):
    def clustered(cells, names, **fields):
        suite = make_suite(cells, metadata=[{"doc": name} for name in names], **fields)
        return dataclasses.replace(suite, info=dataclasses.replace(suite.info, metadata={CLUSTER: "doc"}))

    return clustered


def test_cluster_errors_are_those_of_sandwich_and_club_sandwich():
    sizes, sums = _grouped(NAMES, VALUES)
    mean, variance = cluster_variance(sizes, sums)
    assert mean == pytest.approx(sum(VALUES) / 12)
    assert math.sqrt(variance) == pytest.approx(0.1810889557, abs=5e-11)
    assert math.sqrt(cr0(sizes, sums)) == pytest.approx(0.161970886, abs=5e-10)
    assert math.sqrt(cr2(sizes, sums)) == pytest.approx(0.1928324232, abs=5e-11)


def test_the_degrees_of_freedom_are_those_of_club_sandwich():
    sizes, _ = _grouped(NAMES, VALUES)
    assert cr2_freedom(sizes) == pytest.approx(3.29, abs=0.005)
    assert cr2_freedom([1] * 25) == pytest.approx(24)
    with pytest.raises(ValueError, match="fewer than two clusters"):
        cr2_freedom([5])


def test_one_case_a_cluster_is_the_plain_variance(make_suite, clustered):
    values = [round(0.05 * (i % 13), 2) for i in range(25)]
    plain = summarise(make_suite(values))[0]
    apart = summarise(clustered(values, range(25)))[0]
    assert (plain.low, plain.high) == pytest.approx((apart.low, apart.high), abs=1e-9)


def test_copies_of_a_case_are_one_case(make_suite, clustered):
    """Twelve documents, each asked about ten times with one outcome, show what twelve cases show."""
    outcomes = [1] * 10 + [0] * 2
    copied = clustered([value for value in outcomes for _ in range(10)], [doc for doc in range(12) for _ in range(10)])
    once = clustered(outcomes, range(12))
    (many,), (few,) = (judge([parse("accuracy >= 0.5 @ 95%")], suite) for suite in (copied, once))
    assert (many.low, many.high) == pytest.approx((few.low, few.high), abs=1e-9)
    naive = judge([parse("accuracy >= 0.5 @ 95%")], make_suite([value for value in outcomes for _ in range(10)]))[0]
    assert (naive.decision, many.decision) == ("pass", "inconclusive")


def test_the_interval_is_korn_and_graubards_by_the_variance_between_clusters(clustered):
    from evalkit.stats.intervals import korn_graubard

    metric = summarise(clustered(VALUES, NAMES))[0]
    expected = korn_graubard(8 / 12, 0.1810889557**2, 5, cap=12)
    assert metric.method == "Korn-Graubard"
    assert (metric.low, metric.high) == pytest.approx((expected.low, expected.high), abs=1e-8)
    assert "few clusters: 5" in metric.note


def test_few_clusters_decide_nothing(clustered):
    (verdict,) = judge([parse("accuracy >= 0.1 @ 95%")], clustered([1] * 90, [i // 10 for i in range(90)]))
    assert verdict.decision == "inconclusive"
    assert "Few clusters" in verdict.reason


def test_a_case_that_names_no_cluster_is_one_of_its_own(clustered):
    table = read(clustered([1] * 5, [1, 1, None, None, 2]))
    assert len(set(table.clusters)) == 4


ROWS = st.lists(st.tuples(st.integers(0, 14), st.sampled_from([0, 1, None, "raise"])), min_size=3, max_size=40)


@given(rows=ROWS, data=st.data())
def test_whatever_is_missing_the_interval_allows_for_it(clustered, rows, data):
    names = [name for name, _ in rows]
    if len(set(names)) < 2:
        return
    filled = [data.draw(st.sampled_from([0, 1])) if value not in (0, 1) else value for _, value in rows]

    def found(cells):
        table = read(clustered(cells, names))
        return means(per_case(table, table.columns["accuracy"], failed_as_zero=True))

    open_, full = found([value for _, value in rows]), found(filled)
    interval = open_.interval(0.95)
    assert interval.low - 1e-9 <= float(full.value) <= interval.high + 1e-9


@given(rows=ROWS, gate=st.sampled_from(["accuracy >= 0.5 @ 95%", "accuracy <= 0.9", "p50(accuracy) >= 1 @ 90%"]))
def test_a_verdict_on_clusters_comes_out_of_its_record_again(clustered, rows, gate):
    (verdict,) = judge([parse(gate)], clustered([value for _, value in rows], [name for name, _ in rows]))
    assert recompute(verdict) == verdict
