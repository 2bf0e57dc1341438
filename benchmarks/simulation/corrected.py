"""`score.corrected >= t @ 95%` with what people would say at t: labels of this run, or an earlier calibration; drawn.

python -m benchmarks.simulation.corrected    print the two tables of docs/design/judges.md, in some minutes
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.simulation.cells import OURS, Cell, Tally
from evalkit.stats.correction import informative, powered_share, prediction_powered, rogan_gladen
from evalkit.stats.intervals import clopper_pearson

NORMAL, LABELS, PLAIN, JUDGE = "normal error", "labels alone", "as published", "judge alone"
SEED = 20_261_123


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A run of which people would pass `truth`; its judge finds `hits` of those, and `rejections` of the others.

    `labels` of the `cases` have a label of people, drawn at random. A calibration has `labels` cases besides the run.
    """

    truth: float
    hits: float
    rejections: float
    labels: int
    cases: int

    @property
    def name(self) -> str:
        """The scenario in words."""
        share, hits, rejections = (f"{100 * value:g} %" for value in (self.truth, self.hits, self.rejections))
        return f"{share} right; finds {hits} and {rejections}; {self.labels} labels, {self.cases} cases"


SCENARIOS = tuple(
    Judged(truth=truth, hits=hits, rejections=rejections, labels=labels, cases=cases)
    for truth in (0.7, 0.9, 0.95)
    for hits, rejections in ((0.95, 0.9), (0.9, 0.7), (0.99, 0.5))
    for labels, cases in ((30, 200), (100, 500))
)


def on_labels(scenario: Judged, *, draws: int, seed: int) -> Cell:
    """PPI++ as gates do it, with the normal error of the paper, and without the judge."""
    rng = np.random.default_rng([seed, scenario.labels, scenario.cases, round(1000 * scenario.truth)])
    found = {name: Tally() for name in (OURS, NORMAL, LABELS)}
    for _ in range(draws):
        people = rng.random(scenario.cases) < scenario.truth
        chance = rng.random(scenario.cases)
        judge = np.where(people, chance < scenario.hits, chance >= scenario.rejections)
        labels, verdicts = people.astype(float).tolist(), judge.astype(float).tolist()
        n = scenario.labels
        given = (labels[:n], verdicts[:n], verdicts[n:])
        ours = powered_share(*given).interval()
        found[OURS].add(ours.low, ours.high, scenario.truth)
        normal = prediction_powered(*given)
        found[NORMAL].add(normal.low, normal.high, scenario.truth)
        alone = clopper_pearson(sum(labels[:n]), n)
        found[LABELS].add(alone.low, alone.high, scenario.truth)
    return _cell(scenario, found, draws)


def on_calibration(scenario: Judged, *, draws: int, seed: int) -> Cell:
    """Rogan and Gladen as gates do it, as published, and the judge taken at its word; half of the labels of each kind.

    Where the judge is not informative there is no verdict, which is not wrong.
    """
    rng = np.random.default_rng([seed, scenario.labels, scenario.cases, round(1000 * scenario.truth), 7])
    found = {name: Tally() for name in (OURS, PLAIN, JUDGE)}
    half, n = scenario.labels // 2, scenario.cases
    rate = scenario.truth * scenario.hits + (1 - scenario.truth) * (1 - scenario.rejections)
    for _ in range(draws):
        passed = int(rng.binomial(n, rate))
        known = {
            "true_positives": int(rng.binomial(half, scenario.hits)),
            "positives": half,
            "true_negatives": int(rng.binomial(half, scenario.rejections)),
            "negatives": half,
        }
        alone = clopper_pearson(passed, n)
        found[JUDGE].add(alone.low, alone.high, scenario.truth)
        for name, added in ((OURS, 1.0), (PLAIN, 0.0)):
            if informative(**known):
                one = rogan_gladen(passed, n, **known, added=added)
                found[name].add(one.low, one.high, scenario.truth)
            else:
                found[name].add(-math.inf, math.inf, scenario.truth)
    return _cell(scenario, found, draws)


def _cell(scenario: Judged, found: dict[str, Tally], draws: int) -> Cell:
    errors = {name: tally.errors() for name, tally in found.items()}
    return Cell(scenario=scenario.name, grid="first", found=errors, draws=draws)


def table(cells: Sequence[Cell]) -> str:
    """False PASS / false FAIL in per cent, a row for each scenario."""
    names = list(cells[0].found)
    lines = [f"| what people would pass, and the judge | {' | '.join(names)} |", "|---|" + "--:|" * len(names)]
    for cell in cells:
        shown = (f"{100 * one.false_pass:.1f} / {100 * one.false_fail:.1f}" for one in cell.found.values())
        lines.append(f"| {cell.scenario} | {' | '.join(shown)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    drawn = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print(table([on_labels(one, draws=drawn, seed=SEED) for one in SCENARIOS]), end="\n\n", flush=True)
    print(table([on_calibration(one, draws=drawn, seed=SEED) for one in SCENARIOS if one.labels == 100]))
