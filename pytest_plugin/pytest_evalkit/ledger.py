"""What the session's trials add up to: each recorded, each suite counted down, judged at its end, its gates announced.

Under pytest-xdist a worker records nothing: it puts its trials on its reports, and the controller's ledger takes them.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pytest

from evalkit.baselines import Baselines
from evalkit.canonical import utc_now
from evalkit.case import Case, Dataset
from evalkit.errors import EvalkitError
from evalkit.launches import Launches
from evalkit.provenance import collect
from evalkit.recorder import Recorder
from evalkit.runs import Run, RunStatus, SuiteInfo
from evalkit.score import ErrorInfo
from evalkit.store.plain import from_plain, to_plain
from evalkit.tracing import names
from evalkit.trial import Output, Trial
from pytest_evalkit import gateresults, internals, termination, xdist

if TYPE_CHECKING:
    from evalkit.exchange import Exchange
    from evalkit.gates import Gate
    from evalkit.resuming import Resumed


class Ledger:
    """One session's run, as pytest's process of it sees it; the run itself is the recorder's."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self.is_open = False
        self._config = config
        self._recorder = recorder
        self._is_worker = xdist.is_worker(config)
        self._left: Counter[str] = Counter()
        self._items: dict[str, Sequence[Any]] = {}
        self._limits: dict[str, int] = {}
        self._missed: dict[str, list[str]] = {}
        self._declared = False
        self.count_gates: Callable[[], None] = lambda: None
        """Has the progress percentage count the gates; again, where xdist has counted anew."""
        self._taken: dict[str, Mapping[tuple[str, int], Trial]] = {}

    @property
    def suites(self) -> tuple[SuiteInfo, ...]:
        """The suites declared so far."""
        return self._recorder.suites

    @property
    def run_id(self) -> str:
        """The run's id; empty in a worker, whose controller has it."""
        return "" if self._is_worker else self._recorder.id

    @property
    def baselines(self) -> Baselines:
        """The runs that the session is compared with."""
        return self._recorder.baselines

    @property
    def earlier(self) -> Mapping[str, int]:
        """How many earlier runs of each suite there are on the same code and cases, once the run is finished."""
        return self._recorder.earlier

    @property
    def launches(self) -> Launches:
        """Which trials are still worth starting."""
        return self._recorder.launches

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever reads the run should know; nothing in a worker, whose controller says it."""
        return self._recorder.notes

    def declare(
        self,
        info: SuiteInfo,
        dataset: Dataset,
        cases: Sequence[Case],
        *,
        gates: Sequence[Gate],
        on_inconclusive: Literal["fail", "warn", "pass"],
        trials: Mapping[str, int] | None = None,
    ) -> None:
        """Add a suite whose `info.planned` items are to come, `trials` of each case."""
        self._recorder.declare(info, dataset, cases, gates=gates, on_inconclusive=on_inconclusive, trials=trials)
        self._left[info.name] = info.planned

    def open(self, session: pytest.Session) -> None:
        """Begin the run. Raises `pytest.UsageError` where the store cannot be written."""
        if self._is_worker:
            return
        self._recorder.provenance = collect()
        try:
            self._recorder.open()
        except EvalkitError as error:
            raise pytest.UsageError(str(error)) from None
        self.is_open = True
        termination.listen(self._config)
        if self._recorder.shard is None:
            self.count_gates = internals.count_items(session, sum(len(info.gates) for info in self.suites))

    def record(self, suite: str, trials: Sequence[Trial]) -> None:
        """Keep finished trials; in a worker they are kept by `put`."""
        if not self._is_worker:
            self._recorder.record(suite, trials)

    @property
    def resumed(self) -> Resumed | None:
        """The stored run that this session goes on with; `None` for a new one."""
        return self._recorder.resumed

    def taken(self, suite: str) -> Mapping[tuple[str, int], Trial]:
        """The trials of a suite that stand from an earlier session of the run, by case and number."""
        if suite not in self._taken:
            self._taken[suite] = self._recorder.taken(suite)
        return self._taken[suite]

    def redact(self, text: str) -> str:
        """`text` without keys, passwords and what the user's patterns fit."""
        return self._recorder.redact(text)

    def missed(self, suite: str, nodeid: str) -> None:
        """Take note of an item that pytest counts as passed though its trial was not."""
        self._missed.setdefault(suite, []).append(nodeid)

    def count_down(self, suite: str) -> None:
        """Take note that one more item of a suite is done; after the last, judge it and announce its gates."""
        self._left[suite] -= 1
        if self._left[suite] == 0 and not self._is_worker:
            self._judge(suite)

    @property
    def is_whole(self) -> bool:
        """Whether every item of every suite is done."""
        return not any(left > 0 for left in self._left.values())

    def _judge(self, suite: str) -> None:
        info = next(info for info in self.suites if info.name == suite)
        verdicts = self._recorder.judge(suite)
        failing = [verdict for verdict in verdicts if gateresults.announce(self._config, info, verdict)]
        internals.remember_failures(
            self._config,
            self._missed.get(suite, ()) if failing else (),
            forget=[gateresults.nodeid_of(info, verdict) for verdict in verdicts],
        )

    def finish(self, status: RunStatus) -> Run:
        """End the run."""
        self.is_open = False
        return self._recorder.finish(status)

    def exchanges(self, exchanges: Sequence[Exchange]) -> None:
        """Keep recorded answers beside the run."""
        self._recorder.exchanges(exchanges)

    def put(
        self,
        report: pytest.TestReport,
        suite: str,
        trial: Trial | None,
        exchanges: Sequence[Exchange] = (),
        earlier: Sequence[Trial] = (),
    ) -> None:
        """In a worker, put on an item's report what the controller has to know; elsewhere there is nothing to do."""
        if not self._is_worker:
            return
        if exchanges:
            setattr(report, xdist.EXCHANGES, json.dumps([to_plain(exchange) for exchange in exchanges]))
        if report.when == "teardown":
            setattr(report, xdist.SUITE, suite)
        if trial is None:
            return
        trials = [to_plain(self._recorder.redacted(one)) for one in (*earlier, trial)]
        record = {"suite": suite, "trials": trials}
        setattr(report, xdist.TRIAL, json.dumps(record))  # ASCII: execnet takes no lone surrogates

    def declare_to_controller(self, report: pytest.TestReport, items: Mapping[str, Any]) -> None:
        """In a worker, put on the first report what all suites declare.

        `items` has for each item of theirs, by its node id, the suite, the case and the number of the trial.
        """
        suites = [self._recorder.declaration(info.name) for info in self.suites]
        setattr(report, xdist.SUITES, json.dumps({"suites": suites, "limits": self._limits, "items": dict(items)}))

    def limit(self, suite: str, bodies: int) -> None:
        """Take note of how many bodies of a suite may run at once in one process."""
        self._limits[suite] = bodies

    def take_declarations(self, session: pytest.Session, sent: str) -> None:
        """In the controller, begin the run with the suites that a worker declared; all workers declare the same.

        Raises `EvalkitError` or `pytest.UsageError`.
        """
        if self._declared:
            return
        self._declared = True
        said = json.loads(sent)
        for declaration in said["suites"]:
            info = self._recorder.declare_plain(declaration)
            self._left[info.name] = info.planned
        self._items, self._limits = said["items"], said["limits"]
        self.open(session)

    def take(self, sent: Sequence[str]) -> None:
        """In the controller, record what workers put on reports, those of a suite together. Raises `EvalkitError`."""
        trials: dict[str, list[Trial]] = {}
        for record in map(json.loads, sent):
            some = [_of_run(from_plain(Trial, one), self._recorder.id) for one in record["trials"]]
            trials.setdefault(record["suite"], []).extend(some)
            last = some[-1]
            if last.outcome != "passed" and last.nodeid is not None:
                self.missed(record["suite"], last.nodeid)
        for suite, some in trials.items():
            self._recorder.record(suite, some)

    def in_flight(self, nodeid: str) -> int:
        """How many bodies may run at once where that of this item does; 0 for an item of no suite."""
        item = self._items.get(nodeid)
        return 0 if item is None else self._limits.get(item[0], 1)

    def lost(self, nodeid: str, worker: str) -> None:
        """In the controller, record as errored the trial whose process ended while it ran."""
        suite, case_id, number = self._items[nodeid]
        died = ErrorInfo(
            type="WorkerDied", message=f"the process of pytest-xdist's worker {worker} ended while this ran"
        )
        trial = Trial(
            case_id=case_id,
            number=number,
            output=Output(error=died),
            outcome="errored",
            started_at=utc_now(),
            duration=0.0,
            nodeid=nodeid,
        )
        self._recorder.record(suite, [trial])
        self.missed(suite, nodeid)
        self.count_down(suite)

    def judge_unfinished(self) -> bool:
        """Judge the suites that items are missing of because workers died; whether any is, with missing as missing."""
        unfinished = [suite for suite, left in self._left.items() if left > 0]
        for suite in unfinished:
            self._judge(suite)
        return bool(unfinished)


def _of_run(trial: Trial, run_id: str) -> Trial:
    # A worker does not know the run, and its traces do not name it.
    trace = trial.trace
    if trace is None:
        return trial
    spans = tuple(
        dataclasses.replace(span, attributes={**span.attributes, names.RUN: run_id}) if span.parent_id is None else span
        for span in trace.spans
    )
    return dataclasses.replace(trial, trace=dataclasses.replace(trace, spans=spans))
