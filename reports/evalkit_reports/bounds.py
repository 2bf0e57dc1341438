"""The bound a gate's line sets, so that a chart can draw it and a figure can be told in the gate's own unit.

A stored run may carry gates of a newer grammar: what cannot be read is shown as it is written, without a bound.
"""

from __future__ import annotations

import dataclasses

from evalkit.errors import GateError
from evalkit.gates import Gate, parse
from evalkit.gates.words import amount
from evalkit.runs import Verdict
from evalkit_reports import words


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A gate that sets a bound, with its verdict."""

    gate: Gate
    verdict: Verdict

    @property
    def value(self) -> float:
        """The bound in the metric's own unit: 0.01 for `1%`, 0.3 for `300ms`."""
        return float(self.gate.bound)

    @property
    def text(self) -> str:
        """The bound as it is written: `>= 0.9`."""
        return f"{self.gate.operator} {amount(self.gate, self.gate.bound)}"

    @property
    def keys(self) -> tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]:
        """The metrics that the gate may be on, name, statistic and slice, the likeliest first.

        The pass rate of a true-or-false score is its mean: a gate that names no statistic is on whichever there is.
        """
        where = () if self.gate.slice is None else (self.gate.slice,)
        statistics = [self.gate.reduces_by]
        if self.gate.statistic is None:
            statistics += [name for name in ("mean", "rate") if name not in statistics]
        return tuple((self.gate.metric, statistic, where) for statistic in statistics)


def read_gate(line: str) -> Gate | None:
    """The gate that `line` says, or `None` where this version cannot read it."""
    try:
        return parse(line)
    except GateError:
        return None


def bound_of(verdict: Verdict) -> Bound | None:
    """The bound of a verdict's gate; `None` for a comparison with a baseline, one per case, or an unknown form."""
    gate = read_gate(verdict.gate)
    if gate is None or gate.threshold is None or gate.each or gate.judge:
        return None
    return Bound(gate=gate, verdict=verdict)


def figure(verdict: Verdict, value: float | None) -> str:
    """A figure of `verdict` in its gate's unit, with digits enough to tell it from the bound."""
    if value is None:
        return words.UNKNOWN
    gate = read_gate(verdict.gate)
    if gate is None or gate.threshold is None:
        return words.number(value)
    return amount(gate, value)
