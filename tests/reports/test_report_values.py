"""How long a value may be in a page, where all values together would be too much."""

from __future__ import annotations

import pytest

from evalkit_reports import values
from evalkit_reports.values import Values


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(values, "LIMITS", (1000, 100, 10))
    monkeypatch.setattr(values, "BUDGET", 5000)


def test_nothing_is_asked_for_while_there_is_room():
    told = Values(1000)
    assert told.of("x" * 1500) == ["cut", "x" * 1000, 1500]
    assert told.of("x" * 900) == "x" * 900
    assert told.cut == 1
    assert told.stricter() is None
    assert told.limit == 1000


def test_too_much_begins_anew_under_the_highest_limit_that_would_do():
    told = Values(1000)
    for _ in range(6):
        told.of("x" * 900)
    assert told.stricter() == 100


def test_where_none_would_do_the_last_is_left():
    told = Values(1000)
    for _ in range(600):
        told.of("x" * 900)
    assert told.stricter() == 10
    last = Values(10)
    for _ in range(600):
        last.of("x" * 900)
    assert last.stricter() is None
    assert last.cut == 600


def test_values_that_no_limit_would_cut_are_not_made_again():
    told = Values(1000)
    for _ in range(501):
        told.of("x" * 10)
    assert told.stricter() is None, "all of them are as short as they can be"
    assert told.limit == 10, "and those that come are held to it"
    assert told.of({"a": "x" * 10}) == ["cut", '{"a":"xxxx', 18]
    assert told.cut == 1


def test_json_that_is_text_already_is_told_as_the_value_is():
    told = Values(1000)
    assert told.json(values.json_text({"a": [1, "ä"]})) == told.of({"a": [1, "ä"]}) == ["json", '{"a":[1,"ä"]}']
