"""Stale evidence never applies: what was run is not what is there now, or not the whole of it, or too long ago."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from evalkit import promoting
from evalkit.canonical import new_id, utc_now
from evalkit.promotion import Promotion
from evalkit.promotion.policy import Policy
from evalkit.runs import OUTPUTS_ENDED, ScorerInfo
from evalkit.store.calibrations import StoredCalibration

from .conftest import ANNA, BEN, Clock, Desk, Refused

JUDGE = ScorerInfo(name="accuracy", version="j1", config={"rubric_version": "r1"})


def failed(promotion: Promotion) -> list[str]:
    return [verdict.rule for verdict in promotion.verdicts if verdict.decision != "pass"]


def approved(desk: Desk, **rules: Any) -> Promotion:
    """A promotion that has every approval, and waits to be applied."""
    desk.under(min_approvals=1, **rules)
    _, asked = desk.promoted("two")
    assert asked.state == "pending_approval"
    return desk.do(promoting.approve, asked, BEN)


def test_a_good_promotion_is_applied(desk: Desk) -> None:
    done = desk.do(promoting.apply, approved(desk), ANNA)
    assert done.state == "applied"
    assert desk.in_force() == done.to_digest


def test_evidence_is_of_the_version_that_is_asked_for(desk: Desk, refused: Refused) -> None:
    one, two = desk.version("one"), desk.version("two")
    with refused("subject") as said:
        desk.ask(two, desk.run(one))
    assert "used prompt reply v1" in str(said.value)


def test_a_run_that_never_used_the_prompt_is_no_evidence(desk: Desk, refused: Refused) -> None:
    other = desk.version("x", name="other")
    with refused("subject"):
        desk.ask(desk.version("one"), desk.run(other))


@pytest.mark.parametrize("hours", [167, 169])
def test_a_run_older_than_max_age_blocks(desk: Desk, hours: int) -> None:
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, ago=dt.timedelta(hours=hours)))
    assert (asked.state, failed(asked)) == (("applied", []) if hours < 168 else ("blocked", ["max_age"]))


@pytest.mark.parametrize("hours", [167, 169])
def test_outputs_are_no_younger_for_being_scored_again(desk: Desk, hours: int) -> None:
    version = desk.version("one")
    made = (utc_now() - dt.timedelta(hours=hours)).isoformat()
    asked = desk.ask(version, desk.run(version, metadata={OUTPUTS_ENDED: made}))
    assert (asked.state, failed(asked)) == (("applied", []) if hours < 168 else ("blocked", ["max_age"]))


WORSE = (True,) * 10 + (False,) * 10


@pytest.mark.parametrize(
    ("gate", "baseline"),
    [("accuracy no regression vs baseline", "last"), ("accuracy no regression vs baseline greetings@last", None)],
)
def test_a_run_that_got_worse_is_not_held_against_itself(desk: Desk, gate: str, baseline: str | None) -> None:
    desk.promoted("zero")
    version = desk.version("one")
    good = desk.run(version)
    worse = desk.run(version, WORSE, gates=[gate])
    desk.run(version, WORSE)  # nor is a later one its baseline
    asked = desk.ask(version, worse, baseline=baseline)
    assert (asked.state, failed(asked)) == ("blocked", ["gate"])
    if baseline is not None:
        assert asked.evidence is not None
        assert asked.evidence.baseline == good


def test_a_run_that_is_named_as_its_own_baseline_is_refused(desk: Desk, refused: Refused) -> None:
    desk.promoted("zero")
    version = desk.version("one")
    run = desk.run(version, WORSE, gates=["accuracy no regression vs baseline"])
    with refused("baseline") as said:
        desk.ask(version, run, baseline=run)
    assert "its own baseline" in str(said.value)


def test_the_first_version_may_be_held_against_itself_for_want_of_another(desk: Desk) -> None:
    version = desk.version("one")
    run = desk.run(version, gates=["accuracy no regression vs baseline"])
    assert desk.ask(version, run, baseline="last").state == "applied"


def test_a_run_that_grows_too_old_while_people_think_is_not_applied(desk: Desk, clock: Clock, refused: Refused) -> None:
    waiting = approved(desk, max_age=3600)
    clock.forward(minutes=61)
    with refused("stale"):
        desk.do(promoting.apply, waiting, ANNA)
    assert desk.now(waiting).state == "invalidated"
    assert desk.actions(waiting)[-1] == "promotion.invalidated"
    assert desk.in_force() is None


@pytest.mark.parametrize(
    "part",
    [
        {"status": "interrupted"},
        {"status": "failed"},
        {"selection": "-k hello"},
        {"selection": "sample 20", "declared": 100},
        {"declared": 40},
        {"planned": 21, "declared": 21},
    ],
    ids=["interrupted", "failed", "filtered", "sampled", "shard", "missing"],
)
def test_a_part_of_a_run_blocks(desk: Desk, part: dict[str, Any]) -> None:
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, **part))
    assert asked.state == "blocked"
    assert "complete" in failed(asked)


@pytest.mark.parametrize(("dirty", "decision"), [(True, "fail"), (None, "inconclusive"), (False, "pass")])
def test_a_dirty_checkout_blocks_where_the_policy_says_so(desk: Desk, dirty: bool | None, decision: str) -> None:
    version = desk.version("one")
    run = desk.run(version, provenance={"dirty": dirty})
    asked = desk.under(allow_dirty=False).ask(version, run)
    assert [verdict.decision for verdict in asked.verdicts if verdict.rule == "dirty"] == [decision]
    assert asked.state == ("applied" if decision == "pass" else "blocked")


def test_a_dirty_checkout_is_good_enough_where_nobody_says_otherwise(desk: Desk) -> None:
    version = desk.version("one")
    assert desk.ask(version, desk.run(version, provenance={"dirty": True})).state == "applied"


@pytest.mark.parametrize(("asked_for", "state"), [(20, "applied"), (21, "blocked")])
def test_fewer_cases_than_min_cases_block(desk: Desk, asked_for: int, state: str) -> None:
    desk.under(min_cases=asked_for)
    _, asked = desk.promoted("one")
    assert asked.state == state
    assert failed(asked) == ([] if state == "applied" else ["min_cases"])


def test_cases_that_errored_are_no_cases(desk: Desk) -> None:
    desk.under(min_cases=20)
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, [True] * 19 + [None]))
    assert failed(asked) == ["min_cases"]


@pytest.mark.parametrize(
    ("budget", "state"), [("1", "applied"), ("5%", "applied"), ("0", "blocked"), ("4%", "blocked")]
)
def test_more_errors_than_allowed_block(desk: Desk, budget: str, state: str) -> None:
    desk.under(max_errors=budget)
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, [True] * 19 + [None]))
    assert (asked.state, failed(asked)) == (state, [] if state == "applied" else ["max_errors"])


def calibrate(desk: Desk, trust: str, version: str = "j1") -> None:
    desk.store.add_calibration(
        StoredCalibration(
            id=new_id(),
            judge="accuracy",
            scorer_version=version,
            made_at=utc_now(),
            n=50,
            trust=trust,
            source="x",
            body={},
        )
    )


@pytest.mark.parametrize(
    ("known", "wanted", "state"),
    [
        (None, None, "applied"),
        (None, "calibrated", "blocked"),
        ("uncalibrated", "calibrated", "blocked"),
        ("stale", "calibrated", "blocked"),
        ("calibrated", "calibrated", "applied"),
        ("interchangeable", "calibrated", "applied"),
        ("calibrated", "interchangeable", "blocked"),
        ("interchangeable", "interchangeable", "applied"),
    ],
)
def test_judges_are_trusted_as_far_as_the_policy_asks(desk: Desk, known: str | None, wanted: Any, state: str) -> None:
    if known == "stale":
        calibrate(desk, "calibrated", version="j0")
    elif known is not None:
        calibrate(desk, known)
    version = desk.version("one")
    desk.under(judges=wanted, own_gates=False)
    asked = desk.ask(version, desk.run(version, gates=(), scorer=JUDGE))
    assert (asked.state, failed(asked)) == (state, [] if state == "applied" else ["judges"])


def test_a_judge_that_lost_its_trust_is_not_applied(desk: Desk, refused: Refused) -> None:
    calibrate(desk, "calibrated")
    desk.under(judges="calibrated", own_gates=False, min_approvals=1)
    version = desk.version("one")
    asked = desk.ask(version, desk.run(version, gates=(), scorer=JUDGE))
    desk.do(promoting.approve, asked, BEN)
    calibrate(desk, "uncalibrated")
    with refused("stale"):
        desk.do(promoting.apply, asked, ANNA)
    assert "uncalibrated" in desk.now(asked).note


@pytest.mark.parametrize(
    "newer",
    [
        {"dataset": "hello again"},
        {"scorer": ScorerInfo(name="accuracy", version="2")},
        {"scorer": ScorerInfo(name="tone", version="1")},
    ],
    ids=["dataset", "scorer", "another scorer"],
)
def test_what_the_suite_is_by_now_keeps_older_evidence_from_being_applied(
    desk: Desk, newer: dict[str, Any], refused: Refused
) -> None:
    waiting = approved(desk)
    desk.run(desk.version("three"), **newer)
    with refused("stale"):
        desk.do(promoting.apply, waiting, ANNA)
    assert desk.now(waiting).state == "invalidated"


@pytest.mark.parametrize(
    "other",
    [
        {"provenance": {"branch": "feature"}},
        {"provenance": {"dirty": True}},
        {"selection": "-k hello"},
        {"status": "interrupted"},
        {"ago": dt.timedelta(days=1)},
        {"suite": "farewells"},
    ],
    ids=["branch", "dirty", "partial", "unfinished", "older", "other suite"],
)
def test_what_people_try_elsewhere_makes_no_evidence_stale(desk: Desk, other: dict[str, Any]) -> None:
    waiting = approved(desk)
    desk.run(desk.version("three"), dataset="hello again", **other)
    assert desk.do(promoting.apply, waiting, ANNA).state == "applied"


def test_evidence_with_another_model_than_the_one_in_force_blocks(desk: Desk) -> None:
    old, new = (desk.version(text, name="solver", kind="model") for text in ("m1", "m2"))
    prompt = desk.version("one")
    desk.store.set_alias("model", "solver", "production", old.digest, expected_generation=0)
    assert failed(desk.ask(prompt, desk.run(prompt, others=[new]))) == ["current"]
    assert desk.ask(prompt, desk.run(prompt, others=[old])).state == "applied"


def test_the_policy_may_allow_any_other_version(desk: Desk) -> None:
    old, new = (desk.version(text, name="solver", kind="model") for text in ("m1", "m2"))
    prompt = desk.version("one")
    desk.store.set_alias("model", "solver", "production", old.digest, expected_generation=0)
    assert desk.under(others="any").ask(prompt, desk.run(prompt, others=[new])).state == "applied"


def test_another_policy_than_it_was_judged_by_is_not_applied(desk: Desk, refused: Refused) -> None:
    waiting = approved(desk)
    desk.under(min_approvals=1, min_cases=3)
    with refused("policy"):
        desk.do(promoting.apply, waiting, ANNA)
    assert desk.now(waiting).state == "invalidated"


def test_a_suite_that_must_run_and_did_not_blocks(desk: Desk) -> None:
    desk.under(suites=("greetings", "safety"))
    version, asked = desk.promoted("one")
    assert failed(asked) == ["suites"]
    both = desk.ask(version, desk.run(version), desk.run(version, suite="safety"))
    assert both.state == "applied"


def test_results_that_were_changed_in_the_store_are_not_applied(desk: Desk, refused: Refused) -> None:
    import sqlite3

    waiting = approved(desk)
    with sqlite3.connect(desk.address) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{name}"')
        raw.execute("UPDATE trials SET output = '\"other\"' WHERE case_id = 'case-003'")
    raw.close()
    with refused("stale"):
        desk.do(promoting.apply, waiting, ANNA)
    assert "not what was judged" in desk.now(waiting).note


def test_defaults_are_a_week_and_no_more() -> None:
    assert Policy().max_age == 7 * 86_400
