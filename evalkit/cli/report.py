"""`evalkit report`: a run as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from evalkit.cli.options import CommonCommand, Invocation, pass_invocation
from evalkit.errors import EvalkitError


@click.command(name="report", cls=CommonCommand)
@click.argument("run", metavar="RUN")
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="Where it is written.",
)
@pass_invocation
def command(invocation: Invocation, run: str, output: Path) -> None:
    """Write a run as one self-contained HTML file, which opens without a network.

    RUN is a run's id, the beginning of one, last, or SUITE@last.
    """
    from evalkit_reports import write_html

    found = invocation.load(run, payload=True)
    try:
        written = write_html(found, output)
    except OSError as error:
        if isinstance(error, EvalkitError):
            raise
        raise EvalkitError(f"The report cannot be written: {error.strerror or error}.", where=str(output)) from error
    click.echo(f"{written} ({written.stat().st_size / 1_000_000:.1f} MB)")
