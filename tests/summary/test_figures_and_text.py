"""Numbers with their units, and text cut and wrapped by what a terminal shows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit import grid
from evalkit.figures import count, duration, figure, interval
from evalkit.plaintext import cells, clean, fitted, padded, wrapped


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.925, "", "0.925"),
        (1.0, "", "1.000"),
        (0.9996, "", "0.9996"),
        (0.00004, "", "0.00004"),
        (0.0, "", "0.000"),
        (12.34, "", "12.3"),
        (1234.5, "", "1,234"),
        (None, "", "–"),
        (None, "s", "–"),
        (0.0, "s", "0 s"),
        (0.000011, "s", "11 µs"),
        (0.0021, "s", "2.1 ms"),
        (0.0855, "s", "86 ms"),
        (1.239, "s", "1.24 s"),
        (12.34, "s", "12.3 s"),
        (123.4, "s", "123 s"),
        (0.0132, "$", "$0.0132"),
        (0.0001654, "$", "$0.0001654"),
        (0.000005423, "$", "$0.00000542"),
        (0.0000045, "$", "$0.0000045"),
        (12.5, "$", "$12.50"),
        (1204.0, "tokens", "1,204"),
        (3.0, "points", "3.000 points"),
    ],
)
def test_a_number_is_shown_with_its_unit(value: float | None, unit: str, shown: str) -> None:
    assert figure(value, unit) == shown


@settings(deadline=None)
@given(st.floats(0, 1))
def test_a_share_is_shown_as_0_or_1_only_when_it_is(share: float) -> None:
    assert (figure(share) in ("0.000", "1.000")) == (share in (0.0, 1.0))


def test_an_interval_names_its_unit_once() -> None:
    assert interval(0.1, 0.2, "s") == "100–200 ms"
    assert interval(0.8, 1.2, "s") == "800 ms–1.20 s"
    assert interval(0.3, None, "s") == "300 ms–?"
    assert interval(None, None) == ""


def test_durations_and_counts() -> None:
    assert [duration(s) for s in (0.04, 12.4, 200, 3900)] == ["0.0 s", "12 s", "3 min 20 s", "1 h 5 min"]
    assert [count(n, "case") for n in (0, 1, 1204)] == ["0 cases", "1 case", "1,204 cases"]


@settings(deadline=None)
@given(st.text(), st.integers(1, 30))
def test_fitted_text_fits(text: str, width: int) -> None:
    shown = clean(text)
    assert cells(fitted(shown, width)) <= width
    if cells(shown) <= width:
        assert fitted(shown, width) == shown
        assert cells(padded(shown, width)) == width


@settings(deadline=None)
@given(st.text(), st.integers(2, 30))
def test_wrapped_text_fits_and_loses_nothing(text: str, width: int) -> None:
    lines = wrapped(clean(text), width)
    assert lines
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())


def test_columns_give_way_in_the_order_of_the_plans() -> None:
    def plan(*titles: str, least: int | None = None) -> list[grid.Column]:
        return [grid.Column(title=title, texts=["x" * 10], least=least) for title in titles]

    plans = [plan("a", "b", "c"), plan("a", "b"), plan("a", least=4)]
    assert [column.title for column in grid.fit(plans, 34)] == ["a", "b", "c"]
    assert [column.title for column in grid.fit(plans, 33)] == ["a", "b"]
    (only,) = grid.fit(plans, 6)
    assert only.width == 6
    assert list(grid.lines([only], 0)) == ["xxxxx…"]
