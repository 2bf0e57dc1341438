"""`--evalkit-max-cost`: nothing more is started once the money could run out, and the run says so."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

import evalkit
from evalkit import Case

PAID = """
from decimal import Decimal

@evalkit.suite(dataset=rows(100), scorers=[same], max_concurrency=4{more})
async def test_it(case):
    await asyncio.sleep(0)
    return evalkit.Output(value=case.input, usage=evalkit.Usage({usage}))
"""
CENT = "cost=Decimal('0.01')"


def paid(usage=CENT, more=""):
    return PAID.format(usage=usage, more=more)


def test_what_may_be_spent_is_spent_and_no_more(run_evals):
    ran = run_evals(paid(), "--evalkit-max-cost", "0.25", "-rs")
    assert len(ran.suite.trials) == 25
    counts = ran.result.parseoutcomes()
    assert (counts["passed"], counts["skipped"]) == (25, 75)
    assert ran.suite.info.selection == "stopped at 25 of 100 trials (the limit of $0.25 on its cost)"
    assert ran.run.is_partial
    assert ran.run.status == "complete"
    text = " ".join(ran.text.split())
    assert "The limit of $0.25 on the cost is reached: $0.25 were spent." in text
    assert "stopped at 25 of 100 trials (the limit of $0.25 on its cost)" in text


def test_without_a_limit_everything_runs(run_evals):
    ran = run_evals(paid())
    assert len(ran.suite.trials) == 100
    assert not ran.run.is_partial


def test_a_limit_that_is_never_reached_changes_nothing(run_evals):
    ran = run_evals(paid(), "--evalkit-max-cost", "1.5")
    assert len(ran.suite.trials) == 100
    assert not ran.run.is_partial
    assert "limit of" not in ran.text


def test_no_suite_after_it_starts_either_nor_a_test_that_records_by_hand(run_evals):
    source = (
        paid()
        + """
@evalkit.suite(dataset=rows(3), scorers=[same])
def test_later(case):
    return case.input

def test_by_hand(evalkit):
    evalkit.score("polite", 1)

def test_plain():
    pass
"""
    )
    ran = run_evals(source, "--evalkit-max-cost", "0.10")
    counts = ran.result.parseoutcomes()
    assert (counts["passed"], counts["skipped"]) == (11, 94)
    assert ran.run.suite("test_later").info.selection == "stopped at 0 of 3 trials (the limit of $0.10 on its cost)"
    assert ran.run.suite("test_by_hand").trials == ()


def test_tests_that_record_by_hand_run_within_the_limit(run_evals):
    source = """
@pytest.mark.parametrize("n", range(8))
def test_by_hand(evalkit, n):
    evalkit.score("polite", 1)
    if n == 3:
        pytest.skip("not today")
"""
    ran = run_evals(source, "--evalkit-max-cost", "0.10")
    counts = ran.result.parseoutcomes()
    assert (counts["passed"], counts["skipped"]) == (7, 1)
    assert not ran.run.is_partial


def test_calls_without_a_price_are_said_aloud(run_evals):
    ran = run_evals(paid("calls=2, input_tokens=10, output_tokens=1, unpriced=2"), "--evalkit-max-cost", "0.25")
    assert len(ran.suite.trials) == 100
    assert "200 calls have no known price; the limit of $0.25 cannot hold them." in " ".join(ran.text.split())


def test_cases_that_are_skipped_or_cannot_be_set_up_do_not_hold_money_back(run_evals):
    source = """
@pytest.fixture
def thing(case):
    if case.input % 3 == 0:
        raise RuntimeError("broken")
    if case.input % 3 == 1:
        pytest.skip("not today")
""" + paid(more=', gates=["same >= 0"]').replace("(case)", "(case, thing)")
    ran = run_evals(source, "--evalkit-max-cost", "5")
    assert ran.result.parseoutcomes()["passed"] >= 33
    assert not ran.run.is_partial


def test_one_at_a_time(run_evals):
    ran = run_evals(paid().replace("max_concurrency=4", "max_concurrency=1"), "--evalkit-max-cost", "0.05")
    assert len(ran.suite.trials) == 5


def test_under_xdist_it_is_refused_before_anything_is_spent(run_evals):
    ran = run_evals(
        paid(), "--evalkit-max-cost", "1", "-n", "2", "-p", "xdist", "-p", "no:asyncio", "-p", "no:anyio",
        plugins=True, subprocess=True,
    )  # fmt: skip
    assert ran.run is None
    assert "A limit on the cost cannot be held under pytest-xdist" in ran.text + ran.result.stderr.str()
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR


def test_without_pytest_too(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)

    @evalkit.suite(dataset=[Case(id=f"c{n}", input=n) for n in range(50)], gates=["same >= 0.5"], scorers=[same])
    async def paid_for(case):
        return evalkit.Output(value=case.input, usage=evalkit.Usage(cost=Decimal("0.02")))

    with caplog.at_level(logging.WARNING):
        run = evalkit.run(paid_for, max_cost=0.2, progress=False)
    assert len(run.suites[0].trials) == 10
    assert run.is_partial
    assert "The limit of $0.20 on the cost is reached" in caplog.text
    assert [verdict.decision for verdict in run.verdicts] == ["inconclusive", "inconclusive"]


def same(case, output):
    return case.input == output
