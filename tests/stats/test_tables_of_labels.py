"""The table of a scorer's labels: what was given for what."""

from __future__ import annotations

import dataclasses
import tracemalloc

import pytest

from evalkit.score import Score
from evalkit.stats.confusions import confusions
from evalkit.stats.labels import MOST_LABELS


def labelled(make_suite, pairs):
    def cell(given):
        if isinstance(given, list):
            return [cell(one) for one in given]
        if given in (None, "raise", "fail", "absent"):
            return given
        return Score(name="intent", label=given, scorer="intent")

    suite = make_suite([cell(given) for _, given in pairs], score="intent")
    cases = zip(suite.cases, pairs, strict=True)
    return dataclasses.replace(suite, cases=tuple(dataclasses.replace(case, expected=pair[0]) for case, pair in cases))


def test_rows_are_expected_and_columns_given(make_suite):
    (one,) = confusions(labelled(make_suite, [("a", "a"), ("a", "b"), ("b", "b"), ("b", "c")] * 3))
    assert one.labels == ("a", "b", "c")
    assert one.table == ((3, 3, 0), (0, 3, 3), (0, 0, 0))
    assert one.right == 6
    assert dict(one.given) == {"b": 6, "a": 3, "c": 3}


def test_what_is_missing_and_what_failed_is_counted_apart(make_suite):
    pairs = [("a", "a"), ("b", "b"), ("a", None), ("b", "raise"), ("a", "fail"), (None, "a")]
    (one,) = confusions(labelled(make_suite, pairs))
    assert one.labels == ("a", "b", "(no answer)")
    assert one.table[0] == (1, 0, 1)
    assert (one.missing, one.unknown, one.cases) == (2, 1, 6)


def test_trials_of_a_case_share_it(make_suite):
    (one,) = confusions(labelled(make_suite, [("a", ["a", "a", "b"]), ("b", ["b", "b", "b"])]))
    assert one.table == (pytest.approx((2 / 3, 1 / 3)), pytest.approx((0, 1)))


def test_few_cases_have_figures_without_an_interval(make_suite):
    (one,) = confusions(labelled(make_suite, [("a", "a"), ("b", "b")] * 10))
    assert {figure.statistic: (figure.value, figure.low) for figure in one.figures} == {
        "f1": (1.0, None),
        "mcc": (1.0, None),
        "kappa": (1.0, None),
    }
    (many,) = confusions(labelled(make_suite, [("a", "a"), ("b", "b")] * 20))
    assert all(0 < figure.low < 1 for figure in many.figures)


def test_no_truth_no_labels_and_labels_of_another_kind_have_no_table(make_suite):
    assert confusions(make_suite([1, 0, 1])) == ()
    assert confusions(labelled(make_suite, [(None, "a")] * 5)) == ()
    assert confusions(labelled(make_suite, [("print(3)", "passed"), ("print(4)", "failed")] * 5)) == ()


def test_free_text_that_is_expected_makes_no_table_of_all_texts_by_all_texts(make_suite):
    texts = [(f"a text of its own, {number}", "plain" if number % 2 else "warm") for number in range(4_000)]
    suite = labelled(make_suite, [*texts, ("plain", "plain")])
    tracemalloc.start()
    assert confusions(suite, intervals=False) == ()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6, "4,000 by 4,000 cells are 128 MB"


@pytest.mark.parametrize(("different", "tables"), [(MOST_LABELS - 1, 1), (MOST_LABELS, 0)])
def test_as_many_labels_as_a_gate_takes(make_suite, different, tables):
    pairs = [(f"label {number}", f"label {number}") for number in range(different)]  # "(no answer)" is one, too
    assert len(confusions(labelled(make_suite, pairs), intervals=False)) == tables
