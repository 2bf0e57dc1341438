"""Records without secrets: what was declared, what came out, what produced it.

Ids and names stay as they are, since other records point at them: of cases, suites, scorers, prompts and models. Each
function gives the same object where there was nothing to blot out. A digest stays that of the original.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from evalkit.case import Case, Dataset
from evalkit.runs import Provenance, SuiteInfo
from evalkit.score import ErrorInfo, Score
from evalkit.spans import Span, Trace
from evalkit.trial import Output, Trial
from evalkit.versions import Version

Record = TypeVar("Record")


class Blotter(Protocol):
    """What `redactor` gives."""

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        ...

    def data(self, value: Any) -> Any:
        """`value` without secrets."""
        ...


def of_trial(trial: Trial, redact: Blotter) -> Trial:
    """A trial, with its output, scores and trace."""
    changes: dict[str, Any] = {}
    output = _output(trial.output, redact)
    if output is not trial.output:
        changes["output"] = output
    scores = tuple([_score(score, redact) for score in trial.scores])
    if not _same(scores, trial.scores):
        changes["scores"] = scores
    if trial.trace is not None:
        changes["trace"] = _trace(trial.trace, redact)
    if trial.versions:
        changes["versions"] = _versions(trial.versions, redact)
    return _changed(trial, **changes) if changes else trial


def of_suite(info: SuiteInfo, redact: Blotter) -> SuiteInfo:
    """What a suite declared."""
    scorers = tuple(_changed(scorer, config=_mapping(scorer.config, redact)) for scorer in info.scorers)
    return _changed(
        info,
        scorers=info.scorers if _same(scorers, info.scorers) else scorers,
        metadata=_mapping(info.metadata, redact),
        versions=_versions(info.versions, redact),
    )


def of_dataset(dataset: Dataset, redact: Blotter) -> Dataset:
    """A dataset with its cases; its digest stays."""
    cases = tuple(of_case(case, redact) for case in dataset.cases)
    return dataset if _same(cases, dataset.cases) else dataclasses.replace(dataset, cases=cases)


def of_case(case: Case, redact: Blotter) -> Case:
    """A case; its id and tags stay."""
    return _changed(
        case,
        input=redact.data(case.input),
        expected=redact.data(case.expected),
        metadata=_mapping(case.metadata, redact),
    )


def of_provenance(provenance: Provenance, redact: Blotter) -> Provenance:
    """What produced a run."""
    return _changed(provenance, command=redact(provenance.command), ci=_mapping(provenance.ci, redact))


def _output(output: Output, redact: Blotter) -> Output:
    value = redact.data(output.value)
    if output.error is None and not output.metadata:  # as most are
        return output if value is output.value else dataclasses.replace(output, value=value)
    return _changed(
        output,
        value=value,
        error=None if output.error is None else _error(output.error, redact),
        metadata=_mapping(output.metadata, redact),
    )


def _error(error: ErrorInfo, redact: Blotter) -> ErrorInfo:
    return _changed(
        error,
        message=redact(error.message),
        traceback=None if error.traceback is None else redact(error.traceback),
    )


def _score(score: Score, redact: Blotter) -> Score:
    if score.label is None and score.explanation is None and score.error is None and not score.metadata:
        return score
    return _changed(
        score,
        label=None if score.label is None else redact(score.label),
        explanation=None if score.explanation is None else redact(score.explanation),
        error=None if score.error is None else _error(score.error, redact),
        metadata=_mapping(score.metadata, redact),
    )


def _trace(trace: Trace, redact: Blotter) -> Trace:
    spans = tuple(of_span(span, redact) for span in trace.spans)
    return trace if _same(spans, trace.spans) else dataclasses.replace(trace, spans=spans)


def of_span(span: Span, redact: Blotter) -> Span:
    """A span, with its attributes and events."""
    events = tuple(_mapping(event, redact) for event in span.events)
    return _changed(
        span,
        name=redact(span.name),
        error=None if span.error is None else redact(span.error),
        attributes=_mapping(span.attributes, redact),
        raw=_mapping(span.raw, redact),
        events=span.events if _same(events, span.events) else events,
    )


def of_version(version: Version, redact: Blotter) -> Version:
    """A version of a prompt or model. Its digest stays, so that what was changed can be told by it."""
    return _changed(version, body=_mapping(version.body, redact))


def _versions(versions: tuple[Version, ...], redact: Blotter) -> tuple[Version, ...]:
    made = tuple(of_version(version, redact) for version in versions)
    return versions if _same(made, versions) else made


def _mapping(values: Mapping[str, Any], redact: Blotter) -> Mapping[str, Any]:
    if not values:
        return values
    made: Mapping[str, Any] = redact.data(values if type(values) is dict else dict(values))
    return values if made is values or made == values else made


def _same(made: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    return all(new is old for new, old in zip(made, before, strict=True))


def _changed(record: Record, **values: Any) -> Record:
    """`record` with these values; itself where they are its own."""
    different = {name: value for name, value in values.items() if value is not getattr(record, name)}
    return dataclasses.replace(record, **different) if different else record  # type: ignore[type-var]  # all are dataclasses
