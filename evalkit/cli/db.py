"""`evalkit db`: looking after the store."""

from __future__ import annotations

from pathlib import Path

import click

from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.settings import shown_store
from evalkit.cli.shapes import DB
from evalkit.figures import count


@click.group(name="db", cls=HelpfulGroup)
def command() -> None:
    """Look after the store: where it is, its schema, whether it is whole, backups."""


@command.command(name="path", cls=CommonCommand)
@pass_invocation
def path(invocation: Invocation) -> None:
    """Say where the store is, without a password."""
    click.echo(shown_store(invocation.settings()))


@command.command(name="upgrade", cls=CommonCommand)
@pass_invocation
def upgrade(invocation: Invocation) -> None:
    """Bring the store to the schema of this evalkit, after a backup; a file does this by itself when it is opened."""
    from evalkit.store import upgrade as upgrade_store

    done = upgrade_store(invocation.settings().store)
    if done.before == done.after:
        click.echo(f"The store has the schema {done.after} already.")
        return
    click.echo(f"Upgraded from {done.before} to {done.after}.")
    if done.backup is not None:
        click.echo(f"The store as it was: {done.backup.path}")


@command.command(name="check", cls=CommonCommand)
@json_option
@pass_invocation
def check(invocation: Invocation, as_json: bool) -> int:
    """Look the store over without changing it; leaves with 1 where something is wrong."""
    from evalkit.store import check as check_store

    found = check_store(invocation.settings().store)
    if as_json:
        emit_json(
            {
                "schema": DB,
                "store": found.url,
                "ok": found.ok,
                "revision": found.schema,
                "needs_upgrade": found.needs_upgrade,
                "size": found.size,
                "rows": dict(found.counts),
                "problems": list(found.problems),
            }
        )
        return 0 if found.ok else 1
    size = "" if found.size is None else f", {found.size / 1_000_000:.1f} MB"
    click.echo(f"{found.url}: schema {found.schema}{size}")
    for table, rows in found.counts.items():
        click.echo(f"  {table:<20} {rows:>12,}")
    if found.needs_upgrade:
        click.echo("It will be upgraded when it is next written to, or by: evalkit db upgrade")
    for problem in found.problems:
        click.echo(invocation.paint()("problem: ", "31") + problem)
    click.echo("Nothing is wrong." if found.ok else "Restore a backup with: evalkit db restore BACKUP")
    return 0 if found.ok else 1


@command.command(name="backup", cls=CommonCommand)
@click.argument("target", metavar="[TARGET]", type=click.Path(path_type=Path), default=Path())
@json_option
@pass_invocation
def backup(invocation: Invocation, target: Path, as_json: bool) -> None:
    """Copy the store to TARGET, a file or a folder (here), with a manifest; others may go on using it."""
    from evalkit.store import backup as back_up

    made = back_up(invocation.settings().store, target)
    if as_json:
        emit_json(
            {
                "schema": DB,
                "backup": str(made.path),
                "manifest": str(made.manifest),
                "sha256": made.sha256,
                "size": made.size,
                "revision": made.schema,
                "runs": made.runs,
            }
        )
        return
    click.echo(f"{made.path} ({count(made.runs, 'run')}, {made.size / 1_000_000:.1f} MB)")
    click.echo(f"{made.manifest}")


@command.command(name="restore", cls=CommonCommand)
@click.argument("backup", metavar="BACKUP", type=click.Path(path_type=Path))
@pass_invocation
def restore(invocation: Invocation, backup: Path) -> None:
    """Put BACKUP in the place of the store; what was there is kept beside it."""
    from evalkit.store import restore as put_back

    store = invocation.settings().store
    kept = put_back(backup, store)
    click.echo(f"Restored {shown_store(invocation.settings())}")
    if kept is not None:
        click.echo(f"The store as it was: {kept}")
