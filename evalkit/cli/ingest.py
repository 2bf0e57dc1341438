"""`evalkit ingest`: what a run could not store, stored now."""

from __future__ import annotations

from pathlib import Path

import click

from evalkit.cli.options import CommonCommand, Invocation, pass_invocation
from evalkit.cli.settings import shown_store
from evalkit.figures import count


@click.command(name="ingest", cls=CommonCommand)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@pass_invocation
def command(invocation: Invocation, file: Path) -> None:
    """Put the results into the store that a run kept in FILE while the store was away; twice does no harm."""
    from evalkit.store import ingest, open_store

    url = invocation.settings().store
    with open_store(url) as store:
        taken = ingest(store, file)
    click.echo(f"{count(taken, 'trial')} from {file} are in {shown_store(invocation.settings())}.")
