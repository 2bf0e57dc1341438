"""How far labels agree with those that were expected, beyond what chance would give: κ, MCC, F1.

All work on a table of counts: row i, column j says how many cases were expected to be i and were given j.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

from evalkit.errors import MissingExtra
from evalkit.stats.intervals import Interval
from evalkit.stats.special import normal_quantile

Table = Sequence[Sequence[float]]

RESAMPLES = 9_999
FEWEST_CASES = 30
"""Below this many cases a bootstrap has too little to draw from, and its interval is not to be trusted."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Cohen's κ with its asymptotic standard error, and the interval of ± z standard errors at `level`."""

    value: float
    error: float
    low: float
    high: float
    level: float


def confusion(pairs: Sequence[tuple[Hashable, Hashable]]) -> tuple[tuple[Hashable, ...], list[list[int]]]:
    """The labels, sorted as text, and the table of counts of `(expected, given)` pairs."""
    labels = tuple(sorted({label for pair in pairs for label in pair}, key=str))
    position = {label: at for at, label in enumerate(labels)}
    table = [[0] * len(labels) for _ in labels]
    for expected, given in pairs:
        table[position[expected]][position[given]] += 1
    return labels, table


def cohen_kappa(
    table: Table, *, weights: Literal["linear", "quadratic"] | None = None, level: float = 0.95
) -> Kappa | None:
    """Agreement beyond chance: 1 for perfect, 0 for what chance gives; `None` where only one label was ever used.

    `weights` counts near misses of ordered labels as less of a disagreement, by distance or by its square. Source:
    Cohen (1960, 1968); the error is that of Fleiss, Cohen and Everitt (1969). Raises `ValueError` for an empty or
    uneven table.
    """
    n, rows, columns = _margins(table)
    size = len(table)
    power = {"linear": 1, "quadratic": 2}.get(weights or "", 0)
    if power:
        most = max(size - 1, 1)
        weight = [[1 - (abs(i - j) / most) ** power for j in range(size)] for i in range(size)]
    else:
        weight = [[float(i == j) for j in range(size)] for i in range(size)]
    p, q = [row / n for row in rows], [column / n for column in columns]
    cells = [(i, j) for i in range(size) for j in range(size)]
    observed = math.fsum(weight[i][j] * table[i][j] / n for i, j in cells)
    chance = math.fsum(weight[i][j] * p[i] * q[j] for i, j in cells)
    if math.isclose(chance, 1):
        return None
    value = (observed - chance) / (1 - chance)
    by_row = [math.fsum(weight[i][j] * q[j] for j in range(size)) for i in range(size)]
    by_column = [math.fsum(weight[i][j] * p[i] for i in range(size)) for j in range(size)]
    spread = math.fsum(
        table[i][j] / n * (weight[i][j] - (by_row[i] + by_column[j]) * (1 - value)) ** 2 for i, j in cells
    )
    variance = (spread - (value - chance * (1 - value)) ** 2) / (n * (1 - chance) ** 2)
    error = math.sqrt(max(variance, 0.0))
    half = normal_quantile((1 - level) / 2) * error
    return Kappa(value=value, error=error, low=value - half, high=value + half, level=level)


def careful_kappa(table: Table, *, level: float = 0.95) -> Kappa | None:
    """κ with an interval that has a width where nobody disagreed, too.

    Without a disagreement the formula's error is nothing, which a few cases do not prove; then the error is that
    of the same table with one disagreement more, and the lower end is taken from there.
    """
    found = cohen_kappa(table, level=level)
    if found is None or found.error > 0:
        return found
    size = len(table)
    worse: list[Kappa] = []
    for place in range(size):
        for other in range(size):
            if place != other and table[place][place]:
                more = [list(row) for row in table]
                more[place][other] += 1
                one = cohen_kappa(more, level=level)
                if one is not None:
                    worse.append(one)
    if not worse:
        return found
    least = min(worse, key=lambda one: one.low)
    return Kappa(value=found.value, error=least.error, low=least.low, high=found.high, level=level)


def matthews(table: Table) -> float | None:
    """Matthews' correlation of expected and given labels, from −1 to 1; `None` where either is always the same.

    For more than two labels Gorodkin's (2004) form. Source: Matthews (1975).
    """
    n, rows, columns = _margins(table)
    right = math.fsum(table[i][i] for i in range(len(table)))
    above = right * n - math.fsum(row * column for row, column in zip(rows, columns, strict=True))
    below = (n * n - math.fsum(column**2 for column in columns)) * (n * n - math.fsum(row**2 for row in rows))
    return above / math.sqrt(below) if below > 0 else None


def macro_f1(table: Table) -> float:
    """The mean over labels of F1 = 2·right / (expected + given); every label that occurs weighs the same."""
    _, rows, columns = _margins(table)
    scores = [
        2 * table[i][i] / (row + column)
        for i, (row, column) in enumerate(zip(rows, columns, strict=True))
        if row + column
    ]
    return math.fsum(scores) / len(scores)


def _margins(table: Table) -> tuple[float, list[float], list[float]]:
    if not table or any(len(row) != len(table) for row in table):
        raise ValueError("a table of counts has as many columns as rows, and at least one")
    rows = [math.fsum(row) for row in table]
    columns = [math.fsum(row[j] for row in table) for j in range(len(table))]
    n = math.fsum(rows)
    if n <= 0:
        raise ValueError("there is nothing in the table")
    return n, rows, columns


def bca(
    cases: Sequence[Hashable],
    statistic: Callable[[Sequence[Hashable]], float | None],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval | None:
    """The interval of any statistic of cases: bias-corrected, accelerated bootstrap over whole cases.

    `cases` may be anything, such as `(expected, given)` pairs or, with repeats, tuples of them. `None` where the
    statistic does not vary or is undefined in too many resamples. The order of the cases makes no difference.
    Source: Efron (1987), as `scipy.stats.bootstrap` has it. Needs the extra `stats`.
    """
    try:
        import numpy as np
        from scipy import stats
    except ImportError:
        raise MissingExtra("scipy", "stats", needed_for="a bootstrap interval") from None

    ordered = sorted(cases, key=repr)
    if len(set(ordered)) < 2:
        return None

    def of(chosen: Sequence[int]) -> float:
        value = statistic([ordered[at] for at in chosen])
        return math.nan if value is None else value

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # said by `None`, below
        found = stats.bootstrap(
            (np.arange(len(ordered)),),
            of,
            n_resamples=resamples,
            vectorized=False,
            method="BCa",
            confidence_level=level,
            random_state=np.random.default_rng(seed),
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    if math.isnan(low) or math.isnan(high):
        return None
    return Interval(low=low, high=high, level=level, method="BCa bootstrap")
