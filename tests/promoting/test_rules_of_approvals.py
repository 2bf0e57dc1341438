"""Approvals: who may give them, what they are bound to, and what undoes them."""

from __future__ import annotations

import pytest

from evalkit import promoting
from evalkit.promotion import Actor

from .conftest import ANNA, BEN, CARL, ROBOT, Desk, Refused, with_token


def test_nobody_is_asked_where_the_policy_asks_for_nobody(desk: Desk) -> None:
    _, done = desk.promoted("one")
    assert done.state == "applied"
    assert desk.actions(done) == [
        "promotion.requested",
        "promotion.evaluated",
        "promotion.approved",
        "promotion.applied",
    ]


def test_a_quorum_approves(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    assert desk.do(promoting.approve, asked, BEN).state == "pending_approval"
    with refused("state"):
        desk.do(promoting.apply, asked, ANNA)
    assert desk.do(promoting.approve, asked, CARL).state == "approved"
    assert desk.do(promoting.apply, asked, ANNA).state == "applied"
    assert desk.actions(asked)[2:] == [
        "promotion.pending_approval",
        "approval.given",
        "approval.given",
        "promotion.approved",
        "promotion.applied",
    ]


@pytest.mark.parametrize("again", [BEN, Actor(name=" Ben "), Actor(name="BEN")], ids=["ben", "spaces", "case"])
def test_one_vote_a_person(desk: Desk, again: Actor, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    with refused("one_vote"):
        desk.do(promoting.approve, asked, again)
    with refused("one_vote"):
        desk.do(promoting.reject, asked, again, reason="on second thoughts")
    assert desk.now(asked).state == "pending_approval"


@pytest.mark.parametrize("who", [ANNA, Actor(name="Anna"), Actor(name="author")], ids=["requester", "case", "author"])
def test_the_requester_and_the_author_may_not_approve(desk: Desk, who: Actor, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one")
    with refused("self_approval"):
        desk.do(promoting.approve, asked, who)
    assert desk.now(asked).approvals == ()


@pytest.mark.parametrize("who", [ANNA, Actor(name="author")], ids=["requester", "author"])
def test_a_self_approval_that_is_allowed_is_shown_as_one(desk: Desk, who: Actor) -> None:
    _, asked = desk.under(min_approvals=1, allow_self_approval=True).promoted("one")
    done = desk.do(promoting.approve, asked, who)
    assert done.state == "approved"
    assert [one.is_self for one in desk.now(asked).approvals] == [True]
    said = [body["facts"] for body in desk.log() if body["action"] == "approval.given"]
    assert said[0]["self_approval"] is True


def test_service_accounts_request_and_apply_and_never_vote(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one", by=ROBOT)
    other = with_token("robot-2", "approver", "admin")
    other = Actor(name=other.name, is_service=True, authentication="api-token", roles=other.roles)
    for command, options in ((promoting.approve, {}), (promoting.reject, {"reason": "no"})):
        with refused("service"):
            desk.do(command, asked, other, **options)
    desk.do(promoting.approve, asked, BEN)
    assert desk.do(promoting.apply, asked, ROBOT).state == "applied"


def test_those_whom_the_policy_names_approve(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1, approvers=("carl", "role:admin")).promoted("one")
    with refused("approvers") as said:
        desk.do(promoting.approve, asked, BEN)
    assert "carl, role:admin" in str(said.value)
    assert desk.do(promoting.approve, asked, CARL).state == "approved"


def test_a_role_is_named_like_a_person(desk: Desk) -> None:
    _, asked = desk.under(min_approvals=1, approvers=("role:admin",)).promoted("one")
    assert desk.do(promoting.approve, asked, with_token("dora", "admin", alias="production")).state == "approved"


def test_an_approval_is_of_the_fingerprint_that_was_seen(desk: Desk) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    seen = desk.do(promoting.approve, asked, BEN)
    assert seen.approvals[0].fingerprint == asked.fingerprint != ""


def test_new_evidence_dismisses_approvals(desk: Desk) -> None:
    version, asked = desk.under(min_approvals=2).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    after = desk.do(promoting.evaluate, asked, ANNA, runs=[desk.run(version, [True] * 18 + [False] * 2)])
    assert after.state == "pending_approval"
    assert after.fingerprint != asked.fingerprint
    assert [one.dismissed for one in after.approvals] == ["new evidence"]
    assert "approval.dismissed" in desk.actions(asked)
    desk.do(promoting.approve, asked, CARL)
    assert desk.now(asked).state == "pending_approval"
    assert desk.do(promoting.approve, asked, BEN).state == "approved"


def test_new_evidence_takes_an_approved_one_back(desk: Desk) -> None:
    version, asked = desk.under(min_approvals=1).promoted("one")
    assert desk.do(promoting.approve, asked, BEN).state == "approved"
    after = desk.do(promoting.evaluate, asked, ANNA, runs=[desk.run(version, [False] * 20)])
    assert (after.state, after.approvals[0].dismissed) == ("blocked", "new evidence")


def test_the_same_evidence_again_dismisses_nothing(desk: Desk) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    after = desk.do(promoting.evaluate, asked, ANNA)
    assert (after.fingerprint, after.approvals[0].dismissed) == (asked.fingerprint, "")


def test_a_new_policy_dismisses_approvals(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    desk.under(min_approvals=2, min_cases=5)
    with refused("policy"):
        desk.do(promoting.approve, asked, CARL)
    after = desk.do(promoting.evaluate, asked, ANNA)
    assert after.policy.digest == desk.policies.find("prompt", "reply", "production").text.digest
    assert [one.dismissed for one in after.approvals] == ["new evidence and policy"]


def test_an_approval_can_be_withdrawn_and_given_again(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    with refused("one_vote"):
        desk.do(promoting.withdraw, asked, BEN)
    desk.do(promoting.approve, asked, BEN)
    after = desk.do(promoting.withdraw, asked, BEN, reason="too soon")
    assert (after.state, after.approvals[0].dismissed) == ("pending_approval", "withdrawn: too soon")
    desk.do(promoting.approve, asked, BEN)
    assert desk.do(promoting.approve, asked, CARL).state == "approved"


def test_one_whose_approval_is_withdrawn_is_invalid(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    assert desk.do(promoting.withdraw, asked, BEN).state == "invalidated"
    with refused("final"):
        desk.do(promoting.apply, asked, ANNA)


def test_a_rejection_is_final(desk: Desk, refused: Refused) -> None:
    version, asked = desk.under(min_approvals=1).promoted("one")
    with refused("reason"):
        desk.do(promoting.reject, asked, BEN, reason=" ")
    assert desk.do(promoting.reject, asked, BEN, reason="too curt").state == "rejected"
    for command, options in (
        (promoting.approve, {}),
        (promoting.apply, {}),
        (promoting.evaluate, {"runs": [desk.run(version)]}),
        (promoting.cancel, {}),
        (promoting.override, {"reason": "but"}),
    ):
        with refused("override" if command is promoting.override else "final"):
            desk.do(command, asked, ANNA if command is promoting.cancel else CARL, **options)
    assert desk.now(asked).state == "rejected"
    assert desk.ask(version, desk.run(version)).id != asked.id


def test_who_asked_may_cancel_and_nobody_else(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one")
    with refused("requester"):
        desk.do(promoting.cancel, asked, BEN)
    assert desk.do(promoting.cancel, asked, ANNA, reason="a typo").state == "cancelled"
    _, other = desk.promoted("two")
    assert desk.do(promoting.cancel, other, with_token("dora", "admin")).state == "cancelled"


def test_the_version_in_force_is_nothing_to_promote(desk: Desk, refused: Refused) -> None:
    version, _ = desk.promoted("one")
    with refused("no_change"):
        desk.ask(version, desk.run(version))


def test_without_a_run_it_is_requested_and_judged_later(desk: Desk, refused: Refused) -> None:
    version = desk.version("one")
    asked = desk.under(min_approvals=1).ask(version)
    assert (asked.state, asked.evidence, asked.decision) == ("requested", None, None)
    with refused("state"):
        desk.do(promoting.approve, asked, BEN)
    with refused("evidence"):
        desk.do(promoting.evaluate, asked, ANNA)
    after = desk.do(promoting.evaluate, asked, ANNA, runs=[desk.run(version)])
    assert after.state == "pending_approval"
