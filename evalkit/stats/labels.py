"""Labels that a scorer gave beside those that were expected, and the three figures of how far they agree.

A trial gives a pair when its score has a label (or is an assertion, whose labels are `true` and `false`) and its true
label is known. True is what the score's metadata name as `expected`, else the case's `expected`; where that is a
dict, its entry under the score's name. Every case weighs the same, however often it was tried.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from evalkit.case import Case
from evalkit.score import Score
from evalkit.stats.columns import Table
from evalkit.trial import Trial

STATISTICS = ("f1", "mcc", "kappa")

NO_ANSWER = "(no answer)"
"""What counts as given where the function under test raised: a label that no case expects, and so a wrong one."""

TRUTH = "expected"
"""The key of a score's metadata under which a scorer may name the true label."""

MOST_LABELS = 100
"""More labels than this are free text, of which no such figure is taken."""

Cell = tuple[str | None, str | None, Fraction]
"""The true label, the one that was given, and the weight; `None` for one that is not known."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`count` cases, or clusters of them, that are alike: what they weigh in each cell, on one side or on two."""

    sides: tuple[tuple[Cell, ...], ...]
    count: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The sums that the three figures need, by label: what was expected, what was given, and what was right."""

    labels: tuple[str, ...]
    rows: tuple[Fraction, ...]
    columns: tuple[Fraction, ...]
    right: tuple[Fraction, ...]
    open: tuple[Fraction, ...]
    """How much of each row has no given label; it is in `rows` and in no column."""
    unknown: Fraction = Fraction(0)
    """How much has no true label at all; it is in none of the others."""

    @property
    def total(self) -> Fraction:
        """What all pairs weigh together, given or not."""
        return sum(self.rows, Fraction(0))

    @property
    def is_yes_or_no(self) -> bool:
        """Whether the labels that are expected are `true` and `false`, so that F1 is that of `true`."""
        return {label for label, row in zip(self.labels, self.rows, strict=True) if row} <= {"true", "false"}


def word(value: Any) -> str | None:
    """A value as a label: text, `true`, `false`, or a number (1.0 is `1`); `None` for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else None


def given_label(score: Score, *, among_labels: bool = False) -> str | None:
    """The label that a score gives, or `None`: its own, else `true` or `false` of an assertion.

    `among_labels` is whether the scorer gives labels otherwise: a `False` without one is then no answer.
    """
    if score.status != "scored":
        return None
    if score.label is not None:
        return score.label
    if score.kind != "assertion" or score.value is None:
        return None
    if among_labels:
        return None if score.value else NO_ANSWER
    return word(bool(score.value))


def true_label(name: str, case: Case | None) -> str | None:
    """The label that a case expects of the score of that name, `None` where it says none."""
    expected = None if case is None else case.expected
    return word(expected.get(name)) if isinstance(expected, Mapping) else word(expected)


def units_of(
    sides: Sequence[tuple[Table, str]], positions: Sequence[int] | None = None, *, failed_as_wrong: bool
) -> tuple[Unit, ...]:
    """The cases that all sides have, as units; `positions` are those of the last side's cases, or all.

    Each side is a suite and the name of its score. A trial whose function raised is a wrong answer if
    `failed_as_wrong`, and as good as missing otherwise. Where the suite names clusters, these are the units.
    """
    table = sides[-1][0]
    cells = [_by_case(side, name, failed_as_wrong=failed_as_wrong) for side, name in sides]
    ids = table.case_ids
    chosen = [i for i in (range(len(ids)) if positions is None else positions) if all(ids[i] in side for side in cells)]
    made: Counter[tuple[tuple[Cell, ...], ...]] = Counter()
    if table.clusters is None:
        made.update(tuple(side[ids[i]] for side in cells) for i in chosen)
    else:
        members: dict[int, list[str]] = {}
        for i in chosen:
            members.setdefault(table.clusters[i], []).append(ids[i])
        for together in members.values():
            made[tuple(_merged(cell for case in together for cell in side[case]) for side in cells)] += 1
    return tuple(Unit(sides=key, count=made[key]) for key in sorted(made, key=_sort_key))


def _by_case(table: Table, name: str, *, failed_as_wrong: bool) -> dict[str, tuple[Cell, ...]]:
    cases = {case.id: case for case in table.suite.cases}
    column = table.columns.get(name)
    among_labels = column is not None and bool(column.labels)
    found: dict[str, list[list[tuple[str | None, str | None]]]] = {case: [] for case in table.case_ids}
    told: dict[str | None, set[str]] = {}
    for trial in latest(table.suite.trials):
        scores = [score for score in trial.scores if score.name == name]
        pairs = [(word(score.metadata.get(TRUTH)), given_label(score, among_labels=among_labels)) for score in scores]
        expected = true_label(name, cases.get(trial.case_id))
        for true, _ in pairs:
            if true is not None:
                told.setdefault(expected, set()).add(true)
        found[trial.case_id].append(_as_pairs(trial, pairs, failed_as_wrong=failed_as_wrong))
    made: dict[str, tuple[Cell, ...]] = {}
    for (case, rows), planned in zip(found.items(), table.planned, strict=True):
        truth = true_label(name, cases.get(case))
        if told:  # the scorer spells the true labels in its own way, so the case's own word is no label here
            spelt = {true for row in rows for true, _ in row if true is not None} or told.get(truth, set())
            truth = next(iter(spelt)) if len(spelt) == 1 else None
        share = Fraction(1, max(planned, 1))
        rows += [[(None, None)]] * max(planned - len(rows), 0)
        made[case] = _merged(
            (truth if true is None else true, given, share / len(row)) for row in rows for true, given in row
        )
    return made


def _as_pairs(
    trial: Trial, pairs: list[tuple[str | None, str | None]], *, failed_as_wrong: bool
) -> list[tuple[str | None, str | None]]:
    """The pairs of one trial; one without a given label where any is missing, and a wrong one where it failed."""
    error = trial.output.error
    known = bool(pairs) and all(given is not None for _, given in pairs)
    if error is not None and (not error.is_assertion or not known):
        return [(None, NO_ANSWER if failed_as_wrong else None)]
    return pairs if known else [(pairs[0][0] if pairs else None, None)]


def latest(trials: Iterable[Trial]) -> Iterator[Trial]:
    """Of several attempts at one trial the last one."""
    last: dict[tuple[str, int], Trial] = {}
    for trial in trials:
        key = (trial.case_id, trial.number)
        if key not in last or last[key].attempt <= trial.attempt:
            last[key] = trial
    return iter(last.values())


def _merged(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    total: dict[tuple[str | None, str | None], Fraction] = {}
    for true, given, weight in cells:
        total[true, given] = total.get((true, given), Fraction(0)) + weight
    return tuple(
        (true, given, weight) for (true, given), weight in sorted(total.items(), key=lambda item: _key(item[0]))
    )


def _key(labels: Sequence[str | None]) -> tuple[tuple[bool, str], ...]:
    return tuple((label is None, label or "") for label in labels)


def _sort_key(sides: tuple[tuple[Cell, ...], ...]) -> Any:
    return [[(_key(cell[:2]), cell[2]) for cell in side] for side in sides]


def label_set(units: Sequence[Unit]) -> tuple[str, ...]:
    """Every label that is expected or was given on any side, sorted, `NO_ANSWER` last."""
    found = {label for unit in units for side in unit.sides for cell in side for label in cell[:2] if label is not None}
    return (*sorted(found - {NO_ANSWER}), NO_ANSWER)


def counts_of(units: Sequence[Unit], side: int = 0) -> Counts:
    """The sums of one side over all units."""
    labels = label_set(units)
    at = {label: i for i, label in enumerate(labels)}
    rows, columns, right, open_ = ([Fraction(0)] * len(labels) for _ in range(4))
    unknown = Fraction(0)
    for unit in units:
        for true, given, weight in unit.sides[side]:
            weight *= unit.count
            if true is None:
                unknown += weight
                continue
            rows[at[true]] += weight
            if given is None:
                open_[at[true]] += weight
                continue
            columns[at[given]] += weight
            if true == given:
                right[at[true]] += weight
    return Counts(
        labels=labels, rows=tuple(rows), columns=tuple(columns), right=tuple(right), open=tuple(open_), unknown=unknown
    )


def figure_of(statistic: str, counts: Counts) -> Fraction | None:
    """F1, Matthews' correlation or κ of the pairs that are complete; `None` where it has no meaning.

    `f1` is that of `true` where the cases expect `true` and `false`, else macro-F1: the mean of F1 over the labels
    that cases expect, each weighing the same. A label that no case expects is a wrong answer, not a class of its own.
    `mcc` is Gorodkin's (2004) for more than two labels, and 0 where one label was given to all. Both `mcc` and `kappa`
    are `None` where all cases expect one label. Irrational values are as exact as a float.
    """
    rows = [row - hole for row, hole in zip(counts.rows, counts.open, strict=True)]
    n = sum(rows, Fraction(0))
    if not n:
        return None
    if statistic == "f1":
        chosen = _classes(counts, rows)
        sizes = [rows[i] + counts.columns[i] for i in chosen]
        if not chosen or not all(sizes):
            return None
        return sum((2 * counts.right[i] / size for i, size in zip(chosen, sizes, strict=True)), Fraction(0)) / len(
            chosen
        )
    if sum(1 for row in rows if row) < 2:
        return None
    observed = sum(counts.right, Fraction(0)) / n
    chance = sum((row * column for row, column in zip(rows, counts.columns, strict=True)), Fraction(0)) / n**2
    if statistic == "kappa":
        return (observed - chance) / (1 - chance)
    below = (1 - sum((row**2 for row in rows), Fraction(0)) / n**2) * (
        1 - sum((column**2 for column in counts.columns), Fraction(0)) / n**2
    )
    return (observed - chance) / _root(below) if below else Fraction(0)


def _classes(counts: Counts, rows: Sequence[Fraction]) -> list[int]:
    """Which labels F1 is over."""
    if counts.is_yes_or_no:
        return [i for i, label in enumerate(counts.labels) if label == "true"]
    return [i for i, row in enumerate(rows) if row]


def _root(value: Fraction) -> Fraction:
    above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if above * above == value.numerator and below * below == value.denominator:
        return Fraction(above, below)
    return Fraction(math.sqrt(value))


def bounds_of(statistic: str, counts: Counts) -> tuple[Fraction, Fraction]:
    """Between what the figure lies whatever the missing labels would have been. Both ends are safe, not always reached.

    With what is missing of class j in `open`: F1 of j is least when none of it is right and all other missing labels
    are j, and greatest when all of it is right. For κ and Matthews' correlation the agreement and the chance of it
    are each taken at their extremes. Without a true label nothing is known.
    """
    least = Fraction(0) if statistic == "f1" else Fraction(-1)
    if counts.unknown or not counts.total:
        return least, Fraction(1)
    missing = sum(counts.open, Fraction(0))
    if not missing:
        value = figure_of(statistic, counts)
        return (least, Fraction(1)) if value is None else (value, value)
    if statistic == "f1":
        return _f1_bounds(counts, missing)
    n = counts.total
    rows = [row / n for row in counts.rows]
    columns = [column / n for column in counts.columns]
    loose = missing / n
    agree = sum(counts.right, Fraction(0)) / n
    chance = sum((row * column for row, column in zip(rows, columns, strict=True)), Fraction(0))
    most_chance = chance + loose * max(rows)
    if statistic == "kappa":
        low = 1 - (1 - agree) / (1 - most_chance) if most_chance < 1 else Fraction(-1)
        high = 1 - (1 - agree - loose) / (1 - chance) if chance < 1 else Fraction(1)
        return max(low, Fraction(-1)), min(high, Fraction(1))
    low, high = agree - most_chance, agree + loose - chance
    spread = 1 - sum((row**2 for row in rows), Fraction(0))
    squares = sum((column**2 for column in columns), Fraction(0))
    top = max(columns)
    widest, narrowest = 1 - squares, 1 - (squares - top**2 + (top + loose) ** 2)

    def over(value: Fraction, most: bool) -> Fraction:
        below = spread * (narrowest if (value > 0) == most else widest)
        if below <= 0:
            return Fraction(1 if most else -1) if value else Fraction(0)
        return value / Fraction(math.sqrt(below))

    return max(over(low, most=False), Fraction(-1)), min(over(high, most=True), Fraction(1))


def _f1_bounds(counts: Counts, missing: Fraction) -> tuple[Fraction, Fraction]:
    chosen = _classes(counts, counts.rows)
    if not chosen:
        return Fraction(0), Fraction(1)
    low = high = Fraction(0)
    for i in chosen:
        hole, right, size = counts.open[i], counts.right[i], counts.rows[i] + counts.columns[i]
        worst, best = size + missing - hole, size + hole
        low += 2 * right / worst if worst else Fraction(0)
        high += 2 * (right + hole) / best if best else Fraction(1)
    return low / len(chosen), high / len(chosen)
