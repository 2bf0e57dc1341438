"""`intent.kappa >= t @ 95%` and its like, with the true figure at t: drawn, with a seed and few resamples."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from benchmarks.simulation.cells import Cell, Grid, Tally
from evalkit.stats.agreement import cohen_kappa, macro_f1, matthews
from evalkit.stats.labels import Unit
from evalkit.stats.resampling import interval_of, plain_interval

RESAMPLES = 499


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """`n` cases with labels a, b, …: `expected` is how often each occurs, `right` how often each is recognised."""

    n: int
    expected: tuple[float, ...]
    right: tuple[float, ...]
    grid: Grid = "first"

    @property
    def table(self) -> list[list[float]]:
        """The chances of expected and given labels; wrong answers fall on the others evenly."""
        size = len(self.expected)
        return [
            [share * (right if i == j else (1 - right) / (size - 1)) for j in range(size)]
            for i, (share, right) in enumerate(zip(self.expected, self.right, strict=True))
        ]

    def truth(self, statistic: str) -> float:
        """The figure over all cases there could be."""
        if statistic == "kappa":
            found = cohen_kappa(self.table)
            assert found is not None
            return found.value
        value = matthews(self.table) if statistic == "mcc" else macro_f1(self.table)
        assert value is not None
        return value


SCENARIOS = (
    Labels(n=30, expected=(0.5, 0.5), right=(0.9, 0.9)),
    Labels(n=30, expected=(0.8, 0.2), right=(0.95, 0.8)),
    Labels(n=100, expected=(0.5, 0.5), right=(0.9, 0.9)),
    Labels(n=100, expected=(0.9, 0.1), right=(0.98, 0.7)),
    Labels(n=60, expected=(0.6, 0.3, 0.1), right=(0.9, 0.85, 0.8), grid="second"),
    Labels(n=150, expected=(0.7, 0.3), right=(0.85, 0.75), grid="second"),
)


def on_labels(scenario: Labels, statistic: str, *, draws: int, seed: int) -> Cell:
    """Ours, the plain bootstrap, and for κ the asymptotic interval."""
    rng = np.random.default_rng([seed, scenario.n, len(scenario.expected), *statistic.encode()])
    chances = np.array(scenario.table)
    found = {name: Tally() for name in ("evalkit", "BCa bootstrap")}
    if statistic == "kappa":
        found["asymptotic error"] = Tally()
    truth = scenario.truth(statistic)
    names = [chr(ord("a") + i) for i in range(len(scenario.expected))]
    for at, counts in enumerate(rng.multinomial(scenario.n, chances.ravel(), size=draws)):
        table = counts.reshape(chances.shape)
        units = _units(table, names)
        ours = interval_of(statistic, units, level=0.95, resamples=RESAMPLES, seed=at)
        low, high = (-math.inf, math.inf) if ours is None else (ours.low, ours.high)
        found["evalkit"].add(low, high, truth)
        plain = plain_interval(statistic, units, resamples=RESAMPLES, seed=at)
        low, high = (-math.inf, math.inf) if plain is None else (plain.low, plain.high)
        found["BCa bootstrap"].add(low, high, truth)
        if statistic == "kappa":
            kappa = cohen_kappa(table.tolist())
            low, high = (-math.inf, math.inf) if kappa is None else (kappa.low, kappa.high)
            found["asymptotic error"].add(low, high, truth)
    shares = " / ".join(f"{100 * share:g}" for share in scenario.expected)
    return Cell(
        scenario=f"{statistic}, {scenario.n} cases, labels {shares} %",
        grid=scenario.grid,
        found={name: tally.errors() for name, tally in found.items()},
        draws=draws,
        again=lambda draws, seed: on_labels(scenario, statistic, draws=draws, seed=seed),
    )


def _units(table: np.ndarray, names: list[str]) -> tuple[Unit, ...]:
    cells = Counter({(names[i], names[j]): int(table[i, j]) for i, j in np.ndindex(*table.shape) if table[i, j]})
    return tuple(
        Unit(sides=(((true, given, Fraction(1)),),), count=count) for (true, given), count in sorted(cells.items())
    )


def cells(statistic: str, *, draws: int, seed: int) -> Iterator[Cell]:
    """Every scenario."""
    for scenario in SCENARIOS:
        yield on_labels(scenario, statistic, draws=draws, seed=seed)
