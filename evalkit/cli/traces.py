"""`evalkit traces`: what happened inside the trials of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evalkit import grid
from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.errors import NotFound, did_you_mean
from evalkit.figures import count
from evalkit.plaintext import clean

if TYPE_CHECKING:
    from evalkit.store import Store, TraceSummary


@click.group(name="traces", cls=HelpfulGroup)
def command() -> None:
    """Look at what happened inside the trials of a run: calls to models, tools, scorers, with times and tokens."""


@command.command(name="list", cls=CommonCommand)
@click.argument("run", metavar="RUN")
@click.option("--failed", is_flag=True, help="Only those of trials that did not pass.")
@click.option("--suite", metavar="SUITE", help="Only those of this suite.")
@json_option
@pass_invocation
def list_command(invocation: Invocation, run: str, failed: bool, suite: str | None, as_json: bool) -> None:
    """List the traces of a run, in the order they began."""
    from evalkit.cli.traceviews import TRACES, list_columns, summary_shape

    with invocation.open_store() as store:
        run_id = store.resolve(run)
        every = store.traces(run_id, suite=suite)
        if suite is not None and not every:
            _require_suite(store, run_id, suite)
    found = [one for one in every if not failed or one.outcome != "passed"]
    if as_json:
        emit_json({"schema": TRACES, "run": run_id, "traces": [summary_shape(one) for one in found]})
        return
    if not found:
        passed = f": the trials of all {count(len(every), 'trace')} passed" if every else ""
        click.echo(f"No traces to show{passed}.")
        return
    columns = grid.fit((list_columns(found, level) for level in range(4)), invocation.width)
    paint = invocation.paint()
    click.echo(paint(grid.header(columns), "2"))
    for number in range(len(found)):
        for line in grid.lines(columns, number):
            click.echo(line)


@command.command(name="show", cls=CommonCommand)
@click.argument("name", metavar="TRACE|RUN")
@click.argument("case", metavar="[CASE]", required=False)
@click.option("--suite", metavar="SUITE", help="The suite of the case, where several have it.")
@click.option("--trial", "number", metavar="N", type=click.IntRange(min=1), help="Which repeat of the case, from 1.")
@click.option("--messages", is_flag=True, help="What was said to each model, and what it answered.")
@json_option
@pass_invocation
def show(
    invocation: Invocation,
    name: str,
    case: str | None,
    suite: str | None,
    number: int | None,
    messages: bool,
    as_json: bool,
) -> None:
    """Show a trace as a tree: what was inside of what, how long it took, what it used.

    TRACE is the id of a trace or the beginning of one; `evalkit show` and `evalkit traces list` say which there are.
    Or say a RUN and a CASE of it.
    """
    from evalkit.cli.traceviews import TRACE, head_lines, message_lines, span_shape, summary_shape, tree_lines

    with invocation.open_store() as store:
        brief = (
            store.trace_summary(name)
            if case is None
            else _of_case(store, store.resolve(name), case, suite=suite, number=number)
        )
        trace = store.trace(brief.trace_id)
    if as_json:
        emit_json(
            {"schema": TRACE, **summary_shape(brief), "normaliser": trace.normaliser,
             "tree": [span_shape(span) for span in trace.spans]}
        )  # fmt: skip
        return
    paint = invocation.paint()
    lines = [*head_lines(brief, invocation.width, paint), "", *tree_lines(trace, invocation.width, paint)]
    if messages:
        lines += message_lines(trace, invocation.width, paint)
    for line in lines:
        click.echo(line)


def _of_case(store: Store, run_id: str, case: str, *, suite: str | None, number: int | None) -> TraceSummary:
    """The trace of the last attempt at a trial of a case: of that number, or else the first that did not pass."""
    every = store.traces(run_id, suite=suite)
    found = [one for one in every if one.case_id == case]
    suites = sorted({one.suite for one in found})
    if len(suites) > 1:
        raise NotFound(
            f'The case "{clean(case)}" is in {len(suites)} suites: {", ".join(map(clean, suites))}.',
            hint="Say which one with --suite.",
        )
    if not found:
        near = did_you_mean(case, [one.case_id for one in every])
        if every:
            raise NotFound(f'No trial of the case "{clean(case)}" was traced in the run {run_id}.{near}')
        raise NotFound(
            f"The run {run_id} has no traces{'' if suite is None else f' of the suite {clean(suite)}'}.",
            hint="A trial is traced where it calls a model, or its code uses evalkit.span or evalkit.trace.",
        )
    numbers = sorted({one.number for one in found})
    if number is None:
        number = next((one.number for one in found if one.outcome != "passed"), numbers[0])
    chosen = [one for one in found if one.number == number]
    if not chosen:
        raise NotFound(
            f'The case "{clean(case)}" has no trial {number} that was traced.',
            hint=f"It has {', '.join(map(str, numbers))}.",
        )
    return max(chosen, key=lambda one: one.attempt)


def _require_suite(store: Store, run_id: str, suite: str) -> None:
    suites = [one.info.name for one in store.load(run_id, payload=False).suites]
    if suite not in suites:
        raise NotFound(f'The run {run_id} has no suite "{clean(suite)}".{did_you_mean(suite, suites)}')
