"""What a gate against a baseline is decided from: the paired statistics of its metric, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from evalkit.errors import GateError
from evalkit.gates.gate import LABEL_STATISTICS, Gate
from evalkit.gates.sample import counted, label_problem, labels_of
from evalkit.runs import SuiteRun
from evalkit.stats import labelled
from evalkit.stats.columns import Table, read
from evalkit.stats.differences import dataset_refusal, higher_is_better, refusal_of
from evalkit.stats.labelled import Labelled
from evalkit.stats.means import pass_rates
from evalkit.stats.pairing import pairing
from evalkit.stats.pairs import OpenPair, Pairs
from evalkit.stats.slices import members

FLAG = "--evalkit-baseline"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One suite of an earlier run to compare with, and that run's id (empty where it has none)."""

    suite: SuiteRun
    run: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """The numbers a gate against a baseline is decided from.

    `data` are the pairs, `baseline` the id of the run compared with, `higher_is_better` which way is up. `unpaired`
    counts cases that were run and that the baseline does not have. The other fields are those of `Sample`, for the
    candidate: `problem` is why there is nothing to compare, and empty otherwise.
    """

    data: Pairs | Labelled | None
    baseline: str
    higher_is_better: bool
    unpaired: int
    cases: int
    trials: int
    planned: int
    scored: int
    unscored: int
    errored: int
    failed: int = 0
    problem: str = ""
    selection: str | None = None

    @property
    def absent(self) -> int:
        """How many planned trials of the candidate never ran."""
        return max(self.planned - self.trials, 0)


def reference_for(gate: Gate, baseline: Reference | None, named: Mapping[str, Reference]) -> Reference:
    """What the gate is to be compared with. Raises `GateError`, saying how to name a baseline, where there is none."""
    assert gate.baseline is not None
    found = named.get(gate.baseline.run) if gate.baseline.run else baseline
    if found is None:
        raise GateError(
            f'The gate "{gate.text or gate}" compares with a baseline, and '
            + (f'there is no run "{gate.baseline.run}" at hand.' if gate.baseline.run else "none was named."),
            where=gate.where,
            why="A gate that is not decided would look like one that passed.",
            hint=f"Name a stored run: {FLAG}=RUN, `baseline` in [tool.evalkit], baseline= of evalkit.run, or "
            "`evalkit gate RUN --baseline BASE` for a run that is stored already. `evalkit runs` lists them.",
        )
    return found


def refuse_unpaired(gate: Gate, reference: Reference, suite: SuiteRun) -> None:
    """Raise `GateError` where the two suites cannot be paired: another version of the dataset, or of the scorer."""
    reason = dataset_refusal(reference.suite, suite)
    versions = [
        {scorer.name: scorer.version for scorer in side.info.scorers}.get(gate.metric)
        for side in (reference.suite, suite)
    ]
    if not reason and None not in versions and versions[0] != versions[1]:
        reason = f"the scorer {gate.metric} is of another version: {versions[0]} and {versions[1]}"
    if reason:
        raise GateError(
            f'The gate "{gate.text or gate}" cannot compare with the baseline{_named(reference)}: {reason}.',
            where=gate.where,
            why="Pairs are pairs only where the same cases were judged in the same way.",
            hint="Run the baseline again on this version, and name the new run.",
        )


def _named(reference: Reference) -> str:
    return f" {reference.run[:13]}" if reference.run else ""


def versus(gate: Gate, table: Table, reference: Reference) -> Versus:
    """The numbers of a gate against a baseline. Raises `GateError` where the suites cannot be paired."""
    refuse_unpaired(gate, reference, table.suite)
    before = read(reference.suite)
    positions = None if gate.slice is None else members(table.suite.cases, *gate.slice)
    column = table.columns.get(gate.metric)
    counts = counted(table, column, positions)
    info = table.suite.info
    found = Versus(
        data=None,
        baseline=reference.run,
        higher_is_better=column is None or higher_is_better(table.suite, column),
        unpaired=0,
        cases=counts.cases,
        trials=counts.trials,
        planned=counts.planned,
        scored=counts.scored,
        unscored=counts.unscored,
        errored=counts.errored,
        failed=counts.failed,
        selection=(info.selection or "a part of the trials") if info.is_partial else None,
        problem=_problem(gate, table, before, positions),
    )
    other = before.columns.get(gate.metric)
    if column is None or other is None or found.problem:
        return found
    if gate.statistic in LABEL_STATISTICS:
        return _on_labels(gate, found, [(before, gate.metric), (table, gate.metric)], positions)
    if gate.reduces_by == "rate" and not column.builtin:
        column, other = pass_rates(column), pass_rates(other)
        found = dataclasses.replace(found, higher_is_better=True)
    rising = found.higher_is_better
    paired = pairing(
        (before, other), (table, column), failed_as_zero=rising and not column.builtin, positions=positions
    )
    data = paired.statistics()
    found = dataclasses.replace(found, data=data, unpaired=len(paired.only_candidate))
    if not data.cases:
        return dataclasses.replace(found, problem="No case is in both runs, so there is nothing to pair.")
    if not data.complete and all(pair.low == -pair.high for pair in data.open):
        return dataclasses.replace(found, problem=f"{gate.metric} has no value on either side, so nothing is compared.")
    return found


def _on_labels(
    gate: Gate, found: Versus, sides: Sequence[tuple[Table, str]], positions: Sequence[int] | None
) -> Versus:
    data = labels_of(gate, sides, positions)
    ids = set(sides[0][0].case_ids)
    table = sides[-1][0]
    chosen = range(len(table.case_ids)) if positions is None else positions
    alone = sum(1 for position in chosen if table.case_ids[position] not in ids)
    problem = label_problem(gate, data) if data.units else "No case is in both runs, so there is nothing to pair."
    return dataclasses.replace(
        found,
        data=dataclasses.replace(data, cases=len(chosen) - alone),
        higher_is_better=True,
        unpaired=alone,
        problem=problem,
    )


def _problem(gate: Gate, table: Table, before: Table, positions: Sequence[int] | None) -> str:
    """Why the comparison can never be made, as a sentence, or nothing."""
    if not table.case_of:
        return "No trial ran, so there is nothing that could be compared."
    why = refusal_of(gate.metric, before, table)
    if why:
        return f"{gate.metric} cannot be compared: {why}."
    if positions is not None and not positions:
        return "No case that was run is in the slice."
    column, other = table.columns[gate.metric], before.columns[gate.metric]
    if gate.statistic in LABEL_STATISTICS:
        return ""
    if "label" in (column.shape, other.shape) and gate.reduces_by != "rate":
        return f"{gate.metric} gives words, not numbers, so it has no difference."
    margin = gate.baseline.margin if gate.baseline else None
    bounded = column.shape in ("binary", "unit") and other.shape in ("binary", "unit")
    if margin is not None and gate.baseline and not gate.baseline.relative and bounded and margin >= 1:
        return f"{gate.metric} lies between 0 and 1, so a margin of {margin} would allow anything."
    if gate.baseline and gate.baseline.relative and not _is_positive(other):
        return (
            f"{gate.metric} has values at or below 0, of which no percentage can be taken; "
            "a margin of it has to be a plain number."
        )
    return ""


def _is_positive(column: Any) -> bool:
    return all(value is None or value > 0 for value in column.values)


# the record, from which a verdict can be computed again


def to_inputs(found: Versus) -> dict[str, Any]:
    """The numbers as JSON data: fractions and infinities as text."""
    fields = {f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name != "data"}
    if isinstance(found.data, Labelled):
        fields["labels"] = labelled.to_plain(found.data)
    elif found.data is not None:
        plain = {f.name: getattr(found.data, f.name) for f in dataclasses.fields(found.data)}
        plain |= {name: str(plain[name]) for name in _FRACTIONS}
        plain["open"] = [[str(pair.low), str(pair.high), pair.count] for pair in found.data.open]
        fields["pairs"] = plain
    return fields


def from_inputs(inputs: Mapping[str, Any]) -> Versus:
    """The numbers that `to_inputs` wrote. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    fields = dict(inputs)
    data: Pairs | Labelled | None = None
    if (plain := fields.pop("labels", None)) is not None:
        data = labelled.from_plain(plain)
    elif (plain := fields.pop("pairs", None)) is not None:
        exact = {name: Fraction(plain[name]) for name in _FRACTIONS}
        holes = tuple(
            OpenPair(low=float(low), high=float(high), count=int(count)) for low, high, count in plain["open"]
        )
        data = Pairs(**(plain | exact | {"open": holes}))
    return Versus(data=data, **fields)


_FRACTIONS = ("base", "candidate", "up", "down")
