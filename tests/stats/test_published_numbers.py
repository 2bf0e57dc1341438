"""Means, errors and intervals of runs that were published, beside what was published."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from evalkit.stats import clopper_pearson, summarise
from evalkit.stats.columns import read
from evalkit.stats.means import means, per_case

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared/data")

TAU_AIRLINE = [14, 12, 10, 4, 10]
"""Of 50 tasks with four trials each, how many were solved 0, 1, 2, 3 and 4 times (tau-bench, gpt-4o, airline)."""


@pytest.fixture
def tau(make_suite):
    rows = [[True] * solved + [False] * (4 - solved) for solved, tasks in enumerate(TAU_AIRLINE) for _ in range(tasks)]
    return make_suite(rows, score="solved")


def test_tau_bench_repeats_are_one_case_each(tau):
    solved = next(metric for metric in summarise(tau) if metric.name == "solved")
    assert solved.value == pytest.approx(0.42)
    assert (solved.cases, solved.trials, solved.method) == (50, 200, "Korn-Graubard")
    assert (solved.low, solved.high) == pytest.approx((0.313711, 0.532029), abs=5e-7)
    naive = clopper_pearson(84, 200)
    assert (naive.low, naive.high) == pytest.approx((0.350744, 0.491664), abs=5e-7)


def test_tau_bench_errors_split_into_sampling_and_rerun(tau):
    table = read(tau)
    data = means(per_case(table, table.columns["solved"], failed_as_zero=True))
    assert math.sqrt(data.deviation / 49 / 50) == pytest.approx(0.052216, abs=5e-7)
    assert data.within * 4 == pytest.approx(0.1466667, abs=5e-8)
    assert math.sqrt(data.within / 50) == pytest.approx(0.027080, abs=5e-7)


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded outputs are not at {DATA}; set EVALKIT_DATA")
def test_alpaca_eval_win_rates_and_standard_errors(make_suite):
    rates: dict[str, list[float]] = {}
    with (DATA / "alpaca_eval2/outputs.jsonl").open() as lines:
        for line in lines:
            row = json.loads(line)
            rates.setdefault(row["model"], []).append(row["preference"] - 1)
    expected = json.loads((DATA / "EXPECTED.json").read_text())["alpaca_eval2"]["values"]
    assert set(rates) == set(expected)
    for model, wins in rates.items():
        table = read(make_suite(wins, score="win"))
        data = means(per_case(table, table.columns["win"], failed_as_zero=True, precise=True))
        n = data.cases
        assert n == expected[model]["n"]
        assert 100 * float(data.value) == pytest.approx(expected[model]["win_rate"], abs=5e-5)
        assert 100 * math.sqrt(data.deviation / (n - 1) / n) == pytest.approx(
            expected[model]["standard_error"], abs=5e-5
        )


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded outputs are not at {DATA}; set EVALKIT_DATA")
def test_alpaca_eval_wins_ties_and_losses(make_suite):
    """With a win 1, a tie ½ and a loss 0 the win rate is the published one, and its interval Korn and Graubard's."""
    wins: dict[str, list[float]] = {}
    with (DATA / "alpaca_eval2/outputs.jsonl").open() as lines:
        for line in lines:
            row = json.loads(line)
            preference = row["preference"]
            wins.setdefault(row["model"], []).append(0.5 if preference == 1.5 else float(preference > 1.5))
    expected = json.loads((DATA / "EXPECTED.json").read_text())["alpaca_eval2"]["values"]
    for model, values in wins.items():
        (metric, *_) = summarise(make_suite(values, score="win"))
        assert 100 * metric.value == pytest.approx(expected[model]["discrete_win_rate"], abs=1e-9)
        ties = 0.5 in values
        assert metric.method == ("Korn-Graubard" if ties else "Clopper-Pearson")
        if not ties:
            exact = clopper_pearson(sum(values), len(values))
            assert (metric.low, metric.high) == pytest.approx((exact.low, exact.high))


def test_a_tie_is_half_a_win_with_the_interval_of_korn_and_graubard(make_suite):
    """12 wins, 5 ties and 8 losses, by the formula with scipy's quantiles."""
    from scipy import stats

    values = [1.0] * 12 + [0.5] * 5 + [0.0] * 8
    (metric, *_) = summarise(make_suite(values, score="win"))
    mean = 14.5 / 25
    spread = (12 * (1 - mean) ** 2 + 5 * (0.5 - mean) ** 2 + 8 * mean**2) / 24 / 25
    n = mean * (1 - mean) / spread * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 24)) ** 2
    low = stats.beta.ppf(0.025, n * mean, n * (1 - mean) + 1)
    high = stats.beta.ppf(0.975, n * mean + 1, n * (1 - mean))
    assert (metric.value, metric.method) == (pytest.approx(mean), "Korn-Graubard")
    assert (metric.low, metric.high) == pytest.approx((low, high), abs=1e-9)
