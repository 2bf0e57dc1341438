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
    """Look after the store: where it is, its schema, whether it is whole, backups, copies, who may do what."""


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
    else:
        click.echo("Where an application has a role of its own: evalkit db roles, for the rights on new tables.")


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


@command.command(name="copy", cls=CommonCommand)
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@json_option
@pass_invocation
def copy(invocation: Invocation, source: str, target: str, as_json: bool) -> None:
    """Copy the store SOURCE to TARGET, from a file to a server or back: all of it, checked, or nothing."""
    from evalkit.store.copying import copy_to, describe

    done = copy_to(source, target, say=None if as_json else _row)
    if as_json:
        emit_json({"schema": DB, **describe(done)})
        return
    if done.already:
        click.echo(f"{done.target} has the same already; nothing was written.")
    else:
        click.echo(f"Copied to {done.target}. It was read back: every table has the same rows.")
    for run_id in done.running:
        click.echo(
            f"{invocation.paint()('note: ', '33')}the run {run_id} was going on; what it had stored by then was copied."
        )


def _row(table: str, rows: int) -> None:
    click.echo(f"  {table:<20} {rows:>12,}")


@command.command(name="roles", cls=CommonCommand)
@click.option("--app", metavar="ROLE", help="A role for applications and CI: it adds, and changes what has to change.")
@click.option("--reader", metavar="ROLE", help="A role that only reads.")
@click.option("--apply", "at_once", is_flag=True, help="Run the statements, as the user of the store's URL.")
@pass_invocation
def roles(invocation: Invocation, app: str | None, reader: str | None, at_once: bool) -> None:
    """Print the SQL that gives roles of a PostgreSQL server their rights on the store; its owner runs it."""
    from evalkit.store import roles as rights

    if app is None and reader is None:
        raise click.UsageError("Name a role: --app ROLE, --reader ROLE, or both.")
    made: list[str] = []
    for role, reads_only in ((app, False), (reader, True)):
        if role is not None:
            made += rights.grants(role, reads_only=reads_only)
    if at_once:
        rights.apply(invocation.settings().store, made)
        click.echo(f"{count(len(made), 'statement')} run.")
        return
    for statement in made:
        click.echo(f"{statement};")
