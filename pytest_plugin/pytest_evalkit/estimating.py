"""`--evalkit-estimate`: say what the session would cost, and run nothing of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from evalkit.errors import EvalkitError
from evalkit.runs import SuiteInfo


class Estimating:
    """In the place of running: the table of what the collected suites would cost."""

    def __init__(self, store: str, suites: Sequence[SuiteInfo]) -> None:
        self._store = store
        self._suites = suites

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> bool:
        """Run nothing: the first hook that answers is the only one that is asked."""
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table, or why there is none."""
        from evalkit.estimates import estimates, render

        writer = terminalreporter._tw
        terminalreporter.section("what the evals would cost", sep="=")
        try:
            found = estimates(self._store, self._suites)
        except EvalkitError as error:
            terminalreporter.write_line(f"ERROR: {error}", red=True)
            return
        writer.write(render(found, width=writer.fullwidth))
