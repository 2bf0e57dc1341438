"""Items that are not started any more: one report each, so that pytest's counts stay right."""

from __future__ import annotations

import pytest

from pytest_evalkit import internals


def skip(item: pytest.Item, nextitem: pytest.Item | None, reason: str) -> None:
    """Report an item as skipped that was never set up, and take down its parents that `nextitem` does not need."""
    path, line, _ = item.location
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="skipped",
        longrepr=(path, (line or 0) + 1, f"Skipped: {reason}"),
        when="setup",
    )
    failed = internals.failed_last_time(item)
    hook.pytest_runtest_logreport(report=report)
    if failed:  # pytest takes a skipped item for one that is well again
        internals.remember_failures(item.config, [item.nodeid], forget=())
    call = pytest.CallInfo.from_call(
        lambda: internals.take_down(item.session, nextitem),
        when="teardown",
        reraise=(KeyboardInterrupt, pytest.exit.Exception),
    )
    if call.excinfo is not None:
        hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
