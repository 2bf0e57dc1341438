"""`python -m benchmarks.simulation.speed`: what the statistics of a large suite cost, beside what others compute.

10,000 cases with five scores and a latency each, in 20 slices. CPU of one process, the median of some rounds that take
turns, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence

from benchmarks.simulation.__main__ import DOCS, write
from evalkit.case import Case
from evalkit.gates import judge, parse
from evalkit.runs import DatasetInfo, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import Score
from evalkit.stats import summarise
from evalkit.stats.differences import differences
from evalkit.trial import Output, Trial

CASES, SCORES, SLICES, ROUNDS = 10_000, 5, 20, 3
PLAIN = "for scale: means and standard errors in plain Python"
GATES = (
    "s0 >= 0.8 @ 95%",
    "s1 >= 0.8",
    "s2.mean >= 0.8 @ 95%",
    "s3 not worse than baseline by 0.05 @ 95%",
    "s4 no regression vs baseline",
    "p95(latency) <= 5s @ 95%",
    "s0[t3] >= 0.5 @ 95%",
)
_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def a_suite(seed: int, *, graded: bool, cases: int = CASES) -> SuiteRun:
    """Right-or-wrong scores, or graded ones with six digits."""
    draw = random.Random(seed)
    names = [f"s{number}" for number in range(SCORES)]
    trials = []
    for number in range(cases):
        values = [round(draw.betavariate(8, 2), 6) if graded else float(draw.random() < 0.85) for _ in names]
        trials.append(
            Trial(
                case_id=f"case-{number}",
                output=Output(value="text", latency=round(draw.lognormvariate(0, 0.5), 6)),
                scores=tuple(
                    Score(name=name, value=value, scorer=name, scorer_version="1")
                    for name, value in zip(names, values, strict=True)
                ),
                outcome="passed",
                started_at=_NOW,
                duration=0.0,
            )
        )
    info = SuiteInfo(
        name="large",
        nodeid="evals/test_large.py::test_large",
        location="evals/test_large.py:1",
        dataset=DatasetInfo(name="cases", digest="0" * 64, size=cases),
        scorers=tuple(ScorerInfo(name=name, version="1") for name in names),
        repeat=1,
        declared=cases,
        planned=cases,
    )
    return SuiteRun(
        info=info,
        cases=tuple(Case(id=f"case-{n}", input=n, tags=(f"t{n % SLICES}",)) for n in range(cases)),
        trials=tuple(trials),
    )


def plain_means(suite: SuiteRun) -> list[tuple[float, float]]:
    """What a script of one's own does: mean ± 1.96 standard errors of each score, over all and in each slice."""
    found = []
    members: list[list[int]] = [[] for _ in range(SLICES)]
    for position, case in enumerate(suite.cases):
        members[int(case.tags[0][1:])].append(position)
    for number in range(SCORES):
        values = [float(trial.scores[number].value or 0) for trial in suite.trials]
        for chosen in (values, *([values[at] for at in slice_] for slice_ in members)):
            mean = statistics.fmean(chosen)
            found.append((mean, 1.96 * math.sqrt(statistics.pvariance(chosen, mean) / len(chosen))))
    return found


def bootstrap(suite: SuiteRun) -> object:
    """One BCa interval of one score over all cases, with 999 resamples instead of the usual 9,999."""
    import numpy as np
    from scipy import stats

    values = np.array([float(trial.scores[0].value or 0) for trial in suite.trials])
    return stats.bootstrap((values,), np.mean, n_resamples=999, method="BCa", random_state=1).confidence_interval


def measured(work: Sequence[tuple[str, Callable[[], object]]], rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds of CPU of each, the median of rounds that take turns."""
    seconds: dict[str, list[float]] = {name: [] for name, _ in work}
    for _ in range(rounds):
        for name, task in work:
            begun = time.process_time()
            task()
            seconds[name].append(time.process_time() - begun)
    return {name: statistics.median(found) for name, found in seconds.items()}


def _measured_on(*, graded: bool) -> dict[str, float]:
    base, candidate = a_suite(1, graded=graded), a_suite(2, graded=graded)
    gates = [parse(text) for text in GATES]
    return measured(
        (
            ("a summary: 5 scores and the latency, over all and in 20 slices", lambda: summarise(candidate)),
            ("a comparison of two runs, with p-values", lambda: differences(base, candidate)),
            ("seven gates, two of them against a baseline", lambda: judge(gates, candidate, baseline=base)),
            (PLAIN, lambda: plain_means(candidate)),
            ("for scale: one bootstrap of one score, 999 resamples, scipy", lambda: bootstrap(candidate)),
        )
    )


def table() -> str:
    """The figures as Markdown."""
    found = [_measured_on(graded=graded) for graded in (False, True)]
    scale = [one[PLAIN] for one in found]
    lines = [
        f"{CASES:,} cases × {SCORES} scores: seconds of CPU, medians of {ROUNDS} rounds, and how many times the last but one.",
        "",
        "| | right or wrong | graded |",
        "|---|---:|---:|",
    ]
    for name in found[0]:
        cells = [f"{one[name]:.2f} s, {one[name] / by:.1f} ×" for one, by in zip(found, scale, strict=True)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    text = table()
    print(text)
    write(DOCS / "statistics.md", {"speed": text})
