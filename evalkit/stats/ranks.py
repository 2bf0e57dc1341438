"""Order statistics of a suite: smallest, largest, median, and quantiles by the nearest rank.

The quantile at a share p of n sorted values is the one at rank ⌈p·n⌉: `p95(latency) <= 3s` says that at least 95 % of
the trials took at most three seconds. Missing values may stand anywhere, so they are put at both ends in turn.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from evalkit.stats.columns import FAILED, Column, Table
from evalkit.stats.intervals import ORDER, Interval, order_ranks
from evalkit.stats.means import range_of


class MissingRank(LookupError):
    """A recorded verdict does not hold the value at this rank."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Sorted values, or those of them that a verdict has kept.

    `known` values are there and `missing` are not; `groups` is the number of cases, or of clusters of them. `at` has
    the value at each rank from 1 to `known`. `range` is that of a single value.
    """

    known: int
    missing: int
    groups: int
    range: tuple[float, float]
    at: Mapping[int, float]

    @property
    def planned(self) -> int:
        """How many values there should be."""
        return self.known + self.missing

    def value(self, statistic: str) -> float | None:
        """The statistic of the known values; `None` where there is none."""
        return self._pick(statistic, self.known, 0) if self.known else None

    def bounds(self, statistic: str) -> tuple[float, float]:
        """The statistic if everything missing were as low, and as high, as it can be."""
        return self._pick(statistic, self.planned, self.missing), self._pick(statistic, self.planned, 0)

    def interval(self, share: Fraction, level: float) -> Interval:
        """The interval of the quantile at `share`, whatever the missing values are; a limit may be infinite.

        With repeats the number of cases sets the ranks, which are then spread over the pooled trials: right if the
        trials of a case are all alike, and too wide if they are not. Source: Woodruff (1952), with as many
        independent values as there are cases.
        """
        low, high = order_ranks(self.groups, float(share), level=level)
        first = None if low is None else (low - 1) * self.planned // self.groups + 1
        last = None if high is None else -(-high * self.planned // self.groups)
        return Interval(
            low=-math.inf if first is None else self._at(first, self.missing),
            high=math.inf if last is None else self._at(last, 0),
            level=level,
            method=ORDER,
        )

    def _pick(self, statistic: str, n: int, below: int) -> float:
        if statistic == "min":
            return self._at(1, below)
        if statistic == "max":
            return self._at(n, below)
        if statistic == "median":
            lower, upper = self._at((n + 1) // 2, below), self._at(n // 2 + 1, below)
            return lower if lower == upper else (lower + upper) / 2
        return self._at(max(1, math.ceil(share_of(statistic) * n)), below)

    def _at(self, rank: int, below: int) -> float:
        """The value at `rank` when `below` of the missing values stand before the known ones, the rest behind."""
        if rank <= below:
            return self.range[0]
        if rank - below > self.known:
            return self.range[1]
        try:
            return self.at[rank - below]
        except KeyError:
            raise MissingRank(rank - below) from None


class Recording(Mapping[int, float]):
    """Sorted values by rank that remembers which ranks were asked for, so that a verdict can keep just those."""

    def __init__(self, values: Sequence[float]) -> None:
        self._values = values
        self.asked: dict[int, float] = {}

    def __getitem__(self, rank: int) -> float:
        if not 1 <= rank <= len(self._values):
            raise KeyError(rank)
        value = self._values[rank - 1]
        self.asked[rank] = value
        return value

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, len(self._values) + 1))

    def __len__(self) -> int:
        return len(self._values)


def share_of(statistic: str) -> Fraction:
    """The share below a quantile: 19/20 for `p95`, 999/1000 for `p99.9`, 1/2 for `median`."""
    return Fraction(1, 2) if statistic == "median" else Fraction(statistic[1:]) / 100


def ranks(table: Table, column: Column, positions: Sequence[int] | None = None, *, failed_as_zero: bool) -> Ranks:
    """The sorted values of all trials, or of those whose case is at one of `positions` (sorted)."""
    inside = None if positions is None else bytearray(len(table.case_ids))
    if inside is not None:
        for position in positions or ():
            inside[position] = 1
    zero = failed_as_zero and column.shape in ("binary", "unit")
    values: list[float] = []
    for case, value, state in zip(table.case_of, column.values, column.states, strict=True):
        if inside is not None and not inside[case]:
            continue
        if value is not None:
            values.append(value)
        elif zero and state == FAILED:
            values.append(0.0)
    values.sort()
    cases = range(len(table.case_ids)) if positions is None else positions
    planned = sum(table.planned[case] for case in cases)
    return Ranks(
        known=len(values),
        missing=max(planned - len(values), 0),
        groups=len(cases if table.clusters is None else {table.clusters[case] for case in cases}),
        range=range_of(column),
        at=Recording(values),
    )
