"""The interval of a figure of agreement: a BCa bootstrap over whole cases, from what the cases add up to.

Drawing n cases with replacement is one multinomial draw over the kinds of case there are, so 9,999 resamples are a
few arrays, whatever n is. What differs from a plain bootstrap: each limit is taken with `IMAGINED` further answers
that would spoil it. A bootstrap of 30 answers, all right, would otherwise claim that nothing else is possible.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from evalkit.errors import MissingExtra
from evalkit.stats.agreement import RESAMPLES
from evalkit.stats.intervals import Interval
from evalkit.stats.labels import NO_ANSWER, Cell, Unit, label_set

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

BCA = "BCa bootstrap"
SEED = 0

IMAGINED = 1.0
"""Imagined answers that each limit bears; `docs/design/statistics.md` has what was measured with none, one and two."""

Fill = tuple[str, str]
"""How a missing label is filled in on each side: `right`, `none`, `drop` (left out), or `=` and a label."""


def require_stats() -> None:
    """Raise `MissingExtra` where the extra `stats` is not installed."""
    try:
        import numpy  # noqa: F401 - only whether it is there
        import scipy  # noqa: F401
    except ImportError:
        raise MissingExtra("scipy", "stats", needed_for="An interval of F1, mcc or kappa") from None


def interval_of(
    statistic: str, units: Sequence[Unit], *, level: float, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """The interval of a figure, or of the difference between two sides, as wide as what is missing makes it.

    Missing labels are filled in as all right, as no answer, as each label that is expected, and left out; the limits
    are the furthest of all of these. `None` for fewer than two units, and where no pair is complete. Source: Efron
    (1987), *Better bootstrap confidence intervals*. Needs the extra `stats`.
    """
    require_stats()
    if sum(unit.count for unit in units) < 2:
        return None
    low, high = math.inf, -math.inf
    for fill in _fills(units):
        tables = _Tables.of(statistic, units, fill)
        if tables is None:
            continue
        least, most = tables.limits(level, resamples, seed)
        low, high = min(low, least), max(high, most)
    return None if low > high else Interval(low=low, high=high, level=level, method=BCA)


def plain_interval(
    statistic: str, units: Sequence[Unit], *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """The BCa interval without imagined answers, as `scipy.stats.bootstrap` has it; for comparison only."""
    require_stats()
    tables = _Tables.of(statistic, units, ("drop", "drop"))
    if tables is None:
        return None
    low, high = tables.limits(level, resamples, seed, imagine=0.0)
    return Interval(low=low, high=high, level=level, method=BCA)


def _fills(units: Sequence[Unit]) -> Iterator[Fill]:
    """The ways to fill in what is missing that may move a limit furthest; on two sides one up and the other down."""
    if not any(cell[1] is None for unit in units for side in unit.sides for cell in side):
        yield "drop", "drop"
        return
    expected = {cell[0] for unit in units for side in unit.sides for cell in side if cell[0] is not None}
    for bad in ["none", *(f"={label}" for label in sorted(expected)), "drop"]:
        yield ("drop", bad) if bad == "drop" else ("right", bad)
        yield ("drop", "drop") if bad == "drop" else (bad, "right")


@dataclasses.dataclass(frozen=True, slots=True)
class _Tables:
    """What each kind of unit adds to the sums of expected, given and right, for each side; and how many there are."""

    statistic: str
    labels: tuple[str, ...]
    adds: Array
    """Of shape units × sides × 3 × labels."""
    counts: Array

    @classmethod
    def of(cls, statistic: str, units: Sequence[Unit], fill: Fill) -> _Tables | None:
        import numpy as np

        labels = label_set(units)
        at = {label: i for i, label in enumerate(labels)}
        kept: list[tuple[Array, int]] = []
        for unit in units:
            add = np.zeros((len(unit.sides), 3, len(labels)))
            sides = [list(_filled(side, fill[i - len(unit.sides)])) for i, side in enumerate(unit.sides)]
            if not all(sides):
                continue
            for i, side in enumerate(sides):
                for true, given, weight in side:
                    add[i, 0, at[true]] += weight
                    add[i, 1, at[given]] += weight
                    if true == given:
                        add[i, 2, at[true]] += weight
            kept.append((add, unit.count))
        if not kept:
            return None
        counts = np.array([count for _, count in kept], dtype=float)
        return cls(statistic, labels, np.stack([add for add, _ in kept]), counts)

    def limits(self, level: float, resamples: int, seed: int, imagine: float = IMAGINED) -> tuple[float, float]:
        """The lower and the upper limit, each with its imagined answers, around what was seen."""
        seen = float(self._figures((self.counts @ self._flat(self.adds))[None])[0])
        low = self._limit((1 - level) / 2, resamples, seed, imagine, upper=False)
        high = self._limit((1 + level) / 2, resamples, seed, imagine, upper=True)
        return (low, high) if math.isnan(seen) else (min(low, seen), max(high, seen))

    def _limit(self, share: float, resamples: int, seed: int, imagine: float, *, upper: bool) -> float:
        import numpy as np

        adds, counts = self.adds, self.counts
        drawn = round(float(counts.sum()))
        if imagine:
            more, weights = self._imagined(upper=upper)
            adds, counts = np.concatenate([adds, more]), np.concatenate([counts, imagine * weights])
        flat = self._flat(adds)
        # numpy promises that RandomState gives the same numbers in all its versions, as a verdict computed again needs
        draws = np.random.RandomState(seed).multinomial(drawn, counts / counts.sum(), size=resamples)
        found = self._settled(self._figures(draws @ flat), upper=upper)
        total = counts @ flat
        centre = float(self._settled(self._figures(total[None]), upper=upper)[0])
        without = self._settled(self._figures(total[None] - flat), upper=upper)
        return _bca_limit(np.sort(found), centre, without, counts, share)

    def _flat(self, adds: Array) -> Array:
        return adds.reshape(len(adds), -1)

    def _settled(self, figures: Array, *, upper: bool) -> Array:
        """A resample in which the figure has no meaning counts as the one that widens the interval most."""
        import numpy as np

        least = 0.0 if self.statistic == "f1" else -1.0
        sides = self.adds.shape[1]
        ends = (least, 1.0) if sides == 1 else (least - 1, 1 - least)
        return np.nan_to_num(figures, nan=ends[upper])

    def _imagined(self, *, upper: bool) -> tuple[Array, Array]:
        """Answers to cases drawn as these were: right for an upper limit, wrong in every way for a lower one.

        On two sides it is the later one that is right or wrong, and the earlier the other way round.
        """
        import numpy as np

        rows = (self.counts @ self._flat(self.adds)).reshape(self.adds.shape[1:])[-1, 0]
        shares = rows / rows.sum()
        size = float(rows.sum() / self.counts.sum())
        sides = self.adds.shape[1]
        made: list[Array] = []
        weights: list[float] = []
        for i in np.flatnonzero(shares):
            others = [(int(j), float(shares[j] / (1 - shares[i]))) for j in np.flatnonzero(shares) if j != i]
            for j, chance in others or [(len(self.labels) - 1, 1.0)]:
                good = [k == sides - 1 if upper else k != sides - 1 for k in range(sides)]
                add = np.zeros((sides, 3, len(self.labels)))
                for k, right in enumerate(good):
                    add[k, 0, i] = size
                    add[k, 1, i if right else j] = size
                    add[k, 2, i] = size if right else 0.0
                made.append(add)
                weights.append(float(shares[i] * chance))
        return np.stack(made), np.array(weights)

    def _figures(self, flat: Array) -> Array:
        """The figure, or the difference, of many tables at once; NaN where it has no meaning."""
        tables = flat.reshape(len(flat), *self.adds.shape[1:])
        sides = [self._figure(tables[:, side]) for side in range(tables.shape[1])]
        return sides[0] if len(sides) == 1 else sides[1] - sides[0]

    def _figure(self, tables: Array) -> Array:
        import numpy as np

        rows, columns, right = tables[:, 0], tables[:, 1], tables[:, 2]
        n = rows.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.statistic == "f1":
                return self._f1(rows, columns, right)
            agree = right.sum(axis=1) / n
            chance = (rows * columns).sum(axis=1) / n**2
            spread = 1 - (rows**2).sum(axis=1) / n**2
            if self.statistic == "kappa":
                found = (agree - chance) / (1 - chance)
            else:
                below = spread * np.clip(1 - (columns**2).sum(axis=1) / n**2, 0, None)
                found = np.where(below > 1e-12, (agree - chance) / np.sqrt(below), 0.0)
            settled: Array = np.where(spread > 1e-12, np.clip(found, -1, 1), np.nan)
            return settled

    def _f1(self, rows: Array, columns: Array, right: Array) -> Array:
        import numpy as np

        expected = {self.labels[i] for i in np.flatnonzero(self.adds[:, :, 0].sum(axis=(0, 1)))}
        if expected <= {"true", "false"}:
            if "true" not in self.labels:
                return np.full(len(rows), np.nan)
            at = self.labels.index("true")
            return np.clip(2 * right[:, at] / (rows[:, at] + columns[:, at]), 0, 1)
        there = rows > 1e-12
        scores = np.where(there, 2 * right / (rows + columns), 0.0)
        mean: Array = np.clip(scores.sum(axis=1) / there.sum(axis=1), 0, 1)
        return mean


def _filled(side: Sequence[Cell], how: str) -> Iterator[tuple[str, str, float]]:
    for true, given, weight in side:
        if true is None:
            continue
        if given is not None:
            yield true, given, float(weight)
        elif how == "right":
            yield true, true, float(weight)
        elif how != "drop":
            wrong = how[1:] if how.startswith("=") and how[1:] != true else NO_ANSWER
            yield true, wrong, float(weight)


def _bca_limit(ordered: Array, centre: float, without: Array, counts: Array, share: float) -> float:
    """The quantile of the resamples that bias and skewness point to."""
    import numpy as np

    normal = NormalDist()
    size = len(ordered)
    slack = 1e-12
    below = np.searchsorted(ordered, centre - slack, side="left")
    same = np.searchsorted(ordered, centre + slack, side="right") - below
    part = min(max((below + same / 2) / size, 0.5 / size), 1 - 0.5 / size)
    bias = normal.inv_cdf(float(part))
    mean = float((counts * without).sum() / counts.sum())
    distance = mean - without
    squares = float((counts * distance**2).sum())
    skewness = float((counts * distance**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    z = bias + normal.inv_cdf(share)
    at = normal.cdf(bias + z / (1 - skewness * z)) if skewness * z < 1 else float(share > 0.5)
    return float(np.quantile(ordered, at))
