"""Eight processes apply at once: one ends applied, whatever the database."""

from __future__ import annotations

import collections
import subprocess
import sys
import textwrap

import pytest

from evalkit import promoting
from evalkit.audit import Entry
from evalkit.audit.entry import GENESIS, hash_of

from .conftest import ANNA, BEN, Desk

APPLY = textwrap.dedent(
    """
    import sys

    from evalkit import promoting
    from evalkit.errors import Refusal
    from evalkit.promoting import Policies
    from evalkit.promotion import Actor
    from evalkit.promotion.policy import Policy
    from evalkit.store import open_store

    address, promotion, number = sys.argv[1:]
    policies = Policies({"production": Policy(name="production", min_approvals=1)})
    with open_store(address) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            done = promoting.apply(store, promotion, actor=Actor(name=f"worker-{number}"), policies=policies)
            print(done.promotion.state)
        except Refusal as refusal:
            print(f"refused {refusal.rule}")
    """
)


def at_once(desk: Desk, promotions: list[str]) -> list[str]:
    """What became of applying each of them in a process of its own, all let go at the same moment."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", APPLY, desk.address, promotion, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, promotion in enumerate(promotions)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n", worker.communicate(timeout=120)[1]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=300) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers), said
    return [out.strip() for out, _ in said]


@pytest.mark.slow
def test_of_eight_promotions_applied_at_once_one_wins(any_desk: Desk) -> None:
    desk = any_desk.under(min_approvals=1)
    asked = []
    for number in range(8):
        _, one = desk.promoted(f"text {number}")
        asked.append(desk.do(promoting.approve, one, BEN))
    said = at_once(desk, [one.id for one in asked])
    assert sorted(said) == ["applied", *["refused base_moved"] * 7]
    states = [desk.now(one).state for one in asked]
    assert collections.Counter(states) == {"applied": 1, "invalidated": 7}
    winner = asked[states.index("applied")]
    assert desk.in_force() == winner.to_digest
    there = desk.store.alias("prompt", "reply", "production")
    assert there is not None
    assert there.generation == 1
    actions = collections.Counter(body["action"] for body in desk.log())
    assert (actions["promotion.applied"], actions["promotion.invalidated"]) == (1, 7)
    chained(desk.store.audit())


@pytest.mark.slow
def test_one_promotion_that_several_apply_at_once_is_applied_once(desk: Desk) -> None:
    _, asked = desk.under(min_approvals=1).promoted("one")
    desk.do(promoting.approve, asked, BEN)
    said = at_once(desk, [asked.id] * 3)
    assert sorted(said) == ["applied", *["refused state"] * 2]
    assert desk.actions(asked).count("promotion.applied") == 1
    there = desk.store.alias("prompt", "reply", "production")
    assert there is not None
    assert there.generation == 1


def test_what_was_applied_is_rolled_back_once(any_desk: Desk) -> None:
    one, _ = any_desk.promoted("one")
    any_desk.promoted("two")
    done = promoting.rollback(
        any_desk.store,
        kind="prompt",
        name="reply",
        alias="production",
        actor=ANNA,
        policies=any_desk.policies,
        reason="it is rude",
    )
    assert done.promotion is not None
    assert (any_desk.in_force(), done.promotion.generation) == (one.digest, 3)
    assert any_desk.store.promotion(done.promotion.id) == done.promotion


def chained(entries: list[Entry]) -> None:
    before = GENESIS
    for number, entry in enumerate(entries, start=1):
        assert (entry.seq, entry.prev_hash) == (number, before)
        before = hash_of(before, entry.seq, entry.body)
        assert entry.hash == before
