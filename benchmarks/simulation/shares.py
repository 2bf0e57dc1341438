"""`accuracy >= t @ 95%`, one right-or-wrong trial a case, with the true share at t: every outcome is enumerated."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchmarks.simulation.cells import Cell, Grid, Tally
from evalkit.stats.intervals import clopper_pearson, student
from evalkit.stats.special import normal_quantile

_Z = normal_quantile(0.025)
_RARE = 1e-13


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Wilson's interval at 95 %."""
    share = successes / n
    centre = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z / (1 + _Z * _Z / n) * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    return centre - half, centre + half


def cells() -> Iterator[Cell]:
    """Both grids."""
    grids: tuple[tuple[Grid, tuple[int, ...], tuple[float, ...]], ...] = (
        ("first", (40, 100, 300), tuple(p / 100 for p in range(85, 100))),
        ("second", (25, 60, 150), (0.3, 0.5, 0.62, 0.75, 0.8, 0.883, 0.97)),
    )
    for grid, sizes, shares in grids:
        for n in sizes:
            for share in shares:
                yield _cell(grid, n, share)


def _cell(grid: Grid, n: int, share: float) -> Cell:
    found = {name: Tally() for name in ("evalkit", "z (Wald)", "t", "Wilson")}
    for k in range(n + 1):
        chance = binomial(k, n, share)
        if chance < _RARE:
            continue
        seen = k / n
        half = _Z * math.sqrt(seen * (1 - seen) / n)
        ours, t = clopper_pearson(k, n), student(seen, seen * (1 - seen) / (n - 1), n)
        found["evalkit"].add(ours.low, ours.high, share, chance)
        found["z (Wald)"].add(seen - half, seen + half, share, chance)
        found["t"].add(t.low, t.high, share, chance)
        found["Wilson"].add(*wilson(k, n), share, chance)
    return Cell(scenario=f"{n} cases, true share {share:g}", grid=grid, found={m: t.errors() for m, t in found.items()})


def binomial(k: int, n: int, p: float) -> float:
    """The chance of k of n."""
    if p <= 0 or p >= 1:
        return float(k == (n if p >= 1 else 0))
    logarithm = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(logarithm + k * math.log(p) + (n - k) * math.log1p(-p))
