"""max_length, min_length, forbidden_words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ScorerError
from evalkit_scorers import forbidden_words, max_length, min_length


@pytest.mark.parametrize(
    ("scorer", "output", "passes"),
    [
        (max_length(3), "abc", True),
        (max_length(3), "abcd", False),
        (max_length(1), "👍", True),
        (max_length(0), "", True),
        (max_length(2, unit="words"), " one  two\n", True),
        (max_length(2, unit="words"), "one two three", False),
        (max_length(1, unit="lines"), "one\n", True),
        (max_length(1, unit="lines"), "one\ntwo", False),
        (max_length(2, unit=list), "ab", True),
        (max_length(2, unit=lambda text: len(text) * 2), "ab", False),
        (min_length(3), "abc", True),
        (min_length(3), "ab", False),
        (min_length(1, unit="words"), " ", False),
        (max_length(10), None, False),
        (min_length(0), None, False),
    ],
)
def test_lengths(judge, scorer, output, passes):
    assert judge(scorer, output).passed is passes


def test_a_length_is_said(judge):
    assert judge(max_length(2, unit="words"), "a b c").explanation == "3 words, more than 2"
    assert judge(min_length(9), "a b c").explanation == "5 chars, less than 9"


@given(st.text(), st.integers(0, 50))
def test_one_of_the_two_limits_always_holds(text, limit):
    below = max_length(limit)(output=text) is True
    above = min_length(limit)(output=text) is True
    assert below or above
    assert (below and above) == (len(text) == limit)


@pytest.mark.parametrize(
    "make",
    [
        lambda: max_length(-1),
        lambda: max_length(1.5),
        lambda: max_length(True),
        lambda: max_length(3, unit="word"),
        lambda: max_length(),
    ],
)
def test_wrong_limits(make):
    with pytest.raises(ScorerError):
        make()


def test_a_tokeniser_that_gives_nothing_countable():
    with pytest.raises(ScorerError, match="returned NoneType"):
        max_length(3, unit=lambda text: None)(output="abc")


@pytest.mark.parametrize(
    ("options", "output", "found"),
    [
        ({}, "A class act", '"class"'),
        ({}, "CLASS", '"CLASS"'),
        ({}, "classic", None),
        ({}, "Über alles", '"Über"'),
        ({}, "übermäßig", None),
        ({}, "as an\n  AI model", '"as an\\n  AI model"'),
        ({}, "c++ rules", '"c++"'),
        ({"ignore_case": False}, "CLASS", None),
        ({"whole_words": False}, "classic", '"class"'),
        ({"whole_words": False}, "内容禁止です", '"禁止"'),
        ({}, "", None),
    ],
)
def test_forbidden_words(judge, options, output, found):
    words = ["class", "über", "as an AI model", "c++", "禁止"]
    score = judge(forbidden_words(words, **options), output)
    assert score.passed is (found is None)
    assert score.explanation == (f"says {found}" if found else None)


def test_each_word_is_named_once(judge):
    assert judge(forbidden_words(["a", "b"]), "a b a A").explanation == 'says "a", "b", "A"'


def test_no_output_says_nothing(judge):
    assert judge(forbidden_words(["x"]), None).status == "unscored"


@pytest.mark.parametrize("words", ["word", [], [""], [5]])
def test_wrong_word_lists(words):
    with pytest.raises(ScorerError):
        forbidden_words(words)
