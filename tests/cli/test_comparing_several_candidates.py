"""`evalkit compare BASE A B C`: p-values that allow for the choice, and what picking the best costs."""

from __future__ import annotations

import pytest

from evalkit.comparison import compare_all
from evalkit.stats.multiplicity import holm


@pytest.fixture
def runs(make_run):
    """A base that is wrong on eight of forty, and three candidates that mend some of them."""
    base = make_run(wrong=tuple(range(8)), cases=40)
    return [base, *(make_run(wrong=tuple(range(mended, 8)), cases=40) for mended in (2, 5, 8))]


def test_each_metric_has_holms_p_values_over_the_candidates(runs):
    found = compare_all(runs[0], runs[1:])
    raw = [
        next(metric.p_value for metric in one.suites[0].metrics if metric.name == "right") for one in found.comparisons
    ]
    assert raw == pytest.approx([0.5, 0.0625, 0.0078125])
    assert found.adjusted["sums", "right"] == pytest.approx(tuple(holm(raw)))
    assert found.adjusted["sums", "right"][2] == pytest.approx(3 * 0.0078125)


def test_the_table_and_the_winners_curse(cli, runs):
    shown = cli("compare", *(run.id for run in runs))
    assert shown.code == 0
    told = " ".join(shown.out.split())
    assert "Holm's p allows for there being 3 candidates" in told
    assert "winner's curse" in told
    assert "on cases that had no part in the choice" in told
    assert max(map(len, shown.out.splitlines())) <= 100
    (line,) = [line for line in shown.out.splitlines() if " C " in line and "+0.200" in line]
    assert line.split()[-1] == "0.023"


def test_json_has_one_comparison_for_each_candidate(cli, runs):
    found = cli("compare", *(run.id for run in runs), "--json").json()
    assert [one["candidate"] for one in found["candidates"]] == [run.id for run in runs[1:]]
    (row,) = [row for row in found["holm"] if row["metric"] == "right"]
    assert row["p_values"] == pytest.approx([0.5, 0.125, 0.0234375])


def test_one_candidate_is_compared_as_before_and_says_what_is_equivalent(cli, runs):
    found = cli("compare", runs[0].id, runs[1].id, "--json").json()
    assert "holm" not in found
    metric = next(one for one in found["suites"][0]["metrics"] if one["name"] == "right")
    assert metric["equivalent_within"] == max(map(abs, metric["interval"]))
    told = " ".join(cli("compare", runs[0].id, runs[1].id).out.split())
    assert f"right within ±{metric['equivalent_within']:.3f}" in told


def test_a_candidate_that_cannot_be_compared_is_named(cli, runs, make_run):
    other = make_run(cases=30)
    told = " ".join(cli("compare", *(run.id for run in runs[:2]), other.id).out.split())
    assert "B is not compared: the datasets are two versions" in told
    refused = cli("compare", runs[0].id, other.id, other.id)
    assert refused.code != 0
    assert "cannot be compared" in refused.err
