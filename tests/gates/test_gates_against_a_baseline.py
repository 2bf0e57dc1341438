"""What gates against a baseline decide, and that they say so in words."""

from __future__ import annotations

import dataclasses
import json

import pytest

from evalkit.errors import GateError
from evalkit.gates import Reference, judge, parse, recompute
from evalkit.runs import DatasetInfo, ScorerInfo
from evalkit.trial import Usage

NOT_WORSE = "accuracy not worse than baseline by 0.1 @ 95%"
BETTER = "accuracy better than baseline @ 95%"
ALARM = "accuracy no regression vs baseline"


def _cells(improved, regressed, stayed):
    """Base and candidate of right-or-wrong cases; of those that stay, one in ten is wrong."""
    same = [0 if i % 10 == 0 else 1 for i in range(stayed)]
    return [0] * improved + [1] * regressed + same, [1] * improved + [0] * regressed + same


@pytest.fixture
def versus(make_suite):
    """The verdict of one gate on two runs, which must also come out of its own record after a trip through JSON."""

    def versus(text, base, candidate, *, base_fields=None, **fields):
        first = make_suite(base, **(fields | (base_fields or {})))
        (found,) = judge(
            [parse(text)], make_suite(candidate, **fields), baseline=Reference(suite=first, run="01a2-base")
        )
        stored = dataclasses.replace(found, inputs=json.loads(json.dumps(found.inputs)))
        again = recompute(stored)
        assert dataclasses.replace(again, inputs={}) == dataclasses.replace(found, inputs={})
        assert json.loads(json.dumps(again.inputs)) == stored.inputs
        assert found.reason.endswith((".", ")"))
        return found

    return versus


@pytest.mark.parametrize(
    ("improved", "regressed", "n", "decision"),
    [
        (0, 0, 36, "pass"),
        (0, 0, 34, "inconclusive"),
        (10, 0, 40, "pass"),
        (2, 2, 40, "inconclusive"),
        (2, 2, 100, "pass"),
        (0, 30, 100, "fail"),
        (0, 10, 100, "inconclusive"),
    ],
)
def test_not_worse_has_three_verdicts(versus, improved, regressed, n, decision):
    found = versus(NOT_WORSE, *_cells(improved, regressed, n - improved - regressed))
    assert (found.decision, found.method, found.level) == (decision, "Tango", 0.95)
    assert found.observed == pytest.approx((improved - regressed) / n)
    assert found.low <= found.observed <= found.high


def test_a_verdict_names_the_baseline_and_counts_the_cases_each_way(versus):
    found = versus(NOT_WORSE, *_cells(2, 3, 95))
    assert found.inputs["baseline"] == "01a2-base"
    assert "2 improved, 3 regressed, 95 stayed" in found.reason
    assert "accuracy went from" in found.reason
    assert "It is not worse by more than 0.1, even after allowing for chance." in found.reason


def test_worse_but_within_the_margin_is_said(versus):
    found = versus("accuracy not worse than baseline by 0.1 @ 95%", *_cells(0, 12, 288))
    assert found.decision == "pass"
    assert found.high < 0
    assert "It is worse than the baseline, but within the margin of 0.1" in found.reason


@pytest.mark.parametrize(
    ("improved", "regressed", "decision"),
    [(12, 1, "pass"), (5, 3, "inconclusive"), (0, 0, "inconclusive"), (0, 9, "fail")],
)
def test_better_needs_the_whole_interval_above(versus, improved, regressed, decision):
    assert versus(BETTER, *_cells(improved, regressed, 100 - improved - regressed)).decision == decision


def test_better_by_a_margin(versus):
    cells = _cells(30, 0, 70)
    assert versus("accuracy better than baseline by 0.1 @ 95%", *cells).decision == "pass"
    assert versus("accuracy better than baseline by 0.3 @ 95%", *cells).decision == "inconclusive"
    assert versus("accuracy better than baseline by 0.6 @ 95%", *cells).decision == "fail"


def test_no_regression_fails_on_evidence_only_and_says_what_it_could_have_missed(versus):
    assert versus(ALARM, *_cells(0, 20, 20)).decision == "fail"
    found = versus(ALARM, *_cells(0, 0, 40))
    assert found.decision == "pass"
    assert "no evidence of a drop. The two are equivalent within ±0.089. 40 cases that change so much" in found.reason
    assert "40 cases that change so much show only drops of 0.2 or more" in found.reason
    # Three fell and none rose: that may be chance, and the verdict says how much it cannot see.
    assert versus(ALARM, *_cells(0, 3, 37)).decision == "pass"


def test_an_undecided_gate_says_how_many_cases_would_do(versus):
    found = versus(NOT_WORSE, *_cells(2, 2, 36))
    assert found.decision == "inconclusive"
    assert found.hint.startswith("About 63 cases would decide it")
    assert "These 40 detect only differences of 0.28 or more." in found.hint
    grown = versus(NOT_WORSE, *_cells(3, 3, 58))
    assert grown.decision == "pass"


def test_where_less_is_better_the_signs_turn(versus):
    quick, slow = [1 + i / 100 for i in range(40)], [1.5 + i / 90 for i in range(40)]
    cells = [1] * 40

    def judged(text, before, after):
        return versus(text, cells, cells, base_fields={"latency": before}, latency=after)

    assert judged("latency not worse than baseline by 0.1 @ 95%", quick, slow).decision == "fail"
    assert judged("latency not worse than baseline by 0.1 @ 95%", slow, quick).decision == "pass"
    assert judged("latency better than baseline @ 95%", slow, quick).decision == "pass"
    found = judged("latency no regression vs baseline", quick, slow)
    assert (found.decision, found.method) == ("fail", "paired t")
    assert found.observed > 0
    assert "0 improved, 40 regressed" in found.reason


def test_a_pass_mark_that_is_an_upper_bound_says_that_less_is_better(versus):
    marked = (ScorerInfo(name="accuracy", version="1", pass_mark="<= 0.2"),)
    assert versus(ALARM, [0] * 20, [1] * 20, scorers=marked).decision == "fail"
    assert versus(ALARM, [1] * 20, [0] * 20, scorers=marked).decision == "pass"


def test_a_margin_in_per_cent_is_of_the_baseline(versus):
    costs = [1 + i / 50 for i in range(40)]
    cells = [1] * 40

    def judged(text, factor):
        usage = [
            [Usage(cost=round(cost * f * (1 + (i % 5) / 500), 6)) for i, cost in enumerate(costs)] for f in (1, factor)
        ]
        return versus(text, cells, cells, base_fields={"usage": usage[0]}, usage=usage[1])

    text = "cost.mean not worse than baseline by 10% @ 95%"
    dearer = judged(text, 1.05)
    assert (dearer.decision, dearer.method) == ("pass", "log-ratio t")
    assert dearer.observed == pytest.approx(0.05, abs=0.001)
    assert "worse than the baseline, but within the margin of 10%" in dearer.reason
    assert judged(text, 1.3).decision == "fail"
    assert judged("cost.mean better than baseline by 10% @ 95%", 0.8).decision == "pass"


def test_a_percentage_of_nothing_is_refused_in_words(versus):
    found = versus("accuracy not worse than baseline by 10% @ 95%", [0, 1] * 20, [1] * 40)
    assert found.decision == "fail"
    assert "no percentage can be taken" in found.reason
    assert "plain number" in found.hint


def test_few_changes_of_a_measured_quantity_prove_nothing(versus):
    """Of 40 cases 37 cost the same to the cent: what the next case costs cannot be told from three."""
    same = [Usage(cost=1.0)] * 40
    other = [Usage(cost=1.5)] * 3 + [Usage(cost=1.0)] * 37
    found = versus(
        "cost.mean not worse than baseline by 0.2 @ 95%", [1] * 40, [1] * 40, base_fields={"usage": same}, usage=other
    )
    assert found.decision == "inconclusive"
    assert "Only 3 of 40 cases changed" in found.reason
    unchanged = versus("cost.mean no regression vs baseline", [1] * 40, [1] * 40, usage=same)
    assert unchanged.decision == "pass"


@pytest.mark.parametrize(("changed", "method"), [(19, "fractional Tango"), (20, "paired t")])
def test_t_is_taken_from_twenty_changed_cases_on(versus, changed, method):
    base = [0.5] * 60
    candidate = [0.5 + (i % 5 + 1) / 20 for i in range(changed)] + [0.5] * (60 - changed)
    assert versus("accuracy.mean no regression vs baseline", base, candidate).method == method


def test_repeats_are_compared_as_case_means(versus):
    base = [[1, 1, 0]] * 20 + [[1, 1, 1]] * 20
    candidate = [[1, 1, 1]] * 20 + [[1, 1, 1]] * 20
    found = versus(BETTER, base, candidate)
    assert (found.decision, found.method, found.observed) == ("pass", "paired t", pytest.approx(1 / 6))
    assert versus(BETTER, base, [1] * 40).method == "paired t"


# missing values


def test_missing_values_are_bounded_not_dropped(versus):
    """Ten of the candidate's scores are missing. They may all have fallen, so nothing is shown."""
    base, candidate = [1] * 100, [1] * 90 + [None] * 10
    found = versus(NOT_WORSE, base, candidate)
    assert found.decision == "inconclusive"
    assert found.low < -0.1 < found.observed == 0
    assert "10 pairs of 100 lack a value on a side" in found.reason
    assert versus(NOT_WORSE, base[:90], candidate[:90]).decision == "pass"


def test_worst_and_best_may_agree_all_the_same(versus):
    assert versus(NOT_WORSE, [1] * 300, [1] * 298 + [None] * 2).decision == "pass"
    assert versus(ALARM, [1] * 100, [0] * 60 + [1] * 38 + [None] * 2).decision == "fail"


def test_an_alarm_that_hangs_on_missing_values_is_undecided(versus):
    found = versus(ALARM, [1] * 100, [1] * 80 + ["raise"] * 20)
    assert found.decision == "inconclusive"
    assert "depends on values that are missing" in found.reason


def test_missing_on_the_side_of_the_baseline_counts_too(versus):
    assert versus(BETTER, [0] * 20 + [None] * 20, [1] * 20 + [1] * 20).decision == "pass"
    assert versus(NOT_WORSE, [1] * 80 + [None] * 20, [1] * 80 + [0] * 20).decision == "inconclusive"


def test_a_function_that_raised_is_worth_nothing(versus):
    assert versus(ALARM, [1] * 40, [1] * 20 + ["fail"] * 20).decision == "fail"


def test_missing_without_bounds_is_undecided(versus):
    slow = [1.0 + i / 100 for i in range(39)]
    cells = [1] * 40
    found = versus(
        "latency not worse than baseline by 1 @ 95%",
        cells,
        cells,
        base_fields={"latency": [*slow, 1.0]},
        latency=[*slow, None],
    )
    assert found.decision == "inconclusive"
    assert "has no bounds" in found.reason


# what may not be compared


def test_without_a_baseline_nothing_is_passed_over(make_suite):
    for text in (ALARM, "accuracy no regression vs baseline nightly"):
        with pytest.raises(GateError, match="--evalkit-baseline"):
            judge([parse(text)], make_suite([1] * 40))


def test_a_baseline_that_the_gate_names_itself(make_suite):
    suite, other = make_suite([1] * 40), make_suite([0] * 40)
    gates = [parse("accuracy better than baseline nightly @ 95%"), parse(BETTER)]
    named = {"nightly": Reference(suite=other, run="night")}
    first, second = judge(gates, suite, baseline=suite, named=named)
    assert (first.decision, first.inputs["baseline"]) == ("pass", "night")
    assert second.decision == "inconclusive"


def test_another_version_of_the_dataset_is_refused(make_suite):
    other = make_suite([1] * 40, dataset=DatasetInfo(name="cases", digest="1" * 64, size=40))
    with pytest.raises(GateError, match="the datasets are two versions: 11111111 and 00000000"):
        judge([parse(ALARM)], make_suite([1] * 40), baseline=other)


def test_another_version_of_the_scorer_is_refused(make_suite):
    other = make_suite([1] * 40, scorers=(ScorerInfo(name="accuracy", version="0"),))
    with pytest.raises(GateError, match="the scorer accuracy is of another version"):
        judge([parse(ALARM)], make_suite([1] * 40), baseline=other)


def test_a_score_that_the_baseline_never_gave_is_a_fail(make_suite):
    other = make_suite([1] * 40, score="helpful")
    (found,) = judge([parse(ALARM)], make_suite([1] * 40), baseline=other)
    assert found.decision == "fail"
    assert "only the candidate has it" in found.reason


def test_slices_are_compared_within_the_slice(versus):
    metadata = [{"lang": "de" if i < 20 else "en"} for i in range(40)]
    base, candidate = [1] * 40, [0] * 20 + [1] * 20
    german = versus("accuracy[lang=de] no regression vs baseline", base, candidate, metadata=metadata)
    english = versus("accuracy[lang=en] no regression vs baseline", base, candidate, metadata=metadata)
    assert (german.decision, english.decision) == ("fail", "pass")
    assert german.cases == 20


def test_a_margin_as_wide_as_the_scale_is_refused(versus):
    found = versus("accuracy not worse than baseline by 2 @ 95%", [1] * 40, [0] * 40)
    assert found.decision == "fail"
    assert "would allow anything" in found.reason
