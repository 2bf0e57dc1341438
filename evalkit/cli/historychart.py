"""The history of a metric for a terminal: a line for each run with its interval as a bar, oldest first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from evalkit.cli.sparks import spark
from evalkit.errors import GateError
from evalkit.figures import figure, interval
from evalkit.gates import Gate, parse
from evalkit.plaintext import Paint, cells, clean, fitted, padded, wrapped
from evalkit.runs import Metric
from evalkit.trends import Step, stretches

_COLOURS = {"pass": "32", "fail": "31", "inconclusive": "33"}
_LEAST, _MOST, _RUN = 16, 64, 13


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the bars are drawn with."""

    value: str
    partial: str
    low: str
    high: str
    line: str
    gate: str
    rail: str
    rule: str


FANCY = Signs(value="●", partial="◌", low="├", high="┤", line="─", gate="│", rail=" ", rule="─")
PLAIN = Signs(value="o", partial="?", low="[", high="]", line="-", gate="|", rail=" ", rule="-")


def bounds_of(step: Step) -> list[float]:
    """The bounds that the run's own gates set on its metric."""
    found: list[float] = []
    for text, _ in step.point.gates:
        gate = _read(text)
        if gate is None or step.metric is None or gate.threshold is None or gate.each or gate.judge:
            continue
        where = () if gate.slice is None else (gate.slice,)
        mine = tuple((str(key), str(value)) for key, value in step.metric.slice.items())
        if gate.metric == step.metric.name and where == mine and _statistic_fits(gate, step.metric):
            found.append(float(gate.bound))
    return found


def _statistic_fits(gate: Gate, metric: Metric) -> bool:
    if gate.statistic is None:
        return metric.statistic in (gate.reduces_by, "mean", "rate")
    return gate.reduces_by == metric.statistic


def _read(text: str) -> Gate | None:
    try:
        return parse(text)
    except GateError:  # of a newer grammar: it is not drawn
        return None


def lines(title: str, steps: Sequence[Step], width: int, paint: Paint, *, fancy: bool) -> Iterator[str]:
    """The chart of `steps`, oldest first, in `width` columns; breaks are lines of their own."""
    signs = FANCY if fancy else PLAIN
    yield paint(fitted(clean(title), width), "1")
    sparks = spark(steps, fancy=fancy)
    if sparks:
        yield sparks
    ends = _ends(steps)
    if ends is None:
        yield "No run of it has this metric."
        return
    texts = [_texts(step, width, fancy=fancy) for step in steps]
    titles = ("run", "started", "value", "95% interval", "gates")
    widths = [max(cells(title), *(cells(row[at]) for row in texts)) for at, title in enumerate(titles)]
    widths[0] = max(widths[0], _RUN)  # how short an id can be depends on its neighbours; the bars should not
    shown = list(range(len(titles)))
    for given_up in (3, 1, 4):  # the interval is in the bar, too, and the time in the order
        if sum(widths[at] for at in shown) + 2 * len(shown) + _LEAST > width and given_up in shown:
            shown.remove(given_up)
    room = max(_LEAST, min(_MOST, width - sum(widths[at] for at in shown) - 2 * len(shown)))
    unit = next((step.metric.unit for step in steps if step.metric is not None), "")
    head = [padded(titles[at], widths[at], right=at == 2) for at in shown]
    place = len(shown) - shown.count(4)  # the bars stand before the verdicts
    head.insert(place, _scale(ends, unit, room))
    yield paint("  ".join(head).rstrip(), "2")
    first = True
    rows = iter(texts)
    for stretch in stretches(steps):
        if not first:
            text = clean(f"{signs.rule * 2} not comparable: {'; '.join(stretch[0].broken)} ")
            text = fitted(text if fancy else _plain(text), width)
            yield paint(text + signs.rule * (min(width, 100) - cells(text)), "33")
        first = False
        for step in stretch:
            for change in step.changed:
                text = f"  {'↓' if fancy else 'v'} {change}"
                yield paint(fitted(clean(text if fancy else _plain(text)), width), "36")
            row = next(rows)
            parts = [padded(row[at], widths[at], right=at == 2) for at in shown]
            word = step.point.decision or ""
            if word and shown[-1] == 4:
                parts[-1] = paint(parts[-1].rstrip(), _COLOURS[word])
            parts.insert(place, padded(_bar(step, ends, room, signs), room))
            yield "  ".join(parts).rstrip()
    yield from _legend(steps, width, signs, fancy=fancy)


def _plain(text: str) -> str:
    return text.replace("→", "->").replace("–", "-").replace("µ", "u").encode("ascii", "replace").decode()


def _texts(step: Step, width: int, *, fancy: bool) -> tuple[str, ...]:
    point, metric = step.point, step.metric
    unit = "" if metric is None else metric.unit
    told = (
        point.short,
        point.started_at.strftime("%Y-%m-%d %H:%M" if width >= 100 else "%m-%d %H:%M"),
        figure(step.value, unit),
        "" if metric is None else interval(metric.low, metric.high, unit),
        ("partial " if point.partial else "")
        + (point.decision or ("–" if point.status == "complete" else point.status)).upper(),
    )
    return told if fancy else tuple(_plain(text) for text in told)


def _ends(steps: Sequence[Step]) -> tuple[float, float] | None:
    """The ends of the axis: around all values, intervals and bounds, within 0 and 1 for shares."""
    values = [step.value for step in steps if step.value is not None]
    if not values:
        return None
    found = [*values, *(bound for step in steps for bound in bounds_of(step))]
    found += [end for step in steps if step.metric for end in (step.metric.low, step.metric.high) if end is not None]
    low, high = min(found), max(found)
    room = (high - low) * 0.05 or abs(high) * 0.1 or 0.5
    share = min(values) >= 0 and max(values) <= 1
    start, end = low - room, high + room
    return (max(start, 0.0), min(end, 1.0) if share and high <= 1 else end) if min(found) >= 0 else (start, end)


def _scale(ends: tuple[float, float], unit: str, room: int) -> str:
    left, right = (figure(end, unit) for end in ends)
    return left + right.rjust(max(room - cells(left), 1))


def _bar(step: Step, ends: tuple[float, float], room: int, signs: Signs) -> str:
    def at(value: float) -> int:
        width = ends[1] - ends[0]
        place = 0.5 if width <= 0 else (value - ends[0]) / width
        return min(max(round(place * (room - 1)), 0), room - 1)

    row = [signs.rail] * room
    metric = step.metric
    for bound in bounds_of(step):
        row[at(bound)] = signs.gate
    if metric is None or metric.value is None:
        return "".join(row)
    if metric.low is not None and metric.high is not None:
        low, high = at(metric.low), at(metric.high)
        for place in range(low, high + 1):
            row[place] = signs.gate if row[place] == signs.gate else signs.line
        row[low], row[high] = signs.low, signs.high
    row[at(metric.value)] = signs.partial if step.point.partial else signs.value
    return "".join(row)


def _legend(steps: Sequence[Step], width: int, signs: Signs, *, fancy: bool) -> Iterator[str]:
    told = [f"{signs.value} value"]
    if any(step.metric and step.metric.low is not None for step in steps):
        told.append(f"{signs.low}{signs.line}{signs.high} its 95% interval")
    if any(bounds_of(step) for step in steps):
        told.append(f"{signs.gate} the bound of its gate")
    if any(step.point.partial for step in steps):
        told.append(f"{signs.partial} a part of the cases")
    text = ", ".join(told) + "."
    if any(step.broken for step in steps):
        text += " Values above and below a line that says not comparable are no trend."
    yield from wrapped(text if fancy else _plain(text), width)
