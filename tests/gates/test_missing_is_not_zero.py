"""What is missing is neither zero nor gone: a verdict holds whatever it would have been, or is not reached."""

from __future__ import annotations

import dataclasses

import pytest

from evalkit.gates import judge, parse, recompute, with_defaults


@pytest.fixture
def verdict(make_suite):
    def verdict(text, cells, **fields):
        suite = cells if not isinstance(cells, list) else make_suite(cells, **fields)
        (found,) = judge([parse(text)], suite)
        assert recompute(found) == found
        return found

    return verdict


def test_nine_of_ten_judges_raise_and_the_tenth_says_one(verdict):
    """Lesson 1: an average over the survivor is 1.0."""
    found = verdict("accuracy >= 0.9", [1] + ["raise"] * 9)
    assert found.decision == "inconclusive"
    assert (found.scored, found.unscored, found.errored) == (1, 0, 9)
    assert (found.observed, found.low, found.high) == (1.0, 0.1, 1.0)
    assert "9 trials of 10 have no value" in found.reason
    assert "raised on 9 trials" in found.hint


def test_the_function_under_test_raises_on_nine_of_ten(verdict):
    """Lesson 2: an error of the target scores 0."""
    found = verdict("accuracy >= 0.2", [1] + ["fail"] * 9)
    assert (found.decision, found.observed) == ("fail", 0.1)
    assert "9 trials whose function raised count as 0" in found.reason


def test_a_judge_that_raises_does_not_score_zero(verdict):
    """Lesson 3: judge errors as zeros would turn a good suite into a bad one."""
    found = verdict("accuracy >= 0.9", [1] * 50 + ["raise"] * 50)
    assert found.decision == "inconclusive"
    assert found.observed == 1.0


def test_a_scorer_that_tolerates_an_error_does_not_make_it_a_pass(verdict, make_suite):
    """Lesson 4: the function raised, the scorer said yes to nothing."""
    suite = make_suite([1] * 10)
    from evalkit.score import ErrorInfo
    from evalkit.trial import Output

    broken = Output(error=ErrorInfo(type="E", message="no"))
    trials = tuple(dataclasses.replace(trial, output=broken, outcome="errored") for trial in suite.trials)
    assert verdict("accuracy >= 0.5", dataclasses.replace(suite, trials=trials)).decision == "fail"


@pytest.mark.parametrize(
    "text", ["accuracy >= 0", "accuracy <= 1", "errors <= 100%", "latency <= 100s", "accuracy >= 0.1 @ 95%"]
)
@pytest.mark.parametrize("cells", [[None] * 40, ["raise"] * 40, ["absent"] * 40])
def test_nothing_scored_cannot_pass(verdict, text, cells):
    """Lesson 5, and whatever the gate asks for."""
    assert verdict(text, cells, latency=[0.1] * 40).decision == "fail"


def test_no_scorer_cannot_pass(verdict, make_suite):
    """Lesson 5: `scorers=[]`."""
    suite = make_suite([1] * 40, scorers=(), latency=[0.1] * 40)
    bare = dataclasses.replace(suite, trials=tuple(dataclasses.replace(t, scores=()) for t in suite.trials))
    for text in ("accuracy >= 0", "latency <= 1s", "errors <= 1%"):
        assert verdict(text, bare).decision == "fail"


def test_no_trials_cannot_pass(verdict, make_suite):
    empty = dataclasses.replace(make_suite([]), trials=())
    assert verdict("errors <= 1%", empty).reason.startswith("No trial ran")


def test_words_are_no_numbers(verdict):
    from evalkit.score import Score

    cells = [Score(name="accuracy", label="good", scorer="accuracy")] * 20
    found = verdict("accuracy >= 0", cells)
    assert found.decision == "fail"
    assert "gives words, not numbers" in found.reason


def test_a_name_that_is_not_there_fails_with_its_near_match(verdict):
    found = verdict("acuracy >= 0", [1] * 10)
    assert found.decision == "fail"
    assert 'Did you mean "accuracy"?' in found.reason


def test_an_empty_slice_fails(verdict):
    assert verdict("accuracy[lang=de] >= 0", [1] * 10).decision == "fail"


@pytest.mark.parametrize(
    ("cells", "decision"),
    [
        ([1] * 90 + ["raise"] * 10, "pass"),
        ([1] * 89 + ["raise"] * 11, "inconclusive"),
        ([1] * 80 + [0] * 9 + [None] * 11, "inconclusive"),
        ([1] * 80 + [0] * 11 + [None] * 9, "fail"),
    ],
)
def test_both_extremes_have_to_agree(verdict, cells, decision):
    assert verdict("accuracy >= 0.9", cells).decision == decision


@pytest.mark.parametrize(
    ("cells", "decision"),
    [
        ([True] * 96 + [None] * 4, "pass"),
        ([True] * 95 + [None] * 5, "inconclusive"),
        ([True] * 80 + [False] * 17 + [None] * 3, "fail"),
        ([True] * 80 + [False] * 16 + [None] * 4, "inconclusive"),
    ],
)
def test_both_extremes_have_to_agree_with_evidence_too(verdict, cells, decision):
    assert verdict("accuracy >= 0.9 @ 95%", cells).decision == decision


def test_a_number_that_is_missing_might_have_been_one_in_between(verdict):
    """Assertions are right or wrong for sure; numbers that happen to be 0 and 1 are so only while none is missing."""
    assert verdict("accuracy >= 0.5 @ 95%", [True] * 99 + [None]).method == "Clopper-Pearson"
    assert verdict("accuracy >= 0.5 @ 95%", [1.0] * 100).method == "Clopper-Pearson"
    assert verdict("accuracy >= 0.5 @ 95%", [1.0] * 99 + [None]).method == "Korn-Graubard"
    assert verdict("accuracy <= 0.9 @ 80%", [0.0, 0.0, 0.5]).decision == "inconclusive"
    assert verdict("accuracy <= 0.9 @ 80%", [0.0, 0.0, None]).decision == "inconclusive"


def test_cases_without_values_do_not_count_towards_the_fewest_there_must_be(verdict):
    assert verdict("accuracy <= 0.3 @ 80%", [0.0] * 18 + [None] * 2).decision == "inconclusive"
    assert verdict("accuracy <= 0.3 @ 80%", [0.0] * 20).decision == "pass"


def test_an_error_is_never_counted_in_a_gates_favour(verdict):
    """Where less is better, 0 would be the best score there is."""
    toxic = [0] * 19 + ["fail"]
    assert verdict("accuracy <= 0.04", toxic).decision == "inconclusive"
    assert verdict("accuracy <= 0.05", toxic).decision == "pass"
    assert verdict("each case: accuracy <= 0", toxic).decision == "fail"
    assert verdict("max(accuracy) <= 0.5", toxic).decision == "inconclusive"


def test_unknown_cost_is_not_free(verdict):
    from decimal import Decimal

    from evalkit.trial import Usage

    usage = [Usage(cost=Decimal("0.1"))] * 9 + [None]
    found = verdict("cost <= $1", [1] * 10, usage=usage)
    assert found.decision == "inconclusive"
    assert "from any amount to $0.9" in found.reason
    assert verdict("cost <= $0.5", [1] * 10, usage=usage).decision == "fail"


def test_a_quantile_can_bear_a_missing_value(verdict):
    seconds = [1.0] * 97 + [None] * 3
    assert verdict("p95(latency) <= 1s", [1] * 100, latency=seconds).decision == "pass"
    assert verdict("p99(latency) <= 1s", [1] * 100, latency=seconds).decision == "inconclusive"
    assert verdict("p95(latency) <= 0.5s", [1] * 100, latency=seconds).decision == "fail"


def test_a_mean_without_bounds_cannot(verdict):
    found = verdict("latency <= 100s @ 95%", [1] * 100, latency=[1.0] * 99 + [None])
    assert found.decision == "inconclusive"
    assert "has no bounds" in found.reason
    assert verdict("rating >= 2", [5, 4, 5, "raise"], score="rating").decision == "inconclusive"


def test_a_case_that_could_not_be_looked_at(verdict):
    assert verdict("each case: accuracy >= 1", [1, 1, "raise"]).decision == "inconclusive"
    assert verdict("each case: accuracy >= 1", [1, 0, "raise"]).decision == "fail"
    assert verdict("each case: accuracy >= 1", [[1, "raise"], [1, 1]]).decision == "inconclusive"


def test_a_run_that_stopped_is_judged_with_what_never_ran_as_missing(verdict):
    stopped = [1] * 60 + ["absent"] * 40
    found = verdict("accuracy >= 0.9", stopped)
    assert found.decision == "inconclusive"
    assert (found.cases, found.trials) == (100, 60)
    assert "The run stopped early: 40 of 100 trials never ran." in found.reason
    assert "finish" in found.hint
    assert "--" not in found.hint, "no flag takes up a run where it stopped"
    assert verdict("accuracy >= 0.6", stopped).decision == "pass"
    assert verdict("errors <= 5%", stopped).decision == "inconclusive"
    assert verdict("accuracy >= 0.9", [0] * 60 + ["absent"] * 40).decision == "fail"


def test_a_bound_of_zero_is_written_as_zero(verdict):
    found = verdict("errors <= 0", [1] * 60 + ["absent"] * 40)
    assert "and 0 lies in between" in found.reason


def test_a_repeat_that_never_ran_is_missing_in_its_case(verdict):
    found = verdict("accuracy >= 0.95", [[1, 1, 1], [1, "absent", "absent"]])
    assert (found.decision, found.low, found.high) == ("inconclusive", pytest.approx(2 / 3), 1)


def test_a_selection_of_single_trials_that_stopped(verdict, make_suite):
    """Three trials of two cases with three repeats were selected and two ran: the third is missing, and no more."""
    suite = make_suite([[1, "absent", "absent"], [1, "absent", "absent"]], planned=3, declared=6, selection="-k t1")
    found = verdict("accuracy >= 0.75", suite)
    assert (found.decision, found.low) == ("pass", 0.75)
    assert "1 of 3 trials never ran" in found.reason
    assert verdict("accuracy >= 0.8", suite).decision == "inconclusive"


def test_a_selection_says_that_it_is_one(verdict):
    found = verdict("accuracy >= 0.9", [1] * 5, declared=400, selection="-k german")
    assert found.decision == "pass"
    assert "Only a part of the suite was run (-k german)" in found.reason


def test_the_last_attempt_at_a_trial_counts_and_only_that(verdict, make_suite):
    first, second = make_suite(["raise", 1]), make_suite([1, 1])
    again = tuple(dataclasses.replace(trial, attempt=2) for trial in second.trials[:1])
    suite = dataclasses.replace(first, trials=(*again, *first.trials))
    found = verdict("accuracy >= 1", suite)
    assert (found.decision, found.trials, found.errored) == ("pass", 2, 0)


def test_a_scorer_that_gives_other_names_and_raised_once(verdict, make_suite):
    """Its error stands under the scorer's own name, and is missing under the names it gives otherwise."""
    from evalkit.score import ErrorInfo, Score

    suite = make_suite([1] * 10, score="rubric")
    named = [dataclasses.replace(t, scores=(Score(name="tone", value=1, scorer="rubric"),)) for t in suite.trials[:9]]
    error = Score(name="rubric", status="error", scorer="rubric", error=ErrorInfo(type="E", message=""))
    named.append(dataclasses.replace(suite.trials[9], scores=(error,), outcome="errored"))
    suite = dataclasses.replace(suite, trials=tuple(named))
    found = verdict("tone >= 0.95", suite)
    assert (found.decision, found.scored, found.errored) == ("inconclusive", 9, 1)


def test_the_error_budget_says_how_many_errors_even_where_nothing_was_scored(verdict):
    found = verdict("errors <= 5%", ["raise"] * 40)
    assert (found.decision, found.observed) == ("fail", 1.0)
    assert "is 100% on these 40 cases" in found.reason


def test_every_suite_with_gates_has_an_error_budget():
    gates = with_defaults([parse("accuracy >= 0.9")])
    assert [str(gate) for gate in gates] == ["accuracy >= 0.9", "errors <= 5%"]
    assert gates[1].is_default
    own = (parse("errors <= 1%"),)
    assert with_defaults(own) == own
    assert with_defaults([]) == ()
    sliced = [parse("errors[lang=de] <= 1%")]
    assert len(with_defaults(sliced)) == 2


@pytest.mark.parametrize(("errors", "decision"), [(5, "pass"), (6, "fail")])
def test_the_error_budget_counts_both_kinds_of_error(verdict, errors, decision):
    half = errors // 2
    cells = ["fail"] * half + ["raise"] * (errors - half) + [1] * (100 - errors)
    assert verdict("errors <= 5%", cells).decision == decision
