"""Marks on slices: which of them differ from the rest of their suite by more than so many slices would by chance.

For each slice the question is whether its cases score as the suite's other cases do; that they do is the null. With
many slices some differ by luck, so p-values become q-values (Benjamini and Hochberg 1995) over all slices and scores
of a suite together: of the slices marked at q ≤ 0.10, about one in ten is a false alarm. A mark decides nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from evalkit.runs import SuiteRun
from evalkit.stats.columns import Column, Table, read
from evalkit.stats.means import PerCase, pass_rates, per_case
from evalkit.stats.multiplicity import benjamini_hochberg
from evalkit.stats.slices import all_slices
from evalkit.stats.special import beta_cdf

MARKED_AT = 0.10
"""The q-value up to which a slice is marked."""

FISHER = "Fisher's exact test"
WELCH = "Welch's t test"

FEWEST_GRADED = 10
"""Cases on either side below which graded scores have no p-value."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One score in one slice beside the rest of its suite.

    `value` and `rest` are the means over the cases of the slice and over all others, of those whose values are
    complete; `None` where there are none. `p_value` is that of no difference, by `test`, and `None` where too few cases
    say anything or where the cases hang together in clusters. `q_value` is the p-value among all of the suite.
    """

    name: str
    statistic: str
    slice: Mapping[str, str]
    cases: int
    value: float | None
    rest: float | None
    p_value: float | None = None
    q_value: float | None = None
    test: str = ""

    @property
    def is_marked(self) -> bool:
        """Whether the slice differs from the rest by more than luck among so many slices."""
        return self.q_value is not None and self.q_value <= MARKED_AT


def slice_marks(suite: SuiteRun) -> tuple[Mark, ...]:
    """A mark for each score in each slice of a suite, in the order of `summarise`."""
    table = read(suite)
    slices = all_slices(suite.cases)
    made: list[Mark] = []
    if not slices:
        return ()
    for column in [*(one for one in table.columns.values() if not one.builtin), table.columns["errors"]]:
        for view, statistic in _views(column):
            sides = _Sides(table, per_case(table, view, failed_as_zero=not column.builtin))
            for chosen, positions in slices.items():
                made.append(
                    dataclasses.replace(
                        sides.mark(positions), name=column.name, statistic=statistic, slice=dict([chosen])
                    )
                )
    known = [mark.p_value for mark in made if mark.p_value is not None]
    adjusted = iter(benjamini_hochberg(known))
    return tuple(mark if mark.p_value is None else dataclasses.replace(mark, q_value=next(adjusted)) for mark in made)


def _views(column: Column) -> list[tuple[Column, str]]:
    if column.shape == "binary":
        return [(column, "rate")]
    found = [] if column.shape == "label" else [(column, "mean")]
    return [*found, (pass_rates(column), "rate")] if any(p is not None for p in column.passed) else found


class _Sides:
    """The case means of one score, to be split into a slice and the rest."""

    def __init__(self, table: Table, collapsed: PerCase) -> None:
        self._clustered = table.clusters is not None
        self._bounded = not math.isinf(collapsed.range[1])
        low, high = collapsed.range
        self._ends: list[tuple[float, float]] = []
        for total, known, planned in zip(collapsed.sums, collapsed.known, collapsed.planned, strict=True):
            count, missing = max(planned, 1), max(planned, 1) - known
            if missing and not self._bounded:
                self._ends.append((-math.inf, math.inf))
            else:
                whole = float(total)
                least = (whole + missing * low) / count if missing else whole / count
                most = (whole + missing * high) / count if missing else whole / count
                self._ends.append((least, most))

        self._complete = all(low == high for low, high in self._ends)
        self._values = [low for low, _ in self._ends] if self._complete else []
        self._binary = self._complete and set(self._values) <= {0.0, 1.0}
        self._centre = math.fsum(self._values) / len(self._values) if self._values else 0.0
        self._whole = _moments(self._values, self._centre)

    def mark(self, positions: Sequence[int]) -> Mark:
        """The mark of the cases at `positions`, without a name."""
        if self._complete and self._values:
            return self._quick(positions)
        inside = set(positions)
        ours = [self._ends[i] for i in positions]
        others = [ends for i, ends in enumerate(self._ends) if i not in inside]
        value, rest = (_mean([low for low, high in side if low == high]) for side in (ours, others))
        made = Mark(name="", statistic="", slice={}, cases=len(ours), value=value, rest=rest)
        if not ours or not others or self._clustered:
            return made
        if any(math.isinf(low) for low, _ in (*ours, *others)):
            return made
        filled = _closest(ours, others)
        if filled is None:
            return dataclasses.replace(made, p_value=1.0, test="")
        p_value, test = _p_value(*filled)
        return dataclasses.replace(made, p_value=p_value, test=test if p_value is not None else "")

    def _quick(self, positions: Sequence[int]) -> Mark:
        """The same where nothing is missing, from sums alone: the rest is the whole without the slice."""
        ours = _moments([self._values[i] for i in positions], self._centre)
        n, other_n = ours[0], self._whole[0] - ours[0]
        others = (other_n, self._whole[1] - ours[1], self._whole[2] - ours[2])
        value, rest = (self._centre + total / count if count else None for count, total, _ in (ours, others))
        made = Mark(name="", statistic="", slice={}, cases=n, value=value, rest=rest)
        if value is None or rest is None or self._clustered:
            return made
        if self._binary:
            passes, other_passes = round(value * n), round(rest * other_n)
            exact = dataclasses.replace(made, value=passes / n, rest=other_passes / other_n)
            return dataclasses.replace(exact, p_value=fisher(passes, n, other_passes, other_n), test=FISHER)
        if min(n, other_n) < FEWEST_GRADED:
            return made
        p_value = _welch(ours, others)
        return dataclasses.replace(made, p_value=p_value, test=WELCH if p_value is not None else "")


Moments = tuple[int, float, float]
"""How many values, the sum of their distances from a centre, and that of the squares of these."""


def _moments(values: Sequence[float], centre: float) -> Moments:
    away = [value - centre for value in values]
    return len(away), math.fsum(away), math.fsum(one * one for one in away)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _closest(
    ours: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]
) -> tuple[list[float], list[float]] | None:
    """Both sides with what is missing filled in so that they differ least; `None` where they need not differ."""
    low, high = (math.fsum(ends[at] for ends in ours) / len(ours) for at in (0, 1))
    least, most = (math.fsum(ends[at] for ends in others) / len(others) for at in (0, 1))
    if low > most:
        return [ends[0] for ends in ours], [ends[1] for ends in others]
    if high < least:
        return [ends[1] for ends in ours], [ends[0] for ends in others]
    whole = all(a == b for a, b in (*ours, *others))
    return ([a for a, _ in ours], [a for a, _ in others]) if whole else None


def _p_value(ours: Sequence[float], others: Sequence[float]) -> tuple[float | None, str]:
    if set(ours) | set(others) <= {0.0, 1.0}:
        return fisher(round(sum(ours)), len(ours), round(sum(others)), len(others)), FISHER
    if min(len(ours), len(others)) < FEWEST_GRADED:
        return None, WELCH
    return welch(ours, others), WELCH


def fisher(passes: int, n: int, other_passes: int, other_n: int) -> float:
    """The two-sided p-value that two shares are one: `passes` of `n`, and `other_passes` of `other_n`.

    The sum of the chances of all tables with these margins that are no likelier than the one seen. Source: Fisher
    (1934), as `scipy.stats.fisher_exact` has it.
    """
    total, right = n + other_n, passes + other_passes
    least, most = max(0, right - other_n), min(right, n)

    def chance(k: int) -> float:
        return _log_choose(n, k) + _log_choose(other_n, right - k) - _log_choose(total, right)

    seen = math.exp(chance(passes)) * (1 + 1e-7)
    top = min(max((n + 1) * (right + 1) // (total + 2), least), most)
    summed: list[float] = []
    for step in (1, -1):
        k = top if step == 1 else top - 1
        here = math.exp(chance(k)) if least <= k <= most else 0.0
        while least <= k <= most and here > 1e-300:
            if here <= seen:
                summed.append(here)
                if here < 1e-18 * seen:
                    break
            ratio = (
                (n - k) * (right - k) / ((k + 1) * (other_n - right + k + 1))
                if step == 1
                else k * (other_n - right + k) / ((n - k + 1) * (right - k + 1))
            )
            here *= ratio
            k += step
    return min(math.fsum(summed), 1.0)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def welch(first: Sequence[float], second: Sequence[float]) -> float | None:
    """The two-sided p-value that two means are one, variances apart; `None` where neither side varies.

    Source: Welch (1947), as `scipy.stats.ttest_ind(equal_var=False)` has it.
    """
    centre = math.fsum([*first, *second]) / (len(first) + len(second))
    return _welch(_moments(first, centre), _moments(second, centre))


def _welch(*sides: Moments) -> float | None:
    means = [total / n for n, total, _ in sides]
    errors = [max(squares - total * total / n, 0.0) / (n - 1) / n for n, total, squares in sides]
    spread = sum(errors)
    if spread <= 1e-18:
        return None
    t = (means[0] - means[1]) / math.sqrt(spread)
    df = spread**2 / sum(error**2 / (n - 1) for error, (n, _, _) in zip(errors, sides, strict=True))
    return beta_cdf(df / (df + t * t), df / 2, 0.5)
