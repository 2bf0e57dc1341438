"""Gates against a baseline, where the candidate is exactly at the margin: a pass and a fail are both by chance.

One trial a case and right or wrong: every outcome is enumerated, so these figures have no error of their own.
Repeats: drawn, with a seed.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache

from evalkit.stats.intervals import Interval
from evalkit.stats.paired import paired_student, tango
from evalkit.stats.pairs import Pair, Pairing
from evalkit.stats.special import normal_quantile

SIZES = (20, 50, 100, 200)
MARGINS = (0.02, 0.05, 0.10)
EXTRA = (0.0, 0.05, 0.10)
"""How many more cases change than have to: the discordance is the margin and this."""

BASE_RATE = 0.9
SHOWN = ((20, 0.02, 0.0), (50, 0.02, 0.0), (100, 0.05, 0.0), (100, 0.10, 0.0), (200, 0.02, 0.05), (200, 0.10, 0.05))
_RARE = 1e-10
_Z = normal_quantile(0.025)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`n` cases, a true drop of `margin`, and a share `discordance` of cases that change at all."""

    n: int
    margin: float
    discordance: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How often a method passes, and fails, a candidate that is exactly at the margin."""

    false_pass: float
    false_fail: float


METHODS = ("Tango (evalkit)", "paired t", "unpaired z", "means compared")


def scenarios(sizes: Sequence[int] = SIZES) -> Iterator[Scenario]:
    """The grid: 36 for all sizes."""
    for n in sizes:
        for margin in MARGINS:
            for extra in EXTRA:
                yield Scenario(n=n, margin=margin, discordance=margin + extra)


def enumerate_errors(scenario: Scenario) -> dict[str, Errors]:
    """Sum the chances of all outcomes in which each method passes, or fails."""
    n, margin = scenario.n, scenario.margin
    rising = (scenario.discordance - margin) / 2
    falling = (scenario.discordance + margin) / 2
    wrong = (1 - BASE_RATE - rising) / (1 - scenario.discordance)
    passed = dict.fromkeys(METHODS, 0.0)
    failed = dict.fromkeys(METHODS, 0.0)
    for better in range(n + 1):
        first = _binomial(better, n, rising)
        if first < _RARE:
            continue
        for worse in range(n - better + 1):
            chance = first * _binomial(worse, n - better, falling / (1 - rising))
            if chance < _RARE:
                continue
            seen = Fraction(better - worse, n)
            limit = -Fraction(str(margin))
            for name, interval in zip(METHODS[:2], (_tango(better, worse, n), _t(better, worse, n)), strict=True):
                passed[name] += chance * (Fraction(interval.low) >= limit)
                failed[name] += chance * (Fraction(interval.high) < limit)
            passed[METHODS[3]] += chance * (seen >= limit)
            failed[METHODS[3]] += chance * (seen < limit)
            good, bad = _unpaired(better, worse, n, margin, wrong)
            passed[METHODS[2]] += chance * good
            failed[METHODS[2]] += chance * bad
    return {name: Errors(false_pass=passed[name], false_fail=failed[name]) for name in METHODS}


ALARM_METHODS = ("Tango (evalkit)", "paired t", "any drop of the mean")
DISCORDANCES = (0.02, 0.05, 0.10, 0.20)


def enumerate_alarms(n: int, discordance: float) -> dict[str, float]:
    """How often "no regression" fails although nothing but chance moved the cases, as many up as down."""
    failed = dict.fromkeys(ALARM_METHODS, 0.0)
    for better in range(n + 1):
        first = _binomial(better, n, discordance / 2)
        if first < _RARE:
            continue
        for worse in range(n - better + 1):
            chance = first * _binomial(worse, n - better, discordance / 2 / (1 - discordance / 2))
            if chance >= _RARE:
                failed[ALARM_METHODS[0]] += chance * (_tango(better, worse, n).high < 0)
                failed[ALARM_METHODS[1]] += chance * (_t(better, worse, n).high < 0)
                failed[ALARM_METHODS[2]] += chance * (better < worse)
    return failed


@cache
def _tango(better: int, worse: int, n: int) -> Interval:
    return tango(better, worse, n)


def _t(better: int, worse: int, n: int) -> Interval:
    mean = (better - worse) / n
    return paired_student(mean, better + worse - n * mean * mean, n)


def _unpaired(better: int, worse: int, n: int, margin: float, wrong: float) -> tuple[float, float]:
    """How often the two-sample interval passes and fails, over how many of the unchanged cases are wrong."""
    good = bad = 0.0
    difference = (better - worse) / n
    for both_wrong in range(n - better - worse + 1):
        chance = _binomial(both_wrong, n - better - worse, wrong)
        if chance < 1e-9:
            continue
        before, after = 1 - (both_wrong + better) / n, 1 - (both_wrong + worse) / n
        half = _Z * math.sqrt((before * (1 - before) + after * (1 - after)) / n)
        good += chance * (difference - half >= -margin)
        bad += chance * (difference + half < -margin)
    return good, bad


@cache
def _binomial(k: int, n: int, p: float) -> float:
    if p <= 0 or p >= 1:
        return float(k == (n if p >= 1 else 0))
    logarithm = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(logarithm + k * math.log(p) + (n - k) * math.log1p(-p))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """`n` cases of `trials` trials each. `kind`: every case loses `margin`, or that share of cases loses all."""

    n: int
    trials: int
    margin: float
    kind: str


def repeat_scenarios(sizes: Sequence[int] = (20, 50, 100)) -> Iterator[Repeats]:
    """The grid for repeats."""
    for n in sizes:
        for trials in (3, 5):
            for margin in (0.05, 0.10):
                for kind in ("all a little", "a few entirely"):
                    yield Repeats(n=n, trials=trials, margin=margin, kind=kind)


REPEAT_METHODS = ("evalkit", "paired t", "trials as cases, z")


def draw_errors(scenario: Repeats, *, draws: int, seed: int) -> dict[str, Errors]:
    """Draw suites with a candidate exactly at the margin, and count."""
    generator = random.Random(f"{seed} {scenario}")
    passed = dict.fromkeys(REPEAT_METHODS, 0)
    failed = dict.fromkeys(REPEAT_METHODS, 0)
    for _ in range(draws):
        for name, interval in _one(scenario, generator).items():
            passed[name] += interval.low >= -scenario.margin
            failed[name] += interval.high < -scenario.margin
    return {name: Errors(false_pass=passed[name] / draws, false_fail=failed[name] / draws) for name in REPEAT_METHODS}


def _one(scenario: Repeats, generator: random.Random) -> dict[str, Interval]:
    k = scenario.trials
    pairs = []
    for number in range(scenario.n):
        base, candidate = _rates(scenario, generator)
        sides = [sum(generator.random() < rate for _ in range(k)) for rate in (base, candidate)]
        ends = [(Fraction(side, k), Fraction(side, k)) for side in sides]
        pairs.append(Pair(case=str(number), base=ends[0], candidate=ends[1]))
    pairing = Pairing(shape="binary", one_trial=False, pairs=tuple(pairs), only_base=(), only_candidate=())
    data = pairing.statistics()
    mean = float(data.difference or 0)
    interval = data.interval(0.95)
    assert interval is not None
    before, after = float(data.base / data.complete), float(data.candidate / data.complete)
    half = _Z * math.sqrt((before * (1 - before) + after * (1 - after)) / (scenario.n * k))
    naive = Interval(low=mean - half, high=mean + half, level=0.95, method="z")
    t = paired_student(mean, data.deviation, data.complete)
    return dict(zip(REPEAT_METHODS, (interval, t, naive), strict=True))


def _rates(scenario: Repeats, generator: random.Random) -> tuple[float, float]:
    if scenario.kind == "all a little":
        base = scenario.margin + (1 - scenario.margin) * generator.betavariate(6, 1)
        return base, base - scenario.margin
    base = 1.0
    return base, 0.0 if generator.random() < scenario.margin else base
