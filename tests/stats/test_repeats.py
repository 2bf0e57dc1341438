"""Repeats of a case: pass^k and pass@k without bias, flake rates, and where the error of a mean comes from."""

from __future__ import annotations

import itertools
import json
import math
import os
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats import summarise
from evalkit.stats.columns import read
from evalkit.stats.means import means, per_case
from evalkit.stats.repeats import (
    flake,
    flaky_cases,
    majority,
    of_values,
    pass_at,
    pass_power,
    reduced,
)
from evalkit.stats.variance import variance_split

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared/data")


def _cells(*rows):
    return [[int(trial) for trial in row] for row in rows]


def _reduced(suite, statistic, score="accuracy"):
    table = read(suite)
    return reduced(table, table.columns[score], statistic, failed_as_zero=True)


def _split(suite, score="accuracy"):
    table = read(suite)
    return variance_split(per_case(table, table.columns[score], failed_as_zero=True))


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"),
    [(10, 3, 1, 0.3), (10, 3, 5, 0.9166667), (200, 20, 10, 0.6602256238), (4, 2, 2, 0.8333333)],
)
def test_pass_at_k_is_that_of_the_humaneval_paper(n, c, k, expected):
    assert float(pass_at(n, c, k)) == pytest.approx(expected, abs=5e-8)


def test_pass_power_of_two_in_four():
    assert pass_power(4, 2, 2) == Fraction(1, 6)


@pytest.mark.parametrize("rule", [pass_at, pass_power])
def test_too_few_trials_are_an_error_and_not_a_guess(rule):
    with pytest.raises(ValueError, match="at least 5 trials of a case, and there are 4"):
        rule(4, 2, 5)
    with pytest.raises(ValueError, match="at least 2 trials"):
        flake(1, 1)


NUMBERS = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


@given(numbers=NUMBERS)
def test_to_hold_every_time_is_harder_the_more_often_and_to_hold_once_is_easier(numbers):
    n, c, k = numbers
    assert 0 <= pass_power(n, c, k) <= pass_at(n, c, k) <= 1
    if k < n:
        assert pass_power(n, c, k + 1) <= pass_power(n, c, k)
        assert pass_at(n, c, k + 1) >= pass_at(n, c, k)
    if c < n:
        assert pass_power(n, c + 1, k) >= pass_power(n, c, k)
        assert pass_at(n, c + 1, k) >= pass_at(n, c, k)
    assert pass_power(n, c, 1) == pass_at(n, c, 1) == Fraction(c, n)


@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize(("n", "k"), [(2, 2), (4, 2), (5, 3), (6, 6)])
def test_on_average_they_are_what_they_estimate(n, k, p):
    """Every outcome of n trials by its chance: the expectation is p^k, 1 − (1−p)^k and 2p(1−p), to the last digit."""
    chances = [math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    assert sum(chance * pass_power(n, c, k) for c, chance in enumerate(chances)) == p**k
    assert sum(chance * pass_at(n, c, k) for c, chance in enumerate(chances)) == 1 - (1 - p) ** k
    assert sum(chance * flake(n, c) for c, chance in enumerate(chances)) == 2 * p * (1 - p)
    naive = sum(chance * Fraction(c, n) ** k for c, chance in enumerate(chances))
    assert naive > p**k


@given(n=st.integers(2, 15), data=st.data())
def test_a_flake_rate_is_the_share_of_pairs_that_disagree(n, data):
    trials = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    pairs = list(itertools.combinations(trials, 2))
    rate = flake(n, sum(trials))
    assert rate == Fraction(sum(one != other for one, other in pairs), len(pairs))
    assert 0 <= rate <= 1


def test_a_tie_is_no_majority():
    assert [majority(4, passes) for passes in range(5)] == [0, 0, 0, 1, 1]
    assert [majority(3, passes) for passes in range(4)] == [0, 0, 1, 1]


def test_the_worst_the_best_and_the_middle_trial():
    values = [0.2, 0.9, 0.4, 0.5]
    assert [float(of_values(name, values)) for name in ("case_min", "case_max", "case_median")] == [0.2, 0.9, 0.45]


ROWS = st.integers(1, 5).flatmap(
    lambda k: st.lists(st.lists(st.sampled_from([0, 1]), min_size=k, max_size=k), min_size=2, max_size=15)
)
HOLED = st.integers(2, 4).flatmap(
    lambda k: st.lists(
        st.lists(st.sampled_from([0, 1, None, "raise", "absent"]), min_size=k, max_size=k), min_size=2, max_size=8
    )
)
NAMES = ["flake_rate", "majority", "case_min", "case_max", "case_median", "pass^2", "pass@2"]


@given(rows=ROWS, data=st.data())
def test_the_order_of_trials_does_not_matter(make_suite, rows, data):
    shuffled = [data.draw(st.permutations(row)) for row in rows]
    for name in ["majority", "case_min", "case_max", "case_median", *(NAMES if len(rows[0]) > 1 else [])]:
        assert _reduced(make_suite(rows), name) == _reduced(make_suite(shuffled), name)


@given(rows=HOLED, name=st.sampled_from(NAMES), data=st.data())
def test_whatever_the_missing_trials_were_the_value_lies_within_the_bounds(make_suite, rows, name, data):
    filled = [[data.draw(st.sampled_from([0, 1])) if trial not in (0, 1) else trial for trial in row] for row in rows]
    before, after = _reduced(make_suite(rows), name), _reduced(make_suite(filled), name)
    low, high = before.bounds
    assert low <= after.value <= high
    interval = before.interval(0.95)
    if after.shape == before.shape:
        assert interval.low - 1e-9 <= float(after.value) <= interval.high + 1e-9


@given(rows=ROWS)
def test_every_trial_right_is_the_least_and_any_is_the_greatest(make_suite, rows):
    suite, k = make_suite(rows), len(rows[0])
    assert _reduced(suite, f"pass^{k}").value == _reduced(suite, "case_min").value
    assert _reduced(suite, f"pass@{k}").value == _reduced(suite, "case_max").value
    if k > 1:
        assert float(_reduced(suite, "flake_rate").value) == pytest.approx(2 * _split(suite).within, abs=1e-12)


def test_a_case_that_is_right_or_wrong_as_a_whole_has_the_exact_interval(make_suite):
    data = _reduced(make_suite([[1, 1, 1]] * 38 + [[1, 0, 1]] * 2), "pass^3")
    interval = data.interval(0.95)
    assert interval.method == "Clopper-Pearson"
    assert (interval.low, interval.high) == pytest.approx((0.8308031360, 0.9938863534), abs=5e-10)


def test_more_trials_than_are_asked_for_make_a_case_a_share(make_suite):
    data = _reduced(make_suite(_cells("1111", "1110", "0000") * 10), "pass^2")
    assert data.value == Fraction(2 + 1, 6)
    assert data.interval(0.95).method == "Korn-Graubard"
    assert data.interval(0.95).effective <= 120


VARIED = _cells("1111", "1011", "0001", "1110", "0000", "1111")


def test_variance_components_are_those_of_r(make_suite):
    split = _split(make_suite(VARIED))
    assert split.mean_square_between == pytest.approx(0.675)
    assert split.within == pytest.approx(0.125)
    assert split.between == pytest.approx(0.1375)
    assert split.icc == pytest.approx(0.1375 / 0.2625)


@given(rows=ROWS)
def test_both_errors_are_those_of_the_mean(make_suite, rows):
    suite = make_suite(rows)
    split = _split(suite)
    if len(rows[0]) == 1:
        assert split is None
        return
    table = read(suite)
    data = means(per_case(table, table.columns["accuracy"], failed_as_zero=True))
    assert split.sampling == pytest.approx(math.sqrt(data.variance), abs=1e-9)
    assert split.rerun == pytest.approx(math.sqrt(data.within / len(rows)), abs=1e-9)
    assert split.half_width(more_trials=5) <= split.half_width() + 1e-12
    assert split.half_width(more_cases=5) <= split.half_width() + 1e-12


@pytest.fixture(scope="module")
def tau(make_suite):
    """The recorded trials of tau-bench (gpt-4o, airline): 50 tasks, four trials each."""
    file = DATA / "tau_bench_airline/trajectories.jsonl"
    if not file.is_file():
        pytest.skip(f"the recorded outputs are not at {DATA}; set EVALKIT_DATA")
    tasks: dict[str, dict[int, int]] = {}
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            tasks.setdefault(row["id"], {})[row["trial"]] = int(row["reward"] == 1)
    return make_suite([[trials[number] for number in sorted(trials)] for trials in tasks.values()], score="solved")


@pytest.mark.data
def test_tau_bench_pass_power_is_as_published(tau):
    expected = json.loads((DATA / "EXPECTED.json").read_text())["tau_bench_airline"]["values"]
    for k in (1, 2, 3, 4):
        value = float(_reduced(tau, f"pass^{k}", "solved").value)
        assert value == pytest.approx(expected[f"pass^{k}"], abs=5e-7)
        assert value == pytest.approx({1: 0.42, 2: 0.273333, 3: 0.22, 4: 0.2}[k], abs=5e-7)
    assert float(_reduced(tau, "pass@4", "solved").value) == pytest.approx(expected["pass@4"])
    table = read(tau)
    collapsed = per_case(table, table.columns["solved"], failed_as_zero=True)
    naive = math.fsum((passes / 4) ** 4 for passes in collapsed.sums) / 50
    assert naive == pytest.approx(0.239, abs=5e-4)


@pytest.mark.data
def test_tau_bench_variance(tau):
    split = _split(tau, "solved")
    assert split.sampling == pytest.approx(0.052216, abs=5e-7)
    assert math.sqrt(0.42 * 0.58 / 200) == pytest.approx(0.0349, abs=5e-6)
    assert split.within == pytest.approx(0.1466667, abs=5e-8)
    assert split.between == pytest.approx(0.0996599, abs=5e-8)
    assert split.icc == pytest.approx(0.404584, abs=5e-7)
    assert split.rerun == pytest.approx(0.027080, abs=5e-7)
    assert float(_reduced(tau, "flake_rate", "solved").value) == pytest.approx(0.293333, abs=5e-7)


@pytest.mark.data
def test_tau_bench_says_that_cases_help_more_than_trials(tau):
    split = _split(tau, "solved")
    found = split.half_width(), split.half_width(more_trials=5), split.half_width(more_cases=40)
    assert found == pytest.approx((0.102, 0.094, 0.076), abs=5e-4)
    (metric,) = (metric for metric in summarise(tau) if metric.name == "solved" and metric.statistic == "rate")
    assert "±0.102 now; about ±0.0952 with twice the trials of each case, ±0.0724 with twice the cases" in metric.note
    assert "26 of 50 cases are flaky" in metric.note
    assert "disagree with a chance of 29.3 %" in metric.note


@pytest.mark.data
def test_tau_bench_interval_is_of_tasks_and_not_of_trials(tau):
    (metric,) = (metric for metric in summarise(tau) if metric.name == "solved" and metric.statistic == "rate")
    assert (metric.low, metric.high) == pytest.approx((0.313711, 0.532029), abs=5e-7)


def test_flaky_cases_are_named_the_worst_first(make_suite):
    suite = make_suite([[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0], [1, "fail", 1, 1]])
    table = read(suite)
    found = [(case.case_id, case.passes) for case in flaky_cases(table, table.columns["accuracy"])]
    assert found == [("case-2", 2), ("case-1", 3), ("case-4", 3)]


def test_a_suite_without_repeats_says_nothing_of_them(make_suite):
    found = summarise(make_suite([1] * 20 + [0] * 3))
    assert {metric.statistic for metric in found if metric.name == "accuracy"} == {"rate"}
    assert not any("flaky" in metric.note or "now" in metric.note for metric in found)


def test_a_repeated_suite_has_its_flake_rate_among_the_metrics(make_suite):
    found = {metric.statistic: metric.value for metric in summarise(make_suite(VARIED)) if metric.name == "accuracy"}
    assert found["pass^4"] == pytest.approx(2 / 6)
    assert found["pass@4"] == pytest.approx(5 / 6)
    assert found["flake_rate"] == pytest.approx(0.25)
