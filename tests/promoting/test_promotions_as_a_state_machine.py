"""Everybody does anything at any time: what is allowed and what comes of it is what the rules say.

Hypothesis draws commands, people, clocks (stepped back, too), policies and newer runs; `model` says what the rules
make of each. The same runs in memory, in a file and on PostgreSQL. `EVALKIT_TEST_EXAMPLES` is how many examples are
drawn, at random, instead of the same few.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from evalkit import promoting
from evalkit.canonical import digest, new_id
from evalkit.case import Case, Dataset
from evalkit.errors import Refusal
from evalkit.promoting import Policies
from evalkit.promotion import Actor, Promotion
from evalkit.runs import DatasetInfo, Provenance, Run, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import Score
from evalkit.store import open_store
from evalkit.trial import Output, Trial
from evalkit.versions import Version

from .memory import MemoryStore
from .model import POLICIES, Asked, Ran, World

EXAMPLES = int(os.environ.get("EVALKIT_TEST_EXAMPLES", "0"))
START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
VERSIONS = 3


def known(name: str, *roles: str, is_service: bool = False) -> Actor:
    held: Any = dict.fromkeys(roles, ("*",))
    return Actor(name=name, authentication="api-token", roles=held, token=f"t-{name}", is_service=is_service)


PEOPLE = (
    Actor(name="anna"),
    Actor(name="ben"),
    Actor(name="carl"),
    known("ada", "author"),
    known("abe", "approver"),
    known("ben", "approver"),
    known("dora", "admin"),
    known("robot", "runner", is_service=True),
    known("rogue", "approver", "admin", is_service=True),
    known("vera", "viewer"),
)
ANYBODY = st.sampled_from((*PEOPLE, *PEOPLE[:3], *PEOPLE[:3], known("dora", "admin"), known("abe", "approver")))
APPROVERS = (
    Actor(name="anna"),
    Actor(name="ben"),
    Actor(name="carl"),
    known("abe", "approver"),
    known("dora", "admin"),
)
DORA = known("dora", "admin")
_NAMES = itertools.count(1)
REACHED: Counter[str] = Counter()


class Promotions(RuleBasedStateMachine):
    """All commands on one alias of one prompt, in a store that has many."""

    store: ClassVar[Any]
    clock: ClassVar[dt.datetime]

    asked = Bundle("asked")

    @initialize(policy=st.sampled_from(sorted(POLICIES)))
    def begin(self, policy: str) -> None:
        self.name = f"reply-{next(_NAMES)}"
        if isinstance(self.store, MemoryStore):
            type(self).store = MemoryStore(self.store.clock)
        type(self).clock = max(type(self).clock, self.store.now())
        with self.store.ledger() as ledger:
            self.highest = ledger.now()
        self.world = World(now=self.highest, policy=POLICIES[policy])
        self.policies = Policies({"production": POLICIES[policy]})
        self.versions: list[Version] = []
        self.freeze: str | None = None
        for number in range(VERSIONS):
            body = {"text": f"{self.name} {number}"}
            version = Version(kind="prompt", name=self.name, digest=digest(body), body=body)
            author = "ben" if number == 1 else "someone"
            self.store.register(version, author=author)
            self.world.authors[number] = author
            self.versions.append(version)
        for number in range(VERSIONS):
            self.ran(number, is_good=True, changed=False)

    # what happens around promotions

    @rule(version=st.integers(0, VERSIONS - 1), is_good=st.integers(0, 3), changed=st.integers(0, 9))
    def runs(self, version: int, is_good: int, changed: int) -> None:
        self.ran(version, is_good=is_good > 0, changed=changed == 0)

    def ran(self, version: int, *, is_good: bool, changed: bool) -> None:
        world = self.world
        at = max(type(self).clock, world.runs[-1].at + dt.timedelta(seconds=1)) if world.runs else type(self).clock
        dataset = world.runs[-1].dataset if world.runs else "first"
        made = Ran(id=new_id(), version=version, at=at, is_good=is_good, dataset=new_id() if changed else dataset)
        world.runs.append(made)
        _store_run(self.store, made, self.versions[version], suite=self.name)

    @rule(hours=st.sampled_from([*[0.1] * 6, *[2.5] * 6, 5, 13, 25, 49, 73, 24 * 7, 24 * 14]))
    def time_passes(self, hours: float) -> None:
        type(self).clock += dt.timedelta(hours=hours)

    @rule(hours=st.sampled_from([1, 1, 24, 24 * 15]))
    def the_clock_steps_back(self, hours: float) -> None:
        type(self).clock -= dt.timedelta(hours=hours)

    @rule(name=st.sampled_from(sorted(POLICIES)), really=st.sampled_from([False, False, True]))
    def the_policy_changes(self, name: str, *, really: bool) -> None:
        if not really and self.world.asked:
            return
        self.world.policy = POLICIES[name]
        self.policies = Policies({"production": POLICIES[name]})

    @rule(version=st.integers(0, VERSIONS - 1), really=st.sampled_from([False, False, True]))
    def somebody_moves_the_alias_by_hand(self, version: int, *, really: bool) -> None:
        if not really:
            return
        generation = self.world.alias[1]
        self.store.set_alias(
            "prompt", self.name, "production", self.versions[version].digest, expected_generation=generation
        )
        self.world.alias = (version, generation + 1)
        self.written()

    @precondition(lambda self: not self.world.is_frozen)
    @rule()
    def freezes(self) -> None:
        self.seen()
        done = promoting.freeze(
            self.store,
            subject=f"prompt/{self.name}",
            alias="production",
            actor=known("dora", "admin"),
            policies=self.policies,
            reason="the fair",
        )
        assert done.freeze is not None
        self.freeze, self.world.is_frozen = done.freeze.id, True
        self.written()

    @precondition(lambda self: self.world.is_frozen)
    @rule()
    def lifts(self) -> None:
        self.seen()
        assert self.freeze is not None
        promoting.lift(self.store, self.freeze, actor=known("dora", "admin"), policies=self.policies)
        self.world.is_frozen = False
        self.written()

    # the commands

    @rule(target=asked, version=st.integers(0, VERSIONS - 1), who=ANYBODY, which=st.integers(-1, 4))
    def asks(self, version: int, who: Actor, which: int) -> Any:
        return self.asks_as(version, who, which)

    @rule(target=asked, version=st.integers(0, VERSIONS - 1), is_applied=st.booleans())
    def goes_all_the_way(self, version: int, *, is_applied: bool) -> Any:
        """What people mostly do: ask with a good run, approve, wait, apply."""
        return self.goes(version, is_applied=is_applied)

    def goes(self, version: int, *, is_applied: bool) -> Any:
        self.ran(version, is_good=True, changed=False)
        made = self.asks_as(version, DORA, 0)
        if isinstance(made, str):
            for who in APPROVERS[:4]:
                self.approves_as(made, who)
            if is_applied:
                type(self).clock += dt.timedelta(hours=2.5)
                self.applies_as(made, DORA)
        return made

    @rule(version=st.integers(0, VERSIONS - 1))
    def there_and_back(self, version: int) -> None:
        self.goes(version, is_applied=True)
        self.goes((version + 1) % VERSIONS, is_applied=True)
        self.rolls_back_as(DORA, "it is rude", None)

    @rule(version=st.integers(0, VERSIONS - 1))
    def is_forgotten(self, version: int) -> None:
        self.asks_as(version, DORA, 0)
        type(self).clock += dt.timedelta(days=15)

    def asks_as(self, version: int, who: Actor, which: int) -> Any:
        ran = None if which == -1 else self.some_run(version, which)
        self.seen()
        broken = self.world.breaks_request(version, who, ran)
        made = self.tried(
            broken,
            lambda: promoting.request(
                self.store,
                kind="prompt",
                name=self.name,
                version=self.versions[version].digest,
                alias="production",
                runs=[] if ran is None else [ran.id],
                actor=who,
                policies=self.policies,
            ),
        )
        if made is None:
            return multiple()
        world = self.world
        one = Asked(
            id=made.id,
            version=version,
            by=who,
            policy=world.policy,
            created=world.now,
            since=world.now,
            base=world.alias,
        )
        world.asked[made.id] = one
        if ran is not None:
            world.judge(one, ran)
        return made.id

    @rule(which=asked, who=ANYBODY, run=st.integers(-1, 4))
    def judges_again(self, which: str, who: Actor, run: int) -> None:
        one = self.world.asked[which]
        if run == -1 and one.run is None:
            return
        ran = one.run if run == -1 else self.some_run(one.version, run)
        assert ran is not None
        self.seen()
        broken = self.world.breaks_evaluate(one, who, ran)
        if self.command(promoting.evaluate, one, who, broken, ends={"base_moved"}, runs=[ran.id]):
            self.world.judge(one, ran)

    @rule(which=asked, one=st.sampled_from(APPROVERS), other=st.sampled_from(APPROVERS))
    def two_approve(self, which: str, one: Actor, other: Actor) -> None:
        self.approves_as(which, one)
        self.approves_as(which, other)

    @rule(which=asked, who=ANYBODY)
    def approves(self, which: str, who: Actor) -> None:
        self.approves_as(which, who)

    def approves_as(self, which: str, who: Actor) -> None:
        one = self.world.asked[which]
        self.seen()
        if self.command(promoting.approve, one, who, self.world.breaks_approve(one, who)):
            one.votes[who.name] = True
            self.world.count(one)

    @rule(which=asked, who=ANYBODY, reason=st.sampled_from(["", "too curt"]))
    def rejects(self, which: str, who: Actor, reason: str) -> None:
        one = self.world.asked[which]
        self.seen()
        if self.command(promoting.reject, one, who, self.world.breaks_reject(one, who, reason), reason=reason):
            one.votes[who.name] = False
            self.world.enter(one, "rejected")

    @rule(which=asked, who=ANYBODY)
    def withdraws(self, which: str, who: Actor) -> None:
        one = self.world.asked[which]
        self.seen()
        if self.command(promoting.withdraw, one, who, self.world.breaks_withdraw(one, who)):
            del one.votes[who.name]
            if one.state == "approved":
                self.world.enter(one, "invalidated")

    @rule(which=asked, who=ANYBODY)
    def cancels(self, which: str, who: Actor) -> None:
        one = self.world.asked[which]
        self.seen()
        if self.command(promoting.cancel, one, who, self.world.breaks_cancel(one, who)):
            self.world.enter(one, "cancelled")

    @rule(which=asked, who=ANYBODY)
    def overrides(self, which: str, who: Actor) -> None:
        one = self.world.asked[which]
        self.seen()
        if self.command(promoting.override, one, who, self.world.breaks_override(one, who), reason="it is fine"):
            assert one.policy.override is not None
            one.votes.clear()
            one.overridden = (who.name, self.world.now + dt.timedelta(seconds=one.policy.override.good_for))
            self.world.enter(one, "pending_approval")
            self.world.count(one)

    @rule(which=asked, who=ANYBODY)
    def applies(self, which: str, who: Actor) -> None:
        self.applies_as(which, who)

    def applies_as(self, which: str, who: Actor) -> None:
        one = self.world.asked[which]
        self.seen()
        broken = self.world.breaks_apply(one, who)
        if self.command(promoting.apply, one, who, broken, ends={"base_moved", "stale", "policy"}):
            self.world.move(one)

    @rule(
        who=ANYBODY,
        reason=st.sampled_from(["", "it is rude", "it is rude"]),
        to=st.sampled_from([None, None, *range(VERSIONS)]),
    )
    def rolls_back(self, who: Actor, reason: str, to: int | None) -> None:
        self.rolls_back_as(who, reason, to)

    def rolls_back_as(self, who: Actor, reason: str, to: int | None) -> None:
        self.seen()
        world = self.world
        target = to if to is not None else world.back()
        made = self.tried(
            world.breaks_rollback(who, reason, to),
            lambda: promoting.rollback(
                self.store,
                kind="prompt",
                name=self.name,
                alias="production",
                actor=who,
                policies=self.policies,
                reason=reason,
                to=None if to is None else self.versions[to].digest,
            ),
        )
        if made is None:
            return
        assert target is not None
        source = max(
            (one for one in world.asked.values() if one.version == target and one.generation),
            key=lambda one: one.generation or 0,
        )
        one = Asked(
            id=made.id,
            version=target,
            by=who,
            policy=source.policy,
            created=world.now,
            since=world.now,
            base=world.alias,
            run=source.run,
            missed=source.missed,
            is_rollback=True,
        )
        world.asked[made.id] = one
        world.move(one)

    # how it is held against the model

    @invariant()
    def everything_stands_as_the_rules_say(self) -> None:
        if not hasattr(self, "world"):
            return
        self.seen()
        world = self.world
        there = self.store.alias("prompt", self.name, "production")
        position = (None, 0) if there is None else (there.digest, there.generation)
        wanted = None if world.alias[0] is None else self.versions[world.alias[0]].digest
        assert position == (wanted, world.alias[1])
        found = {one.id: one for one in promoting.listed(self.store, kind="prompt", name=self.name)}
        assert {key: one.state for key, one in found.items()} == {
            key: world.state(one) for key, one in world.asked.items()
        }
        assert sum(one.state == "applied" for one in found.values()) <= 1
        for one in found.values():
            self._sound(one)

    def _sound(self, one: Promotion) -> None:
        model = self.world.asked[one.id]
        votes = {vote.by.name: vote.approves for vote in one.approvals if not vote.dismissed}
        assert votes == model.votes
        assert not any(vote.by.is_service for vote in one.approvals)
        assert all(vote.fingerprint == one.fingerprint for vote in one.approvals if not vote.dismissed)
        if one.state in ("approved", "applied") and not one.rollback_of and not model.is_rollback:
            assert one.decision == "pass" or one.override is not None
        REACHED[one.state] += 1

    def seen(self) -> None:
        """Look at the clock: the time is never before that of the last transaction."""
        self.world.now = max(self.highest, type(self).clock)
        assert self.store.now() == self.world.now

    def written(self) -> None:
        """A transaction was committed, with the time that it had."""
        self.highest = max(self.highest, type(self).clock)

    def some_run(self, version: int, which: int) -> Ran:
        """A run of that version, the newest first; with the last choice one of any version."""
        runs = [one for one in reversed(self.world.runs) if which == 4 or one.version == version]
        return runs[which % len(runs)] if which < 4 else runs[0]

    def tried(self, broken: set[str], command: Callable[[], promoting.Outcome]) -> Promotion | None:
        """What the command made, where it breaks no rule; where it does, it is refused by one that it breaks."""
        try:
            made = command().promotion
        except Refusal as error:
            refusal: Refusal | None = error
            made = None
        else:
            refusal = None
        if refusal is None:
            assert not broken, f"it was done, and breaks {broken}"
            assert made is not None
            self.written()
            return made
        assert refusal.rule in broken, f"{refusal} and only {broken or 'nothing'} is broken"
        assert refusal.hint
        REACHED[f"[{refusal.rule}]"] += 1
        self.refused = refusal.rule
        return None

    def command(
        self,
        command: Any,
        one: Asked,
        who: Actor,
        broken: set[str],
        *,
        ends: frozenset[str] | set[str] = frozenset(),
        **options: Any,
    ) -> bool:
        """Whether a command on a promotion was done; a refusal that ends it has ended it."""
        made = self.tried(broken, lambda: command(self.store, one.id, actor=who, policies=self.policies, **options))
        if made is not None:
            return True
        if self.refused == "expiry" or self.refused in ends:
            self.world.enter(one, "expired" if self.refused == "expiry" else "invalidated")
            self.written()
        return False


def _store_run(store: Any, ran: Ran, version: Version, *, suite: str) -> None:
    cases = Dataset.of([Case(id=f"case-{at}", input={"q": f"{ran.dataset} {at}"}) for at in range(4)], name="cases")
    scorer = ScorerInfo(name="accuracy", version="1")
    info = SuiteInfo(
        name=suite,
        nodeid=f"evals/test_it.py::{suite}",
        location="evals/test_it.py:3",
        dataset=DatasetInfo(name="cases", digest=cases.digest, size=4),
        scorers=(scorer,),
        gates=("accuracy >= 0.8",),
        declared=4,
        planned=4,
        versions=(version,),
    )
    trials = [
        Trial(
            case_id=case.id,
            output=Output(value=f"{ran.id} {case.id}"),
            scores=(Score(name="accuracy", value=ran.is_good, scorer="accuracy", scorer_version="1"),),
            outcome="passed" if ran.is_good else "missed",
            started_at=ran.at,
            duration=0.1,
        )
        for case in cases
    ]
    provenance = Provenance(branch="main", dirty=False)
    if isinstance(store, MemoryStore):
        suite_run = SuiteRun(info=info, cases=cases.cases, trials=tuple(trials))
        store.add_run(
            Run(
                id=ran.id,
                status="complete",
                started_at=ran.at,
                finished_at=ran.at,
                provenance=provenance,
                suites=(suite_run,),
            )
        )
        return
    store.start_run(ran.id, started_at=ran.at, provenance=provenance, seed=1)
    store.add_suite(ran.id, info, cases, cases.cases)
    store.add_trials(ran.id, suite, trials)
    store.finish_run(ran.id, status="complete", finished_at=ran.at, metrics=[], verdicts=[])


def _play(store: Any, examples: int, steps: int = 40) -> None:
    class Played(Promotions):
        pass

    Played.store = store
    Played.clock = START
    chosen = settings(
        max_examples=EXAMPLES or examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not EXAMPLES,
        suppress_health_check=list(HealthCheck),
    )

    def clock() -> dt.datetime:
        return Played.clock

    if isinstance(store, MemoryStore):
        store.clock = clock
    with mock.patch("evalkit.store.ledger.utc_now", clock):
        run_state_machine_as_test(Played, settings=chosen)


@pytest.mark.slow
def test_the_rules_hold_in_memory() -> None:
    REACHED.clear()
    _play(MemoryStore(lambda: START), 60)
    wanted = {"blocked", "pending_approval", "approved", "applied", "superseded", "rolled_back", "expired"}
    wanted |= {"[identity]", "[role]", "[service]", "[no_change]", "[state]", "[final]", "[one_vote]"}
    assert wanted <= set(REACHED), f"the examples do not reach {sorted(wanted - set(REACHED))}"


@pytest.mark.slow
def test_the_rules_hold_in_a_file(tmp_path: Path) -> None:
    with open_store(tmp_path / "evalkit.db") as store:
        _play(store, 8, steps=30)


@pytest.mark.slow
def test_the_rules_hold_on_a_server(empty_database: str) -> None:
    with open_store(empty_database) as store:
        _play(store, 8, steps=30)
