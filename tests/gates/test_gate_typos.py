"""A line that is no gate gets what was seen, the place, and what to write instead."""

from __future__ import annotations

import pytest

from evalkit.errors import GateError
from evalkit.gates import parse


def _refusal(text):
    with pytest.raises(GateError) as caught:
        parse(text, where="evals/test_it.py:7")
    assert str(caught.value).startswith("evals/test_it.py:7: ")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said", "under"),
    [
        ("accuracy => 0.9", "Did you mean >=?", "=>"),
        ("accuracy == 0.9", "Did you mean >=?", "=="),
        ("accuracy 0.9", "expected >=, >, <= or <", "0.9"),
        ("accuracy >= high", 'expected a number, saw "high"', "high"),
        ("accuracy >= 0.9 pct", 'no unit "pct"', "pct"),
        ("accuracy >= 1,000", "no commas", ",000"),
        ("accuracy.meen >= 0.9", 'Did you mean "mean"', ".meen"),
        ("p9x(latency) <= 3s", 'no statistic "p9x"', "p9x"),
        ("p100(latency) <= 3s", 'no statistic "p100"', "p100"),
        ("latency.p0 <= 3s", 'no statistic "p0"', ".p0"),
        ("p95(latency <= 3s", "bracket after p95 is not closed", "<="),
        ("accuracy[lang=de >= 1", "the slice is not closed", ""),
        ("accuracy[] >= 1", "expected a tag", "]"),
        ("accuracy >= 0.9 @ 0.95", "Did you mean @ 95%?", "0.95"),
        ("accuracy >= 0.9 @ 40%", "between 50% and 100%", "40%"),
        ("accuracy >= 0.9 @ 100%", "between 50% and 100%", "100%"),
        ("accuracy >= 0.9 @ 95% please", 'after the gate there is "please"', "please"),
        (">= 0.9", "expected the name of a metric", ">="),
        ('"accuracy >= 0.9', "the quotes are not closed", '"acc'),
        ('"" >= 0.9', "the name of a metric is empty", '""'),
        ('judge("").kappa >= 0.4', "the name of a metric is empty", '""'),
        ("accuracy.p95.mean >= 0.9", "one statistic", ".mean"),
        ("accuracy not worse then baseline", "none of the three", "not worse"),
        ("accuracy better than last @ 95%", 'expected the word "baseline"', "last"),
        ("accuracy.mcc[lang=de] >= 0.5", "A slice comes right after the metric", "[lang=de]"),
        ("p95(latency)[lang=de] <= 3s", "A slice comes right after the metric", "[lang=de]"),
        ("accuracy @ 95% >= 0.5", "The level comes last", "@"),
        ("judge(helpful).kapa >= 0.4", 'Did you mean "kappa"', ".kapa"),
    ],
)
def test_the_caret_stands_under_the_mistake(text, said, under):
    refusal = _refusal(text)
    assert said in refusal
    line, caret = refusal.splitlines()[1:3]
    assert line[caret.index("^") :].startswith(under)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the line is empty"),
        ("errors <= 5", "Did you mean 5%?"),
        ("accuracy.rate >= 90", "Did you mean 90%?"),
        ("errors.p95 <= 5%", "nothing but its rate"),
        ("latency <= 5%", "in s or ms"),
        ("accuracy >= 3s", "a plain number or a percentage"),
        ("cost <= 3s", "in $"),
        ("latency.rate >= 0.9", "latency is measured, so it has no rate"),
        ("cost <= 1 @ 95%", "is a fact and has no interval"),
        ("max(latency) <= 3s @ 95%", "no interval"),
        ("each case: accuracy >= 1 @ 95%", "no level to ask for"),
        ("each case: accuracy.mean >= 1", "takes no statistic"),
        ("accuracy.ci_low <= 0.9", "Use ci_low with >="),
        ("accuracy.ci_high >= 0.9", "ci_high with <="),
        ("accuracy not worse than baseline @ 95%", "no finite number of cases"),
        ("accuracy not worse than baseline by 0.02", "Add @ 95%"),
        ("accuracy not worse than baseline by -0.02 @ 95%", "cannot be negative"),
        ("accuracy no regression vs baseline by 0.1", "takes no margin"),
        ("each case: accuracy better than baseline @ 95%", "do not go together"),
    ],
)
def test_a_line_that_reads_well_and_means_nothing(text, said):
    assert said in _refusal(text)


def test_examples_are_offered_where_nothing_nearer_is_known():
    assert "p95(latency) <= 3s" in _refusal("accuracy")


def test_a_gate_that_is_no_text():
    with pytest.raises(GateError, match="A gate is a line of text, not float"):
        parse(0.9)
