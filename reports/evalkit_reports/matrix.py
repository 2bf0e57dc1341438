"""What was taken for what: the table of a score's labels, shaded, with what it comes to."""

from __future__ import annotations

import dataclasses

from evalkit.runs import SuiteRun
from evalkit.stats.confusions import Confusion, Figure, confusions
from evalkit_reports import words

MOST_LABELS = 24
"""Beyond as many labels a table is too wide for a page; the mistakes are then listed."""
_MOST_MISTAKES = 20
_STEPS = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCell:
    """So many cases; `shade` is 0 for none to 8 for a whole row."""

    given: str
    count: str
    shade: int
    is_right: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """The cases that expect one label."""

    expected: str
    cells: tuple[MatrixCell, ...]
    whole: str
    right: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A row for each label that was expected, a column for each that was given.

    `rows` is empty where there are too many labels; `mistakes` are the commonest confusions: expected, given, cases.
    """

    name: str
    labels: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    mistakes: tuple[tuple[str, str, str], ...]
    figures: tuple[tuple[str, str, str], ...]
    absent: str
    about: str


def matrices(suite: SuiteRun) -> tuple[Matrix, ...]:
    """The tables of all scores of a suite that give labels for cases that say which is right."""
    return tuple(_matrix(found) for found in confusions(suite, intervals=False))


def _matrix(found: Confusion) -> Matrix:
    missing = [(found.missing, "without a label"), (found.unknown, "without a true label")]
    return Matrix(
        name=found.name,
        labels=found.labels,
        rows=tuple(_rows(found)) if len(found.labels) <= MOST_LABELS else (),
        mistakes=_mistakes(found),
        figures=tuple(_figure(one) for one in found.figures if one.value is not None),
        absent=", ".join(f"{_count(amount)} {what}" for amount, what in missing if amount),
        about=f"{_count(found.right)} of {words.count(found.cases, 'case')} got the label that was expected",
    )


def _rows(found: Confusion) -> list[MatrixRow]:
    rows = []
    for place, (label, cells) in enumerate(zip(found.labels, found.table, strict=True)):
        whole = sum(cells)
        if not whole:
            continue
        rows.append(
            MatrixRow(
                expected=label,
                cells=tuple(
                    MatrixCell(
                        given=given,
                        count=_count(cell),
                        shade=0 if not cell else max(1, round(_STEPS * cell / whole)),
                        is_right=place == column,
                    )
                    for column, (given, cell) in enumerate(zip(found.labels, cells, strict=True))
                ),
                whole=_count(whole),
                right=words.share(round(1e6 * cells[place]), round(1e6 * whole)),
            )
        )
    return rows


def _mistakes(found: Confusion) -> tuple[tuple[str, str, str], ...]:
    wrong = [
        (cell, found.labels[row], found.labels[column])
        for row, cells in enumerate(found.table)
        for column, cell in enumerate(cells)
        if cell and row != column
    ]
    wrong.sort(key=lambda one: (-one[0], one[1], one[2]))
    return tuple((expected, given, _count(cell)) for cell, expected, given in wrong[:_MOST_MISTAKES])


def _figure(one: Figure) -> tuple[str, str, str]:
    names = {"f1": "F1", "mcc": "MCC", "kappa": "κ"}
    return names.get(one.statistic, one.statistic), words.number(one.value), one.kind


def _count(amount: float) -> str:
    """Cases; the trials of one share it, so there may be halves."""
    return f"{round(amount, 2):,.2f}".rstrip("0").rstrip(".")
