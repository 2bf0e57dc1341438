"""`evalkit history`: one metric of a suite over its runs, or an index of pages in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.choosing import choosing_options, chosen
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import ends, moment
from evalkit.errors import NotFound, did_you_mean

if TYPE_CHECKING:
    from evalkit.store import HistoryPoint
    from evalkit.trends import Step

HISTORY = "evalkit.history/1"
LAST = 20


@click.command(name="history", cls=CommonCommand)
@click.argument("suite", metavar="[SUITE]", required=False)
@click.option("--metric", metavar="NAME", help="Which metric; the first score of the newest run unless given.")
@click.option("--statistic", metavar="NAME", help="Which statistic of it, such as p95; the first unless given.")
@click.option("--slice", "part", metavar="KEY=VALUE", help="The metric over one slice: lang=de, or tag=hard.")
@click.option("--last", metavar="N", type=click.IntRange(min=1), help=f"How many runs; {LAST} unless --json.")
@choosing_options
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII; done by itself where the output takes no other.")
@click.option(
    "--index",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write index.html over the report pages in a folder, newest first, instead.",
)
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    /,
    suite: str | None,
    metric: str | None,
    statistic: str | None,
    part: str | None,
    last: int | None,
    plain: bool,
    index: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show one metric of SUITE over its runs, oldest first: value, interval, gate, and what changed in between.

    Runs of other cases, by another version of the scorer, or of a part of the suite only cannot be compared with their
    neighbours; a line between them says so. A prompt or a model that changed stands above the run that brought it.
    """
    if index is not None:
        _index(index)
        return
    if suite is None:
        raise click.UsageError("Name the suite, or a folder of reports with --index.")
    where = _slice(part)
    with invocation.open_store() as store:
        wanted = chosen(store, **options)
        points = store.history(suite, last=last or (None if as_json else LAST), slice=where, wanted=wanted)
        if not points:
            store.resolve(f"{suite}@last")  # which says which suites there are, if it is that
    steps, name, statistic = _steps(points, metric, statistic, suite)
    if as_json:
        emit_json(_shape(suite, name, statistic, where, steps))
        return
    if not steps:
        click.echo(f"No run of {suite} is like that.")
        return
    from evalkit.cli.historychart import lines
    from evalkit.cli.sparks import unicode_works

    told = " ".join(text for text in (name or "no metric", statistic) if text)
    title = f"{suite}: {told}" + (f", {part}" if part else "") + f", {len(steps)} runs, oldest first"
    fancy = not plain and unicode_works()
    for line in lines(title, steps, invocation.width, invocation.paint(), fancy=fancy):
        click.echo(line if fancy else line.replace("…", "~"))


def _index(folder: Path) -> None:
    from evalkit_reports.index import write_index

    written, pages = write_index(folder)
    click.echo(f"{written} ({pages} {'page' if pages == 1 else 'pages'})")


def _slice(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise click.UsageError(f'"{text}" names no slice: give KEY=VALUE, such as lang=de or tag=hard.')
    return {key: value}


def _steps(
    points: Sequence[HistoryPoint], metric: str | None, statistic: str | None, suite: str
) -> tuple[list[Step], str, str]:
    """The steps with the metric's name and statistic. Raises `NotFound` where no run has it."""
    from evalkit.trends import main_metric, steps

    found = main_metric(points)
    known = list(dict.fromkeys((one.name, one.statistic) for point in reversed(points) for one in point.metrics))
    if metric is None and found is not None:
        metric, statistic = found[0], statistic or found[1]
    if metric is None:
        return steps(points, ""), "", ""
    fitting = [stat for name, stat in known if name == metric]
    if known and not fitting:
        names = list(dict.fromkeys(name for name, _ in known))
        raise NotFound(
            f'No run of {suite} has a metric "{metric}".{did_you_mean(metric, names)}',
            hint=f"There are: {', '.join(names[:12])}.",
        )
    if statistic is not None and known and statistic not in fitting:
        raise NotFound(
            f'{metric} has no statistic "{statistic}".{did_you_mean(statistic, fitting)}',
            hint=f"It has: {', '.join(fitting)}.",
        )
    statistic = statistic or (fitting[0] if fitting else "")
    return steps(points, metric, statistic or None), metric, statistic


def _shape(suite: str, name: str, statistic: str, where: dict[str, str], steps: Sequence[Step]) -> dict[str, Any]:
    return {
        "schema": HISTORY,
        "suite": suite,
        "metric": name or None,
        "statistic": statistic or None,
        "slice": where,
        "unit": next((step.metric.unit for step in steps if step.metric is not None), None),
        "runs": [_run_shape(step) for step in steps],
    }


def _run_shape(step: Step) -> dict[str, Any]:
    point, metric = step.point, step.metric
    return {
        "run": point.run_id,
        "status": point.status,
        "started_at": moment(point.started_at),
        "decision": point.decision,
        "commit": point.commit,
        "branch": point.branch,
        "dirty": point.dirty,
        "partial": point.partial,
        "dataset": point.dataset,
        "scorers": dict(point.scorers),
        "versions": [
            {"kind": one.kind, "name": one.name, "number": one.number, "digest": one.digest} for one in point.versions
        ],
        "value": step.value,
        "interval": None if metric is None else ends(metric.low, metric.high),
        "level": None if metric is None else metric.level,
        "method": None if metric is None else metric.method,
        "cases": None if metric is None else metric.cases,
        "trials": None if metric is None else metric.trials,
        "unscored": None if metric is None else metric.unscored,
        "errored": None if metric is None else metric.errored,
        "gates": [{"text": text, "verdict": decision} for text, decision in point.gates],
        "comparable": not step.broken,
        "broken": list(step.broken),
        "changed": list(step.changed),
    }
