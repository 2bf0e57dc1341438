"""Gates on repeated trials, with the true figure over all cases at the bound: drawn, with a seed.

Each suite has G cases, each case a true chance to be right, and K trials of it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.simulation.cells import Cell, Grid, Tally
from benchmarks.simulation.shares import wilson
from evalkit.stats.intervals import Interval, clopper_pearson, korn_graubard, student
from evalkit.stats.repeats import of_passes
from evalkit.stats.special import normal_quantile
from evalkit.stats.spread import Spread, bounded, powers, spread

_Z = normal_quantile(0.025)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How the chances to be right are spread over cases: `draw` gives so many, `moments` the mean of their powers."""

    name: str
    draw: Callable[[np.random.Generator, int], np.ndarray]
    moments: Callable[[int], float]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`cases` cases with `trials` trials each."""

    chances: Chances
    cases: int
    trials: int
    grid: Grid = "first"

    @property
    def name(self) -> str:
        """As in the tables."""
        return f"{self.chances.name}, {self.cases} × {self.trials}"


def _beta_moment(a: float, b: float, k: int) -> float:
    return math.prod((a + i) / (a + b + i) for i in range(k))


def _beta(a: float, b: float) -> Chances:
    moments = functools.partial(_beta_moment, a, b)
    return Chances(name=f"Beta({a:g}, {b:g})", draw=lambda rng, n: rng.beta(a, b, n), moments=moments)


def _two(share: float, high: float, low: float, name: str) -> Chances:
    return Chances(
        name=name,
        draw=lambda rng, n: np.where(rng.random(n) < share, high, low),
        moments=lambda k: share * high**k + (1 - share) * low**k,
    )


KINDS = (
    _beta(9, 1),
    _two(0.85, 0.99, 0.3, "85 % at .99, 15 % at .3"),
    _two(0.9, 1.0, 0.0, "each case always right or always wrong, 90 % right"),
    _two(1.0, 0.9, 0.9, "every case at .9"),
    _beta(2, 2),
)
OTHER_KINDS = (
    _beta(19, 1),
    _beta(0.5, 0.5),
    _two(0.8, 0.95, 0.5, "80 % at .95, 20 % at .5"),
    _two(1.0, 0.75, 0.75, "every case at .75"),
)
SCENARIOS = (
    *(Scenario(chances=kind, cases=cases, trials=k) for kind in KINDS for cases in (20, 40) for k in (3, 5)),
    *(
        Scenario(chances=kind, cases=cases, trials=k, grid="second")
        for kind in OTHER_KINDS
        for cases, k in ((15, 4), (30, 2), (60, 10))
    ),
)
"""The 20 cells of the first grid, and 12 others."""


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _spread(values: np.ndarray, counts: np.ndarray, cases: int) -> Spread:
    mean = float(counts @ values) / cases
    second, third, fourth = powers((values - mean).tolist(), counts.tolist())
    second = 0.0 if second < 1e-12 else second
    return spread(mean, second / (cases - 1) / cases, cases, second=second, third=third, fourth=fourth)


def on_mean(scenario: Scenario, *, draws: int, seed: int) -> Cell:
    """The mean: ours, Korn and Graubard's as published, t and z over cases, and trials taken for cases."""
    names = ("evalkit", "Korn-Graubard", "t over cases", "z over cases", "Wilson on trials")
    found = {name: Tally() for name in names}
    g, k = scenario.cases, scenario.trials
    truth = scenario.chances.moments(1)
    values = np.arange(k + 1) / k
    for passes, count in _draws(scenario, draws, seed):
        one = _spread(values, passes, g)
        half = _Z * math.sqrt(one.variance)
        found["evalkit"].add(*_ends(bounded(one, cap=g * k)), truth, count)
        found["Korn-Graubard"].add(*_ends(korn_graubard(one.mean, one.variance, g, cap=g * k)), truth, count)
        found["t over cases"].add(*_ends(student(one.mean, one.variance, g)), truth, count)
        found["z over cases"].add(one.mean - half, one.mean + half, truth, count)
        found["Wilson on trials"].add(*wilson(one.mean * g * k, g * k), truth, count)
    return Cell(
        scenario=scenario.name,
        grid=scenario.grid,
        found={name: tally.errors() for name, tally in found.items()},
        draws=draws,
        again=lambda draws, seed: on_mean(scenario, draws=draws, seed=seed),
    )


REDUCERS = ("pass^2", "pass^3", "flake_rate")


def on_reducer(scenario: Scenario, statistic: str, *, draws: int, seed: int) -> Cell:
    """pass^k, for which more is better, or the flake rate, for which less is: ours, and t over cases."""
    g, k = scenario.cases, scenario.trials
    values = np.array([float(of_passes(statistic, k, c)) for c in range(k + 1)])
    truth = truth_of(scenario.chances, statistic)
    found = {name: Tally() for name in ("evalkit", "t over cases")}
    exact = set(values) <= {0.0, 1.0}
    for passes, count in _draws(scenario, draws, seed):
        one = _spread(values, passes, g)
        ours = clopper_pearson(round(one.mean * g), g) if exact else bounded(one, cap=g * k, wary=True)
        found["evalkit"].add(*_ends(ours), truth, count)
        found["t over cases"].add(*_ends(student(one.mean, one.variance, g)), truth, count)
    wants_more = statistic != "flake_rate"
    return Cell(
        scenario=f"{statistic}, {scenario.name}",
        grid=scenario.grid,
        found={name: tally.errors(wants_more=wants_more) for name, tally in found.items()},
        draws=draws,
        again=lambda draws, seed: on_reducer(scenario, statistic, draws=draws, seed=seed),
    )


def truth_of(chances: Chances, statistic: str) -> float:
    """What the mean of a reducer over all cases there could be is."""
    if statistic == "flake_rate":
        return 2 * (chances.moments(1) - chances.moments(2))
    return chances.moments(int(statistic.removeprefix("pass^")))


def mean_cells(*, draws: int, seed: int) -> Iterator[Cell]:
    """The mean in every scenario."""
    for scenario in SCENARIOS:
        yield on_mean(scenario, draws=draws, seed=seed)


def reducer_cells(*, draws: int, seed: int, few: bool) -> Iterator[Cell]:
    """Every reducer in every scenario that has trials enough: those with 20 cases, or those with more."""
    for scenario in SCENARIOS:
        for statistic in REDUCERS:
            fewest = 3 if statistic == "pass^3" else 2
            if scenario.trials >= fewest and scenario.cases >= 20 and (scenario.cases == 20) == few:
                yield on_reducer(scenario, statistic, draws=draws, seed=seed)


def _draws(scenario: Scenario, suites: int, seed: int) -> Iterator[tuple[np.ndarray, int]]:
    """Suites as how many cases have 0 … K passes, each with how often it was drawn."""
    rng = np.random.default_rng([seed, *scenario.name.encode()])
    chances = scenario.chances.draw(rng, suites * scenario.cases).reshape(suites, scenario.cases)
    passes = rng.binomial(scenario.trials, chances)
    counted = np.stack([(passes == c).sum(axis=1) for c in range(scenario.trials + 1)], axis=1)
    distinct, counts = np.unique(counted, axis=0, return_counts=True)
    return zip(distinct, counts.tolist(), strict=True)
