"""What the session's trials add up to: each recorded, each suite counted down, judged at its end, its gates announced.

Under pytest-xdist a worker records nothing: it puts its trials on its reports, and the controller's ledger takes them.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pytest

from evalkit.baselines import Baselines
from evalkit.case import Case, Dataset
from evalkit.errors import EvalkitError
from evalkit.launches import Launches
from evalkit.provenance import collect
from evalkit.recorder import Recorder
from evalkit.runs import Run, RunStatus, SuiteInfo
from evalkit.store.plain import from_plain, to_plain
from evalkit.tracing import names
from evalkit.trial import Trial
from pytest_evalkit import gateresults, internals, xdist

if TYPE_CHECKING:
    from evalkit.exchange import Exchange
    from evalkit.gates import Gate


class Ledger:
    """One session's run, as pytest's process of it sees it; the run itself is the recorder's."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self.is_open = False
        self._config = config
        self._recorder = recorder
        self._is_worker = xdist.is_worker(config)
        self._left: Counter[str] = Counter()
        self._missed: dict[str, list[str]] = {}
        self._sent: set[str] = set()

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
        internals.count_items(session, sum(len(info.gates) for info in self.suites))

    def record(self, suite: str, trials: Sequence[Trial]) -> None:
        """Keep finished trials; in a worker they are kept by `put`."""
        if not self._is_worker:
            self._recorder.record(suite, trials)

    def redact(self, text: str) -> str:
        """`text` without keys, passwords and what the user's patterns fit."""
        return self._recorder.redact(text)

    def missed(self, suite: str, nodeid: str) -> None:
        """Take note of an item that pytest counts as passed though its trial was not."""
        self._missed.setdefault(suite, []).append(nodeid)

    def count_down(self, suite: str) -> None:
        """Take note that one more item of a suite is done; after the last, judge it and announce its gates."""
        self._left[suite] -= 1
        if self._left[suite] != 0 or self._is_worker:
            return
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
        self, report: pytest.TestReport, suite: str, trial: Trial | None, exchanges: Sequence[Exchange] = ()
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
        record: dict[str, Any] = {"suite": suite, "trial": to_plain(self._recorder.redacted(trial))}
        if suite not in self._sent:
            self._sent.add(suite)
            record["declaration"] = self._recorder.declaration(suite)
        setattr(report, xdist.TRIAL, json.dumps(record))  # ASCII: execnet takes no lone surrogates

    def take(self, session: pytest.Session, sent: str) -> None:
        """In the controller, record what a worker put on a report. Raises `EvalkitError` or `pytest.UsageError`."""
        record = json.loads(sent)
        if not self.is_open:
            self.open(session)
        suite = record["suite"]
        if "declaration" in record and suite not in {info.name for info in self.suites}:
            self._left[suite] = self._recorder.declare_plain(record["declaration"]).planned
        trial = _of_run(from_plain(Trial, record["trial"]), self._recorder.id)
        self._recorder.record(suite, [trial])
        if trial.outcome != "passed" and trial.nodeid is not None:
            self.missed(suite, trial.nodeid)


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
