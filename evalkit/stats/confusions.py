"""Which labels were given for which: the table of a scorer's labels, with what it comes to."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Mapping

from evalkit.runs import SuiteRun
from evalkit.stats.agreement import FEWEST_CASES
from evalkit.stats.columns import Table, read
from evalkit.stats.intervals import Interval
from evalkit.stats.labelled import Labelled
from evalkit.stats.labels import MOST_LABELS, STATISTICS, label_set, units_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of agreement; `value` is `None` where it has no meaning, the limits where no interval was made."""

    statistic: str
    kind: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """The labels of one score of a suite, over all its cases.

    `labels` are those that were expected or given, sorted, with `(no answer)` last where there was none. `table` has
    a row for each that was expected and a column for each that was given, in cases: the trials of one case share it, so
    cells may be fractions. `given` counts cases by the label they were given. `missing` is how many cases weigh in
    without a label, `unknown` without a true one; neither is in `table`.
    """

    suite: str
    name: str
    labels: tuple[str, ...]
    table: tuple[tuple[float, ...], ...]
    given: Mapping[str, float]
    cases: int
    missing: float
    unknown: float
    figures: tuple[Figure, ...]

    @property
    def right(self) -> float:
        """How many cases were given the label that was expected."""
        return sum(row[i] for i, row in enumerate(self.table))


def confusions(suite: SuiteRun, *, level: float = 0.95, intervals: bool = True) -> tuple[Confusion, ...]:
    """The table of each score of a suite that gives labels for cases that say which is right, in order of scores.

    A score none of whose labels is ever expected has no table, nor has one with more than `MOST_LABELS` labels,
    expected or given: as in gates, that is free text.

    A pure function of the records. `intervals` may be left out for speed; they need the extra `stats` and
    `FEWEST_CASES` cases, and are not there otherwise.
    """
    table = read(suite)
    found = []
    for column in table.columns.values():
        if not column.builtin and column.labels and len(column.labels) <= MOST_LABELS:
            made = _confusion(table, column.name, level if intervals and _can_draw() else None)
            if made is not None:
                found.append(made)
    return tuple(found)


def _can_draw() -> bool:
    return importlib.util.find_spec("numpy") is not None and importlib.util.find_spec("scipy") is not None


def _confusion(table: Table, name: str, level: float | None) -> Confusion | None:
    units = units_of([(table, name)], failed_as_wrong=True)
    labels = label_set(units)
    if len(labels) > MOST_LABELS:
        return None  # a table of all answers by all answers would take the memory of them squared
    at = {label: i for i, label in enumerate(labels)}
    cells = [[0.0] * len(labels) for _ in labels]
    missing = unknown = 0.0
    given: dict[str, float] = {}
    for unit in units:
        for true, label, weight in unit.sides[0]:
            size = float(weight * unit.count)
            if label is not None:
                given[label] = given.get(label, 0.0) + size
            if true is None:
                unknown += size
            elif label is None:
                missing += size
            else:
                cells[at[true]][at[label]] += size
    met = {cell[1] for unit in units for cell in unit.sides[0] if cell[0] is not None}
    if not any(map(any, cells)) or not met & {cell[0] for unit in units for cell in unit.sides[0]} - {None}:
        return None  # what was expected is of another kind, such as the text that a program should print
    if not any(row[-1] for row in cells):
        labels, cells = labels[:-1], [row[:-1] for row in cells[:-1]]
    data = [
        Labelled(
            statistic=statistic, units=units, cases=len(table.case_ids), missing=0, clustered=table.clusters is not None
        )
        for statistic in STATISTICS
    ]
    return Confusion(
        suite=table.suite.info.name,
        name=name,
        labels=labels,
        table=tuple(tuple(round(cell, 9) for cell in row) for row in cells),
        given={label: round(given[label], 9) for label in sorted(given, key=lambda one: (-given[one], one))},
        cases=len(table.case_ids),
        missing=round(missing, 9),
        unknown=round(unknown, 9),
        figures=tuple(_figure(one, level) for one in data),
    )


def _figure(data: Labelled, level: float | None) -> Figure:
    value = data.value
    interval: Interval | None = None
    if level is not None and value is not None and data.groups >= FEWEST_CASES:
        interval = data.interval(level)
    made = Figure(statistic=data.statistic, kind=data.kind, value=None if value is None else float(value))
    if interval is None:
        return made
    return dataclasses.replace(made, low=interval.low, high=interval.high, level=interval.level, method=interval.method)
