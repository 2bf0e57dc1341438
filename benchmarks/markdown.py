"""Markdown tables and figures, with as many digits as the measurement bears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A pipe table: the first column to the left, the others to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]
    return "\n".join(lines) + "\n"


def seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 0.5 else f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def ratio(value: float | None, reference: float | None) -> str:
    if value is None or not reference:
        return "–"
    return f"{value / reference:.2f} ×" if value / reference < 10 else f"{value / reference:.0f} ×"


def megabytes(kibibytes: float | None) -> str:
    return "–" if kibibytes is None else f"{kibibytes * 1024 / 1e6:.0f} MB"


def spread(values: Sequence[float]) -> str:
    """`lowest – highest`, which says more about a shared machine than a standard deviation."""
    return f"{min(values):.2f} – {max(values):.2f}" if values else "–"
