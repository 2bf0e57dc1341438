"""What was used, as cells of a table and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalkit.store.cells import count_cell, money_cell, money_of
from evalkit.usage import Usage

COLUMNS = (
    "input_tokens", "output_tokens", "cost", "cached_tokens", "calls", "uncounted", "unpriced", "saved",
)  # fmt: skip
"""The columns of a usage, in every table that has one."""

NONE = (None,) * len(COLUMNS)
"""The cells where nothing is known of what was used."""


def usage_cells(usage: Usage | None) -> tuple[Any, ...]:
    """The cells of `usage`, in the order of `COLUMNS`."""
    if usage is None:
        return NONE
    return (
        count_cell(usage.input_tokens),
        count_cell(usage.output_tokens),
        money_cell(usage.cost),
        count_cell(usage.cached_tokens),
        count_cell(usage.calls),
        count_cell(usage.uncounted),
        count_cell(usage.unpriced),
        money_cell(usage.saved),
    )


def usage_of(cells: Sequence[Any]) -> Usage | None:
    """The usage that `usage_cells` wrote; `None` where all cells are empty."""
    if tuple(cells) == NONE:
        return None
    input_tokens, output_tokens, cost, cached_tokens, calls, uncounted, unpriced, saved = cells
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost=money_of(cost),
        cached_tokens=cached_tokens,
        calls=calls,
        uncounted=uncounted or 0,  # empty in rows that were written before these were counted
        unpriced=unpriced or 0,
        saved=money_of(saved),
    )
