"""The ledger: promotions, aliases and the audit log change together, one transaction at a time, or not at all."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.audit import hash_of
from evalkit.canonical import digest, new_id
from evalkit.errors import NotFound, StoreError
from evalkit.promotion import Actor, Approval, Event, Evidence, Freeze, Override, PolicyText, Promotion, RuleVerdict
from evalkit.runs import Provenance
from evalkit.store import Store, open_store
from evalkit.store import ledger as ledger_module
from evalkit.versions import Version

AT = dt.datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=dt.UTC)
ANN = Actor(name="ann", authentication="api-token", roles={"approver": ("production",), "viewer": ("*",)}, token="t1")
BOT = Actor(name="bot", is_service=True, ci="https://ci.example/7")
TEXT = '{"gates":["exact >= 0.9"]}'
POLICY = PolicyText(name="strict", digest=digest(json.loads(TEXT)), text=TEXT)
GREET = Version(kind="prompt", name="greet", digest="a" * 64, body={"text": "Hello."})
HAIL = Version(kind="prompt", name="greet", digest="b" * 64, body={"text": "Hail."})


def evidence(*runs: str, **changes: Any) -> Evidence:
    said: dict[str, Any] = {
        "runs": runs,
        "run_digest": "1" * 64,
        "baseline": None,
        "suites": ("math",),
        "datasets": {"math": "2" * 64},
        "scorers": {"math/exact": {"version": "1", "config": {"fold": ["case", "space"]}}},
        "subject": HAIL.digest,
        "lock": "3" * 64,
        "cases": 3,
        "planned": 3,
        "executed": 3,
        "errored": 0,
        "unscored": 0,
        "seed": 1,
        "selection": "",
        "is_complete": True,
        "commit": None,
        "dirty": False,
        "finished_at": AT,
    }
    return Evidence(**(said | changes))


def promotion(**changes: Any) -> Promotion:
    said: dict[str, Any] = {
        "id": new_id(),
        "kind": "prompt",
        "name": "greet",
        "alias": "production",
        "from_digest": None,
        "to_digest": HAIL.digest,
        "base_generation": 0,
        "created_at": AT,
        "by": BOT,
        "author": "ann",
        "reason": "it is friendlier",
        "policy": POLICY,
        "evidence": None,
        "fingerprint": "4" * 64,
        "evaluator": "evalkit 1",
        "state_since": AT,
    }
    return Promotion(**(said | changes))


def approval(of: Promotion, **changes: Any) -> Approval:
    said: dict[str, Any] = {
        "id": new_id(),
        "promotion": of.id,
        "by": ANN,
        "approves": True,
        "comment": "fine",
        "at": AT,
        "fingerprint": of.fingerprint,
    }
    return Approval(**(said | changes))


def event(action: str = "promotion.requested", **facts: Any) -> Event:
    return Event(action=action, actor=ANN, at=AT, subject="prompt/greet", alias="production", facts=facts)


@pytest.fixture
def registered(store: Store) -> Store:
    store.register(GREET)
    store.register(HAIL)
    return store


def test_a_promotion_comes_back_as_it_was(registered: Store, begin: Callable[..., Any]) -> None:
    runs = [begin(registered).run_id for _ in range(4)]
    verdict = RuleVerdict(
        rule="min_cases", text="min_cases = 50", decision="fail", observed="3", n=3, hint="Add cases."
    )
    override = Override(rules=("min_cases",), reason="urgent\x00", by=ANN, at=AT, expires_at=AT)
    made = promotion(
        evidence=evidence(*runs[:2], baseline=", ".join(runs[2:])), verdicts=(verdict, verdict), override=override
    )
    made = dataclasses.replace(
        made,
        approvals=(approval(made, is_self=True), approval(made, approves=False, dismissed="new evidence")),
        state="applied",
        applied_at=AT,
        applied_by=BOT,
        generation=4,
        superseded_by=new_id(),
        note="ünïcode 🎉",
    )
    with registered.ledger() as ledger:
        ledger.save(made)
        assert ledger.promotion(made.id) == made
        assert ledger.promotion(new_id()) is None
        assert ledger.promotions("prompt", "greet", "production") == [made]
        assert ledger.promotions("prompt", "greet", "staging") == []
    assert registered.promotion(made.id[:30]) == made
    assert registered.promotions() == [made]
    assert registered.promotions(kind="prompt", name="greet", alias="production", state=["applied", "blocked"]) == [
        made
    ]
    assert registered.promotions(state=["blocked"]) == []
    assert [registered.promotions_citing(run) for run in runs] == [[made.id]] * 4


def test_a_promotion_that_is_not_there(registered: Store) -> None:
    with registered.ledger() as ledger:
        for _ in range(7):
            ledger.save(promotion())
    with pytest.raises(NotFound, match='no promotion "nothing"'):
        registered.promotion("nothing")
    with pytest.raises(NotFound, match=r"beginning of 7 promotions:(.|\n)*and 2 earlier"):
        registered.promotion(registered.promotions()[0].id[:4])


def test_what_was_asked_for_never_changes(registered: Store) -> None:
    made = promotion()
    with registered.ledger() as ledger:
        ledger.save(made)
    for change in (
        {"alias": "staging"},
        {"to_digest": GREET.digest},
        {"by": ANN},
        {"author": None},
        {"reason": "other"},
        {"base_generation": 1},
        {"created_at": AT + dt.timedelta(seconds=1)},
        {"rollback_of": new_id()},
    ):
        with pytest.raises(StoreError, match="asks for cannot change"), registered.ledger() as ledger:
            ledger.save(dataclasses.replace(made, **change))
    assert registered.promotions() == [made]


def test_approvals_are_only_added_or_dismissed(registered: Store) -> None:
    made = promotion()
    first, second = approval(made), approval(made, by=dataclasses.replace(ANN, name="ben"))
    stages = [(first,), (first, second), (dataclasses.replace(first, dismissed="new policy"), second)]
    for approvals in stages:
        with registered.ledger() as ledger:
            ledger.save(dataclasses.replace(made, approvals=approvals))
        assert registered.promotion(made.id).approvals == approvals
    for wrong in (
        (),
        (second, stages[-1][0]),
        (dataclasses.replace(stages[-1][0], approves=False), second),
        (dataclasses.replace(stages[-1][0], fingerprint="5" * 64), second),
    ):
        with pytest.raises(StoreError, match="people said"), registered.ledger() as ledger:
            ledger.save(dataclasses.replace(made, approvals=wrong))
    with pytest.raises(StoreError, match="stays so"), registered.ledger() as ledger:
        ledger.save(dataclasses.replace(made, approvals=stages[1]))
    assert registered.promotion(made.id).approvals == stages[-1]


def test_an_exception_undoes_everything(registered: Store) -> None:
    made = promotion()
    with pytest.raises(RuntimeError, match="stop"), registered.ledger(webhooks={"hook": ["*"]}) as ledger:
        ledger.save(made)
        ledger.move("prompt", "greet", "production", HAIL.digest, expected_generation=0, by="ann")
        ledger.declare(Freeze(id="f", subject="*", alias="*", reason="", since=AT, until=None, by=ANN))
        ledger.append(event())
        raise RuntimeError("stop")
    assert registered.promotions() == []
    assert registered.freezes() == []
    assert registered.audit() == []
    assert registered.outbox() == []
    assert registered.alias("prompt", "greet", "production") is None


def test_the_alias_moves_by_compare_and_swap(registered: Store) -> None:
    with registered.ledger() as ledger:
        assert ledger.position("prompt", "greet", "production") is None
        assert ledger.move("prompt", "greet", "production", HAIL.digest, expected_generation=1, by="ann") is None
        assert ledger.move("prompt", "greet", "production", HAIL.digest, expected_generation=0, by="ann") == 1
        assert ledger.move("prompt", "greet", "production", GREET.digest, expected_generation=0, by="ann") is None
        assert ledger.move("prompt", "greet", "production", GREET.digest, expected_generation=1, by="ben") == 2
        assert ledger.move("prompt", "greet", "production", "c" * 64, expected_generation=2, by="ben") is None
        assert ledger.position("prompt", "greet", "production") == (GREET.digest, 2)
    alias = registered.alias("prompt", "greet", "production")
    assert alias is not None
    assert (alias.digest, alias.generation, alias.updated_by) == (GREET.digest, 2, "ben")


def test_an_alias_that_is_moved_without_a_promotion_is_audited(registered: Store) -> None:
    registered.set_alias("prompt", "greet", "production", GREET.digest, expected_generation=0, by="ann")
    registered.set_alias("prompt", "greet", "production", HAIL.digest, expected_generation=1)
    with pytest.raises(StoreError):
        registered.set_alias("prompt", "greet", "production", HAIL.digest, expected_generation=1)
    said = [json.loads(entry.body) for entry in registered.audit()]
    assert [one["action"] for one in said] == ["alias.moved", "alias.moved"]
    assert [one["actor"]["name"] for one in said] == ["ann", ""]
    assert said[1]["facts"] == {"from": GREET.digest, "to": HAIL.digest, "generation": 2}
    assert said[1]["subject"] == "prompt/greet"


def test_freezes_are_declared_and_lifted(registered: Store) -> None:
    freeze = Freeze(id=new_id(), subject="prompt/greet", alias="*", reason="holidays", since=AT, until=None, by=ANN)
    with registered.ledger() as ledger:
        ledger.declare(freeze)
        assert ledger.freezes() == [freeze]
    lifted = dataclasses.replace(freeze, lifted_at=AT + dt.timedelta(days=1), lifted_by=BOT)
    with registered.ledger() as ledger:
        ledger.declare(lifted)
    assert registered.freezes() == [lifted]


def test_entries_are_chained_and_numbered(registered: Store) -> None:
    for number in range(3):
        with registered.ledger() as ledger:
            ledger.append(event(number=number, share=0.1 + 0.2, huge=2**60))
            ledger.append(event("promotion.applied"))
    entries = registered.audit()
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert entries[0].prev_hash == "0" * 64
    for before, after in itertools.pairwise(entries):
        assert after.prev_hash == before.hash
    assert all(entry.hash == hash_of(entry.prev_hash, entry.seq, entry.body) for entry in entries)
    said = json.loads(entries[0].body)
    assert said["facts"] == {"number": 0, "share": "0.30000000000000004", "huge": str(2**60)}
    assert said["actor"]["roles"] == {"approver": ["production"], "viewer": ["*"]}
    assert said["at"] == "2026-11-22T09:30:00.123456Z"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET body = '{}' WHERE seq = 1",
        "UPDATE audit SET seq = 9 WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE policies SET text = '{}'",
        "DELETE FROM policies",
        "DELETE FROM versions",
        "DELETE FROM promotions",
        "DELETE FROM runs",
    ],
)
def test_the_database_itself_refuses_to_lose_anything(
    registered: Store, begin: Callable[..., Any], change: str
) -> None:
    run = begin(registered).run_id
    with registered.ledger() as ledger:
        ledger.save(promotion(evidence=evidence(run)))
        ledger.append(event())
        ledger.append(event())
    before = registered.audit(), registered.promotions(), registered.versions("prompt"), len(registered.runs())
    with pytest.raises(StoreError, match="refused a row"), registered._database.writing() as session:
        session.execute(change)
    assert before == (
        registered.audit(),
        registered.promotions(),
        registered.versions("prompt"),
        len(registered.runs()),
    )


def test_a_run_that_no_promotion_rests_on_can_be_deleted(registered: Store) -> None:
    registered.start_run("r", started_at=AT, provenance=Provenance(), seed=1)
    with registered._database.writing() as session:
        session.execute("DELETE FROM runs WHERE id = 'r'")
    assert registered.runs() == []


def test_a_clock_that_is_put_back_changes_nothing(registered: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [AT + dt.timedelta(days=days) for days in (1, 0, -3, 2)]
    seen = []
    for time in times:
        monkeypatch.setattr(ledger_module, "utc_now", lambda time=time: time)
        with registered.ledger() as ledger:
            seen.append(ledger.now())
        assert registered.now() == seen[-1]
    assert seen == [times[0], times[0], times[0], times[3]]


def test_it_is_on_the_disk_when_it_ends_and_run_data_does_not_wait(registered: Store, path: Path) -> None:
    def synchronous() -> int:
        (level,) = registered._database._connection.execute("PRAGMA synchronous").fetchone()
        return int(level)

    assert synchronous() == 1
    with registered.ledger() as ledger:
        ledger.append(event())
        assert synchronous() == 2
    assert synchronous() == 1
    with pytest.raises(ZeroDivisionError), registered.ledger():
        _ = 1 / 0
    assert synchronous() == 1


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(registered: Store, address: str, script: Any) -> None:
    code = """
    import sys
    from evalkit.promotion import Actor, Event
    from evalkit.store import open_store
    with open_store(sys.argv[1]) as store:
        for number in range(100_000):
            with store.ledger() as ledger:
                digest = "ab"[number % 2] * 64
                ledger.move("prompt", "greet", "production", digest, expected_generation=number, by="x")
                ledger.append(Event(action="test", actor=Actor(name="x"), at=ledger.now(), subject="x"))
            print(number + 1, flush=True)
    """
    process = script(code, address)
    said = [int(process.stdout.readline()) for _ in range(15)]
    process.kill()
    said += [int(line) for line in process.communicate()[0].split()]
    with registered.ledger():
        pass  # a server may still be at the last one; this waits for it
    alias = registered.alias("prompt", "greet", "production")
    assert alias is not None
    entries = len(registered.audit())
    assert entries == alias.generation  # both or neither
    assert entries in (said[-1], said[-1] + 1)  # the last one may have been committed, and not said to be
    assert registered.verify_audit(strict=True).ok


@settings(max_examples=25)
@given(
    said=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_an_event_says_its_entry_is_the_same_when_it_is_read(tmp_path_factory: Any, said: Any) -> None:
    with open_store(tmp_path_factory.mktemp("store") / "evalkit.db") as store:
        with store.ledger() as ledger:
            ledger.append(event(said=said))
        (entry,) = store.audit()
    assert entry.hash == hash_of(entry.prev_hash, 1, entry.body)
    json.loads(entry.body)


@pytest.mark.slow
def test_eight_processes_write_one_chain(registered: Store, address: str, script: Any, outputs: Any) -> None:
    code = """
    import datetime as dt, sys
    from evalkit.promotion import Actor, Event
    from evalkit.store import open_store
    with open_store(sys.argv[1], timeout=120) as store:
        for _ in range(5):
            with store.ledger() as ledger:
                at = ledger.now()
                ledger.append(Event(action="test", actor=Actor(name=sys.argv[2]), at=at, subject="x"))
    """
    outputs([script(code, address, number) for number in range(8)])
    entries = registered.audit()
    assert [entry.seq for entry in entries] == list(range(1, 41))
    assert {json.loads(entry.body)["actor"]["name"] for entry in entries} == set("01234567")
    assert all(one.prev_hash == last.hash for last, one in itertools.pairwise(entries))
    times = [json.loads(entry.body)["at"] for entry in entries]
    assert times == sorted(times)
