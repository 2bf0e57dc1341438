"""What a gate on labels is decided from: the kinds of case there were, and the figure, its bounds and its interval."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from evalkit.stats.intervals import Interval
from evalkit.stats.labels import NO_ANSWER, Cell, Counts, Unit, bounds_of, counts_of, figure_of
from evalkit.stats.resampling import interval_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One figure of the labels of a suite, or with two sides in each unit the difference between two runs.

    `units` are cases, or clusters of cases, counted where they are alike. `missing` counts the trials of the last
    side that have no label. `cases` is how many cases there are, `clustered` whether the units are clusters.
    """

    statistic: str
    units: tuple[Unit, ...]
    cases: int
    missing: int
    clustered: bool = False

    @property
    def groups(self) -> int:
        """How many independent things there are: clusters, or cases where none are named."""
        return sum(unit.count for unit in self.units)

    @property
    def sides(self) -> list[Counts]:
        """The sums of each side."""
        return [counts_of(self.units, side) for side in range(len(self.units[0].sides) if self.units else 0)]

    @property
    def complete(self) -> int:
        """How many units have all their labels, given and true, on every side."""
        return sum(unit.count for unit in self.units if _is_complete(unit))

    @property
    def untrue(self) -> Fraction:
        """How many cases weigh in without a true label."""
        return max((side.unknown for side in self.sides), default=Fraction(0))

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that cases expect."""
        if not self.units:
            return ()
        last = self.sides[-1]
        return tuple(label for label, row in zip(last.labels, last.rows, strict=True) if row)

    @property
    def kind(self) -> str:
        """How the figure is called in full: `F1 of true`, `macro-F1`, `Matthews' correlation`, `Cohen's kappa`."""
        if self.statistic == "f1":
            return "F1 of true" if set(self.classes) <= {"true", "false"} else "macro-F1"
        return {"mcc": "Matthews' correlation", "kappa": "Cohen's kappa"}[self.statistic]

    @property
    def values(self) -> list[Fraction | None]:
        """The figure of each side."""
        return [figure_of(self.statistic, side) for side in self.sides]

    @property
    def value(self) -> Fraction | None:
        """The figure of the pairs that are complete, or the difference; `None` where it has no meaning."""
        known = [value for value in self.values if value is not None]
        if not known or len(known) < len(self.sides):
            return None
        return known[-1] - known[0] if len(known) > 1 else known[0]

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Between what it lies whatever the missing labels would have been; safe, and not always reached."""
        ends = [bounds_of(self.statistic, side) for side in self.sides]
        if not ends:
            return Fraction(0 if self.statistic == "f1" else -1), Fraction(1)
        return (ends[-1][0] - ends[0][1], ends[-1][1] - ends[0][0]) if len(ends) > 1 else ends[0]

    def interval(self, level: float) -> Interval | None:
        """The BCa interval over the units, at least as wide as `bounds`; `None` for fewer than two, or no pair at all.

        Raises `MissingExtra` without the extra `stats`.
        """
        if self.untrue:
            low, high = self.bounds
            return (
                None if self.value is None else _wide(interval_of(self.statistic, self.units, level=level), low, high)
            )
        found = interval_of(self.statistic, self.units, level=level)
        return _wide(found, *self.bounds) if self.has_gaps else found

    @property
    def has_gaps(self) -> bool:
        """Whether anything is missing on any side."""
        return any(not _is_complete(unit) for unit in self.units)

    @property
    def changes(self) -> tuple[int, int, int]:
        """Of the complete units how many got better, worse, and stayed, by how much of their last side is right."""
        better = worse = stayed = 0
        for unit in self.units:
            if not _is_complete(unit):
                continue
            before, after = (_right(unit.sides[side]) for side in (0, -1))
            better += unit.count * (after > before)
            worse += unit.count * (after < before)
            stayed += unit.count * (after == before)
        return better, worse, stayed

    def flipped(self, *, to_right: bool) -> Iterator[Fraction | None]:
        """The figure with one more case right, or one more wrong, for the ways in which that moves it most."""
        counts = self.sides[-1]
        size = counts.total / self.cases if self.cases else Fraction(1)
        for i, j in self._moves(counts, to_right=to_right):
            gain, loss = (i, j) if to_right else (j, i)
            move = min(size, counts.columns[loss])
            columns, right = list(counts.columns), list(counts.right)
            columns[gain] += move
            columns[loss] -= move
            right[i] += move if to_right else -move
            yield figure_of(self.statistic, dataclasses.replace(counts, columns=tuple(columns), right=tuple(right)))

    def _moves(self, counts: Counts, *, to_right: bool) -> set[tuple[int, int]]:
        """The true label of a case that changes, and the wrong one it had, or would have."""
        at = {label: i for i, label in enumerate(counts.labels)}
        if to_right:
            pairs = {cell[:2] for unit in self.units for cell in unit.sides[-1] if cell[0] != cell[1]}
            return {(at[true], at[given]) for true, given in pairs if true is not None and given is not None}
        classes = sorted((row, i) for i, row in enumerate(counts.rows) if row)
        wrong = {classes[0][1], classes[-1][1], classes[len(classes) // 2][1], at[NO_ANSWER]} if classes else set()
        return {(i, j) for i, right in enumerate(counts.right) if right for j in wrong if i != j}


def _wide(found: Interval | None, low: Fraction, high: Fraction) -> Interval | None:
    if found is None:
        return None
    return dataclasses.replace(found, low=min(found.low, float(low)), high=max(found.high, float(high)))


def _is_complete(unit: Unit) -> bool:
    return all(true is not None and given is not None for side in unit.sides for true, given, _ in side)


def _right(side: Sequence[Cell]) -> Fraction:
    return sum((weight for true, given, weight in side if true == given), Fraction(0))


def to_plain(data: Labelled) -> dict[str, Any]:
    """The record as JSON data: of each kind of unit its cells, weights as text, and how many there are."""
    units = [
        {
            "sides": [[[true, given, str(weight)] for true, given, weight in side] for side in unit.sides],
            "count": unit.count,
        }
        for unit in data.units
    ]
    fields = {f.name: getattr(data, f.name) for f in dataclasses.fields(data) if f.name != "units"}
    return fields | {"units": units}


def from_plain(plain: Mapping[str, Any]) -> Labelled:
    """The record that `to_plain` wrote. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    units = tuple(
        Unit(
            sides=tuple(
                tuple((true, given, Fraction(weight)) for true, given, weight in side) for side in unit["sides"]
            ),
            count=int(unit["count"]),
        )
        for unit in plain["units"]
    )
    return Labelled(**{**plain, "units": units})


def cases_needed(data: Labelled, bound: float, interval: Interval) -> int | None:
    """About how many cases would decide, if the figure stays and the interval narrows as 1/√n; `None` for too many."""
    value = None if data.value is None else float(data.value)
    if value is None or value == bound:
        return None
    half = value - interval.low if value > bound else interval.high - value
    needed = math.ceil(data.groups * (half / (value - bound)) ** 2)
    return needed if data.groups < needed <= 1_000_000 else None
