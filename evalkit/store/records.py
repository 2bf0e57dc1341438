"""Rows as records: what `rows` wrote, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evalkit.case import Case
from evalkit.runs import DatasetInfo, Metric, Provenance, ScorerInfo, SuiteInfo, Verdict
from evalkit.score import ErrorInfo, Score
from evalkit.spans import Trace
from evalkit.store import usages
from evalkit.store.blobs import BlobReader
from evalkit.store.cells import flag_of, maybe_text_of, text_cell, text_of, time_of
from evalkit.store.plain import from_plain
from evalkit.trial import Output, Trial
from evalkit.versions import Version

Cells = Sequence[Any]

_USED = len(usages.COLUMNS)
_BARE = (None,) * (_USED + 9)
"""The cells of a score behind its scorer, where it has no usage, error, explanation or metadata."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def provenance_of(cells: Cells) -> Provenance:
    """From `git_commit` to `ci`, in the order of `rows.RUN`."""
    commit, branch, dirty, command, python, platform, host, user, evalkit, packages, ci = cells
    return Provenance(
        commit=maybe_text_of(commit),
        branch=maybe_text_of(branch),
        dirty=flag_of(dirty),
        command=text_of(command),
        python=text_of(python),
        platform=text_of(platform),
        host=text_of(host),
        user=text_of(user),
        evalkit=text_of(evalkit),
        packages=json.loads(packages),
        ci=json.loads(ci),
    )


def suite_info_of(cells: Cells, size: int, versions: tuple[Version, ...] = ()) -> SuiteInfo:
    """The columns of `rows.SUITE` without `run_id` and `selected`; `size` is the dataset's."""
    (
        name, nodeid, location, digest, dataset, source, scorers, gates,
        repeat, declared, planned, selection, seed, metadata,
    ) = cells  # fmt: skip
    return SuiteInfo(
        name=text_of(name),
        nodeid=text_of(nodeid),
        location=text_of(location),
        dataset=DatasetInfo(name=text_of(dataset), digest=digest, size=size, source=maybe_text_of(source)),
        scorers=tuple(from_plain(ScorerInfo, scorer) for scorer in json.loads(scorers)),
        gates=tuple(json.loads(gates)),
        repeat=repeat,
        declared=declared,
        planned=planned,
        selection=maybe_text_of(selection),
        seed=int(seed),
        metadata=_mapping(metadata),
        versions=versions,
    )


def case_of(cells: Cells, blobs: BlobReader) -> Case:
    """The columns of `rows.CASE` from `id` on."""
    identifier, tags, source, given, given_blob, expected, expected_blob, metadata, metadata_blob = cells
    return Case(
        id=text_of(identifier),
        tags=() if tags is None else tuple(json.loads(tags)),
        source=maybe_text_of(source),
        input=_json(blobs.text(given, given_blob)),
        expected=_json(blobs.text(expected, expected_blob)),
        metadata=_mapping(blobs.text(metadata, metadata_blob)),
    )


def trial_of(
    cells: Cells,
    scores: tuple[Score, ...],
    blobs: BlobReader,
    *,
    payload: bool,
    trace: Trace | None = None,
    versions: Mapping[tuple[str, str, str], Version] | None = None,
) -> Trial:
    """The columns of `rows.TRIAL` from `case_id` on, without the last four where there is no `payload`.

    `versions` are those that its suite used, by kind, name and digest.
    """
    case_id, number, attempt, outcome, started_at, duration, latency = cells[:7]
    usage = usages.usage_of(cells[7 : 7 + _USED])
    (
        trace_id, used, nodeid, error_type, error_message, is_assertion, traceback, traceback_blob,
    ) = cells[7 + _USED : 15 + _USED]  # fmt: skip
    value, metadata = None, _NOTHING
    if payload:
        output, output_blob, extra, extra_blob = cells[15 + _USED :]
        value = _json(blobs.text(output, output_blob))
        metadata = _mapping(blobs.text(extra, extra_blob))
    error = None
    if error_type is not None:
        error = _error(error_type, error_message, is_assertion, traceback, traceback_blob, blobs)
    return Trial(
        case_id=text_of(case_id),
        number=number,
        attempt=attempt,
        output=Output(
            value=value,
            error=error,
            latency=latency,
            usage=usage,
            trace_id=maybe_text_of(trace_id),
            metadata=metadata,
        ),
        scores=scores,
        outcome=outcome,
        started_at=time_of(started_at),
        duration=0.0 if duration is None else duration,
        nodeid=maybe_text_of(nodeid),
        trace=trace,
        versions=() if used is None else _versions(used, versions or {}),
    )


def _versions(cell: str, known: Mapping[tuple[str, str, str], Version]) -> tuple[Version, ...]:
    keys = [(text_cell(kind), text_cell(name), text_cell(digest)) for kind, name, digest in json.loads(cell)]
    return tuple(known[key] for key in keys if key in known)


def score_of(cells: Cells, blobs: BlobReader) -> Score:
    """The columns of `rows.SCORE` from `name` on."""
    name, status, kind, value, label, passed, scorer, version = cells[:8]
    if cells[8:] == _BARE:  # nearly all scores, and a run has tens of thousands
        return Score(
            name=text_of(name),
            value=value,
            label=maybe_text_of(label),
            status=status,
            kind=kind,
            passed=flag_of(passed),
            scorer=text_of(scorer),
            scorer_version=text_of(version),
        )
    (
        error_type, error_message, is_assertion, traceback, traceback_blob,
        explanation, explanation_blob, metadata, metadata_blob,
    ) = cells[8 + _USED :]  # fmt: skip
    error = None
    if error_type is not None:
        error = _error(error_type, error_message, is_assertion, traceback, traceback_blob, blobs)
    return Score(
        name=text_of(name),
        value=value,
        label=maybe_text_of(label),
        explanation=maybe_text_of(blobs.text(explanation, explanation_blob)),
        status=status,
        kind=kind,
        passed=flag_of(passed),
        scorer=text_of(scorer),
        scorer_version=text_of(version),
        error=error,
        usage=usages.usage_of(cells[8 : 8 + _USED]),
        metadata=_mapping(blobs.text(metadata, metadata_blob)),
    )


class AlikeScores:
    """Makes scores of rows; rows that say the same, as assertions do by the thousand, share one record."""

    def __init__(self, blobs: BlobReader) -> None:
        self._blobs = blobs
        self._known: dict[Cells, Score] = {}

    def score(self, cells: Cells) -> Score:
        """The score of `cells`, as `score_of` makes it."""
        known = self._known.get(cells)
        if known is None:
            known = score_of(cells, self._blobs)
            if not known.metadata:  # a mapping of its own could be changed by whoever holds it
                self._known[cells] = known
        return known


def metric_of(cells: Cells) -> Metric:
    """The columns of `rows.METRIC` from `suite` on."""
    (
        suite, name, statistic, value, unit, low, high, level, method,
        cases, trials, scored, unscored, errored, part, note,
    ) = cells  # fmt: skip
    return Metric(
        suite=text_of(suite),
        name=text_of(name),
        statistic=statistic,
        value=value,
        unit=text_of(unit),
        low=low,
        high=high,
        level=level,
        method=method,
        cases=cases,
        trials=trials,
        scored=scored,
        unscored=unscored,
        errored=errored,
        slice=json.loads(part),
        note=text_of(note),
    )


def verdict_of(cells: Cells) -> Verdict:
    """The columns of `rows.VERDICT` from `suite` on."""
    (
        suite, gate, decision, observed, low, high, level, method,
        cases, trials, scored, unscored, errored, reason, hint, fragile, on_inconclusive, inputs,
    ) = cells  # fmt: skip
    return Verdict(
        suite=text_of(suite),
        gate=text_of(gate),
        decision=decision,
        observed=observed,
        low=low,
        high=high,
        level=level,
        method=method,
        cases=cases,
        trials=trials,
        scored=scored,
        unscored=unscored,
        errored=errored,
        reason=text_of(reason),
        hint=text_of(hint),
        fragile=bool(fragile),
        on_inconclusive=on_inconclusive,
        inputs=json.loads(inputs),
    )


def _error(
    kind: str,
    message: str,
    is_assertion: int,
    traceback: str | None,
    traceback_blob: str | None,
    blobs: BlobReader,
) -> ErrorInfo:
    return ErrorInfo(
        type=text_of(kind),
        message=text_of(message),
        traceback=maybe_text_of(blobs.text(traceback, traceback_blob)),
        is_assertion=bool(is_assertion),
    )


_decode = json.JSONDecoder().raw_decode  # the text is our own, so what may stand around it is not looked for


def _json(text: str | None) -> Any:
    return None if text is None else _decode(text)[0]


def _mapping(text: str | None) -> Mapping[str, Any]:
    return _NOTHING if text is None else _decode(text)[0]
