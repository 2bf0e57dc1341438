"""What a case gave can be taken out of the store; a promotion that rests on it can be verified all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit import promoting
from evalkit.canonical import digest
from evalkit.errors import NotFound
from evalkit.promotion import Promotion
from evalkit.store.address import parse
from evalkit.store.opening import open_database
from evalkit.store.redacting import Redacted, redact
from evalkit.trial import redacted

from .conftest import BEN, Desk

CASE = "case-003"
GAVE = f"hello {CASE}"


def take_out(desk: Desk, promotion: Promotion, *, case: str = CASE, suite: str | None = None) -> Redacted:
    assert promotion.evidence is not None
    database = open_database(parse(desk.address), create=False, read_only=False)
    try:
        name = suite or promotion.evidence.suites[0]
        return redact(database, promotion.evidence.runs[0], name, case, actor=BEN, reason="A name was in it.")
    finally:
        database.close()


def outputs(desk: Desk, promotion: Promotion) -> dict[str, object]:
    assert promotion.evidence is not None
    run = desk.store.load(promotion.evidence.runs[0])
    return {trial.case_id: trial.output.value for suite in run.suites for trial in suite.trials}


def test_the_output_is_its_digest_and_the_promotion_still_comes_out_the_same(any_desk: Desk) -> None:
    _, made = any_desk.promoted("one")
    before = outputs(any_desk, made)
    done = take_out(any_desk, made)
    assert done.outputs == (digest(GAVE),)
    assert done.swept
    after = outputs(any_desk, made)
    assert redacted(after[CASE]) == digest(GAVE)
    assert {case: value for case, value in after.items() if case != CASE} == {
        case: value for case, value in before.items() if case != CASE
    }
    found = promoting.verify(any_desk.store, made.id)
    assert found.same, found.differences


def test_the_audit_log_says_so_and_is_whole(any_desk: Desk) -> None:
    _, made = any_desk.promoted("one")
    take_out(any_desk, made)
    said = any_desk.log()[-1]
    assert said["action"] == "payload.redacted"
    assert said["actor"]["name"] == "ben"
    assert (said["facts"]["case"], said["facts"]["reason"]) == (CASE, "A name was in it.")
    assert said["facts"]["outputs"] == [digest(GAVE)]
    assert GAVE not in str(said)
    assert not any_desk.store.verify_audit().problem


def test_done_again_it_changes_nothing(desk: Desk) -> None:
    _, made = desk.promoted("one")
    take_out(desk, made)
    log = desk.log()
    assert take_out(desk, made) == Redacted(outputs=(), spans=0, exchanges=0, swept=True)
    assert desk.log() == log


def test_nothing_of_it_is_left_in_the_file(desk: Desk) -> None:
    _, made = desk.promoted("one")
    take_out(desk, made)
    desk.store.close()
    there = b"".join(path.read_bytes() for path in Path(desk.address).parent.glob("evalkit.db*"))
    assert b"hello case-004" in there
    assert GAVE.encode() not in there


def test_a_changed_digest_is_found(desk: Desk) -> None:
    """The marker is no way to put another output in the place of the one that was judged."""
    import sqlite3

    _, made = desk.promoted("one")
    take_out(desk, made)
    with sqlite3.connect(desk.address) as connection:
        connection.execute("UPDATE trials SET output = ? WHERE case_id = ?", ['{"$redacted":"' + "0" * 64 + '"}', CASE])
    connection.close()
    assert not promoting.verify(desk.store, made.id).same


@pytest.mark.parametrize(
    ("case", "suite", "told"), [("case-999", None, "no trial of a case"), (CASE, "other", "no suite")]
)
def test_what_is_not_there_is_said(desk: Desk, case: str, suite: str | None, told: str) -> None:
    _, made = desk.promoted("one")
    log = desk.log()
    with pytest.raises(NotFound, match=told):
        take_out(desk, made, case=case, suite=suite)
    assert desk.log() == log
