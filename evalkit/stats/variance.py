"""Where the error of a mean comes from: other cases, or other runs of the same cases."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from evalkit.runs import SuiteRun
from evalkit.stats.columns import read
from evalkit.stats.means import PerCase, pass_rates, per_case
from evalkit.stats.special import normal_quantile


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VarianceSplit:
    """The variance of trials, split into that between cases and that within them.

    `cases` were tried `trials` times each (their harmonic mean, where the numbers differ). `within` is the mean
    square within cases (MSW), `mean_square_between` that of the case means times `trials` (MSB). All are in the
    metric's unit, squared. Source: one-way analysis of variance (Fisher 1925; Searle, Casella and McCulloch 1992).
    """

    cases: int
    trials: float
    within: float
    mean_square_between: float

    @property
    def between(self) -> float:
        """The variance between the true means of cases, (MSB − MSW) / K; 0 where reruns explain all of it."""
        return max((self.mean_square_between - self.within) / self.trials, 0.0)

    @property
    def icc(self) -> float | None:
        """The intraclass correlation: which part of the variance lies between cases; `None` where there is none."""
        whole = self.between + self.within
        return self.between / whole if whole > 0 else None

    @property
    def sampling(self) -> float:
        """The standard error of the mean over other cases of the same kind."""
        return math.sqrt(self.mean_square_between / self.trials / self.cases)

    @property
    def rerun(self) -> float:
        """The standard error over other runs of the same cases."""
        return math.sqrt(self.within / self.trials / self.cases)

    def half_width(self, *, more_trials: float = 0, more_cases: int = 0, level: float = 0.95) -> float:
        """Half the width that the interval of the mean would have, about, with so many more trials a case and cases.

        By the normal approximation, with the two variances as they were estimated.
        """
        cases, trials = self.cases + more_cases, self.trials + more_trials
        variance = (self.between + self.within / trials) / cases if self.between > 0 else self.within / trials / cases
        return normal_quantile((1 - level) / 2) * math.sqrt(variance)


def variance_split(collapsed: PerCase, positions: Sequence[int] | None = None) -> VarianceSplit | None:
    """The split over the cases that have all their trials; `None` unless two of them were repeated."""
    chosen = range(len(collapsed.known)) if positions is None else positions
    means: list[float] = []
    squares = inverse = 0.0
    free = 0
    for case in chosen:
        known = collapsed.known[case]
        if known < 2 or known != collapsed.planned[case]:
            continue
        total = float(collapsed.sums[case])
        means.append(total / known)
        squares += max(collapsed.squares[case] - total * total / known, 0.0)
        inverse += 1 / known
        free += known - 1
    cases = len(means)
    if cases < 2:
        return None
    centre = math.fsum(means) / cases
    trials = cases / inverse
    spread = math.fsum((mean - centre) ** 2 for mean in means) / (cases - 1)
    return VarianceSplit(cases=cases, trials=trials, within=squares / free, mean_square_between=trials * spread)


def rerun_errors(suite: SuiteRun, metrics: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """The rerun error of each of `metrics`, by name and statistic, that is a mean or a rate over repeated cases."""
    table = read(suite)
    found: dict[tuple[str, str], float] = {}
    for name, statistic in metrics:
        column = table.columns.get(name)
        if column is None or statistic not in ("mean", "rate"):
            continue
        view = pass_rates(column) if statistic == "rate" and not column.builtin else column
        split = variance_split(per_case(table, view, failed_as_zero=not column.builtin))
        if split is not None:
            found[name, statistic] = split.rerun
    return found
