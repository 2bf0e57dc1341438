"""Every line of the grammar is read as it is meant, and is written back as it was read."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import GateError
from evalkit.gates import Baseline, Gate, parse
from evalkit.gates.meaning import mistake


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("accuracy >= 0.9", {"metric": "accuracy", "operator": ">=", "threshold": Decimal("0.9")}),
        ("accuracy > 90%", {"operator": ">", "threshold": Decimal(90), "unit": "%"}),
        ("accuracy >= 0.9 @ 95%", {"level": Decimal(95)}),
        ("accuracy >= 0.9 @ 97.5", {"level": Decimal("97.5")}),
        ("accuracy ≥ .9", {"operator": ">=", "threshold": Decimal("0.9")}),
        ("accuracy.rate >= 0.9", {"statistic": "rate"}),
        ("accuracy.mean >= 0.9", {"statistic": "mean"}),
        ("p95(latency) <= 3s", {"metric": "latency", "statistic": "p95", "threshold": Decimal(3), "unit": "s"}),
        ("latency.p99.9 < 300ms", {"statistic": "p99.9", "operator": "<", "unit": "ms"}),
        ("min(accuracy) >= 0", {"metric": "accuracy", "statistic": "min"}),
        ("median( accuracy ) >= 0", {"statistic": "median"}),
        ("cost <= 0.50", {"metric": "cost", "statistic": None, "threshold": Decimal("0.5")}),
        ("cost <= $0.50", {"unit": "$"}),
        ("cost <= 0.50 USD", {"unit": "$"}),
        ("output_tokens.p95 <= 500 tokens", {"unit": "tokens"}),
        ("input_tokens <= 1_000", {"threshold": Decimal(1000)}),
        ("accuracy[lang=de] >= 0.85", {"slice": ("lang", "de")}),
        ("accuracy[ lang = de ] >= 0.85", {"slice": ("lang", "de")}),
        ('accuracy["two words"="a]b"] >= 0.85', {"slice": ("two words", "a]b")}),
        ("accuracy[hard] >= 0.5", {"slice": ("tag", "hard")}),
        ("p95(latency[lang=de]) <= 3s", {"slice": ("lang", "de"), "statistic": "p95"}),
        ("each case: accuracy >= 1", {"each": True}),
        ("delta >= -0.5", {"threshold": Decimal("-0.5")}),
        ('"f1 score" >= 0.5', {"metric": "f1 score"}),
        ('"rubric.tone".p95 >= 0.5', {"metric": "rubric.tone", "statistic": "p95"}),
        ("bleu-4/strict >= 0.5", {"metric": "bleu-4/strict"}),
        ("genauigkeit_für_a >= 0.5", {"metric": "genauigkeit_für_a"}),
        ("pass^3 >= 0.8", {"metric": "", "statistic": "pass^3"}),
        ("pass@5(accuracy) >= 0.8 @ 95%", {"metric": "accuracy", "statistic": "pass@5"}),
        ("flake_rate <= 0.05", {"metric": "", "statistic": "flake_rate"}),
        ("accuracy.corrected >= 0.85 @ 95%", {"statistic": "corrected"}),
        ("judge(helpful).kappa >= 0.4 @ 95%", {"metric": "helpful", "statistic": "kappa", "judge": True}),
        (
            "accuracy not worse than baseline by 0.02 @ 95%",
            {"baseline": Baseline(claim="not worse", margin=Decimal("0.02")), "level": Decimal(95)},
        ),
        (
            "cost.mean not worse than baseline by 10% @ 90%",
            {"statistic": "mean", "baseline": Baseline(claim="not worse", margin=Decimal(10), relative=True)},
        ),
        ("accuracy no regression vs baseline", {"baseline": Baseline(claim="no regression"), "level": None}),
        ("accuracy no regression vs baseline 01a2-4f", {"baseline": Baseline(claim="no regression", run="01a2-4f")}),
        (
            "accuracy better than baseline sums@last @ 95%",
            {"baseline": Baseline(claim="better", run="sums@last"), "level": Decimal(95)},
        ),
        ("accuracy better than baseline nightly @ 95%", {"baseline": Baseline(claim="better", run="nightly")}),
        (
            "accuracy better than baseline by 0.01 @ 95%",
            {"baseline": Baseline(claim="better", margin=Decimal("0.01"))},
        ),
    ],
)
def test_a_line_is_read_as_it_is_meant(text, fields):
    gate = parse(text)
    assert {name: getattr(gate, name) for name in fields} == fields
    assert parse(str(gate)) == gate


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("accuracy.ci_low >= 0.85", "accuracy >= 0.85 @ 95%"),
        ("accuracy.ci_low >= 0.85 @ 90%", "accuracy >= 0.85 @ 90%"),
        ("latency.p95.ci_high <= 3s", "p95(latency) <= 3s @ 95%"),
        ("latency.p95 <= 3s", "p95(latency) <= 3s"),
        ("accuracy.p50 >= 0.5", "p50(accuracy) >= 0.5"),
        ("accuracy[tag=hard] >= 0.5", "accuracy[hard] >= 0.5"),
        ("accuracy>=.9@95%", "accuracy >= 0.9 @ 95%"),
    ],
)
def test_two_ways_to_say_the_same(written, same):
    assert parse(written) == parse(same)
    assert str(parse(written)) == same


def test_the_digits_are_kept_as_written():
    assert str(parse("numeric_match >= 0.50 @ 95%")) == "numeric_match >= 0.50 @ 95%"
    assert parse("numeric_match >= 0.50") == parse("numeric_match >= 0.5")


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("accuracy >= 90%", Fraction(9, 10)),
        ("latency <= 300ms", Fraction(3, 10)),
        ("cost <= $0.50", Fraction(1, 2)),
        ("accuracy >= 0.1", Fraction(1, 10)),
    ],
)
def test_units_are_exact(text, bound):
    assert parse(text).bound == bound


@pytest.mark.parametrize(
    ("text", "statistic"),
    [("accuracy >= 1", "mean"), ("errors <= 1%", "rate"), ("cost <= 1", "sum"), ("latency <= 1s", "mean")],
)
def test_the_statistic_of_a_bare_name(text, statistic):
    assert parse(text).reduces_by == statistic


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    str.strip
)
NAMES = st.one_of(
    st.sampled_from(["accuracy", "latency", "cost", "errors", "output_tokens", "flake_rate", "by"]), WORDS
)
NUMBERS = st.decimals(-1000, 1000, places=4)


@st.composite
def gates(draw):
    statistic = draw(
        st.sampled_from(
            [
                None,
                "mean",
                "rate",
                "min",
                "max",
                "median",
                "sum",
                "p5",
                "p99.9",
                "pass^2",
                "pass@3",
                "flake_rate",
                "case_min",
            ]
        )
    )
    gate = Gate(
        metric=draw(NAMES),
        statistic=statistic,
        operator=draw(st.sampled_from([">=", ">", "<=", "<"])),
        threshold=draw(NUMBERS),
        unit=draw(st.sampled_from(["", "%", "s", "ms", "$", "tokens"])),
        level=draw(st.none() | st.decimals("50.5", "99.9", places=1)),
        slice=draw(st.none() | st.tuples(st.sampled_from(["tag", "lang", "a key"]) | WORDS, WORDS)),
        each=draw(st.booleans()) and statistic is None,
    )
    if draw(st.booleans()):
        claim = draw(st.sampled_from(["not worse", "better", "no regression"]))
        margin = draw(st.none() | st.decimals(0, 100, places=3))
        gate = Gate(
            metric=gate.metric,
            statistic=statistic,
            level=gate.level,
            slice=gate.slice,
            baseline=Baseline(
                claim=claim,
                run=draw(st.just("") | WORDS),
                margin=margin,
                relative=margin is not None and draw(st.booleans()),
            ),
        )
    return gate


@given(gates())
def test_a_gate_that_is_written_is_read_as_the_same_gate(gate):
    if mistake(gate) is not None:
        with pytest.raises(GateError):
            parse(str(gate))
        return
    again = parse(str(gate))
    assert again == gate
    assert str(again) == str(gate)


@given(st.text(max_size=60))
def test_any_text_is_a_gate_or_a_clear_refusal(text):
    try:
        gate = parse(text)
    except GateError:
        with pytest.raises(GateError, match="gate") as caught:
            parse(text)
        assert caught.value.hint
    else:
        assert parse(str(gate)) == gate
