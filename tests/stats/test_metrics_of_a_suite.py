"""What a suite's metrics are: named, counted, with the interval its data allow, and per slice."""

from __future__ import annotations

import dataclasses
import random
import sys
from decimal import Decimal

import pytest

from evalkit.case import Case
from evalkit.score import Score
from evalkit.stats import clopper_pearson, summarise
from evalkit.trial import Usage


def _find(metrics, name, statistic=None, **where):
    found = [m for m in metrics if m.name == name and statistic in (None, m.statistic) and dict(m.slice) == where]
    assert len(found) == 1, [(m.name, m.statistic, m.slice) for m in metrics]
    return found[0]


def test_right_or_wrong_scores_have_a_rate(make_suite):
    metric = _find(summarise(make_suite([True] * 37 + [False] * 3)), "accuracy")
    exact = clopper_pearson(37, 40)
    assert (metric.statistic, metric.value, metric.method) == ("rate", 0.925, "Clopper-Pearson")
    assert (metric.low, metric.high) == (exact.low, exact.high)
    assert (metric.cases, metric.trials, metric.scored, metric.unscored, metric.errored) == (40, 40, 40, 0, 0)


def test_the_level_is_the_one_asked_for(make_suite):
    suite = make_suite([True] * 37 + [False] * 3)
    wide, narrow = (_find(summarise(suite, level=level), "accuracy") for level in (0.99, 0.8))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.level == 0.99


def test_graded_scores_have_a_mean(make_suite):
    metric = _find(summarise(make_suite([0.5, 0.7] * 10)), "accuracy")
    assert (metric.statistic, metric.value, metric.method) == ("mean", pytest.approx(0.6), "Korn-Graubard")
    assert 0 < metric.low < 0.6 < metric.high < 1


def test_scores_on_another_scale_have_a_t_interval(make_suite):
    metric = _find(summarise(make_suite([3, 5] * 10, score="stars")), "stars")
    assert (metric.value, metric.method) == (4, "Student t")


def test_pass_marks_add_a_rate_to_the_mean(make_suite):
    cells = [Score(name="accuracy", value=v, passed=v >= 0.8, scorer="accuracy") for v in [0.9, 0.7, 0.8, 0.6] * 5]
    metrics = summarise(make_suite(cells))
    assert _find(metrics, "accuracy", "mean").value == pytest.approx(0.75)
    assert _find(metrics, "accuracy", "rate").value == 0.5


def test_words_are_counted(make_suite):
    cells = [Score(name="tone", label=word, scorer="tone") for word in ["kind", "kind", "rude"]]
    metric = _find(summarise(make_suite(cells, score="tone")), "tone")
    assert (metric.statistic, metric.value, metric.low) == ("labels", None, None)
    assert metric.note == "labels: kind 2, rude 1"


def test_a_function_that_raised_gave_no_label_and_not_a_0(make_suite):
    cells = [*(Score(name="tone", label=word, scorer="tone") for word in ["kind", "kind", "rude"]), "fail", "fail"]
    metric = next(one for one in summarise(make_suite(cells, score="tone")) if one.name == "tone")
    assert metric.note == "labels: kind 2, rude 1; 2 failed trials have no label; 2 missing"


def test_few_cases_have_a_value_and_no_interval(make_suite):
    metric = _find(summarise(make_suite([True] * 9)), "accuracy")
    assert (metric.value, metric.low, metric.high, metric.method) == (1, None, None, "")
    assert "fewer than 10 cases" in metric.note


def test_what_is_missing_is_counted_and_widens_the_interval(make_suite):
    cells = [True] * 30 + ["raise"] * 4 + [None] * 3 + ["fail"] * 2 + ["absent"]
    metric = _find(summarise(make_suite(cells)), "accuracy")
    assert (metric.cases, metric.trials, metric.scored, metric.unscored, metric.errored) == (40, 39, 30, 3, 6)
    assert metric.value == pytest.approx(30 / 32)
    assert (metric.low, metric.high) == (clopper_pearson(30, 40).low, clopper_pearson(38, 40).high)
    assert (
        metric.note
        == "2 failed trials count as 0; 8 missing, and the interval allows for whatever they would have been"
    )


def test_a_scorer_that_never_scored_is_shown(make_suite):
    metric = _find(summarise(make_suite(["raise"] * 9 + [None])), "accuracy")
    assert (metric.value, metric.scored, metric.unscored, metric.errored) == (None, 0, 1, 9)


def test_a_function_that_always_raised_scored_zero(make_suite):
    metric = _find(summarise(make_suite(["fail"] * 10)), "accuracy")
    assert (metric.value, metric.errored) == (0, 10)


def test_errors_count_both_kinds(make_suite):
    metric = _find(summarise(make_suite([True] * 6 + ["fail"] * 2 + ["raise"] * 2)), "errors")
    assert (metric.statistic, metric.value) == ("rate", 0.4)


def test_a_failed_assert_in_the_body_is_a_miss_and_no_error(make_suite):
    from evalkit.score import ErrorInfo
    from evalkit.trial import Output

    suite = make_suite([True] * 10)
    failed = Output(error=ErrorInfo(type="AssertionError", message="no", is_assertion=True))
    trials = (dataclasses.replace(suite.trials[0], output=failed, outcome="missed", scores=()), *suite.trials[1:])
    metrics = summarise(dataclasses.replace(suite, trials=trials))
    assert _find(metrics, "errors").value == 0
    assert _find(metrics, "accuracy").value == 0.9


def test_latency_cost_and_tokens_where_they_are_known(make_suite):
    usage = [Usage(cost=Decimal("0.01"), input_tokens=100, output_tokens=i) for i in range(1, 101)]
    metrics = summarise(make_suite([True] * 100, latency=[i / 10 for i in range(1, 101)], usage=usage))
    assert _find(metrics, "latency", "mean").value == pytest.approx(5.05)
    assert _find(metrics, "latency", "p50").value == 5.0
    p95 = _find(metrics, "latency", "p95")
    assert (p95.value, p95.low, p95.high, p95.unit) == (9.5, 9.0, 10.0, "s")
    assert _find(metrics, "cost", "sum").value == 1.0
    assert _find(metrics, "cost", "mean").unit == "$"
    assert _find(metrics, "output_tokens", "sum").value == 5050


def test_what_was_never_measured_has_no_line(make_suite):
    names = {metric.name for metric in summarise(make_suite([True] * 10))}
    assert names == {"accuracy", "errors"}


def test_slices_are_tags_and_the_values_of_metadata(make_suite):
    metadata = [{"lang": "de" if i % 2 else "en", "id": i, "same": "x", "deep": {"a": 1}} for i in range(60)]
    tags = [["hard", "long"] if i < 20 else [] for i in range(60)]
    cells = [i < 30 for i in range(60)]
    metrics = summarise(make_suite(cells, metadata=metadata, tags=tags))
    slices = {tuple(m.slice.items()) for m in metrics}
    assert slices == {(), (("lang", "de"),), (("lang", "en"),), (("tag", "hard"),), (("tag", "long"),)}
    hard = _find(metrics, "accuracy", tag="hard")
    assert (hard.value, hard.cases, hard.scored) == (1.0, 20, 20)
    assert _find(metrics, "accuracy", lang="de").value == 0.5


def test_a_slice_is_measured_as_the_suite_is(make_suite):
    """The slice whose scores happen to be 0 and 1 keeps the rule of the graded scores around it."""
    cells = [1.0, 0.0] * 10 + [0.3, 0.4] * 10
    metadata = [{"part": "a" if i < 20 else "b"} for i in range(40)]
    metrics = summarise(make_suite(cells, metadata=metadata))
    assert _find(metrics, "accuracy", part="a").method == "Korn-Graubard"


def test_names_of_several_scores_in_one_trial(make_suite):
    suite = make_suite([True] * 10, score="rubric")
    scores = tuple(Score(name=name, value=v, scorer="rubric") for name, v in (("tone", 1), ("facts", 0), ("facts", 1)))
    silent = (Score(name="rubric", status="unscored", scorer="rubric"),)
    trials = [dataclasses.replace(trial, scores=scores) for trial in suite.trials]
    trials[3] = dataclasses.replace(trials[3], scores=silent)
    metrics = summarise(dataclasses.replace(suite, trials=tuple(trials)))
    assert _find(metrics, "tone").value == 1
    assert _find(metrics, "tone").unscored == 1
    assert _find(metrics, "facts").value == 0.5
    assert "rubric" not in {metric.name for metric in metrics}


def test_trials_in_another_order_give_the_same_metrics(make_suite):
    cells = [[random.Random(i).random() for _ in range(3)] for i in range(40)]
    suite = make_suite(cells, metadata=[{"lang": "de" if i % 3 else "en"} for i in range(40)])
    trials = list(suite.trials)
    random.Random(0).shuffle(trials)
    one, other = summarise(suite), summarise(dataclasses.replace(suite, trials=tuple(trials)))
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert (mine.name, mine.statistic, mine.slice) == (theirs.name, theirs.statistic, theirs.slice)
        assert mine.value == pytest.approx(theirs.value)
        assert mine.low == pytest.approx(theirs.low) or mine.low is None


@pytest.mark.slow
@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer, such as that of coverage, is what would be timed")
def test_ten_thousand_cases_five_scorers_and_twenty_slices_are_summarised(make_suite):
    chance = random.Random(1)
    cells = [chance.random() for _ in range(10_000)]
    suite = make_suite(cells, tags=[["even" if i % 2 else "odd"] for i in range(10_000)])
    cases = tuple(
        Case(id=case.id, metadata={"lang": f"l{i % 10}", "topic": f"t{i % 8}"}, tags=case.tags)
        for i, case in enumerate(suite.cases)
    )
    trials = tuple(
        dataclasses.replace(
            trial, scores=tuple(Score(name=f"s{k}", value=chance.random(), scorer=f"s{k}") for k in range(5))
        )
        for trial in suite.trials
    )
    suite = dataclasses.replace(suite, cases=cases, trials=trials, info=dataclasses.replace(suite.info, scorers=()))
    metrics = summarise(suite)
    assert len(metrics) == 6 * 21
