"""Records as rows: the columns of each table that is written, and the values that go into them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from evalkit.case import Case, Dataset
from evalkit.runs import Metric, Provenance, ScorerInfo, SuiteInfo, Verdict
from evalkit.score import ErrorInfo
from evalkit.store import usages
from evalkit.store.blobs import BlobWriter
from evalkit.store.cells import (
    flag_cell,
    json_cell,
    maybe_json,
    maybe_text,
    number_cell,
    text_cell,
    time_cell,
)
from evalkit.store.database import Row
from evalkit.store.plain import to_plain
from evalkit.trial import Trial

RUN = (
    "id", "status", "started_at", "heartbeat_at", "degraded", "seed", "git_commit", "git_branch", "git_dirty",
    "command", "python", "platform", "host", "user_name", "evalkit", "packages", "ci",
)  # fmt: skip
DATASET = ("digest", "name", "source", "size", "stored_at")
CASE = (
    "dataset", "position", "id", "tags", "source",
    "input", "input_blob", "expected", "expected_blob", "metadata", "metadata_blob",
)  # fmt: skip
SUITE = (
    "run_id", "name", "nodeid", "location", "dataset", "dataset_name", "dataset_source", "scorers", "gates",
    "repeat", "declared", "planned", "selection", "selected", "seed", "metadata",
)  # fmt: skip
TRIAL = (
    "suite_id", "case_id", "trial", "attempt", "outcome", "started_at", "duration", "latency",
    *usages.COLUMNS, "trace_id", "versions", "nodeid",
    "error_type", "error_message", "error_is_assertion", "traceback", "traceback_blob",
    "output", "output_blob", "metadata", "metadata_blob",
)  # fmt: skip
SCORE = (
    "suite_id", "case_id", "trial", "attempt", "position", "name", "status", "kind", "value", "label", "passed",
    "scorer", "scorer_version", *usages.COLUMNS,
    "error_type", "error_message", "error_is_assertion", "traceback", "traceback_blob",
    "explanation", "explanation_blob", "metadata", "metadata_blob",
)  # fmt: skip
METRIC = (
    "run_id", "position", "suite", "name", "statistic", "value", "unit", "low", "high", "level", "method",
    "cases", "trials", "scored", "unscored", "errored", "slice", "note",
)  # fmt: skip
VERDICT = (
    "run_id", "position", "suite", "gate", "decision", "observed", "low", "high", "level", "method",
    "cases", "trials", "scored", "unscored", "errored", "reason", "hint", "fragile", "on_inconclusive", "inputs",
)  # fmt: skip


def _insert(table: str, columns: Sequence[str], conflict: str = "") -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}){conflict}"  # noqa: S608 - our own names


KEEP = " ON CONFLICT DO NOTHING"
"""Added to an insertion: a row that is there already stays as it is."""

INSERT_RUN = _insert(
    "runs",
    RUN,
    " ON CONFLICT (id) DO UPDATE SET status = 'running', finished_at = NULL, decision = NULL,"
    " heartbeat_at = excluded.heartbeat_at",
)
INSERT_DATASET = _insert("datasets", DATASET, KEEP)
INSERT_CASE = _insert("cases", CASE, KEEP)
INSERT_SUITE = _insert("suites", SUITE, KEEP)
INSERT_TRIAL = _insert("trials", TRIAL)
INSERT_SCORE = _insert("scores", SCORE)
INSERT_METRIC = _insert("metrics", METRIC)
INSERT_VERDICT = _insert("verdicts", VERDICT)

_NO_ERROR = (None, None, None, None, None)


def run_row(run_id: str, started_at: dt.datetime, now: dt.datetime, provenance: Provenance, seed: int) -> Row:
    """The row of a run that begins."""
    p = provenance
    return (
        run_id, "running", time_cell(started_at), time_cell(now), "", str(seed),
        maybe_text(p.commit), maybe_text(p.branch), flag_cell(p.dirty),
        text_cell(p.command), text_cell(p.python), text_cell(p.platform), text_cell(p.host), text_cell(p.user),
        text_cell(p.evalkit), json_cell(dict(p.packages)), json_cell(dict(p.ci)),
    )  # fmt: skip


def dataset_row(dataset: Dataset, now: dt.datetime) -> Row:
    """The row of a version of a dataset."""
    return (
        dataset.digest, text_cell(dataset.name), maybe_text(dataset.source), len(dataset.cases), time_cell(now)
    )  # fmt: skip


def case_row(digest: str, position: int, case: Case, blobs: BlobWriter) -> Row:
    """The row of a case, the `position`th from 0 of the dataset `digest`."""
    return (
        digest, position, text_cell(case.id), maybe_json(case.tags), maybe_text(case.source),
        *blobs.cells(maybe_json_value(case.input)), *blobs.cells(maybe_json_value(case.expected)),
        *blobs.cells(maybe_json(case.metadata)),
    )  # fmt: skip


def maybe_json_value(value: object) -> str | None:
    """`value` as JSON, and `None` for `None` only: an empty dict or list is a value."""
    return None if value is None else json_cell(value)


def suite_row(run_id: str, info: SuiteInfo, dataset: Dataset, cases: Sequence[Case]) -> Row:
    """The row of a suite; the ids of the selected cases are kept only where they are not the whole dataset."""
    selected = [case.id for case in cases]
    whole = selected == [case.id for case in dataset.cases]
    return (
        run_id, text_cell(info.name), text_cell(info.nodeid), text_cell(info.location), dataset.digest,
        text_cell(info.dataset.name), maybe_text(info.dataset.source),
        json_cell([_scorer(scorer) for scorer in info.scorers]), json_cell(list(info.gates)),
        info.repeat, info.declared, info.planned, maybe_text(info.selection),
        None if whole else json_cell(selected), str(info.seed), maybe_json(info.metadata),
    )  # fmt: skip


def _scorer(scorer: ScorerInfo) -> dict[str, object]:
    return {
        "name": scorer.name,
        "version": scorer.version,
        "pass_mark": scorer.pass_mark,
        "config": dict(scorer.config),
        **({} if scorer.judge is None else {"judge": to_plain(scorer.judge)}),
    }


def trial_row(suite_id: int, trial: Trial, blobs: BlobWriter) -> tuple[object, ...]:
    """The row of a trial, without its scores."""
    output = trial.output
    return (
        suite_id, text_cell(trial.case_id), trial.number, trial.attempt, trial.outcome,
        time_cell(trial.started_at), number_cell(trial.duration), number_cell(output.latency),
        *(usages.NONE if output.usage is None else usages.usage_cells(output.usage)),
        maybe_text(output.trace_id), _versions(trial), maybe_text(trial.nodeid),
        *(_NO_ERROR if output.error is None else _error(output.error, blobs)),
        *blobs.cells(maybe_json_value(output.value)),
        *blobs.cells(maybe_json(output.metadata)),
    )  # fmt: skip


def _versions(trial: Trial) -> str | None:
    if not trial.versions:
        return None
    return json_cell([[version.kind, version.name, version.digest] for version in trial.versions])


def score_rows(suite_id: int, trial: Trial, blobs: BlobWriter) -> list[Row]:
    """The rows of a trial's scores, in their order."""
    if not trial.scores:
        return []
    case_id = text_cell(trial.case_id)
    return [
        (
            suite_id, case_id, trial.number, trial.attempt, position,
            text_cell(score.name), score.status, score.kind, score.value, maybe_text(score.label),
            flag_cell(score.passed), text_cell(score.scorer), text_cell(score.scorer_version),
            *(usages.NONE if score.usage is None else usages.usage_cells(score.usage)),
            *(_NO_ERROR if score.error is None else _error(score.error, blobs)),
            *((None, None) if score.explanation is None else blobs.cells(text_cell(score.explanation))),
            *((None, None) if not score.metadata else blobs.cells(maybe_json(score.metadata))),
        )
        for position, score in enumerate(trial.scores)
    ]  # fmt: skip


def _error(error: ErrorInfo, blobs: BlobWriter) -> Row:
    return (
        text_cell(error.type),
        text_cell(error.message),
        int(error.is_assertion),
        *blobs.cells(maybe_text(error.traceback)),
    )


def metric_row(run_id: str, position: int, metric: Metric) -> Row:
    """The row of a metric, the `position`th of its run."""
    m = metric
    return (
        run_id, position, text_cell(m.suite), text_cell(m.name), m.statistic, number_cell(m.value), text_cell(m.unit),
        number_cell(m.low), number_cell(m.high), m.level, m.method, m.cases, m.trials, m.scored, m.unscored,
        m.errored, json_cell(dict(m.slice)), text_cell(m.note),
    )  # fmt: skip


def verdict_row(run_id: str, position: int, verdict: Verdict) -> Row:
    """The row of a verdict, the `position`th of its run."""
    v = verdict
    return (
        run_id, position, text_cell(v.suite), text_cell(v.gate), v.decision, number_cell(v.observed),
        number_cell(v.low), number_cell(v.high), v.level, v.method, v.cases, v.trials, v.scored, v.unscored,
        v.errored, text_cell(v.reason), text_cell(v.hint), int(v.fragile), v.on_inconclusive,
        json_cell(dict(v.inputs)),
    )  # fmt: skip
