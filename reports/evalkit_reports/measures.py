"""Metric rows and slice rows: what was measured, how surely, and where the gates drew their lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from evalkit.runs import Metric, Verdict
from evalkit_reports import words
from evalkit_reports.bounds import Bound, bound_of
from evalkit_reports.charts import IntervalBar, Tick, axis_for

OPERATIONAL = ("errors", "latency", "cost", "input_tokens", "output_tokens")
_FEW = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric as text, with its bar; `missing` says what was not scored, and is empty where nothing is missing."""

    name: str
    statistic: str
    value: str
    interval: str
    method: str
    sample: str
    missing: str
    note: str
    bar: IntervalBar | None
    operational: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SliceColumn:
    """One metric of a slice table; an operational one is a figure without a bar."""

    name: str
    operational: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """One slice: its key and value, and a metric or `None` for each column of the table."""

    key: str
    value: str
    sample: str
    cells: tuple[MetricRow | None, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SliceTable:
    """All slices of one key, worst first; `columns` names the metrics."""

    key: str
    columns: tuple[SliceColumn, ...]
    rows: tuple[SliceRow, ...]


def metric_rows(metrics: Sequence[Metric], verdicts: Sequence[Verdict]) -> tuple[MetricRow, ...]:
    """A row for each metric of a whole suite: the scores first, then errors, latency, tokens and cost."""
    bounded = _bounded(verdicts)
    whole = [metric for metric in metrics if not metric.slice]
    ordered = sorted(whole, key=lambda metric: metric.name in OPERATIONAL)
    return tuple(_row(metric, bounded, overall=None) for metric in ordered)


def slice_tables(metrics: Sequence[Metric], verdicts: Sequence[Verdict]) -> tuple[SliceTable, ...]:
    """A table for each key by which the metrics are sliced; none where nothing is."""
    bounded = _bounded(verdicts)
    overall = {(metric.name, metric.statistic): metric.value for metric in metrics if not metric.slice}
    by_key: dict[str, dict[str, dict[tuple[str, str], Metric]]] = {}
    for metric in metrics:
        if metric.slice:
            key = " · ".join(str(part) for part in metric.slice)
            value = " · ".join(str(part) for part in metric.slice.values())
            by_key.setdefault(key, {}).setdefault(value, {})[metric.name, metric.statistic] = metric
    tables: list[SliceTable] = []
    for key, values in by_key.items():
        columns = list(dict.fromkeys(column for cells in values.values() for column in cells))
        columns.sort(key=lambda column: column[0] in OPERATIONAL)
        ranked = sorted(values.items(), key=lambda item: _badness(item[1].get(columns[0]), item[0]))
        rows = tuple(
            SliceRow(
                key=key,
                value=value,
                sample=_sample(next(iter(cells.values()))),
                cells=tuple(
                    _row(cells[column], bounded, overall=overall.get(column)) if column in cells else None
                    for column in columns
                ),
            )
            for value, cells in ranked
        )
        tables.append(SliceTable(key=key, columns=tuple(_column(*column) for column in columns), rows=rows))
    return tuple(tables)


def _badness(metric: Metric | None, name: str) -> tuple[bool, float, str]:
    known = metric is not None and metric.value is not None
    return (not known, metric.value if metric is not None and metric.value is not None else 0.0, name)


def _column(name: str, statistic: str) -> SliceColumn:
    shown = name if statistic in ("", "mean", "rate") else f"{statistic}({name})"
    return SliceColumn(name=shown, operational=name in OPERATIONAL)


def _bounded(verdicts: Sequence[Verdict]) -> list[Bound]:
    return [bound for bound in map(bound_of, verdicts) if bound is not None]


def _row(metric: Metric, bounded: Sequence[Bound], *, overall: float | None) -> MetricRow:
    mine = [bound for bound in bounded if bound.is_for(metric.name, metric.statistic, metric.slice)]
    level = f"{metric.level * 100:.4g}%" if metric.low is not None or metric.high is not None else ""
    return MetricRow(
        name=metric.name,
        statistic=metric.statistic,
        value=words.measure(metric.value, metric.unit),
        interval=words.interval(metric.low, metric.high, metric.unit),
        method=" ".join(part for part in (level, metric.method) if part),
        sample=_sample(metric),
        missing=missing(metric.unscored, metric.errored),
        note=metric.note or ("few cases: read the values" if 0 < metric.cases < _FEW else ""),
        bar=_bar(metric, mine, overall),
        operational=metric.name in OPERATIONAL,
    )


def _sample(metric: Metric) -> str:
    repeats = metric.trials / metric.cases if metric.cases else 0
    if metric.cases == metric.trials or not metric.cases:
        return f"{metric.trials:,}"
    return f"{metric.cases:,}×{repeats:.3g}" if repeats >= 1 else f"{metric.trials:,} of {metric.cases:,}"


def missing(unscored: int, errored: int) -> str:
    """`12 unscored, 3 errored`, or an empty text where nothing is missing."""
    found = ((unscored, "unscored"), (errored, "errored"))
    return ", ".join(f"{amount:,} {what}" for amount, what in found if amount)


def _bar(metric: Metric, mine: Sequence[Bound], overall: float | None) -> IntervalBar | None:
    if metric.value is None:
        return None
    bounds = [bound.value for bound in mine]
    around = [value for value in (metric.low, metric.high, overall) if value is not None]
    axis = axis_for([metric.value, *around, *bounds], metric.unit, shares=metric.name not in OPERATIONAL)
    low, high = metric.low, metric.high
    shown = words.measure(metric.value, metric.unit)
    span = words.interval(low, high, metric.unit)
    ticks = tuple(
        Tick(at=axis.at(bound.value), good="right" if bound.gate.wants_more else "left", text=bound.text)
        for bound in mine
    )
    said = [shown, f"interval {span}" if span else "no interval", *(f"gate {bound.text}" for bound in mine)]
    return IntervalBar(
        axis=axis,
        dot=axis.at(metric.value),
        low=None if low is None and high is None else axis.at(axis.low if low is None else low),
        high=None if low is None and high is None else axis.at(axis.high if high is None else high),
        ticks=ticks if not metric.slice or ticks else _overall_tick(axis.at(overall) if overall is not None else None),
        state=_worst([bound.verdict for bound in mine]),
        text=", ".join(said),
    )


def _overall_tick(at: float | None) -> tuple[Tick, ...]:
    return () if at is None else (Tick(at=at, good="", text="whole suite"),)


def _worst(verdicts: Sequence[Verdict]) -> str:
    states = {verdict.decision for verdict in verdicts}
    return next((state for state in ("fail", "inconclusive", "pass") if state in states), "")
