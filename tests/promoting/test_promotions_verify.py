"""A promotion judged again from the record comes out the same, or it is said what does not."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest

from evalkit import promoting
from evalkit.canonical import new_id, utc_now
from evalkit.promotion import Promotion
from evalkit.promotion.policy import OverrideRule
from evalkit.runs import ScorerInfo
from evalkit.store.calibrations import StoredCalibration

from .conftest import ANNA, BEN, CARL, Clock, Desk, Refused

JUDGE = ScorerInfo(name="accuracy", version="j1", config={"rubric_version": "r1"})


def test_an_applied_promotion_comes_out_the_same(any_desk: Desk) -> None:
    _, first = any_desk.promoted("one")
    _, second = any_desk.under(min_cases=5, max_errors="1%", allow_dirty=False).promoted("two")
    for one in (first, second):
        found = promoting.verify(any_desk.store, one.id)
        assert found.same, found.differences
        assert [(one.rule, one.decision) for one in found.verdicts] == [(v.rule, v.decision) for v in one.verdicts]


def test_so_does_one_that_compared_with_a_baseline(desk: Desk) -> None:
    desk.promoted("one")
    version = desk.version("two")
    asked = desk.ask(version, desk.run(version, gates=["accuracy no regression vs baseline"]))
    assert asked.evidence is not None
    assert asked.evidence.baseline is not None
    assert promoting.verify(desk.store, asked.id).same


@pytest.mark.parametrize("outcomes", [[False] * 20, [None] * 20])
def test_so_does_one_that_was_blocked(desk: Desk, outcomes: list[bool | None]) -> None:
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, outcomes))
    assert asked.state == "blocked"
    assert promoting.verify(desk.store, asked.id).same


def test_so_does_one_that_was_overridden(desk: Desk) -> None:
    version = desk.under(override=OverrideRule(by=("carl",))).version("one")
    asked = desk.ask(version, desk.run(version, [False] * 20))
    desk.do(promoting.override, asked, CARL, reason="fine")
    desk.do(promoting.approve, asked, BEN)
    desk.do(promoting.apply, asked, ANNA)
    assert promoting.verify(desk.store, asked.id).same


def test_it_is_judged_as_of_the_day_it_was(desk: Desk, clock: Clock) -> None:
    """That evidence has grown old since, or a judge was calibrated later, changes nothing."""
    version = desk.under(judges="calibrated", own_gates=False).version("one")
    asked = desk.ask(version, desk.run(version, gates=(), scorer=JUDGE))
    assert asked.state == "blocked"
    clock.forward(days=30)
    at = utc_now() + dt.timedelta(days=1)
    desk.store.add_calibration(
        StoredCalibration(
            id=new_id(),
            judge="accuracy",
            scorer_version="j1",
            made_at=at,
            n=50,
            trust="calibrated",
            source="x",
            body={},
        )
    )
    found = promoting.verify(desk.store, asked.id)
    assert found.same, found.differences


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE scores SET value = 0.0, passed = 0 WHERE case_id = 'case-004'", "stored results"),
        ("UPDATE trials SET outcome = 'errored' WHERE case_id = 'case-004'", "stored results"),
        ("DELETE FROM scores WHERE case_id = 'case-004'", "stored results"),
        ("UPDATE policies SET text = replace(text, '\"min_cases\":5', '\"min_cases\":1')", "policy"),
        ("UPDATE promotions SET fingerprint = '0'", "fingerprint"),
        ("UPDATE promotions SET verdicts = replace(verdicts, '\"pass\"', '\"fail\"')", "fail"),
        ("UPDATE runs SET git_dirty = 1", "dirty"),
        ("UPDATE suites SET dataset = dataset, declared = 99", "is_complete"),
    ],
    ids=["score", "outcome", "no score", "policy", "fingerprint", "verdict", "checkout", "selection"],
)
def test_what_was_changed_since_is_found(desk: Desk, statement: str, said: str) -> None:
    _, asked = desk.under(min_cases=5, allow_dirty=False).promoted("one")
    assert promoting.verify(desk.store, asked.id).same
    tamper(desk, statement)
    found = promoting.verify(desk.store, asked.id)
    assert not found.same
    assert any(said in one for one in found.differences), found.differences


def test_a_rollback_verifies_by_what_it_went_back_to(desk: Desk) -> None:
    desk.promoted("one"), desk.promoted("two")
    done = promoting.rollback(
        desk.store,
        kind="prompt",
        name="reply",
        alias="production",
        actor=ANNA,
        policies=desk.policies,
        reason="it is rude",
    ).promotion
    assert done is not None
    assert promoting.verify(desk.store, done.id).same


def test_what_was_never_judged_cannot_be_judged_again(desk: Desk, refused: Refused) -> None:
    asked: Promotion = desk.ask(desk.version("one"))
    with refused("evidence"):
        promoting.verify(desk.store, asked.id)


def tamper(desk: Desk, statement: str) -> None:
    raw = sqlite3.connect(desk.address)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f'DROP TRIGGER "{name}"')
    changed = raw.execute(statement).rowcount
    raw.commit()
    raw.close()
    assert changed > 0
