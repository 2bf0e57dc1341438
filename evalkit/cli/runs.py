"""`evalkit runs`: the stored runs, newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from evalkit import grid
from evalkit.cli.choosing import choosing_options, chosen
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import summary_shape
from evalkit.cli.sparks import MOST, spark, unicode_works
from evalkit.errors import NotFound
from evalkit.figures import figure
from evalkit.plaintext import clean
from evalkit.trends import Step, main_metric, steps

if TYPE_CHECKING:
    from evalkit.store import RunSummary, Store

MOST_TRENDS = 6
"""Suites whose trend is shown below the list."""

_COLOURS = {"pass": "32", "fail": "31", "inconclusive": "33"}


@click.command(name="runs", cls=CommonCommand)
@click.option("--suite", metavar="SUITE", help="Only runs that have this suite.")
@choosing_options
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="How many at most; 20 unless --json.")
@json_option
@pass_invocation
def command(invocation: Invocation, /, suite: str | None, limit: int | None, as_json: bool, **options: Any) -> None:
    """List the stored runs, newest first, and how the first score of each suite has moved.

    Options narrow it down, and all that are given hold. The little bars are the last runs of a suite, of whatever is
    listed or not, oldest first; between two that cannot be compared stands a broken line. See evalkit history.
    """
    try:
        with invocation.open_store() as store:
            if suite is not None:
                store.resolve(f"{suite}@last")
            wanted = chosen(store, suite=suite, **options)
            found = store.runs(wanted=wanted, limit=limit or (None if as_json else 21))
            shown = found[: limit or 20]
            trends = [] if as_json else _trends(store, shown, suite)
            url = store.url
    except NotFound:
        if not as_json or suite is not None or any(value is not None for value in options.values()):
            raise
        found, shown, trends, url = [], [], [], ""
    if as_json:
        emit_json([summary_shape(summary) for summary in found])
        return
    if not shown:
        narrowed = suite is not None or any(value is not None for value in options.values())
        click.echo(f"No run in {url} is like that." if narrowed else f"No runs yet in {url}.")
    for line in _table(shown, invocation):
        click.echo(line)
    if len(found) > len(shown):
        click.echo("There are more: --limit N shows them.")
    for line in _told(trends, invocation):
        click.echo(line)


def _trends(store: Store, shown: Sequence[RunSummary], suite: str | None) -> list[tuple[str, str, list[Step]]]:
    """The last runs of each suite that is listed with the name of its first score; those without one are left out."""
    names = dict.fromkeys(name for summary in shown for name in summary.suites)
    made: list[tuple[str, str, list[Step]]] = []
    for name in [suite] if suite is not None else list(names)[:MOST_TRENDS]:
        points = store.history(name, last=MOST)
        main = main_metric(points)
        if main is not None:
            found = steps(points, *main)
            if sum(step.value is not None for step in found) > 1:
                made.append((name, main[0], found))
    return made


def _told(trends: Sequence[tuple[str, str, list[Step]]], invocation: Invocation) -> Iterator[str]:
    if not trends:
        return
    fancy = unicode_works()
    yield ""
    columns = [
        grid.Column(title="suite", texts=[clean(name) for name, _, _ in trends], least=12),
        grid.Column(title="metric", texts=[clean(metric) for _, metric, _ in trends], least=8),
        grid.Column(title="last runs", texts=[spark(found, fancy=fancy) for _, _, found in trends]),
        grid.Column(title="now", texts=[_now(found) for _, _, found in trends], right=True),
    ]
    columns = list(grid.fit([columns], invocation.width))
    yield invocation.paint()(grid.header(columns), "2")
    for number in range(len(trends)):
        yield from grid.lines(columns, number)


def _now(found: Sequence[Step]) -> str:
    last = next(step for step in reversed(found) if step.value is not None)
    return figure(last.value, last.metric.unit if last.metric else "")


def _table(summaries: Sequence[RunSummary], invocation: Invocation) -> Iterator[str]:
    if not summaries:
        return
    paint = invocation.paint()
    columns = grid.fit((_columns(summaries, level) for level in range(5)), invocation.width)
    yield paint(grid.header(columns), "2")
    for number, summary in enumerate(summaries):
        for line in grid.lines(columns, number):
            word = summary.decision or ""
            yield line if not word else line.replace(word.upper(), paint(word.upper(), _COLOURS[word]), 1)


def _columns(summaries: Sequence[RunSummary], level: int) -> list[grid.Column]:
    columns = [
        grid.Column(title="run", texts=[summary.short for summary in summaries]),
        grid.Column(title="started", texts=[_started(summary.started_at) for summary in summaries]),
        grid.Column(title="status", texts=[_status(summary) for summary in summaries]),
        grid.Column(title="gates", texts=[(summary.decision or "–").upper() for summary in summaries]),
        grid.Column(title="trials", texts=[_trials(summary) for summary in summaries], right=True),
    ]
    if level < 3:
        columns.append(
            grid.Column(title="missed", texts=[_count(summary, "missed") for summary in summaries], right=True)
        )
        columns.append(
            grid.Column(title="errored", texts=[_count(summary, "errored") for summary in summaries], right=True)
        )
    if level < 2:
        columns.append(grid.Column(title="commit", texts=[_commit(summary, branch=level < 1) for summary in summaries]))
    suites = [clean(", ".join(summary.suites)) for summary in summaries]
    columns.append(grid.Column(title="suites", texts=suites, least=24 if level < 4 else 8))
    return columns


def _started(when: dt.datetime) -> str:
    return when.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M")


def _status(summary: RunSummary) -> str:
    marks = [
        word
        for word, holds in (
            ("partial", summary.partial and summary.status == "complete"),
            ("degraded", bool(summary.degraded)),
        )
        if holds
    ]
    return " ".join([summary.status, *marks])


def _trials(summary: RunSummary) -> str:
    done = sum(summary.counts.values())
    return f"{done:,}" if done == summary.planned else f"{done:,}/{summary.planned:,}"


def _count(summary: RunSummary, outcome: str) -> str:
    return f"{summary.counts.get(outcome, 0):,}"


def _commit(summary: RunSummary, *, branch: bool) -> str:
    if summary.commit is None:
        return "–"
    text = summary.commit[:8] + ("+" if summary.dirty else "")
    return clean(f"{text} {summary.branch}" if branch and summary.branch else text)
