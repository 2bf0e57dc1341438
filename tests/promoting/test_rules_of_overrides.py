"""Inconclusive never passes by itself, and an override is a permission of its own."""

from __future__ import annotations

from typing import Any

import pytest

from evalkit import promoting
from evalkit.promotion import Promotion
from evalkit.promotion.policy import OVERRIDABLE, OverrideRule

from .conftest import ANNA, BEN, CARL, ROBOT, Clock, Desk, Refused, with_token

BAD = [True] * 15 + [False] * 5
RULE = OverrideRule(by=("carl",))


def blocked(desk: Desk, **options: Any) -> Promotion:
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, BAD, **options))
    assert asked.state == "blocked"
    return asked


def test_a_gate_that_fails_blocks(desk: Desk) -> None:
    asked = blocked(desk)
    assert asked.decision == "fail"
    assert desk.in_force() is None


@pytest.mark.parametrize(
    ("right", "gate"),
    [(16, "accuracy >= 0.7 @ 95%"), (19, "accuracy >= 0.85 @ 95%")],
    ids=["not decided", "can never be decided"],
)
def test_inconclusive_blocks(desk: Desk, right: int, gate: str) -> None:
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, [True] * right + [False] * (20 - right), gates=[gate]))
    assert (asked.decision, asked.state) == ("inconclusive", "blocked")
    assert [one.hint for one in asked.verdicts if one.decision == "inconclusive"] != [""]


def test_nothing_scored_is_no_pass(desk: Desk) -> None:
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, [None] * 20, gates=()))
    assert asked.state == "blocked"


def test_a_suite_without_gates_is_judged_by_each_case(desk: Desk) -> None:
    one = desk.version("one")
    assert desk.ask(one, desk.run(one, gates=())).state == "applied"
    two = desk.version("two")
    assert desk.ask(two, desk.run(two, BAD, gates=())).state == "blocked"


def test_a_gate_of_the_policy_that_nothing_is_measured_for_blocks(desk: Desk) -> None:
    _, asked = desk.under(gates={"*": ("tone >= 0.5",), "safety": ("accuracy >= 0.5",)}).promoted("one")
    missed = {one.text: one.reason for one in asked.verdicts if one.decision == "fail"}
    assert set(missed) == {"tone >= 0.5", "accuracy >= 0.5"}


def test_a_comparison_without_anything_to_compare_with_is_not_decided(desk: Desk) -> None:
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, gates=["accuracy no regression vs baseline"]))
    assert (asked.decision, asked.state) == ("inconclusive", "blocked")


def test_gates_compare_with_what_is_in_force(desk: Desk) -> None:
    _, first = desk.promoted("one")
    two = desk.version("two")
    gate = ["accuracy not worse than baseline by 0.1 @ 95%"]
    asked = desk.ask(two, desk.run(two, [True] * 10 + [False] * 10, gates=gate))
    assert asked.state == "blocked"
    assert asked.evidence is not None
    assert first.evidence is not None
    assert asked.evidence.baselines == {"greetings": first.evidence.runs[0]}


def test_nobody_overrides_where_the_policy_says_nothing_of_it(desk: Desk, refused: Refused) -> None:
    with refused("override"):
        desk.do(promoting.override, blocked(desk), CARL, reason="it is fine")


@pytest.mark.parametrize("who", [BEN, ANNA])
def test_an_override_is_for_those_whom_the_policy_names(desk: Desk, who: Any, refused: Refused) -> None:
    asked = blocked(desk.under(override=RULE))
    with refused("override"):
        desk.do(promoting.override, asked, who, reason="it is fine")
    with refused("service"):
        desk.do(promoting.override, asked, ROBOT, reason="it is fine")
    with refused("reason"):
        desk.do(promoting.override, asked, CARL, reason="")
    assert desk.do(promoting.override, asked, CARL, reason="the graders were wrong").state == "pending_approval"


def test_an_approver_may_not_override_where_only_admins_may(desk: Desk, refused: Refused) -> None:
    asked = blocked(desk.under(override=OverrideRule()))
    with refused("role"):
        desk.do(promoting.override, asked, with_token("ben", "approver"), reason="it is fine")
    assert desk.do(promoting.override, asked, with_token("dora", "admin"), reason="fine").state == "pending_approval"


def test_an_override_takes_others_to_agree(desk: Desk, refused: Refused) -> None:
    asked = blocked(desk.under(override=OverrideRule(by=("carl",), approvals=2)))
    desk.do(promoting.override, asked, CARL, reason="the graders were wrong")
    with refused("self_approval"):
        desk.do(promoting.approve, asked, CARL)
    assert desk.do(promoting.approve, asked, BEN).state == "pending_approval"
    assert desk.do(promoting.approve, asked, with_token("dora", "approver")).state == "approved"
    done = desk.do(promoting.apply, asked, ANNA)
    assert (done.state, done.decision) == ("applied", "fail")
    assert done.override is not None
    assert done.override.rules == ("gate",)


def test_an_override_expires(desk: Desk, clock: Clock, refused: Refused) -> None:
    asked = blocked(desk.under(override=OverrideRule(by=("carl",), good_for=3600)))
    desk.do(promoting.override, asked, CARL, reason="just for now")
    assert desk.do(promoting.approve, asked, BEN).state == "approved"
    clock.forward(minutes=61)
    assert desk.now(asked).state == "expired"
    with refused("expiry"):
        desk.do(promoting.apply, asked, ANNA)
    assert desk.in_force() is None


def test_only_rules_that_the_policy_allows_are_overridden(desk: Desk, refused: Refused) -> None:
    asked = blocked(desk.under(override=OverrideRule(by=("carl",), rules=("min_cases",)), min_cases=30))
    with refused("override") as said:
        desk.do(promoting.override, asked, CARL, reason="x", rules=["min_cases"])
    assert '"gate"' in str(said.value)


def test_all_that_did_not_pass_is_overridden_or_nothing(desk: Desk, refused: Refused) -> None:
    asked = blocked(desk.under(override=RULE, min_cases=30))
    with refused("override"):
        desk.do(promoting.override, asked, CARL, reason="x", rules=["gate"])
    with refused("override"):
        desk.do(promoting.override, asked, CARL, reason="x", rules=["gate", "min_cases", "max_errors"])
    done = desk.do(promoting.override, asked, CARL, reason="x")
    assert done.override is not None
    assert set(done.override.rules) == {"gate", "min_cases"}


def test_evidence_of_something_else_cannot_be_overridden(desk: Desk, refused: Refused) -> None:
    asked = blocked(
        desk.under(override=OverrideRule(by=("carl",), rules=(*OVERRIDABLE, "complete"))), selection="-k hello"
    )
    with refused("override"):
        desk.do(promoting.override, asked, CARL, reason="it is nearly all")
    assert not {"complete", "current", "max_age"} & set(OVERRIDABLE)


def test_an_override_is_gone_with_new_evidence(desk: Desk) -> None:
    asked = blocked(desk.under(override=RULE))
    desk.do(promoting.override, asked, CARL, reason="fine")
    desk.do(promoting.approve, asked, BEN)
    again = desk.do(promoting.evaluate, asked, ANNA)
    assert (again.state, again.override) == ("blocked", None)
    assert again.approvals[0].dismissed
