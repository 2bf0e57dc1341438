"""The geometry of the charts: where things stand on an axis, in per cent, for templates to draw as SVG."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

from evalkit_reports.words import measure

BINS = 24
_LABELS = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear axis from `low` to `high`; `at` gives the place of a value in per cent, kept on the axis."""

    low: float
    high: float
    unit: str = ""

    def at(self, value: float) -> float:
        """0 for `low`, 100 for `high`; values outside stand at the edge."""
        width = self.high - self.low
        place = 50.0 if width <= 0 else 100 * (value - self.low) / width
        return round(min(max(place, 0.0), 100.0), 2)

    @property
    def ends(self) -> tuple[str, str]:
        """Both ends as text."""
        return self._end(self.low), self._end(self.high)

    def _end(self, value: float) -> str:
        return measure(value, self.unit) if self.unit else f"{value:,.4g}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Something an estimate is held against: its place, the side that is good (`left` or `right`), its text.

    `kind` is `gate` for a bound, `whole` for the suite that a slice is of, `baseline` for the value of another run.
    """

    at: float
    good: str
    text: str
    kind: str = "gate"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IntervalBar:
    """An estimate on its axis: the dot, the interval where there is one, the bounds of its gates."""

    axis: Axis
    dot: float
    low: float | None
    high: float | None
    ticks: tuple[Tick, ...]
    state: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bar of a histogram: place and height in per cent, its count, and the values it holds.

    `below` is `None` for the last bin, which holds its own upper end.
    """

    left: float
    width: float
    height: float
    count: int
    low: float
    below: float | None
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Bars over an axis; `logarithmic` where the values span more than two powers of ten."""

    bins: tuple[Bin, ...]
    ends: tuple[str, str]
    logarithmic: bool
    marks: tuple[tuple[str, float, str], ...]
    most: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a whole: where its segment starts, how wide it is, and what it stands for."""

    name: str
    state: str
    count: int
    left: float
    width: float


def axis_for(values: Sequence[float], unit: str) -> Axis:
    """The axis that holds all of `values`: 0 to 1 for scores within, from 0 for what is not negative, else padded.

    Only the axis of scores is the same from row to row; any other ends at a round number a little above the values.
    """
    low, high = min(values), max(values)
    if low >= 0 and high <= 1 and not unit:
        return Axis(low=0.0, high=1.0)
    if low >= 0:
        return Axis(low=0.0, high=max(_nice(high * 1.1), high) if high > 0 else 1.0, unit=unit)
    room = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return Axis(low=low - room, high=high + room, unit=unit)


def _nice(value: float) -> float:
    """The next round number at or above `value`: 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if step * power >= value * 0.999_999:
            return step * power
    return 10 * power


def histogram(values: Sequence[float], unit: str, *, shares: bool = False) -> Histogram:
    """The histogram of `values`, of which there is at least one.

    `shares` fixes the axis to 0…1. Values above 0 whose largest is more than 100 times the smallest, as with
    latencies, get bins of equal width in the logarithm. Median and p95 are nearest-rank quantiles.
    """
    ordered = sorted(values)
    low, high = (0.0, 1.0) if shares else (ordered[0], ordered[-1])
    if not (high - low) / BINS:  # one value, or some that differ by less than a float can divide
        low, high = low - (abs(low) * 0.1 or 0.5), high + (abs(high) * 0.1 or 0.5)
    logarithmic = not shares and low > 0 and high / low > 100
    scale = math.log10 if logarithmic else float
    start, width = scale(low), (scale(high) - scale(low)) / BINS
    counts = [0] * BINS
    for value in ordered:
        counts[min(max(int((scale(value) - start) / width), 0), BINS - 1)] += 1
    edges = [low if i == 0 else high if i == BINS else _back(start + i * width, logarithmic) for i in range(BINS + 1)]
    most = max(counts)
    bins = tuple(
        Bin(
            left=round(100 * index / BINS, 3),
            width=round(100 / BINS, 3),
            height=round(max(100 * amount / most, 2.0), 2),
            count=amount,
            low=edges[index],
            below=None if index == BINS - 1 else edges[index + 1],
            text=f"{measure(edges[index], unit)} – {measure(edges[index + 1], unit)}: {amount:,}",
        )
        for index, amount in enumerate(counts)
        if amount
    )
    quantiles = (("median", _quantile(ordered, 0.5)), ("p95", _quantile(ordered, 0.95)))
    marks = tuple(
        (name, round(min(max(100 * (scale(value) - start) / (width * BINS), 0), 100), 2), measure(value, unit))
        for name, value in quantiles
    )
    return Histogram(
        bins=bins, ends=Axis(low=low, high=high, unit=unit).ends, logarithmic=logarithmic, marks=marks, most=most
    )


def _back(place: float, logarithmic: bool) -> float:
    return 10.0**place if logarithmic else place


def _quantile(ordered: Sequence[float], q: float) -> float:
    """The nearest-rank quantile: a value that was really seen."""
    return ordered[max(math.ceil(q * len(ordered)) - 1, 0)]


def parts(counts: Sequence[tuple[str, str, int]]) -> tuple[Part, ...]:
    """Segments of a whole from `(name, state, count)`; empty ones are left out."""
    whole = sum(amount for _, _, amount in counts)
    made: list[Part] = []
    before = 0
    for name, state, amount in counts:
        if amount:
            left, right = 100 * before / whole, 100 * (before + amount) / whole
            made.append(Part(name=name, state=state, count=amount, left=round(left, 3), width=round(right - left, 3)))
        before += amount
    return tuple(made)


def label_counts(labels: Sequence[str]) -> tuple[tuple[str, int, float], ...]:
    """The commonest labels with their counts and lengths in per cent of the longest; the rest as one."""
    ranked = Counter(labels).most_common()
    shown = ranked[:_LABELS]
    rest = sum(amount for _, amount in ranked[_LABELS:])
    if rest:
        shown.append((f"{len(ranked) - _LABELS} other labels", rest))
    most = max(amount for _, amount in shown)
    return tuple((label, amount, round(100 * amount / most, 2)) for label, amount in shown)
