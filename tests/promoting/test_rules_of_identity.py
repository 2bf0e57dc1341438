"""Identity is honest: a local user proves nothing, and a protected alias asks for proof."""

from __future__ import annotations

import pytest

from evalkit import promoting
from evalkit.promotion import Actor

from .conftest import ANNA, BEN, ROBOT, Desk, Refused, with_token

AUTHOR, APPROVER, ADMIN = with_token("anna", "author"), with_token("ben", "approver"), with_token("dora", "admin")


def test_a_laptop_cannot_forge_an_approver(desk: Desk, refused: Refused) -> None:
    desk.under(protected=True, min_approvals=1)
    with refused("identity"):
        desk.promoted("one", by=ANNA)
    _, asked = desk.promoted("two", by=AUTHOR)
    for command, options in (
        (promoting.approve, {}),
        (promoting.reject, {"reason": "no"}),
        (promoting.withdraw, {}),
        (promoting.cancel, {}),
    ):
        with refused("identity"):
            desk.do(command, asked, Actor(name="ben"), **options)
    assert desk.do(promoting.approve, asked, APPROVER).state == "approved"
    with refused("identity"):
        desk.do(promoting.apply, asked, BEN)
    assert desk.do(promoting.apply, asked, ROBOT).state == "applied"


@pytest.mark.parametrize("role", ["viewer", "author", "runner", "approver", "admin"])
def test_each_role_does_what_is_its_own(desk: Desk, role: str, refused: Refused) -> None:
    desk.under(protected=True, min_approvals=1)
    who = with_token("eve", role)
    version = desk.version("one")
    run = desk.run(version)
    if role in ("author", "runner", "admin"):
        assert desk.ask(version, run, by=who).state == "pending_approval"
    else:
        with refused("role"):
            desk.ask(version, run, by=who)
    asked = desk.ask(version, run, by=AUTHOR)
    if role in ("approver", "admin"):
        assert desk.do(promoting.approve, asked, who).state == "approved"
    else:
        with refused("role"):
            desk.do(promoting.approve, asked, who)
        desk.do(promoting.approve, asked, APPROVER)
    if role == "viewer":
        with refused("role"):
            desk.do(promoting.apply, asked, who)
    else:
        assert desk.do(promoting.apply, asked, who).state == "applied"


def test_a_role_for_another_alias_is_none(desk: Desk, refused: Refused) -> None:
    desk.under(protected=True, min_approvals=1)
    _, asked = desk.promoted("one", by=AUTHOR)
    with refused("role"):
        desk.do(promoting.approve, asked, with_token("ben", "approver", alias="staging"))
    assert desk.do(promoting.approve, asked, with_token("ben", "approver", alias="production")).state == "approved"


def test_a_name_is_one_person_whatever_they_prove_it_with(desk: Desk, refused: Refused) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    with refused("one_vote"):
        desk.do(promoting.approve, asked, APPROVER)


def test_how_somebody_was_known_is_kept(desk: Desk) -> None:
    _, asked = desk.under(min_approvals=2).promoted("one")
    desk.do(promoting.approve, asked, Actor(name="carl", ci="https://ci.example/7"))
    desk.do(promoting.approve, asked, APPROVER)
    votes = [(one.by.authentication, one.by.token, one.by.ci) for one in desk.now(asked).approvals]
    assert votes == [("asserted-local", None, "https://ci.example/7"), ("api-token", "t-ben", None)]


@pytest.mark.parametrize("who", [ANNA, AUTHOR], ids=["local", "author"])
def test_a_protected_alias_stays_protected(desk: Desk, who: Actor, refused: Refused) -> None:
    """The policy lies in files, which whoever has the checkout can edit."""
    _, first = desk.under(protected=True).promoted("one", by=AUTHOR)
    assert first.state == "applied"
    desk.under(protected=False)
    with refused("identity" if who is ANNA else "policy_change"):
        desk.promoted("two", by=who)
    assert desk.promoted("three", by=ADMIN)[1].state == "applied"
    assert desk.promoted("four", by=ANNA)[1].state == "applied"


def test_a_rollback_of_a_protected_alias_takes_a_proven_identity(desk: Desk, refused: Refused) -> None:
    desk.under(protected=True)
    desk.promoted("one", by=AUTHOR), desk.promoted("two", by=AUTHOR)
    desk.under()

    def back(who: Actor) -> None:
        promoting.rollback(
            desk.store, kind="prompt", name="reply", alias="production", actor=who, policies=desk.policies, reason="x"
        )

    with refused("identity"):
        back(ANNA)
    with refused("role"):
        back(AUTHOR)
    back(APPROVER)


def test_a_freeze_by_somebody_known_is_lifted_by_somebody_known(desk: Desk, refused: Refused) -> None:
    declared = promoting.freeze(desk.store, actor=APPROVER, policies=desk.policies, reason="the fair").freeze
    assert declared is not None
    with refused("identity"):
        promoting.lift(desk.store, declared.id, actor=BEN, policies=desk.policies)
    with refused("role"):
        promoting.lift(desk.store, declared.id, actor=AUTHOR, policies=desk.policies)
    promoting.lift(desk.store, declared.id, actor=ADMIN, policies=desk.policies)


def test_a_freeze_of_a_protected_alias_takes_a_proven_identity(desk: Desk, refused: Refused) -> None:
    desk.under(protected=True)
    for alias in ("*", "production"):
        with refused("identity"):
            promoting.freeze(desk.store, alias=alias, actor=ANNA, policies=desk.policies, reason="x")
