"""Several items of a suite in flight at once, each with pytest's whole life cycle.

An item is set up, its body is started, and the next is set up, until as many bodies run as may. Whoever's turn
it is in collection order is then waited for, reported and torn down. Set-up, reports and teardown stay in the main
thread, one at a time; only bodies and scorers overlap.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from typing import Any, TypeGuard

import pytest

from evalkit.budget import Answer
from evalkit.launches import Launches
from evalkit.runner import Engine, Finished, Inline, Job, Notes, run_tries
from evalkit.tracing import Session, attached
from pytest_evalkit import internals
from pytest_evalkit.capture import Capture, Sink
from pytest_evalkit.collect import EvalItem
from pytest_evalkit.flight import Flight, raise_outcome
from pytest_evalkit.skipping import skip
from pytest_evalkit.xdist import is_worker
from pytest_evalkit.xdist_internals import Pending

EXCLUSIVE = frozenset(
    {"monkeypatch", "capsys", "capfd", "capsysbinary", "capfdbinary", "capteesys", "recwarn", "doctest_namespace"}
)
"""Fixtures that change or watch the whole process, so that two items with one of them cannot be in flight at once."""

NOTES = pytest.StashKey[Notes]()
"""Where an item that uses the `evalkit` fixture keeps what it recorded."""

_SPARE_THREADS = 4  # for scorers, while as many bodies run as may

_PARKED = 1000  # how many items may wait, done and set up, behind one that is slow
_REFILL = 100  # once that many wait, how many are reported before more are started: they are recorded together


class Scheduler:
    """Runs the items of suites in place of pytest's own protocol for one item.

    `record` is called with the flights that have landed since it was last called, before the first of them is
    reported; `reported` with each item after its teardown. Items that `launches` says are not worth starting any more
    are skipped; those in flight by then are finished, since they are paid for. In a worker of xdist `pending` are the
    items that were sent to it. `alone` has one body run at a time. A
    trial is attempted `retries` times more while a service is away. What `stands` from an earlier session of the run is
    not started.
    """

    def __init__(
        self,
        session: pytest.Session,
        *,
        max_concurrency: int,
        timeout: float | None,
        tracing: Session,
        record: Callable[[Sequence[Flight]], None],
        reported: Callable[[EvalItem], None],
        launches: Launches,
        pending: Pending | None = None,
        alone: bool = False,
        retries: int = 0,
        stands: Callable[[EvalItem], bool],
    ) -> None:
        self._session = session
        self._config = session.config
        self._limit = max_concurrency
        self._timeout = timeout
        self._tracing = tracing
        self._record = record
        self._reported = reported
        self._launches = launches
        self._pending = pending
        self._alone = alone
        self._retries = retries
        self._stands = stands
        self._stack = internals.Stack.install(session)
        self._capture = Capture(session.config)
        self._engine: Engine | None = None
        self._places = {id(item): place for place, item in enumerate(session.items)}
        self._queue: deque[EvalItem] = deque()
        self._flights: dict[EvalItem, Flight] = {}
        self._landed: list[Flight] = []
        self._running = 0
        self._is_full = False
        self._is_aborted = False
        self._batch_limit = 1
        self._head: EvalItem | None = None
        self._wide: tuple[Any, ...] = ()
        if pending is not None:
            pending.on_arrival(self._wake)
        self.serial: dict[str, str] = {}
        """Suites whose items run one at a time though more would be allowed, and the fixture that is why."""

    @property
    def engine(self) -> Engine:
        """The event loop of the bodies, and of async fixtures that they use."""
        if self._engine is None:
            self._engine = Engine(max_threads=self._limit + _SPARE_THREADS)
        return self._engine

    def close(self) -> None:
        """End the event loop and the threads."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def abandon(self) -> None:
        """Tear down what is in flight, where Ctrl-C came between two items; a second one leaves the rest as it is."""
        if self._flights and not self._is_aborted:
            try:
                self._abort()
            finally:
                self._capture.close()

    def run(self, item: EvalItem, nextitem: pytest.Item | None) -> None:
        """The whole protocol of `item`; the bodies of those that follow it may start meanwhile."""
        if item not in self._flights and self._launches.is_over(item.planned.name):
            self._skip(item, nextitem)
            return
        reason = self._one_at_a_time(item)
        if reason is not None:
            self._run_alone(item, nextitem)
            return
        if item not in self._flights and not self._queue:
            self._begin(item)
        self._join(nextitem)
        self._capture.open()
        try:
            flight = self._wait_for(item)
            if flight is None:
                self._skip(item, nextitem)
            else:
                self._report(flight, nextitem)
        except BaseException:
            self._abort()
            raise
        finally:
            if not self._flights:
                self._capture.close()

    def _one_at_a_time(self, item: EvalItem) -> str | None:
        option = self._config.option
        if self._alone:
            return "a worker died"
        if option.usepdb or option.trace or option.setupshow or option.setuponly or option.setupplan:
            return "pytest's option"
        if (item.planned.suite.max_concurrency or self._limit) == 1:
            return "max_concurrency"
        fixture = next((name for name in item.fixturenames if name in EXCLUSIVE), None)
        if fixture is not None:
            self.serial.setdefault(item.planned.name, fixture)
        return fixture

    def _begin(self, item: EvalItem) -> None:
        self._head, self._wide = item, internals.wide_parameters(item)
        self._queue = deque([item] if is_worker(self._config) else self._batch(item))
        self._batch_limit = item.planned.suite.max_concurrency or self._limit
        self.engine.threads.size = max(self.engine.threads.size, self._batch_limit + _SPARE_THREADS)

    def _batch(self, item: EvalItem) -> Iterator[EvalItem]:
        yield item
        for place in range(self._places[id(item)] + 1, len(self._session.items)):
            other = self._session.items[place]
            if not self._fits(other):
                return
            if not self._stands(other):
                yield other

    def _fits(self, other: pytest.Item) -> TypeGuard[EvalItem]:
        # The items that may be in flight together: one suite, one parent, one set of wider parameters.
        head = self._head
        return (
            head is not None
            and isinstance(other, EvalItem)
            and other.planned is head.planned
            and other.parent is head.parent
            and internals.wide_parameters(other) == self._wide
        )

    def _join(self, nextitem: pytest.Item | None) -> None:
        # Under xdist the next item is ours for certain; what was sent after it joins only if that one does.
        if not is_worker(self._config) or nextitem in self._flights or nextitem in self._queue:
            return
        if nextitem is not None and self._fits(nextitem):
            if not self._stands(nextitem):
                self._queue.append(nextitem)
        else:
            self._head = None

    def _more(self) -> bool:
        """Whether an item is there to be started; in a worker one is taken from those that were sent to it."""
        items = self._session.items
        while not self._queue and self._pending is not None and self._head is not None:
            place = self._pending.take(lambda place: self._fits(items[place]))
            if place is None:
                break
            taken = items[place]
            assert isinstance(taken, EvalItem), "only those fit"
            if not self._stands(taken):
                self._queue.append(taken)
        return bool(self._queue)

    def _wake(self) -> None:
        if self._engine is not None:
            self._engine.wake()

    def _wait_for(self, item: EvalItem) -> Flight | None:
        # The flight of the item, once it has landed; `None` where it is not worth starting any more.
        while True:
            while self._running < self._batch_limit and self._has_room_for(item) and self._more():
                answer = self._ask(self._queue[0])
                if answer == "stop":
                    self._queue.clear()
                if answer != "go":
                    break
                self._launch(self._queue.popleft())
            flight = self._flights.get(item)
            if flight is None and not self._queue:
                return None
            if flight is not None and flight.landed:
                return flight
            self.engine.pump()

    def _has_room_for(self, item: EvalItem) -> bool:
        # Whether more may be started while `item` is waited for. Bodies that end at once would otherwise fill each
        # place as it is freed, and each trial would be a transaction of its own.
        parked = len(self._flights)
        self._is_full = parked >= _PARKED or (self._is_full and parked > _PARKED - _REFILL)
        return not self._is_full or item not in self._flights

    def _ask(self, item: EvalItem) -> Answer:
        return self._launches.ask(item.planned.name, item.case.id, item.number)

    def _count(self, flight: Flight) -> None:
        item = flight.item
        self._launches.landed(item.planned.name, item.case.id, item.number, flight.trial, flight.earlier)

    def _skip(self, item: EvalItem, nextitem: pytest.Item | None) -> None:
        skip(item, nextitem, f"{item.planned.name} {self._launches.reason(item.planned.name)}")
        self._reported(item)

    def _launch(self, item: EvalItem) -> None:
        sink = Sink()
        flight = self._set_up(item, replay=lambda: None)
        self._flights[item] = flight
        self._stack.set_aside(item)
        if flight.setup.excinfo is not None:
            self._land(flight)
            self._count(flight)
            return
        flight.replay = lambda: self._replay(flight, sink)
        self._capture.prepare(item, sink)
        self._running += 1

        def landed(task: asyncio.Task[Finished]) -> None:
            self._running -= 1
            if not task.cancelled():
                flight.outcome = task.exception()
                if flight.outcome is None:
                    flight.finished = task.result()
            self._land(flight)
            self._count(flight)

        work = run_tries(self._job(item), self.engine.threads, retries=self._retries)
        self.engine.start(work, landed, context=sink.within(flight.context))
        self.engine.poll()  # it begins to wait now, and not when all the others have been set up

    def _set_up(self, item: EvalItem, *, replay: Callable[[], None]) -> Flight:
        hook = item.ihook
        internals.renew_request(item)
        internals.own_fixtures(item)
        scope = self._tracing.scope(case_id=item.case.id, number=item.number, suite=item.planned.name)
        with attached(scope):
            call = self._call(item, "setup", lambda: hook.pytest_runtest_setup(item=item))
            context = copy_context()  # with a span that a fixture may have left open
        report = internals.report_of(item, call, hook)
        flight = Flight(
            item=item, hook=hook, setup=call, setup_report=report, replay=replay, scope=scope, context=context
        )
        item.flight = flight
        return flight

    def _job(self, item: EvalItem) -> Job:
        suite = item.planned.suite
        return Job(
            case=item.case,
            number=item.number,
            body=item.body(),
            is_async=item.planned.is_async,
            scorers=suite.scorers,
            timeout=suite.timeout if suite.timeout is not None else self._timeout,
            nodeid=item.nodeid,
            notes=item.stash.get(NOTES, None) or Notes(trial=item.number),
            suite=item.planned.name,
            scope=item.flight.scope if item.flight is not None else None,
        )

    def _replay(self, flight: Flight, sink: Sink) -> None:
        self._capture.replay(sink)
        raise_outcome(flight)

    def _run_alone(self, item: EvalItem, nextitem: pytest.Item | None) -> None:
        # As pytest does it: the body is called in the call phase, in the main thread.
        if self._ask(item) != "go":
            self._skip(item, nextitem)
            return

        def body() -> None:
            job = self._job(item)
            threads = self.engine.threads if job.timeout is not None else Inline()
            try:
                flight.finished = flight.context.run(self.engine.run, run_tries(job, threads, retries=self._retries))
            except BaseException as outcome:
                flight.outcome = outcome
                raise
            finally:
                self._count(flight)
            raise_outcome(flight)

        flight = self._set_up(item, replay=body)
        if flight.setup.excinfo is not None:
            self._count(flight)
        self._stack.set_aside(item)
        self._flights[item] = flight
        try:
            self._report(flight, nextitem)
        except BaseException:
            self._abort()
            raise

    def _report(self, flight: Flight, nextitem: pytest.Item | None) -> None:
        item = flight.item
        hook = flight.hook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        if flight.setup.excinfo is None:
            option = self._config.option
            if option.setupshow:
                internals.show_item(item)
            if not option.setuponly:
                landed = flight.landed
                call = self._call(item, "call", lambda: hook.pytest_runtest_call(item=item))
                self._land(flight)
                if landed and flight.finished is not None:  # the body ran before its turn came
                    call.start, call.stop = flight.finished.start, flight.finished.stop
                    call.duration = call.stop - call.start
                self._record_landed()
                self._log(flight, flight.setup, flight.setup_report)
                self._log(flight, call, internals.report_of(item, call, hook))
            else:
                self._log(flight, flight.setup, flight.setup_report)
        else:
            self._land(flight)
            self._record_landed()
            self._log(flight, flight.setup, flight.setup_report)
        if self._session.shouldfail or self._session.shouldstop:
            self._abort(but=item)
            nextitem = None
        self._tear_down(flight, nextitem)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        self._reported(item)

    def _tear_down(self, flight: Flight, nextitem: pytest.Item | None, *, silent: bool = False) -> None:
        item = flight.item
        self._stack.take_back(item)
        del self._flights[item]
        flight.scope.end(error="never ran to its end")  # where it did, that has been said
        try:
            with attached(flight.scope):
                call = self._call(
                    item, "teardown", lambda: flight.hook.pytest_runtest_teardown(item=item, nextitem=nextitem)
                )
            report = internals.report_of(item, call, flight.hook)
            if not silent or report.failed:
                self._log(flight, call, report)
        finally:
            flight.scope.close()
            internals.drop_request(item)
            item.flight = None

    def _abort(self, but: EvalItem | None = None) -> None:
        # Nothing more is started; what is in flight is cancelled and torn down; what is done is kept.
        self._is_aborted = True
        self._queue.clear()
        if self._engine is not None:
            self._engine.cancel()
        self._record_landed()
        others = [flight for flight in self._flights.values() if flight.item is not but]
        for flight, after in itertools.zip_longest(others, others[1:]):
            # Parents stay as long as one of their items does: the next to go, or the one being reported.
            self._tear_down(flight, but or (after.item if after else None), silent=True)

    def _land(self, flight: Flight) -> None:
        flight.landed = True
        if not flight.recorded:
            flight.recorded = True
            self._landed.append(flight)

    def _record_landed(self) -> None:
        landed, self._landed = self._landed, []
        if landed:
            self._record(landed)

    def _call(self, item: pytest.Item, when: Any, work: Callable[[], Any]) -> pytest.CallInfo[Any]:
        reraise: tuple[type[BaseException], ...] = (pytest.exit.Exception,)
        if not item.config.option.usepdb:
            reraise += (KeyboardInterrupt,)
        return pytest.CallInfo.from_call(work, when=when, reraise=reraise)

    def _log(self, flight: Flight, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
        flight.hook.pytest_runtest_logreport(report=report)
        if internals.interactive(call, report):
            flight.hook.pytest_exception_interact(node=flight.item, call=call, report=report)
