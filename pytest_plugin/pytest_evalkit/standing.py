"""Items whose trials stand from an earlier session of the same run: shown as they came out then, and not run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalkit.trial import Trial
from pytest_evalkit import internals


def show(
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
