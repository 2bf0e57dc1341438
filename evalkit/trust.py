"""How far each judge of a run can be trusted: what people said of its cases, and what is known from before."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.annotation import Annotation
from evalkit.canonical import new_id, utc_now
from evalkit.errors import DatasetError, NotFound, did_you_mean
from evalkit.labelrows import label_rows
from evalkit.runs import JudgeRecord, Run, ScorerInfo, Standing, SuiteInfo, SuiteRun
from evalkit.score import Score
from evalkit.stats.calibration import Calibration, Item, calibrate, winners

if TYPE_CHECKING:
    from evalkit.store.calibrations import StoredCalibration

MEANINGS = {
    "uncalibrated": "not fit to decide: use it in gates without evidence only, and read its scores with care",
    "calibrated": "fit for gates: its verdicts go with people's closely enough",
    "interchangeable": "fit for gates, and as good as one more annotator",
}
"""What each rung of the ladder allows, in words."""

RECORDED = "recorded"
"""The version of a judge whose verdicts were read from a file, where nobody said another."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a calibration is made of: the cases, in pairs of both orders where the judge compares, and how they were
    chosen. `picked` counts those that somebody picked, which stand for nothing but themselves; `None` is not known.
    `repeats` are labels of further trials of the same cases, which were left out: they are no independent evidence.
    """

    judge: str
    version: str
    source: str
    items: tuple[Item, ...]
    orders: tuple[tuple[str | None, str | None], ...] = ()
    picked: int | None = 0
    repeats: int = 0


def judges_of(run: Run) -> dict[str, ScorerInfo]:
    """The judges of a run by name; of one name in several suites, the first."""
    found: dict[str, ScorerInfo] = {}
    for suite in run.suites:
        for scorer in suite.info.scorers:
            if scorer.is_judge:
                found.setdefault(scorer.name, scorer)
    return found


def standing(name: str, version: str, known: Iterable[StoredCalibration]) -> Standing:
    """Where a version of a judge stands, by the newest calibration of it among `known` (newest first)."""
    of_name = [one for one in known if one.judge == name]
    found = next((one for one in of_name if one.scorer_version == version), None)
    if found is None:
        return "stale" if of_name else "uncalibrated"
    return found.trust  # type: ignore[return-value]  # what was written is one of them


def record_of(scorer: ScorerInfo, known: Sequence[StoredCalibration]) -> JudgeRecord:
    """How far a judge can be trusted, by what is known (newest first)."""
    found = next((one for one in known if one.is_of(scorer.name, scorer.version)), None)
    rates = None if found is None else _rates(found.body, scorer)
    return JudgeRecord(
        standing=standing(scorer.name, scorer.version, known),
        calibration=None if found is None else found.id,
        rates=rates,
    )


def with_standing(info: SuiteInfo, known: Sequence[StoredCalibration]) -> SuiteInfo:
    """The suite with what is known of its judges, which is nothing where `known` is empty."""
    if not any(scorer.is_judge for scorer in info.scorers):
        return info
    scorers = tuple(
        dataclasses.replace(scorer, judge=record_of(scorer, known)) if scorer.is_judge else scorer
        for scorer in info.scorers
    )
    return dataclasses.replace(info, scorers=scorers)


def informed(run: Run, annotations: Sequence[Annotation], known: Sequence[StoredCalibration]) -> Run:
    """The run with what people have said of its outputs since, and with what is known of its judges by now."""
    suites = tuple(
        dataclasses.replace(
            suite,
            info=with_standing(suite.info, known),
            labels=tuple(one for one in annotations if one.suite == suite.info.name),
        )
        for suite in run.suites
    )
    return dataclasses.replace(run, suites=suites)


def _rates(body: Mapping[str, Any], scorer: ScorerInfo) -> tuple[int, int, int, int] | None:
    """For a judge of yes and no: how many of people's passes it found, and how many of their fails."""
    worth = dict(scorer.config.get("levels") or {"pass": 1.0, "fail": 0.0})
    best = {float(value): str(label) for label, value in worth.items()}
    labels, table = list(body.get("labels", ())), body.get("table", ())
    good, bad = best.get(1.0), best.get(0.0)
    if len(worth) != 2 or good not in labels or bad not in labels or len(labels) != 2:
        return None
    one, other = labels.index(good), labels.index(bad)
    return table[one][one], sum(table[one]), table[other][other], sum(table[other])


def labelled_run(run: Run, annotations: Sequence[Annotation], judge: str) -> Labelled:
    """The cases of a run that people labelled for `judge`, with what it said of them.

    Raises `NotFound` for a metric that the run does not have, and where nobody labelled it.
    """
    known = {scorer.name: scorer for suite in run.suites for scorer in suite.info.scorers}
    if judge not in known:
        raise NotFound(
            f'The run {run.id} has no judge "{judge}".' + did_you_mean(judge, known),
            hint=f"It has {', '.join(sorted(judges_of(run)) or sorted(known))}.",
        )
    said: dict[tuple[str, str, int], dict[str, str]] = defaultdict(dict)
    chosen: dict[tuple[str, str, int], str] = {}
    for one in annotations:
        if one.name == judge:
            said[one.suite, one.case_id, one.trial][one.annotator] = one.label
            chosen[one.suite, one.case_id, one.trial] = one.chosen
    if not said:
        raise NotFound(
            f"Nobody has labelled outputs of the run {run.id} for {judge}.",
            hint=f"Do so: evalkit label {run.id[:13]} --name {judge}",
        )
    people = sorted({annotator for labels in said.values() for annotator in labels})
    scores = {key: score for suite in run.suites for key, score in _scores(suite, judge)}
    items, orders = [], []
    once = {key[:2]: key for key in sorted(said, reverse=True)}
    for key in once.values():
        labels = said[key]
        score = scores.get(key)
        items.append(
            Item(
                humans=tuple(labels.get(person) for person in people),
                judge=None if score is None else score.said,
            )
        )
        named = None if score is None else score.metadata.get("verdicts")
        if isinstance(named, list | tuple) and len(named) == 2:
            orders.append(winners(named))
    return Labelled(
        judge=judge,
        version=known[judge].version,
        source=f"run {run.id}",
        items=tuple(items),
        orders=tuple(orders),
        picked=sum(chosen[key] == "given" for key in once.values()),
        repeats=len(said) - len(once),
    )


def labelled_file(file: Path, judge: str, *, version: str = RECORDED) -> Labelled:
    """Recorded verdicts beside people's labels, from CSV or JSON Lines.

    Each row is a case: `judge` is its verdict (empty for none), and every column that begins with `human` one
    annotator's label. For a judge of pairs, `judge_swapped` is its verdict with the two answers the other way round, in
    words that name the answer, `a` and `b`. Raises `DatasetError` with file and line.
    """
    items, orders = [], []
    for line, row in label_rows(file):
        humans = [key for key in row if str(key).startswith("human")]
        if "judge" not in row or not humans:
            raise DatasetError(
                "A row of recorded verdicts has `judge`, and `human` or `human_1`, `human_2` and so on.",
                where=f"{file}:{line}",
                hint="Labels for the outputs of a run go another way: evalkit label RUN --import FILE",
            )
        items.append(Item(humans=tuple(_label(row[key]) for key in humans), judge=_label(row["judge"])))
        if "judge_swapped" in row:
            orders.append((_label(row["judge"]), _label(row["judge_swapped"])))
    if not items:
        raise DatasetError("The file has no verdicts.", where=str(file))
    return Labelled(
        judge=judge,
        version=version,
        source=file.name,
        items=tuple(items),
        orders=tuple(orders),
        picked=None,
    )


def calibrated(labelled: Labelled, **options: Any) -> Calibration:
    """The calibration that follows from labelled cases; `options` are those of `stats.calibration.calibrate`."""
    return calibrate(labelled.items, orders=labelled.orders or None, **options)


def kept(labelled: Labelled, found: Calibration) -> StoredCalibration:
    """The calibration as it is stored."""
    from evalkit.store.calibrations import StoredCalibration

    return StoredCalibration(
        id=new_id(),
        judge=labelled.judge,
        scorer_version=labelled.version,
        made_at=utc_now(),
        n=found.n,
        trust=found.trust,
        source=labelled.source,
        body=shape(labelled, found),
    )


def shape(labelled: Labelled, found: Calibration) -> dict[str, Any]:
    """The calibration as JSON data: what `evalkit judges calibrate --json` prints."""
    return {
        "judge": labelled.judge,
        "version": labelled.version,
        "source": labelled.source,
        "picked": labelled.picked,
        "repeats": labelled.repeats,
        "trust": found.trust,
        "reasons": list(found.reasons),
        "n": found.n,
        "split": found.split,
        "unread": found.unread,
        "labels": list(found.labels),
        "table": [list(row) for row in found.table],
        "accuracy": _share(found.accuracy),
        "recall": {label: None if one is None else _share(one) for label, one in found.recall.items()},
        "kappa": _kappa(found.kappa),
        "weighted_kappa": _kappa(found.weighted_kappa),
        "mcc": found.mcc,
        "bias": {
            label: {"value": value, "interval": [interval.low, interval.high]}
            for label, (value, interval) in found.bias.items()
        },
        "humans": {
            "alpha": found.humans,
            "kappas": [{"annotators": list(pair), "kappa": value} for pair, value in found.human_kappas.items()],
        },
        "alternative": None
        if found.alternative is None
        else {
            "winning_rate": found.alternative.winning_rate,
            "advantage": found.alternative.advantage,
            "epsilon": found.alternative.epsilon,
            "passed": found.alternative.passed,
        },
        "positions": None
        if found.positions is None
        else {
            "consistent": _share(found.positions.consistent),
            "always_first": found.positions.always_first,
            "always_second": found.positions.always_second,
            "p": found.positions.p,
        },
    }


def _share(one: Any) -> dict[str, Any]:
    return {
        "value": one.value,
        "count": one.count,
        "n": one.n,
        "interval": [one.interval.low, one.interval.high],
    }


def _kappa(one: Any) -> dict[str, Any] | None:
    return None if one is None else {"value": one.value, "interval": [one.low, one.high]}


def _scores(suite: SuiteRun, judge: str) -> Iterable[tuple[tuple[str, str, int], Score]]:
    for trial in suite.trials:
        for score in trial.scores:
            if score.name == judge:
                yield (suite.info.name, trial.case_id, trial.number), score


def _label(value: Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None
