"""From a gate and its sample to a finding: one rule for all kinds of gate.

What is asked about has a range: a point where everything is known, the bounds that missing values leave, or the
interval of an evidence gate. Entirely on the good side of the bound is a pass, entirely on the bad side a fail, and
anything else is undecided.
"""

from __future__ import annotations

import dataclasses
import math
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction

from evalkit.gates import advice
from evalkit.gates.early import METHOD, verdict_early
from evalkit.gates.gate import Gate
from evalkit.gates.sample import Data, Sample
from evalkit.gates.words import amount, asked, bound, plural, sentence, subject
from evalkit.runs import Decision
from evalkit.stats.agreement import FEWEST_CASES
from evalkit.stats.intervals import Interval
from evalkit.stats.labelled import Labelled
from evalkit.stats.means import Means, exact
from evalkit.stats.ranks import Ranks, share_of
from evalkit.stats.sequential import Seen
from evalkit.stats.totals import Each, Total

FEWEST_REPEATED = 10
"""Cases below which no evidence gate on repeated right-or-wrong trials is decided."""

FEWEST_GRADED = 20
"""Cases below which no evidence gate on graded or measured values is decided."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came out, in numbers and in words; the fields are those of `Verdict`."""

    decision: Decision
    reason: str
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str = ""
    hint: str = ""
    fragile: bool = False


def decide(gate: Gate, sample: Sample) -> Finding:
    """The finding of a gate on its sample. A pure function: the same two always give the same."""
    found = None if sample.data is None else _by_numbers(gate, sample, sample.data)
    if found is None or (sample.problem and found.decision != "fail"):
        return Finding(
            decision="fail", reason=sample.problem + advice.context(sample), hint=advice.on_problem(gate, sample)
        )
    if found.decision == "inconclusive" and sample.early is not None:
        return _foretold(gate, sample.early)
    return found


def _foretold(gate: Gate, seen: Seen) -> Finding:
    """The finding of a suite that stopped early: what all its cases would very likely have said."""
    decision, reason = verdict_early(gate, seen)
    low, high = seen.span
    return Finding(
        decision=decision,
        observed=seen.passes / seen.done if seen.done else None,
        low=low / seen.cases,
        high=high / seen.cases,
        level=seen.level,
        method=METHOD,
        reason=reason,
        hint="" if decision == "pass" else advice.ON_STOPPED,
    )


def _by_numbers(gate: Gate, sample: Sample, data: Data) -> Finding:
    if isinstance(data, Each):
        return _each(gate, sample, data)
    if gate.level is None or isinstance(data, Total):
        return _point(gate, sample, data)
    return _evidence(gate, sample, data)


def _point(gate: Gate, sample: Sample, data: Means | Ranks | Total | Labelled) -> Finding:
    value, low, high, missing = _measured(gate, data)
    name = sentence(subject(gate))
    context = advice.context(sample, gate)
    if missing == 0 and value is not None:
        passed = gate.holds(value)
        return Finding(
            decision="pass" if passed else "fail",
            observed=float(value),
            method="exact",
            fragile=_is_fragile(gate, data, passed),
            reason=f"{name} is {amount(gate, value)} {_where(sample)}; the gate asks for {asked(gate)}.{context}",
            hint="" if passed else advice.on_miss(gate, data),
        )
    worst, best = (low, high) if gate.wants_more else (high, low)
    worst_text, best_text = (_end(gate, end, good) for end, good in ((worst, False), (best, True)))
    known = "nothing is known of it" if value is None else f"it is {amount(gate, value)} on what is known"
    lost = f"{plural(missing, 'trial')} of {sample.planned:,} {'has' if missing == 1 else 'have'} no value"
    found = Finding(
        decision="inconclusive",
        observed=None if value is None else float(value),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        method="exact, missing at both extremes",
        reason=f"Values are missing: {lost}. {name} may be anything from {worst_text} to {best_text}, {known}, and "
        f"{bound(gate)} lies in between.{context}",
        hint=advice.on_missing(gate, sample),
    )
    passed = worst is not None and gate.holds(worst)
    if not passed and (best is None or gate.holds(best)):
        return found
    extreme = f"{worst_text} at worst" if passed else f"{best_text} at best"
    return dataclasses.replace(
        found,
        decision="pass" if passed else "fail",
        reason=f"{name} is {extreme}: {lost}, and {known}. The gate asks for {asked(gate)}.{context}",
        hint="" if passed else advice.on_missing(gate, sample),
    )


def _end(gate: Gate, end: Fraction | None, good: bool) -> str:
    """One end of what is possible in words; `None` is the end without bound, on the good side or the bad one."""
    return amount(gate, end if end is not None else math.inf if gate.wants_more == good else -math.inf)


def _measured(
    gate: Gate, data: Means | Ranks | Total | Labelled
) -> tuple[Fraction | None, Fraction | None, Fraction | None, int]:
    """The value, its bounds, and how many trials have none."""
    if isinstance(data, Means):
        return data.value, *data.bounds, data.planned - data.values
    if isinstance(data, Labelled):
        return data.value, *data.bounds, data.missing or math.ceil(data.untrue)
    if isinstance(data, Total):
        return data.total if data.known else None, *data.bounds, data.missing
    value = data.value(gate.reduces_by)
    low, high = (None if math.isinf(end) else exact(end) for end in data.bounds(gate.reduces_by))
    return None if value is None else exact(value), low, high, data.missing


def _is_fragile(gate: Gate, data: Means | Ranks | Total | Labelled, passed: bool) -> bool:
    """Whether one case with the opposite result would have changed the outcome.

    On a bounded scale the most telling case goes to the other end; without bounds it is left out. A gate on errors
    that saw none is not fragile: in a small suite that would be said of every run in which nothing is wrong.
    """
    if isinstance(data, Labelled):
        changed = data.flipped(to_right=gate.wants_more != passed)
        return any(value is not None and gate.holds(value) != passed for value in changed)
    if not isinstance(data, Means) or (gate.metric == "errors" and passed and data.total == 0):
        return False
    low, high = data.range
    telling = data.most if gate.wants_more == passed else data.least
    if math.isinf(high):
        if data.complete < 2:
            return False
        other = (data.total - telling) / (data.complete - 1)
    else:
        opposite = Fraction(low) if gate.wants_more == passed else Fraction(high)
        other = (data.total - telling + opposite) / data.complete
    return gate.holds(other) != passed


def _each(gate: Gate, sample: Sample, data: Each) -> Finding:
    cases = data.held + data.missed + data.open
    asks = f"every single one to have {subject(gate)} of {asked(gate)}"
    worst = data.worst
    if data.missed:
        shown = ", ".join(data.missed_ids) + (", …" if data.missed > len(data.missed_ids) else "")
        short = f"{plural(data.missed, 'case')} of {cases:,} {'falls' if data.missed == 1 else 'fall'} short"
        return Finding(
            decision="fail",
            observed=worst,
            method="exact",
            fragile=data.missed == 1 and not data.open,
            reason=f"{short} ({shown}); the gate asks {asks}." + advice.context(sample),
            hint="Look at these cases first.",
        )
    if data.open:
        return Finding(
            decision="inconclusive",
            observed=worst,
            method="exact",
            reason=f"{plural(data.open, 'case')} of {cases:,} could not be looked at, and the gate asks {asks}."
            + advice.context(sample),
            hint=advice.on_missing(gate, sample),
        )
    return Finding(
        decision="pass",
        observed=worst,
        method="exact",
        reason=f"All {plural(cases, 'case')} hold: {subject(gate)} is {asked(gate)} in each." + advice.context(sample),
    )


def _evidence(gate: Gate, sample: Sample, data: Means | Ranks | Labelled) -> Finding:
    level = gate.confidence or 0.95
    if isinstance(data, Labelled):
        interval = data.interval(level) if data.groups >= FEWEST_CASES else None
    else:
        interval = data.interval(level) if isinstance(data, Means) else data.interval(share_of(gate.reduces_by), level)
    value, _, _, missing = _measured(gate, data)
    observed = None if value is None else float(value)
    name = sentence(subject(gate))
    refusal = _too_little(gate, data, interval, missing)
    if interval is None or refusal:
        return Finding(
            decision="inconclusive",
            observed=observed,
            level=level,
            reason=refusal + advice.context(sample, gate),
            hint=advice.on_missing(gate, sample) if missing else advice.on_too_few(gate),
        )
    low, high = _limit(interval.low), _limit(interval.high)
    worst, best = (low, high) if gate.wants_more else (high, low)
    shown = Finding(
        decision="inconclusive",
        reason="",
        observed=observed,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        level=level,
        method=interval.method,
    )
    span = f"{amount(gate, interval.low)} to {amount(gate, interval.high)}"
    seen = "" if value is None else f", and {amount(gate, value)} was seen"
    side, other = ("at least", "at most") if gate.wants_more else ("at most", "at least")
    safe = {"at least": ROUND_FLOOR, "at most": ROUND_CEILING}
    percent = format(gate.level or 0, "f")
    if worst is not None and gate.holds(worst):
        limit = f"{side} {amount(gate, worst, rounding=safe[side])}"
        reason = (
            f"{name} is {limit} even after allowing for chance{seen} {_where(sample)}; the gate asks for {asked(gate)}."
        )
        return dataclasses.replace(shown, decision="pass", reason=reason + advice.context(sample, gate))
    if best is not None and not gate.holds(best):
        limit = f"{other} {amount(gate, best, rounding=safe[other])}"
        reason = (
            f"{name} is {limit} even after allowing for chance{seen} {_where(sample)}; the gate asks for {asked(gate)}."
        )
        return dataclasses.replace(
            shown, decision="fail", reason=reason + advice.context(sample, gate), hint=advice.on_miss(gate, data)
        )
    was = "" if value is None else f"{subject(gate)} was {amount(gate, value)}, "
    reason = (
        f"Too close to tell {_where(sample)}: {was}the true value may be anything from {span} ({percent}% interval), "
        f"and {bound(gate)} lies in between." + advice.odds(gate, data)
    )
    return dataclasses.replace(
        shown,
        reason=reason + advice.context(sample, gate),
        hint=advice.on_undecided(gate, sample, data, interval),
    )


def _too_little(gate: Gate, data: Means | Ranks | Labelled, interval: Interval | None, missing: int) -> str:
    """Why there is no interval to rest a verdict on, or nothing."""
    if isinstance(data, Ranks):
        return ""
    if isinstance(data, Labelled):
        unit = "cluster" if data.clustered else "case"
        if data.groups < FEWEST_CASES:
            few = f"{plural(data.groups, unit)} {'is' if data.groups == 1 else 'are'} too few"
            return f"{few} for an interval of {subject(gate)} to be trusted; it takes {FEWEST_CASES}."
        return "" if interval is not None else f"No {unit} has both the right label and the one that was given."
    if data.cases < 2:
        return "One case alone says nothing about others."
    if data.clusters is not None and data.groups < FEWEST_REPEATED:
        return (
            f"Few clusters: the cases are in {plural(data.groups, 'cluster')}, and it takes {FEWEST_REPEATED} for an "
            "interval to be trusted."
        )
    if interval is None:
        return (
            f"{plural(missing, 'trial')} {'has' if missing == 1 else 'have'} no value, and {gate.metric} has no bounds "
            "that would say what they may be."
        )
    if data.is_exact:
        return ""
    fewest = FEWEST_REPEATED if data.shape == "binary" else FEWEST_GRADED
    if data.complete >= fewest:  # a case that misses values is no reason to trust the others more
        return ""
    kind = {"binary": "repeated trials", "unit": "graded scores"}.get(data.shape, "measured values")
    return f"{plural(data.complete, 'case')} of {kind} are too few for an interval to be trusted; it takes {fewest}."


def _limit(value: float) -> Fraction | None:
    return None if math.isinf(value) else Fraction(value)


def _where(sample: Sample) -> str:
    these = "this case" if sample.cases == 1 else f"these {plural(sample.cases, 'case')}"
    return f"on {these}" + (f" ({plural(sample.trials, 'trial')})" if sample.trials != sample.cases else "")
