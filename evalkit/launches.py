"""Whether one more trial of a suite is worth starting: its gates may be decided, or the money spent.

The pytest plugin and `evalkit.run` ask before each trial and say when one is done; nothing else decides. Results are
looked at in the order in which the suite's cases were put beforehand, never in the order in which they finish: quick
cases are easier ones, and would make a suite look better than it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from evalkit.budget import Answer, Budget, dollars
from evalkit.case import Case
from evalkit.figures import count
from evalkit.runs import Stop, SuiteInfo, SuiteRun
from evalkit.stats.columns import read
from evalkit.stats.sequential import ANYTIME_LEVEL, shuffled
from evalkit.suites import StopChoice
from evalkit.trial import Trial

if TYPE_CHECKING:
    from evalkit.gates import Gate, Watch

LOOKS = 500
"""How often the cases of a suite so far are looked at, at most: after each case up to this many, then after several."""


def declared_stop(
    choice: StopChoice, gates: Sequence[Gate], *, seed: int, cases: int, kept: str = ""
) -> dict[str, object]:
    """What the metadata of a suite say of how it may stop, before it runs; nothing for `never`.

    `kept` is a reason of the session's why no suite of it may stop, as a clause.
    """
    if choice == "never":
        return {}
    against = next((gate for gate in gates if gate.baseline is not None), None)
    if not gates:
        kept = kept or "it has no gates, so there is nothing to decide"
    elif against is not None:
        kept = kept or f"the gate {against} compares with a baseline, and such a run never stops early"
    level = 1 - (1 - ANYTIME_LEVEL) / len(gates) if choice == "anytime" and gates else None
    return Stop(rule=choice, seed=seed, cases=cases, level=level, kept=kept).to_metadata()


def in_order(cases: Sequence[Case], info: SuiteInfo) -> list[Case]:
    """The cases in the order in which they are run: at random where the suite may stop early, else as they are."""
    if info.stop is None or info.stop.kept:
        return list(cases)
    return [cases[position] for position in shuffled([case.id for case in cases], info.stop.seed)]


class Course:
    """One suite while it runs, case by case in its order."""

    def __init__(
        self, info: SuiteInfo, cases: Sequence[Case], gates: Sequence[Gate], trials: Mapping[str, int] | None = None
    ) -> None:
        self.info = info
        self.started = 0
        self.at: int | None = None
        self.why = ""
        self._cases = tuple(cases)
        self._gates = tuple(gates)
        self._order = in_order(cases, info)
        self._expected = dict(trials) if trials is not None else {case.id: info.repeat for case in cases}
        self._left = dict(self._expected)
        self._trials: dict[str, list[Trial]] = {}
        self._folded = 0
        self._step = -(-len(self._order) // LOOKS)
        self._watches: list[Watch] = []
        self._kept = "" if info.stop is None else info.stop.kept
        if info.stop is not None and not self._kept:
            from evalkit.gates import Watch

            self._watches = [Watch(gate, info, cases, level=info.stop.level) for gate in gates]
            self._look_for_obstacles()

    def landed(self, case_id: str, trial: Trial | None) -> None:
        """Take note of one trial; `None` for one that was skipped."""
        if not self._watches or self.why:
            return
        if trial is not None:
            self._trials.setdefault(case_id, []).append(trial.without_payload())
        self._left[case_id] -= 1
        while self._watches and not self.why and self._next_is_done():
            self._fold(self._order[self._folded : self._folded + self._step])

    def _next_is_done(self) -> bool:
        some = self._order[self._folded : self._folded + self._step]
        return bool(some) and not any(self._left[case.id] for case in reversed(some))

    def _fold(self, cases: Sequence[Case]) -> None:
        planned = sum(self._expected[case.id] for case in cases)
        info = dataclasses.replace(self.info, planned=planned, declared=planned, selection=None)
        trials = tuple(trial for case in cases for trial in self._trials.get(case.id, ()))
        table = read(SuiteRun(info=info, cases=tuple(cases), trials=trials))
        for watch in self._watches:
            watch.add(table)
        self._folded += len(cases)
        self._look_for_obstacles()
        if self._watches and self._is_settled() and self._is_confirmed():
            assert self.info.stop is not None
            self.at = self._folded
            self.why = self.info.stop.rule

    def _look_for_obstacles(self) -> None:
        for watch in self._watches:
            if watch.why_not:
                self._kept = f"the gate {watch.gate} is decided by all its cases only: {watch.why_not}"
                self._watches.clear()
                self._trials.clear()
                return

    def _is_settled(self) -> bool:
        """Whether every gate is decided; that which nobody wrote is not waited for where another has failed."""
        has_failed = False
        for watch in sorted(self._watches, key=lambda watch: watch.gate.is_default):
            if has_failed and watch.gate.is_default:
                return True
            decision = watch.decision
            if decision is None:
                return False
            has_failed = has_failed or decision == "fail"
        return True

    def _is_confirmed(self) -> bool:
        """Whether the records of the cases so far come to the verdicts that were foreseen."""
        from evalkit.gates import judge

        done = self._order[: self._folded]
        trials = tuple(trial for case in done for trial in self._trials.get(case.id, ()))
        run = SuiteRun(info=self._stopped(self._folded), cases=self._cases, trials=trials)
        verdicts = judge(self._gates, run)
        return all(
            watch.decision in (None, verdict.decision) for watch, verdict in zip(self._watches, verdicts, strict=True)
        )

    def _stopped(self, at: int) -> SuiteInfo:
        assert self.info.stop is not None
        stop = dataclasses.replace(self.info.stop, at=at)
        return dataclasses.replace(self.info, metadata={**self.info.metadata, **stop.to_metadata()})

    def outcome(self) -> SuiteInfo:
        """The record of the suite as it came out: whether it stopped early and where, or why it did not."""
        info = self.info
        if self.why and self.started < info.planned:
            if self.at is not None:
                info = self._stopped(self.at)
                said = f"stopped at {self.at:,} of {len(self._cases):,} ({self.why})"
            else:
                said = f"stopped at {self.started:,} of {count(info.planned, 'trial')} ({self.why})"
            return dataclasses.replace(info, selection="; ".join(filter(None, (info.selection, said))))
        if info.stop is not None and self._kept and not info.stop.kept:
            stop = dataclasses.replace(info.stop, kept=self._kept)
            return dataclasses.replace(info, metadata={**info.metadata, **stop.to_metadata()})
        return info


class Launches:
    """All suites of a run, and the limit on what it may cost, in US dollars; `None` for none."""

    def __init__(self, *, max_cost: Decimal | None = None) -> None:
        self.budget = None if max_cost is None else Budget(limit=max_cost)
        self._courses: dict[str, Course] = {}

    def declare(
        self, info: SuiteInfo, cases: Sequence[Case], gates: Sequence[Gate], trials: Mapping[str, int] | None = None
    ) -> None:
        """Add a suite; `trials` is how many of each case are to run, where that is not `info.repeat` of each."""
        self._courses[info.name] = Course(info, cases, gates, trials)

    def is_over(self, suite: str) -> bool:
        """Whether no more trials of the suite will be started."""
        return bool(self._courses[suite].why)

    def reason(self, suite: str) -> str:
        """Why no more trials of the suite were started, as the record of the run says it."""
        return self._courses[suite].outcome().selection or ""

    def ask(self, suite: str, case_id: str, number: int) -> Answer:
        """Whether a trial may start now; `wait` is until one in flight is done, and after `stop` none may."""
        course = self._courses[suite]
        if course.why:
            return "stop"
        answer: Answer = "go" if self.budget is None else self.budget.ask(suite, (case_id, number))
        if answer == "stop" and self.budget is not None:
            course.why = f"the limit of {dollars(self.budget.limit)} on its cost"
        if answer == "go":
            course.started += 1
        return answer

    def landed(self, suite: str, case_id: str, number: int, trial: Trial | None, earlier: Sequence[Trial] = ()) -> None:
        """Say that a trial that was started is done; `None` for one that was skipped or given up.

        `earlier` are the attempts at it that failed before.
        """
        if self.budget is not None:
            every = [*earlier, *([] if trial is None else [trial])]
            usages = [usage for one in every for usage in (one.output.usage, *(score.usage for score in one.scores))]
            self.budget.settle(suite, (case_id, number), usages)
        self._courses[suite].landed(case_id, trial)

    def take(self, suite: str, trials: Iterable[Trial]) -> None:
        """Take note of trials that an earlier session of the same run has done: they count, cost and all."""
        for trial in trials:
            self._courses[suite].started += 1
            self.landed(suite, trial.case_id, trial.number, trial)

    def outcome(self, suite: str) -> SuiteInfo:
        """The record of a suite as it came out, once no more of it will run."""
        return self._courses[suite].outcome()

    @property
    def notes(self) -> list[str]:
        """What the limit on the cost did, and what it could not hold; empty without a limit."""
        budget = self.budget
        if budget is None:
            return []
        said: list[str] = []
        if budget.exhausted:
            said.append(
                f"The limit of {dollars(budget.limit)} on the cost is reached: {dollars(budget.spent)} were spent."
            )
        if budget.unpriced:
            have = "call has" if budget.unpriced == 1 else "calls have"
            limit = dollars(budget.limit)
            said.append(f"{budget.unpriced:,} {have} no known price; the limit of {limit} cannot hold them.")
        return said
