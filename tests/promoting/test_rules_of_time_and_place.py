"""Expiry, waiting, freezes, rollback, the base, and what may never be deleted."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest

from evalkit import promoting
from evalkit.errors import StoreError
from evalkit.promotion import machine
from evalkit.promotion.facts import Facts
from evalkit.promotion.window import Window

from .conftest import ANNA, BEN, Clock, Desk, Refused


@pytest.mark.parametrize("state", ["requested", "blocked", "pending_approval"])
def test_what_waits_for_people_expires_after_14_days(desk: Desk, clock: Clock, state: str, refused: Refused) -> None:
    version = desk.under(min_approvals=1).version("one")
    runs = {"requested": [], "blocked": [[False] * 20], "pending_approval": [[True] * 20]}[state]
    asked = desk.ask(version, *(desk.run(version, outcomes) for outcomes in runs))
    assert asked.state == state
    clock.forward(days=13, hours=23)
    assert desk.now(asked).state == state
    clock.forward(hours=1)
    assert desk.now(asked).state == "expired"
    assert desk.store.promotion(asked.id).state == state, "nobody has touched it, so it is only seen to have expired"
    with refused("expiry"):
        desk.do(promoting.cancel, asked, ANNA)
    assert desk.store.promotion(asked.id).state == "expired"
    assert desk.actions(asked)[-1] == "promotion.expired"
    with refused("final"):
        desk.do(promoting.cancel, asked, ANNA)


def test_what_is_approved_expires_after_72_hours(desk: Desk, clock: Clock, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    clock.forward(hours=71, minutes=59)
    assert desk.now(asked).state == "approved"
    clock.forward(minutes=1)
    with refused("expiry"):
        desk.do(promoting.apply, asked, ANNA)
    assert desk.in_force() is None


def test_a_clock_stepped_back_extends_nothing(desk: Desk, clock: Clock, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    clock.forward(hours=73)
    _, other = desk.promoted("two")  # the store sees the time
    clock.back(hours=72)
    assert desk.now(asked).state == "expired"
    with refused("expiry"):
        desk.do(promoting.apply, asked, ANNA)
    assert desk.now(other).created_at > clock.at


def test_the_wait_of_the_policy_is_kept(desk: Desk, clock: Clock, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1, wait=3600).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    with refused("wait") as said:
        desk.do(promoting.apply, asked, ANNA)
    assert "1 hour" in str(said.value)
    clock.forward(minutes=59, seconds=59)
    with refused("wait"):
        desk.do(promoting.apply, asked, ANNA)
    clock.forward(seconds=1)
    assert desk.do(promoting.apply, asked, ANNA).state == "applied"


def test_a_wait_holds_where_nobody_is_asked(desk: Desk, clock: Clock) -> None:
    _, asked = desk.under(wait=3600).promoted("one")
    assert asked.state == "approved"
    clock.forward(hours=1)
    assert desk.do(promoting.apply, asked, ANNA).state == "applied"


@pytest.mark.parametrize(("subject", "alias"), [("*", "*"), ("prompt/reply", "production"), ("*", "production")])
def test_nothing_is_applied_in_a_freeze(desk: Desk, clock: Clock, subject: str, alias: str, refused: Refused) -> None:
    declared = promoting.freeze(
        desk.store, subject=subject, alias=alias, actor=ANNA, policies=desk.policies, reason="the fair"
    ).freeze
    assert declared is not None
    _, asked = desk.promoted("one")
    assert asked.state == "approved"
    with refused("freeze") as said:
        desk.do(promoting.apply, asked, ANNA)
    assert "the fair" in str(said.value)
    promoting.lift(desk.store, declared.id[:24], actor=BEN, policies=desk.policies)
    assert desk.do(promoting.apply, asked, ANNA).state == "applied"
    assert [body["action"] for body in desk.log() if body["action"].startswith("freeze")] == [
        "freeze.declared",
        "freeze.lifted",
    ]
    with refused("freeze"):
        promoting.lift(desk.store, declared.id, actor=BEN, policies=desk.policies)


def test_a_freeze_of_something_else_is_in_nobodys_way(desk: Desk) -> None:
    for subject, alias in (("prompt/other", "*"), ("*", "staging"), ("model/reply", "production")):
        promoting.freeze(desk.store, subject=subject, alias=alias, actor=ANNA, policies=desk.policies, reason="x")
    assert desk.promoted("one")[1].state == "applied"


def test_a_freeze_ends_by_itself(desk: Desk, clock: Clock, refused: Refused) -> None:
    until = clock.at + dt.timedelta(hours=2)
    promoting.freeze(desk.store, actor=ANNA, policies=desk.policies, reason="the fair", until=until)
    _, asked = desk.promoted("one")
    with refused("freeze"):
        desk.do(promoting.apply, asked, ANNA)
    clock.forward(hours=2)
    assert desk.do(promoting.apply, asked, ANNA).state == "applied"


def test_a_freeze_has_a_reason_and_an_end_after_its_beginning(desk: Desk, clock: Clock, refused: Refused) -> None:
    with refused("reason"):
        promoting.freeze(desk.store, actor=ANNA, policies=desk.policies, reason="")
    with refused("freeze"):
        promoting.freeze(desk.store, actor=ANNA, policies=desk.policies, reason="x", until=clock.at)
    assert desk.store.freezes() == []


def test_a_freeze_window_of_the_policy_holds(desk: Desk, clock: Clock, refused: Refused) -> None:
    clock.at = dt.datetime(2026, 12, 4, 17, 0, tzinfo=dt.UTC)  # a Friday
    desk.under(freeze=(Window(start="fri 16:00", end="mon 08:00", reason="the weekend"),), max_age=10**10)
    _, asked = desk.promoted("one")
    assert asked.state == "approved"
    with refused("freeze") as said:
        desk.do(promoting.apply, asked, ANNA)
    assert "the weekend" in str(said.value)
    clock.at = dt.datetime(2026, 12, 7, 8, 0, tzinfo=dt.UTC)
    assert desk.do(promoting.apply, asked, ANNA).state == "applied"


def test_the_version_before_comes_back(desk: Desk) -> None:
    one, first = desk.promoted("one")
    _, second = desk.promoted("two")
    done = _back(desk)
    assert desk.in_force() == one.digest
    assert (done.state, done.rollback_of, done.to_digest) == ("applied", second.id, one.digest)
    assert done.id not in (first.id, second.id)
    assert desk.now(second).state == "rolled_back"
    assert desk.now(first).state == "superseded"
    assert desk.actions(done) == ["promotion.rollback_applied"]
    assert desk.actions(second)[-1] == "promotion.rolled_back"


def test_a_rollback_needs_a_reason(desk: Desk, refused: Refused) -> None:
    desk.promoted("one"), desk.promoted("two")
    with refused("reason"):
        _back(desk, reason="")


def test_a_rollback_works_in_a_freeze(desk: Desk) -> None:
    one, _ = desk.promoted("one")
    desk.promoted("two")
    promoting.freeze(desk.store, actor=ANNA, policies=desk.policies, reason="the fair")
    _back(desk)
    assert desk.in_force() == one.digest


def test_a_rollback_is_to_what_was_applied_under_this_alias(desk: Desk, refused: Refused) -> None:
    never = desk.version("never")
    with refused("rollback"):
        _back(desk)
    desk.promoted("one")
    with refused("rollback"):
        _back(desk)
    desk.promoted("two")
    with refused("rollback"):
        _back(desk, to=never.digest)
    with refused("no_change"):
        _back(desk, to="v3")
    assert _back(desk, to="v2").state == "applied"


def test_a_version_set_by_hand_was_never_applied(desk: Desk, refused: Refused) -> None:
    hand = desk.version("by hand")
    desk.store.set_alias("prompt", "reply", "production", hand.digest, expected_generation=0)
    _, asked = desk.promoted("one")
    assert (asked.state, asked.from_digest, asked.base_generation, asked.generation) == ("applied", hand.digest, 1, 2)
    with refused("rollback"):
        _back(desk, to=hand.digest)


def test_rolling_back_twice_goes_two_back_and_no_further(desk: Desk, refused: Refused) -> None:
    versions = [desk.promoted(text)[0] for text in ("one", "two", "three")]
    for expected in (versions[1], versions[0]):
        _back(desk)
        assert desk.in_force() == expected.digest
    with refused("rollback"):
        _back(desk)


def test_a_base_that_moved_invalidates(desk: Desk, refused: Refused) -> None:
    desk.under(min_approvals=1)
    _, asked = desk.promoted("one")
    desk.do(promoting.approve, asked, BEN)
    other = desk.version("by hand")
    desk.store.set_alias("prompt", "reply", "production", other.digest, expected_generation=0)
    with refused("base_moved"):
        desk.do(promoting.apply, asked, ANNA)
    assert desk.now(asked).state == "invalidated"
    assert desk.in_force() == other.digest


def test_one_of_two_that_were_asked_for_together_wins(desk: Desk, refused: Refused) -> None:
    desk.under(min_approvals=1)
    both = [desk.promoted(text)[1] for text in ("one", "two")]
    for one in both:
        desk.do(promoting.approve, one, BEN)
    desk.do(promoting.apply, both[1], ANNA)
    with refused("base_moved"):
        desk.do(promoting.apply, both[0], ANNA)
    assert [desk.now(one).state for one in both] == ["invalidated", "applied"]


def test_the_one_before_is_superseded(desk: Desk) -> None:
    _, first = desk.promoted("one")
    _, second = desk.promoted("two")
    now = desk.now(first)
    assert (now.state, now.superseded_by) == ("superseded", second.id)


@pytest.mark.parametrize("table", ["promotions", "policies", "audit", "versions", "runs"])
def test_nothing_that_a_promotion_rests_on_can_be_deleted(desk: Desk, table: str) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    desk.do(promoting.apply, asked, ANNA)
    with sqlite3.connect(desk.address) as raw:
        raw.execute("PRAGMA foreign_keys = ON")
        before = raw.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(f"DELETE FROM {table}")
        assert raw.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == before
    raw.close()


def test_what_was_asked_for_cannot_be_changed(desk: Desk) -> None:
    import dataclasses

    _, asked = desk.under(min_approvals=1).promoted("one")
    with pytest.raises(StoreError), desk.store.ledger() as ledger:
        ledger.save(dataclasses.replace(asked, to_digest="0" * 64))


def test_a_dry_run_says_what_would_be_and_writes_nothing(desk: Desk, refused: Refused) -> None:
    version = desk.under(min_approvals=1).version("one")
    run = desk.run(version)
    rows = desk.log()
    would = desk.ask(version, run, dry_run=True)
    assert would.state == "pending_approval"
    assert (desk.store.promotions(), desk.log()) == ([], rows)
    asked = desk.ask(version, run)
    assert desk.do(promoting.approve, asked, BEN, dry_run=True).state == "approved"
    assert desk.now(asked) == asked
    with refused("self_approval"):
        desk.do(promoting.approve, asked, ANNA, dry_run=True)


def _back(desk: Desk, reason: str = "it is rude", to: str | None = None) -> promoting.Outcome:
    done = promoting.rollback(
        desk.store,
        kind="prompt",
        name="reply",
        alias="production",
        actor=ANNA,
        policies=desk.policies,
        reason=reason,
        to=to,
    ).promotion
    assert done is not None
    return done


@pytest.mark.parametrize("subject", ["prompts/reply", "reply", "prompt/", ""])
def test_a_freeze_of_nothing_is_refused(desk: Desk, subject: str, refused: Refused) -> None:
    with refused("freeze"):
        promoting.freeze(desk.store, subject=subject, actor=ANNA, policies=desk.policies, reason="x")


@pytest.mark.parametrize("alias", ["v2", "latest", "a b", "", "x@y", "*", "7f3a"])
def test_a_name_that_no_alias_can_have_is_refused(desk: Desk, alias: str, refused: Refused) -> None:
    version = desk.version("one")
    with refused("alias"):
        promoting.request(
            desk.store,
            kind="prompt",
            name="reply",
            version=version.digest,
            alias=alias,
            actor=ANNA,
            policies=desk.policies,
        )
    assert desk.store.promotions() == []


def test_nothing_happens_before_what_it_is_about(desk: Desk) -> None:
    """Whatever a ledger says of the time: the rules do not rely on its never going back."""
    _, asked = desk.under(min_approvals=1).promoted("one")
    before = Facts(
        now=asked.state_since - dt.timedelta(days=30), policy=desk.policies.find("prompt", "reply", "production")
    )
    step = machine.approve(asked, before, actor=BEN, vote_id="vote")
    assert step.promotion.approvals[0].at == step.promotion.state_since == asked.state_since
