"""How often a gate on repeated trials is wrong, by Korn and Graubard's interval and by what others use.

    python benchmarks/simulation/repeats.py                   20,000 suites a scenario, prints the tables
    python benchmarks/simulation/repeats.py --suites 2000     quicker and coarser
    python benchmarks/simulation/repeats.py --write           writes the tables into docs/statistics-repeats.md

Each suite has G cases, each case a true chance to be right, and K trials of it. A false PASS is a suite whose lower
limit lies above the true mean over all cases there could be, a false FAIL one whose upper limit lies below it. At a
level of 95 % either may happen to 2.5 % of the suites.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from evalkit.stats.intervals import Interval, clopper_pearson, korn_graubard, student
from evalkit.stats.repeats import of_passes
from evalkit.stats.special import normal_quantile

PAGE = Path(__file__).parents[2] / "docs/statistics-repeats.md"
SEED = 20_261_122


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`cases` cases with `trials` trials each; `draw` gives the true chances of so many cases."""

    name: str
    cases: int
    trials: int
    draw: Callable[[np.random.Generator, int], np.ndarray]
    moments: Callable[[int], float]
    """The mean over all cases of the k-th power of the chance."""


def _beta_moment(a: float, b: float, k: int) -> float:
    return math.prod((a + i) / (a + b + i) for i in range(k))


SCENARIOS = (
    Scenario(
        name="Beta(9, 1)",
        cases=20,
        trials=5,
        draw=lambda rng, n: rng.beta(9, 1, n),
        moments=functools.partial(_beta_moment, 9, 1),
    ),
    Scenario(
        name="85 % at .99, 15 % at .3",
        cases=40,
        trials=5,
        draw=lambda rng, n: np.where(rng.random(n) < 0.85, 0.99, 0.3),
        moments=lambda k: 0.85 * 0.99**k + 0.15 * 0.3**k,
    ),
    Scenario(
        name="each case always right or always wrong, 90 % right",
        cases=40,
        trials=5,
        draw=lambda rng, n: (rng.random(n) < 0.9).astype(float),
        moments=lambda k: 0.9,
    ),
    Scenario(
        name="every case at .9",
        cases=40,
        trials=3,
        draw=lambda rng, n: np.full(n, 0.9),
        moments=lambda k: 0.9**k,
    ),
    Scenario(
        name="Beta(2, 2)",
        cases=40,
        trials=5,
        draw=lambda rng, n: rng.beta(2, 2, n),
        moments=functools.partial(_beta_moment, 2, 2),
    ),
)


@dataclasses.dataclass(slots=True)
class Tally:
    """How many suites there were, and how many limits were wrong."""

    suites: int = 0
    false_pass: int = 0
    false_fail: int = 0

    def add(self, low: float, high: float, truth: float, count: int) -> None:
        self.suites += count
        self.false_pass += count * (low > truth + 1e-12)
        self.false_fail += count * (high < truth - 1e-12)

    @property
    def rates(self) -> tuple[float, float, float]:
        """Coverage, false PASS and false FAIL."""
        wrong = self.false_pass, self.false_fail
        return 1 - sum(wrong) / self.suites, wrong[0] / self.suites, wrong[1] / self.suites


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Wilson's interval at 95 %, which many use on the trials."""
    z = normal_quantile(0.025)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def on_means(scenario: Scenario, suites: int, seed: int = SEED) -> dict[str, Tally]:
    """How often the intervals of the mean are wrong: trials taken for cases, normal and t over cases, and ours."""
    found = {name: Tally() for name in ("Wilson on trials", "z over cases", "t over cases", "Korn-Graubard")}
    truth = scenario.moments(1)
    for passes, count in _draws(scenario, suites, seed):
        g, k = scenario.cases, scenario.trials
        mean = float(passes @ np.arange(k + 1)) / k / g
        variance = float(passes @ (np.arange(k + 1) / k - mean) ** 2) / (g - 1) / g
        half = normal_quantile(0.025) * math.sqrt(variance)
        found["Wilson on trials"].add(*wilson(mean * g * k, g * k), truth, count)
        found["z over cases"].add(mean - half, mean + half, truth, count)
        found["t over cases"].add(*_ends(student(mean, variance, g)), truth, count)
        found["Korn-Graubard"].add(*_ends(korn_graubard(mean, variance, g, cap=g * k)), truth, count)
    return found


def on_reducers(scenario: Scenario, suites: int, statistics: tuple[str, ...], seed: int = SEED) -> dict[str, Tally]:
    """How often the interval is wrong that a gate on a reducer of the trials uses."""
    g, k = scenario.cases, scenario.trials
    found = {statistic: Tally() for statistic in statistics}
    values = {s: np.array([float(of_passes(s, k, c)) for c in range(k + 1)]) for s in statistics}
    for passes, count in _draws(scenario, suites, seed):
        for statistic, value in values.items():
            mean = float(passes @ value) / g
            if set(value) <= {0.0, 1.0}:
                low, high = _ends(clopper_pearson(round(mean * g), g))
            else:
                variance = float(passes @ (value - mean) ** 2) / (g - 1) / g
                variance = 0.0 if variance < 1e-15 else variance
                low, high = _ends(korn_graubard(mean, variance, g, cap=g * k))
            found[statistic].add(low, high, truth_of(scenario, statistic), count)
    return found


def truth_of(scenario: Scenario, statistic: str) -> float:
    """What the mean of a reducer over all cases there could be is."""
    if statistic == "flake_rate":
        return 2 * (scenario.moments(1) - scenario.moments(2))
    return scenario.moments(int(statistic.removeprefix("pass^")))


def _draws(scenario: Scenario, suites: int, seed: int):
    """Suites as how many cases have 0 … K passes, each with how often it was drawn."""
    rng = np.random.default_rng(seed)
    chances = scenario.draw(rng, suites * scenario.cases).reshape(suites, scenario.cases)
    passes = rng.binomial(scenario.trials, chances)
    counted = np.stack([(passes == c).sum(axis=1) for c in range(scenario.trials + 1)], axis=1)
    distinct, counts = np.unique(counted, axis=0, return_counts=True)
    return zip(distinct, counts.tolist(), strict=True)


REDUCERS = ("pass^2", "pass^3", "flake_rate")


def tables(suites: int) -> str:
    """Both tables as Markdown."""
    methods = ("Wilson on trials", "z over cases", "t over cases", "Korn-Graubard")
    lines = [
        "| scenario | cases × trials | " + " | ".join(methods) + " |",
        "|---|---|" + "---|" * len(methods),
    ]
    for scenario in SCENARIOS:
        found = on_means(scenario, suites)
        cells = [_cell(found[name]) for name in methods]
        lines.append(f"| {scenario.name} | {scenario.cases} × {scenario.trials} | " + " | ".join(cells) + " |")
    lines += ["", "| scenario | cases × trials | " + " | ".join(REDUCERS) + " |", "|---|---|" + "---|" * len(REDUCERS)]
    for scenario in SCENARIOS:
        found = on_reducers(scenario, suites, REDUCERS)
        cells = [_cell(found[name]) for name in REDUCERS]
        lines.append(f"| {scenario.name} | {scenario.cases} × {scenario.trials} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(tally: Tally) -> str:
    coverage, false_pass, false_fail = tally.rates
    return f"{coverage:.3f} / {false_pass:.3f} / {false_fail:.3f}"


def write(text: str, page: Path = PAGE) -> None:
    """Put the tables between their two marks in the page."""
    before = page.read_text(encoding="utf-8")
    marks = r"(<!-- tables: written by benchmarks/simulation/repeats.py -->\n).*(<!-- end of tables -->)"
    page.write_text(re.sub(marks, lambda mark: mark[1] + text + "\n" + mark[2], before, flags=re.S), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suites", type=int, default=20_000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    began = time.perf_counter()
    text = tables(options.suites)
    print(text)
    print(f"\n{options.suites:,} suites a scenario, seed {SEED}, {time.perf_counter() - began:.0f} s")
    if options.write:
        write(f"\n{options.suites:,} suites a scenario, seed {SEED}.\n\n{text}\n")


if __name__ == "__main__":
    main()
