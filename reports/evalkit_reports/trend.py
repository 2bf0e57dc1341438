"""How the metrics of a suite moved over its earlier runs: one small chart for each score."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from evalkit.runs import Metric, Run
from evalkit.trends import breaks
from evalkit_reports import words
from evalkit_reports.charts import Axis, axis_for
from evalkit_reports.context import EarlierRun

MOST_RUNS = 30
_MOST_CHARTS = 8
_MOST_BREAKS = 4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One run: its place in per cent from the left and from the top, with its interval; `state` is its verdict.

    `joined` says that a line leads here from the point before: a value on both sides, and nothing that keeps them from
    being compared. `partial` says that not all cases were run. `gap` is where between this point and the one before
    a break is drawn, in per cent from the left, and `None` where there is none.
    """

    x: float
    y: float
    low: float | None
    high: float | None
    state: str
    joined: bool
    is_this: bool
    partial: bool
    gap: float | None
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One metric over runs, oldest first; this run is the last point. `ends` are the ends of the value's axis.

    `breaks` are the last changes of cases or scorers, each with its day; `broken` is how many runs cannot be compared
    with the one before for whatever reason, `partial` how many ran only a part of the cases.
    """

    name: str
    statistic: str
    points: tuple[TrendPoint, ...]
    ends: tuple[str, str]
    first: str
    text: str
    breaks: tuple[tuple[str, str], ...]
    broken: int
    partial: int


def trends(run: Run, suite: str, earlier: Sequence[EarlierRun]) -> tuple[Trend, ...]:
    """A chart for each score of a suite that an earlier run has, too; the last 29 of these are drawn."""
    if not earlier:
        return ()
    now = _this(run, suite)
    shown = [one for one in earlier if one.run != run.id][-(MOST_RUNS - 1) :]
    wanted = [metric for metric in now.metrics if metric.name != "errors" or metric.value]
    made = (_trend(metric, [*shown, now]) for metric in wanted)
    return tuple(trend for trend in made if trend is not None)[:_MOST_CHARTS]


def _this(run: Run, suite: str) -> EarlierRun:
    info = run.suite(suite).info
    states = {verdict.decision for verdict in run.verdicts if verdict.suite == suite}
    return EarlierRun(
        run=run.id,
        started_at=run.started_at,
        commit=run.provenance.commit,
        decision=next((state for state in ("fail", "inconclusive", "pass") if state in states), None),
        dataset=info.dataset.digest,
        dataset_name=info.dataset.name,
        scorers={scorer.name: scorer.version for scorer in info.scorers},
        partial=info.is_partial,
        metrics=tuple(
            metric
            for metric in run.metrics
            if metric.suite == suite and not metric.slice and (metric.name, metric.statistic) in _operations(run, suite)
        ),
    )


def _operations(run: Run, suite: str) -> set[tuple[str, str]]:
    """What is drawn: the mean and the rate of each score, errors, the median latency, the cost of a case."""
    scores = {
        (metric.name, metric.statistic)
        for metric in run.metrics
        if metric.suite == suite and metric.statistic in ("mean", "rate")
    }
    others = {("input_tokens", "mean"), ("output_tokens", "mean"), ("latency", "mean")}
    return (scores - others) | {("latency", "median")}


def _trend(metric: Metric, runs: Sequence[EarlierRun]) -> Trend | None:
    found = [_of(metric, one) for one in runs]
    known = [one for one in found if one is not None and one.value is not None]
    if len(known) < 2 or metric.value is None:
        return None
    unit = words.SHARE if metric.name == "errors" else metric.unit
    limits = [end for one in known for end in (one.value, one.low, one.high) if end is not None]
    axis = _close(axis_for(limits, unit), limits)
    points: list[TrendPoint] = []
    reasons: list[tuple[str, str]] = []
    before: tuple[int, EarlierRun] | None = None
    for place, (one, value) in enumerate(zip(runs, found, strict=True)):
        if value is None or value.value is None:
            continue
        why = () if before is None else tuple(breaks(before[1], one, metric.name))
        gap = None if before is None or not why else round(100 * ((before[0] + place) / 2 + 0.5) / len(runs), 2)
        joined = before is not None and before[0] == place - 1 and not why
        points.append(_point(place, len(runs), one, value, axis, unit, joined=joined, gap=gap, why=why))
        # Which runs are partial is seen at their points; the list is of what else changed.
        if before is not None and len(why) > (one.partial or before[1].partial):
            reasons.append((words.moment(one.started_at)[:10], "; ".join(why)))
        before = (place, one)
    values = [one.value for one in known if one.value is not None]
    span = f"{words.measure(min(values), unit)} to {words.measure(max(values), unit)}"
    return Trend(
        name=metric.name,
        statistic=metric.statistic,
        points=tuple(points),
        ends=axis.ends,
        first=words.moment(runs[0].started_at)[:10],
        text=f"{metric.name} over {len(known)} runs: {span}, now {words.measure(metric.value, unit)}",
        breaks=tuple(reasons[-_MOST_BREAKS:]),
        broken=sum(point.gap is not None for point in points),
        partial=sum(point.partial for point in points),
    )


def _of(metric: Metric, one: EarlierRun) -> Metric | None:
    return next(
        (
            other
            for other in one.metrics
            if (other.name, other.statistic, dict(other.slice)) == (metric.name, metric.statistic, {})
        ),
        None,
    )


def _close(axis: Axis, limits: Sequence[float]) -> Axis:
    """An axis nearer to the values than that of a bar: a drop of two points should be seen."""
    low, high = min(limits), max(limits)
    room = max((high - low) * 0.12, abs(high) * 0.01, 1e-9)
    return Axis(low=max(axis.low, low - room), high=min(axis.high, high + room), unit=axis.unit)


def _point(
    place: int,
    count: int,
    one: EarlierRun,
    value: Metric,
    axis: Axis,
    unit: str,
    *,
    joined: bool,
    gap: float | None,
    why: Sequence[str],
) -> TrendPoint:
    assert value.value is not None
    span = words.interval(value.low, value.high, unit)
    commit = f" at {one.commit[:10]}" if one.commit else ""
    told = f"{words.moment(one.started_at)}{commit}: {words.measure(value.value, unit)}" + (
        f" ({span})" if span else ""
    )
    return TrendPoint(
        x=round(100 * (place + 0.5) / count, 2),
        y=round(100 - axis.at(value.value), 2),
        low=None if value.low is None else round(100 - axis.at(value.low), 2),
        high=None if value.high is None else round(100 - axis.at(value.high), 2),
        state=one.decision or "",
        joined=joined,
        is_this=place == count - 1,
        partial=one.partial,
        gap=gap,
        text=told
        + (f", {one.decision.upper()}" if one.decision else "")
        + (", only a part of the cases" if one.partial else "")
        + (f"; not comparable with the run before: {'; '.join(why)}" if why else ""),
    )
