"""Whatever somebody with the rights of the database does to the audit log, verifying it names the first bad entry."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.audit import GENESIS, Checkpoint, body_of, following
from evalkit.promotion import Actor, Event
from evalkit.store import Store, check

AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
ENTRIES = 5
ANN = Actor(name="ann", authentication="api-token", roles={"approver": ("production",)}, token="t")


def append(store: Store, number: int, **facts: Any) -> None:
    with store.ledger() as ledger:
        said = {"number": number, "score": 0.25, **facts}
        ledger.append(Event(action="test", actor=ANN, at=AT, subject="prompt/greet", alias="production", facts=said))


@pytest.fixture
def logged(store: Store) -> Store:
    for number in range(ENTRIES):
        append(store, number)
    assert store.verify_audit(strict=True).ok
    return store


Tamper = Callable[..., contextlib.AbstractContextManager[None]]


@pytest.fixture
def tamper() -> Tamper:
    """Change the log as its owner could, without the guards; and put everything back afterwards."""

    @contextlib.contextmanager
    def tampering(store: Store, *statements: tuple[str, tuple[Any, ...]]) -> Iterator[None]:
        database = store._database
        on_sqlite = store.url.startswith("sqlite")
        with database.writing() as session:
            kept = session.execute("SELECT seq, prev_hash, hash, body FROM audit ORDER BY seq")
            head = session.execute("SELECT clock, seq, hash FROM ledger")
            guards = list(unguard(session, on_sqlite))
            for statement, values in statements:
                session.execute(statement, values)
        try:
            yield
        finally:
            with database.writing() as session:
                session.execute("DELETE FROM audit")
                session.executemany("INSERT INTO audit (seq, prev_hash, hash, body) VALUES (?, ?, ?, ?)", kept)
                session.execute("DELETE FROM ledger")
                session.executemany("INSERT INTO ledger (id, clock, seq, hash) VALUES (1, ?, ?, ?)", head)
                for statement in guards:
                    session.execute(statement)

    return tampering


def unguard(session: Any, on_sqlite: bool) -> Iterator[str]:
    """Take the guards away; what puts them back."""
    if on_sqlite:
        for name, statement in session.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ):
            session.execute(f"DROP TRIGGER {name}")
            yield statement
        return
    session.execute("ALTER TABLE audit DISABLE TRIGGER USER")
    yield "ALTER TABLE audit ENABLE TRIGGER USER"


def flipped(text: str, place: int) -> str:
    at = place % len(text)
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_column_of_any_row(logged: Store, tamper: Tamper, data: st.DataObject) -> None:
    seq = data.draw(st.integers(1, ENTRIES))
    column = data.draw(st.sampled_from(["seq", "prev_hash", "hash", "body"]))
    if column == "seq":
        new: Any = data.draw(st.integers(-3, 3 * ENTRIES).filter(lambda one: not 1 <= one <= ENTRIES))
    else:
        old = getattr(logged.audit()[seq - 1], column)
        other = getattr(logged.audit()[seq % ENTRIES], column)
        new = data.draw(
            st.builds(flipped, st.just(old), st.integers(0, 10_000))
            | st.sampled_from(["", old + " ", old.upper(), old[:-1]] + ([] if column == "hash" else [other]))
        )
        if new == old:
            return
    with tamper(logged, (f"UPDATE audit SET {column} = ? WHERE seq = ?", (new, seq))):
        found = logged.verify_audit()
        assert not found.ok
        assert found.entries == (0 if column == "seq" and new < 1 else seq - 1)
        assert found.problem.startswith((f"Entry {seq}", f"Entries {seq} to", f"Entry {new}: it stands where 1 is due"))
    assert logged.verify_audit().ok


def test_a_row_that_is_deleted(logged: Store, tamper: Tamper) -> None:
    for seq in range(1, ENTRIES):
        with tamper(logged, ("DELETE FROM audit WHERE seq = ?", (seq,))):
            assert logged.verify_audit().problem.startswith(f"Entry {seq} is missing")


def test_two_rows_that_change_places(logged: Store, tamper: Tamper) -> None:
    changes = [
        ("UPDATE audit SET seq = 99 WHERE seq = 2", ()),
        ("UPDATE audit SET seq = 2 WHERE seq = 4", ()),
        ("UPDATE audit SET seq = 4 WHERE seq = 99", ()),
    ]
    with tamper(logged, *changes):
        assert logged.verify_audit().problem.startswith("Entry 2: its previous hash is")


@pytest.mark.parametrize("seq", [0, -1, ENTRIES + 1, ENTRIES + 2])
def test_a_row_that_is_put_in(logged: Store, tamper: Tamper, seq: int) -> None:
    last = logged.audit()[-1]
    made = following(last.hash, seq, last.body)
    row = (made.seq, made.prev_hash, made.hash, made.body)
    with tamper(logged, ("INSERT INTO audit (seq, prev_hash, hash, body) VALUES (?, ?, ?, ?)", row)):
        found = logged.verify_audit()
        assert not found.ok
        assert str(seq) in found.problem


def test_an_end_that_is_cut_off_is_missed_by_the_ledger(logged: Store, tamper: Tamper) -> None:
    with tamper(logged, ("DELETE FROM audit WHERE seq >= 4", ())):
        assert logged.verify_audit().problem == "Entries 4 to 5 are missing: the end of the log was cut off."
        append(logged, 9)  # what is written afterwards does not hide it
        assert logged.verify_audit().problem == "Entries 4 to 5 are missing: the next one there is has the number 6."
    with tamper(logged, ("DELETE FROM ledger", ())):
        assert "the ledger no longer knows" in logged.verify_audit().problem.lower()
    with tamper(logged, ("UPDATE ledger SET hash = ?", ("0" * 64,))):
        assert logged.verify_audit().problem.startswith("Entry 5: the ledger did not write it")


def test_only_a_checkpoint_shows_an_end_that_is_cut_off_of_the_ledger_as_well(logged: Store, tamper: Tamper) -> None:
    before = logged.checkpoint()
    third = logged.audit()[2]
    changes = [
        ("DELETE FROM audit WHERE seq >= 4", ()),
        ("UPDATE ledger SET seq = ?, hash = ?", (3, third.hash)),
    ]
    with tamper(logged, *changes):
        assert logged.verify_audit().ok
        assert logged.verify_audit(checkpoint=before).problem.startswith("Entry 5 is missing: the checkpoint of")
        assert logged.verify_audit(checkpoint=Checkpoint(seq=3, hash=third.hash, at=AT)).ok


def test_only_a_checkpoint_shows_a_log_that_was_written_anew(logged: Store, tamper: Tamper) -> None:
    before = logged.checkpoint()
    changes: list[tuple[str, tuple[Any, ...]]] = [("DELETE FROM audit", ())]
    last = GENESIS
    for entry in logged.audit():
        said = json.loads(entry.body)
        said["actor"]["name"] = "somebody else"
        made = following(last, entry.seq, body_of(said))
        row = (made.seq, made.prev_hash, made.hash, made.body)
        changes.append(("INSERT INTO audit (seq, prev_hash, hash, body) VALUES (?, ?, ?, ?)", row))
        last = made.hash
    changes.append(("UPDATE ledger SET hash = ?", (last,)))
    with tamper(logged, *changes):
        assert logged.verify_audit(strict=True).ok
        assert "was rewritten" in logged.verify_audit(checkpoint=before).problem
    assert logged.verify_audit(checkpoint=before).ok
    append(logged, 6)
    assert logged.verify_audit(checkpoint=before).ok


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("body", b"\xff\xfe", "its body is no text"),
        ("hash", b"\xff", "which is no SHA-256"),
        ("prev_hash", 7, "its previous hash is '7'"),
        ("body", 7.5, "its hash is"),
    ],
)
def test_a_cell_of_another_kind(logged: Store, tamper: Tamper, path: Path, column: str, value: Any, said: str) -> None:
    with tamper(logged, (f"UPDATE audit SET {column} = ? WHERE seq = 3", (value,))):
        found = logged.verify_audit()
        assert found.problem.startswith("Entry 3: ")
        assert said in found.problem


def test_text_that_is_no_text(logged: Store, tamper: Tamper, path: Path) -> None:
    with tamper(logged, ("UPDATE audit SET body = CAST(? AS TEXT) WHERE seq = 3", (b'{"a":"\xff\xfe"}',))):
        assert logged.verify_audit().problem.startswith("Entry 3: it cannot be read.")


def test_a_replacing_insert_does_not_get_past_the_guards(logged: Store, path: Path) -> None:
    before = logged.audit()
    with contextlib.closing(sqlite3.connect(path)) as database:
        for seq, own in ((2, "f" * 64), (9, before[1].hash)):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                database.execute("INSERT OR REPLACE INTO audit VALUES (?, ?, ?, ?)", (seq, "0" * 64, own, "{}"))
    assert logged.audit() == before


@pytest.mark.slow
def test_a_hundred_thousand_entries_take_less_than_two_seconds(store: Store) -> None:
    said = {
        "action": "promotion.approved",
        "actor": {"name": "ann", "roles": {"approver": ["production"]}, "authentication": "api-token"},
        "alias": "production",
        "at": "2026-11-22T09:30:00.000000Z",
        "promotion": "019a2b3c-0000-7000-8000-000000000001",
        "subject": "prompt/support-reply",
        "facts": {"fingerprint": "a" * 64, "comment": "fine", "state": ["pending_approval", "approved"], "number": 0},
    }
    body = body_of(said)
    rows, last = [], GENESIS
    for seq in range(1, 100_001):
        entry = following(last, seq, body.replace('"number":0', f'"number":{seq}'))
        rows.append((entry.seq, entry.prev_hash, entry.hash, entry.body))
        last = entry.hash
    with store._database.writing() as session:
        session.executemany("INSERT INTO audit (seq, prev_hash, hash, body) VALUES (?, ?, ?, ?)", rows)
        session.execute("INSERT INTO ledger VALUES (1, '2026-11-22T09:30:00.000000Z', 100000, ?)", [last])
    took = seconds(store)
    print(f"{took:.2f} s")
    if took >= 2.0:  # once more: what else the machine does is not what is measured
        took = min(seconds(store) for _ in range(3))
    assert took < 2.0, f"{took:.2f} s of CPU"


def seconds(store: Store) -> float:
    began = time.process_time()
    found = store.verify_audit()
    took = time.process_time() - began
    assert (found.ok, found.entries) == (True, 100_000)
    return took


def test_looking_the_store_over_finds_it_too(logged: Store, address: str, tamper: Tamper) -> None:
    assert check(address).problems == ()
    with tamper(logged, ("UPDATE audit SET body = '{}' WHERE seq = 2", ())):
        changed, unguarded = check(address).problems
        assert changed.startswith("the audit log: Entry 2: its hash is")
        assert "audit_" in unguarded
    assert check(address).problems == ()
