"""multiple_choice: each rule, and what no rule settles."""

import pytest

from evalkit.errors import ScorerError
from evalkit_scorers import multiple_choice


@pytest.mark.parametrize(
    ("output", "letter"),
    [
        # 1: the letter alone
        ("B", "B"),
        ("b", "B"),
        (" (B)\n", "B"),
        ("**B.**", "B"),
        ("[b]", "B"),
        ("B:", "B"),
        # 2: written as an option at the beginning
        ("B) Paris", "B"),
        ("(B) Paris", "B"),
        ("B. Paris, because A is too far north", "B"),
        ("B: Paris\nA good choice.", "B"),
        # 3: said to be the answer
        ("The answer is (C).", "C"),
        ("The answer is A because it is", "A"),
        ("Answer: D because", "D"),
        ("Answer: **D**", "D"),
        ("A is wrong, so the answer is B", "B"),
        ("At first the answer is A. No: the correct option is B", "B"),
        ("I choose option C", "C"),
        (r"Therefore \boxed{C}", "C"),
        (r"$\boxed{\text{C}}$", "C"),
        # options repeated, then one chosen
        ("A. x\nB. y\nC. z\nThe correct option is B", "B"),
        # 4: the last one in brackets
        ("Not (A), so it has to be (B)", "B"),
        # 5: the only one that stands alone
        ("I would go with E", "E"),
        ("A good question. It is C.", "C"),
        # nothing to find
        ("", None),
        ("none of them", None),
        ("So B or C", None),
        ("A cab", None),
        ("BBC", None),
        ("vitamin-B", None),
        ("the answer is a mystery", None),
        ("F", None),
    ],
)
def test_the_letter_that_was_chosen(judge, output, letter):
    score = judge(multiple_choice(), output, letter or "A")
    assert score.label == letter
    assert score.passed is (letter is not None)


def test_a_wrong_choice_keeps_its_letter_for_the_report(judge):
    score = judge(multiple_choice(), "The answer is C", "B")
    assert (score.passed, score.label, score.explanation) == (False, "C", "expected B, found C")


@pytest.mark.parametrize("expected", ["B", "b", "(B)", "B) Paris", 1])
def test_ways_to_write_the_expected_option(judge, expected):
    assert judge(multiple_choice(), "B", expected).passed


@pytest.mark.parametrize("expected", ["Z", "", 9, -1, True, 1.5])
def test_an_expected_option_that_does_not_exist_is_an_error(expected):
    with pytest.raises(ValueError, match="none of the options"):
        multiple_choice()(output="B", expected=expected)


def test_other_letters_a_marker_and_no_output(judge):
    assert judge(multiple_choice(options="1234"), "The answer is 3", "3").passed
    assert judge(multiple_choice(after="Final:"), "The answer is A. Final: B", "B").passed
    assert judge(multiple_choice(after="Final:"), "B", "B").passed is False
    assert judge(multiple_choice(), None, "B").passed is False
    assert judge(multiple_choice(), "B", None).status == "unscored"


@pytest.mark.parametrize("options", ["", "A", "ABA", "A,B", None, ["A", "B"]])
def test_options_that_are_none(options):
    with pytest.raises(ScorerError):
        multiple_choice(options=options)
