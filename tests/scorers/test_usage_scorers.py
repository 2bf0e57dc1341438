"""latency, tokens, cost: from the trace, and never 0 where nothing is known."""

from decimal import Decimal

import pytest

from evalkit.errors import ScorerError
from evalkit.trial import Output, Usage
from evalkit_scorers import cost, latency, tokens

KNOWN = Output(latency=1.5, usage=Usage(input_tokens=100, output_tokens=20, cost=Decimal("0.0123")))


@pytest.mark.parametrize(
    ("scorer", "value"),
    [(latency(), 1.5), (tokens(), 120), (tokens("input"), 100), (tokens("output"), 20), (cost(), 0.0123)],
)
def test_what_was_used(judge, scorer, value):
    score = judge(scorer, trace=KNOWN)
    assert (score.value, score.passed) == (value, None)


@pytest.mark.parametrize("scorer", [latency(), tokens(), tokens("input"), tokens("output"), cost()])
@pytest.mark.parametrize("trace", [Output(), Output(usage=Usage())])
def test_unknown_is_unscored(judge, scorer, trace):
    score = judge(scorer, trace=trace)
    assert (score.status, score.value) == ("unscored", None)
    assert "unknown" in score.explanation


def test_half_known_tokens_have_no_total(judge):
    trace = Output(usage=Usage(input_tokens=5))
    assert judge(tokens(), trace=trace).status == "unscored"
    assert judge(tokens("input"), trace=trace).value == 5


def test_a_known_zero_is_a_zero(judge):
    assert judge(cost(), trace=Output(usage=Usage(cost=Decimal(0)))).value == 0.0


def test_limits_are_pass_marks(judge):
    assert judge(latency() <= 1.5, trace=KNOWN).passed is True
    assert judge(latency() < 1.5, trace=KNOWN).passed is False
    assert judge(cost() <= 0.01, trace=KNOWN).passed is False
    assert judge(tokens("output") <= 20, trace=KNOWN).passed is True
    assert judge(cost() <= 0.01, trace=Output()).passed is None


def test_an_unknown_kind_of_tokens():
    with pytest.raises(ScorerError, match="Did you mean"):
        tokens("inputs")
