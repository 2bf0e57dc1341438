"""Bars, bins and axes hold what they are given; numbers read as people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evalkit.runs import Metric, Verdict
from evalkit_reports import words
from evalkit_reports.bounds import bound_of
from evalkit_reports.charts import axis_for, histogram, label_counts, parts
from evalkit_reports.measures import Measures
from evalkit_reports.payload import preview

numbers = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(numbers, min_size=1, max_size=200))
@example([5e-324])
@example([5e-324, 1e-323])
def test_a_histogram_counts_every_value_once_within_the_axis(values: list[float]) -> None:
    made = histogram(values, "")
    assert sum(bin_.count for bin_ in made.bins) == len(values)
    assert all(bin_.left >= 0 and bin_.left + bin_.width <= 100.01 and 0 < bin_.height <= 100 for bin_ in made.bins)
    assert all(0 <= at <= 100 for _, at, _ in made.marks)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=100))
def test_the_bars_of_a_score_are_the_ranges_by_which_it_is_filtered(values: list[float]) -> None:
    for bin_ in histogram(values, "", shares=True).bins:
        inside = [v for v in values if v >= bin_.low and (bin_.below is None or v < bin_.below)]
        assert len(inside) == bin_.count


def test_latencies_over_many_powers_of_ten_get_a_logarithmic_axis() -> None:
    made = histogram([0.001, 0.01, 0.1, 1.0, 10.0], "s")
    assert made.logarithmic
    assert made.ends == ("1 ms", "10 s")
    assert not histogram([1.0, 2.0, 3.0], "s").logarithmic


@given(st.lists(numbers, min_size=1, max_size=20))
@example([5e-324])
def test_an_axis_holds_its_values(values: list[float]) -> None:
    axis = axis_for(values, "s")
    assert axis.low <= min(values)
    assert axis.high >= max(values)
    assert all(0 <= axis.at(value) <= 100 for value in values)


def test_scores_share_one_axis_and_other_quantities_have_their_own() -> None:
    assert axis_for([0.2, 0.3], "").ends == ("0", "1")
    assert axis_for([0.2, 0.3], "s").ends == ("0 s", "400 ms")
    assert axis_for([-1.0, 4.0], "").low < -1


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any))
def test_segments_fill_the_whole_and_drop_what_is_empty(amounts: list[int]) -> None:
    made = parts([(str(n), "x", amount) for n, amount in enumerate(amounts)])
    assert sum(part.width for part in made) == pytest.approx(100, abs=0.1)
    assert sum(part.count for part in made) == sum(amounts)


def test_rare_labels_are_put_together() -> None:
    shown = label_counts([str(n) for n in range(30)] + ["often"] * 5)
    assert shown[0][:2] == ("often", 5)
    assert shown[-1][0] == "21 other labels"
    assert sum(amount for _, amount, _ in shown) == 35


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (words.number(None), "–"),
        (words.number(0.92544), "0.925"),
        (words.number(1319), "1,319"),
        (words.number(0.0000032), "3.2e-06"),
        (words.number(float("inf")), "inf"),
        (words.seconds(0.00084), "840 µs"),
        (words.seconds(0.0124), "12.4 ms"),
        (words.seconds(0.9999), "1 s"),
        (words.seconds(185), "3 min 05 s"),
        (words.seconds(7800), "2 h 10 min"),
        (words.seconds(59.99), "1 min 00 s"),
        (words.dollars(Decimal("12.4")), "$12.40"),
        (words.dollars(0.0031), "$0.0031"),
        (words.dollars(0), "$0.00"),
        (words.dollars(None), "–"),
        (words.measure(0.0667, words.SHARE), "6.67%"),
        (words.measure(186.62, "tokens"), "186.6 tokens"),
        (words.interval(None, 3, "s"), "– – 3 s"),
        (words.interval(None, None, "s"), ""),
        (words.interval(181.5, 191.7, "tokens"), "181.5 – 191.7 tokens"),
        (words.share(1, 100_000), "0.1%"),
        (words.share(99_999, 100_000), "99.9%"),
        (words.share(0, 3), "0%"),
        (words.share(3, 3), "100%"),
        (words.share(1, 0), "–"),
        (words.count(1, "case"), "1 case"),
        (words.count(1200, "case"), "1,200 cases"),
    ],
)
def test_numbers_as_people_write_them(made: str, text: str) -> None:
    assert made == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"question": "Why?"}, "Why?"),
        ([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}], "Be kind."),
        ({"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]}, "Hi"),
        ({"a": 1, "b": "short", "c": "the longest text"}, "the longest text"),
        ("two\n  lines", "two lines"),
        (None, ""),
        ({}, ""),
        ([], ""),
        (17, "17"),
    ],
)
def test_a_case_is_recognised_by_its_telling_text(value: object, text: str) -> None:
    assert preview(value) == text


def test_a_value_that_holds_itself_has_a_preview() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert "too deep" in preview(loop)


def verdict(gate: str, decision: str = "pass") -> Verdict:
    return Verdict(suite="s", gate=gate, decision=decision)


@pytest.mark.parametrize(
    ("gate", "value", "statistic", "where"),
    [
        ("accuracy >= 0.9", 0.9, "mean", ()),
        ("accuracy >= 90% @ 95%", 0.9, "mean", ()),
        ("p95(latency) <= 300ms", 0.3, "p95", ()),
        ("accuracy[lang=de] >= 0.5", 0.5, "mean", (("lang", "de"),)),
        ("cost <= $2", 2.0, "sum", ()),
    ],
)
def test_the_bound_of_a_gate_is_read_in_the_metrics_unit(gate: str, value: float, statistic: str, where: tuple) -> None:
    bound = bound_of(verdict(gate))
    assert bound is not None
    assert bound.value == value
    assert bound.keys[0][1:] == (statistic, where)


@pytest.mark.parametrize(
    "gate", ["accuracy not worse than baseline by 0.02 @ 95%", "each case: accuracy >= 1", "some (newer) ~~ grammar"]
)
def test_a_gate_without_a_bound_to_draw_is_drawn_without(gate: str) -> None:
    assert bound_of(verdict(gate)) is None


def test_a_gate_stands_on_one_metric_in_its_colour() -> None:
    metrics = [
        Metric(suite="s", name="helpful", statistic="mean", value=0.7, cases=50, trials=50),
        Metric(suite="s", name="helpful", statistic="rate", value=0.9, cases=50, trials=50),
        Metric(suite="s", name="exact", statistic="rate", value=0.9, low=0.8, high=0.95, cases=50, trials=50),
    ]
    measures = Measures(
        metrics,
        [verdict("helpful >= 0.75", "fail"), verdict("exact >= 0.8"), verdict("exact >= 0.9 @ 95%", "inconclusive")],
    )
    mean, rate, exact = measures.scores()
    assert mean.bounded
    assert mean.bar is not None
    assert mean.bar.state == "fail"
    assert not rate.bounded
    assert rate.statistic == "pass rate"
    assert exact.bar is not None
    assert [tick.at for tick in exact.bar.ticks] == [80.0, 90.0]
    assert exact.bar.state == "inconclusive"
    assert "interval 0.800 – 0.950" in exact.bar.text


def test_slices_stand_lowest_first_against_the_whole() -> None:
    def metric(value: float | None, **where: str) -> Metric:
        return Metric(suite="s", name="ok", statistic="rate", value=value, cases=9, trials=9, slice=where)

    tables = Measures(
        [metric(0.5), metric(0.9, lang="de"), metric(0.1, lang="fr"), metric(None, lang="xx")], []
    ).slices()
    assert [row.value for row in tables[0].rows] == ["fr", "de", "xx"]
    bar = tables[0].rows[0].cells[0].bar
    assert bar is not None
    assert [(tick.at, tick.text) for tick in bar.ticks] == [(50.0, "whole suite")]
    assert tables[0].rows[2].cells[0].value == "–"
