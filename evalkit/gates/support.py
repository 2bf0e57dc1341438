"""Gates that can be written but not yet decided: refused with a reason and a way round, never passed over."""

from __future__ import annotations

from evalkit.errors import GateError
from evalkit.gates.gate import CORRECTED, Gate


def refuse_unsupported(gate: Gate) -> None:
    """Raise `GateError` for a gate of a kind that this version cannot decide."""
    reason = _reason(gate)
    if reason is not None:
        what, instead = reason
        raise GateError(
            f'The gate "{gate.text or gate}" cannot be decided: {what} is not available yet in this version.',
            where=gate.where,
            why="A gate that is not decided would look like one that passed.",
            hint=instead,
        )


def _reason(gate: Gate) -> tuple[str, str] | None:
    name = gate.metric or "accuracy"
    if gate.judge:
        return "the agreement of a judge with people", f"Gate on the judge's own score: {name} >= 0.8."
    if gate.statistic == CORRECTED:
        return "the correction by human labels", f"Gate on the uncorrected score: {name} >= 0.8."
    return None
