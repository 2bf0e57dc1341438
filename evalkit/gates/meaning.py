"""What a gate that reads well may still get wrong: units, shares above 1, evidence where there can be none."""

from __future__ import annotations

import dataclasses

from evalkit.gates.gate import CORRECTED, LABEL_STATISTICS, REPEAT_STATISTICS, Gate
from evalkit.stats.columns import BUILTINS

_UNITS_OF = {
    "errors": ("", "%"),
    "latency": ("", "s", "ms"),
    "cost": ("", "$"),
    "input_tokens": ("", "tokens"),
    "output_tokens": ("", "tokens"),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong, and what to write instead."""

    what: str
    hint: str


def mistake(gate: Gate) -> Mistake | None:
    """What makes a gate meaningless whatever the data are, or `None`."""
    return _statistic(gate) or _baseline(gate) or _unit(gate) or _share(gate) or _evidence(gate)


def is_share(gate: Gate) -> bool:
    """Whether what the gate is on can only lie between 0 and 1, whatever the scorer."""
    name = gate.reduces_by
    return name in ("rate", "f1") or name.startswith("pass") or name in REPEAT_STATISTICS or gate.judge


def _statistic(gate: Gate) -> Mistake | None:
    if gate.metric == "errors" and gate.statistic not in (None, "rate", "mean"):
        return Mistake(what="errors is a share of the trials and has nothing but its rate", hint="Write errors <= 1%.")
    judged = gate.reduces_by in (
        "rate",
        CORRECTED,
        *REPEAT_STATISTICS,
        *LABEL_STATISTICS,
    ) or gate.reduces_by.startswith("pass")
    if gate.metric in BUILTINS and gate.metric != "errors" and judged:
        return Mistake(
            what=f"{gate.metric} is measured, so it has no {gate.reduces_by}",
            hint=f"Write {gate.metric}.mean, {gate.metric}.p95 or {gate.metric}.max.",
        )
    if gate.each and gate.statistic is not None:
        return Mistake(
            what="`each case:` already looks at every single value, so it takes no statistic",
            hint=f"Write each case: {gate.metric} {gate.operator} {gate.threshold}.",
        )
    return None


def _baseline(gate: Gate) -> Mistake | None:
    baseline = gate.baseline
    if baseline is None:
        return None
    if gate.each:
        return Mistake(what="`each case:` and a baseline do not go together", hint="Leave one of the two out.")
    if baseline.margin is not None and baseline.margin < 0:
        return Mistake(what="the margin after `by` is a difference and cannot be negative", hint="Write by 0.02.")
    if baseline.relative and gate.statistic in LABEL_STATISTICS:
        return Mistake(
            what=f"the margin of {gate.statistic} is a plain difference, not a percentage", hint="Write by 0.05."
        )
    if baseline.claim == "not worse" and baseline.margin is None:
        return Mistake(
            what="no finite number of cases shows that a change makes no difference at all",
            hint="Say how much does not matter: not worse than baseline by 0.02 @ 95%.",
        )
    if baseline.claim == "no regression" and baseline.margin is not None:
        return Mistake(
            what="`no regression` takes no margin", hint=f"Write not worse than baseline by {baseline.margin} @ 95%."
        )
    if baseline.claim != "no regression" and gate.level is None:
        return Mistake(what="a comparison with a baseline needs a level of evidence", hint="Add @ 95%.")
    return None


def _unit(gate: Gate) -> Mistake | None:
    if gate.baseline is not None:
        return None
    allowed = _UNITS_OF.get(gate.metric, ("", "%"))
    if gate.unit in allowed:
        return None
    shown = " or ".join(unit for unit in allowed if unit)
    said = f"is given in {shown} or as a plain number" if gate.is_builtin else "is a plain number or a percentage"
    return Mistake(
        what=f"{gate.metric or gate.statistic} {said}, not in {gate.unit}",
        hint=f"Write {gate.subject} {gate.operator} {gate.threshold}{allowed[1] if gate.is_builtin else ''}.",
    )


def _share(gate: Gate) -> Mistake | None:
    if gate.baseline is not None:
        return None
    if gate.statistic in ("mcc", "kappa") and not gate.judge and not -1 <= gate.bound <= 1:
        return Mistake(
            what=f"{gate.subject} lies between -1 and 1, never at {gate.threshold}{gate.unit}",
            hint="1 is perfect agreement, 0 is what chance gives.",
        )
    if not is_share(gate) or 0 <= gate.bound <= 1:
        return None
    percent = f" Did you mean {gate.threshold}%?" if not gate.unit and 1 < gate.bound <= 100 else ""
    return Mistake(
        what=f"{gate.subject} is a share and lies between 0 and 1, never at {gate.threshold}{gate.unit}.{percent}",
        hint="Write 1% or 0.01 for one in a hundred.",
    )


def _evidence(gate: Gate) -> Mistake | None:
    if gate.level is None:
        return None
    if gate.each:
        return Mistake(
            what="`each case:` is about these cases, so there is no level to ask for",
            hint="Leave the level out, or gate on the mean: accuracy >= 0.9 @ 95%.",
        )
    if gate.reduces_by == "sum":
        return Mistake(
            what=f"the total {gate.metric} of a run is a fact and has no interval",
            hint=f"Leave the level out, or gate on {gate.metric}.mean.",
        )
    if gate.reduces_by in ("min", "max"):
        return Mistake(
            what=f"a {gate.reduces_by}imum has no interval: the next case may always be more extreme",
            hint=f"Leave the level out, or gate on a quantile such as {gate.metric}.p95.",
        )
    return None
