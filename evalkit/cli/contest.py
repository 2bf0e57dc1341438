"""Several candidates against one base: the table of `evalkit compare BASE A B C`, and what picking the best costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit import grid
from evalkit.cli.shapes import moment
from evalkit.comparison import Candidates
from evalkit.figures import figure, signed, signed_interval
from evalkit.plaintext import Paint, clean, wrapped
from evalkit.stats.differences import Difference

Row = tuple[str, Difference, float | None]
"""A candidate's letter, its difference in one metric, and the adjusted p-value."""


def lines(found: Candidates, width: int, paint: Paint) -> Iterator[str]:
    """The candidates, a table per suite, and the sentences that belong to them."""
    base = found.comparisons[0].base
    letters = [chr(ord("A") + at) if at < 26 else str(at + 1) for at in range(len(found.comparisons))]
    yield clean(f"base  {base.id}  {moment(base.started_at)}")
    for letter, comparison in zip(letters, found.comparisons, strict=True):
        run = comparison.candidate
        yield clean(f"{letter:<4}  {run.id}  {moment(run.started_at)}")
    names = list(dict.fromkeys(suite.name for one in found.comparisons for suite in one.suites))
    for name in names:
        yield ""
        yield from (paint(line, "1") for line in wrapped(clean(name), width))
        yield from _versions(found, letters, name, width)
        rows, refused = _rows(found, letters, name)
        if rows:
            columns = grid.fit((_columns(rows, level) for level in range(3)), width)
            yield paint(grid.header(columns), "2")
            for number in range(len(rows)):
                yield from grid.lines(columns, number)
        for line in refused:
            yield from wrapped(clean(line), width)
    yield ""
    m = len(found.comparisons)
    yield from wrapped(
        f"Holm's p allows for there being {m} candidates: it is how often chance alone would make any of them look so "
        "different in that metric. Intervals are those of each candidate by itself.",
        width,
    )
    yield from wrapped(
        "The best of several looks better than it is, since it is picked for being best on these very cases (the "
        "winner's curse). Judge the one you pick again, on cases that had no part in the choice.",
        width,
    )


def _versions(found: Candidates, letters: Sequence[str], name: str, width: int) -> Iterator[str]:
    """Which prompts and models each side used, where the suite has any."""
    sides = [("base", found.comparisons[0].base)]
    sides += [(letter, one.candidate) for letter, one in zip(letters, found.comparisons, strict=True)]
    for side, run in sides:
        used = [one.title for suite in run.suites if suite.info.name == name for one in suite.versions]
        if used:
            yield from wrapped(clean(f"{side:<4}  {', '.join(used)}"), width)


def _rows(found: Candidates, letters: Sequence[str], name: str) -> tuple[list[Row], list[str]]:
    by_metric: dict[str, list[Row]] = {}
    refused: list[str] = []
    for at, (letter, comparison) in enumerate(zip(letters, found.comparisons, strict=True)):
        suite = next((one for one in comparison.suites if one.name == name), None)
        if suite is None or suite.refused:
            refused.append(f"{letter} is not compared: {suite.refused if suite else 'it has no such suite'}")
            continue
        for metric in suite.metrics:
            if metric.refused:
                refused.append(f"{metric.name} of {letter} is not compared: {metric.refused}")
            elif metric.pairs + metric.unpaired:
                p_value = found.adjusted[name, metric.name][at]
                by_metric.setdefault(metric.name, []).append((letter, metric, p_value))
    return [row for rows in by_metric.values() for row in rows], refused


def _columns(rows: Sequence[Row], level: int) -> list[grid.Column]:
    metrics = [metric for _, metric, _ in rows]
    first = [at == 0 or rows[at - 1][1].name != metric.name for at, metric in enumerate(metrics)]
    names = [clean(metric.name) if new else "" for metric, new in zip(metrics, first, strict=True)]
    columns = [
        grid.Column(title="metric", texts=names, least=12 if level else None),
        grid.Column(title="run", texts=[letter for letter, _, _ in rows]),
        grid.Column(title="base", texts=[figure(one.base, one.unit) for one in metrics], right=True),
        grid.Column(title="candidate", texts=[figure(one.candidate, one.unit) for one in metrics], right=True),
        grid.Column(title="difference", texts=[signed(one.difference, one.unit) for one in metrics], right=True),
        grid.Column(title="95% interval", texts=[_ends(one) for one in metrics]),
    ]
    if level < 2:
        moved = [f"{len(one.improved):,}↑ {len(one.regressed):,}↓" for one in metrics]
        columns.append(grid.Column(title="cases", texts=moved, right=True))
    if level < 1:
        columns.append(grid.Column(title="p", texts=[shown_p(one.p_value) for one in metrics], right=True))
    return [*columns, grid.Column(title="Holm's p", texts=[shown_p(p) for _, _, p in rows], right=True)]


def _ends(metric: Difference) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return signed_interval(metric.low, metric.high, metric.unit)


def shown_p(value: float | None) -> str:
    """A p-value to three digits: `0.031`, `<0.001`, `–` for none."""
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
