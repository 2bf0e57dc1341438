"""Where other tools were seen to give a wrong verdict: one test each, named after what a user would lose.

`docs/conformance.md` has the table; the numbers in the names of the docstrings are its rows.
"""

from __future__ import annotations

import json

import pytest

from evalkit.comparison import compare
from evalkit.errors import GateError
from evalkit.gates import check, exit_code, judge, parse, with_defaults
from evalkit.runs import Run, ScorerInfo
from evalkit.stats.repeats import pass_power
from evalkit.stats.summary import summarise


def metric(suite, name, statistic):
    return next(one for one in summarise(suite) if (one.name, one.statistic, dict(one.slice)) == (name, statistic, {}))


def test_nine_of_ten_judges_raise_and_the_suite_does_not_score_a_perfect_1(make_suite):
    """Row 1: the average was 1.0 with no failure, over the one judge that answered."""
    suite = make_suite([1, *["raise"] * 9])
    shown = metric(suite, "accuracy", "rate")
    assert (shown.scored, shown.unscored, shown.errored, shown.trials) == (1, 0, 9, 10)
    assert "9 missing" in shown.note
    verdicts = judge(with_defaults([parse("accuracy >= 0.9")]), suite)
    assert [verdict.decision for verdict in verdicts] == ["inconclusive", "fail"]
    assert exit_code(verdicts) == 4


def test_a_function_that_raises_on_nine_of_ten_is_not_averaged_over_the_survivor(make_suite):
    """Row 2: the average over the one case that ran was 1.0."""
    suite = make_suite([1, *["fail"] * 9])
    assert metric(suite, "accuracy", "rate").value == pytest.approx(0.1)
    (verdict,) = judge([parse("accuracy >= 0.5")], suite)
    assert (verdict.decision, verdict.observed) == ("fail", pytest.approx(0.1))


def test_a_judge_that_breaks_does_not_turn_a_ranking_round(make_suite):
    """Row 3: counted as 0, the judge's errors made the better of two runs the worse one."""
    better, worse = [1] * 50 + ["raise"] * 40, [1] * 60 + [0] * 30
    suites = make_suite(better), make_suite(worse)
    good, bad = (metric(suite, "accuracy", "rate").value for suite in suites)
    assert (good, bad) == (1.0, pytest.approx(2 / 3))
    (verdict,) = judge([parse("accuracy no regression vs baseline")], suites[0], baseline=suites[1])
    assert verdict.decision != "fail"
    (verdict,) = judge([parse("accuracy better than baseline @ 95%")], suites[0], baseline=suites[1])
    assert verdict.decision == "inconclusive"
    assert "lack a value" in verdict.reason


def test_a_case_that_errored_does_not_pass_because_its_scorer_bears_nothing(run_evals):
    """Row 4: the function raised, the scorer put up with None, and the suite passed."""
    ran = run_evals("""
@evalkit.scorer(blocking=False)
def lenient(output):
    return True

@evalkit.suite(dataset=rows(10), scorers=[lenient], gates=["lenient >= 0.5"])
def test_it(case):
    raise RuntimeError("the model is away")
""")
    assert ran.result.ret == 1
    assert set(ran.outcomes().values()) == {"errored"}
    assert {verdict.gate: verdict.decision for verdict in ran.run.verdicts}["lenient >= 0.5"] == "fail"


def test_nothing_scored_is_not_a_pass(run_evals):
    """Row 5: a scorer that said nothing, and a list without scorers, both passed."""
    ran = run_evals("""
@evalkit.scorer(blocking=False)
def silent(output):
    return None

@evalkit.suite(dataset=rows(10), scorers=[silent], gates=["silent >= 0.5"])
def test_it(case):
    return 1
""")
    assert ran.result.ret == 1
    assert "FAIL" in ran.text


def test_no_scorer_at_all_is_not_a_pass(run_evals):
    """Row 5, the other half: refused before a case runs."""
    ran = run_evals("""
@evalkit.suite(dataset=rows(10), scorers=[], gates=["accuracy >= 0.5"])
def test_it(case):
    return 1
""")
    assert ran.result.ret == 4
    assert ran.run is None


@pytest.mark.parametrize("capture", ["content", "off"])
def test_a_failing_scorer_fails_whether_or_not_a_trace_arrived(run_evals, monkeypatch, capture):
    """Row 6: a scorer that always failed passed where tracing had been skipped."""
    monkeypatch.setenv("EVALKIT_CAPTURE", capture)
    ran = run_evals("""
@evalkit.scorer(blocking=False)
def never(output, trace):
    return False

@evalkit.suite(dataset=rows(10), scorers=[never], gates=["never >= 0.5"])
def test_it(case):
    return 1
""")
    assert ran.result.ret == 1
    assert {verdict.gate: verdict.decision for verdict in ran.run.verdicts}["never >= 0.5"] == "fail"


def test_what_a_case_expects_is_not_itself_an_assertion(run_evals):
    """Row 7: every row was right, and the run failed because rows had text under `expectations`."""
    ran = run_evals("""
@evalkit.scorer(blocking=False)
def polite(output):
    return output.startswith("please")

@evalkit.suite(
    dataset=[Case(id=f"c{i}", input=i, expected="something quite different") for i in range(5)],
    scorers=[polite],
    gates=["polite >= 1"],
)
def test_it(case):
    return "please wait"
""")
    assert ran.result.ret == 0
    assert ran.run.decision == "pass"


def test_a_mean_is_not_mistaken_for_a_pass_rate_and_the_exit_code_is_that_of_the_verdict(make_suite):
    """Row 14: FAIL was printed and the process left with 0."""
    marked = (ScorerInfo(name="accuracy", version="1", pass_mark=">= 0.8"),)
    from evalkit.score import Score

    cells = [Score(name="accuracy", value=v, passed=v >= 0.8, scorer="accuracy") for v in (0.7, 0.7, 0.75, 1.0)]
    suite = make_suite(cells, scorers=marked)
    mean, rate = judge([parse("accuracy.mean >= 0.75"), parse("accuracy.rate >= 0.75")], suite)
    assert (mean.decision, mean.observed) == ("pass", pytest.approx(0.7875))
    assert (rate.decision, rate.observed) == ("fail", 0.25)
    assert exit_code([mean]) == 0
    assert exit_code([mean, rate]) == 1
    assert "pass rate" in rate.reason


def test_pass_hat_k_is_not_flattered_by_counting_the_same_trial_twice():
    """Row 17: (c/n)^k gave 0.239 on tau-bench airline, where the unbiased value is 0.200."""
    counts = [0] * 14 + [1] * 12 + [2] * 10 + [3] * 4 + [4] * 10
    unbiased = sum(pass_power(4, c, 4) for c in counts) / 50
    naive = sum((c / 4) ** 4 for c in counts) / 50
    assert unbiased == pytest.approx(0.200)
    assert naive == pytest.approx(0.239, abs=5e-4)


def test_six_cases_without_a_change_do_not_prove_that_nothing_changed(make_suite):
    """Row 18: an interval of no width at all "proved" equality."""
    same = make_suite([1] * 6)
    (verdict,) = judge([parse("accuracy not worse than baseline by 0.05 @ 95%")], same, baseline=same)
    assert verdict.decision == "inconclusive"
    assert verdict.low < -0.3 < 0.3 < verdict.high
    from evalkit.gates import Reference

    with pytest.raises(GateError, match=r"needs at least \d+ cases even if not one of them changes"):
        check(
            [parse("accuracy not worse than baseline by 0.05 @ 95%")],
            same.info,
            same.cases,
            known=["accuracy"],
            possible=(),
            baseline=Reference(suite=same),
        )


def test_two_identical_runs_are_called_identical(make_suite, capsys):
    """Row 19: two runs that were the same byte for byte were "not significantly different"."""
    import datetime as dt

    suite = make_suite([1, 0] * 10)
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    first, second = (Run(id=name, status="complete", started_at=now, suites=(suite,)) for name in ("one", "two"))
    (compared,) = compare(first, second).suites
    assert len(compared.identical) == compared.cases == 20
    from evalkit.cli.compare import _text
    from evalkit.plaintext import Paint

    told = " ".join(" ".join(_text(compare(first, second), 100, Paint(on=False))).split())
    assert "All 20 outputs are identical: the two runs do not differ in what was answered." in told


def test_the_verdict_says_which_numbers_it_rests_on(make_suite):
    """All rows: what was decided can be read again from the record, without the run."""
    from evalkit.gates import recompute

    (verdict,) = judge([parse("accuracy >= 0.9 @ 95%")], make_suite([1] * 38 + [0] * 2))
    assert recompute(verdict) == verdict
    assert json.dumps(dict(verdict.inputs))
