"""Gates as results of their own: in the terminal, in JUnit, and in the exit code."""

from __future__ import annotations

import types
from typing import Any

import pytest

from evalkit.plaintext import wrapped
from evalkit.runs import SuiteInfo, Verdict
from pytest_evalkit import internals


class GateFailure:
    """How a gate that did not pass is shown among the failures: the reason, then what to do."""

    def __init__(self, verdict: Verdict, location: str) -> None:
        self._lines = [line for line in (verdict.reason, verdict.hint) if line]
        self._location = location
        self.reprcrash = types.SimpleNamespace(message=verdict.reason, path=location)

    def toterminal(self, writer: Any) -> None:
        """Write it to a pytest terminal writer."""
        for line in self._lines:
            for piece in wrapped(line, writer.fullwidth):
                writer.line(piece)
        writer.line("")
        writer.line(self._location)

    def __str__(self) -> str:
        return "\n".join([*self._lines, "", self._location])


def nodeid_of(info: SuiteInfo, verdict: Verdict) -> str:
    """The node id under which a gate is shown: `path::test::gate[text]`."""
    return f"{info.nodeid}::gate[{verdict.gate}]"


def blocks(verdict: Verdict) -> bool:
    """Whether the verdict fails the session."""
    return verdict.decision == "fail" or (verdict.decision == "inconclusive" and verdict.on_inconclusive == "fail")


def announce(config: pytest.Config, info: SuiteInfo, verdict: Verdict) -> bool:
    """Report a verdict as pytest reports a test; return whether it fails the session."""
    nodeid = nodeid_of(info, verdict)
    path, _, line = info.location.rpartition(":")
    location = (path, int(line) - 1, nodeid.partition("::")[2])
    failing = blocks(verdict)
    report = pytest.TestReport(
        nodeid=nodeid,
        location=location,
        keywords={},
        outcome="failed" if failing else "passed",
        longrepr=GateFailure(verdict, info.location) if failing else None,  # type: ignore[arg-type]  # what pytest asks of it is toterminal
        when="call",
    )
    report.evalkit_gate = verdict.decision  # type: ignore[attr-defined]  # a report takes what plugins add
    hook = config.hook
    hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
    hook.pytest_runtest_logreport(report=report)
    if failing:
        internals.name_junit_failure(config, report, "inconclusive" if verdict.decision == "inconclusive" else "gate")
    done = pytest.TestReport(
        nodeid=nodeid, location=location, keywords={}, outcome="passed", longrepr=None, when="teardown"
    )
    hook.pytest_runtest_logreport(report=done)
    hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
    return failing
