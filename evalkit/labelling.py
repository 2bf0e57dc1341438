"""Which outputs of a run a person is asked about, and labels that were given elsewhere."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.annotation import Annotation, Chosen
from evalkit.canonical import new_id, utc_now
from evalkit.case import Case
from evalkit.errors import DatasetError, NotFound, SuiteError, did_you_mean
from evalkit.labelrows import label_rows
from evalkit.runs import Run, SuiteRun
from evalkit.trial import Trial

SAMPLE = 50
"""How many outputs are asked about unless somebody says otherwise: what a calibration takes at least."""

_COLUMNS = ("case", "label", "annotator", "trial", "suite", "note")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One output that a person is asked about; `seed` drew it, `None` where all are asked about."""

    suite: str
    case: Case
    trial: Trial
    chosen: Chosen
    seed: int | None


def to_ask(run: Run, *, suite: str | None = None, sample: int | None = SAMPLE, seed: int = 0) -> list[Asked]:
    """The outputs to be labelled, in the order of asking: `sample` cases drawn by `seed`, or all for `None`.

    Of a case that was tried several times, one trial is drawn: further trials of a case say little that is new.
    The same run, sample and seed always give the same list, so that a second session goes on with the first, and
    several annotators see the same outputs. Trials that ended in an error have nothing to label. Raises `SuiteError`
    for a suite that is not there, and where nothing is left to ask about.
    """
    found = [(one, trial) for one in _suites(run, suite) for trial in one.trials if trial.output.error is None]
    if not found:
        raise SuiteError(f"The run {run.id} has no outputs to label.")
    chosen: Chosen = "all"
    draw = random.Random(f"{run.id}:{seed}")  # noqa: S311 - a sample, not a secret
    if sample is not None:
        tried: dict[tuple[str, str], list[tuple[SuiteRun, Trial]]] = {}
        for one, trial in found:
            tried.setdefault((one.info.name, trial.case_id), []).append((one, trial))
        if sample < len(found):
            chosen = "random"
            found = [draw.choice(trials) for trials in tried.values()]
            found = draw.sample(found, min(sample, len(found)))
    cases = {(one.info.name, case.id): case for one, _ in found for case in one.cases}
    return [
        Asked(
            suite=one.info.name,
            case=cases[one.info.name, trial.case_id],
            trial=trial,
            chosen=chosen,
            seed=seed if chosen == "random" else None,
        )
        for one, trial in found
    ]


def left(asked: Sequence[Asked], annotations: Sequence[Annotation], *, annotator: str, name: str) -> list[Asked]:
    """Those that this annotator has not labelled under `name` yet."""
    done = {
        (one.suite, one.case_id, one.trial) for one in annotations if (one.annotator, one.name) == (annotator, name)
    }
    return [one for one in asked if (one.suite, one.case.id, one.trial.number) not in done]


def annotation(
    asked: Asked, *, run_id: str, name: str, label: str, annotator: str, note: str | None = None
) -> Annotation:
    """The record of one label, given now."""
    return Annotation(
        id=new_id(),
        run_id=run_id,
        suite=asked.suite,
        case_id=asked.case.id,
        trial=asked.trial.number,
        name=name,
        label=label,
        annotator=annotator,
        at=utc_now(),
        chosen=asked.chosen,
        seed=asked.seed,
        note=note,
    )


def labels_of(run: Run, name: str, *, suite: str | None = None) -> list[str]:
    """What may be said of a metric: the levels of its judge, best first, whether or not it has used them all.

    Of another scorer, the labels it has had, by how often; `pass` and `fail` for one that only passes or fails. Empty
    where it has had none. Raises `NotFound` for a metric that the run does not have.
    """
    counts: dict[str, int] = {}
    known: set[str] = set()
    decided = False
    for one in _suites(run, suite):
        levels = next((scorer.config.get("levels") for scorer in one.info.scorers if scorer.name == name), None)
        if levels:
            return sorted(levels, key=lambda label: -float(levels[label]))
        for score in (score for trial in one.trials for score in trial.scores):
            known.add(score.name)
            if score.name != name:
                continue
            decided = decided or score.kind == "assertion"
            if score.label is not None:
                counts[score.label] = counts.get(score.label, 0) + 1
    if name not in known:
        raise NotFound(
            f'The run has no metric "{name}".' + did_you_mean(name, known),
            hint=f"It has {', '.join(sorted(known))}." if known else None,
        )
    if counts:
        return sorted(counts, key=lambda label: (-counts[label], label))
    return ["pass", "fail"] if decided else []


def read_labels(
    file: Path,
    run: Run,
    *,
    name: str,
    allowed: Collection[str] = (),
    annotator: str | None = None,
    suite: str | None = None,
) -> list[Annotation]:
    """The labels in a CSV or JSON Lines file: `case` and `label`, perhaps `annotator`, `trial`, `suite`, `note`.

    They count as `given`: whoever wrote the file chose the cases. `annotator` and `suite` are for rows that name none;
    where only one suite of the run has this scorer, it is that one. Raises `DatasetError` with file and line for a row
    that names no output of the run, has no label or one that is none of `allowed`, or names no annotator, and
    `SuiteError` for a `suite` that the run does not have.
    """
    outputs = {(one.info.name, trial.case_id, trial.number): (one, trial) for one in run.suites for trial in one.trials}
    known = [one.info.name for one in run.suites]
    names = [one.info.name for one in _suites(run, suite)]
    scored = [one.info.name for one in run.suites if any(scorer.name == name for scorer in one.info.scorers)]
    usual = suite or next((found[0] for found in (names, scored) if len(found) == 1), "")
    made = []
    for line, row in label_rows(file):
        where = f"{file}:{line}"
        for key in row:
            if key not in _COLUMNS:
                raise DatasetError(f'Labels have no "{key}".' + did_you_mean(str(key), _COLUMNS), where=where)
        who = str(row.get("annotator") or annotator or "")
        label, case, number = str(row.get("label") or "").strip(), str(row.get("case") or ""), _number(row, where)
        if not label or not case:
            raise DatasetError(f"The row has no {'label' if case else 'case'}.", where=where)
        if allowed and label not in allowed:
            raise DatasetError(f'"{label}" is no label of {name}.' + did_you_mean(label, allowed), where=where)
        if not who:
            raise DatasetError(
                "The row names no annotator.", where=where, hint="Say it for all of them: --annotator NAME."
            )
        place = str(row.get("suite") or usual)
        if (place, case, number) not in outputs:
            cases = {key[1] for key in outputs if key[0] == place} or set(known)
            near = did_you_mean(case if place in known else place, cases)
            raise DatasetError(
                f'The run has no trial {number} of the case "{case}"' + (f" in {place}." if place else ".") + near,
                where=where,
                hint=None if place else f"Say which suite, with --suite or in a column: {', '.join(known)}.",
            )
        made.append(
            Annotation(
                id=new_id(),
                run_id=run.id,
                suite=place,
                case_id=case,
                trial=number,
                name=name,
                label=label,
                annotator=who,
                at=utc_now(),
                chosen="given",
                note=str(row["note"]) if row.get("note") else None,
            )
        )
    if not made:
        raise DatasetError("The file has no labels.", where=str(file))
    return made


def _suites(run: Run, suite: str | None) -> list[SuiteRun]:
    found = [one for one in run.suites if suite in (None, one.info.name)]
    if not found:
        names = [one.info.name for one in run.suites]
        raise SuiteError(f'The run {run.id} has no suite "{suite}".' + did_you_mean(str(suite), names))
    return found


def _number(row: Mapping[str, Any], where: str) -> int:
    given = row.get("trial") or 1
    try:
        return int(given)
    except (TypeError, ValueError):
        raise DatasetError(f"`trial` is a number from 1 on, not {given!r:.40}.", where=where) from None
