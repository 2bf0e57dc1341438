"""`evalkit.run` stops as pytest does, and what it stored says the same."""

from __future__ import annotations

import asyncio
import random

import pytest

import evalkit
from evalkit.baselines import NoBaseline
from evalkit.gates import judge, parse, recompute
from evalkit.store import open_store
from evalkit.summary import render

ROWS = [evalkit.Case(id=f"c{n}", input=n, expected=n) for n in range(300)]


def same(output, expected):
    return output == expected


@evalkit.suite(dataset=ROWS, scorers=[same], gates=["same >= 0.9"], stop="decided", max_concurrency=8)
async def _half_right(case):
    await asyncio.sleep(random.random() / 1000)
    return case.input if case.input % 2 else None


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("stop", "most"), [(None, 110), ("anytime", 60)])
def test_it_stops_and_the_store_says_the_same(tmp_path, stop, most):
    run = evalkit.run(_half_right, stop=stop, progress=False)
    (suite,) = run.suites
    assert suite.info.stop.at <= len(suite.trials) < most
    assert run.is_partial
    assert run.decision == "fail"
    with open_store(tmp_path / ".evalkit" / "evalkit.db") as store:
        again = store.load(run.id)
    assert again.suites[0].info == suite.info
    assert again.verdicts == run.verdicts
    gates = [parse(text) for text in suite.info.gates]
    assert judge(gates, again.suites[0]) == run.verdicts
    assert tuple(recompute(verdict) for verdict in run.verdicts) == run.verdicts


def test_it_is_where_it_stops_and_what_it_says_that_speed_does_not_change():
    runs = [evalkit.run(_half_right, max_concurrency=n, progress=False) for n in (1, 4, 16)]
    assert len({run.suites[0].info.stop.at for run in runs}) == 1
    assert runs[0].verdicts == runs[1].verdicts == runs[2].verdicts


def test_another_seed_is_another_order():
    first, second = (evalkit.run(_half_right, seed=seed, progress=False) for seed in (0, 1))
    ids = [{trial.case_id for trial in run.suites[0].trials} for run in (first, second)]
    assert ids[0] != ids[1]


def test_never_wins_over_the_suite():
    run = evalkit.run(_half_right, stop="never", progress=False)
    assert len(run.suites[0].trials) == 300
    assert not run.is_partial


def test_it_cannot_be_a_baseline():
    stopped = evalkit.run(_half_right, progress=False)
    with pytest.raises(NoBaseline, match="partial"):
        evalkit.run(_half_right, baseline=stopped, progress=False)


def test_metrics_are_of_what_ran_with_an_interval_that_holds_at_every_moment():
    run = evalkit.run(_half_right, progress=False)
    (metric,) = [metric for metric in run.metrics if metric.name == "same"]
    ran = len(run.suites[0].trials)
    assert (metric.cases, metric.trials) == (ran, ran)
    assert metric.method == "confidence sequence"
    assert metric.low < metric.value < metric.high
    assert metric.note == "partial, biased by stopping"
    (latency,) = [metric for metric in run.metrics if metric.name == "latency" and metric.statistic == "mean"]
    assert latency.low is None
    assert latency.note == "partial, biased by stopping"
    text = render(run, width=120, color=False)
    assert f"{run.suites[0].info.stop.at}/300" in text


def test_a_report_says_that_it_stopped(tmp_path):
    from evalkit_reports import write_html

    run = evalkit.run(_half_right, progress=False)
    page = write_html(run, tmp_path / "report.html").read_text()
    at = run.suites[0].info.stop.at
    assert f"stopped at {at} of 300 (decided)" in page
    assert f"{len(run.suites[0].trials):,} of 300 trials were run" in page
    assert "partial, biased by stopping" in page
