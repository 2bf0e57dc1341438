"""`evalkit show`: one run, with what failed in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from evalkit.canonical import jsonable
from evalkit.cli.details import confusion_shape, confusions_of, label_lines, mark_shape, marks_of, slice_lines
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import SHOW, metrics_and_gates, moment, run_shape, trial_shape, usage_shape
from evalkit.cli.traceviews import SHORT
from evalkit.figures import count, duration
from evalkit.plaintext import Paint, clean, fitted, wrapped

if TYPE_CHECKING:
    from evalkit.promotion import Promotion
    from evalkit.runs import Run
    from evalkit.store import Store
    from evalkit.trial import Trial

WORST = 10


@click.command(name="show", cls=CommonCommand)
@click.argument("run", metavar="RUN")
@click.option("--failed", is_flag=True, help="Every trial that missed or errored, with its input and output.")
@json_option
@pass_invocation
def command(invocation: Invocation, run: str, failed: bool, as_json: bool) -> None:
    """Show a run: its metrics, its gates, its slices and labels, its worst cases.

    RUN is a run's id, the beginning of one, last, or SUITE@last.
    """
    with invocation.open_store() as store:
        found = store.load(store.resolve(run), payload=False)
        worst = _worst(found)
        chosen = worst if failed else worst[:WORST]
        cases = {(suite.info.name, case.id): case for suite in found.suites for case in suite.cases}
        shapes = (
            trial_shape(suite, _whole(store, found.id, suite, trial), cases.get((suite, trial.case_id)))
            for suite, trial in chosen
        )
        if as_json:
            emit_json(
                {
                    "schema": SHOW,
                    "run": run_shape(found),
                    **metrics_and_gates(found),
                    "slices": [mark_shape(suite, mark) for suite, mark in marks_of(found)],
                    "labels": [confusion_shape(one) for one in confusions_of(found)],
                    "usage": usage_shape(found),
                    "earlier_runs": store.earlier_runs(found.id),
                    "promotions": [_cited(one) for one in map(store.promotion, store.promotions_citing(found.id))],
                    "cases": list(shapes),
                }
            )
            return
        paint = invocation.paint()
        for line in _head(found, invocation.width, paint):
            click.echo(line)
        for one in map(store.promotion, store.promotions_citing(found.id)):
            for line in wrapped(clean(_citing(found, one)), invocation.width):
                click.echo(line)
        from evalkit.attempts import attempts
        from evalkit.summary import render

        click.echo(render(found, width=invocation.width, color=paint.on), nl=False)
        for sentence in attempts(found, store.earlier_runs(found.id)):
            for line in wrapped(clean(sentence), invocation.width):
                click.echo(line)
        for line in slice_lines(marks_of(found), invocation.width, paint):
            click.echo(line)
        for line in label_lines(confusions_of(found), invocation.width, paint):
            click.echo(line)
        for line in _failures(shapes, invocation.width, paint, brief=not failed):
            click.echo(line)
        if len(chosen) < len(worst):
            click.echo(f"{len(chosen)} of {count(len(worst), 'trial')} that did not pass: --failed shows all.")


def _cited(promotion: Promotion) -> dict[str, str]:
    return {
        "id": promotion.id,
        "subject": promotion.subject,
        "alias": promotion.alias,
        "state": promotion.state,
    }


def _citing(run: Run, promotion: Promotion) -> str:
    rests = promotion.evidence is not None and run.id in promotion.evidence.runs
    role = "evidence for" if rests else "baseline of"
    state = promotion.state.replace("_", " ")
    return f"{role} the promotion {promotion.id[:13]} of {promotion.subject} to {promotion.alias}, {state}"


def _worst(run: Run) -> list[tuple[str, Trial]]:
    """The trials that did not pass, by suite: errors first, then the lowest scores."""

    def rank(trial: Trial) -> tuple[int, float]:
        values = [score.value for score in trial.scores if score.value is not None]
        return (0 if trial.outcome == "errored" else 1, sum(values) / len(values) if values else 0.0)

    return [
        (suite.info.name, trial)
        for suite in run.suites
        for trial in sorted((trial for trial in suite.trials if trial.outcome != "passed"), key=rank)
    ]


def _whole(store: Store, run_id: str, suite: str, trial: Trial) -> Trial:
    return store.trial(run_id, suite, trial.case_id, trial.number)


def _head(run: Run, width: int, paint: Paint) -> Iterator[str]:
    provenance = run.provenance
    took = f", took {duration((run.finished_at - run.started_at).total_seconds())}" if run.finished_at else ""
    partial = ", partial" if run.is_partial and run.status == "complete" else ""
    yield paint(f"run {run.id}", "1")
    yield f"{run.status}{partial}, started {moment(run.started_at)}{took}"
    if provenance.commit:
        dirty = ", with uncommitted changes" if provenance.dirty else ""
        branch = f" on {provenance.branch}" if provenance.branch else ""
        yield fitted(clean(f"commit {provenance.commit[:12]}{branch}{dirty}"), width)
    if provenance.command:
        yield fitted(clean(provenance.command), width)
    if run.degraded:
        yield paint(fitted(clean(run.degraded), width), "31")
    yield ""


def _failures(shapes: Iterator[dict[str, Any]], width: int, paint: Paint, *, brief: bool) -> Iterator[str]:
    title = "worst cases" if brief else "trials that did not pass"
    first = True
    for shape in shapes:
        if first:
            yield ""
            yield paint(title, "1")
            first = False
        again = f" (trial {shape['trial']})" if shape["trial"] > 1 else ""
        scores = ", ".join(_score_text(score) for score in shape["scores"])
        head = f"{shape['suite']} {shape['case']}{again}: {shape['outcome']}" + (f", {scores}" if scores else "")
        yield fitted(clean(head), width)
        if shape["error"] is not None:
            yield fitted(clean(f"    error     {shape['error']['type']}: {shape['error']['message']}"), width)
        if shape["trace"] is not None:
            yield fitted(clean(f"    trace     evalkit traces show {shape['trace'][:SHORT]}"), width)
        for key in ("input", "expected", "output"):
            if shape[key] is not None:
                yield from _value_lines(key, shape[key], width, whole=not brief)
        if not brief:
            for score in shape["scores"]:
                if score["explanation"]:
                    yield fitted(clean(f"    {score['name']}: {score['explanation']}"), width * 3)


def _score_text(score: dict[str, Any]) -> str:
    if score["status"] != "scored":
        return f"{score['name']} {score['status']}"
    value = score["label"] if score["value"] is None else f"{score['value']:g}"
    return f"{score['name']} {value}"


def _value_lines(key: str, value: Any, width: int, *, whole: bool) -> Iterator[str]:
    text = value if isinstance(value, str) else json.dumps(jsonable(value), ensure_ascii=False)
    lines: Sequence[str] = text.splitlines() if whole else [text]
    for number, line in enumerate(lines[:20] or [""]):
        yield fitted(f"    {key if number == 0 else '':<9} {clean(line)}", width)
    if len(lines) > 20:
        yield f"    {'':<9} … {len(lines) - 20} more lines"
