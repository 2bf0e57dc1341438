"""Items whose trials stand from an earlier session of the same run: shown as they came out then, and not run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from evalkit.trial import Trial
from pytest_evalkit import handwritten, internals
from pytest_evalkit.collect import EvalItem
from pytest_evalkit.ledger import Ledger
from pytest_evalkit.terminal import Missed


def stood(
    item: pytest.Item, nextitem: pytest.Item | None, ledger: Ledger, hands: Mapping[str, handwritten.HandWritten]
) -> bool:
    """Whether the item's trial stands from an earlier session; it is shown then. `hands` are hand-written tests."""
    if ledger.resumed is None:
        return False
    hand = hands.get(item.nodeid)
    if isinstance(item, EvalItem):
        suite, key, gated = item.planned.name, (item.case.id, item.number), bool(item.planned.gates)
    elif hand is not None and isinstance(item, pytest.Function):
        suite, key, gated = hand.name, (handwritten.case_id(item), 1), False
    else:
        return False
    trial = ledger.taken(suite).get(key)
    if trial is None:
        return False
    failure = None
    if hand is not None and trial.output.error is not None:
        failure = trial.output.error.traceback or trial.output.error.message
    elif isinstance(item, EvalItem) and trial.outcome != "passed" and not gated:
        failure = str(Missed(item.case, ledger.resumed.whole(suite, trial)))
    if trial.outcome != "passed" and failure is None:
        ledger.missed(suite, item.nodeid)
    _show(item, nextitem, trial, failure=failure, put=lambda report: ledger.put(report, suite, None))
    if isinstance(item, EvalItem):
        ledger.count_down(suite)
    return True


def _show(
    item: pytest.Item,
    nextitem: pytest.Item | None,
    trial: Trial,
    *,
    failure: str | None,
    put: Callable[[pytest.TestReport], None],
) -> None:
    """Report an item as its trial came out, without setting it up; `failure` is what is shown of one that fails.

    `put` is called with each report before it is shown. Parents that `nextitem` does not need are taken down.
    """
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for when in ("setup", "call", "teardown"):
        failed = when == "call" and failure is not None
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed" if failed else "passed",
            longrepr=failure if failed else None,
            when=when,
        )
        if when == "call":
            report.evalkit = trial.outcome  # type: ignore[attr-defined]  # a report takes what plugins add
        put(report)
        hook.pytest_runtest_logreport(report=report)
    call = pytest.CallInfo.from_call(
        lambda: internals.take_down(item.session, nextitem),
        when="teardown",
        reraise=(KeyboardInterrupt, pytest.exit.Exception),
    )
    if call.excinfo is not None:
        hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
