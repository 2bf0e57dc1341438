"""regex: RE2 by default, Python's engine in a process that can be killed."""

import time

import pytest

from evalkit.errors import ScorerError
from evalkit_scorers import regex


@pytest.mark.parametrize("engine", ["re2", "python"])
@pytest.mark.parametrize(
    ("pattern", "options", "output", "passes"),
    [
        ("b+", {}, "abbc", True),
        ("b+", {"match": "start"}, "abbc", False),
        ("ab+", {"match": "start"}, "abbc", True),
        ("ab+", {"match": "full"}, "abbc", False),
        ("ab+c", {"match": "full"}, "abbc", True),
        ("^b$", {}, "a\nb\nc", False),
        ("^b$", {"multiline": True}, "a\nb\nc", True),
        ("a.b", {}, "a\nb", False),
        ("a.b", {"dotall": True}, "a\nb", True),
        ("PARIS", {"ignore_case": True}, "in paris", True),
        ("é", {}, "café", True),
        ("x", {}, "", False),
        ("^$", {}, "", True),
    ],
)
def test_both_engines_agree(judge, engine, pattern, options, output, passes):
    assert judge(regex(pattern, engine=engine, **options), output).passed is passes


def test_no_output_is_a_miss_and_a_lone_surrogate_is_no_crash(judge):
    assert judge(regex("x"), None).passed is False
    assert judge(regex("b"), "a\ud800b").passed is True


def test_a_pattern_that_is_slow_elsewhere_is_quick_here(judge):
    # With Python's own engine this would not end before the sun does.
    assert judge(regex("(a+)+$"), "a" * 100_000 + "b").passed is False


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(?<!a)b", r"(a)\1"])
def test_what_re2_lacks_is_refused_with_the_way_out(pattern):
    with pytest.raises(ScorerError) as caught:
        regex(pattern)
    assert 'engine="python"' in str(caught.value)
    assert "test_regex_scorer.py:" in caught.value.where


def test_look_around_works_in_the_other_engine(judge):
    scorer = regex(r"(?<!not )good", engine="python")
    assert judge(scorer, "it is good").passed is True
    assert judge(scorer, "it is not good").passed is False
    assert scorer.blocking, "a process is waited for in a thread"


def test_a_match_that_never_ends_is_stopped():
    scorer = regex("(a+)+$", engine="python", timeout=0.5)
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"longer than 0\.5 s on 41 characters"):
        scorer(output="a" * 40 + "b")
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("engine", ["re2", "python"])
@pytest.mark.parametrize("pattern", ["(a", "*", "[z-a]"])
def test_what_is_no_pattern_at_all(pattern, engine):
    with pytest.raises(ScorerError, match="no regular expression"):
        regex(pattern, engine=engine)


@pytest.mark.parametrize(
    "make",
    [
        lambda: regex(),
        lambda: regex(""),
        lambda: regex(None),
        lambda: regex("x", engine="pcre"),
        lambda: regex("x", match="anywhere"),
        lambda: regex("x", timeout=0),
        lambda: regex("x", ignorecase=True),
    ],
)
def test_wrong_regex_options(make):
    with pytest.raises(ScorerError):
        make()
