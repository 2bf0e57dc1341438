"""What a case's page shows: its input, its trials with outputs, scores, errors, versions and spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalkit.case import Case
from evalkit.score import ErrorInfo, Score
from evalkit.trial import Trial
from evalkit.versions import Version
from evalkit_reports.spanrows import span_rows, usage_row
from evalkit_reports.values import Values


class Contents:
    """Makes the contents of cases; `versions` are all prompts and models that were met, named by their places."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.versions: dict[tuple[str, str, str], tuple[int, Version]] = {}

    def of(self, case: Case, trials: Sequence[Trial]) -> dict[str, Any]:
        """One case with its trials."""
        values = self._values
        return {
            "input": values.of(case.input),
            "expected": values.of(case.expected),
            "metadata": values.of(dict(case.metadata) or None),
            "source": case.source,
            "trials": [self._trial(trial) for trial in trials],
        }

    def places(self, versions: Sequence[Version]) -> list[int]:
        """The places of `versions` in the list of all."""
        return [
            self.versions.setdefault((one.kind, one.name, one.digest), (len(self.versions), one))[0] for one in versions
        ]

    def _trial(self, trial: Trial) -> dict[str, Any]:
        output, values = trial.output, self._values
        made = {
            "value": values.of(output.value),
            "error": self._error(output.error),
            "trace": output.trace_id,
            "metadata": values.of(dict(output.metadata) or None),
            "usage": usage_row(output.usage),
            "scores": [self._score(score) for score in trial.scores],
            "started": trial.started_at.isoformat(timespec="milliseconds"),
            "duration": rounded(trial.duration),
            "attempt": trial.attempt,
            "nodeid": trial.nodeid,
        }
        if trial.versions:
            made["versions"] = self.places(trial.versions)
        spans = span_rows(trial.trace, values)
        return made if spans is None else made | {"spans": spans}

    def _score(self, score: Score) -> list[Any]:
        """Name, state, value, label, explanation, scorer, version, error, metadata, usage; empty ends left off."""
        fields = [
            score.name,
            state_of(score),
            score.value,
            score.label,
            self._values.of(score.explanation),
            score.scorer,
            score.scorer_version,
            self._error(score.error),
            self._values.of(dict(score.metadata) or None),
            usage_row(score.usage),
        ]
        while fields[-1] is None:
            fields.pop()
        return fields

    def _error(self, error: ErrorInfo | None) -> dict[str, Any] | None:
        if error is None:
            return None
        return {
            "type": error.type,
            "message": self._values.of(error.message),
            "traceback": self._values.of(error.traceback),
            "assertion": error.is_assertion,
        }


def state_of(score: Score) -> str:
    """`p` passed, `f` failed, `s` scored with nothing to pass, `u` unscored, `e` errored."""
    if score.status != "scored":
        return "e" if score.status == "error" else "u"
    return "s" if score.passed is None else "p" if score.passed else "f"


def rounded(value: float | None) -> float | None:
    """Six decimals, which is more than is shown of a time or a score."""
    return None if value is None else round(value, 6)
