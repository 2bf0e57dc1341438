"""Published numbers come out of the recorded trials themselves: τ-bench, LLMBar, GSM8K."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from pathlib import Path

import pytest

from evalkit.gates import judge, parse
from evalkit.stats import clopper_pearson, summarise
from evalkit.stats.columns import read
from evalkit.stats.means import per_case
from evalkit.stats.paired import mcnemar, tango
from evalkit.stats.variance import variance_split

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared/data")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded outputs are not at {DATA}; set EVALKIT_DATA"),
]


def _rows(path):
    with (DATA / path).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def expected():
    return json.loads((DATA / "EXPECTED.json").read_text())


@pytest.fixture(scope="module")
def airline(make_suite):
    """The airline tasks of τ-bench with the four trials of each."""
    solved: dict[str, dict[int, bool]] = {}
    for row in _rows("tau_bench_airline/trajectories.jsonl"):
        solved.setdefault(row["id"], {})[row["trial"]] = row["reward"] == 1
    return make_suite([[trials[number] for number in sorted(trials)] for trials in solved.values()], score="solved")


@pytest.mark.parametrize(("k", "published"), [(1, 0.420), (2, 0.273), (3, 0.220), (4, 0.200)])
def test_tau_bench_trials_give_the_published_pass_power_k(airline, expected, k, published):
    (verdict,) = judge([parse(f"pass^{k} >= 0.1")], airline)
    assert round(verdict.observed, 3) == published
    assert verdict.observed == pytest.approx(expected["tau_bench_airline"]["values"][f"pass^{k}"], abs=5e-7)


def test_tau_bench_trials_give_the_variance_numbers(airline):
    assert (len(airline.cases), len(airline.trials)) == (50, 200)
    table = read(airline)
    split = variance_split(per_case(table, table.columns["solved"], failed_as_zero=True))
    assert split.sampling == pytest.approx(0.052216, abs=5e-7)
    assert split.within == pytest.approx(0.1466667, abs=5e-8)
    assert split.between == pytest.approx(0.0996599, abs=5e-8)
    assert split.icc == pytest.approx(0.404584, abs=5e-7)
    assert split.rerun == pytest.approx(0.027080, abs=5e-7)
    metrics = {metric.statistic: metric for metric in summarise(airline) if metric.name == "solved"}
    assert metrics["flake_rate"].value == pytest.approx(0.293333, abs=5e-7)
    assert (metrics["rate"].low, metrics["rate"].high) == pytest.approx((0.313711, 0.532029), abs=5e-7)
    naive = clopper_pearson(84, 200)
    assert (naive.low, naive.high) == pytest.approx((0.350744, 0.491664), abs=5e-7)


def test_llmbar_judges_are_as_right_and_as_steady_as_published(expected):
    pairs = {row["id"]: row for row in _rows("llmbar/pairs.jsonl")}
    found: dict[str, dict[str, dict[bool, int | None]]] = {}
    for row in _rows("llmbar/judgments.jsonl"):
        cell = f"{row['judge']}/{pairs[row['id']]['subset']}"
        found.setdefault(cell, {}).setdefault(row["id"], {})[row["swapped"]] = row["verdict"]
    published = expected["llmbar"]["values"]
    assert set(found) == set(published)
    for cell, verdicts in found.items():
        right = Counter(
            swapped for pair, both in verdicts.items() for swapped in both if both[swapped] == pairs[pair]["gold"]
        )
        n = len(verdicts)
        assert 50 * (right[False] + right[True]) / n == pytest.approx(published[cell]["accuracy_avg"], abs=5e-4), cell
        steady = sum(both[False] == both[True] for both in verdicts.values())
        assert 100 * steady / n == pytest.approx(published[cell]["positional_agreement"], abs=5e-4), cell


def test_gsm8k_pairs_have_a_smaller_error_than_two_samples(expected):
    right: dict[str, dict[str, bool]] = {}
    for row in _rows("gsm8k/outputs.jsonl"):
        right.setdefault(row["model"], {})[row["id"]] = row["is_correct"]
    for model, values in expected["gsm8k"]["values"].items():
        assert sum(right[model].values()) == values["correct"]
    fine, verified = right["gpt3-6b_finetuning"], right["gpt3-6b_verification"]
    changes = Counter(verified[key] - fine[key] for key in fine)
    n = len(fine)
    assert (changes[1], changes[-1], n) == (293, 64, 1319)
    shares = sum(fine.values()) / n, sum(verified.values()) / n
    unpaired = math.sqrt(sum(share * (1 - share) / (n - 1) for share in shares))
    assert unpaired == pytest.approx(0.017590, abs=1e-5)
    interval = tango(changes[1], changes[-1], n)
    assert (interval.low, interval.high) == pytest.approx((0.147353, 0.200387), abs=5e-7)
    large = right["gpt3-175b_finetuning"]
    claim = Counter(large[key] - verified[key] for key in verified)
    assert mcnemar(claim[1], claim[-1]) == pytest.approx(0.003150657, abs=5e-10)
