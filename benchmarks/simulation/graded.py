"""`score.mean >= t @ 95%` on graded scores in [0, 1], win rates with ties, and clusters of cases: drawn, with a seed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.simulation.cells import Cell, Grid, Tally
from benchmarks.simulation.shares import wilson
from evalkit.stats.clusters import cluster_spread
from evalkit.stats.intervals import korn_graubard, student
from evalkit.stats.special import normal_quantile
from evalkit.stats.spread import Spread, bounded, spread

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
_Z = normal_quantile(0.025)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of cases: `draw` gives so many suites of so many cases, `truth` is the mean of all there could be."""

    name: str
    truth: float
    draw: Draw
    sizes: tuple[int, ...]
    grid: Grid = "first"


def _levels(levels: list[float], chances: list[float]) -> Draw:
    return lambda rng, shape: rng.choice(levels, p=chances, size=shape)


def _usually(share: float, low: float, high: float) -> Draw:
    """Scores that lie between `low` and `high`, but for a share of zeros."""
    return lambda rng, shape: np.where(rng.random(shape) < share, 0.0, rng.uniform(low, high, shape))


GRADED = (
    Scores(
        name="nine in ten are 1, the rest anything",
        truth=0.95,
        draw=lambda rng, shape: np.where(rng.random(shape) < 0.9, 1.0, rng.random(shape)),
        sizes=(20, 40, 100),
    ),
    Scores(
        name="five levels, most of them the highest",
        truth=0.8825,
        draw=_levels([0, 0.25, 0.5, 0.75, 1], [0.02, 0.03, 0.05, 0.2, 0.7]),
        sizes=(20, 40, 100),
    ),
    Scores(name="Beta(8, 2)", truth=0.8, draw=lambda rng, shape: rng.beta(8, 2, shape), sizes=(20, 40, 100)),
    Scores(name="Beta(.9, .1)", truth=0.9, draw=lambda rng, shape: rng.beta(0.9, 0.1, shape), sizes=(20, 40, 100)),
    Scores(
        name="normal, .7 ± .1",
        truth=0.7,
        draw=lambda rng, shape: np.clip(rng.normal(0.7, 0.1, shape), 0, 1),
        sizes=(20, 40, 100),
    ),
    Scores(
        name="Beta(5, .5)",
        truth=5 / 5.5,
        draw=lambda rng, shape: rng.beta(5, 0.5, shape),
        sizes=(25, 60, 150),
        grid="second",
    ),
    Scores(
        name="Beta(20, 1)",
        truth=20 / 21,
        draw=lambda rng, shape: rng.beta(20, 1, shape),
        sizes=(25, 60, 150),
        grid="second",
    ),
    Scores(
        name="four levels, evenly",
        truth=0.5,
        draw=_levels([0, 1 / 3, 2 / 3, 1], [0.25] * 4),
        sizes=(25, 60, 150),
        grid="second",
    ),
    Scores(
        name="Beta(2, 6)", truth=0.25, draw=lambda rng, shape: rng.beta(2, 6, shape), sizes=(25, 60, 150), grid="second"
    ),
    Scores(
        name="one in five is 0, the rest between .6 and 1",
        truth=0.64,
        draw=_usually(0.2, 0.6, 1.0),
        sizes=(25, 60, 150),
        grid="second",
    ),
)

UNSEEN = (
    Scores(
        name="one in ten is 0, the rest between .7 and .9",
        truth=0.72,
        draw=_usually(0.1, 0.7, 0.9),
        sizes=(20, 40, 100),
    ),
    Scores(
        name="3 in 100 are 0, the rest between .9 and 1", truth=0.9215, draw=_usually(0.03, 0.9, 1), sizes=(20, 40, 100)
    ),
)
"""Rare failures beside scores that hardly differ: most small samples have too few of them, or none at all."""

WINS = (
    Scores(name="50 / 20 / 30 %", truth=0.6, draw=_levels([1, 0.5, 0], [0.5, 0.2, 0.3]), sizes=(20, 40, 100)),
    Scores(name="87 / 10 / 3 %", truth=0.92, draw=_levels([1, 0.5, 0], [0.87, 0.1, 0.03]), sizes=(20, 40, 100)),
    Scores(
        name="30 / 40 / 30 %",
        truth=0.5,
        draw=_levels([1, 0.5, 0], [0.3, 0.4, 0.3]),
        sizes=(25, 60, 150),
        grid="second",
    ),
    Scores(
        name="5 / 60 / 35 %",
        truth=0.35,
        draw=_levels([1, 0.5, 0], [0.05, 0.6, 0.35]),
        sizes=(25, 60, 150),
        grid="second",
    ),
)
"""Wins, ties and losses."""


def spreads(values: np.ndarray) -> Iterator[Spread]:
    """The spread of each row."""
    n = values.shape[1]
    means = values.mean(axis=1)
    distances = values - means[:, None]
    sums = [(distances**power).sum(axis=1).tolist() for power in (2, 3, 4)]
    for mean, second, third, fourth in zip(means.tolist(), *sums, strict=True):
        second = 0.0 if second < 1e-12 else second
        yield spread(mean, second / (n - 1) / n, n, second=second, third=third, fourth=fourth)


def on_scores(scores: Scores, n: int, *, draws: int, seed: int) -> Cell:
    """Ours, Korn and Graubard's as published, t and z."""
    rng = np.random.default_rng([seed, n, *scores.name.encode()])
    found = {name: Tally() for name in ("evalkit", "Korn-Graubard", "t", "z")}
    for one in spreads(scores.draw(rng, (draws, n))):
        half = _Z * math.sqrt(one.variance)
        ours, plain = bounded(one), korn_graubard(one.mean, one.variance, n)
        t = student(one.mean, one.variance, n)
        found["evalkit"].add(ours.low, ours.high, scores.truth)
        found["Korn-Graubard"].add(plain.low, plain.high, scores.truth)
        found["t"].add(t.low, t.high, scores.truth)
        found["z"].add(one.mean - half, one.mean + half, scores.truth)
    errors = {name: tally.errors() for name, tally in found.items()}
    return Cell(
        scenario=f"{scores.name}, {n} cases",
        grid=scores.grid,
        found=errors,
        draws=draws,
        again=lambda draws, seed: on_scores(scores, n, draws=draws, seed=seed),
    )


def cells(scores: tuple[Scores, ...], *, draws: int, seed: int) -> Iterator[Cell]:
    """Every scenario at every size."""
    for one in scores:
        for n in one.sizes:
            yield on_scores(one, n, draws=draws, seed=seed)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """`groups` clusters of right-or-wrong cases, of one size or of sizes from 1 to twice that.

    The chance of a cluster's cases to be right is drawn from Beta(`a`, `b`); `b` = 0 is the same for all.
    """

    groups: int
    size: int
    a: float
    b: float
    uneven: bool = False
    grid: Grid = "first"

    @property
    def truth(self) -> float:
        """The share that is right."""
        return self.a / (self.a + self.b) if self.b else self.a

    @property
    def name(self) -> str:
        """In words."""
        chances = f"Beta({self.a:g}, {self.b:g})" if self.b else f"all alike at {self.a:g}"
        sizes = f"1 to {2 * self.size - 1}" if self.uneven else f"{self.size}"
        return f"{self.groups} clusters of {sizes} cases, {chances}"


CLUSTERS = (
    *(Clusters(groups=g, size=5, a=a, b=b) for g in (10, 20, 40) for a, b in ((9, 1), (0.9, 0.1), (0.9, 0), (2, 2))),
    *(Clusters(groups=g, size=8, a=a, b=b, uneven=True) for g in (10, 20, 40) for a, b in ((9, 1), (0.9, 0.1))),
    *(
        Clusters(groups=g, size=4, a=a, b=b, uneven=uneven, grid="second")
        for g in (15, 30, 60)
        for a, b, uneven in ((4, 1, False), (19, 1, True), (0.5, 0.5, True), (0.7, 0, True))
    ),
)


def on_clusters(scenario: Clusters, *, draws: int, seed: int) -> Cell:
    """Ours, z over clusters, and cases taken for independent."""
    rng = np.random.default_rng([seed, *scenario.name.encode()])
    shape = (draws, scenario.groups)
    chances = rng.beta(scenario.a, scenario.b, shape) if scenario.b else np.full(shape, scenario.a)
    sizes = rng.integers(1, 2 * scenario.size, shape) if scenario.uneven else np.full(shape, scenario.size)
    passes = rng.binomial(sizes, chances)
    found = {name: Tally() for name in ("evalkit", "z over clusters", "Wilson on cases")}
    for size, right in zip(sizes.tolist(), passes.tolist(), strict=True):
        cases, total = sum(size), sum(right)
        one = cluster_spread(size, right)
        ours = bounded(one, cap=cases)
        half = _Z * math.sqrt(one.variance)
        found["evalkit"].add(ours.low, ours.high, scenario.truth)
        found["z over clusters"].add(one.mean - half, one.mean + half, scenario.truth)
        found["Wilson on cases"].add(*wilson(total, cases), scenario.truth)
    errors = {name: tally.errors() for name, tally in found.items()}
    return Cell(
        scenario=scenario.name,
        grid=scenario.grid,
        found=errors,
        draws=draws,
        again=lambda draws, seed: on_clusters(scenario, draws=draws, seed=seed),
    )


def cluster_cells(*, draws: int, seed: int) -> Iterator[Cell]:
    """Every scenario with clusters."""
    for scenario in CLUSTERS:
        yield on_clusters(scenario, draws=draws, seed=seed)
