"""What names nothing or can never pass is refused before a single case has been paid for."""

from __future__ import annotations

import pytest

from evalkit.errors import GateError
from evalkit.gates import Reference, check, parse
from evalkit.runs import ScorerInfo
from evalkit.stats.power import perfect_cases


@pytest.fixture
def checked(make_suite):
    """Check one gate against a suite of so many cases; gives the refusal as text, or None."""

    def checked(text, cases=40, *, known=("accuracy",), possible=(), repeat=1, **fields):
        suite = make_suite([[1] * repeat] * cases, **fields)
        try:
            check([parse(text)], suite.info, suite.cases, known=known, possible=possible)
        except GateError as refusal:
            return str(refusal)
        return None

    return checked


LANGUAGES = [{"lang": "de" if i % 2 else "en", "n": i} for i in range(40)]
TAGS = [["hard"] if i < 10 else ["easy"] for i in range(40)]


def test_an_unknown_metric_is_named_with_its_near_match(checked):
    refusal = checked("acuracy >= 0.9")
    assert '"acuracy", which nothing in this suite gives. Did you mean "accuracy"?' in refusal
    assert "Known here: accuracy, errors, latency, cost" in refusal


def test_a_name_that_a_scorer_may_give_is_accepted(checked):
    assert checked("tone >= 0.9", possible=("tone",)) is None
    assert 'Did you mean "tone"?' in checked("tonne >= 0.9", possible=("tone",))


def test_a_scorer_that_takes_the_name_of_a_builtin(checked):
    assert "has the name" in checked("latency <= 3s", known=("latency",))


def test_a_suite_without_scorers_can_never_pass(checked):
    assert "no scorer" in checked("errors <= 1%", known=(), scorers=())
    assert checked("errors <= 1%", known=(), possible=("polite",), scorers=()) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy[lang=dee] >= 0.9", 'Did you mean "de"?'),
        ("accuracy[lang=french] >= 0.9", "The values of lang are: en, de."),
        ("accuracy[lnag=de] >= 0.9", 'Did you mean "lang"?'),
        ("accuracy[hrad] >= 0.9", 'Did you mean "hard"?'),
        ("accuracy[lang] >= 0.9", "lang is a metadata key: write accuracy[lang=en]"),
        ("accuracy[n=other] >= 0.9", "and 28 more"),
    ],
)
def test_a_slice_without_cases(checked, text, said):
    refusal = checked(text, metadata=LANGUAGES, tags=TAGS)
    assert "so the slice is empty" in refusal
    assert said in refusal


@pytest.mark.parametrize("text", ["accuracy[lang=de] >= 0.9", "accuracy[hard] >= 0.9", "accuracy[n=7] >= 0.9"])
def test_a_slice_with_cases(checked, text):
    assert checked(text, metadata=LANGUAGES, tags=TAGS) is None


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("accuracy >= 0.9 @ 95%", 36),
        ("accuracy >= 0.95 @ 95%", 72),
        ("accuracy.rate >= 99% @ 95%", 368),
        ("errors <= 1% @ 95%", 368),
        ("accuracy <= 0.1 @ 95%", 36),
        ("accuracy >= 0.9 @ 90%", 29),
    ],
)
def test_evidence_that_could_not_suffice_names_the_cases_it_takes(checked, text, needed):
    assert checked(text, needed) is None
    refusal = checked(text, needed - 1)
    assert f"needs at least {needed} cases even if every case passes" in refusal
    assert f"has {needed - 1}" in refusal


def test_repeats_do_not_make_up_for_cases(checked):
    needed = perfect_cases(0.9, repeated=True)
    assert needed > 36
    assert f"at least {needed} cases" in checked("accuracy >= 0.9 @ 95%", needed - 1, repeat=5)
    assert checked("accuracy >= 0.9 @ 95%", needed, repeat=5) is None


def test_the_cases_of_the_slice_count_and_not_those_of_the_suite(checked):
    assert checked("accuracy >= 0.9 @ 95%", metadata=LANGUAGES) is None
    assert "the slice has 20" in checked("accuracy[lang=de] >= 0.9 @ 95%", metadata=LANGUAGES)


def test_what_the_cases_can_show_is_said(checked):
    refusal = checked("accuracy >= 0.95 @ 95%", 40)
    assert "The most that 40 cases can show is >= 0.911" in refusal
    assert checked("accuracy >= 0.911 @ 95%", 40) is None


def test_certainty_is_refused(checked):
    assert "no number of cases can show this" in checked("accuracy >= 1 @ 95%", 1000)
    assert "no number of cases can show this" in checked("errors <= 0 @ 95%", 1000)


def test_graded_scores_are_not_held_to_what_right_or_wrong_cases_take(checked):
    assert "write accuracy.mean" in checked("accuracy >= 0.99 @ 95%")
    assert checked("accuracy.mean >= 0.99 @ 95%") is None
    marked = (ScorerInfo(name="accuracy", version="1", pass_mark=">= 0.8"),)
    assert checked("accuracy >= 0.99 @ 95%", scorers=marked) is None
    assert checked("accuracy.rate >= 0.99 @ 95%", scorers=marked) is not None
    assert checked("rating >= 4.5 @ 95%", possible=("rating",)) is None


def test_measured_values_take_twenty_cases(checked):
    assert checked("latency <= 3s @ 95%", 20) is None
    assert "at least 20 cases" in checked("latency <= 3s @ 95%", 19)


def test_repeated_trials_take_ten_cases(checked):
    assert checked("accuracy.mean >= 0.5 @ 95%", 10, repeat=3) is None
    assert "at least 10 cases" in checked("accuracy.mean >= 0.5 @ 95%", 9, repeat=3)


@pytest.mark.parametrize(
    ("text", "needed"),
    [("p95(latency) <= 3s @ 95%", 72), ("median(latency) <= 3s @ 95%", 6), ("p95(accuracy) >= 0.5 @ 95%", 2)],
)
def test_a_quantile_without_a_limit(checked, text, needed):
    assert checked(text, needed) is None
    if needed > 2:
        assert f"needs at least {needed} cases" in checked(text, needed - 1)


def test_a_partial_selection_is_not_asked_for_its_numbers(checked):
    assert checked("accuracy >= 0.9 @ 95%", 3, selection="-k case-1") is None
    assert checked("accuracy[lang=fr] >= 0.9", metadata=LANGUAGES, selection="-k case-1") is None
    assert checked("acuracy >= 0.9", 3, selection="-k case-1") is not None


def test_point_gates_need_no_number_of_cases(checked):
    assert checked("accuracy >= 1", 1) is None
    assert checked("each case: accuracy >= 1", 1) is None


def test_corrected_metrics_are_of_a_whole_suite(checked):
    assert "is of a whole suite" in checked("accuracy[lang=de].corrected >= 0.85", 1000)


# against a baseline


@pytest.fixture
def compared(make_suite):
    """Check one gate against a suite of so many cases that has a baseline; gives the refusal as text, or None."""

    def compared(text, cases=40, *, base=None, known=("accuracy",), repeat=1, **fields):
        suite = make_suite([[1] * repeat] * cases, **fields)
        before = make_suite([[1] * repeat] * cases if base is None else base, **fields)
        try:
            check(
                [parse(text)],
                suite.info,
                suite.cases,
                known=known,
                possible=(),
                baseline=Reference(suite=before, run="base"),
            )
        except GateError as refusal:
            return str(refusal)
        return None

    return compared


@pytest.mark.parametrize(("margin", "needed"), [("0.01", 381), ("0.02", 189), ("0.05", 73), ("0.1", 36)])
def test_a_margin_that_so_few_cases_cannot_show_is_refused_with_the_number(compared, margin, needed):
    text = f"accuracy not worse than baseline by {margin} @ 95%"
    assert compared(text, needed) is None
    refusal = compared(text, needed - 1)
    assert f"needs at least {needed} cases even if not one of them changes" in refusal
    assert "accuracy no regression vs baseline" in refusal


def test_the_widest_use_of_the_cases_that_there_are_is_named(compared):
    refusal = compared("accuracy not worse than baseline by 0.02 @ 95%", 40)
    assert "widen the margin to 0.089" in refusal
    assert compared("accuracy not worse than baseline by 0.089 @ 95%", 40) is None


def test_graded_scores_are_not_asked_for_that_number(compared):
    assert compared("accuracy.mean not worse than baseline by 0.02 @ 95%", 40) is None


def test_a_gain_that_so_few_cases_cannot_show(compared):
    assert "needs at least 6 cases even if every case rises" in compared("accuracy better than baseline @ 95%", 3)
    assert compared("accuracy better than baseline @ 95%", 6) is None
    assert "can rise by 1" in compared("accuracy better than baseline by 1 @ 95%", 100)


def test_no_regression_is_an_alarm_for_any_number_of_cases(compared):
    assert compared("accuracy no regression vs baseline", 2) is None
    assert "fewer than 20" in compared("latency no regression vs baseline", 19)
    assert "fewer than 10" in compared("accuracy no regression vs baseline", 9, repeat=3)


@pytest.mark.parametrize("text", ["cost no regression vs baseline", "p95(latency) no regression vs baseline"])
def test_only_means_are_compared(compared, text):
    assert "only a mean, a rate or a figure of labels is compared with a baseline" in compared(text)


def test_percentages_of_what_may_be_nothing(compared):
    assert "errors may be 0" in compared("errors not worse than baseline by 10% @ 95%")
    refusal = compared("accuracy not worse than baseline by 10% @ 95%", base=[0, 1] * 20)
    assert "no percentage can be taken" in refusal


def test_a_baseline_without_that_score(make_suite):
    suite, before = make_suite([1] * 40), make_suite([1] * 40, score="tone")
    with pytest.raises(GateError, match='the baseline has no score called "accuracy"'):
        check(
            [parse("accuracy no regression vs baseline")],
            suite.info,
            suite.cases,
            known=("accuracy",),
            possible=(),
            baseline=Reference(suite=before),
        )


def test_a_comparison_without_a_baseline_is_refused(checked):
    refusal = checked("accuracy no regression vs baseline", 40)
    assert "compares with a baseline, and none was named" in refusal
    assert "A gate that is not decided would look like one that passed." in refusal
