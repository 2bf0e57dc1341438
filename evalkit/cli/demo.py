"""`evalkit demo`: a run, its gates and its report, offline."""

from __future__ import annotations

from pathlib import Path

import click

from evalkit.cli.options import CommonCommand, Invocation, pass_invocation
from evalkit.figures import count, duration
from evalkit.plaintext import wrapped


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
    """Run an example suite offline: its table, its gates, its report.

    The answers come from a scripted toy, not from a model, and some of them are wrong: one gate passes on the value
    and cannot be decided on evidence, one fails. That is the demonstration, so the exit code is 0 all the same.
    """
    import evalkit
    from evalkit.cli.demo_suite import support_intent
    from evalkit.store import open_store
    from evalkit.summary import render
    from evalkit_reports import write_html

    store = invocation.store or str(folder.absolute() / "evalkit.db")
    run = evalkit.run(support_intent, store=store)
    paint = invocation.paint()
    total = sum(len(suite.trials) for suite in run.suites)
    took = duration((run.finished_at - run.started_at).total_seconds()) if run.finished_at else "no time"
    intro = (
        f"{count(total, 'message')} to a support desk were sorted by a scripted toy that looks for words. "
        f"No model was called; it took {took}."
    )
    for line in wrapped(intro, invocation.width):
        click.echo(line)
    click.echo("")
    click.echo(render(run, width=invocation.width, color=paint.on))
    with open_store(store) as opened:
        report = write_html(opened.load(run.id, traces=False), folder / "report.html")
    where = f"--store {folder / 'evalkit.db'}" if invocation.store is None else f"--store {store}"
    click.echo(f"report  {report.absolute()}")
    click.echo(f"store   {store}")
    click.echo("")
    click.echo("Go on with:")
    click.echo(f"  evalkit show last --failed {where}")
    click.echo(f'  evalkit gate last --gate "accuracy >= 0.8" {where}')
