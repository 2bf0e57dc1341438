"""label_match: right or wrong, and the label that was given beside the true one."""

from __future__ import annotations

import pytest

from evalkit.errors import ScorerError
from evalkit_scorers import label_match, multiple_choice


def test_the_label_stands_beside_the_true_one():
    right = label_match()(output="spam", expected="spam")
    assert (right.value, right.passed, right.label, right.metadata) == (1.0, True, "spam", {"expected": "spam"})
    wrong = label_match()(output=" ham\n", expected="spam")
    assert (wrong.value, wrong.label, wrong.metadata) == (0.0, "ham", {"expected": "spam"})
    assert wrong.explanation == 'expected "spam", found "ham"' or "found" in wrong.explanation


def test_case_and_spelling_are_those_of_the_labels():
    scorer = label_match(labels=["Spam", "Ham"], ignore_case=True)
    found = scorer(output="HAM", expected="spam")
    assert (found.value, found.label, found.metadata["expected"]) == (0.0, "Ham", "Spam")


def test_what_is_no_label_is_a_wrong_answer_without_one():
    scorer = label_match(labels=["spam", "ham"])
    for output in ("I cannot say", None):
        found = scorer(output=output, expected="spam")
        assert (found.value, found.label) == (0.0, None)
    assert label_match()(output="x" * 300, expected="spam").label is None


def test_booleans_and_numbers_are_labels():
    assert label_match()(output=True, expected=True).label == "true"
    assert label_match()(output="true", expected=True).value == 1.0
    assert label_match()(output=3, expected="3").value == 1.0


def test_wrong_use_is_told():
    with pytest.raises(ScorerError, match="has to be a list of texts"):
        label_match(labels="spam")
    with pytest.raises(ValueError, match="is none of"):
        label_match(labels=["ham"])(output="ham", expected="spam")
    assert label_match()(output="spam", expected=None).status == "unscored"


def test_an_option_carries_its_true_letter_too():
    found = multiple_choice()(output="(B)", expected="C")
    assert (found.label, found.metadata) == ("B", {"expected": "C"})
