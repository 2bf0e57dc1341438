"""`evalkit runs`: the stored runs, newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from evalkit import grid
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import summary_shape
from evalkit.errors import NotFound
from evalkit.plaintext import clean

if TYPE_CHECKING:
    from evalkit.store import RunSummary

_COLOURS = {"pass": "32", "fail": "31", "inconclusive": "33"}


@click.command(name="runs", cls=CommonCommand)
@click.option("--suite", metavar="SUITE", help="Only runs that have this suite.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="How many at most; 20 unless --json.")
@json_option
@pass_invocation
def command(invocation: Invocation, suite: str | None, limit: int | None, as_json: bool) -> None:
    """List the stored runs, newest first."""
    try:
        with invocation.open_store() as store:
            if suite is not None:
                store.resolve(f"{suite}@last")
            found = store.runs(suite=suite, limit=limit or (None if as_json else 21))
            url = store.url
    except NotFound:
        if not as_json or suite is not None:
            raise
        found, url = [], ""
    if as_json:
        emit_json([summary_shape(summary) for summary in found])
        return
    shown = found[: limit or 20]
    if not shown:
        click.echo(f"No runs yet in {url}.")
    for line in _table(shown, invocation):
        click.echo(line)
    if len(found) > len(shown):
        click.echo("There are more: --limit N shows them.")


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
