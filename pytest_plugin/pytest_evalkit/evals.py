"""The plugin's hooks for a session that has evals; registered when the first is collected."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.config import Settings, load_settings
from evalkit.errors import EvalkitError
from evalkit.outgoing import Outgoing
from evalkit.runner import Notes
from evalkit.runs import Run, RunStatus
from evalkit.store.plain import from_plain
from evalkit.suites import suite_of
from evalkit.tracing import Session
from evalkit.trial import Trial
from pytest_evalkit import handwritten, internals, standing, terminal, xdist, xdist_internals
from pytest_evalkit.collect import Collection, EvalItem
from pytest_evalkit.estimating import Estimating
from pytest_evalkit.fixtures import awaited, is_async_fixture
from pytest_evalkit.flight import Flight
from pytest_evalkit.ledger import Ledger
from pytest_evalkit.plan import Plan
from pytest_evalkit.plugin import FLAGS
from pytest_evalkit.schedule import NOTES, Scheduler
from pytest_evalkit.skipping import skip
from pytest_evalkit.traces import SCOPE, Shared, Traces

if TYPE_CHECKING:
    from evalkit.exchange import Exchange


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
        self.ledger: Ledger | None = None
        self.outgoing = Outgoing(self.settings, to_store=self._store_exchanges)
        self._exchanges: list[Exchange] = []
        self.scheduler: Scheduler | None = None
        self.run: Run | None = None
        self.written: dict[str, Path] = {}
        self.errors: list[str] = []
        self.notes: list[str] = []
        self.plan = Plan(config, self.settings, self.collection)
        self._handwritten = self.plan.handwritten
        self._paid: dict[str, Trial] = {}
        self._tracing = Session(capture=self.settings.capture)

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

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out the suites that nothing changed for, where the session was told to."""
        if self.settings.changed is None:
            return
        unchanged = self.collection.unchanged(self.settings.changed)
        if unchanged:
            left_out = [item for item in items if isinstance(item, EvalItem) and item.planned in unchanged]
            gone = {id(item) for item in left_out}
            items[:] = [item for item in items if id(item) not in gone]
            config.hook.pytest_deselected(items=left_out)
            names = ", ".join(dict.fromkeys(planned.suite.name for planned in unchanged))
            self.notes.append(f"Left out, as nothing changed for them since {self.settings.changed}: {names}.")

    def collected(self, session: pytest.Session) -> None:
        """Plan the run, once it is known which items are left. Raises `pytest.UsageError` for any mistake."""
        self.collection.settle(session.items)
        if not self.config.option.collectonly:
            self.collection.check_subjects()
        errors = self.collection.errors
        try:
            ledger = self.plan.new_ledger()
        except EvalkitError as error:
            if xdist.is_worker(self.config):
                self._refuse_in_worker(session, [*errors, error])
                return
            raise pytest.UsageError(str(error)) from None
        try:
            self.outgoing.check()
            if xdist.is_worker(self.config):
                xdist.refuse(self.config, self.settings)
            self.plan.declare(ledger, session)
        except EvalkitError as error:
            errors.append(error)
        if errors and xdist.is_worker(self.config):  # the controller is the one to say so
            self._refuse_in_worker(session, errors)
            return
        if errors:
            raise pytest.UsageError("\n\n".join(dict.fromkeys(str(error) for error in errors)))
        if self.settings.estimate:
            estimating = Estimating(self.settings.store, ledger.suites)
            self.config.pluginmanager.register(estimating, "evalkit-estimating")
            return
        self.ledger = ledger

    def _refuse_in_worker(self, session: pytest.Session, errors: Sequence[EvalkitError]) -> None:
        self.config.workeroutput[xdist.ERRORS] = [str(error) for error in errors]  # type: ignore[attr-defined]  # xdist adds it
        session.items.clear()

    # Running

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Open the run before the first item."""
        option = session.config.option
        stopped = session.testsfailed and not option.continue_on_collection_errors
        if self.ledger is not None and not option.collectonly and not stopped:
            if self.ledger.suites:
                self._begin(session, self.ledger)
            elif self.collection.is_emptied and not xdist.is_worker(self.config):
                self.ledger.open(session)  # for the bundle: that this shard has no case is something to say
        try:
            return (yield)
        finally:
            if self.scheduler is not None:
                self.scheduler.abandon()

    def _begin(self, session: pytest.Session, ledger: Ledger) -> None:
        ledger.open(session)
        self._tracing.run_id = ledger.run_id
        self._tracing.begin()
        self.outgoing.begin()
        self.collection.selection.__enter__()
        self.config.pluginmanager.register(Shared(), "evalkit-shared")
        if self._handwritten:
            self.config.pluginmanager.register(Traces(self._tracing, self._suite_of), "evalkit-traces")
        pending = xdist_internals.Pending.of(self.config) if xdist.is_worker(self.config) else None
        if xdist.is_worker(self.config):
            self._declare_to_controller(ledger)
        self.scheduler = Scheduler(
            session,
            max_concurrency=self.settings.max_concurrency,
            timeout=self.settings.timeout,
            tracing=self._tracing,
            record=self._record,
            reported=lambda item: ledger.count_down(item.planned.name),
            launches=ledger.launches,
            pending=pending,
            alone=xdist.is_alone(self.config),
            retries=self.settings.retry_errors,
            stands=lambda item: (item.case.id, item.number) in ledger.taken(item.planned.name),
        )

    def _suite_of(self, nodeid: str) -> str | None:
        suite = self._handwritten.get(nodeid)
        return None if suite is None else suite.name

    def _record(self, flights: Sequence[Flight]) -> None:
        assert self.ledger is not None
        trials: dict[str, list[Trial]] = {}
        for flight in flights:
            if flight.trial is None:
                continue
            trials.setdefault(flight.item.planned.name, []).extend((*flight.earlier, flight.trial))
            if flight.setup.excinfo is not None:  # this report was made before there was a trial
                self.ledger.put(flight.setup_report, flight.item.planned.name, flight.trial)
        for name, some in trials.items():
            self.ledger.record(name, some)
        if not xdist.is_worker(self.config):
            self.outgoing.keep(self.outgoing.take())

    def _store_exchanges(self, exchanges: Sequence[Exchange]) -> None:
        self._exchanges.extend(exchanges)  # a worker's first may be here before the run is open
        if self._exchanges and self.ledger is not None and self.ledger.is_open:
            self.ledger.exchanges(self._exchanges)
            self._exchanges.clear()

    def _to_report(self) -> Sequence[Exchange]:
        # A worker's controller keeps what was recorded; of its own process nobody has to be told.
        return self.outgoing.take() if xdist.is_worker(self.config) else ()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End the run, and write the report that was asked for."""
        internals.forget_silent_phases(self.config)
        self._tracing.end()
        if not xdist.is_worker(self.config):
            self.outgoing.flush()
            self._store_exchanges(())
        self.outgoing.end()
        self.notes.extend([*self._tracing.notes, *self.outgoing.notes])
        if self.scheduler is not None and not xdist.is_worker(self.config):  # one worker need not see every trial
            self.notes.extend(self.collection.selection.notes)
        if self.ledger is not None:
            self.notes = [self.ledger.redact(note) for note in (*self.notes, *self.ledger.launches.notes)]
        if self.ledger is not None and self.ledger.resumed is not None and not xdist.is_worker(self.config):
            self.note(self.ledger.resumed.note())
        if self.notes and xdist.is_worker(self.config):
            self.config.workeroutput[xdist.NOTES] = self.notes  # type: ignore[attr-defined]  # xdist adds it
        if self.errors and xdist.is_controller(self.config):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if self.collection.is_emptied and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK  # there are fewer cases than shards, and that is no mistake
        if self.ledger is None or not self.ledger.is_open:
            return
        status: RunStatus = "complete"
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            status = "failed"
        elif exitstatus not in (0, 1, 5) or session.shouldfail or session.shouldstop:
            status = "interrupted"
        elif not self.ledger.is_whole:
            status = "interrupted"
            self.note("Not every case was run: the workers that had them died.")
            self.ledger.judge_unfinished()
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        self.run = self.ledger.finish(status)
        self.notes.extend(map(self.ledger.redact, self.ledger.notes))
        if self.plan.bundle is not None and self.plan.bundle.exists():
            self.written["bundle"] = self.plan.bundle
            self.note(f"Shard {self.settings.shard}: gates are decided when all are merged: evalkit merge BUNDLE…")
        self._write_reports(self.run)

    def _write_reports(self, run: Run) -> None:
        """Write what was asked for beside the terminal's table; what cannot be written is said."""
        root, settings, ledger = self.config.rootpath, self.settings, self.ledger
        assert ledger is not None, "a run has one"
        try:
            if settings.report is not None:
                baseline, place = ledger.baselines.default, root / settings.report
                self.written["report"] = terminal.write_report(run, place, baseline=baseline, earlier=ledger.earlier)
        except (EvalkitError, OSError) as error:
            self.errors.append(f"The report could not be written: {error}")
        try:
            if settings.markdown is not None:
                report, baseline = self.written.get("report"), ledger.baselines.default
                path = terminal.write_summary(
                    run, settings.markdown, root, report, baseline=baseline, earlier=ledger.earlier
                )
                if path is not None:
                    self.written["summary"] = path
        except (EvalkitError, OSError) as error:
            self.errors.append(f"The Markdown summary could not be written: {error}")

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run the items of suites; leave all others to pytest, but those that there is no money for."""
        if self.scheduler is None:
            return None
        if xdist.is_lost(self.config, item.nodeid):  # it has been recorded, and xdist sent it once more
            internals.take_down(item.session, nextitem)
            return True
        if self.ledger is not None and standing.stood(item, nextitem, self.ledger, self._handwritten):
            return True
        if not isinstance(item, EvalItem):
            suite = self._handwritten.get(item.nodeid)
            if suite is None or self.ledger is None or self.ledger.launches.ask(suite.name, item.nodeid, 1) == "go":
                return None
            skip(item, nextitem, f"{suite.name} {self.ledger.launches.reason(suite.name)}")
            return True
        self.scheduler.run(item, nextitem)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Await the async fixtures that the items of suites use."""
        if (
            self.scheduler is None
            or not is_async_fixture(fixturedef)
            or not isinstance(internals.item_of(request), EvalItem)
        ):
            return (yield)
        scheduler = self.scheduler
        with awaited(fixturedef, lambda: scheduler.engine):
            return (yield)

    # What xdist's workers say to their controller

    def _declare_to_controller(self, ledger: Ledger) -> None:
        items: dict[str, Any] = {}
        for planned in self.collection.planned:
            ledger.limit(planned.name, planned.suite.max_concurrency or self.settings.max_concurrency)
            items.update((item.nodeid, (planned.name, item.case.id, item.number)) for item in planned.items)
        for suite in self._handwritten.values():
            items.update((item.nodeid, (suite.name, handwritten.case_id(item), 1)) for item in suite.items)
        nodeid = next(iter(items))
        path = nodeid.partition("::")[0]
        report = pytest.TestReport(
            nodeid=nodeid, location=(path, None, path), keywords={}, outcome="passed", longrepr=None, when="setup"
        )
        ledger.declare_to_controller(report, items)
        xdist_internals.send(self.config, report)

    def declare(self, session: pytest.Session, sent: str) -> None:
        """Begin the run with what a worker said of its suites."""
        if self.errors:
            return
        try:
            if self.ledger is None:
                self.ledger = self.plan.new_ledger()
            self.ledger.take_declarations(session, sent)
        except (EvalkitError, pytest.UsageError) as error:
            self.refuse(session, str(error))

    def in_flight(self, nodeid: str) -> int:
        """How many bodies may run at once where that of this item does; 0 for an item of no suite."""
        return 0 if self.ledger is None or self.errors else self.ledger.in_flight(nodeid)

    def lost(self, nodeid: str, worker: str) -> None:
        """Record the trial of which a worker died."""
        if self.ledger is not None:
            self.ledger.lost(nodeid, worker)

    def note(self, text: str) -> None:
        """Say something beside the results, once."""
        if text not in self.notes:
            self.notes.append(text)

    def receive(self, session: pytest.Session, sent: Sequence[str]) -> None:
        """Record what workers put on reports."""
        if self.errors or self.ledger is None:
            return
        try:
            self.ledger.take(sent)
        except EvalkitError as error:
            self.refuse(session, str(error))

    def receive_exchanges(self, sent: str) -> None:
        """Keep the recorded answers that a worker put on a report."""
        from evalkit.exchange import Exchange

        self.outgoing.keep([from_plain(Exchange, one) for one in json.loads(sent)])

    def count_down(self, suite: str) -> None:
        """Take note that a worker is done with one more item of a suite."""
        if self.ledger is not None and not self.errors:
            self.ledger.count_down(suite)

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
        if self.ledger is None:
            return report
        if isinstance(item, EvalItem) or item.nodeid in self._handwritten:
            internals.redact_report(report, self.ledger.redact)
        if isinstance(item, EvalItem):
            suite, trial = item.planned.name, item.flight.trial if item.flight is not None else None
            if call.when == "call" and trial is not None:
                report.evalkit = trial.outcome  # type: ignore[attr-defined]  # a report takes what plugins add
                if trial.outcome != "passed" and report.passed:
                    self.ledger.missed(suite, item.nodeid)
            earlier = item.flight.earlier if item.flight is not None else ()
            self.ledger.put(report, suite, trial if call.when == "call" else None, self._to_report(), earlier)
        elif item.nodeid in self._handwritten:
            assert isinstance(item, pytest.Function), "only functions have fixtures"
            suite = self._handwritten[item.nodeid].name
            notes, scope = item.stash.get(NOTES, None) or Notes(), item.stash.get(SCOPE, None)
            trial = handwritten.trial_of(item, call, notes, scope)
            if trial is not None:
                self.ledger.record(suite, [trial])
                if scope is not None and scope.missed and trial.output.error is not None and report.passed:
                    report.outcome, report.longrepr = "failed", trial.output.error.message
            if call.when == "teardown":
                self.ledger.launches.landed(suite, item.nodeid, 1, self._paid.pop(item.nodeid, None))
            elif trial is not None:
                self._paid[item.nodeid] = trial
            self.ledger.put(report, suite, trial, self._to_report())
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell in the JUnit file, which is written by now, a case that errored from one that missed."""
        outcome = getattr(report, "evalkit", None)
        if report.when == "call" and report.failed and outcome is not None:
            internals.name_junit_failure(self.config, report, {"errored": "error"}.get(outcome, outcome))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Judge a hand-written suite after its last item."""
        suite = self._handwritten.get(nodeid)
        if suite is not None and self.ledger is not None and self.scheduler is not None:
            self.ledger.count_down(suite.name)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.CollectReport | pytest.TestReport) -> Any:
        """Letters and words for trials that missed under gates, and for gates."""
        return terminal.status_of(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of metrics and gates, and where everything is."""
        if self.run is None and self.errors:
            for text in self.errors:
                terminalreporter.write_line(f"ERROR: {text}", red=True)
        for note in self.notes:
            terminalreporter.write_line(f"evalkit: {note}", yellow=True)
        if self.run is not None:
            serial = self.scheduler.serial if self.scheduler is not None else {}
            terminal.summary(
                terminalreporter,
                self.run,
                written=self.written,
                errors=self.errors,
                serial=serial,
                baseline=None if self.ledger is None else self.ledger.baselines.default,
                earlier={} if self.ledger is None else self.ledger.earlier,
            )
            if self.settings.annotations == "auto" and os.environ.get("GITHUB_ACTIONS") == "true":
                terminal.annotate(terminalreporter, self.run, self.config.rootpath)

    def pytest_unconfigure(self) -> None:
        """Let go of the event loop and its threads, and of what the session ran with."""
        if self.scheduler is not None:
            self.collection.selection.__exit__()
        self._tracing.end()
        self.outgoing.end()
        if self.scheduler is not None:
            self.scheduler.close()


def _flags(config: pytest.Config) -> dict[str, Any]:
    names = [options.get("dest", f"evalkit_{name.replace('-', '_')}") for name, options in FLAGS]
    given = {name.removeprefix("evalkit_"): config.getoption(name) for name in names}
    return {name: value for name, value in given.items() if value is not None}
