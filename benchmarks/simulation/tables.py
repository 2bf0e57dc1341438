"""What was found, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.simulation.cells import OURS, Cell, highest, methods_of, noise
from benchmarks.simulation.kinds import ANEW, Found
from benchmarks.simulation.stopping import RULES, Stopped


def summary(found: Sequence[Found]) -> str:
    """One line for each kind of gate: the worst that was seen, ours and what others use."""
    head = "| gate | scores | wrong PASS | wrong FAIL | what others use | wrong PASS | wrong FAIL |"
    drawn = {one.cells[0].draws for one in found if one.cells[0].draws is not None}
    many = f"Up to {max(drawn):,} suites a scenario where they are drawn, and" if drawn else "And"
    lines = [
        (
            "The highest share of wrong verdicts over all scenarios of a kind, in per cent; 2.5 is allowed. "
            f"{many} {ANEW} times as many for the worst of them."
        ),
        "",
        head,
        "|---|---|---:|---:|---|---:|---:|",
        *(_line(one) for one in found if not one.kind.is_limit),
        "",
        "Where no method can keep its word, because what matters may not have been seen:",
        "",
        head,
        "|---|---|---:|---:|---|---:|---:|",
        *(_line(one) for one in found if one.kind.is_limit),
    ]
    return "\n".join(lines)


def _line(found: Found) -> str:
    kind = found.kind
    ours = [_share(max(c.found[OURS].false_pass for c in found.worst)), _share(_fail(found.worst))]
    theirs = [
        _share(max(c.found[kind.naive].false_pass for c in found.cells)),
        _share(max(c.found[kind.naive].false_fail for c in found.cells)),
    ]
    if kind.fails_only:
        ours[0] = theirs[0] = "–"
    margin = noise(found.worst[0].draws)
    drawn = f" ± {100 * margin:.1f}" if margin else ""
    return (
        f"| {kind.gate} | {kind.data} | **{ours[0]}**{drawn if ours[0] != '–' else ''} | **{ours[1]}**{drawn} "
        f"| {kind.naive_name} | {theirs[0]} | {theirs[1]} |"
    )


def _fail(cells: Sequence[Cell]) -> float:
    return max(cell.found[OURS].false_fail for cell in cells)


def _share(rate: float) -> str:
    return f"{100 * rate:.2f}"


def details(found: Sequence[Found]) -> str:
    """For each kind and method the highest error on each side, on both grids, with the scenario."""
    parts = []
    for one in found:
        first = one.cells[0]
        drawn = "every outcome enumerated" if first.draws is None else f"{first.draws:,} suites a scenario"
        again = "" if first.draws is None else f", the worst drawn again {ANEW} times as often"
        lines = [
            f"**{one.kind.gate}, {one.kind.data}** ({drawn}{again})",
            "",
            "| | grid | highest wrong PASS | where | highest wrong FAIL | where |",
            "|---|---|---:|---|---:|---|",
        ]
        for method in methods_of(one.cells):
            for grid in ("first", "second"):
                pool = one.worst if method == OURS else one.cells
                cells = [cell for cell in pool if cell.grid == grid]
                if not cells:
                    continue
                high, low = highest(cells, method, "false_pass"), highest(cells, method, "false_fail")
                count = sum(cell.grid == grid for cell in one.cells)
                cells_ = [_share(high[0]), high[1], _share(low[0]), low[1]]
                if one.kind.fails_only:
                    cells_[:2] = ["–", ""]
                lines.append(f"| {method} | {grid}, {count} scenarios | " + " | ".join(cells_) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def stopping(stopped: Sequence[Stopped], *, runs: int) -> str:
    """How early stops fare."""
    lines = [
        f"Suites of 400 cases with the gate `accuracy >= 0.9`, {runs:,} runs each: the share of cases run, and in how many runs the verdict was another than the full run's, in per cent.",
        "",
        '| true share | `stop="decided"` | `stop="anytime"` | stop when a 95 % interval clears the bound |',
        "|---|---|---|---|",
    ]
    for one in stopped:
        cells = [f"{100 * one.run[rule]:.0f} run, {100 * one.otherwise[rule]:.2f} other" for rule in RULES]
        lines.append(f"| {one.share:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def repeats(found: Sequence[Found]) -> str:
    """The scenarios with repeats one by one: wrong PASS / wrong FAIL in per cent."""
    parts = []
    for one in found:
        if one.kind.key not in ("repeats", "reducers", "few-reducers"):
            continue
        methods = methods_of(one.cells)
        lines = ["| scenario, cases × trials | " + " | ".join(methods) + " |", "|---|" + "---|" * len(methods)]
        for cell in one.cells:
            shown = [f"{_share(cell.found[m].false_pass)} / {_share(cell.found[m].false_fail)}" for m in methods]
            lines.append(f"| {cell.scenario} | " + " | ".join(shown) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
