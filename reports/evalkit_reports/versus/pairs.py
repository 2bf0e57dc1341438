"""What the script of a comparison reads: an index of all cases and what became of them, the contents in chunks.

It is packed as the payload of a run is, and values travel in the same form. The index has a row for each case and each
candidate it was compared in; a chunk has for each case its contents with the trials of the base, and under `sides`
the trials of each candidate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from evalkit.trial import Trial
from evalkit_reports.contents import Contents, rounded, state_of
from evalkit_reports.packing import CHUNK, dumps, packed
from evalkit_reports.values import LIMITS, Values, preview
from evalkit_reports.versus.changes import Change, ChangedCase

_WORST = ("errored", "missed", "unscored", "passed")
_LETTERS = {"passed": "p", "missed": "m", "errored": "e", "unscored": "u"}
_STATES = "efups"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Base64 texts of deflated JSON; `cut` values were cut at `limit` characters, `rows` is how long the table is."""

    index: str
    chunks: tuple[str, ...]
    cut: int
    limit: int
    rows: int


def build_pairs(cases: Sequence[ChangedCase], letters: Sequence[str]) -> Pairs:
    """The payload of `cases`, whose trials must have come with their outputs; `letters` name the candidates.

    As in a run's report the longest values are cut where all together would be too much.
    """
    limit: int | None = LIMITS[0]
    while limit is not None:
        builder = _Builder(limit)
        limit = next((stricter for case in cases if (stricter := builder.add(case)) is not None), None)
    return builder.finish(letters)


class _Builder:
    """One pass over all cases, begun under one limit."""

    def __init__(self, limit: int) -> None:
        self._values = Values(limit)
        self._contents = Contents(self._values)
        self._tags: dict[str, int] = {}
        self._suites: dict[str, int] = {}
        self._cases: dict[str, list[Any]] = {"id": [], "suite": [], "tags": [], "text": []}
        self._rows: dict[str, list[Any]] = {"case": [], "side": [], "kind": []}
        self._before: list[Any] = []
        self._after: list[Any] = []
        self._scores: dict[str, dict[str, list[Any]]] = {}
        self._chunks: list[str] = []
        self._firsts: list[int] = []
        self._open: list[str] = []
        self._size = 0

    def add(self, found: ChangedCase) -> int | None:
        """Add one case; the limit to begin anew with once there is too much."""
        case, number = found.case, len(self._cases["id"])
        self._cases["id"].append(case.id)
        self._cases["suite"].append(self._suites.setdefault(found.suite, len(self._suites)))
        self._cases["tags"].append([self._tags.setdefault(tag, len(self._tags)) for tag in case.tags])
        self._cases["text"].append(preview(case.input))
        for side, change in enumerate(found.changes):
            if change is not None and (change.base or change.candidate):
                self._row(number, side, change)
        base = next((change.base for change in found.changes if change is not None), ())
        bare = dataclasses.replace(case, input=None, expected=None, metadata={})
        contents = self._contents.of(case, base)
        contents["sides"] = [
            [] if change is None else self._contents.of(bare, change.candidate)["trials"] for change in found.changes
        ]
        if not self._open:
            self._firsts.append(number)
        self._open.append(dumps(contents))
        self._size += len(self._open[-1])
        if self._size > CHUNK:
            self._close()
        return self._values.stricter()

    def finish(self, letters: Sequence[str]) -> Pairs:
        """The payload of what was added."""
        self._close()
        rows = len(self._before)
        for columns in self._scores.values():
            for column in columns.values():
                _fill(column, rows)
        index = {
            "letters": list(letters),
            "suites": list(self._suites),
            "tags": list(self._tags),
            "cases": self._cases,
            "rows": self._rows | {"before": self._before, "after": self._after},
            "scores": [{"name": name, **columns} for name, columns in self._scores.items()],
            "chunks": self._firsts,
        }
        return Pairs(
            index=packed(dumps(index)),
            chunks=tuple(self._chunks),
            cut=self._values.cut,
            limit=self._values.limit,
            rows=rows,
        )

    def _row(self, number: int, side: int, change: Change) -> None:
        place = len(self._before)
        self._rows["case"].append(number)
        self._rows["side"].append(side)
        self._rows["kind"].append(change.kind)
        self._before.append(_outcome(change.base))
        self._after.append(_outcome(change.candidate))
        for key, trials in (("before", change.base), ("after", change.candidate)):
            for name, cell in _cells(trials).items():
                column = self._scores.setdefault(name, {"before": [], "after": []})[key]
                _fill(column, place)
                column.append(cell)

    def _close(self) -> None:
        if self._open:
            self._chunks.append(packed("[" + ",".join(self._open) + "]"))
            self._open, self._size = [], 0


def _fill(column: list[Any], length: int) -> None:
    column.extend([None] * (length - len(column)))


def _outcome(trials: Sequence[Trial]) -> Any:
    """The letter of the worst outcome, with how many trials passed of how many where there are several."""
    if not trials:
        return None
    letter = _LETTERS[min((trial.outcome for trial in trials), key=_WORST.index)]
    return letter if len(trials) == 1 else [letter, sum(trial.outcome == "passed" for trial in trials), len(trials)]


def _cells(trials: Sequence[Trial]) -> dict[str, list[Any]]:
    """For each score the state of the worst, and the mean or what it says instead of a number."""
    found: dict[str, list[Any]] = {}
    for name in dict.fromkeys(score.name for trial in trials for score in trial.scores):
        mine = [score for trial in trials for score in trial.scores if score.name == name]
        values = [score.value for score in mine if score.value is not None]
        label = next((score.label for score in mine if score.label is not None), None)
        state = min(map(state_of, mine), key=_STATES.index)
        found[name] = [state, rounded(sum(values) / len(values)) if values else label]
    return found
