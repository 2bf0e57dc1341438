"""What is said of a run beside its table, in sentences: what is missing, what raised, what to make of the judges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from evalkit.faults import faults
from evalkit.figures import count
from evalkit.plaintext import fitted
from evalkit.runs import Metric, Run, SuiteRun, Verdict

BUILTINS_SHOWN = {
    "errors": ("rate",),
    "latency": ("median", "mean"),
    "cost": ("sum",),
    "input_tokens": ("mean",),
    "output_tokens": ("mean",),
}
"""Which statistic of a quantity that every suite has is shown without a gate on it; the first there is."""

FAULTS_SHOWN = 3
"""How many kinds of error are told apart; the rest is counted."""


def shown(metrics: Sequence[Metric]) -> list[Metric]:
    """One metric of the whole suite for each name, scores before the quantities that every suite has."""
    by_name: dict[str, list[Metric]] = {}
    for metric in metrics:
        if not metric.slice:
            by_name.setdefault(metric.name, []).append(metric)
    chosen: list[Metric] = []
    for name, several in by_name.items():
        wanted = BUILTINS_SHOWN.get(name, ("mean", "rate"))
        ranked = [metric for statistic in wanted for metric in several if metric.statistic == statistic]
        chosen.append(ranked[0] if ranked else several[0])
    return sorted(chosen, key=lambda metric: metric.name in BUILTINS_SHOWN)


def outcomes(suite: SuiteRun) -> str:
    """`40 cases × 1, 38 passed, 2 missed`."""
    found = Counter(trial.outcome for trial in suite.trials)
    parts = [f"{count(len(suite.cases), 'case')} × {suite.info.repeat}"]
    parts.extend(f"{found[name]:,} {name}" for name in ("passed", "missed", "errored", "unscored") if found[name])
    return ", ".join(parts)


def partial(run: Run, suite: SuiteRun) -> str:
    """Why the suite did not run whole, or nothing."""
    info = suite.info
    if info.is_partial:
        why = f" ({info.selection})" if info.selection else ""
        ran, verb = (len(suite.trials), "were run") if info.planned == info.declared else (info.planned, "selected")
        return f"Partial{why}: {ran:,} of {count(info.declared, 'trial')} {verb}; no baseline, no evidence."
    if run.status != "complete" and len(suite.trials) < info.planned:
        return f"The run is {run.status}: {len(suite.trials):,} of {count(info.planned, 'trial')} were done."
    return ""


def unstopped(suite: SuiteRun) -> str:
    """Why the suite could not stop early although it should, or nothing."""
    stop = suite.info.stop
    return f"It could not stop early (stop = {stop.rule}): {stop.kept}." if stop is not None and stop.kept else ""


def raised(suite: SuiteRun) -> Iterator[str]:
    """What raised, so that no error is seen as a number only."""
    found = faults(suite)
    here = f"{Path.cwd()}/"
    for fault in found[:FAULTS_SHOWN]:
        who = f"scorer {fault.source} raised " if fault.source else ""
        struck = fault.cases[0] + (f" and {len(fault.cases) - 1:,} more" if len(fault.cases) > 1 else "")
        where = f" at {fault.place.removeprefix(here)}" if fault.place else ""
        yield f"{count(fault.trials, 'trial')}: {who}{fault.type}: {fitted(fault.message, 300)}{where} ({struck})"
    if len(found) > FAULTS_SHOWN:
        yield f"{len(found) - FAULTS_SHOWN:,} more kinds of error"


def remarks(run: Run, suite: str) -> Iterator[str]:
    """What is missing and why, and what a metric has to say about itself."""
    said: set[str] = set()
    for metric in shown([metric for metric in run.metrics if metric.suite == suite]):
        if metric.name in BUILTINS_SHOWN and not metric.scored:
            continue
        texts = []
        if metric.unscored + metric.errored and metric.name not in BUILTINS_SHOWN:
            texts.append(f"{metric.scored:,} scored, {metric.unscored:,} unscored, {metric.errored:,} errored")
        if metric.note:
            texts.append(metric.note)
        for text in texts:
            if text not in said or metric.note != text:
                said.add(text)
                yield f"{metric.name}: {text}"


def of_judges(suite: SuiteRun) -> Iterator[tuple[str, bool]]:
    """What should be said of the judges, with `True`, then how far each can be trusted; nothing without judges."""
    if any(scorer.is_judge for scorer in suite.info.scorers):
        from evalkit.stats.remarks import remarks as found
        from evalkit.stats.remarks import standings

        yield from ((text, True) for text in found(suite))
        yield from ((text, False) for text in standings(suite))


def by_chance(verdicts: Sequence[Verdict]) -> str:
    """How often chance alone fails one of several gates on evidence; nothing for fewer than two of them."""
    evidence = [verdict for verdict in verdicts if verdict.level is not None and "early" not in verdict.inputs]
    if len(evidence) < 2:
        return ""
    chance = sum((1 - (verdict.level or 0)) / 2 for verdict in evidence)
    return f"{len(evidence)} of them on evidence: by chance alone one fails in up to {100 * chance:.3g} % of runs."
