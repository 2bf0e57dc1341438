"""What `--json` prints: records as plain data, with names that stay. Each document carries its `schema`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from evalkit.canonical import jsonable
from evalkit.runs import JudgeRecord, Metric, Run, ScorerInfo, SuiteRun, Verdict
from evalkit.trial import Trial
from evalkit.usage import Usage
from evalkit.versions import Version

if TYPE_CHECKING:
    from evalkit.store import RunSummary

RUNS = "evalkit.runs/1"
SHOW = "evalkit.show/1"
GATE = "evalkit.gate/1"
COMPARE = "evalkit.compare/1"
CONFIG = "evalkit.config/1"
DB = "evalkit.db/1"
DOCTOR = "evalkit.doctor/1"
CACHE = "evalkit.cache/1"
RESCORE = "evalkit.rescore/1"
LABEL = "evalkit.label/1"
JUDGES = "evalkit.judges/1"
CALIBRATION = "evalkit.calibration/1"


def summary_shape(summary: RunSummary) -> dict[str, Any]:
    """One run of `evalkit runs --json`."""
    return {
        "schema": RUNS,
        "id": summary.id,
        "short": summary.short,
        "status": summary.status,
        "started_at": moment(summary.started_at),
        "finished_at": moment(summary.finished_at),
        "suites": list(summary.suites),
        "decision": summary.decision,
        "trials": {"planned": summary.planned, **summary.counts},
        "commit": summary.commit,
        "branch": summary.branch,
        "dirty": summary.dirty,
        "partial": summary.partial,
        "degraded": summary.degraded,
    }


def run_shape(run: Run) -> dict[str, Any]:
    """The `run` of `evalkit show --json`."""
    provenance = run.provenance
    return {
        "id": run.id,
        "status": run.status,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "decision": run.decision,
        "partial": run.is_partial,
        "degraded": run.degraded,
        "seed": run.seed,
        "store": run.store,
        "provenance": jsonable(provenance),
        "suites": [suite_shape(suite) for suite in run.suites],
    }


def suite_shape(suite: SuiteRun) -> dict[str, Any]:
    """One suite of a run: what was declared, and how many trials came to what."""
    from evalkit.stats.remarks import remarks

    info = suite.info
    outcomes = [trial.outcome for trial in suite.trials]
    return {
        "name": info.name,
        "nodeid": info.nodeid,
        "location": info.location,
        "dataset": jsonable(info.dataset),
        "scorers": [
            {
                "name": scorer.name,
                "version": scorer.version,
                "pass_mark": scorer.pass_mark,
                "judge": _trust(scorer),
            }
            for scorer in info.scorers
        ],
        "remarks": remarks(suite),
        "versions": [version_shape(version) for version in suite.versions],
        "gates": list(info.gates),
        "repeat": info.repeat,
        "seed": info.seed,
        "partial": info.is_partial,
        "selection": info.selection,
        "trials": {
            "declared": info.declared,
            "planned": info.planned,
            **{name: outcomes.count(name) for name in ("passed", "missed", "errored", "unscored")},
        },
    }


def _trust(scorer: ScorerInfo) -> dict[str, Any] | None:
    """How far a judge can be trusted; `null` for a scorer that is none."""
    if not scorer.is_judge:
        return None
    record = scorer.judge or JudgeRecord()
    return {"standing": record.standing, "calibration": record.calibration, "model": scorer.config.get("model")}


def version_shape(version: Version | None) -> dict[str, Any] | None:
    """Which version of which prompt or model; `null` for none."""
    if version is None:
        return None
    return {
        "kind": version.kind,
        "name": version.name,
        "number": version.number,
        "digest": version.digest,
        "source": version.source,
    }


def metric_shape(metric: Metric) -> dict[str, Any]:
    """One of `metrics`. `n` counts cases."""
    return {
        "suite": metric.suite,
        "name": metric.name,
        "statistic": metric.statistic,
        "value": metric.value,
        "unit": metric.unit,
        "interval": ends(metric.low, metric.high),
        "level": metric.level,
        "method": metric.method,
        "n": metric.cases,
        "trials": metric.trials,
        "scored": metric.scored,
        "unscored": metric.unscored,
        "errored": metric.errored,
        "slice": dict(metric.slice),
        "note": metric.note,
    }


def verdict_shape(verdict: Verdict) -> dict[str, Any]:
    """One of `gates`."""
    return {
        "suite": verdict.suite,
        "text": verdict.gate,
        "verdict": verdict.decision,
        "observed": verdict.observed,
        "interval": ends(verdict.low, verdict.high),
        "level": verdict.level,
        "method": verdict.method,
        "n": verdict.cases,
        "trials": verdict.trials,
        "scored": verdict.scored,
        "unscored": verdict.unscored,
        "errored": verdict.errored,
        "fragile": verdict.fragile,
        "on_inconclusive": verdict.on_inconclusive,
        "reason": verdict.reason,
        "hint": verdict.hint,
        "inputs": jsonable(verdict.inputs),
    }


def usage_shape(run: Run) -> dict[str, Any]:
    """What the function under test used, and what judges did; `null` is unknown."""
    spent = run.usage()
    return {"target": _used(spent.target or Usage()), "judges": _used(spent.judges or Usage())}


def trial_shape(suite: str, trial: Trial, case: Any) -> dict[str, Any]:
    """One trial with its case, its output and its scores."""
    error = trial.output.error
    return {
        "suite": suite,
        "case": trial.case_id,
        "trial": trial.number,
        "outcome": trial.outcome,
        "input": jsonable(case.input) if case is not None else None,
        "expected": jsonable(case.expected) if case is not None else None,
        "output": jsonable(trial.output.value),
        "error": None if error is None else {"type": error.type, "message": error.message},
        "latency": trial.output.latency,
        "trace": None if trial.trace is None else trial.trace.trace_id,
        "scores": [
            {
                "name": score.name,
                "value": score.value,
                "label": score.label,
                "status": score.status,
                "passed": score.passed,
                "explanation": score.explanation,
            }
            for score in trial.scores
        ],
    }


def moment(when: dt.datetime | None) -> str | None:
    """A time in UTC, ISO 8601 to the second, with `Z`; `null` for none."""
    return None if when is None else when.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ends(low: float | None, high: float | None) -> list[float | None] | None:
    """`[low, high]`, with `null` for a limit that the data do not give; `null` where there is neither."""
    return None if low is None and high is None else [low, high]


def _used(usage: Usage) -> dict[str, Any]:
    cost: Decimal | None = usage.cost
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cost": None if cost is None else float(cost),
        "saved": None if usage.saved is None else float(usage.saved),
        "calls": usage.calls,
        "uncounted": usage.uncounted,
        "unpriced": usage.unpriced,
    }


def metrics_and_gates(run: Run, verdicts: Sequence[Verdict] | None = None) -> dict[str, Any]:
    """`metrics` and `gates` of a run, or its metrics with other verdicts."""
    given = run.verdicts if verdicts is None else verdicts
    return {
        "metrics": [metric_shape(metric) for metric in run.metrics],
        "gates": [verdict_shape(verdict) for verdict in given],
    }
