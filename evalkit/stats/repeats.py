"""What repeats of a case say: whether it holds every time, whether it ever does, and how much runs differ.

A reducer makes one value of the trials of a case; the mean is then over cases, as everywhere. Trials that are missing
may have come to anything, so a case with some of them has a range.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from evalkit.stats.clusters import grouped
from evalkit.stats.columns import FAILED, Column, Shape, Table
from evalkit.stats.means import Means, Open, exact, pass_rates, per_case, range_of
from evalkit.stats.spread import powers

_PASS = re.compile(r"pass([\^@])([1-9]\d*)")

ON_PASSES = ("flake_rate", "majority")
"""Besides pass^k and pass@k: what is worked out from how many trials of a case are right."""

ON_VALUES = ("case_min", "case_max", "case_median")
"""Worked out from the values of the trials of a case, right or wrong or graded."""


def is_reducer(statistic: str) -> bool:
    """Whether the statistic makes one value of the trials of a case, other than their mean."""
    return statistic in ON_PASSES or statistic in ON_VALUES or _PASS.fullmatch(statistic) is not None


def takes_passes(statistic: str) -> bool:
    """Whether a reducer asks how many trials of a case were right."""
    return statistic not in ON_VALUES


def fewest_trials(statistic: str) -> int:
    """How many trials of every case it takes: k for pass^k and pass@k, two for the flake rate, else one."""
    found = _PASS.fullmatch(statistic)
    return int(found[2]) if found else 2 if statistic == "flake_rate" else 1


def pass_at(trials: int, passes: int, k: int) -> Fraction:
    """pass@k: the chance that at least one of k trials is right, without bias: 1 − C(n−c, k) / C(n, k).

    `passes` of `trials` were right. Source: Chen et al. (2021), "Evaluating large language models trained on code".
    Raises `ValueError` for fewer than k trials.
    """
    _check(trials, passes, k)
    return 1 - Fraction(math.comb(trials - passes, k), math.comb(trials, k))


def pass_power(trials: int, passes: int, k: int) -> Fraction:
    """pass^k: the chance that all of k trials are right, without bias: C(c, k) / C(n, k).

    `passes` of `trials` were right; (c/n)^k would be too high. Source: Yao et al. (2024), "τ-bench". Raises
    `ValueError` for fewer than k trials.
    """
    _check(trials, passes, k)
    return Fraction(math.comb(passes, k), math.comb(trials, k))


def flake(trials: int, passes: int) -> Fraction:
    """The chance that two trials of a case disagree, without bias: 2c(n − c) / (n(n − 1)).

    Raises `ValueError` for fewer than two trials, where nobody can know.
    """
    _check(trials, passes, 2)
    return Fraction(2 * passes * (trials - passes), trials * (trials - 1))


def majority(trials: int, passes: int) -> Fraction:
    """1 where more than half of the trials were right, else 0; a tie is no majority."""
    _check(trials, passes, 1)
    return Fraction(int(2 * passes > trials))


def _check(trials: int, passes: int, k: int) -> None:
    if k < 1:
        raise ValueError("k is at least 1")
    if trials < k:
        raise ValueError(f"it takes at least {k} trials of a case, and there are {trials}")
    if not 0 <= passes <= trials:
        raise ValueError(f"{passes} of {trials} is no number of passes")


def of_passes(statistic: str, trials: int, passes: int) -> Fraction:
    """The value of a case by how many of its trials were right; raises `ValueError` for too few trials."""
    found = _PASS.fullmatch(statistic)
    if found:
        return (pass_power if found[1] == "^" else pass_at)(trials, passes, int(found[2]))
    return flake(trials, passes) if statistic == "flake_rate" else majority(trials, passes)


def of_values(statistic: str, values: Sequence[float]) -> Fraction:
    """The least, greatest or middle value of a case's trials."""
    if statistic == "case_min":
        return exact(min(values))
    if statistic == "case_max":
        return exact(max(values))
    ordered = sorted(values)
    return (exact(ordered[(len(ordered) - 1) // 2]) + exact(ordered[len(ordered) // 2])) / 2


def too_few(table: Table, statistic: str, positions: Sequence[int] | None = None) -> int:
    """How many cases have fewer trials planned than the reducer takes."""
    fewest = fewest_trials(statistic)
    chosen = range(len(table.planned)) if positions is None else positions
    return sum(table.planned[case] < fewest for case in chosen)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FlakyCase:
    """A case that was right in some of its trials and wrong in others."""

    case_id: str
    passes: int
    trials: int

    @property
    def rate(self) -> float:
        """The chance that two runs of the case disagree."""
        return float(flake(self.trials, self.passes))


def flaky_cases(table: Table, column: Column) -> tuple[FlakyCase, ...]:
    """The cases whose known trials disagree, those that disagree most first. A trial that raised is a wrong one."""
    collapsed = per_case(table, pass_rates(column), failed_as_zero=True)
    found = [
        FlakyCase(case_id=case_id, passes=int(passes), trials=known)
        for case_id, passes, known in zip(table.case_ids, collapsed.sums, collapsed.known, strict=True)
        if 0 < passes < known
    ]
    return tuple(sorted(found, key=lambda case: -case.rate))


@dataclasses.dataclass(frozen=True, slots=True)
class _Cell:
    """One case: what its known trials say (`None` for nothing), and the range of what it can come to."""

    seen: Fraction | None
    low: Fraction
    high: Fraction
    known: int
    planned: int


def reduced(
    table: Table, column: Column, statistic: str, positions: Sequence[int] | None = None, *, failed_as_zero: bool
) -> Means:
    """The mean over cases of what a reducer makes of their trials, with its bounds and what an interval takes.

    A trial whose function raised counts as wrong if `failed_as_zero`, and as missing otherwise. Raises `ValueError`
    where a case has too few trials; `too_few` says so beforehand.
    """
    chosen = range(len(table.case_ids)) if positions is None else positions
    view = pass_rates(column) if takes_passes(statistic) else column
    make = _cells_by_passes if takes_passes(statistic) else _cells_by_values
    cells = make(table, view, statistic, chosen, failed_as_zero)
    whole = Counter(cell.low for cell in cells if cell.low == cell.high)
    complete = sum(whole.values())
    total = sum((value * count for value, count in whole.items()), Fraction(0))
    holes = Counter(cell for cell in cells if cell.low != cell.high)
    binary = all(end in (0, 1) for cell in cells for end in (cell.low, cell.high)) and _is_whole(statistic, table, view)
    shape: Shape = "binary" if binary else "unbounded" if view.shape == "unbounded" else "unit"
    centre = float(total / complete) if complete else 0.0
    least, most = (min(whole), max(whole)) if whole else (Fraction(0), Fraction(0))
    ends = [(float(cell.low), float(cell.high)) for cell in cells]
    distances = [float(value) - centre for value in whole]
    deviation, third, fourth = powers(distances, list(whole.values())) if least < most else (0.0, 0.0, 0.0)
    return Means(
        shape=shape,
        range=range_of(view),
        complete=complete,
        total=total,
        deviation=deviation,
        third=third,
        fourth=fourth,
        least=least,
        most=most,
        within=None,
        open=tuple(_open(cell, count) for cell, count in holes.items()),
        values=sum(cell.known for cell in cells),
        planned=sum(cell.planned for cell in cells),
        most_trials=1,
        capped=takes_passes(statistic) or view.shape == "binary",
        clusters=None if table.clusters is None else grouped((table.clusters[case] for case in chosen), ends),
    )


def _is_whole(statistic: str, table: Table, view: Column) -> bool:
    """Whether a case can come to nothing but 0 or 1, whatever its trials are."""
    if not takes_passes(statistic):
        even = any(planned % 2 == 0 for planned in table.planned)
        return view.shape == "binary" and view.settled and not (statistic == "case_median" and even)
    found = _PASS.fullmatch(statistic)
    if found:
        return all(planned == int(found[2]) for planned in table.planned)
    return statistic == "majority" or all(planned == 2 for planned in table.planned)


def _open(cell: _Cell, count: int) -> Open:
    known = 0 if cell.seen is None else max(cell.known, 1)
    told = Fraction(0) if cell.seen is None else cell.seen * known
    return Open(sum=told, known=known, planned=cell.planned, count=count, least=cell.low, most=cell.high)


def _cells_by_passes(
    table: Table, column: Column, statistic: str, chosen: Sequence[int], failed_as_zero: bool
) -> list[_Cell]:
    collapsed = per_case(table, column, failed_as_zero=failed_as_zero)
    fewest = fewest_trials(statistic)

    @functools.cache
    def cell(passes: int, known: int, planned: int) -> _Cell:
        possible = [of_passes(statistic, planned, passes + more) for more in range(planned - known + 1)]
        seen = of_passes(statistic, known, passes) if known >= fewest else None
        return _Cell(seen, min(possible), max(possible), known, planned)

    return [cell(int(collapsed.sums[case]), collapsed.known[case], collapsed.planned[case]) for case in chosen]


def _cells_by_values(
    table: Table, column: Column, statistic: str, chosen: Sequence[int], failed_as_zero: bool
) -> list[_Cell]:
    values: list[list[float]] = [[] for _ in table.case_ids]
    zero = failed_as_zero and column.shape in ("binary", "unit")
    for case, value, state in zip(table.case_of, column.values, column.states, strict=True):
        if value is not None:
            values[case].append(value)
        elif zero and state == FAILED:
            values[case].append(0.0)
    low, high = range_of(column)
    cells: list[_Cell] = []
    for case in chosen:
        known, planned = values[case], max(table.planned[case], len(values[case]))
        missing = planned - len(known)
        seen = of_values(statistic, known) if known else None
        if not missing and seen is not None:
            cells.append(_Cell(seen, seen, seen, len(known), planned))
            continue
        # An end that is infinite is never asked for; it only has to differ from the other.
        least = Fraction(0) if math.isinf(low) else of_values(statistic, [*known, *[low] * missing])
        most = least + 1 if math.isinf(high) else of_values(statistic, [*known, *[high] * missing])
        cells.append(_Cell(seen, least, most, len(known), planned))
    return cells
