"""What a session plans: the run it makes or goes on with, and what its suites and hand-written tests declare."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import EvalkitError
from evalkit.recorder import Recorder, check_plan, gates_of, parse_gates
from evalkit.shards import Shard
from pytest_evalkit import handwritten, xdist
from pytest_evalkit.ledger import Ledger

if TYPE_CHECKING:
    from evalkit.case import Case
    from evalkit.config import Settings
    from evalkit.resuming import Resumed
    from pytest_evalkit.collect import Collection


class Plan:
    """One session's plan. `handwritten` are the tests that record for themselves, by node id; `bundle` is where a shard
    is written to.
    """

    def __init__(self, config: pytest.Config, settings: Settings, collection: Collection) -> None:
        self.config = config
        self.settings = settings
        self.collection = collection
        self.handwritten: dict[str, handwritten.HandWritten] = {}
        self.bundle: Path | None = None
        self._resumed_run: Resumed | None = None

    def declare(self, ledger: Ledger, session: pytest.Session) -> None:
        """Declare all that was collected. Raises `EvalkitError`, or notes mistakes in the collection."""
        self._declare_suites(ledger, session.items)
        self._declare_handwritten(ledger, session)

    def resumed_run(self) -> str:
        """The id of the run that is gone on with. Raises `pytest.UsageError` where it cannot be."""
        try:
            resumed = self._resumed()
        except EvalkitError as error:
            raise pytest.UsageError(str(error)) from None
        return "" if resumed is None else resumed.run.id

    def _resumed(self) -> Resumed | None:
        if self.settings.resume is None:
            return None
        if self._resumed_run is None:
            from evalkit.resuming import resumable

            told = getattr(self.config, "workerinput", {}).get(xdist.RESUMED)
            name = told or self.settings.resume
            self._resumed_run = resumable(
                self.settings.store, name, payload=self.settings.shard is not None, ours=told is not None
            )
        return self._resumed_run

    def new_ledger(self) -> Ledger:
        """A ledger of the run that is made or gone on with. Raises `EvalkitError`."""
        settings = self.settings
        shard = None if settings.shard is None else Shard.parse(settings.shard)
        recorder = Recorder(
            store=settings.store,
            seed=settings.seed,
            baseline=None if shard is not None else settings.baseline,  # gates are decided when all shards are merged
            max_cost=settings.max_cost,
            redact=settings.redact,
            prices=settings.prices,
            shard=shard,
            resumed=self._resumed(),
        )
        began = getattr(self.config, "workerinput", {}).get(xdist.BEGAN)
        if began is not None and recorder.resumed is None:
            recorder.baselines.before = dt.datetime.fromisoformat(began)
        recorder.sample = settings.sample
        if shard is not None and not xdist.is_worker(self.config):
            name = f"{recorder.id}-{shard.index}-of-{shard.of}.jsonl"
            recorder.bundle = self.config.rootpath / (settings.bundle or f".evalkit/shards/{name}")
            self.bundle = recorder.bundle
        return Ledger(self.config, recorder)

    def _declare_suites(self, ledger: Ledger, items: list[pytest.Item]) -> None:
        errors = self.collection.errors
        kept = xdist.WHY_NO_STOP if xdist.is_worker(self.config) else ""
        if self.collection.shard is not None:
            kept = "its cases are spread over shards"
        for planned in self.collection.planned:
            extra = self.settings.gates_for(planned.suite.name)
            try:
                gates = parse_gates(planned.suite, extra)
                planned.gates = tuple(str(gate) for gate in gates)
                info = planned.info(self.settings, gates=gates, selection=self._selection(), kept=kept)
                if planned.shard is None:
                    check_plan(planned.suite, gates, info, planned.cases, ledger.baselines)
                else:  # what is compared with a baseline is checked where that is: at the merge
                    alone = [gate for gate in gates if gate.baseline is None]
                    check_plan(planned.suite, alone, planned.whole_info(info), planned.whole, ledger.baselines)
            except EvalkitError as error:
                errors.append(error)
                continue
            ledger.declare(
                info,
                planned.dataset,
                planned.selected(),
                gates=gates,
                on_inconclusive=planned.suite.on_inconclusive or self.settings.inconclusive,
                trials=planned.trials(),
            )
            planned.reorder(items, info)

    def _declare_handwritten(self, ledger: Ledger, session: pytest.Session) -> None:
        taken = [planned.name for planned in self.collection.planned]
        for suite in handwritten.find(session.items, taken=taken):
            extra = self.settings.gates_for(suite.name)
            gates = gates_of(extra)
            dataset = suite.dataset()
            info = suite.info(dataset, gates=tuple(str(gate) for gate in gates), seed=self.settings.seed)
            cases: Sequence[Case] = dataset.cases
            shard = self.collection.shard
            if shard is not None:
                cases = shard.part(dataset.cases)
                others = suite.leave({case.id for case in cases})
                gone = set(map(id, others))
                session.items[:] = [item for item in session.items if id(item) not in gone]
                self.config.hook.pytest_deselected(items=others)
                if not cases:
                    self.collection.is_emptied = True
                    continue
                info = dataclasses.replace(
                    info, planned=len(suite.items), selection=shard.selection, metadata=shard.to_metadata()
                )
            ledger.declare(info, dataset, cases, gates=gates, on_inconclusive=self.settings.inconclusive)
            for item in suite.items:
                self.handwritten[item.nodeid] = suite

    def _selection(self) -> str | None:
        if self.settings.sample is not None:
            return f"sample {self.settings.sample}"
        option = self.config.option
        for flag, value in (("-k", option.keyword), ("-m", option.markexpr), ("--lf", getattr(option, "lf", False))):
            if value:
                return f"{flag} {value}" if isinstance(value, str) else flag
        return None
