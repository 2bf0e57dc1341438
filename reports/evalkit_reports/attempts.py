"""The trials that count: of several attempts at one trial, the last."""

from __future__ import annotations

import dataclasses

from evalkit.runs import Run, SuiteRun
from evalkit.trial import Trial


def last_attempts(run: Run) -> Run:
    """The same run with one trial for each case and number, the one attempted last; the order is kept."""
    return dataclasses.replace(run, suites=tuple(_last(suite) for suite in run.suites))


def _last(suite: SuiteRun) -> SuiteRun:
    kept: dict[tuple[str, int], Trial] = {}
    for trial in suite.trials:
        key = (trial.case_id, trial.number)
        if key not in kept or kept[key].attempt <= trial.attempt:
            kept[key] = trial
    return suite if len(kept) == len(suite.trials) else dataclasses.replace(suite, trials=tuple(kept.values()))
