"""What the metrics of a suite are that stopped because its gates were decided: of the cases that ran, and biased.

A suite stops when what it has seen so far is extreme enough, so what it has seen is a little more extreme than all of
it would be. An interval for a number of cases fixed beforehand does not hold there; one that holds always does.
"""

from __future__ import annotations

import dataclasses

from evalkit.runs import SuiteInfo, SuiteRun
from evalkit.stats.intervals import Interval
from evalkit.stats.means import Means
from evalkit.stats.sequential import confidence_sequence

BIASED = "partial, biased by stopping"
"""What every metric of such a suite says of itself."""

SEQUENCE = "confidence sequence"


def is_stopped(info: SuiteInfo) -> bool:
    """Whether the suite stopped before its last case because its gates were decided."""
    return info.stop is not None and info.stop.at is not None


def what_ran(suite: SuiteRun) -> SuiteRun:
    """The suite with those of its cases only that have a trial, each of them complete but for skipped trials."""
    ran = {trial.case_id for trial in suite.trials}
    cases = tuple(case for case in suite.cases if case.id in ran)
    planned = min(suite.info.planned, len(cases) * suite.info.repeat)
    return dataclasses.replace(suite, cases=cases, info=dataclasses.replace(suite.info, planned=planned))


def stopped_interval(data: Means, level: float) -> Interval | None:
    """The interval that holds at whatever moment the suite stopped, for one right-or-wrong trial a case, else `None`.

    The beta-binomial confidence sequence, allowing for whatever missing values would have been.
    """
    if not data.is_exact or not data.cases:
        return None
    passes = int(data.total)
    low, _ = confidence_sequence(passes, data.cases, level=level)
    _, high = confidence_sequence(passes + data.open_cases, data.cases, level=level)
    return Interval(low=low, high=high, level=level, method=SEQUENCE)
