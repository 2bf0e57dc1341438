"""`evalkit demo`: two versions of a prompt, their gates, a trace and a report, offline."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalkit.cli.options import CommonCommand, Invocation, pass_invocation
from evalkit.figures import count
from evalkit.plaintext import wrapped

if TYPE_CHECKING:
    from evalkit.runs import Run
    from evalkit.store import Store


@click.command(name="demo", cls=CommonCommand)
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("evalkit-demo"),
    show_default=True,
    help="Where the store and the report of the demo go.",
)
@pass_invocation
def command(invocation: Invocation, folder: Path) -> None:
    """Run an example suite offline with two versions of a prompt: its table, its gates, a trace, its report.

    The answers come from a script behind a provider on this machine, not from a model, and some of them are wrong: one
    gate passes on the value and cannot be decided on evidence, one fails. That is the demonstration, so the exit code
    is 0 all the same.
    """
    from evalkit.pages import write_stored
    from evalkit.store import open_store
    from evalkit.summary import render

    store = invocation.store or str(folder.absolute() / "evalkit.db")
    first, run, calls = _runs(store)
    paint = invocation.paint()
    right, total = (sum(trial.outcome == "passed" for trial in first.suites[0].trials), len(first.suites[0].trials))
    intro = (
        f"{count(total, 'message')} to a support desk, each sorted by two versions of a prompt: {count(calls, 'call')} "
        "through the real client to a provider on this machine. Its answers are a script that looks for words. They "
        "are no model's, and the price of the toy is made up."
    )
    prompts = " → ".join(
        one.versions[0].title.removeprefix("prompt intent ") for one in (first.suites[0], run.suites[0])
    )
    table = render(run, width=invocation.width, color=paint.on, baseline=first)
    for line in wrapped(intro, invocation.width):
        click.echo(line)
    click.echo("")
    for line in wrapped(
        f"With the first prompt {right} of {total} were right. Here is the second: {prompts}", invocation.width
    ):
        click.echo(line)
    click.echo("")
    click.echo(table)
    where = f"--store {folder / 'evalkit.db'}" if invocation.store is None else f"--store {store}"
    with open_store(store) as opened:
        whole = opened.load(run.id, traces=False)
        failing, wrong = _still_wrong(whole)
        for line in wrapped(wrong, invocation.width):
            click.echo(line)
        click.echo("")
        for line in _trace(opened, run.id, failing, invocation):
            click.echo(line)
        report = write_stored(opened, run.id, folder / "report.html", baseline=first.id)
    click.echo("")
    click.echo(f"report  {report.absolute()}")
    click.echo(f"store   {store}")
    click.echo("")
    click.echo("Go on with:")
    click.echo(f"  evalkit show last --failed {where}")
    click.echo(f"  evalkit compare last~1 last {where}")
    click.echo(f"  evalkit prompts diff intent v1 v2 {where}")
    click.echo(f"  evalkit traces show last {failing} --messages {where}")
    click.echo(f'  evalkit gate last --gate "accuracy >= 0.8" {where}')


def _runs(store: str) -> tuple[Run, Run, int]:
    """The runs with the first prompt and with the second, and how many calls they made."""
    import evalkit
    from evalkit.cli.demo_suite import GATES, PROMPTS, URL, script, support_intent
    from evalkit.testing import serve

    before = os.environ.get(URL)
    with serve(script, latency=0.02) as server:
        os.environ[URL] = server.url
        try:
            first = evalkit.run(support_intent(PROMPTS[0]), store=store)
            second = evalkit.run(support_intent(PROMPTS[1], gates=GATES), store=store, baseline=first)
        finally:
            if before is None:
                del os.environ[URL]
            else:
                os.environ[URL] = before
        return first, second, len(server.calls)


def _still_wrong(run: Run) -> tuple[str, str]:
    """The id of the first case that missed, and a sentence about it."""
    suite = run.suites[0]
    trial = next(trial for trial in suite.trials if trial.outcome == "missed")
    case = next(case for case in suite.cases if case.id == trial.case_id)
    said = "; ".join(score.explanation for score in trial.scores if score.explanation)
    return case.id, f'Still wrong is {case.id}, "{case.input["message"]}": {said}. What happened in it:'


def _trace(store: Store, run_id: str, case: str, invocation: Invocation) -> Iterator[str]:
    """The trace of a case as a tree."""
    from evalkit.cli.traceviews import tree_lines

    found = next(one for one in store.traces(run_id) if one.case_id == case)
    yield from tree_lines(store.trace(found.trace_id), invocation.width, invocation.paint())
