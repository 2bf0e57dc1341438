"""Recorded exchanges are kept by key, found again, counted, and taken out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.canonical import new_id
from evalkit.exchange import Exchange, exchange_key
from evalkit.store import Store

AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
anything = st.text(st.characters(exclude_categories=()), max_size=30)


def exchange(request: str = "{}", *, url: str = "https://host/v1/chat", trial: int = 1, **changes: Any) -> Exchange:
    base = Exchange(
        key=exchange_key(method="POST", url=url, request=request, trial=trial),
        method="POST",
        url=url,
        request=request,
        trial=trial,
        body='{"answer": 42}',
        recorded_at=AT,
        model="m",
        suite="s",
        case_id="c",
    )
    return dataclasses.replace(base, **changes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.builds(
        Exchange,
        key=st.builds(new_id),
        method=st.sampled_from(["GET", "POST"]),
        url=anything,
        request=anything,
        trial=st.integers(1, 10**6),
        occurrence=st.integers(1, 10**6),
        status=st.integers(100, 599),
        content_type=anything,
        stream=st.booleans(),
        body=anything | st.just("long \x00 \ud800" * 3000),
        encoding=st.sampled_from(["text", "base64"]),
        recorded_at=st.datetimes(min_value=dt.datetime(1970, 1, 2), timezones=st.just(dt.UTC)),  # noqa: DTZ001
        duration=st.floats(0, 1e9),
        model=st.none() | anything,
        suite=anything,
        case_id=anything,
    )
)
def test_an_exchange_comes_back_as_it_was(store: Store, made: Exchange) -> None:
    store.exchanges.put([made])
    assert store.exchanges.get(made.key) == made


def test_every_field_is_tried() -> None:
    import inspect

    source = inspect.getsource(inspect.getmodule(test_every_field_is_tried))  # type: ignore[arg-type] # it is in a module
    for field in dataclasses.fields(Exchange):
        assert f"        {field.name}=" in source


def test_what_is_not_there(store: Store) -> None:
    assert store.exchanges.get("0" * 64) is None
    assert store.exchanges.alike(method="POST", url="x") == []
    assert store.exchanges.stats() == []
    assert list(store.exchanges.all()) == []
    assert store.exchanges.place == store.url


def test_a_later_one_takes_the_place_of_an_earlier(store: Store) -> None:
    store.exchanges.put([exchange(body="old"), exchange(body="new")])
    found = store.exchanges.get(exchange().key)
    assert found is not None
    assert found.body == "new"
    assert store.exchanges.stats()[0].exchanges == 1


def test_those_alike_come_with_the_same_url_first_and_the_newest_first(store: Store) -> None:
    made = [
        exchange("1", url="https://host/other", recorded_at=AT + dt.timedelta(hours=9)),
        exchange("2"),
        exchange("3", recorded_at=AT + dt.timedelta(hours=1)),
        dataclasses.replace(exchange("4"), method="GET", key="g"),
    ]
    store.exchanges.put(made)
    found = store.exchanges.alike(method="POST", url="https://host/v1/chat")
    assert [one.request for one in found] == ["3", "2", "1"]


def test_how_much_there_is(store: Store) -> None:
    store.exchanges.put([exchange(str(i), body="x" * 1000) for i in range(5)])
    store.exchanges.put([exchange("big", model=None, recorded_at=AT + dt.timedelta(days=1))])
    with_model, without = sorted(store.exchanges.stats(), key=lambda one: one.model is None)
    assert (with_model.exchanges, with_model.size, with_model.model) == (5, 5 * 1001, "m")
    assert with_model.stored < 5 * 100
    assert (without.first, without.last) == (AT + dt.timedelta(days=1),) * 2


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({}, set()),
        ({"before": AT + dt.timedelta(hours=1)}, {"late"}),
        ({"suite": "s"}, {"of t"}),
        ({"model": "m", "suite": "s"}, {"of t", "other"}),
        ({"keep": [exchange("early").key]}, {"early"}),
    ],
)
def test_some_are_taken_out(store: Store, which: dict[str, Any], left: set[str]) -> None:
    made = [
        exchange("early"),
        exchange("late", recorded_at=AT + dt.timedelta(hours=2)),
        exchange("of t", suite="t"),
        exchange("other", model="n"),
    ]
    store.exchanges.put(made)
    assert store.exchanges.prune(**which) == len(made) - len(left)
    assert {one.request for one in store.exchanges.all()} == left


def test_all_of_them_in_one_order(store: Store) -> None:
    made = [exchange(f"{i}", trial=1 + i % 3, case_id=f"c{i % 50:02}") for i in range(450)]
    store.exchanges.put(made)
    found = list(store.exchanges.all())
    assert sorted(one.key for one in found) == sorted(one.key for one in made)
    assert [(one.case_id, one.trial) for one in found] == sorted((one.case_id, one.trial) for one in made)
