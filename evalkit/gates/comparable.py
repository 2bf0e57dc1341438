"""Checking gates against a baseline before anything runs: that there is one, and that the cases can suffice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

from evalkit.errors import GateError
from evalkit.gates.claim import DEFAULT_LEVEL
from evalkit.gates.deciding import FEWEST_GRADED, FEWEST_REPEATED
from evalkit.gates.gate import LABEL_STATISTICS, Gate
from evalkit.gates.versus import Reference, reference_for, refuse_unpaired
from evalkit.gates.words import plural
from evalkit.runs import SuiteInfo, SuiteRun
from evalkit.stats.columns import read
from evalkit.stats.drops import narrowest_margin, rising_cases, unchanged_cases


def check_kind(gate: Gate) -> None:
    """Raise `GateError` for a comparison that has no paired difference of means, whatever the data are."""
    if gate.baseline is None:
        return
    if gate.reduces_by not in ("mean", "rate", *LABEL_STATISTICS):
        _refuse(
            gate,
            f"only a mean, a rate or a figure of labels is compared with a baseline, not {gate.reduces_by}",
            why="An interval of a paired difference is made of the cases' means.",
            hint=f"Write {gate.metric}.mean, or a bound of its own: {gate.metric} <= …",
        )
    if gate.metric == "errors" and gate.baseline.relative:
        _refuse(
            gate,
            "errors may be 0, of which no percentage can be taken",
            hint="Write the margin as a plain number, such as errors not worse than baseline by 0.02 @ 95%.",
        )


def check_reference(
    gate: Gate, info: SuiteInfo, baseline: Reference | None, named: Mapping[str, Reference], produced: Collection[str]
) -> None:
    """Raise `GateError` where there is no baseline, or none that could be paired with this suite."""
    if gate.baseline is None:
        return
    reference = reference_for(gate, baseline, named)
    refuse_unpaired(gate, reference, SuiteRun(info=info, cases=(), trials=()))
    before = read(reference.suite)
    column = before.columns.get(gate.metric)
    if column is None and gate.metric in produced:
        _refuse(
            gate,
            f'the baseline has no score called "{gate.metric}"',
            why="Its suite had " + (", ".join(name for name in before.columns) or "no scores") + ".",
            hint="Run the baseline again with this scorer, and name the new run.",
        )
    if column is None or not gate.baseline.relative:
        return
    if any(value is not None and value <= 0 for value in column.values):
        _refuse(
            gate,
            f"{gate.metric} has values at or below 0 in the baseline, of which no percentage can be taken",
            hint=f"Write the margin as a plain number, such as {gate.metric} not worse than baseline by 0.02 @ 95%.",
        )


def require(gates: Sequence[Gate], info: SuiteInfo, baseline: Reference | None, named: Mapping[str, Reference]) -> None:
    """Raise `GateError` for the first gate that compares with a baseline and has none it could be paired with."""
    for gate in gates:
        check_kind(gate)
        check_reference(gate, info, baseline, named, ())


def check_size(gate: Gate, info: SuiteInfo, cases: int, *, is_graded: bool) -> None:
    """Raise `GateError` for a comparison that so many cases could not settle, with the number it takes.

    `is_graded` is whether the score may be graded, so that no number of cases follows from the margin alone.
    """
    if gate.baseline is None:
        return
    measured = gate.is_builtin and gate.metric != "errors"
    fewest = FEWEST_GRADED if measured else FEWEST_REPEATED if info.repeat > 1 else 2
    if cases < fewest:
        kind = "measured values" if measured else "repeated trials" if info.repeat > 1 else "pairs"
        _unreachable(gate, fewest, cases, hint=f"An interval of {kind} cannot be trusted on fewer than {fewest} cases.")
    if is_graded or measured or gate.baseline.relative or gate.baseline.claim == "no regression":
        return
    level = gate.confidence or DEFAULT_LEVEL
    margin = float(gate.baseline.margin or 0)
    if gate.baseline.claim == "better":
        rising = rising_cases(margin, level=level)
        if rising is None:
            _refuse(gate, f"nothing between 0 and 1 can rise by {margin:g}", hint="Ask for less.")
        if cases < rising:
            _unreachable(gate, rising, cases, even="every case rises", hint="Add cases, or ask for less.")
        return
    needed = unchanged_cases(margin, level=level)
    if needed is None:
        _refuse(gate, "no number of cases shows a difference of exactly nothing", hint="Give a margin above 0.")
    if cases < needed:
        widest = narrowest_margin(cases, level=level)
        graded = (
            "" if gate.statistic else f" If the score is graded rather than right or wrong, write {gate.metric}.mean."
        )
        _unreachable(
            gate,
            needed,
            cases,
            even="not one of them changes",
            hint=f"Add cases, write `{gate.subject} no regression vs baseline`, or widen the margin to {widest:g}."
            + graded,
        )


def _unreachable(gate: Gate, needed: int, cases: int, *, hint: str, even: str = "") -> NoReturn:
    side = "the suite has" if gate.slice is None else "the slice has"
    although = f" even if {even}" if even else ""
    _refuse(gate, f"it needs at least {plural(needed, 'case')}{although}, and {side} {cases:,}", hint=hint)


def _refuse(gate: Gate, what: str, *, why: str | None = None, hint: str | None = None) -> NoReturn:
    raise GateError(f'The gate "{gate.text or gate}": {what}.', where=gate.where, why=why, hint=hint)
