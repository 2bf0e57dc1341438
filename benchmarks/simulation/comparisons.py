"""Gates against a baseline, where the candidate is exactly at the margin: a pass and a fail are both by chance.

One trial a case and right or wrong: every outcome is enumerated, so these figures have no error of their own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from functools import cache

from benchmarks.simulation.cells import Cell, Errors, Grid
from benchmarks.simulation.shares import binomial
from evalkit.stats.intervals import Interval
from evalkit.stats.paired import paired_student, score_interval, tango
from evalkit.stats.special import normal_quantile

SIZES = (20, 50, 100, 200)
MARGINS = (0.02, 0.05, 0.10)
EXTRA = (0.0, 0.05, 0.10)
"""How many more cases change than have to: the discordance is the margin and this."""

OTHER_SIZES = (30, 75, 150)
OTHER_MARGINS = (0.03, 0.07, 0.15)
OTHER_EXTRA = (0.02, 0.08, 0.20)

BASE_RATE = 0.9
SHOWN = ((20, 0.02, 0.0), (50, 0.02, 0.0), (100, 0.05, 0.0), (100, 0.10, 0.0), (200, 0.02, 0.05), (200, 0.10, 0.05))
_RARE = 1e-10
_Z = normal_quantile(0.025)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`n` cases, a true difference of `margin` down (or up), and a share `discordance` of cases that change at all."""

    n: int
    margin: float
    discordance: float
    grid: Grid = "first"

    @property
    def name(self) -> str:
        """As in the tables."""
        return f"{self.n} cases, δ = {self.margin:g}, {self.discordance:g} change"


METHODS = ("evalkit", "Tango as published", "paired t", "unpaired z", "means compared")


def scenarios(sizes: Sequence[int] = SIZES) -> Iterator[Scenario]:
    """The first grid: 36 for all sizes."""
    for n in sizes:
        for margin in MARGINS:
            for extra in EXTRA:
                yield Scenario(n=n, margin=margin, discordance=margin + extra)


def other_scenarios() -> Iterator[Scenario]:
    """The second grid: 27, none of them in the first."""
    for n in OTHER_SIZES:
        for margin in OTHER_MARGINS:
            for extra in OTHER_EXTRA:
                yield Scenario(n=n, margin=margin, discordance=margin + extra, grid="second")


def enumerate_errors(scenario: Scenario) -> dict[str, Errors]:
    """`not worse by δ`: the chances of all outcomes in which each method passes, or fails."""
    n, margin = scenario.n, scenario.margin
    wrong = (1 - BASE_RATE - (scenario.discordance - margin) / 2) / (1 - scenario.discordance)
    passed = dict.fromkeys(METHODS, 0.0)
    failed = dict.fromkeys(METHODS, 0.0)
    for better, worse, chance in _outcomes(n, scenario.discordance, -margin):
        for name, interval in zip(METHODS, _intervals(better, worse, n), strict=False):
            passed[name] += chance * (interval.low >= -margin)
            failed[name] += chance * (interval.high < -margin)
        # Counts are whole and margins hundredths, so this is exact.
        enough = better - worse >= -round(margin * 1000) * n / 1000
        passed["means compared"] += chance * enough
        failed["means compared"] += chance * (not enough)
        good, bad = _unpaired(better, worse, n, margin, wrong)
        passed["unpaired z"] += chance * good
        failed["unpaired z"] += chance * bad
    return {name: Errors(false_pass=passed[name], false_fail=failed[name]) for name in METHODS}


GAIN_METHODS = METHODS[:3]


def enumerate_gains(scenario: Scenario) -> dict[str, Errors]:
    """`better by δ`, with the candidate better by exactly δ."""
    n, margin = scenario.n, scenario.margin
    passed = dict.fromkeys(GAIN_METHODS, 0.0)
    failed = dict.fromkeys(GAIN_METHODS, 0.0)
    for better, worse, chance in _outcomes(n, scenario.discordance, margin):
        for name, interval in zip(GAIN_METHODS, _intervals(better, worse, n), strict=True):
            passed[name] += chance * (interval.low > margin if margin == 0 else interval.low >= margin)
            failed[name] += chance * (interval.high < margin)
    return {name: Errors(false_pass=passed[name], false_fail=failed[name]) for name in GAIN_METHODS}


ALARM_METHODS = ("evalkit", "Tango as published", "paired t", "any drop of the mean")
DISCORDANCES = (0.02, 0.05, 0.10, 0.20)
OTHER_DISCORDANCES = (0.03, 0.08, 0.30, 0.50)


def enumerate_alarms(n: int, discordance: float) -> dict[str, Errors]:
    """How often `no regression` fails although nothing but chance moved the cases, as many up as down."""
    failed = dict.fromkeys(ALARM_METHODS, 0.0)
    for better, worse, chance in _outcomes(n, discordance, 0.0):
        for name, interval in zip(ALARM_METHODS, _intervals(better, worse, n), strict=False):
            failed[name] += chance * (interval.high < 0)
        failed["any drop of the mean"] += chance * (better < worse)
    return {name: Errors(false_pass=0.0, false_fail=rate) for name, rate in failed.items()}


def margin_cells() -> Iterator[Cell]:
    """`not worse by δ` over both grids."""
    for scenario in (*scenarios(), *other_scenarios()):
        yield Cell(scenario=scenario.name, grid=scenario.grid, found=enumerate_errors(scenario))


def gain_cells() -> Iterator[Cell]:
    """`better by δ` over both grids."""
    for scenario in (*scenarios(), *other_scenarios()):
        yield Cell(scenario=scenario.name, grid=scenario.grid, found=enumerate_gains(scenario))


def alarm_cells() -> Iterator[Cell]:
    """`no regression` over both grids."""
    grids: tuple[tuple[Grid, tuple[int, ...], tuple[float, ...]], ...] = (
        ("first", SIZES, DISCORDANCES),
        ("second", OTHER_SIZES, OTHER_DISCORDANCES),
    )
    for grid, sizes, discordances in grids:
        for n in sizes:
            for discordance in discordances:
                found = enumerate_alarms(n, discordance)
                yield Cell(scenario=f"{n} cases, {discordance:g} change", grid=grid, found=found)


def _outcomes(n: int, discordance: float, difference: float) -> Iterator[tuple[int, int, float]]:
    """How many rise and fall, with the chance of it."""
    rising, falling = (discordance + difference) / 2, (discordance - difference) / 2
    for better in range(n + 1):
        first = binomial(better, n, max(rising, 0.0))
        if first < _RARE:
            continue
        for worse in range(n - better + 1):
            chance = first * binomial(worse, n - better, max(falling, 0.0) / (1 - max(rising, 0.0)))
            if chance >= _RARE:
                yield better, worse, chance


@cache
def _intervals(better: int, worse: int, n: int) -> tuple[Interval, Interval, Interval]:
    mean = (better - worse) / n
    t = paired_student(mean, better + worse - n * mean * mean, n)
    return score_interval(better, worse, n), tango(better, worse, n), t


def _unpaired(better: int, worse: int, n: int, margin: float, wrong: float) -> tuple[float, float]:
    """How often the two-sample interval passes and fails, over how many of the unchanged cases are wrong."""
    good = bad = 0.0
    difference = (better - worse) / n
    for both_wrong in range(n - better - worse + 1):
        chance = binomial(both_wrong, n - better - worse, max(wrong, 0.0))
        if chance < 1e-9:
            continue
        before, after = 1 - (both_wrong + better) / n, 1 - (both_wrong + worse) / n
        half = _Z * math.sqrt((before * (1 - before) + after * (1 - after)) / n)
        good += chance * (difference - half >= -margin)
        bad += chance * (difference + half < -margin)
    return good, bad
