"""`evalkit redact`: what a case gave is taken out of the store, and its digest stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.errors import ConfigError
from evalkit.figures import count

if TYPE_CHECKING:
    from evalkit.store import Store

REDACT = "evalkit.redact/1"


@click.command(name="redact", cls=CommonCommand)
@click.argument("run")
@click.argument("case")
@click.option("--suite", metavar="NAME", help="Which suite of the run; needed where it has several.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the audit log.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before.")
@json_option
@pass_invocation
def command(
    invocation: Invocation, run: str, case: str, suite: str | None, reason: str, yes: bool, as_json: bool
) -> int:
    """Replace what CASE gave in RUN by its digest, for good: outputs, explanations, contents of traces.

    Scores, outcomes and verdicts stay, and a promotion that rests on the run can still be verified. The case itself
    stays in its dataset. Backups have what they had.
    """
    from evalkit.identity import acting
    from evalkit.redaction import redactor
    from evalkit.store import Store
    from evalkit.store.address import parse
    from evalkit.store.opening import open_database
    from evalkit.store.redacting import redact

    if not reason.strip():
        raise ConfigError("A redaction needs a reason.", hint="Say why: --reason TEXT")
    database = open_database(parse(invocation.settings().store), create=False, read_only=False)
    try:
        store = Store(database)
        run_id = store.resolve(run)
        name = suite or _only_suite(store, run_id)
        ask = f"Take what the case {case} gave in {name} out of the run {run_id}? It cannot be brought back."
        if not (yes or as_json) and not click.confirm(ask, default=False):
            click.echo("Nothing was changed.")
            return 0
        said = redactor(invocation.settings().redact)(reason)
        done = redact(database, run_id, name, case, actor=acting(store), reason=said)
    finally:
        database.close()
    if as_json:
        emit_json(
            {
                "schema": REDACT,
                "run": run_id,
                "suite": name,
                "case": case,
                "outputs": list(done.outputs),
                "spans": done.spans,
                "exchanges": done.exchanges,
                "swept": done.swept,
            }
        )
        return 0
    for output in done.outputs:
        click.echo(f"sha256:{output}")
    click.echo(
        f"{count(len(done.outputs), 'output')}, the contents of {count(done.spans, 'span')} and "
        f"{count(done.exchanges, 'recorded answer')} of {case} are gone."
    )
    if not done.swept:
        click.echo("Large values are still in the database, as a run is going on. Take them out later: evalkit gc")
    return 0


def _only_suite(store: Store, run_id: str) -> str:
    names = [suite.info.name for suite in store.load(run_id, payload=False).suites]
    if len(names) != 1:
        raise ConfigError(f"The run {run_id} has {count(len(names), 'suite')}.", hint=f"--suite {' or '.join(names)}")
    return names[0]
