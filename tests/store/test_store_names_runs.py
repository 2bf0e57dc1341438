"""Runs are listed newest first, and found by what a person calls them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from evalkit.errors import NotFound
from evalkit.runs import Verdict
from evalkit.store import Store, liveness
from evalkit.trial import Output

DAY = dt.timedelta(days=1)
THEN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


@pytest.fixture
def three(store: Store, begin: Any) -> list[str]:
    ids = ["aaaaaaaa-1111", "aaaaaaaa-2222", "bbbbbbbb-3333"]
    for day, (run_id, suite) in enumerate(zip(ids, ["math", "chat", "math"], strict=True)):
        begin(store, run_id=run_id, suite=suite, started_at=THEN + day * DAY)
    return ids


def test_an_id_its_beginning_last_and_a_suites_last(store: Store, three: list[str]) -> None:
    assert [store.resolve(run_id) for run_id in three] == three
    assert store.resolve("b") == three[2]
    assert store.resolve("AAAAAAAA-2") == three[1]
    assert store.resolve(" last ") == three[2]
    assert store.resolve("chat@last") == three[1]
    assert store.resolve("math@last") == three[2]


def test_runs_are_counted_back_from_the_last(store: Store, three: list[str]) -> None:
    assert [store.resolve(name) for name in ("last~0", "last~1", "last~2")] == three[::-1]
    assert store.resolve("math@last~1") == three[0]


@pytest.mark.parametrize(
    ("name", "there"), [("last~3", "has 3 runs"), ("math@last~2", "has 2 runs of math"), ("last~" + "9" * 18, "3 runs")]
)
def test_before_the_first_there_is_none(store: Store, three: list[str], name: str, there: str) -> None:
    with pytest.raises(NotFound, match=there):
        store.resolve(name)


def test_a_beginning_that_several_runs_have_lists_them_newest_first(store: Store, three: list[str]) -> None:
    with pytest.raises(NotFound, match="beginning of 2 runs") as caught:
        store.resolve("aaaa")
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == [three[1], three[0]]
    assert "2026-11-02 00:00:00" in lines[1]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("lats", '"last"'), ("mat@last", '"math"'), ("chta@last", '"chat"'), ("bbbbbbbb-3334", '"bbbbbbbb-3333"')],
)
def test_a_name_that_is_none_offers_what_is_near(store: Store, three: list[str], name: str, meant: str) -> None:
    with pytest.raises(NotFound, match=f"Did you mean.*{meant}"):
        store.resolve(name)


@pytest.mark.parametrize("name", ["", "%", "zzz", "math", "_" * 8])
def test_a_name_that_is_near_nothing(store: Store, three: list[str], name: str) -> None:
    with pytest.raises(NotFound):
        store.resolve(name)


def test_a_store_without_runs_says_how_to_make_one(store: Store) -> None:
    assert store.runs() == []
    with pytest.raises(NotFound, match="no runs yet"):
        store.resolve("last")


def test_the_list_is_newest_first_by_suite_and_limited(store: Store, three: list[str]) -> None:
    assert [run.id for run in store.runs()] == three[::-1]
    assert [run.id for run in store.runs(suite="math")] == [three[2], three[0]]
    assert [run.id for run in store.runs(limit=1)] == [three[2]]
    assert store.runs(suite="none such") == []


def test_each_run_has_a_short_name_that_resolves(store: Store, begin: Any) -> None:
    made = [begin(store).run_id for _ in range(20)]  # of one moment, so their ids begin alike
    for run in store.runs():
        assert len(run.short) >= 8
        assert store.resolve(run.short) == run.id
    assert {run.id for run in store.runs()} == set(made)


def test_a_run_in_brief(store: Store, begin: Any) -> None:
    run = begin(store, size=4)
    run.add(run.trial(0), run.trial(1, outcome="missed"), run.trial(2, outcome="errored", output=Output()))
    while_running = store.runs()[0]
    assert while_running.counts == {"passed": 1, "missed": 1, "errored": 1, "unscored": 0}
    assert while_running.planned == 4
    assert while_running.status == "running"
    assert while_running.partial
    run.add(run.trial(3, outcome="unscored"))
    verdicts = [
        Verdict(suite="math", gate="a >= 1", decision="pass"),
        Verdict(suite="math", gate="b >= 1", decision="fail"),
    ]
    run.finish(verdicts=verdicts)
    done = store.runs()[0]
    assert done.counts == {"passed": 1, "missed": 1, "errored": 1, "unscored": 1}
    assert (done.status, done.decision, done.partial) == ("complete", "fail", False)
    assert done.suites == ("math",)
    assert done.commit is None


@pytest.mark.parametrize("info", [{"planned": 2}, {"selection": "--lf"}])
def test_a_run_of_part_of_a_suite_is_partial(store: Store, begin: Any, info: dict[str, Any]) -> None:
    run = begin(store, **info)
    run.finish()
    assert store.runs()[0].partial


def test_a_run_without_a_heartbeat_is_shown_as_interrupted_and_one_with_it_is_not(
    store: Store, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(store)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    monkeypatch.setattr(liveness, "utc_now", lambda: later)
    assert store.runs()[0].status == "interrupted"
    assert store.load(run.run_id).status == "interrupted"
    monkeypatch.setattr("evalkit.store.writer.utc_now", lambda: later)
    store.heartbeat(run.run_id)
    assert store.runs()[0].status == "running"


def test_writing_trials_is_a_sign_of_life(store: Store, begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin(store)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    for place in ("evalkit.store.writer.utc_now", "evalkit.store.liveness.utc_now"):
        monkeypatch.setattr(place, lambda: later)
    monkeypatch.setattr("evalkit.store.writer.HEARTBEAT_EVERY", 0.0)
    run.add(run.trial(0))
    assert store.runs()[0].status == "running"
