"""Under pytest-xdist the workers send records on their reports, and the controller alone writes them.

A worker runs its items as ever, and keeps nothing. What it knows travels as plain JSON data: what its suites declare
on a report of its own before all others, a trial on the report of its item, mistakes found in collection at its end.

A worker may die, and xdist then blames the first item that it had not reported. That is the right one where a single
body ran; where several did, all of them run again, and one at a time in the worker that takes the dead one's place.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_evalkit import xdist_internals

if TYPE_CHECKING:
    from evalkit.config import Settings
    from pytest_evalkit.evals import Evals

TRIAL = "evalkit_trial"
SUITES = "evalkit_suites"
SUITE = "evalkit_suite"
ERRORS = "evalkit_errors"
EXCHANGES = "evalkit_exchanges"
NOTES = "evalkit_notes"
ALONE = "evalkit_alone"
LOST = "evalkit_lost"
RESUMED = "evalkit_resumed"
EACH = "evalkit_each"
BEGAN = "evalkit_began"
"""When the session began: a worker that collects late, or in another's place, finds its own run in the store."""

AGAIN = "evalkit_again"
"""On the report of an item that a worker had in flight when it died, and that is run again."""

_AT_ONCE = 500  # events of workers that are looked at for trials to store together; about eight make an item

WHY_NO_STOP = "under pytest-xdist no process sees the results in their order"
"""Why a suite runs to its end when its items are spread over workers."""


def refuse(config: pytest.Config, settings: Settings) -> None:
    """In a worker, raise `ConfigError` for what a session that is spread over workers cannot do."""
    from evalkit.errors import ConfigError

    if config.workerinput.get(EACH):  # type: ignore[attr-defined]  # xdist adds it
        raise ConfigError(
            "Evals cannot run under --dist each.",
            why="Every trial would run once in each worker, and a run has each trial once.",
            hint="For several trials of a case: --evalkit-repeat N. To compare environments, make a run in each, then "
            "evalkit compare.",
        )
    if settings.max_cost is not None:
        raise ConfigError(
            "A limit on the cost cannot be held under pytest-xdist.",
            where=settings.sources.get("max_cost"),
            why="Each worker spends by itself and does not know what the others spent.",
            hint="Leave out -n; evals run many at once without it.",
        )
    if settings.estimate:
        raise ConfigError(
            "What a run would cost is not said under pytest-xdist.",
            where=settings.sources.get("estimate"),
            why="The process that shows it collects nothing.",
            hint="Leave out -n; nothing is run anyway.",
        )


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process hands items to xdist's workers."""
    return config.pluginmanager.hasplugin("dsession") and not is_worker(config)


def is_alone(config: pytest.Config) -> bool:
    """Whether this is a worker in the place of one that died, and has to run one body at a time."""
    return bool(getattr(config, "workerinput", {}).get(ALONE))


def is_lost(config: pytest.Config, nodeid: str) -> bool:
    """Whether a worker died of this item alone, and it is not to be run again."""
    return nodeid in getattr(config, "workerinput", {}).get(LOST, ())


class Controller:
    """Takes records off the workers' reports, before anything of them is shown, and sees to workers that die."""

    def __init__(self, session: pytest.Session, evals: Callable[[pytest.Config], Evals]) -> None:
        self._session = session
        self._evals = evals
        self._began = dt.datetime.now(dt.UTC)
        self._known = False
        self._died = False
        self._lost: set[str] = set()
        session.config.stash[xdist_internals.LIMITS] = self._limit

    def _limit(self, nodeid: str) -> int:
        return self._evals(self._session.config).in_flight(nodeid) if self._known else 0

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Generator[None, Any, Any]:
        """Feed each worker with as many items of a suite as it may have in flight."""
        return xdist_internals.feeding((yield), config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which run is gone on with; one that takes a dead one's place also what is known of that."""
        if self._session.config.getoption("evalkit_resume") or os.environ.get("EVALKIT_RESUME"):
            node.workerinput[RESUMED] = self._evals(self._session.config).plan.resumed_run()
        node.workerinput[BEGAN] = self._began.isoformat()
        node.workerinput[EACH] = self._session.config.getoption("dist") == "each"
        if self._died:
            node.workerinput[ALONE] = True
            node.workerinput[LOST] = sorted(self._lost)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Record the trial that a report carries; count the item when it has been torn down."""
        suites = report.__dict__.pop(SUITES, None)
        record = report.__dict__.pop(TRIAL, None)
        suite = report.__dict__.pop(SUITE, None)
        exchanges = report.__dict__.pop(EXCHANGES, None)
        if suites is not None:
            self._evals(self._session.config).declare(self._session, suites)
            self._known = True
        if self._known and (ledger := self._evals(self._session.config).ledger) is not None:
            ledger.count_gates()
        if record is not None:
            # A transaction may wait for a disk; what arrived meanwhile goes into the next one together.
            others = xdist_internals.waiting(self._session.config, _AT_ONCE) if self._known else ()
            records = [record, *(sent for other in others if (sent := other.__dict__.pop(TRIAL, None)) is not None)]
            self._evals(self._session.config).receive(self._session, records)
        if exchanges is not None:
            self._evals(self._session.config).receive_exchanges(exchanges)
        result = yield
        if suite is not None:
            self._evals(self._session.config).count_down(suite)
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any, sched: Any) -> None:
        """Have the item of a suite that a dead worker is blamed for run again, or record that it was lost."""
        if not self._limit(crashitem):
            return
        self._died = True
        evals, node = self._evals(self._session.config), report.node
        worker = node.workerinput.get("workerid", "?")
        if self._limit(crashitem) > 1 and not node.workerinput.get(ALONE):
            evals.note(
                f"The worker {worker} died with several bodies in flight; these run again, one at a time where a "
                "new worker takes its place."
            )
            with contextlib.suppress(NotImplementedError):  # loadfile and its like run it again in any case
                sched.mark_test_pending(crashitem)
        elif crashitem not in self._lost:
            self._lost.add(crashitem)
            evals.lost(crashitem, worker)
            return
        setattr(report, AGAIN, True)
        report.outcome = "rerun"

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the mistakes that a worker found in what it collected; all workers find the same. And its notes."""
        output = getattr(node, "workeroutput", {})
        for text in output.get(ERRORS, ()):
            self._evals(self._session.config).refuse(self._session, text)
        for text in output.get(NOTES, ()):
            self._evals(self._session.config).note(text)
