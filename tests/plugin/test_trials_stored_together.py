"""Trials that end at about the same time are one transaction, and each is stored before anybody is told of it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from evalkit.keeping import Keeper
from pytest_evalkit import schedule, xdist_internals

INNER = """
@evalkit.suite(dataset=rows({cases}), scorers=[same])
async def test_many(case):
    return case.input
"""
TOLD = """
import pytest
from evalkit.keeping import Keeper

stored = set()
keep = Keeper.trials

def kept(self, suite, trials):
    keep(self, suite, trials)
    stored.update(trial.nodeid for trial in trials)

Keeper.trials = kept

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    if report.when == "call":
        assert report.nodeid in stored, report.nodeid
"""


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trials were stored in each transaction, from here on."""
    found: list[int] = []
    keep = Keeper.trials

    def kept(self: Keeper, suite: str, trials: Any) -> None:
        found.append(len(trials))
        keep(self, suite, trials)

    monkeypatch.setattr(Keeper, "trials", kept)
    return found


def test_bodies_that_end_at_once_are_not_a_transaction_each(
    run_evals: Callable[..., Any],
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    batches: list[int],
) -> None:
    monkeypatch.setattr(schedule, "_PARKED", 40)
    monkeypatch.setattr(schedule, "_REFILL", 10)
    pytester.makeconftest(TOLD)
    ran = run_evals(INNER.format(cases=120))
    ran.result.assert_outcomes(passed=120)
    assert sum(batches) == len(ran.outcomes()) == 120
    assert len(batches) <= 1 + 2 * 80 / 10, batches


def test_a_slow_case_does_not_keep_the_others_from_starting(
    run_evals: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "_PARKED", 12)
    monkeypatch.setattr(schedule, "_REFILL", 6)
    ran = run_evals(
        """
        done = []

        @evalkit.suite(dataset=rows(40), scorers=[same])
        async def test_many(case):
            if case.input == 0:
                while len(done) < 11:  # all that may wait behind it
                    await asyncio.sleep(0.001)
            done.append(case.input)
            return case.input
        """.replace("\n        ", "\n")
    )
    ran.result.assert_outcomes(passed=40)


def waiting(*events: tuple[str, dict[str, Any]], limit: int = 10, plugin: Any = "queue") -> list[Any]:
    arrived: queue.Queue[Any] = queue.Queue()
    for event in events:
        arrived.put(event)
    controller = SimpleNamespace(queue=arrived) if plugin == "queue" else plugin
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=lambda name: controller))
    found: list[Any] = xdist_internals.waiting(config, limit)
    assert arrived.qsize() == len(events), "they are looked at, and stay where they are"
    return found


def test_the_controller_sees_the_reports_that_wait_for_it() -> None:
    events = [("logstart", {"nodeid": "a"}), ("testreport", {"rep": 1}), ("logfinish", {}), ("testreport", {"rep": 2})]
    assert waiting(*events) == [1, 2]
    assert waiting(*events, limit=3) == [1]
    assert waiting() == []


@pytest.mark.parametrize("plugin", [None, SimpleNamespace(), SimpleNamespace(queue=[])])
def test_an_xdist_without_such_a_queue_has_none_waiting(plugin: Any) -> None:
    assert waiting(("testreport", {"rep": 1}), plugin=plugin) == []


SLOW_STORE = """
import os, time
import pytest
from evalkit.keeping import Keeper
from pytest_evalkit import xdist, xdist_internals

keep = Keeper.trials

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return
    first = []

    def kept(self, suite, trials):
        deadline = time.monotonic() + 60
        while not first and time.monotonic() < deadline:  # a store that takes so long that others arrive
            reports = xdist_internals.waiting(config, 500)
            if sum(xdist.TRIAL in report.__dict__ for report in reports) >= 2:
                break
            time.sleep(0.01)
        first.append(len(trials))
        keep(self, suite, trials)

    config.stored = first
    Keeper.trials = kept

def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.write_line(f"BATCHES {max(config.stored)} {sum(config.stored)}")
"""


@pytest.mark.slow
def test_what_workers_sent_while_the_store_was_busy_is_stored_together(
    run_evals: Callable[..., Any], pytester: pytest.Pytester
) -> None:
    pytest.importorskip("xdist")
    pytester.makeconftest(SLOW_STORE)
    ran = run_evals(INNER.format(cases=30), "-p", "no:asyncio", "-n", "2", plugins=True, subprocess=True)
    ran.result.assert_outcomes(passed=30)
    (said,) = [line.split()[1:] for line in ran.text.splitlines() if line.startswith("BATCHES")]
    assert int(said[0]) >= 2
    assert int(said[1]) == len(ran.outcomes()) == 30
