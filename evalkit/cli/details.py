"""The sections of `evalkit show` below the table: slices with their marks, and labels with what they were taken for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from evalkit import grid
from evalkit.figures import count, figure, interval
from evalkit.plaintext import Paint, clean, wrapped
from evalkit.runs import Run
from evalkit.stats.confusions import Confusion, confusions
from evalkit.stats.marks import MARKED_AT, Mark, slice_marks

SLICES_SHOWN = 12
LABELS_SHOWN = 8
MIXED_UP_SHOWN = 5


def marks_of(run: Run) -> list[tuple[str, Mark]]:
    """Every slice of every suite with its mark."""
    return [(suite.info.name, mark) for suite in run.suites for mark in slice_marks(suite)]


def confusions_of(run: Run) -> list[Confusion]:
    """The table of labels of every score that has one."""
    return [one for suite in run.suites for one in confusions(suite)]


def slice_lines(marks: Sequence[tuple[str, Mark]], width: int, paint: Paint) -> Iterator[str]:
    """The slices of the scores: those that differ from the rest first, then the lowest."""
    shown = [(suite, mark) for suite, mark in marks if mark.name != "errors" and mark.value is not None]
    if not shown:
        return
    shown.sort(key=lambda pair: (not pair[1].is_marked, pair[1].value or 0.0, str(pair[1].slice)))
    several = len({suite for suite, _ in shown}) > 1
    listed = shown[:SLICES_SHOWN]
    yield ""
    yield paint("slices", "1")
    columns = [
        grid.Column(
            title="slice", texts=[clean(_name(suite if several else "", mark)) for suite, mark in listed], least=20
        ),
        grid.Column(title="metric", texts=[clean(mark.name) for _, mark in listed], least=12),
        grid.Column(title="value", texts=[figure(mark.value) for _, mark in listed], right=True),
        grid.Column(title="the rest", texts=[figure(mark.rest) for _, mark in listed], right=True),
        grid.Column(title="cases", texts=[f"{mark.cases:,}" for _, mark in listed], right=True),
        grid.Column(title="q", texts=[_q(mark) for _, mark in listed], right=True),
        grid.Column(title="", texts=["differs" if mark.is_marked else "" for _, mark in listed]),
    ]
    columns = list(grid.fit([columns, [*columns[:3], *columns[4:]]], width))
    yield paint(grid.header(columns), "2")
    for number, (_, mark) in enumerate(listed):
        for line in grid.lines(columns, number):
            yield paint(line, "33") if mark.is_marked else line
    told = _told([mark for _, mark in shown])
    if len(shown) > len(listed):
        told += f" {count(len(shown) - len(listed), 'more slice')} in --json."
    yield from (paint(line, "2") for line in wrapped(told, width))


def _name(suite: str, mark: Mark) -> str:
    ((key, value),) = mark.slice.items()
    return (f"{suite} " if suite else "") + (value if key == "tag" else f"{key}={value}")


def _q(mark: Mark) -> str:
    if mark.q_value is None:
        return "–"
    return "<0.001" if mark.q_value < 0.001 else f"{mark.q_value:.3f}"


def _told(marks: Sequence[Mark]) -> str:
    marked = sum(mark.is_marked for mark in marks)
    tested = sum(mark.q_value is not None for mark in marks)
    if not tested:
        return "No slice is held against the rest: there are too few cases, or they hang together in clusters."
    if not marked:
        return (
            f"None of {count(tested, 'slice')} differs from the rest of its suite by more than so many slices would by "
            "chance. That does not show that they are alike."
        )
    return (
        f"{marked} of {count(tested, 'slice')} differ{'s' if marked == 1 else ''} from the rest of the suite by more "
        f"than so many slices would by chance (q ≤ {MARKED_AT:g}: of slices marked so, about one in ten is a false "
        "alarm). A mark decides nothing; a gate on the slice does."
    )


def label_lines(tables: Sequence[Confusion], width: int, paint: Paint) -> Iterator[str]:
    """What was given for what, and the figures of agreement."""
    for one in tables:
        yield ""
        known = sum(map(sum, one.table))
        lost = f", {_size(one.missing)} without a label" if one.missing else ""
        lost += f", {_size(one.unknown)} without a right one" if one.unknown else ""
        title = f"labels of {one.name} in {one.suite}: {_size(one.right)} of {_size(known)} cases right{lost}"
        yield from (paint(line, "1") for line in wrapped(clean(title), width))
        for made in one.figures:
            if made.value is not None:
                ends = interval(made.low, made.high)
                yield f"  {made.kind:<22} {figure(made.value):>7}" + (f"  {ends} at 95%" if ends else "")
        if len(one.labels) <= LABELS_SHOWN:
            yield from _table(one, width, paint)
        else:
            yield from _mixed_up(one, width)


def _table(one: Confusion, width: int, paint: Paint) -> Iterator[str]:
    rows = [i for i, row in enumerate(one.table) if any(row)]
    columns = [grid.Column(title="  expected ↓ given →", texts=[f"  {clean(one.labels[i])}" for i in rows], least=20)]
    for j, label in enumerate(one.labels):
        columns.append(grid.Column(title=clean(label)[:16], texts=[_size(one.table[i][j]) for i in rows], right=True))
    header = grid.header(columns)
    if len(header) > width:
        yield from _mixed_up(one, width)
        return
    yield paint(header, "2")
    for number in range(len(rows)):
        yield from grid.lines(columns, number)


def _mixed_up(one: Confusion, width: int) -> Iterator[str]:
    wrong = sorted(
        (
            (-size, one.labels[i], one.labels[j])
            for i, row in enumerate(one.table)
            for j, size in enumerate(row)
            if i != j and size
        )
    )
    if wrong:
        told = ", ".join(f"{true} taken for {given} {_size(-size)}×" for size, true, given in wrong[:MIXED_UP_SHOWN])
        more = f", and {len(wrong) - MIXED_UP_SHOWN} more pairs" if len(wrong) > MIXED_UP_SHOWN else ""
        yield from (f"  {line}" for line in wrapped(clean(f"Most often mixed up: {told}{more}."), width - 2))


def _size(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def mark_shape(suite: str, mark: Mark) -> dict[str, Any]:
    """One of `slices` in JSON."""
    return {
        "suite": suite,
        "name": mark.name,
        "statistic": mark.statistic,
        "slice": dict(mark.slice),
        "n": mark.cases,
        "value": mark.value,
        "rest": mark.rest,
        "p_value": mark.p_value,
        "q_value": mark.q_value,
        "test": mark.test,
        "marked": mark.is_marked,
    }


def confusion_shape(one: Confusion) -> dict[str, Any]:
    """One of `labels` in JSON."""
    return {
        "suite": one.suite,
        "name": one.name,
        "labels": list(one.labels),
        "table": [list(row) for row in one.table],
        "given": dict(one.given),
        "n": one.cases,
        "missing": one.missing,
        "unknown": one.unknown,
        "figures": [
            {
                "statistic": made.statistic,
                "kind": made.kind,
                "value": made.value,
                "interval": None if made.low is None else [made.low, made.high],
                "level": made.level,
                "method": made.method,
            }
            for made in one.figures
        ],
    }
