"""`not worse than baseline by δ` with repeats, graded scores, and costs by a percentage: drawn, with a seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from benchmarks.simulation.cells import Cell, Grid, Tally
from evalkit.stats.columns import Shape
from evalkit.stats.paired import paired_student
from evalkit.stats.pairs import Pairs
from evalkit.stats.special import normal_quantile

_Z = normal_quantile(0.025)
_GRAIN = 10**6
"""Graded scores are drawn with six digits, so that sums are exact."""

Draw = Callable[[np.random.Generator, tuple[int, int], float], tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A way for a candidate to be worse by a margin: `draw` gives the case means of both runs."""

    name: str
    draw: Draw
    shape: Shape
    trials: int = 1
    grid: Grid = "first"


def _trials(k: int, before: np.ndarray, after: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.binomial(k, np.clip(before, 0, 1)) / k, rng.binomial(k, np.clip(after, 0, 1)) / k


def _all_a_little(k: int) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> tuple[np.ndarray, np.ndarray]:
        base = margin + (1 - margin) * rng.beta(6, 1, shape)
        return _trials(k, base, base - margin, rng)

    return draw


def _a_few_entirely(k: int, *, noisy: bool) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> tuple[np.ndarray, np.ndarray]:
        base = rng.beta(6, 1, shape) if noisy else np.ones(shape)
        share = margin / (6 / 7) if noisy else margin
        return _trials(k, base, np.where(rng.random(shape) < share, 0.0, base), rng)

    return draw


def _tilted(k: int) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> tuple[np.ndarray, np.ndarray]:
        base = rng.beta(2, 2, shape)
        return _trials(k, base, base * (1 - 2 * margin), rng)

    return draw


def _graded(change: Callable[[np.random.Generator, tuple[int, int], float], np.ndarray]) -> Draw:
    """Only differences matter to a paired comparison, so the baseline may be anything."""

    def draw(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> tuple[np.ndarray, np.ndarray]:
        base = np.full(shape, 0.5)
        return base, base + np.round(change(rng, shape, margin), 6)

    return draw


def _shift(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> np.ndarray:
    return rng.normal(0, 0.1, shape) - margin


def _jitter_and_drops(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> np.ndarray:
    return rng.normal(0, 0.03, shape) - 0.45 * (rng.random(shape) < margin / 0.45)


def _some_stay(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> np.ndarray:
    jitter = np.where(rng.random(shape) < 0.3, rng.normal(0, 0.15, shape), 0.0)
    return jitter - 0.4 * (rng.random(shape) < margin / 0.4)


def _levels(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> np.ndarray:
    steps = rng.choice([-0.25, 0.0, 0.25], p=[0.2, 0.6, 0.2], size=shape)
    return steps - 0.25 * (rng.random(shape) < margin / 0.25)


def _lean(rng: np.random.Generator, shape: tuple[int, int], margin: float) -> np.ndarray:
    return 0.1 - rng.exponential(0.1 + margin, shape)


REPEATED = (
    *(Change(name=f"all lose a little, {k} trials", draw=_all_a_little(k), shape="binary", trials=k) for k in (3, 5)),
    *(
        Change(name=f"a few lose all, {k} trials", draw=_a_few_entirely(k, noisy=False), shape="binary", trials=k)
        for k in (3, 5)
    ),
    Change(
        name="a few lose all, noisy, 4 trials",
        draw=_a_few_entirely(4, noisy=True),
        shape="binary",
        trials=4,
        grid="second",
    ),
    Change(name="in proportion, 2 trials", draw=_tilted(2), shape="binary", trials=2, grid="second"),
    Change(name="in proportion, 8 trials", draw=_tilted(8), shape="binary", trials=8, grid="second"),
)
GRADED = (
    Change(name="all shift", draw=_graded(_shift), shape="unit"),
    Change(name="most stay, some drop", draw=_graded(_some_stay), shape="unit"),
    Change(name="steps of a quarter", draw=_graded(_levels), shape="unit"),
    Change(name="a long tail of losses", draw=_graded(_lean), shape="unit", grid="second"),
)
UNSEEN = (Change(name="all waver, and a few drop far", draw=_graded(_jitter_and_drops), shape="unit"),)
SIZES, MARGINS = {"first": (20, 50, 100), "second": (30, 75, 150)}, {"first": (0.05, 0.10), "second": (0.07, 0.12)}


def statistics(before: np.ndarray, after: np.ndarray, change: Change) -> Iterator[Pairs]:
    """The sufficient statistics of each row, as `Pairing.statistics` has them."""
    grain = change.trials if change.shape == "binary" else _GRAIN
    n = before.shape[1]
    base, candidate = (np.rint(side * grain).astype(np.int64) for side in (before, after))
    steps = candidate - base
    means = steps.mean(axis=1) / grain
    distances = steps / grain - means[:, None]
    powers = [(distances**power).sum(axis=1).tolist() for power in (2, 3, 4)]
    sums = [
        side.sum(axis=1).tolist()
        for side in (base, candidate, np.maximum(steps, 0), np.maximum(-steps, 0), steps > 0, steps < 0)
    ]
    for b, c, up, down, higher, lower, second, third, fourth in zip(*sums, *powers, strict=True):
        yield Pairs(
            shape=change.shape,
            one_trial=change.trials == 1,
            complete=n,
            base=Fraction(b, grain),
            candidate=Fraction(c, grain),
            up=Fraction(up, grain),
            down=Fraction(down, grain),
            higher=higher,
            lower=lower,
            deviation=0.0 if second < 1e-12 else second,
            relative=None,
            open=(),
            third=third,
            fourth=fourth,
        )


METHODS = ("evalkit", "paired t", "unpaired z")


def on_change(change: Change, n: int, margin: float, *, draws: int, seed: int) -> Cell:
    """Ours, paired t, and two samples compared as if they had nothing in common."""
    rng = np.random.default_rng([seed, n, round(margin * 1000), *change.name.encode()])
    before, after = change.draw(rng, (draws, n), margin)
    found = {name: Tally() for name in METHODS}
    if change.shape == "binary":
        variances = before.mean(axis=1) * (1 - before.mean(axis=1)) + after.mean(axis=1) * (1 - after.mean(axis=1))
        halves = _Z * np.sqrt(variances / n / change.trials)
    else:
        halves = _Z * np.sqrt((before.var(axis=1) + after.var(axis=1)) / (n - 1))
    for data, half in zip(statistics(before, after, change), halves.tolist(), strict=True):
        mean = float(data.difference or 0)
        ours = data.interval(0.95)
        assert ours is not None
        t = paired_student(mean, data.deviation, n)
        found["evalkit"].add(ours.low, ours.high, -margin)
        found["paired t"].add(t.low, t.high, -margin)
        found["unpaired z"].add(mean - half, mean + half, -margin)
    errors = {name: tally.errors() for name, tally in found.items()}
    return Cell(
        scenario=f"{change.name}, {n} cases, δ = {margin:g}",
        grid=change.grid,
        found=errors,
        draws=draws,
        again=lambda draws, seed: on_change(change, n, margin, draws=draws, seed=seed),
    )


def cells(changes: tuple[Change, ...], *, draws: int, seed: int) -> Iterator[Cell]:
    """Every change at every size and margin of its grid."""
    for change in changes:
        for n in SIZES[change.grid]:
            for margin in MARGINS[change.grid]:
                yield on_change(change, n, margin, draws=draws, seed=seed)


def on_cost(n: int, spread: float, noise: float, grid: Grid, *, draws: int, seed: int) -> Cell:
    """`cost not worse than baseline by 10%`, with every case dearer by 10 % on average, times noise."""
    rng = np.random.default_rng([seed, n, round(spread * 100), round(noise * 100)])
    before = rng.lognormal(0, spread, (draws, n))
    after = before * 1.1 * rng.lognormal(-noise * noise / 2, noise, (draws, n))
    found = {name: Tally() for name in ("evalkit", "t of the differences", "means compared")}
    for old, new in zip(before, after, strict=True):
        first, second = float(old.mean()), float(new.mean())
        distances = new / second - old / first
        difference = new - old
        powers = [float((distances**power).sum()) for power in (2, 3, 4)]
        data = Pairs(
            shape="unbounded",
            one_trial=True,
            complete=n,
            base=Fraction(float(old.sum())),
            candidate=Fraction(float(new.sum())),
            up=Fraction(1),
            down=Fraction(0),
            higher=n,
            lower=0,
            deviation=1.0,
            relative=powers[0],
            open=(),
            relative_third=powers[1],
            relative_fourth=powers[2],
        )
        ours = data.relative_interval(0.95)
        assert ours is not None
        half = paired_student(0.0, float(((difference - difference.mean()) ** 2).sum()), n).high
        mean = float(difference.mean())
        found["evalkit"].add(ours.low, ours.high, 0.1)
        found["t of the differences"].add((mean - half) / first, (mean + half) / first, 0.1)
        found["means compared"].add(mean / first, mean / first, 0.1)
    name = f"{n} cases, costs spread by {spread:g}, noise {noise:g}"
    errors = {method: tally.errors(wants_more=False) for method, tally in found.items()}
    return Cell(
        scenario=name,
        grid=grid,
        found=errors,
        draws=draws,
        again=lambda draws, seed: on_cost(n, spread, noise, grid, draws=draws, seed=seed),
    )


def cost_cells(*, draws: int, seed: int, few: bool) -> Iterator[Cell]:
    """Log-normal costs; the two numbers are standard deviations of logarithms. `few` is for fewer than 50 cases."""
    for spread, noise in ((0.5, 0.3), (1.0, 0.3), (0.5, 0.6)):
        for n in (20,) if few else (50, 100):
            yield on_cost(n, spread, noise, "first", draws=draws, seed=seed)
    for spread, noise in ((0.8, 0.2), (0.3, 0.5)):
        for n in (30,) if few else (75, 200):
            yield on_cost(n, spread, noise, "second", draws=draws, seed=seed)
