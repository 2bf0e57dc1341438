"""What the table says of a run that is compared with an earlier one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from evalkit.gates import judge, parse
from evalkit.runs import DatasetInfo, Run, SuiteRun
from evalkit.stats import summarise
from evalkit.summary import render

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def a_run(suite: SuiteRun, verdicts: Any = ()) -> Run:
    return Run(
        id="01a2", status="complete", started_at=NOW, suites=(suite,), metrics=summarise(suite), verdicts=verdicts
    )


def shown(run: Run, width: int = 200, **options: Any) -> str:
    return " ".join(render(run, width=width, color=False, **options).split())


def test_a_comparison_that_passes_says_what_it_could_have_missed(make_suite: Any) -> None:
    suite = make_suite([1] * 40)
    text = shown(a_run(suite, judge([parse("accuracy no regression vs baseline")], suite, baseline=suite)))
    assert "0.000 (-0.088,+0.088) 0↑0↓ no regression vs baseline PASS" in text
    assert "show only drops of 0.2 or more" in text


def test_worse_but_within_the_margin_is_told(make_suite: Any) -> None:
    before, after = make_suite([1] * 300), make_suite([1] * 288 + [0] * 12)
    gate = parse("accuracy not worse than baseline by 0.1 @ 95%")
    assert "worse than the baseline, but within the margin of 0.1" in shown(
        a_run(after, judge([gate], after, baseline=before))
    )


def test_each_metric_has_its_difference_without_a_gate(make_suite: Any) -> None:
    before, after = make_suite([1] * 38 + [0] * 2), make_suite([1] * 36 + [0] * 3 + [1])
    text = shown(a_run(after), baseline=a_run(before))
    assert "vs baseline (paired)" in text
    assert "-0.025 (-0.15,+0.098) 1↑2↓" in text
    assert "vs baseline" not in shown(a_run(after))


def test_another_version_of_the_dataset_is_not_compared_and_said(make_suite: Any) -> None:
    before = make_suite([1] * 40, dataset=DatasetInfo(name="cases", digest="1" * 64, size=40))
    text = shown(a_run(make_suite([1] * 40)), baseline=a_run(before))
    assert "Not compared with the baseline 01a2: the datasets are two versions" in text
    assert "vs baseline (paired)" not in text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(make_suite: Any, width: int) -> None:
    before, after = (
        make_suite([1] * 40, score="a_long_name_of_a_score"),
        make_suite([0] * 40, score="a_long_name_of_a_score"),
    )
    gates = [parse("a_long_name_of_a_score not worse than baseline by 0.1 @ 95%")]
    run = a_run(after, judge(gates, after, baseline=before))
    lines = render(run, width=width, color=False, baseline=a_run(before)).splitlines()
    assert [line for line in lines if len(line) > width] == []
