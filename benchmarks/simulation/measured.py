"""`latency <= t @ 95%` and `p95(latency) <= t @ 95%`, with the truth exactly at t: what is not on a scale from 0 to 1."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.simulation.cells import Cell, Errors, Grid, Tally
from benchmarks.simulation.graded import spreads
from benchmarks.simulation.shares import binomial
from evalkit.stats.intervals import order_ranks, student
from evalkit.stats.special import normal_quantile
from evalkit.stats.spread import unbounded

_Z = normal_quantile(0.025)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Times of cases: `draw` gives so many suites of so many cases, `truth` is the mean of all there could be."""

    name: str
    truth: float
    draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
    grid: Grid = "first"
    sizes: tuple[int, ...] = (50, 100, 200)


TIMES = (
    Times(name="log-normal, .3", truth=math.exp(0.045), draw=lambda rng, shape: rng.lognormal(0, 0.3, shape)),
    Times(name="log-normal, .5", truth=math.exp(0.125), draw=lambda rng, shape: rng.lognormal(0, 0.5, shape)),
    Times(name="exponential", truth=1.0, draw=lambda rng, shape: rng.exponential(1, shape)),
    Times(name="normal", truth=10.0, draw=lambda rng, shape: rng.normal(10, 1, shape)),
    Times(
        name="gamma, 3", truth=3.0, draw=lambda rng, shape: rng.gamma(3, 1, shape), grid="second", sizes=(60, 150, 400)
    ),
    Times(
        name="at least 1, and exponential",
        truth=1.5,
        draw=lambda rng, shape: 1 + rng.exponential(0.5, shape),
        grid="second",
        sizes=(60, 150, 400),
    ),
)
HARD = (
    *(dataclasses.replace(times, sizes=(20, 30)) for times in TIMES[1:3]),
    Times(
        name="log-normal, 1",
        truth=math.exp(0.5),
        draw=lambda rng, shape: rng.lognormal(0, 1, shape),
        sizes=(20, 50, 200),
    ),
    Times(
        name="one in twenty takes ten times as long",
        truth=math.exp(0.045) * 1.45,
        draw=lambda rng, shape: rng.lognormal(0, 0.3, shape) * np.where(rng.random(shape) < 0.05, 10, 1),
        sizes=(20, 50, 200),
    ),
)
"""Long tails, or few cases: what decides the mean has often not been seen yet."""


def on_times(times: Times, n: int, *, draws: int, seed: int) -> Cell:
    """Ours, t and z."""
    rng = np.random.default_rng([seed, n, *times.name.encode()])
    found = {name: Tally() for name in ("evalkit", "t", "z")}
    for one in spreads(times.draw(rng, (draws, n))):
        half = _Z * math.sqrt(one.variance)
        ours, t = unbounded(one), student(one.mean, one.variance, n)
        found["evalkit"].add(ours.low, ours.high, times.truth)
        found["t"].add(t.low, t.high, times.truth)
        found["z"].add(one.mean - half, one.mean + half, times.truth)
    return Cell(
        scenario=f"{times.name}, {n} cases",
        grid=times.grid,
        found={name: tally.errors(wants_more=False) for name, tally in found.items()},
        draws=draws,
        again=lambda draws, seed: on_times(times, n, draws=draws, seed=seed),
    )


def mean_cells(times: tuple[Times, ...], *, draws: int, seed: int) -> Iterator[Cell]:
    """Every distribution at every size."""
    for one in times:
        for n in one.sizes:
            yield on_times(one, n, draws=draws, seed=seed)


_RESAMPLES = 400


def quantile_cells(*, draws: int, seed: int) -> Iterator[Cell]:
    """p95, p90 and the median. Ours is enumerated: only how many values lie below the truth matters."""
    for n in (72, 100, 200):
        yield _on_quantile(0.95, n, "first", draws=draws, seed=seed)
    for share, n in ((0.9, 50), (0.9, 120), (0.5, 25), (0.95, 500)):
        yield _on_quantile(share, n, "second", draws=draws, seed=seed)


def _on_quantile(share: float, n: int, grid: Grid, *, draws: int, seed: int) -> Cell:
    """Beside ours the percentile bootstrap, and the quantile that was seen held against the bound."""
    low, high = order_ranks(n, share)
    below = [binomial(k, n, share) for k in range(n + 1)]
    # The value at a rank is below the true quantile if at least so many values are.
    late = 0.0 if high is None else math.fsum(below[high:])
    early = 0.0 if low is None else math.fsum(below[:low])
    rng = np.random.default_rng([seed, n, round(share * 100)])
    drawn = np.sort(rng.random((draws, n)), axis=1)
    rank = max(1, math.ceil(share * n)) - 1
    boot = np.empty((draws, 2))
    for at, values in enumerate(drawn):
        resampled = np.partition(rng.choice(values, size=(_RESAMPLES, n)), rank, axis=1)[:, rank]
        boot[at] = np.quantile(resampled, [0.025, 0.975])
    seen = drawn[:, rank]
    return Cell(
        scenario=f"p{100 * share:g} of {n} cases",
        grid=grid,
        found={
            "evalkit": Errors(false_pass=late, false_fail=early),
            "bootstrap": Errors(
                false_pass=float((boot[:, 1] < share).mean()), false_fail=float((boot[:, 0] > share).mean())
            ),
            "quantiles compared": Errors(
                false_pass=float((seen <= share).mean()), false_fail=float((seen > share).mean())
            ),
        },
    )
