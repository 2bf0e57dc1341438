"""Tables as GitHub and GitLab draw them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its title and a cell, already made harmless, for each row."""

    title: str
    cells: Sequence[str]
    right: bool = False


def table(columns: Sequence[Column], rows: int, noun: str) -> list[str]:
    """The lines of a table of at most `rows` rows, and how many more there are of `noun`. Columns without any content
    are left out; without rows there is no table.
    """
    kept = [column for column in columns if any(column.cells)]
    if not kept:
        return []
    lines = [
        _row([column.title for column in kept]),
        _row(["---:" if column.right else "---" for column in kept]),
        *(_row(cells) for cells in list(zip(*(column.cells for column in kept), strict=True))[:rows]),
    ]
    hidden = len(kept[0].cells) - rows
    return [*lines, "", f"{hidden:,} more {noun}"] if hidden > 0 else lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
