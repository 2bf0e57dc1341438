"""The sentences beside a verdict: what else matters, and the cheapest way to a decision."""

from __future__ import annotations

import dataclasses
import math
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction

from evalkit.gates.gate import LABEL_STATISTICS, Gate
from evalkit.gates.sample import Sample
from evalkit.gates.words import amount, plural
from evalkit.stats.intervals import Interval, chance_at_least
from evalkit.stats.labelled import Labelled, cases_needed
from evalkit.stats.means import Means
from evalkit.stats.power import (
    best_bound,
    cases_to_decide_mean,
    cases_to_decide_share,
    deciding_passes,
    perfect_cases,
    quantile_cases,
)
from evalkit.stats.ranks import Ranks, share_of
from evalkit.stats.totals import Total

ON_STOPPED = 'The verdict on the suite was settled without the other cases; for all of them run it with stop="never".'
"""What to do about the cases that a suite left out because everything was decided."""

_RERUN_SHARE = 0.5
"""The part of the variance that reruns alone make, above which more trials are worth their price."""


def context(sample: Sample, gate: Gate | None = None) -> str:
    """What a reader has to know besides: errors counted as 0, a run that stopped, a part of the suite."""
    told = ""
    data = sample.data
    bounded = isinstance(data, Means | Ranks) and not math.isinf(data.range[1])
    if isinstance(data, Labelled):
        told += _on_labels(data)
        if sample.failed and gate is not None and gate.wants_more:
            one = sample.failed == 1
            told += f" {plural(sample.failed, 'trial')} whose function raised {'counts' if one else 'count'} as wrong."
    if sample.failed and bounded and gate is not None and gate.wants_more:
        one = sample.failed == 1
        told += f" {plural(sample.failed, 'trial')} whose function raised {'counts' if one else 'count'} as 0."
    if sample.stopped:
        return f"{told} The suite stopped at {sample.stopped}, as its verdict was settled."
    if sample.absent:
        told += f" The run stopped early: {sample.absent:,} of {plural(sample.planned, 'trial')} never ran."
    if sample.selection:
        told += f" Only a part of the suite was run ({sample.selection}), so this says nothing about the rest."
    return told


def _on_labels(data: Labelled) -> str:
    """What the figure is the figure of, and what has no true label."""
    told = ""
    if data.kind == "macro-F1":
        told = f" F1 is the mean over the {len(data.classes)} labels that cases expect (macro-F1)."
    if data.untrue:
        told += f" {plural(math.ceil(data.untrue), 'case')} {'has' if data.untrue <= 1 else 'have'} no right label."
    return told


def on_problem(gate: Gate, sample: Sample) -> str:
    """What to do where a gate cannot pass at all."""
    if gate.statistic in LABEL_STATISTICS:
        return (
            "Let the scorer return the label as text, and the case's `expected` be the right one; label_match() of "
            "evalkit_scorers does."
        )
    if sample.errored:
        return "Repair what raised; the first error is shown with its case."
    if gate.is_builtin and gate.metric != "errors" and sample.trials:
        return "Let the function return evalkit.Output(value, usage=…, latency=…), or add a scorer to the suite."
    return "Check the scorers of the suite and the name in the gate."


def on_miss(gate: Gate, data: Means | Ranks | Total | Labelled) -> str:
    """How far a failing gate is from passing, where that is a number of cases."""
    if isinstance(data, Means) and data.is_exact and not data.open:
        n, now = data.complete, data.total
        target = gate.bound * n
        short = (math.ceil(target) if gate.operator == ">=" else math.floor(target) + 1) - int(now)
        if gate.wants_more and 0 < short <= n - now and gate.level is None:
            return f"{plural(short, 'more case')} right would do."
    if not isinstance(data, Means) or data.shape != "unbounded":
        return ""
    if not gate.unit and not gate.is_builtin and gate.bound > 1 and 0 <= data.least <= data.most <= 1:
        return f"All scores lie between 0 and 1. Did you mean {dataclasses.replace(gate, unit='%')}?"
    return ""


def on_missing(gate: Gate, sample: Sample) -> str:
    """What to do about missing values, by what made them missing."""
    if isinstance(sample.data, Labelled) and sample.data.untrue:
        return "Give every case an `expected`, the right label; a score may name it as metadata, expected=…"
    if sample.stopped:
        return ON_STOPPED
    if sample.absent:
        return "Let the run finish: only the trials that never ran can decide it."
    raised = sample.errored - sample.failed
    if raised >= max(sample.unscored, 1):
        return f"The scorer raised on {plural(raised, 'trial')}: repair it and score the stored outputs again."
    if sample.failed and not gate.wants_more:
        return f"The function raised on {plural(sample.failed, 'trial')}; an error is never counted in a gate's favour."
    if gate.is_builtin:
        lost = plural(sample.unscored, "trial")
        return f"{lost} recorded no {gate.metric}: let the function return it with each output."
    return (
        f"The scorer had nothing to say on {plural(sample.unscored, 'trial')}. If it does not apply to some cases, tag "
        f"the others and gate on them: {dataclasses.replace(gate, slice=('tag', 'applies'), level=None)}."
    )


def on_too_few(gate: Gate) -> str:
    """What to do where the data carry no interval."""
    return f"Add cases. {_alone(gate)}"


def odds(gate: Gate, data: Means | Ranks | Labelled) -> str:
    """How likely the bound holds, for right-or-wrong cases; a sentence, never part of a verdict."""
    if not isinstance(data, Means) or not data.is_exact or data.open:
        return ""
    chance = chance_at_least(float(gate.bound), int(data.total), data.complete)
    chance = chance if gate.wants_more else 1 - chance
    return f" The odds that it holds are about {min(max(round(chance * 100), 1), 99)} in 100."


def on_undecided(gate: Gate, sample: Sample, data: Means | Ranks | Labelled, interval: Interval) -> str:
    """The cheapest way from INCONCLUSIVE to a decision: repair, more trials, more cases, or another bound."""
    missing = data.planned - data.values if isinstance(data, Means) else data.missing
    if missing or (isinstance(data, Labelled) and data.untrue):
        return on_missing(gate, sample)
    if isinstance(data, Labelled):
        needed = cases_needed(data, float(gate.bound), interval)
        if needed is None:
            return f"What was seen is too near the bound for any number of cases to tell. {_alone(gate)}"
        unit = "cluster" if data.clustered else "case"
        return f"About {plural(needed, unit)} would decide it if the labels go on as they did. {_alone(gate)}"
    if isinstance(data, Ranks):
        needed = quantile_cases(float(share_of(gate.reduces_by)), upper=not gate.wants_more, level=interval.level)
        if data.groups < needed:
            return f"This quantile has such a limit only from {plural(needed, 'case')} on; there are {data.groups}."
        return f"More cases narrow the interval. {_alone(gate)}"
    cases = _cases_needed(gate, data, interval)
    first = "What was seen is too near the bound for any number of cases to tell."
    if cases is not None:
        more = f"About {plural(cases, 'case')} would decide it if the score stays as it is"
        first = f"{more}{_or_trials(data, cases)}."
    return f"{first}{_shown(gate, data, interval)}{_passes_needed(gate, data, interval.level)} {_alone(gate)}"


def _shown(gate: Gate, data: Means, interval: Interval) -> str:
    """The bound that the evidence does support."""
    end, rounding = (interval.low, ROUND_FLOOR) if gate.wants_more else (interval.high, ROUND_CEILING)
    shown = amount(gate, Fraction(end), rounding=rounding)
    return f" What these {data.cases:,} do show is {gate.operator} {shown}."


def _alone(gate: Gate) -> str:
    return f'Without "@ {format(gate.level or 0, "f")}%" the gate judges these cases only.'


def _passes_needed(gate: Gate, data: Means, level: float) -> str:
    """How many of these cases would have decided, for one right-or-wrong trial a case."""
    if not data.is_exact or gate.operator != ">=":
        return ""
    passing, failing = deciding_passes(data.cases, float(gate.bound), level=level)
    if passing is None:
        return ""
    low = "none" if failing is None else f"{failing:,} or fewer"
    return f" It would have taken {passing:,} of them right to pass, and {low} to fail."


def _cases_needed(gate: Gate, data: Means, interval: Interval) -> int | None:
    value, bound, n = float(data.value or 0), float(gate.bound), data.cases
    if data.shape == "unbounded":
        spread = math.sqrt(data.variance * n)
        return cases_to_decide_mean(value, spread, bound, level=interval.level)
    per_case = min((interval.effective or n) / n, max(data.most_trials, 1))
    if not gate.wants_more:
        value, bound = 1 - value, 1 - bound
    if data.shape == "binary" and value == 1:
        return perfect_cases(bound, level=interval.level, repeated=not data.is_exact)
    needed = cases_to_decide_share(value, bound, level=interval.level, per_case=per_case)
    return None if needed is None else max(needed, n + 1)


def _or_trials(data: Means, cases: int) -> str:
    """More trials per case as the other way, where reruns make much of the variance and can make up for it."""
    trials, n = data.most_trials, data.complete
    if data.within is None or n < 2 or data.deviation <= 0:
        return ""
    variance = data.variance * n
    rerun = min(data.within / variance, 1.0)
    if rerun < _RERUN_SHARE:
        return " (more trials of the same cases would help little: the cases differ more than the trials do)"
    wanted = n / cases - (1 - rerun)
    if wanted <= 0:
        return ""
    return f", or about {math.ceil(trials * rerun / wanted)} trials a case"


def reachable(cases: int, level: float, *, repeated: bool) -> float:
    """The highest share that so many perfect cases show, rounded down to three digits."""
    return math.floor(best_bound(cases, level=level, repeated=repeated) * 1000) / 1000
