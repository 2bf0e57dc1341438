"""Metric rows and slice rows: what was measured, how surely, and where the gates drew their lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evalkit.runs import Metric, Verdict
from evalkit.stats.differences import Difference
from evalkit.stats.marks import Mark
from evalkit_reports import words
from evalkit_reports.bounds import Bound, bound_of
from evalkit_reports.charts import IntervalBar, Tick, axis_for

OPERATIONAL = ("errors", "latency", "cost", "input_tokens", "output_tokens")
LABELS = "labels"
_FEW = 10
_MOST_COLUMNS = 10

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""What names one metric of a suite: its name, its statistic, its slice."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """The paired difference of a metric to the baseline; `state` is `pass` or `fail` where its interval leaves out 0.

    `base` is the baseline's value over the pairs. `refused` says why there is none, and is empty where there is.
    """

    base: str
    difference: str
    interval: str
    moved: str
    state: str
    refused: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric as text, with its bar; `missing` says what was not scored, and is empty where nothing is missing.

    `bar` is `None` where there is no value to stand on an axis; `bounded` says that a gate is drawn on it. `mark` says
    that a slice differs from the rest of its suite, and is empty for any other. `versus` is the difference to the
    baseline, `None` without one.
    """

    name: str
    statistic: str
    value: str
    interval: str
    method: str
    sample: str
    missing: str
    note: str
    bar: IntervalBar | None
    bounded: bool
    mark: str = ""
    versus: Versus | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """Errors, latency, cost or tokens: one quantity with all its statistics."""

    name: str
    figures: tuple[MetricRow, ...]
    sample: str
    missing: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SliceColumn:
    """One metric of a slice table; an operational one is a figure without a bar."""

    name: str
    operational: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """One slice: its value, and a metric or `None` for each column of the table."""

    value: str
    sample: str
    cells: tuple[MetricRow | None, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SliceTable:
    """All slices of one key, lowest first in the first column; `left_out` counts the metrics without a column.

    `has_marks` says that some slice differs from the rest of its suite.
    """

    key: str
    left_out: int
    columns: tuple[SliceColumn, ...]
    rows: tuple[SliceRow, ...]

    @property
    def has_marks(self) -> bool:
        """Whether any cell is marked."""
        return any(cell is not None and cell.mark for row in self.rows for cell in row.cells)


class Measures:
    """The metrics of one suite as rows, each beside the gates that are on it."""

    def __init__(
        self,
        metrics: Sequence[Metric],
        verdicts: Sequence[Verdict],
        marks: Sequence[Mark] = (),
        differences: Sequence[Difference] = (),
    ) -> None:
        self._differences = {one.name: one for one in differences}
        self._marks = {_key_of(mark.name, mark.statistic, mark.slice): mark for mark in marks if mark.is_marked}
        self._metrics = {_key(metric): metric for metric in metrics}
        names = [(name, statistic) for name, statistic, where in self._metrics if not where]
        self._several = {name for name, _ in names if sum(name == other for other, _ in names) > 1}
        self._bounds: dict[Key, list[Bound]] = {}
        for bound in filter(None, map(bound_of, verdicts)):
            target = next((key for key in bound.keys if key in self._metrics), None)
            if target is not None:
                self._bounds.setdefault(target, []).append(bound)

    def scores(self) -> tuple[MetricRow, ...]:
        """A row for each metric of a score over the whole suite."""
        return tuple(self._row(key) for key in self._metrics if not key[2] and key[0] not in OPERATIONAL)

    def operations(self) -> tuple[OperationRow, ...]:
        """A row for each of errors, latency, cost and tokens that was measured."""
        rows: list[OperationRow] = []
        for name in OPERATIONAL:
            figures = tuple(self._row(key) for key in self._metrics if key[0] == name and not key[2])
            if figures:
                first = figures[0]
                rows.append(OperationRow(name=name, figures=figures, sample=first.sample, missing=first.missing))
        return tuple(rows)

    def slices(self) -> tuple[SliceTable, ...]:
        """A table for each key by which the metrics are sliced; none where nothing is."""
        found: dict[str, dict[str, list[Key]]] = {}
        for key in self._metrics:
            if key[2]:
                names, values = (" · ".join(part) for part in zip(*key[2], strict=True))
                found.setdefault(names, {}).setdefault(values, []).append(key)
        return tuple(self._slice_table(name, values) for name, values in found.items())

    def _slice_table(self, name: str, values: Mapping[str, list[Key]]) -> SliceTable:
        columns = list(dict.fromkeys(key[:2] for keys in values.values() for key in keys if key[1] != LABELS))
        columns.sort(key=lambda column: column[0] in OPERATIONAL)
        columns, left_out = columns[:_MOST_COLUMNS], len(columns[_MOST_COLUMNS:])
        cells = {value: {key[:2]: key for key in keys} for value, keys in values.items()}
        ranked = sorted(cells, key=lambda value: self._rank(cells[value].get(columns[0]) if columns else None, value))
        return SliceTable(
            key=name,
            left_out=left_out,
            columns=tuple(
                SliceColumn(name=self._column(*column), operational=column[0] in OPERATIONAL) for column in columns
            ),
            rows=tuple(
                SliceRow(
                    value=value,
                    sample=sample_of(self._metrics[values[value][0]]),
                    cells=tuple(
                        self._row(cells[value][column]) if column in cells[value] else None for column in columns
                    ),
                )
                for value in ranked
            ),
        )

    def _rank(self, key: Key | None, value: str) -> tuple[bool, float, str]:
        measured = self._metrics[key].value if key is not None else None
        return (measured is None, measured or 0.0, value)

    def _column(self, name: str, statistic: str) -> str:
        if name in self._several or statistic not in ("", "mean", "rate"):
            return f"{name} {self._statistic(name, statistic)}"
        return name

    def _statistic(self, name: str, statistic: str) -> str:
        """A score with both a mean and a rate has its rate from a pass mark."""
        return "pass rate" if statistic == "rate" and name in self._several else statistic

    def _row(self, key: Key) -> MetricRow:
        metric = self._metrics[key]
        bounds = self._bounds.get(key, [])
        level = f"{metric.level * 100:.4g}%" if metric.low is not None or metric.high is not None else ""
        difference = None if key[2] or metric.statistic not in ("mean", "rate") else self._differences.get(metric.name)
        base = None if difference is None else difference.base
        return MetricRow(
            name=metric.name,
            statistic=self._statistic(metric.name, metric.statistic),
            value=words.measure(metric.value, _unit(metric)),
            interval=words.interval(metric.low, metric.high, _unit(metric)),
            method=" ".join(part for part in (level, metric.method) if part),
            sample=sample_of(metric),
            missing=missing(metric.unscored, metric.errored),
            note=metric.note or ("few cases: read the values" if 0 < metric.cases < _FEW else ""),
            bar=_bar(metric, bounds, self._overall(key), base),
            bounded=bool(bounds),
            mark=_told(self._marks.get(key)),
            versus=None if difference is None else _versus(difference, _unit(metric)),
        )

    def _overall(self, key: Key) -> float | None:
        """The value over the whole suite, for a slice to be held against."""
        whole = self._metrics.get((*key[:2], ())) if key[2] else None
        return None if whole is None else whole.value


def sample_of(metric: Metric) -> str:
    """`1,319` where each case ran once, else `50×4`, or `38 of 50` where some did not run."""
    if metric.cases == metric.trials or not metric.cases:
        return f"{metric.trials:,}"
    repeats = metric.trials / metric.cases
    return f"{metric.cases:,}×{repeats:.3g}" if repeats >= 1 else f"{metric.trials:,} of {metric.cases:,}"


def missing(unscored: int, errored: int) -> str:
    """`12 unscored, 3 errored`, or an empty text where nothing is missing."""
    found = ((unscored, "unscored"), (errored, "errored"))
    return ", ".join(f"{amount:,} {what}" for amount, what in found if amount)


def _key(metric: Metric) -> Key:
    return _key_of(metric.name, metric.statistic, metric.slice)


def _key_of(name: str, statistic: str, chosen: Mapping[str, str]) -> Key:
    return name, statistic, tuple((str(key), str(value)) for key, value in chosen.items())


def _told(mark: Mark | None) -> str:
    if mark is None or mark.q_value is None:
        return ""
    return "differs, q < 0.001" if mark.q_value < 0.001 else f"differs, q = {mark.q_value:.3f}"


def _unit(metric: Metric) -> str:
    """Errors are told in per cent, as their gates are."""
    return words.SHARE if metric.name == "errors" and not metric.unit else metric.unit


def _versus(found: Difference, unit: str) -> Versus | None:
    if found.refused:
        return Versus(base="", difference="", interval="", moved="", state="", refused=found.refused)
    if found.difference is None:
        return None
    low, high = found.low, found.high
    told = low is not None and high is not None and (low > 0 or high < 0)
    better = (found.difference > 0) == found.higher_is_better
    return Versus(
        base=words.measure(found.base, unit),
        difference=words.signed(found.difference, unit),
        interval="" if low is None or high is None else f"{words.signed(low, unit)} … {words.signed(high, unit)}",
        moved=f"{len(found.improved):,} better, {len(found.regressed):,} worse, {found.equal:,} equal",
        state="" if not told else "pass" if better else "fail",
    )


def _bar(
    metric: Metric, bounds: Sequence[Bound], overall: float | None, base: float | None = None
) -> IntervalBar | None:
    if metric.value is None:
        return None
    low, high, unit = metric.low, metric.high, _unit(metric)
    known = [value for value in (metric.value, low, high, overall, base) if value is not None]
    axis = axis_for([*known, *(bound.value for bound in bounds)], unit)
    ticks = tuple(
        Tick(at=axis.at(bound.value), good="right" if bound.gate.wants_more else "left", text=bound.text)
        for bound in bounds
    )
    if not ticks and overall is not None:
        ticks = (Tick(at=axis.at(overall), good="", text="whole suite", kind="whole"),)
    if base is not None:
        told = f"baseline {words.measure(base, unit)}"
        ticks = (*ticks, Tick(at=axis.at(base), good="", text=told, kind="baseline"))
    span = words.interval(low, high, unit)
    said = [words.measure(metric.value, unit), f"interval {span}" if span else "no interval"]
    open_ended = low is None and high is None
    return IntervalBar(
        axis=axis,
        dot=axis.at(metric.value),
        low=None if open_ended else axis.at(axis.low if low is None else low),
        high=None if open_ended else axis.at(axis.high if high is None else high),
        ticks=ticks,
        state=_worst([bound.verdict for bound in bounds]),
        text=", ".join(
            [
                *said,
                *(f"gate {bound.text}" for bound in bounds),
                *(tick.text for tick in ticks if tick.kind == "baseline"),
            ]
        ),
    )


def _worst(verdicts: Sequence[Verdict]) -> str:
    states = {verdict.decision for verdict in verdicts}
    return next((state for state in ("fail", "inconclusive", "pass") if state in states), "")
