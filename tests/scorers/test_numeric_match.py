"""numeric_match: which number is read, and when two are the same."""

import decimal
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ScorerError
from evalkit_scorers import numeric_match
from evalkit_scorers.numerals import Numerals


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("18", ["18"]),
        ("18.", ["18"]),
        ("18.50 dollars", ["18.50"]),
        ("1,234,567.5", ["1234567.5"]),
        ("1_000 and 1'000 and 1\u00a0000", ["1000", "1000", "1000"]),
        ("1,2,3", ["1", "2", "3"]),
        ("1,2345", ["1", "2345"]),
        ("-5 and −5", ["-5", "-5"]),
        ("$5, -$5, $-5, US$5, € 5", ["5", "-5", "-5", "5", "5"]),
        ("16 - 3 = 13", ["16", "3", "13"]),
        ("16-3=13", ["16", "3", "13"]),
        ("<<16-3=13>>13", ["16", "3", "13", "13"]),
        ("10-20", ["10", "20"]),
        ("50% or 50 percent", ["50", "50"]),
        (".5", ["0.5"]),
        ("1.5e-3 and 2E+4", ["0.0015", "2E+4"]),
        ("3 × 10^8, 3 x 10**8, 3·10⁸", ["3E+8", "3E+8", "3E+8"]),
        (r"3 \times 10^{-8}", ["3E-8"]),
        ("2 x 10", ["2", "10"]),
        ("3/4", ["0.75"]),
        ("1 1/2 cups", ["1.5"]),
        ("½ or 1½", ["0.5", "1.5"]),
        ("3/4/2026", ["3", "4", "2026"]),
        ("1/0", ["1", "0"]),
        ("GPT4 and GPT-5 and H2O", ["5"]),
        ("v1.2.3", []),
        ("答えは18です", ["18"]),
        ("١٨", ["18"]),
        ("", []),
        ("no number", []),
        ("five", []),
        ("**18**", ["18"]),
        (r"\boxed{18}", ["18"]),
    ],
)
def test_numbers_are_read_as_people_write_them(text, numbers):
    found = list(Numerals().numbers_in(text))
    assert found == [decimal.Decimal(number) for number in numbers]
    assert Numerals().last_in(text) == (found[-1] if found else None)


def test_a_decimal_comma():
    numerals = Numerals(decimal=",")
    assert [str(number) for number in numerals.numbers_in("1.234,5 und 0,7 und 2.000")] == ["1234.5", "0.7", "2000"]


@pytest.mark.parametrize(
    ("options", "output", "expected", "passes"),
    [
        ({}, "so 16 - 3 = 13", "13", True),
        ({}, "13 eggs", 13, True),
        ({}, "13.0", 13, True),
        ({}, "1.3e1", 13, True),
        ({}, "$1,300.00", "1300", True),
        ({}, "13", "13 eggs", True),
        ({}, 13, "13", True),
        ({}, 0.1, "0.1", True),
        ({}, "0.1", 0.1, True),
        ({}, decimal.Decimal("0.10"), 0.1, True),
        ({}, "0.30000000000000004", 0.3, False),
        ({}, "14", 13, False),
        ({}, "", 13, False),
        ({}, "none", 13, False),
        ({}, None, 13, False),
        ({}, math.nan, 13, False),
        ({}, math.inf, 13, False),
        ({}, "-13", 13, False),
        ({"abs_tol": 0.5}, "13.5", 13, True),
        ({"abs_tol": 0.5}, "13.51", 13, False),
        ({"rel_tol": 0.01}, "101", 100, True),
        ({"rel_tol": 0.01}, "101.01", 100, False),
        ({"rel_tol": 0.01}, "-101", -100, True),
        ({"abs_tol": 0.01}, "0.333", "1/3", True),
        ({}, "2/6", "1/3", True),
        ({"fractions": False}, "3/4", 4, True),
        ({"after": "A: "}, "A: 12\nA: 13", 13, True),
        ({"after": "A: "}, "13", 13, False),
        ({"pick": "first"}, "13 of 20", 13, True),
        ({"pick": "only"}, "13", 13, True),
        ({"pick": "only"}, "13 of 20", 20, False),
        ({}, "50%", 50, True),
        ({"percent": "hundredths"}, "50%", 0.5, True),
        ({"percent": "hundredths"}, "50 %", "1/2", True),
        ({"units": {"km": 1000, "m": 1}}, "5 km", "5000 m", True),
        ({"units": {"km": 1000, "m": 1}}, "5km", 5000, True),
        ({"units": {"km": 1000, "m": 1}}, "5 miles", 5, True),
        ({"units": {"thousand": 1e3, "million": 1e6}}, "2.5 million", 2_500_000, True),
        ({"decimal": ","}, "1.234,5", "1.234,5", True),
        ({"decimal": ","}, "1.234,5", 1234.5, True),
        ({}, "1e999999", "1e999998", False),
        ({}, "9" * 5000, "9" * 5000, True),
        ({}, "9" * 5000 + "8", "9" * 5001, False),
    ],
)
def test_numeric_match(judge, options, output, expected, passes):
    assert judge(numeric_match(**options), output, expected).passed is passes


def test_a_miss_says_both_numbers(judge):
    assert judge(numeric_match(), "A: 26", "18").explanation == "expected 18, found 26"
    assert judge(numeric_match(), "none", "18").explanation == "expected 18, found no number"
    assert judge(numeric_match(pick="only"), "1 2", "18").explanation == "expected 18, found more than one number"
    assert judge(numeric_match(after="A: "), "26", "18").explanation == '"A: " is not in the output'


def test_an_expected_value_without_a_number_is_an_error_and_not_a_wrong_answer():
    with pytest.raises(ValueError, match="has no number"):
        numeric_match()(output="5", expected="five")
    with pytest.raises(TypeError, match="given bool"):
        numeric_match()(output=True, expected=1)
    with pytest.raises(TypeError, match="given list"):
        numeric_match()(output="1", expected=[1])


@pytest.mark.parametrize(
    "make",
    [
        lambda: numeric_match(abs_tol=-1),
        lambda: numeric_match(rel_tol=math.nan),
        lambda: numeric_match(abs_tol="1"),
        lambda: numeric_match(pick="middle"),
        lambda: numeric_match(decimal=";"),
        lambda: numeric_match(percent="half"),
        lambda: numeric_match(after=""),
        lambda: numeric_match(units={"km": 0}),
        lambda: numeric_match(units={"": 1}),
        lambda: numeric_match(tolerance=1),
    ],
)
def test_wrong_options_are_refused(make):
    with pytest.raises(ScorerError):
        make()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_every_decimal_is_read_back_from_its_text(number):
    assert numeric_match()(output=f"so it is {number:f}.", expected=number) is True


@given(st.integers(), st.integers(min_value=0, max_value=10**6), st.floats(0, 1))
def test_within_the_tolerance_passes_and_outside_does_not(expected, distance, tolerance):
    passed = numeric_match(abs_tol=tolerance)(output=expected + distance, expected=expected) is True
    assert passed is (distance <= tolerance)


@given(st.text())
def test_no_text_makes_it_raise(text):
    numeric_match()(output=text, expected=1)


@given(st.integers(min_value=0, max_value=10**15))
def test_thousands_separators_do_not_matter(number):
    assert numeric_match()(output=f"{number:,}", expected=number) is True
    assert numeric_match()(output=f"{number:_}", expected=number) is True
