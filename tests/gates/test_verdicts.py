"""What each kind of gate decides, and that it says so in words."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import pytest

from evalkit.errors import GateError
from evalkit.gates import judge, parse, recompute
from evalkit.trial import Usage


@pytest.fixture
def verdict(make_suite):
    """The verdict of one gate, which must also come out of its own record after a trip through JSON."""

    def verdict(text, cells, **fields):
        (found,) = judge([parse(text)], make_suite(cells, **fields))
        stored = dataclasses.replace(found, inputs=json.loads(json.dumps(found.inputs)))
        again = recompute(stored)
        assert dataclasses.replace(again, inputs={}) == dataclasses.replace(found, inputs={})
        assert json.loads(json.dumps(again.inputs)) == stored.inputs
        assert found.reason.endswith((".", ")"))
        return found

    return verdict


def _passes(k, n):
    return [1] * k + [0] * (n - k)


def test_a_point_gate_judges_these_cases_only(verdict):
    found = verdict("accuracy >= 0.9", _passes(37, 40))
    assert (found.decision, found.observed, found.low, found.level) == ("pass", 0.925, None, None)
    assert found.reason == "accuracy is 0.925 on these 40 cases; the gate asks for at least 0.9."
    assert (found.cases, found.trials, found.scored, found.unscored, found.errored) == (40, 40, 40, 0, 0)


@pytest.mark.parametrize(
    ("passes", "decision", "fragile"),
    [(38, "pass", False), (37, "pass", False), (36, "pass", True), (35, "fail", True), (34, "fail", False)],
)
def test_fragile_is_what_one_case_would_change(verdict, passes, decision, fragile):
    found = verdict("accuracy >= 0.9", _passes(passes, 40))
    assert (found.decision, found.fragile) == (decision, fragile)


def test_a_miss_says_how_many_cases_it_is_short(verdict):
    assert verdict("accuracy >= 0.9", _passes(34, 40)).hint == "2 more cases right would do."
    assert verdict("accuracy > 0.9", _passes(36, 40)).hint == "1 more case right would do."


def test_the_arithmetic_is_that_of_the_digits_on_the_screen(verdict):
    """Ten times 0.7 adds up to 6.999999999999999 in floats, and 0.1 + 0.2 to more than 0.3."""
    assert verdict("accuracy >= 0.7", [0.7] * 10).decision == "pass"
    assert verdict("accuracy <= 0.15", [0.1, 0.2]).decision == "pass"
    assert verdict("accuracy >= 0.7", [[0.7, 0.7, 0.7], [0.7, 0.7, 0.7]]).decision == "pass"
    assert verdict("cost <= $0.30", [1, 1, 1], usage=[Usage(cost=Decimal("0.1"))] * 3).decision == "pass"


def test_strict_and_not_strict(verdict):
    assert verdict("accuracy >= 0.5", _passes(1, 2)).decision == "pass"
    assert verdict("accuracy > 0.5", _passes(1, 2)).decision == "fail"
    assert verdict("accuracy <= 0.5", _passes(1, 2)).decision == "pass"
    assert verdict("accuracy < 0.5", _passes(1, 2)).decision == "fail"


@pytest.mark.parametrize(
    ("passes", "decision"), [(100, "pass"), (96, "pass"), (95, "inconclusive"), (84, "inconclusive"), (83, "fail")]
)
def test_an_evidence_gate_has_three_verdicts(verdict, passes, decision):
    found = verdict("accuracy >= 0.9 @ 95%", _passes(passes, 100))
    assert found.decision == decision
    assert (found.method, found.level) == ("Clopper-Pearson", 0.95)


def test_the_interval_shown_is_the_interval_gated_on(verdict):
    found = verdict("accuracy >= 0.9 @ 95%", _passes(38, 40))
    assert (found.low, found.high) == pytest.approx((0.8308031360, 0.9938863534), abs=5e-10)


def test_undecided_says_what_would_decide(verdict):
    found = verdict("accuracy >= 0.9 @ 95%", _passes(38, 40))
    assert found.reason == (
        "Too close to tell on these 40 cases: accuracy was 0.95, the true value may be anything from 0.831 to 0.994 "
        "(95% interval), and 0.9 lies in between. The odds that it holds are about 86 in 100."
    )
    assert found.hint == (
        "About 142 cases would decide it if the score stays as it is. What these 40 do show is >= 0.83. "
        "It would have taken 40 of them right to pass, and 31 or fewer to fail. "
        'Without "@ 95%" the gate judges these cases only.'
    )


def test_trials_are_not_cases(verdict):
    """Forty cases that a model always or never solves are forty cases, however often each is tried."""
    once = verdict("accuracy >= 0.8 @ 95%", _passes(36, 40))
    often = verdict("accuracy >= 0.8 @ 95%", [[x] * 5 for x in _passes(36, 40)])
    assert once.decision == often.decision == "inconclusive"
    assert often.method == "Korn-Graubard"
    assert often.high - often.low > once.high - once.low
    assert "more trials of the same cases would help little" in often.hint


def test_more_trials_are_advised_where_reruns_make_the_noise(verdict):
    flaky = [[1, 0, 1, 1, 0] if i % 2 else [0, 1, 1, 0, 1] for i in range(39)] + [[1, 1, 1, 1, 0]]
    found = verdict("accuracy >= 0.58 @ 95%", [row[:2] for row in flaky])
    assert found.decision == "inconclusive"
    assert "trials a case" in found.hint


def test_graded_scores_get_an_interval_that_stays_on_the_scale(verdict):
    graded = [0.2, 0.5, 0.9, 1, 1, 1, 0.8, 0.7, 1, 0.95, 0.4, 1, 1, 0.85, 0.6] * 2
    found = verdict("accuracy.mean >= 0.6 @ 95%", graded)
    assert found.decision == "pass"
    assert found.method == "Korn-Graubard"
    assert 0.6 < found.low < found.observed < found.high < 1


@pytest.mark.parametrize("cells", [[0.9, 0.8] * 9, [[1, 1]] * 9, [7.5, 8.5] * 9])
def test_too_few_cases_for_an_interval_decide_nothing(verdict, cells):
    found = verdict("accuracy.mean >= 0.1 @ 95%", cells)
    assert found.decision == "inconclusive"
    assert "too few" in found.reason
    assert found.low is None


def test_one_case_says_nothing_about_others(verdict):
    assert verdict("accuracy >= 0.1 @ 95%", [1]).decision == "inconclusive"


def test_latency_has_an_interval_of_its_own_shape(verdict):
    seconds = [0.5 + (i % 7) / 10 for i in range(42)]
    found = verdict("latency <= 900ms @ 95%", [1] * 42, latency=seconds)
    assert (found.decision, found.method) == ("pass", "Student t")
    assert found.high == pytest.approx(0.86308, abs=5e-6)
    assert "The mean latency is at most 864 ms" in found.reason


def test_undecided_latency_says_how_many_cases_would_decide(verdict):
    seconds = [0.5 + (i % 7) / 10 for i in range(42)]
    found = verdict("latency <= 850ms @ 95%", [1] * 42, latency=seconds)
    assert found.decision == "inconclusive"
    # 1.96² · 0.2024² / 0.05² = 62.98, and two more for t instead of z
    assert found.hint.startswith(
        "About 65 cases would decide it if the score stays as it is. What these 42 do show is <= 864 ms."
    )
    at_the_bound = verdict("latency <= 800ms @ 95%", [1] * 42, latency=seconds)
    assert at_the_bound.hint.startswith("What was seen is too near the bound for any number of cases to tell.")


def test_a_quantile_that_more_cases_would_narrow(verdict):
    found = verdict("p95(latency) <= 99s @ 95%", [1] * 100, latency=[float(i) for i in range(1, 101)])
    assert found.hint == 'More cases narrow the interval. Without "@ 95%" the gate judges these cases only.'


def test_the_rate_of_words_that_pass(verdict):
    from evalkit.score import Score

    cells = [Score(name="tone", label="kind", passed=True, scorer="tone")] * 9
    cells.append(Score(name="tone", label="rude", passed=False, scorer="tone"))
    assert verdict("tone.rate >= 0.9", cells, score="tone").observed == 0.9
    assert verdict("tone >= 0.9", cells, score="tone").observed == 0.9


def test_quantiles_by_the_nearest_rank(verdict):
    seconds = [float(i) for i in range(1, 101)]
    assert verdict("p95(latency) <= 95s", [1] * 100, latency=seconds).observed == 95
    assert verdict("p95(latency) < 95s", [1] * 100, latency=seconds).decision == "fail"
    assert verdict("p99.5(latency) <= 100s", [1] * 100, latency=seconds).observed == 100
    assert verdict("median(latency) <= 60s", [1] * 100, latency=seconds).observed == 50.5
    assert verdict("min(latency) >= 1s", [1] * 100, latency=seconds).decision == "pass"
    assert verdict("max(latency) <= 99s", [1] * 100, latency=seconds).decision == "fail"


def test_a_quantile_with_evidence(verdict):
    seconds = [float(i) for i in range(1, 101)]
    found = verdict("p95(latency) <= 100s @ 95%", [1] * 100, latency=seconds)
    assert (found.decision, found.low, found.high) == ("pass", 90, 100)
    assert verdict("p95(latency) <= 99s @ 95%", [1] * 100, latency=seconds).decision == "inconclusive"
    assert verdict("p95(latency) <= 89s @ 95%", [1] * 100, latency=seconds).decision == "fail"


def test_a_quantile_without_an_upper_limit_is_never_shown_to_be_small(verdict):
    found = verdict("p95(latency) <= 1000s @ 95%", [1] * 71, latency=[1.0] * 71)
    assert found.decision == "inconclusive"
    assert found.high is None
    assert "only from 72 cases on" in found.hint


def test_repeats_do_not_sharpen_a_quantile(verdict):
    """Ten trials of ten cases tell no more about p95 than their ten cases do."""
    found = verdict("p95(latency) <= 10s @ 95%", [[1] * 10] * 10, latency=[float(i) for i in range(10)])
    assert found.decision == "inconclusive"


def test_the_total_cost_is_a_fact(verdict):
    usage = [Usage(cost=Decimal("0.01"))] * 40
    found = verdict("cost <= $0.40", [1] * 40, usage=usage)
    assert (found.decision, found.observed, found.fragile) == ("pass", 0.4, False)
    assert found.reason == "The total cost is $0.4 on these 40 cases; the gate asks for at most $0.40."
    assert verdict("cost.mean <= $0.01", [1] * 40, usage=usage).decision == "pass"


def test_tokens(verdict):
    usage = [Usage(input_tokens=10 * i, output_tokens=i) for i in range(1, 41)]
    assert verdict("max(input_tokens) <= 400 tokens", [1] * 40, usage=usage).decision == "pass"
    assert verdict("output_tokens.sum <= 819", [1] * 40, usage=usage).decision == "fail"


def test_a_slice_is_judged_by_its_own_cases(verdict):
    metadata = [{"lang": "de" if i < 10 else "en"} for i in range(40)]
    found = verdict("accuracy[lang=en] >= 1", [0] * 10 + [1] * 30, metadata=metadata)
    assert (found.decision, found.cases, found.scored) == ("pass", 30, 30)
    assert "for lang=en" in found.reason
    assert verdict("accuracy[lang=de] >= 0.1", [0] * 10 + [1] * 30, metadata=metadata).decision == "fail"
    tags = [["hard"] if i < 10 else [] for i in range(40)]
    assert verdict("p95(accuracy[hard]) <= 0", [0] * 10 + [1] * 30, tags=tags).decision == "pass"


def test_each_case_has_to_hold_in_every_trial(verdict):
    assert verdict("each case: accuracy >= 1", [[1, 1], [1, 1]]).decision == "pass"
    found = verdict("each case: accuracy >= 1", [[1, 1], [1, 0], [1, 1]])
    assert (found.decision, found.observed, found.fragile) == ("fail", 0, True)
    assert "1 case of 3 falls short (case-1)" in found.reason


def test_pass_marks_make_a_rate_and_the_mean_stays_the_mean(verdict, make_suite):
    """Mean and pass rate are two numbers; a gate says which it is on."""
    from evalkit.score import Score

    cells = [Score(name="accuracy", value=v, passed=v >= 0.8, scorer="accuracy") for v in (0.9, 0.85, 0.79, 0.7)]
    assert verdict("accuracy >= 0.8", cells).observed == pytest.approx(0.81)
    found = verdict("accuracy.rate >= 0.6", cells)
    assert (found.decision, found.observed) == ("fail", 0.5)
    assert found.reason.startswith("The pass rate of accuracy is 0.5")


def test_a_rate_of_what_has_no_pass_mark(verdict):
    found = verdict("accuracy.rate >= 0.5", [0.9, 0.8, 1.0])
    assert found.decision == "fail"
    assert "no pass mark" in found.reason


def test_a_bound_on_another_scale_is_pointed_out(verdict):
    found = verdict("accuracy >= 90", _passes(95, 100))
    assert found.decision == "fail"
    assert "Did you mean accuracy >= 90%?" in found.hint


def test_numbers_near_the_bound_are_shown_with_the_digits_that_tell_them_apart(verdict):
    assert "is 0.8999 on" in verdict("accuracy >= 0.9", _passes(8999, 10000)).reason


def test_a_limit_is_never_shown_better_than_it_is(verdict):
    """38 of 40 show 0.8308, 40 of 40 show 0.9119: rounded to the nearest, the second would claim 0.912."""
    assert (
        "accuracy is at least 0.911 even after allowing for chance" in verdict("accuracy >= 0.9 @ 95%", [1] * 40).reason
    )
    hint = verdict("accuracy >= 0.92 @ 95%", [1] * 40).hint
    assert "What these 40 do show is >= 0.911." in hint
    assert verdict("accuracy >= 0.911 @ 95%", [1] * 40).decision == "pass"


def test_percentages_are_answered_in_percentages(verdict):
    assert (
        "is 92.5% on these 40 cases; the gate asks for at least 90%"
        in verdict("accuracy >= 90%", _passes(37, 40)).reason
    )


@pytest.mark.parametrize("text", ["judge(accuracy).kappa >= 0.5", "accuracy.corrected >= 0.5"])
def test_no_gate_is_passed_over_in_silence(make_suite, text):
    (found,) = judge([parse(text)], make_suite([1] * 40))
    assert found.decision == "inconclusive"
    assert "label" in found.reason


def test_a_record_that_is_damaged_is_not_guessed_at(verdict):
    found = verdict("accuracy >= 0.9", _passes(37, 40))
    broken = dataclasses.replace(found, inputs={"means": {"total": "1"}})
    with pytest.raises(GateError, match="cannot be computed again"):
        recompute(broken)


def test_a_record_holds_numbers_and_no_cases_however_many_there_are(verdict):
    found = verdict("accuracy >= 0.5", [i / 997 for i in range(997)])
    assert len(json.dumps(found.inputs)) < 2000
    found = verdict("p95(latency) <= 1s @ 95%", [1] * 997, latency=[i / 997 for i in range(997)])
    assert len(json.dumps(found.inputs)) < 2000


def test_gates_come_out_in_the_order_they_stand_in(make_suite):
    texts = ["latency <= 1s", "accuracy >= 0.5", "errors <= 1%"]
    suite = make_suite([1, 0, 1], latency=[0.1] * 3)
    assert [v.gate for v in judge([parse(t) for t in texts], suite)] == texts
    assert judge([], suite) == ()


def test_a_small_suite_without_an_error_is_not_called_fragile_on_errors(verdict):
    """One error in twelve would be more than 5 %, but that is so of every small suite in which nothing is wrong."""
    assert not verdict("errors <= 5%", _passes(12, 12)).fragile
    assert verdict("errors <= 5%", [*_passes(19, 19), "fail"]).fragile
    assert verdict("accuracy >= 0.9", _passes(9, 10)).fragile
