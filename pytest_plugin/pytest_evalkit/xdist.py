"""Under pytest-xdist the workers send records on their reports, and the controller alone writes them.

A worker runs its items as ever, and keeps nothing. What it knows travels as plain JSON data: a trial on the report
of its item, the suite's declaration on the first report of each suite, mistakes found in collection at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalkit.config import Settings
    from pytest_evalkit.evals import Evals

TRIAL = "evalkit_trial"
SUITE = "evalkit_suite"
ERRORS = "evalkit_errors"
EXCHANGES = "evalkit_exchanges"
NOTES = "evalkit_notes"
WHY_NO_STOP = "under pytest-xdist no process sees the results in their order"
"""Why a suite runs to its end when its items are spread over workers."""


def refuse(settings: Settings) -> None:
    """Raise `ConfigError` for what a session that is spread over workers cannot do."""
    from evalkit.errors import ConfigError

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


class Controller:
    """Takes records off the workers' reports, before anything of them is shown."""

    def __init__(self, session: pytest.Session, evals: Callable[[pytest.Config], Evals]) -> None:
        self._session = session
        self._evals = evals

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Record the trial that a report carries; count the item when it has been torn down."""
        record = report.__dict__.pop(TRIAL, None)
        suite = report.__dict__.pop(SUITE, None)
        exchanges = report.__dict__.pop(EXCHANGES, None)
        if record is not None:
            self._evals(self._session.config).receive(self._session, record)
        if exchanges is not None:
            self._evals(self._session.config).receive_exchanges(exchanges)
        result = yield
        if suite is not None:
            self._evals(self._session.config).count_down(suite)
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the mistakes that a worker found in what it collected; all workers find the same. And its notes."""
        output = getattr(node, "workeroutput", {})
        for text in output.get(ERRORS, ()):
            self._evals(self._session.config).refuse(self._session, text)
        if NOTES in output:
            notes = self._evals(self._session.config).notes
            notes.extend(text for text in output[NOTES] if text not in notes)
