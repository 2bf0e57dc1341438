"""`evalkit merge`: the bundles of all shards made one run, and judged once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.settings import shown_store
from evalkit.cli.shapes import GATE, verdict_shape
from evalkit.figures import count


@click.command(name="merge", cls=CommonCommand)
@click.argument("bundles", metavar="BUNDLE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--inconclusive",
    type=click.Choice(["fail", "warn"]),
    help="What a gate without a decision does to the exit code: 3, or nothing; left out, as the shards were told.",
)
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Take shards that are not there, or broke off, as missing; the run is partial.",
)
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    bundles: Sequence[Path],
    inconclusive: Literal["fail", "warn"] | None,
    allow_missing: bool,
    as_json: bool,
) -> int:
    """Make one run of the bundles that the shards of a session wrote, store it, and judge it.

    Leaves with 0 when all gates pass, 1 when one fails, or a case of a suite without gates, 2 for bundles that do not
    make one run, 3 when no gate fails but some cannot be decided, 4 when too many trials errored. The same bundles
    make the same run, however often they are merged.
    """
    from evalkit.gates import exit_code
    from evalkit.merging import merge

    settings = invocation.settings()
    run = merge(bundles, settings=settings, inconclusive=inconclusive, allow_missing=allow_missing)
    code: int = exit_code(run.verdicts) if run.verdicts else 0
    undecided = [suite for suite in run.suites if not suite.info.gates]
    if code in (0, 3) and any(trial.outcome != "passed" for suite in undecided for trial in suite.trials):
        code = 1
    if as_json:
        emit_json(
            {
                "schema": GATE,
                "run": run.id,
                "decision": run.decision,
                "exit_code": code,
                "gates": [verdict_shape(verdict) for verdict in run.verdicts],
            }
        )
        return code
    from evalkit.summary import render

    click.echo(render(run, width=invocation.width, color=invocation.paint().on), nl=False)
    click.echo(f"run {run.id} {run.status} in {shown_store(settings)}, merged from {count(len(bundles), 'shard')}")
    return code
