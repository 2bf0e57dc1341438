"""Judging a suite by its gates, and judging a recorded verdict again from its own numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from evalkit.errors import GateError
from evalkit.gates import versus as against
from evalkit.gates.claims import decide_claim
from evalkit.gates.deciding import Finding, decide
from evalkit.gates.early import first_cases, tagged
from evalkit.gates.gate import Gate
from evalkit.gates.parser import parse
from evalkit.gates.sample import Sample, from_inputs, sample, to_inputs
from evalkit.gates.versus import Reference, Versus, reference_for, versus
from evalkit.runs import Standing, SuiteRun, Verdict
from evalkit.stats.columns import read

if TYPE_CHECKING:
    from evalkit.gates.people import Evidence

DEFAULT_ERRORS = Gate(
    metric="errors", operator="<=", threshold=Decimal(5), unit="%", text="errors <= 5%", is_default=True
)
"""The gate that every suite with gates has, unless it has one on errors itself."""

OnInconclusive = Literal["fail", "warn", "pass"]


def with_defaults(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """The gates, and `errors <= 5%` where there are any and none of them is on the errors of the whole suite."""
    if not gates or any(gate.metric == "errors" and gate.slice is None for gate in gates):
        return tuple(gates)
    return (*gates, DEFAULT_ERRORS)


def judge(
    gates: Sequence[Gate],
    suite: SuiteRun,
    *,
    baseline: SuiteRun | Reference | None = None,
    named: Mapping[str, Reference] = MappingProxyType({}),
    on_inconclusive: OnInconclusive = "fail",
) -> tuple[Verdict, ...]:
    """One verdict per gate, in their order, from the trials of a suite alone, and those of a baseline.

    A run that stopped early or is partial is judged on what there is: trials that never ran are missing values,
    and the reason says so; where a suite was allowed to stop `anytime`, what it had seen by then decides. Nothing
    scored, no trial, no scorer and an unknown name are a `fail`. `baseline` is the same suite in the run that gates
    compare with, `named` has those that gates name themselves. Raises `GateError` for a gate of a kind that this
    version cannot decide, for a comparison without a baseline, and for one with another version of the dataset or
    scorer.
    """
    if not gates:
        return ()
    suite = first_cases(suite)
    table = read(suite)
    reference = Reference(suite=baseline) if isinstance(baseline, SuiteRun) else baseline
    found: list[Verdict] = []
    standings = {one.name: one.judge.standing for one in suite.info.scorers if one.judge is not None}
    for gate in gates:
        standing = standings.get(gate.metric)
        if gate.rests_on_people:
            from evalkit.gates.people import evidence

            found.append(_by_people(gate, evidence(gate, suite), suite.info.name, on_inconclusive))
        elif gate.baseline is None:
            data_at = tagged(sample(gate, table), gate, suite)
            # A suite that failed and stopped did not wait for the gate that nobody wrote: no failure of its own.
            policy: OnInconclusive = "warn" if data_at.stopped and gate == DEFAULT_ERRORS else on_inconclusive
            found.append(_verdict(gate, data_at, suite.info.name, policy, standing))
        else:
            data = versus(gate, table, reference_for(gate, reference, named))
            found.append(_verdict(gate, data, suite.info.name, on_inconclusive, standing))
    return tuple(found)


def recompute(verdict: Verdict) -> Verdict:
    """The verdict that follows from `verdict.inputs` and its gate, with nothing else looked at.

    Equal to `verdict` where the record is sound and this version decides as the one that wrote it did. Raises
    `GateError` where the inputs are not those of a verdict.
    """
    try:
        gate = parse(verdict.gate)
        if gate.rests_on_people:
            from evalkit.gates.people import from_plain

            return _by_people(gate, from_plain(verdict.inputs), verdict.suite, verdict.on_inconclusive)
        inputs = dict(verdict.inputs)
        standing = inputs.pop("judge", None)
        found = from_inputs(inputs) if gate.baseline is None else against.from_inputs(inputs)
        return _verdict(gate, found, verdict.suite, verdict.on_inconclusive, standing)
    except (KeyError, TypeError, ValueError, AttributeError, LookupError) as error:
        if isinstance(error, GateError):
            raise
        raise GateError(
            f'The verdict on "{verdict.gate}" cannot be computed again: its inputs are incomplete ({error}).',
            hint="Judge the stored run instead.",
        ) from error


def _verdict(
    gate: Gate, found: Sample | Versus, suite: str, on_inconclusive: OnInconclusive, standing: Standing | None
) -> Verdict:
    if isinstance(found, Versus):
        finding, inputs = decide_claim(gate, found), against.to_inputs(found)
    else:
        finding, inputs = decide(gate, found), to_inputs(found)
    if standing is not None:
        from evalkit.gates.people import fit

        finding, inputs = fit(gate, finding, standing), {**inputs, "judge": standing}
    return _made(gate, finding, found, inputs, suite, on_inconclusive)


def _by_people(gate: Gate, found: Evidence, suite: str, on_inconclusive: OnInconclusive) -> Verdict:
    from evalkit.gates.people import decide_by_people, to_plain

    return _made(gate, decide_by_people(gate, found), found, to_plain(found), suite, on_inconclusive)


def _made(
    gate: Gate,
    finding: Finding,
    found: Sample | Versus | Evidence,
    inputs: Mapping[str, Any],
    suite: str,
    on_inconclusive: OnInconclusive,
) -> Verdict:
    fields = {field.name: getattr(finding, field.name) for field in dataclasses.fields(finding)}
    return Verdict(
        suite=suite,
        gate=str(gate),
        cases=found.cases,
        trials=found.trials,
        scored=found.scored,
        unscored=found.unscored,
        errored=found.errored,
        on_inconclusive=on_inconclusive,
        inputs=inputs,
        **fields,
    )
