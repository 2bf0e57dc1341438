"""What a page says of itself to a program, in one line of JSON: it stands in `<meta name="evalkit-report">`.

An index over a folder of pages is made from these lines alone. Texts are cut and lists are short, so that the line
stays within some kilobytes whatever a run is called.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.comparison import Comparison, SuiteComparison
from evalkit.runs import Metric, Run, SuiteRun, Verdict

SCHEMA = "evalkit.page/1"
NAME = "evalkit-report"
"""The name of the `<meta>` element that holds it."""

_MOST_SUITES = 20
_LONGEST = 160


def brief_of_run(run: Run, *, title: str) -> str:
    """The line of a run's page."""
    suites = [_suite(suite, run) for suite in run.suites[:_MOST_SUITES]]
    return _line("run", run, title=title, decision=run.decision, suites=suites, more=len(run.suites) - len(suites))


def brief_of_comparison(comparisons: Sequence[Comparison], *, title: str, word: str) -> str:
    """The line of the page that compares one or more runs with one base; its suites are those of the first.

    `word` is what it comes to, such as `WORSE`.
    """
    first = comparisons[0]
    suites = [_compared(suite) for suite in first.suites[:_MOST_SUITES]]
    return _line(
        "comparison",
        first.candidate,
        title=title,
        decision=None,
        suites=suites,
        more=len(first.suites) - len(suites),
        word=word,
        base=first.base.id,
        candidates=[one.candidate.id for one in comparisons[:_MOST_SUITES]],
    )


def _line(
    kind: str,
    run: Run,
    *,
    title: str,
    decision: str | None,
    suites: Sequence[Mapping[str, Any]],
    more: int,
    **others: Any,
) -> str:
    made = run.provenance
    return json.dumps(
        {
            "schema": SCHEMA,
            "kind": kind,
            "title": _cut(title),
            "run": _cut(run.id),
            "status": run.status,
            "decision": decision,
            "partial": run.is_partial,
            "started_at": _moment(run.started_at),
            "finished_at": _moment(run.finished_at),
            "commit": None if made.commit is None else _cut(made.commit),
            "branch": None if made.branch is None else _cut(made.branch),
            "suites": suites,
            "more_suites": more,
            **others,
        },
        separators=(",", ":"),
    )


def _suite(suite: SuiteRun, run: Run) -> dict[str, Any]:
    name = suite.info.name
    outcomes = Counter(trial.outcome for trial in suite.trials)
    return {
        "name": _cut(name),
        "decision": _decided([verdict for verdict in run.verdicts if verdict.suite == name]),
        "cases": len(suite.cases),
        "trials": dict(sorted(outcomes.items())),
        "metric": _metric(next((one for one in run.metrics if one.suite == name and not one.slice), None)),
    }


def _decided(verdicts: Sequence[Verdict]) -> str | None:
    found = {verdict.decision for verdict in verdicts}
    return next((word for word in ("fail", "inconclusive", "pass") if word in found), None)


def _metric(metric: Metric | None) -> dict[str, Any] | None:
    if metric is None:
        return None
    figures = {"value": metric.value, "low": metric.low, "high": metric.high}
    return {"name": _cut(metric.name), "statistic": metric.statistic, "unit": metric.unit, **figures}


def _compared(suite: SuiteComparison) -> dict[str, Any]:
    return {
        "name": _cut(suite.name),
        "refused": _cut(suite.refused),
        "cases": suite.cases,
        "newly_failing": len(suite.newly_failing),
        "newly_passing": len(suite.newly_passing),
        "identical": len(suite.identical),
    }


def _moment(when: dt.datetime | None) -> str | None:
    return None if when is None else when.astimezone(dt.UTC).isoformat(timespec="seconds")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
