"""exact_match, one_of, contains…, starts_with, ends_with."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ScorerError
from evalkit_scorers import contains, contains_all, contains_any, ends_with, exact_match, one_of, starts_with

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    ("options", "output", "expected", "passes"),
    [
        ({}, "Paris", "Paris", True),
        ({}, "paris", "Paris", False),
        ({}, "Paris\n", "Paris", False),
        ({}, "", "", True),
        ({}, "", "x", False),
        ({"ignore_case": True}, "STRASSE", "straße", True),
        ({"strip": True}, " Paris\n", "Paris", True),
        ({}, COMPOSED, DECOMPOSED, False),
        ({"normalise": "NFC"}, COMPOSED, DECOMPOSED, True),
        ({"normalise": "NFKC"}, "ﬁne", "fine", True),
        ({"after": "is "}, "it is not; it is Paris", "Paris", True),
        ({"after": "is "}, "Paris", "Paris", False),
        ({}, 18, "18", True),
        ({}, "18", 18, True),
        ({}, True, "True", True),
        ({}, 1, 1.0, True),
        ({}, True, 1, False),
        ({}, {"a": [1, 2]}, {"a": (1, 2)}, True),
        ({}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({}, [1, 2], [2, 1], False),
        ({}, None, "x", False),
    ],
)
def test_exact_match(judge, options, output, expected, passes):
    assert judge(exact_match(**options), output, expected).passed is passes


def test_a_miss_shows_both_sides_on_one_short_line(judge):
    score = judge(exact_match(), "26\n" + "x" * 1000, "18")
    assert score.explanation.startswith('expected "18", found "26\\nxxx')
    assert score.explanation.endswith('…"')
    assert len(score.explanation) < 120


def test_an_explanation_can_always_be_written_to_a_file(judge):
    judge(exact_match(), "a\ud800b", "ab").explanation.encode("utf-8")


def test_without_an_expected_value_the_case_is_unscored_and_not_wrong(judge):
    for scorer in (exact_match(), one_of(), contains(), starts_with(), ends_with(), contains_any(), contains_all()):
        score = judge(scorer, "x", None)
        assert (score.status, score.value, score.passed) == ("unscored", None, None)
        assert scorer.requires_expected


def test_text_against_a_dict_is_an_error_that_says_what_to_do():
    with pytest.raises(TypeError, match="on\\('field', exact_match"):
        exact_match()(output={"answer": "x"}, expected="x")
    with pytest.raises(TypeError, match="contains looks at text, and was given list"):
        contains("x")(output=["x"], expected=None)


@pytest.mark.parametrize(
    ("scorer", "output", "expected", "passes"),
    [
        (contains("Paris"), "in Paris today", None, True),
        (contains("paris"), "in Paris today", None, False),
        (contains("paris", ignore_case=True), "in PARIS today", None, True),
        (contains(), "in Paris today", "Paris", True),
        (contains(), "", "Paris", False),
        (contains(DECOMPOSED, normalise="NFC"), f"un {COMPOSED}", None, True),
        (starts_with("In"), "In Paris", None, True),
        (starts_with("In"), " In Paris", None, False),
        (starts_with("In", strip=True), "\n In Paris", None, True),
        (starts_with(), "In Paris", "in", False),
        (ends_with("."), "Done.", None, True),
        (ends_with("."), "Done. ", None, False),
        (ends_with(".", strip=True), "Done. \n", None, True),
        (contains_any(["x", "Paris"]), "in Paris", None, True),
        (contains_any(["x", "y"]), "in Paris", None, False),
        (contains_any(), "in Paris", ["Rome", "Paris"], True),
        (contains_any(), "in Paris", "Paris", True),
        (contains_all(["in", "Paris"]), "in Paris", None, True),
        (contains_all(["in", "Rome"]), "in Paris", None, False),
        (one_of(["yes", "no"]), " yes\n", None, True),
        (one_of(["yes", "no"]), "Yes", None, False),
        (one_of(["yes", "no"], ignore_case=True), "Yes", None, True),
        (one_of(["yes", "no"], strip=False), "yes ", None, False),
        (one_of(), "yes", ["yes", "yeah"], True),
        (one_of(), "maybe", ["yes", "yeah"], False),
        (one_of(), 2, [1, 2], True),
        (contains("x"), None, None, False),
        (one_of(["x"]), None, None, False),
    ],
)
def test_containing_and_choosing(judge, scorer, output, expected, passes):
    assert judge(scorer, output, expected).passed is passes


def test_contains_all_names_what_is_lacking(judge):
    assert judge(contains_all(["a", "b", "c"]), "b").explanation == 'lacks "a", "c"'


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: contains(""), "is empty"),
        (lambda: contains(5), "has to be text, not int"),
        (lambda: contains(" ", strip=True), "empty once it is stripped"),
        (lambda: contains_any("abc"), "has to be a list of texts"),
        (lambda: contains_all([]), "nothing in it"),
        (lambda: contains_all(["a", ""]), "is empty"),
        (lambda: exact_match(normalise="NFX"), "Did you mean"),
        (lambda: exact_match(ignorecase=True), 'no option "ignorecase". Did you mean "ignore_case"'),
        (lambda: exact_match(True), "too many positional arguments"),
        (lambda: starts_with(1.5), "has to be text"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_runs(make, says):
    with pytest.raises(ScorerError) as caught:
        make()
    assert says in str(caught.value)
    assert "test_text_scorers.py:" in caught.value.where


def test_an_empty_needle_in_the_data_is_an_error_and_no_pass():
    with pytest.raises(ValueError, match="empty text is in every text"):
        contains()(output="anything", expected="")


@given(st.text())
def test_a_text_matches_itself(text):
    assert exact_match()(output=text, expected=text) is True
    assert one_of(strip=False)(output=text, expected=[text]) is True


@given(st.text(min_size=1), st.text(), st.text())
def test_a_text_is_in_what_it_was_put_into(needle, before, behind):
    assert contains(needle)(output=before + needle + behind, expected=None) is True
    assert starts_with(needle)(output=needle + behind, expected=None) is True
    assert ends_with(needle)(output=before + needle, expected=None) is True


@given(st.text())
def test_unicode_forms_of_one_text_match(text):
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert exact_match(normalise="NFC")(output=composed, expected=decomposed) is True


def test_options_change_the_version_and_nothing_else_does():
    assert exact_match().version == exact_match().version
    assert len({exact_match().version, exact_match(strip=True).version, exact_match(ignore_case=True).version}) == 3
    assert contains("a").version != contains("b").version != contains().version
