"""Columns of text side by side, made to fit a terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from evalkit.plaintext import cells, fitted, padded, wrapped

GAP = 2


@dataclasses.dataclass(slots=True, kw_only=True)
class Column:
    """A column: its title and one text per row.

    `least` is how narrow it may become where space is short, `None` for not at all; its texts are then wrapped,
    or cut with an ellipsis where `wraps` is false. `right` sets it flush right.
    """

    title: str
    texts: Sequence[str]
    right: bool = False
    least: int | None = None
    wraps: bool = False
    width: int = 0

    def __post_init__(self) -> None:
        self.width = max(map(cells, (self.title, *self.texts)))

    @property
    def narrowest(self) -> int:
        """The least width it can be brought to."""
        return self.width if self.least is None else min(self.width, self.least)


def fit(plans: Iterable[Sequence[Column]], width: int) -> Sequence[Column]:
    """The first of `plans` that fits into `width`, its columns narrowed where that is needed.

    Plans come from the richest to the barest. Where not even the last fits, its first column gives way.
    """
    columns: Sequence[Column] = ()
    for columns in plans:
        excess = _total(columns) - width
        if excess <= 0:
            return columns
        if _total(columns) - sum(column.width - column.narrowest for column in columns) > width:
            continue
        for column in sorted(columns, key=lambda column: column.narrowest - column.width):
            cut = min(column.width - column.narrowest, max(excess, 0))
            column.width -= cut
            excess -= cut
        return columns
    columns[0].width = max(8, columns[0].width - (_total(columns) - width))
    return columns


def header(columns: Sequence[Column]) -> str:
    """The line of titles."""
    return _row(columns, [column.title for column in columns])


def lines(columns: Sequence[Column], number: int) -> Iterator[str]:
    """The lines of one row: one, or more where a text is wrapped."""
    texts = [
        wrapped(column.texts[number], column.width) if column.wraps else [column.texts[number]] for column in columns
    ]
    for level in range(max(map(len, texts))):
        yield _row(columns, [parts[level] if level < len(parts) else "" for parts in texts])


def _row(columns: Sequence[Column], texts: Sequence[str]) -> str:
    shown = [
        padded(fitted(text, column.width), column.width, right=column.right)
        for column, text in zip(columns, texts, strict=True)
    ]
    return (" " * GAP).join(shown).rstrip()


def _total(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)
