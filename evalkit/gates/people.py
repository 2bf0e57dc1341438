"""Gates that rest on people's labels: a metric corrected for its judge's mistakes, and how far a judge agrees."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from evalkit.annotation import Annotation
from evalkit.errors import did_you_mean
from evalkit.gates.deciding import Finding
from evalkit.gates.gate import CORRECTED, Gate
from evalkit.gates.words import plural
from evalkit.runs import Decision, ScorerInfo, Standing, SuiteRun
from evalkit.score import Score
from evalkit.stats.agreement import careful_kappa, matthews
from evalkit.stats.calibration import Item, calibrate
from evalkit.stats.correction import (
    FEWEST_LABELS,
    Powered,
    informative,
    mixed,
    powered_share,
    prediction_powered,
    rogan_gladen,
)
from evalkit.stats.intervals import clopper_pearson
from evalkit.stats.special import normal_quantile

PPI = "PPI++"
ROGAN_GLADEN = "Rogan–Gladen"
LABELS_ALONE = "labels alone"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What such a gate is decided from, as counts.

    `pairs` are (people's value, judge's value, cases) where both are known, `others` (judge's value, cases) without a
    label, `unread` (people's value, cases) without a verdict of the judge; `unjudged` cases have neither, `failed`
    ended in an error of the function under test and count as 0, as do such trials of a case that has others. What
    several people said of an output counts as its mean, and so do several trials of a case. `picked` labels were left
    out, as somebody picked their cases. `calibration` is what an earlier calibration of this version of the judge
    says: found passes, passes, found fails, fails. `labels` and `table` are what people and judge said, `positive` the
    label worth 1 and `negative` the one worth 0; `consistent` of `ordered` pairs had the same winner in both orders.
    `problem` is why nothing can be said, and empty otherwise.
    """

    cases: int
    trials: int
    scored: int
    unscored: int
    errored: int
    pairs: tuple[tuple[float, float, int], ...] = ()
    others: tuple[tuple[float, int], ...] = ()
    unread: tuple[tuple[float, int], ...] = ()
    unjudged: int = 0
    failed: int = 0
    picked: int = 0
    calibration: tuple[int, int, int, int] | None = None
    labels: tuple[str, ...] = ()
    table: tuple[tuple[int, ...], ...] = ()
    positive: str | None = None
    negative: str | None = None
    consistent: int = 0
    ordered: int = 0
    problem: str = ""


def fit(gate: Gate, finding: Finding, standing: Standing) -> Finding:
    """The finding, or that nothing is decided where evidence is asked of a judge that nobody has calibrated."""
    if gate.level is None or standing not in ("uncalibrated", "stale") or finding.decision == "inconclusive":
        return finding
    why = (
        "nobody has calibrated its judge"
        if standing == "uncalibrated"
        else "its judge has changed since it was calibrated"
    )
    return dataclasses.replace(
        finding,
        decision="inconclusive",
        reason=f"{finding.reason} But {why}, so its scores are no evidence.",
        hint=f"Calibrate it: evalkit label RUN --name {gate.metric}, then evalkit judges calibrate {gate.metric} "
        "--labels RUN. Or ask without evidence, for what was observed.",
    )


def evidence(gate: Gate, suite: SuiteRun) -> Evidence:
    """What people and judge said of a suite's outputs, for a gate on one metric."""
    name = gate.metric
    scorer = next((one for one in suite.info.scorers if one.name == name), None)
    scores = {
        (trial.case_id, trial.number): score for trial in suite.trials for score in trial.scores if score.name == name
    }
    states = Counter(score.status for score in scores.values())
    base = Evidence(
        cases=len(suite.cases),
        trials=len(suite.trials),
        scored=states["scored"],
        unscored=states["unscored"],
        errored=len(suite.trials) - states["scored"] - states["unscored"],
    )
    if not scores:
        names = {score.name for trial in suite.trials for score in trial.scores}
        return dataclasses.replace(base, problem=f"Nothing scored {name}." + did_you_mean(name, names))
    worth = _worth(scorer, list(scores.values()))
    said = _said(suite.labels, name, drawn_only=not gate.judge)
    picked = sum(one.chosen == "given" for one in suite.labels if one.name == name)
    strange = sorted({label for labels in said.values() for label in labels} - set(worth))
    if strange and gate.statistic == CORRECTED:
        return dataclasses.replace(
            base, problem=f'People said "{strange[0]}", and {name} knows {", ".join(worth) or "no labels"}.'
        )
    if gate.judge:
        return _agreement(base, said, scores, worth)
    return _values(base, suite, said, scores, worth, scorer, picked)


def _worth(scorer: ScorerInfo | None, scores: Sequence[Score]) -> dict[str, float]:
    """What each label is worth: as the judge declares, else as its scores say."""
    declared = {} if scorer is None else dict(scorer.config.get("levels") or {})
    seen = {score.label: score.value for score in scores if score.label is not None and score.value is not None}
    if not declared and not seen and any(score.kind == "assertion" for score in scores):
        return {"pass": 1.0, "fail": 0.0}
    return {**seen, **{str(label): float(value) for label, value in declared.items()}}


def _said(labels: Sequence[Annotation], name: str, *, drawn_only: bool) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for one in labels:
        if one.name == name and not (drawn_only and one.chosen == "given"):
            found[one.case_id, one.trial].append(one.label)
    return found


def _agreement(
    base: Evidence,
    said: Mapping[tuple[str, int], Sequence[str]],
    scores: Mapping[tuple[str, int], Score],
    worth: Mapping[str, float],
) -> Evidence:
    if not said:
        return dataclasses.replace(base, problem="Nobody has labelled any of these outputs.")
    # Trials of one case are no independent evidence: each case counts once, with the first that was labelled.
    once = {key[0]: key for key in sorted(said, reverse=True)}
    items = [
        Item(humans=tuple(said[key]), judge=None if (score := scores.get(key)) is None else score.said)
        for key in once.values()
    ]
    if all(item.majority is None for item in items):
        return dataclasses.replace(base, problem="People do not agree on any of these outputs.")
    found = calibrate(items)
    verdicts = [score.metadata["verdicts"] for score in scores.values() if len(score.metadata.get("verdicts", ())) == 2]
    same = sum(bool(score.metadata.get("consistent")) for score in scores.values())
    best = {value: label for label, value in worth.items()}
    return dataclasses.replace(
        base,
        labels=found.labels,
        table=found.table,
        positive=best.get(1.0),
        negative=best.get(0.0),
        consistent=same,
        ordered=len(verdicts),
    )


def _values(
    base: Evidence,
    suite: SuiteRun,
    said: Mapping[tuple[str, int], Sequence[str]],
    scores: Mapping[tuple[str, int], Score],
    worth: Mapping[str, float],
    scorer: ScorerInfo | None,
    picked: int,
) -> Evidence:
    pairs: Counter[tuple[float, float]] = Counter()
    others: Counter[float] = Counter()
    unread: Counter[float] = Counter()
    unjudged = failed = 0
    tried: dict[str, list[int]] = defaultdict(list)
    fine: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for trial in suite.trials:
        tried[trial.case_id].append(trial.number)
        if trial.output.error is None:
            fine[trial.case_id].append((trial.case_id, trial.number))
    for case in suite.cases:
        keys = fine[case.id]
        if not keys:
            failed, unjudged = failed + bool(tried[case.id]), unjudged + (not tried[case.id])
            continue
        share = len(keys) / len(tried[case.id])
        judged = {key: value for key in keys if key in scores and (value := scores[key].value) is not None}
        people = {key: _mean([worth[label] for label in said[key]]) for key in keys if key in said}
        both = [key for key in people if key in judged]
        if both:
            pairs[share * _mean([people[key] for key in both]), share * _mean([judged[key] for key in both])] += 1
        elif people:
            unread[share * _mean(list(people.values()))] += 1
        elif judged:
            others[share * _mean(list(judged.values()))] += 1
        else:
            unjudged += 1
    record = None if scorer is None else scorer.judge
    return dataclasses.replace(
        base,
        pairs=tuple((one, other, count) for (one, other), count in sorted(pairs.items())),
        others=tuple(sorted(others.items())),
        unread=tuple(sorted(unread.items())),
        unjudged=unjudged,
        failed=failed,
        picked=picked,
        calibration=None if record is None else record.rates,
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def decide_by_people(gate: Gate, found: Evidence) -> Finding:
    """The finding of such a gate on its evidence. A pure function."""
    if found.problem:
        return Finding(decision="inconclusive", reason=found.problem, hint=_how_to_label(gate))
    return _by_agreement(gate, found) if gate.judge else _by_correction(gate, found)


def _by_agreement(gate: Gate, found: Evidence) -> Finding:
    level = gate.confidence or 0.95
    rows = dict(zip(found.labels, found.table, strict=True))
    value = low = high = None
    n, method = sum(map(sum, found.table)), ""
    if gate.statistic == "kappa":
        kappa = careful_kappa(found.table, level=level) if n else None
        if kappa is not None:
            value, low, high, method = kappa.value, kappa.low, kappa.high, "asymptotic"
    elif gate.statistic == "mcc":
        value = matthews(found.table) if n else None
    elif gate.statistic == "consistency":
        n = found.ordered
        if n:
            interval = clopper_pearson(found.consistent, n, level=level)
            value, low, high, method = found.consistent / n, interval.low, interval.high, "Clopper–Pearson"
    else:
        label = found.positive if gate.statistic == "tpr" else found.negative
        row = rows.get(label or "", ())
        n = sum(row)
        if n and label is not None:
            hits = row[found.labels.index(label)]
            interval = clopper_pearson(hits, n, level=level)
            value, low, high, method = hits / n, interval.low, interval.high, "Clopper–Pearson"
    if value is None:
        return Finding(
            decision="inconclusive",
            reason=f"{gate.subject} is not defined on the {plural(n, 'label')} there are.",
            hint=_how_to_label(gate),
        )
    shown = f"{gate.subject} is {value:.2f} on {plural(n, 'case')} with labels"
    if gate.level is None:
        return _point(gate, value, shown)
    if low is None or high is None:
        return Finding(
            decision="inconclusive",
            observed=value,
            reason=f"{shown}, and its formula gives no interval.",
            hint="Gate on tpr and tnr, whose intervals are exact, or ask without evidence.",
        )
    return _ranged(gate, value, low, high, level, method, shown)


def _by_correction(gate: Gate, found: Evidence) -> Finding:
    level = gate.confidence or 0.95
    labelled = sum(count for *_, count in found.pairs)
    if labelled < FEWEST_LABELS:
        return _reused(gate, found, labelled, level)
    share, weight = _powered(found, level)
    known = labelled + sum(count for _, count in found.others)
    lowest, highest = _with_the_rest(share, known, found)
    low, high = lowest.interval(level=level).low, highest.interval(level=level).high
    value = (lowest.value + highest.value) / 2
    shown = f"{gate.subject} is {value:.3f}, by {plural(labelled, 'label')} and the judge, which counted {weight:.0%}"
    if found.unjudged:
        shown += f"; {plural(found.unjudged, 'case')} without a score may be anything"
    if found.failed:
        shown += f"; {plural(found.failed, 'failed case')} count as 0"
    method = PPI if found.others else LABELS_ALONE
    if gate.level is None:
        return _point(gate, value, shown)
    return _ranged(gate, value, low, high, level, method, shown, labels=labelled)


def _powered(found: Evidence, level: float) -> tuple[Powered, float]:
    """The share among the cases that the judge has a verdict on, and how much the judge counted."""
    labels = [people for people, _, count in found.pairs for _ in range(count)]
    judged = [judge for _, judge, count in found.pairs for _ in range(count)]
    others = [value for value, count in found.others for _ in range(count)]
    weight = prediction_powered(labels, judged, others).weight or 0.0 if others else 0.0
    return powered_share(labels, judged, others, level=level), weight


def _with_the_rest(share: Powered, known: int, found: Evidence) -> tuple[Powered, Powered]:
    """The share among all cases, if those of which nothing is known were all 0, and if they were all 1."""
    told = sum(count for _, count in found.unread)
    ones = math.fsum(value * count for value, count in found.unread)
    zeros = told - ones + found.failed
    return (
        mixed(share, of=known, ones=ones, zeros=zeros + found.unjudged),
        mixed(share, of=known, ones=ones + found.unjudged, zeros=zeros),
    )


def _reused(gate: Gate, found: Evidence, labelled: int, level: float) -> Finding:
    """Without labels enough on this run: by what an earlier calibration says of the judge, where that says enough."""
    too_few = f"{plural(labelled, 'drawn label')} of these outputs, and {FEWEST_LABELS} are needed"
    if found.picked:
        too_few += f" ({plural(found.picked, 'label')} of picked cases do not count)"
    verdicts = [*found.others, *((judge, count) for _, judge, count in found.pairs)]
    passed, n = sum(count for value, count in verdicts if value == 1), sum(count for _, count in verdicts)
    if found.calibration is None or not n or any(value not in (0.0, 1.0) for value, _ in verdicts):
        return Finding(decision="inconclusive", reason=f"There are {too_few}.", hint=_how_to_label(gate, FEWEST_LABELS))
    hits, positives, rejections, negatives = found.calibration
    if not informative(true_positives=hits, positives=positives, true_negatives=rejections, negatives=negatives):
        return Finding(
            decision="inconclusive",
            reason=f"There are {too_few}, and by its calibration the judge tells right from wrong too badly to be "
            "corrected.",
            hint=_how_to_label(gate, FEWEST_LABELS),
        )
    one = rogan_gladen(
        passed,
        n,
        true_positives=hits,
        positives=positives,
        true_negatives=rejections,
        negatives=negatives,
        level=level,
        added=1,
    )
    share = Powered(value=one.value, variance=one.error**2, fewest=0, most=math.inf)
    lowest, highest = _with_the_rest(share, n, found)
    reach = normal_quantile((1 - level) / 2)
    low, high = lowest.value - reach * math.sqrt(lowest.variance), highest.value + reach * math.sqrt(highest.variance)
    value = (lowest.value + highest.value) / 2
    known = plural(positives + negatives, "label")
    shown = f"{gate.subject} is {value:.3f}, by a calibration on {known}, as if the judge erred here as it did there"
    if gate.level is None:
        return _point(gate, value, shown)
    return _ranged(gate, value, max(low, 0.0), min(high, 1.0), level, ROGAN_GLADEN, shown)


def _point(gate: Gate, value: float, shown: str) -> Finding:
    held = gate.holds(Fraction(value))
    return Finding(
        decision="pass" if held else "fail",
        observed=value,
        reason=f"{shown}; the gate asks for {gate.operator} {gate.threshold}{gate.unit}.",
    )


def _ranged(
    gate: Gate,
    value: float,
    low: float,
    high: float,
    level: float,
    method: str,
    shown: str,
    *,
    labels: int | None = None,
) -> Finding:
    bound = float(gate.bound)
    held = [gate.holds(Fraction(end)) for end in (low, high)]
    good, bad = all(held), not any(held)
    decision: Decision = "pass" if good else "fail" if bad else "inconclusive"
    hint = ""
    if decision == "inconclusive":
        gap = abs(value - bound)
        needed = None if not labels or gap == 0 else math.ceil(labels * ((high - low) / 2 / gap) ** 2)
        hint = _how_to_label(gate, needed)
    return Finding(
        decision=decision,
        observed=value,
        low=low,
        high=high,
        level=level,
        method=method,
        reason=f"{shown}; {level:.0%} interval {low:.3f} to {high:.3f}, and the gate asks for "
        f"{gate.operator} {gate.threshold}{gate.unit}.",
        hint=hint,
    )


def _how_to_label(gate: Gate, needed: int | None = None) -> str:
    how_many = "" if needed is None else f" --sample {needed}"
    about = "" if needed is None else f" About {plural(needed, 'label')} would do, if all goes on as it is."
    return f"Label some, then judge the run again: evalkit label RUN --name {gate.metric}{how_many}.{about}"


def to_plain(found: Evidence) -> dict[str, Any]:
    """The evidence as JSON data."""
    return {"people": dataclasses.asdict(found)}


def from_plain(inputs: Mapping[str, Any]) -> Evidence:
    """The evidence that `to_plain` wrote. Raises `KeyError` or `TypeError` for anything else."""
    given = dict(inputs["people"])
    for name in ("pairs", "others", "unread", "table"):
        given[name] = tuple(tuple(row) for row in given.get(name, ()))
    given["labels"] = tuple(given["labels"])
    given["calibration"] = None if given["calibration"] is None else tuple(given["calibration"])
    return Evidence(**given)
