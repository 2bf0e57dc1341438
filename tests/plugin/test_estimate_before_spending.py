"""`--evalkit-estimate`: what the session would cost, by earlier runs; nothing is run and nothing recorded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit
from evalkit.config import load_settings
from evalkit.errors import ConfigError
from evalkit.estimates import estimate, total
from evalkit.runs import Run
from evalkit.score import Score

PAID = """
from decimal import Decimal
from pathlib import Path

@evalkit.suite(dataset=rows({n}), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    with Path("ran").open("a") as file:
        file.write(case.id + "\\n")
    usage = evalkit.Usage(cost=Decimal("0.01") * (1 + case.input % 2), input_tokens=100, output_tokens=7)
    return evalkit.Output(value=case.input, usage=usage)

@evalkit.suite(dataset=rows(3), scorers=[same])
def test_free(case):
    return case.input

def test_plain():
    Path("plain").touch()
"""


def test_it_says_what_it_would_cost_and_runs_nothing(run_evals, pytester):
    first = run_evals(PAID.format(n=20))
    (pytester.path / "ran").unlink()
    (pytester.path / "plain").unlink()
    ran = run_evals(PAID.format(n=40), "--evalkit-estimate")
    assert ran.result.ret == 0
    assert not (pytester.path / "ran").exists()
    assert not (pytester.path / "plain").exists()
    assert ran.run.id == first.run.id, "no other run was recorded"
    lines = [line.split() for line in ran.text.splitlines()]
    row = next(line for line in lines if line[:2] == ["test_it", "40"])
    assert row[2] == "$0.6"
    assert row[-3:] == ["4,000", "280", first.run.id[:13]]
    text = " ".join(ran.text.split())
    assert "test_free: unknown, as no earlier run of it that is stored says what it used." in text
    assert "total of what is known 43 $0.6" in text
    assert "Nothing was run." in text


def test_where_there_is_no_store_none_is_made(run_evals, pytester):
    ran = run_evals(PAID.format(n=4), "--evalkit-estimate")
    assert ran.result.ret == 0
    assert ran.run is None
    assert not (pytester.path / ".evalkit").exists()
    assert "test_it: unknown" in ran.text


def test_under_xdist_it_is_refused(run_evals):
    ran = run_evals(
        PAID.format(n=4), "--evalkit-estimate", "-n", "1", "-p", "xdist", "-p", "no:asyncio", "-p", "no:anyio",
        plugins=True, subprocess=True,
    )  # fmt: skip
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "is not said under pytest-xdist" in ran.text + ran.result.stderr.str()


def test_a_script_with_the_setting_spends_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVALKIT_ESTIMATE", "1")
    assert load_settings(tmp_path).estimate

    @evalkit.suite(dataset=[{"input": 1}])
    def costly(case):
        raise AssertionError("it ran")

    with pytest.raises(ConfigError, match="said by pytest only"):
        evalkit.run(costly)


def run_of(make_suite, usages, **more):
    suite = make_suite([1] * len(usages), usage=usages)
    return Run(id="01a20000-0000", status="complete", started_at=suite.trials[0].started_at, suites=(suite,), **more)


def test_the_latest_run_that_knows_its_costs_is_the_one(make_suite):
    silent = run_of(make_suite, [None, None])
    known = run_of(make_suite, [evalkit.Usage(cost=Decimal("0.02"))] * 2)
    found = estimate("suite", 10, [silent, known])
    assert (found.cost, found.low, found.high) == (Decimal("0.2"), Decimal("0.2"), Decimal("0.2"))
    assert estimate("another", 10, [known]).run is None


def test_judges_are_counted_and_calls_without_a_price_are_told(make_suite):
    run = run_of(make_suite, [evalkit.Usage(cost=Decimal("0.02"), calls=3, unpriced=1)])
    (suite,) = run.suites
    (trial,) = suite.trials
    import dataclasses

    judged = dataclasses.replace(trial, scores=(Score(name="j", value=1, usage=evalkit.Usage(cost=Decimal("0.01"))),))
    run = dataclasses.replace(run, suites=(dataclasses.replace(suite, trials=(judged,)),))
    found = estimate("suite", 2, [run])
    assert (found.cost, found.low, found.unpriced) == (Decimal("0.06"), None, 1)


@given(cents=st.lists(st.integers(0, 500), min_size=2, max_size=20), trials=st.integers(1, 200))
def test_the_estimate_lies_in_its_range(make_suite, cents, trials):
    found = estimate("suite", trials, [run_of(make_suite, [evalkit.Usage(cost=Decimal(c) / 100) for c in cents])])
    assert 0 <= found.low <= found.cost <= found.high
    assert float(found.cost) == pytest.approx(sum(cents) / 100 / len(cents) * trials, abs=1e-5)
    both = total([found, found])
    assert both.cost == 2 * found.cost
    assert both.low <= both.cost <= both.high
