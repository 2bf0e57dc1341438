"""What became of each case since the baseline, in one letter, for the table of cases to be filtered by."""

from __future__ import annotations

from collections.abc import Mapping

from evalkit.comparison import Comparison

WORSE, BETTER, OTHER, SAME, NEW = "w", "b", "d", "s", "n"
"""Newly failing, newly passing, another output with the same outcome, the very same output, not in the baseline."""


def changes(comparison: Comparison | None) -> Mapping[tuple[str, str], str]:
    """The letter of each case, by suite and id; empty without a baseline, and without a suite that may be compared."""
    found: dict[tuple[str, str], str] = {}
    for suite in comparison.suites if comparison is not None else ():
        if suite.refused or comparison is None:
            continue
        name = suite.name
        known = {case.id for case in comparison.base.suite(name).cases}
        ran = {trial.case_id for trial in comparison.base.suite(name).trials}
        same = frozenset(suite.identical)
        for case in comparison.candidate.suite(name).cases:
            letter = SAME if case.id in same else OTHER if case.id in known & ran else NEW
            found[name, case.id] = letter
        found.update({(name, case): WORSE for case in suite.newly_failing})
        found.update({(name, case): BETTER for case in suite.newly_passing})
    return found
