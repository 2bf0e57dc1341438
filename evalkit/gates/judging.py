"""Judging a suite by its gates, and judging a recorded verdict again from its own numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from evalkit.errors import GateError
from evalkit.gates.deciding import decide
from evalkit.gates.gate import Gate
from evalkit.gates.parser import parse
from evalkit.gates.sample import Sample, from_inputs, sample, to_inputs
from evalkit.gates.support import refuse_unsupported
from evalkit.runs import SuiteRun, Verdict
from evalkit.stats.columns import read

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


def judge(gates: Sequence[Gate], suite: SuiteRun, *, on_inconclusive: OnInconclusive = "fail") -> tuple[Verdict, ...]:
    """One verdict per gate, in their order, from the trials of a suite alone.

    A run that stopped early or is partial is judged on what there is: trials that never ran are missing values,
    and the reason says so. Nothing scored, no trial, no scorer and an unknown name are a `fail`. Raises
    `GateError` for a gate of a kind that this version cannot decide.
    """
    for gate in gates:
        refuse_unsupported(gate)
    if not gates:
        return ()
    table = read(suite)
    return tuple(_verdict(gate, sample(gate, table), suite.info.name, on_inconclusive) for gate in gates)


def recompute(verdict: Verdict) -> Verdict:
    """The verdict that follows from `verdict.inputs` and its gate, with nothing else looked at.

    Equal to `verdict` where the record is sound and this version decides as the one that wrote it did. Raises
    `GateError` where the inputs are not those of a verdict.
    """
    try:
        found = from_inputs(verdict.inputs)
        return _verdict(parse(verdict.gate), found, verdict.suite, verdict.on_inconclusive)
    except (KeyError, TypeError, ValueError, AttributeError, LookupError) as error:
        if isinstance(error, GateError):
            raise
        raise GateError(
            f'The verdict on "{verdict.gate}" cannot be computed again: its inputs are incomplete ({error}).',
            hint="Judge the stored run instead.",
        ) from error


def _verdict(gate: Gate, found: Sample, suite: str, on_inconclusive: OnInconclusive) -> Verdict:
    finding = decide(gate, found)
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
        inputs=to_inputs(found),
        **fields,
    )
