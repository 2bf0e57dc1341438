"""The plugin's hooks for a session that has evals; registered when the first is collected."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import utc_now
from evalkit.config import Settings, load_settings
from evalkit.errors import EvalkitError
from evalkit.gates import parse, with_defaults
from evalkit.provenance import collect
from evalkit.recorder import Recorder, check_plan, parse_gates
from evalkit.runner import Notes
from evalkit.runs import Run, RunStatus
from evalkit.score import ErrorInfo
from evalkit.store.plain import from_plain, to_plain
from evalkit.suites import suite_of
from evalkit.trial import Output, Trial, error_info
from pytest_evalkit import gateresults, handwritten, internals, terminal, xdist
from pytest_evalkit.collect import Collection, EvalItem
from pytest_evalkit.fixtures import awaited
from pytest_evalkit.plugin import FLAGS
from pytest_evalkit.schedule import NOTES, Flight, Scheduler


class Evals:
    """One session's evals, from collection to the closing lines."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        errors: list[EvalkitError] = []
        try:
            self.settings = load_settings(config.rootpath, flags=_flags(config))
        except EvalkitError as error:
            errors.append(error)
            self.settings = Settings(root=config.rootpath)
        self.collection = Collection(self.settings)
        self.collection.errors.extend(errors)
        self.recorder: Recorder | None = None
        self.scheduler: Scheduler | None = None
        self.run: Run | None = None
        self.report: Path | None = None
        self.errors: list[str] = []
        self._left: Counter[str] = Counter()
        self._missed: dict[str, list[str]] = {}
        self._handwritten: dict[str, handwritten.HandWritten] = {}
        self._is_open = False
        self._sent: set[str] = set()

    # Collection

    def collect(self, collector: Any, name: str, function: Any) -> list[EvalItem]:
        """The items of a suite's function."""
        suite = suite_of(function)
        assert suite is not None, "called for suites only"
        return self.collection.items(collector, name, function, suite)

    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Add the cases, innermost, after the user's own parameters."""
        self.collection.parametrize(metafunc)

    def collected(self, session: pytest.Session) -> None:
        """Plan the run, once it is known which items are left. Raises `pytest.UsageError` for any mistake."""
        self.collection.settle(session.items)
        recorder = self._new_recorder()
        errors = self.collection.errors
        try:
            self._declare_suites(recorder)
            self._declare_handwritten(recorder, session)
        except EvalkitError as error:
            errors.append(error)
        if errors and xdist.is_worker(self.config):  # the controller is the one to say so
            self.config.workeroutput[xdist.ERRORS] = [str(error) for error in errors]  # type: ignore[attr-defined]  # xdist adds it
            session.items.clear()
            return
        if errors:
            raise pytest.UsageError("\n\n".join(str(error) for error in errors))
        self.recorder = recorder

    def _new_recorder(self) -> Recorder:
        settings = self.settings
        return Recorder(store=settings.store, seed=settings.seed, baseline=settings.baseline)

    def _declare_suites(self, recorder: Recorder) -> None:
        errors = self.collection.errors
        for planned in self.collection.planned:
            extra = self.settings.gates_for(planned.suite.name)
            try:
                gates = parse_gates(planned.suite, extra)
                planned.gates = tuple(str(gate) for gate in gates)
                info = planned.info(self.settings, selection=self._selection())
                check_plan(planned.suite, gates, info, planned.cases, recorder.baselines)
            except EvalkitError as error:
                errors.append(error)
                continue
            recorder.declare(
                info,
                planned.dataset,
                planned.selected(),
                gates=gates,
                on_inconclusive=planned.suite.on_inconclusive or self.settings.inconclusive,
            )
            self._left[planned.name] = len(planned.items)

    def _declare_handwritten(self, recorder: Recorder, session: pytest.Session) -> None:
        taken = [planned.name for planned in self.collection.planned]
        for suite in handwritten.find(session.items, taken=taken):
            extra = self.settings.gates_for(suite.name)
            gates = tuple(with_defaults([parse(text) for text in extra])) if extra else ()
            dataset = suite.dataset()
            info = suite.info(dataset, gates=tuple(str(gate) for gate in gates), seed=self.settings.seed)
            recorder.declare(info, dataset, dataset.cases, gates=gates, on_inconclusive=self.settings.inconclusive)
            self._left[suite.name] = len(suite.items)
            for item in suite.items:
                self._handwritten[item.nodeid] = suite

    def _selection(self) -> str | None:
        if self.settings.sample is not None:
            return f"sample {self.settings.sample}"
        option = self.config.option
        for flag, value in (("-k", option.keyword), ("-m", option.markexpr), ("--lf", getattr(option, "lf", False))):
            if value:
                return f"{flag} {value}" if isinstance(value, str) else flag
        return None

    # Running

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Open the run before the first item."""
        if self._is_to_run(session):
            self._begin(session)
        return (yield)

    def _is_to_run(self, session: pytest.Session) -> bool:
        option = session.config.option
        if self.recorder is None or not self.recorder.suites or option.collectonly:
            return False
        return not session.testsfailed or bool(option.continue_on_collection_errors)

    def _begin(self, session: pytest.Session) -> None:
        assert self.recorder is not None
        if not xdist.is_worker(self.config):
            self._open()
            internals.count_items(session, sum(len(info.gates) for info in self.recorder.suites))
        self.scheduler = Scheduler(
            session,
            max_concurrency=self.settings.max_concurrency,
            timeout=self.settings.timeout,
            record=self._record,
            reported=lambda item: self.count_down(item.planned.name),
        )

    def _open(self) -> None:
        assert self.recorder is not None
        self.recorder.provenance = collect()
        try:
            self.recorder.open()
        except EvalkitError as error:
            raise pytest.UsageError(str(error)) from None
        self._is_open = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End the run, and write the report that was asked for."""
        if self.errors and xdist.is_controller(self.config):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if self.recorder is None or not self._is_open:
            return
        status: RunStatus = "complete"
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            status = "failed"
        elif exitstatus not in (0, 1, 5) or session.shouldfail or session.shouldstop:
            status = "interrupted"
        self.run = self.recorder.finish(status)
        if self.settings.report is None:
            return
        try:
            self.report = terminal.write_report(self.run, self.config.rootpath / self.settings.report)
        except (EvalkitError, OSError) as error:
            self.errors.append(f"The report could not be written: {error}")

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run the items of suites; leave all others to pytest."""
        if self.scheduler is None or not isinstance(item, EvalItem):
            return None
        self.scheduler.run(item, nextitem)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Await the async fixtures that the items of suites use."""
        if self.scheduler is None or not isinstance(internals.item_of(request), EvalItem):
            return (yield)
        scheduler = self.scheduler
        with awaited(fixturedef, lambda: scheduler.engine):
            return (yield)

    def _record(self, flights: Sequence[Flight]) -> None:
        assert self.recorder is not None
        trials: dict[str, list[Trial]] = {}
        for flight in flights:
            trial = flight.finished.trial if flight.finished is not None else _unstarted(flight)
            if trial is None:
                continue
            if xdist.is_worker(self.config):
                if flight.setup.excinfo is not None:
                    self._send(flight.setup_report, flight.item.planned.name, trial)
                continue
            trials.setdefault(flight.item.planned.name, []).append(trial)
        for name, some in trials.items():
            self.recorder.record(name, some)

    def count_down(self, name: str) -> None:
        """Take note that one more item of a suite is done; after the last, judge it and announce its gates."""
        self._left[name] -= 1
        if self._left[name] != 0 or xdist.is_worker(self.config):
            return
        assert self.recorder is not None
        info = next(info for info in self.recorder.suites if info.name == name)
        verdicts = self.recorder.judge(name)
        failing = [verdict for verdict in verdicts if gateresults.announce(self.config, info, verdict)]
        gone = [gateresults.nodeid_of(info, verdict) for verdict in verdicts]
        internals.remember_failures(self.config, self._missed.get(name, ()) if failing else (), forget=gone)

    # Between xdist's workers and their controller

    def _send(self, report: pytest.TestReport, suite: str, trial: Trial) -> None:
        assert self.recorder is not None
        record: dict[str, Any] = {"suite": suite, "trial": to_plain(trial)}
        if suite not in self._sent:
            self._sent.add(suite)
            record["declaration"] = self.recorder.declaration(suite)
        setattr(report, xdist.TRIAL, json.dumps(record))  # ASCII: execnet takes no lone surrogates

    def receive(self, session: pytest.Session, sent: str) -> None:
        """Record a trial that a worker ran; the first of a suite brings the suite's declaration."""
        if self.errors:
            return
        record = json.loads(sent)
        try:
            if self.recorder is None:
                self.recorder = self._new_recorder()
                self._open()
            name = record["suite"]
            if "declaration" in record and name not in {info.name for info in self.recorder.suites}:
                info = self.recorder.declare_plain(record["declaration"])
                self._left[name] = info.planned
            trial = from_plain(Trial, record["trial"])
            self.recorder.record(name, [trial])
        except (EvalkitError, pytest.UsageError) as error:
            self.refuse(session, str(error))
            return
        if trial.outcome != "passed" and trial.nodeid is not None:
            self._missed.setdefault(name, []).append(trial.nodeid)

    def refuse(self, session: pytest.Session, text: str) -> None:
        """End the session of the controller with a usage error."""
        if text not in self.errors:
            self.errors.append(text)
        session.shouldstop = "evalkit cannot run this; see below"

    # Reports

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say on the report what became of a gated trial, and record hand-written tests."""
        report = yield
        if isinstance(item, EvalItem):
            flight = item.flight
            if call.when == "teardown" and xdist.is_worker(self.config):
                setattr(report, xdist.SUITE, item.planned.name)
            if call.when == "call" and flight is not None and flight.finished is not None:
                trial = flight.finished.trial
                outcome = trial.outcome
                if xdist.is_worker(self.config):
                    self._send(report, item.planned.name, trial)
                report.evalkit = outcome  # type: ignore[attr-defined]  # a report takes what plugins add
                if outcome != "passed" and report.passed:
                    self._missed.setdefault(item.planned.name, []).append(item.nodeid)
        elif item.nodeid in self._handwritten:
            self._make_handwritten(item, call, report)
        return report

    def _make_handwritten(self, item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
        assert self.recorder is not None
        assert isinstance(item, pytest.Function)
        suite = self._handwritten[item.nodeid]
        if call.when == "call" or (call.when == "setup" and call.excinfo is not None):
            trial = handwritten.trial_of(item, call, item.stash.get(NOTES, None) or Notes())
            if trial is not None and xdist.is_worker(self.config):
                self._send(report, suite.name, trial)
            elif trial is not None:
                self.recorder.record(suite.name, [trial])
        if call.when == "teardown" and xdist.is_worker(self.config):
            setattr(report, xdist.SUITE, suite.name)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Judge a hand-written suite after its last item."""
        suite = self._handwritten.get(nodeid)
        if suite is not None and self.scheduler is not None:
            self.count_down(suite.name)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.CollectReport | pytest.TestReport) -> Any:
        """Letters and words for trials that missed under gates, and for gates."""
        return terminal.status_of(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of metrics and gates, and where everything is."""
        if self.run is None and self.errors:
            for text in self.errors:
                terminalreporter.write_line(f"ERROR: {text}", red=True)
        if self.run is not None:
            serial = self.scheduler.serial if self.scheduler is not None else {}
            terminal.summary(
                terminalreporter,
                self.run,
                report=self.report,
                errors=self.errors,
                serial=serial,
                baseline=None if self.recorder is None else self.recorder.baselines.default,
            )

    def pytest_unconfigure(self) -> None:
        """Let go of the event loop and its threads."""
        if self.scheduler is not None:
            self.scheduler.close()


def _unstarted(flight: Flight) -> Trial | None:
    # Set-up failed, or the body was skipped. A skipped trial is no trial: it is missing, and the gates know.
    info = flight.setup.excinfo
    error = info.value if info is not None else flight.outcome
    if error is None or isinstance(error, pytest.skip.Exception):
        return None
    record: ErrorInfo = error_info(error)
    if isinstance(error, pytest.fail.Exception):
        record = dataclasses.replace(record, is_assertion=True)
    return Trial(
        case_id=flight.item.case.id,
        number=flight.item.number,
        output=Output(error=record),
        outcome="missed" if record.is_assertion else "errored",
        started_at=utc_now(),
        duration=0.0,
        nodeid=flight.item.nodeid,
    )


def _flags(config: pytest.Config) -> dict[str, Any]:
    names = [options.get("dest", f"evalkit_{name.replace('-', '_')}") for name, options in FLAGS]
    given = {name.removeprefix("evalkit_"): config.getoption(name) for name in names}
    return {name: value for name, value in given.items() if value is not None}
