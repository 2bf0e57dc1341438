"""Totals over trials, and the assertion that every single case holds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

from evalkit.stats.columns import FAILED, Column, Table
from evalkit.stats.means import exact, exact_sum, range_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum of `known` values, with `missing` more that may be anything in `range`."""

    total: Fraction
    known: int
    missing: int
    range: tuple[float, float]

    @property
    def bounds(self) -> tuple[Fraction | None, Fraction | None]:
        """The sum if everything missing were as low, and as high, as it can be; `None` for no bound at all."""
        low, high = (
            (None if math.isinf(end) else self.total + self.missing * Fraction(end)) if self.missing else self.total
            for end in self.range
        )
        return low, high


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """How many cases hold in every trial, how many miss in at least one, and how many are open.

    `worst` is the value furthest from holding, `None` where a trial raised or nothing is known; `missed_ids` are the
    first few cases that miss.
    """

    held: int
    missed: int
    open: int
    worst: float | None
    missed_ids: tuple[str, ...]


def total(table: Table, column: Column, positions: Sequence[int] | None = None) -> Total:
    """The sum over all trials, or over those whose case is at one of `positions`."""
    inside = _inside(table, positions)
    known = [
        Decimal(repr(value))
        for case, value in zip(table.case_of, column.values, strict=True)
        if value is not None and inside[case]
    ]
    planned = sum(count for count, chosen in zip(table.planned, inside, strict=True) if chosen)
    return Total(
        total=exact_sum((value, 1) for value in known),
        known=len(known),
        missing=max(planned - len(known), 0),
        range=range_of(column),
    )


def each(
    table: Table,
    column: Column,
    holds: Callable[[Fraction], bool],
    positions: Sequence[int] | None = None,
    *,
    wants_more: bool,
    shown: int = 5,
) -> Each:
    """Hold every trial of every case against `holds`. A trial whose function raised misses, whatever is asked for."""
    inside = _inside(table, positions)
    known = [0] * len(inside)
    missed: dict[int, None] = {}
    worst: float | None = None
    raised = False
    for case, value, state in zip(table.case_of, column.values, column.states, strict=True):
        if not inside[case]:
            continue
        if state == FAILED and not column.builtin:
            missed[case] = None
            raised = True
        elif value is not None:
            known[case] += 1
            if worst is None or (value < worst) == wants_more:
                worst = value
            if not holds(exact(value)):
                missed[case] = None
    chosen = [case for case, yes in enumerate(inside) if yes]
    open_ = sum(1 for case in chosen if case not in missed and known[case] < max(table.planned[case], 1))
    return Each(
        held=len(chosen) - len(missed) - open_,
        missed=len(missed),
        open=open_,
        worst=None if raised else worst,
        missed_ids=tuple(table.case_ids[case] for case in list(missed)[:shown]),
    )


def _inside(table: Table, positions: Sequence[int] | None) -> bytearray:
    if positions is None:
        return bytearray(b"\x01") * len(table.case_ids)
    inside = bytearray(len(table.case_ids))
    for position in positions:
        inside[position] = 1
    return inside
