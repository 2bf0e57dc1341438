"""A run in the making: what comes in is stored at once, and judged when it is whole.

This is where the stages meet: it is given declarations and finished trials, and connects the store and the gates.
The pytest plugin and `evalkit.run` both record through it, so that a run is the same whoever made it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evalkit.baselines import Baselines
from evalkit.canonical import new_id, utc_now
from evalkit.case import Case, Dataset
from evalkit.errors import GateError, NotFound, StoreError
from evalkit.launches import Launches
from evalkit.redaction import records as redaction
from evalkit.redaction import redactor
from evalkit.registry.numbering import numbered
from evalkit.runs import SAME_OUTPUT, Metric, Provenance, Run, RunStatus, SuiteInfo, SuiteRun, Verdict, spending
from evalkit.score import constants_of
from evalkit.shards import Shard
from evalkit.snapshots import Snapshots
from evalkit.stats import summarise
from evalkit.store.plain import from_plain, to_plain
from evalkit.suites import Suite, require_cluster, require_expected
from evalkit.trial import Trial

if TYPE_CHECKING:
    from evalkit.exchange import Exchange
    from evalkit.gates import Gate, Reference
    from evalkit.keeping import Keeper
    from evalkit.resuming import Resumed
    from evalkit.shardfile import BundleWriter
    from evalkit.store.calibrations import StoredCalibration


class Sameness:
    """Whether all outputs so far are one and the same; only the first is kept, and only while they are."""

    def __init__(self) -> None:
        self.holds = True
        self._first: Any = None
        self._seen = False

    def see(self, value: Any) -> None:
        """Look at one more output."""
        if not self.holds:
            return
        if not self._seen:
            self._first, self._seen = value, True
        elif type(value) is not type(self._first) or value != self._first:
            self.holds, self._first = False, None


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class _Part:
    info: SuiteInfo
    dataset: Dataset
    cases: Sequence[Case]
    gates: tuple[Gate, ...]
    on_inconclusive: Literal["fail", "warn", "pass"]
    baseline: Reference | None = None
    named: Mapping[str, Reference] = dataclasses.field(default_factory=dict)
    trials: dict[tuple[str, int], Trial] = dataclasses.field(default_factory=dict)
    attempts: dict[tuple[str, int], int] = dataclasses.field(default_factory=dict)
    outputs: Sameness = dataclasses.field(default_factory=Sameness)
    verdicts: tuple[Verdict, ...] | None = None
    metrics: tuple[Metric, ...] | None = None

    def numbered(self, trial: Trial) -> Trial:
        """The trial as the next attempt after those that a run had when it was taken up."""
        before = self.attempts.get((trial.case_id, trial.number), 0)
        return dataclasses.replace(trial, attempt=before + trial.attempt) if before else trial

    def so_far(self) -> SuiteRun:
        """The trials stand in the order of the cases, as in the store: who was done first decides nothing."""
        places = {case.id: place for place, case in enumerate(self.cases)}
        trials = sorted(
            self.trials.values(),
            key=lambda trial: (places.get(trial.case_id, len(places)), trial.case_id, trial.number),
        )
        return SuiteRun(info=self.info, cases=tuple(self.cases), trials=tuple(trials))


def _judged(part: _Part) -> tuple[Verdict, ...]:
    if not part.gates:
        return ()
    from evalkit.gates import judge

    return judge(
        part.gates,
        part.so_far(),
        baseline=part.baseline,
        named=part.named,
        on_inconclusive=part.on_inconclusive,
    )


def _snapshot(own: Mapping[str, Mapping[str, Decimal]]) -> Mapping[str, Any]:
    from evalkit.prices import table

    return table(own).snapshot


def _parsed(gates: Sequence[str]) -> list[Gate]:
    if not gates:
        return []
    from evalkit.gates import parse

    return [parse(text) for text in gates]


def parse_gates(suite: Suite, extra: Sequence[str]) -> tuple[Gate, ...]:
    """The gates of a suite, its own and `extra`, with the error budget that every gated suite has.

    Raises `GateError` naming the suite's file and line.
    """
    return gates_of([*suite.gates, *extra], where=suite.location)


def gates_of(texts: Sequence[str], *, where: str | None = None) -> tuple[Gate, ...]:
    """The gates in `texts`, with the error budget; none for no text. Raises `GateError`, which names `where`."""
    if not texts:
        return ()
    from evalkit.gates import parse, with_defaults

    return with_defaults([parse(text, where=where) for text in texts])


def check_plan(
    suite: Suite, gates: Sequence[Gate], info: SuiteInfo, cases: Sequence[Case], baselines: Baselines
) -> None:
    """Refuse, before anything runs, what cannot work.

    Raises `SuiteError` for cases that a scorer cannot score, `GateError` for a gate that names nothing or can
    never pass, and `NotFound` for a baseline that is not there or cannot be one.
    """
    require_expected(suite, cases)
    require_cluster(suite, cases)
    if not gates:
        return
    from evalkit.gates import check

    known = {scorer.name for scorer in suite.scorers}
    possible = constants_of(suite.function).union(*(constants_of(scorer.function) for scorer in suite.scorers))
    try:
        baseline, named = baselines.references(info.name, gates, where=suite.location)
        check(gates, info, cases, known=known, possible=possible, baseline=baseline, named=named)
    except GateError as error:
        error.where = error.where or suite.location
        raise


class Recorder:
    """One run: declare its suites, open it, record trials as they come, judge each suite, finish.

    `store` is the URL of the store, or `None` to keep the run in memory only. `baseline` names the stored run to
    compare with, `max_cost` is what the run may cost in US dollars. `launches` says which trials are still worth
    starting. `redact` are the user's patterns (RE2) of what must not be kept: whatever comes in loses what fits them,
    and keys and passwords, before it is kept anywhere. `prices` is the user's own table, as in `Settings`, for the
    record. Raises `ConfigError` for a pattern that is none.

    A `shard` decides no gates: it is one part of a run, which is written to the file `bundle` too, where one is set
    before `open`; `sample` is then how many cases were drawn before they were parted. `resumed` is a stored run that is
    gone on with: its trials stand, and what is recorded is added. `run_id` is for a run whose id is known beforehand.
    """

    def __init__(
        self,
        *,
        store: str | None,
        seed: int = 0,
        provenance: Provenance | None = None,
        baseline: str | None = None,
        max_cost: Decimal | None = None,
        redact: Sequence[str] = (),
        prices: Mapping[str, Mapping[str, Decimal]] | None = None,
        shard: Shard | None = None,
        resumed: Resumed | None = None,
        run_id: str | None = None,
    ) -> None:
        self.id = run_id or (new_id() if resumed is None else resumed.run.id)
        self.seed = seed
        self.shard = shard
        self.resumed = resumed
        self.bundle: Path | None = None
        self.sample: int | None = None
        self.url = store
        self.baselines = Baselines(url=store, name=baseline, before=None if resumed is None else resumed.run.started_at)
        self.launches = Launches(max_cost=max_cost)
        self.earlier: Mapping[str, int] = {}
        self.provenance = provenance or Provenance()
        self._redactor = redactor(redact)
        self._prices = prices or {}
        self._snapshots = Snapshots()
        self.started_at = utc_now() if resumed is None else resumed.run.started_at
        self._parts: dict[str, _Part] = {}
        self._keeper: Keeper | None = None
        self._writer: BundleWriter | None = None
        self._unwritten = ""
        self._calibrations: list[StoredCalibration] | None = None

    def declare(
        self,
        info: SuiteInfo,
        dataset: Dataset,
        cases: Sequence[Case],
        *,
        gates: Sequence[Gate] = (),
        on_inconclusive: Literal["fail", "warn", "pass"] = "fail",
        trials: Mapping[str, int] | None = None,
    ) -> None:
        """Add a suite. Suites declared after `open` are stored at once.

        `trials` is how many of each case will run, where that is not `info.repeat` of every one.

        Raises `NotFound` for a baseline that is not there or cannot be one, and `GateError` for a gate against a
        baseline where none was named, or one of another version.
        """
        if self.resumed is not None:
            self.resumed.check_suite(info, cases)
        if self.shard is not None:
            gates = ()
        baseline, named = self.baselines.references(info.name, gates, where=info.location)
        if gates:
            from evalkit.gates import require

            require(gates, info, baseline, named)
        redact = self._redactor.now
        info = redaction.of_suite(self._judges_known(info), redact)
        kept = redaction.of_dataset(dataset, redact)
        if kept is not dataset:
            by_id = {case.id: case for case in kept.cases}
            dataset, cases = kept, [by_id[case.id] for case in cases]
        part = _Part(
            info=info,
            dataset=dataset,
            cases=cases,
            gates=tuple(gates),
            on_inconclusive=on_inconclusive,
            baseline=baseline,
            named=named,
        )
        self._parts[info.name] = part
        self.launches.declare(info, cases, gates, trials)
        if self.resumed is not None:
            self._take_up(part, self.resumed)
        if self._keeper is not None:
            self._keeper.suite(info, dataset, cases)

    def _take_up(self, part: _Part, resumed: Resumed) -> None:
        taken = resumed.taken(part.info.name)
        for key, trial in resumed.all(part.info.name).items():
            part.trials[key] = trial
            part.attempts[key] = trial.attempt
            if key in taken and trial.output.error is None:
                part.outputs.see(trial.output.value)
        self.launches.take(part.info.name, taken.values())

    def _judges_known(self, info: SuiteInfo) -> SuiteInfo:
        """The suite with what the store knows of its judges; read once, and only where there are any."""
        if not any(scorer.is_judge for scorer in info.scorers):
            return info
        from evalkit.trust import with_standing

        if self._calibrations is None:
            from evalkit.store import open_store

            self._calibrations = []
            with contextlib.suppress(StoreError, NotFound):  # a store that is not there yet knows nothing
                if self.url is not None:
                    with open_store(self.url, create=False) as store:
                        self._calibrations = store.calibrations()
        return with_standing(info, self._calibrations)

    def declaration(self, suite: str) -> dict[str, Any]:
        """A suite's declaration as plain JSON data, for a recorder in another process."""
        part = self._parts[suite]
        return {
            "info": to_plain(part.info),
            "dataset": to_plain(part.dataset),
            "cases": [case.id for case in part.cases],
            "on_inconclusive": part.on_inconclusive,
        }

    def declare_plain(self, declaration: Mapping[str, Any]) -> SuiteInfo:
        """Add a suite by what `declaration` gave in another process."""
        info = from_plain(SuiteInfo, declaration["info"])
        dataset = from_plain(Dataset, declaration["dataset"])
        chosen = frozenset(declaration["cases"])
        self.declare(
            info,
            dataset,
            [case for case in dataset.cases if case.id in chosen],
            gates=_parsed(info.gates),
            on_inconclusive=declaration["on_inconclusive"],
        )
        return info

    @property
    def suites(self) -> tuple[SuiteInfo, ...]:
        """What was declared so far."""
        return tuple(part.info for part in self._parts.values())

    def open(self) -> None:
        """Begin the run in the store. Raises `StoreError` where the store cannot be written at all."""
        if self.resumed is not None:
            self.resumed.check_session([*self._parts], self.provenance)
            self.provenance = self.resumed.run.provenance
        if self.bundle is not None:
            self._begin_bundle(self.bundle)
        if self.url is None or (self.shard is not None and not self._parts):
            return
        _ = self.baselines.default  # now, as `last` is another run once this one has begun
        from evalkit.keeping import Keeper

        self._keeper = Keeper(
            self.url,
            self.id,
            started_at=self.started_at,
            provenance=redaction.of_provenance(self.provenance, self._redactor.now),
            seed=self.seed,
        )
        for part in self._parts.values():
            self._keeper.suite(part.info, part.dataset, part.cases)

    def _begin_bundle(self, path: Path) -> None:
        from evalkit.shardfile import BundleWriter

        assert self.shard is not None, "only a shard has a bundle"
        policies = {name: part.on_inconclusive for name, part in self._parts.items()}
        self._writer = writer = BundleWriter(path, self.id, shard=self.shard, sample=self.sample, policies=policies)
        provenance = redaction.of_provenance(self.provenance, self._redactor.now)
        writer.spool.start_run(self.id, started_at=self.started_at, provenance=provenance, seed=self.seed)
        for name, part in self._parts.items():
            writer.spool.add_suite(self.id, part.info, part.dataset, part.cases)
            if part.trials:
                writer.spool.append(self.id, name, tuple(part.trials.values()))

    def _to_bundle(self, write: Callable[[BundleWriter], object]) -> None:
        if self._writer is None:
            return
        try:
            write(self._writer)
        except StoreError as error:  # the run goes on, and is in the store
            self._unwritten = f"The bundle {self.bundle} is not whole: {error.what}"
            self._writer = None

    def record(self, suite: str, trials: Sequence[Trial]) -> None:
        """Store finished trials; see `keeping.Keeper` for what happens when it fails."""
        redact = self._redactor.now
        part = self._parts[suite]
        trials = [redaction.of_trial(part.numbered(trial), redact) for trial in trials]
        self._snapshots.see(trials)
        for trial in trials:
            if trial.output.error is None:
                part.outputs.see(trial.output.value)
        for trial in trials:
            part.trials[trial.case_id, trial.number] = trial.without_payload()
        if self._keeper is not None:
            self._keeper.trials(suite, trials)
        self._to_bundle(lambda writer: writer.spool.append(self.id, suite, trials))

    def redact(self, text: str) -> str:
        """`text` as it may be shown and kept: without secrets."""
        return self._redactor(text)

    def redacted(self, trial: Trial) -> Trial:
        """`trial` as it may be kept, or sent to another process: without secrets."""
        return redaction.of_trial(trial, self._redactor.now)

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever reads the run should know, a sentence each: models that changed while it went on."""
        return tuple(filter(None, (*self._snapshots.warnings(), self._unwritten, *self.baselines.notes)))

    def exchanges(self, exchanges: Sequence[Exchange]) -> None:
        """Store recorded answers beside the run."""
        if self._keeper is not None:
            self._keeper.exchanges(exchanges)

    def judge(self, suite: str) -> tuple[Verdict, ...]:
        """The verdicts on a suite's trials so far, by its gates; the same when asked again.

        The record of a suite that stopped early says so from now on, in the store too.
        """
        part = self._parts[suite]
        if part.verdicts is None:
            info = self.launches.outcome(suite)
            if part.outputs.holds and len(part.trials) > 1 and any(scorer.is_judge for scorer in info.scorers):
                info = dataclasses.replace(info, metadata={**info.metadata, SAME_OUTPUT: True})
            if info != part.info:
                part.info = info
                if self._keeper is not None:
                    self._keeper.settle(info)
                self._to_bundle(lambda writer: writer.spool.settle_suite(self.id, info))
            part.verdicts = _judged(part)
        return part.verdicts

    def taken(self, suite: str) -> Mapping[tuple[str, int], Trial]:
        """The trials of a suite that stand from before, by case and number; empty where no run is gone on with."""
        return {} if self.resumed is None else self.resumed.taken(suite)

    def finish(self, status: RunStatus, *, finished_at: dt.datetime | None = None) -> Run:
        """End the run: compute its metrics, store them with the verdicts given so far, and close the store.

        `finished_at` is when it ended, `None` for now. The `Run` has its trials without payload.
        """
        finished_at = max(finished_at or utc_now(), self.started_at)  # somebody may have set the clock back
        metrics = [metric for part in self._parts.values() for metric in summarise(part.so_far())]
        verdicts = [verdict for part in self._parts.values() for verdict in part.verdicts or ()]
        spent = spending([trial for part in self._parts.values() for trial in part.trials.values()]).total
        prices = _snapshot(self._prices) if spent is not None and spent.calls else {}
        keeper = self._keeper
        if keeper is not None:
            keeper.end(status, finished_at=finished_at, metrics=metrics, verdicts=verdicts, prices=prices)
            self.earlier = keeper.earlier
        self._to_bundle(
            lambda writer: writer.spool.finish_run(
                self.id, status=status, finished_at=finished_at, metrics=(), verdicts=(), prices=prices
            )
        )
        self._to_bundle(lambda writer: writer.end())
        run = Run(
            id=self.id,
            status=status,
            started_at=self.started_at,
            finished_at=finished_at,
            provenance=redaction.of_provenance(self.provenance, self._redactor.now),
            suites=tuple(part.so_far() for part in self._parts.values()),
            metrics=tuple(metrics),
            verdicts=tuple(verdicts),
            seed=self.seed,
            store=keeper.url if keeper is not None else None,
            degraded=keeper.degraded if keeper is not None else "",
            prices=prices,
        )
        return numbered(run, url=self.url)
