"""What the page's own script reads: an index of all trials, and the contents in chunks, compressed.

The index holds what the case table shows, column by column, and is decoded first. The chunks hold what the page of a
case shows (`contents`), and are decoded while the reader already reads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit.case import Case
from evalkit.runs import Run, SuiteRun
from evalkit.score import Score
from evalkit.stats.labels import TRUTH, given_label, true_label, word
from evalkit.trial import Trial
from evalkit_reports.contents import Contents, rounded, state_of
from evalkit_reports.packing import CHUNK, dumps, packed
from evalkit_reports.values import LIMITS, Values, length, preview

OUTCOMES = {"passed": "p", "missed": "m", "errored": "e", "unscored": "u"}
NOT_RUN = "n"
_WORST_FIRST = "efups"
_LONGEST = 80


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Base64 texts of deflated JSON. `limit` is the length at which `cut` values were cut."""

    index: str
    chunks: tuple[str, ...]
    cut: int
    limit: int
    rows: int


def build_payload(run: Run, changed: Mapping[tuple[str, str], str] | None = None) -> Payload:
    """The payload of `run`, whose trials must have come with their outputs.

    A value longer than 200,000 characters is cut. Where the values together would exceed 200 million characters,
    the limit is lowered until they do not, or until it is 1,000. `changed` has a letter for each case that was
    compared with a baseline, by suite and id.
    """
    limit: int | None = LIMITS[0]
    while limit is not None:
        builder = _Builder(limit, changed=changed or {})
        limit = builder.add_all(run)
    return builder.finish(run)


class _Builder:
    """One pass over a run, begun under one limit."""

    def __init__(self, limit: int, *, changed: Mapping[tuple[str, str], str]) -> None:
        self.values = Values(limit)
        self.contents = Contents(self.values)
        self.changed = changed
        self.tags: dict[str, int] = {}
        self.cases: dict[str, list[Any]] = {"id": [], "suite": [], "tags": [], "text": []}
        self.letters: list[str] = []
        self.rows: dict[str, list[Any]] = {
            name: [] for name in ("case", "trial", "latency", "tokens", "cost", "length", "judges")
        }
        self.outcomes: list[str] = []
        self.columns: dict[str, _ScoreColumn] = {}
        self.chunks: list[str] = []
        self.firsts: list[int] = []
        self.open: list[str] = []
        self.open_size = 0

    def add_all(self, run: Run) -> int | None:
        """Add all there is; gives up, with the limit to try next, where that is too much."""
        for number, suite in enumerate(run.suites):
            for case, trials in _by_case(suite.cases, suite.trials):
                self._add_case(number, suite, case, trials)
                stricter = self.values.stricter()
                if stricter is not None:
                    return stricter
        self._close_chunk()
        return None

    def finish(self, run: Run) -> Payload:
        rows = len(self.outcomes)
        declared = [self.contents.places(suite.info.versions) for suite in run.suites]
        index: dict[str, Any] = {
            "suites": [suite.info.name for suite in run.suites],
            "tags": list(self.tags),
            "cases": self.cases,
            "rows": self.rows | {"outcome": "".join(self.outcomes)},
            "scores": [column.told(name, rows) for name, column in self.columns.items()],
            "chunks": self.firsts,
            "versions": [one.title for _, one in self.contents.versions.values()],
            "declared": declared,
        }
        if self.changed:
            index["changed"] = "".join(self.letters)
        return Payload(
            index=packed(dumps(index)),
            chunks=tuple(map(packed, self.chunks)),
            cut=self.values.cut,
            limit=self.values.limit,
            rows=rows,
        )

    def _add_case(self, number: int, suite: SuiteRun, case: Case, trials: Sequence[Trial]) -> None:
        place = len(self.cases["id"])
        self.cases["id"].append(case.id)
        self.cases["suite"].append(number)
        self.cases["tags"].append([self.tags.setdefault(tag, len(self.tags)) for tag in case.tags])
        self.cases["text"].append(preview(case.input))
        self.letters.append(self.changed.get((suite.info.name, case.id), "-"))
        if not self.open:
            self.firsts.append(place)
        contents = dumps(self.contents.of(case, trials))
        for trial in trials:
            self._add_row(place, case, trial)
        if not trials:
            self._add_row(place, case, None)
        self.open.append(contents)
        self.open_size += len(contents)
        if self.open_size > CHUNK:
            self._close_chunk()

    def _add_row(self, place: int, case: Case, trial: Trial | None) -> None:
        at = len(self.outcomes)
        usage = trial.output.usage if trial else None
        judges = [score.usage.cost for score in trial.scores if score.usage and score.usage.cost] if trial else []
        self.rows["case"].append(place)
        self.rows["trial"].append(trial.number if trial else 0)
        self.rows["latency"].append(rounded(trial.output.latency) if trial else None)
        self.rows["tokens"].append(usage.total_tokens if usage else None)
        self.rows["cost"].append(float(usage.cost) if usage and usage.cost is not None else None)
        self.rows["length"].append(length(trial.output.value) if trial else None)
        self.rows["judges"].append(float(sum(judges)) if judges else None)
        self.outcomes.append(OUTCOMES[trial.outcome] if trial else NOT_RUN)
        for name, scores in _by_name(trial.scores if trial else ()).items():
            self.columns.setdefault(name, _ScoreColumn()).add(at, name, case, scores)

    def _close_chunk(self) -> None:
        if self.open:
            self.chunks.append("[" + ",".join(self.open) + "]")
            self.open, self.open_size = [], 0


class _ScoreColumn:
    """One score over all rows: what the table shows, its state, the label it gave, and the one that was expected."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.states: list[str] = []
        self.labels: dict[str, int] = {}
        self.given: list[int | None] = []
        self.truth: list[int | None] = []

    def add(self, at: int, name: str, case: Case, scores: Sequence[Score]) -> None:
        _padded(self.values, None, at).append(_cell(scores))
        _padded(self.states, "-", at).append(min(map(state_of, scores), key=_WORST_FIRST.index))
        first = scores[0]
        if first.label is None:
            return
        truth = word(first.metadata.get(TRUTH)) or true_label(name, case)
        _padded(self.given, None, at).append(self._label(given_label(first, among_labels=True)))
        _padded(self.truth, None, at).append(self._label(truth))

    def told(self, name: str, rows: int) -> dict[str, Any]:
        made: dict[str, Any] = {
            "name": name,
            "values": _padded(self.values, None, rows),
            "states": "".join(_padded(self.states, "-", rows)),
        }
        if self.labels:
            made |= {"labels": list(self.labels), "given": _padded(self.given, None, rows)}
            made |= {"truth": _padded(self.truth, None, rows)}
        return made

    def _label(self, label: str | None) -> int | None:
        """The place of a label; a text that is no label by its length has none."""
        return None if label is None or len(label) > _LONGEST else self.labels.setdefault(label, len(self.labels))


def _by_case(cases: Sequence[Case], trials: Sequence[Trial]) -> Iterator[tuple[Case, list[Trial]]]:
    """Each case with its trials in order; one that was never run has none, one that is unknown has only its id."""
    grouped: dict[str, list[Trial]] = {case.id: [] for case in cases}
    for trial in trials:
        grouped.setdefault(trial.case_id, []).append(trial)
    known = {case.id: case for case in cases}
    for case_id, mine in grouped.items():
        mine.sort(key=lambda trial: (trial.number, trial.attempt))
        yield known.get(case_id) or Case(id=case_id), mine


def _by_name(scores: Sequence[Score]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for score in scores:
        found.setdefault(score.name, []).append(score)
    return found


def _cell(scores: Sequence[Score]) -> float | str | None:
    """What the table shows: the value, the mean of several under one name, or the label where there is no value."""
    values = [score.value for score in scores if score.value is not None]
    if values:
        return rounded(sum(values) / len(values))
    return next((score.label for score in scores if score.label is not None), None)


def _padded(items: list[Any], filler: Any, wanted: int) -> list[Any]:
    items.extend([filler] * (wanted - len(items)))
    return items
