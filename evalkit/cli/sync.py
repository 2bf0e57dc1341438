"""`evalkit sync`: every prompt and model file registered in the store, or a look at which are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evalkit.cli import subjectviews as views
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.subjects import opened
from evalkit.errors import ConfigError
from evalkit.figures import count

if TYPE_CHECKING:
    from evalkit.registry import Standing


@click.command(name="sync", cls=CommonCommand)
@click.option("--check", is_flag=True, help="Change nothing; leave with 1 where a file is not in the store as it is.")
@click.option(
    "--ahead-of",
    "alias",
    metavar="ALIAS",
    help="Change nothing; list the files that say something else than the version under ALIAS, one prompt/NAME a line.",
)
@json_option
@pass_invocation
def command(invocation: Invocation, check: bool, alias: str | None, as_json: bool) -> int:
    """Register every prompt and model file in the store, with the commit and the path it is from.

    The same content is never a second version, so that doing it again changes nothing.
    """
    if alias is not None:
        if check:
            raise ConfigError("--check and --ahead-of ask for two things.", hint="Give one of them.")
        return _ahead(invocation, alias, as_json)
    return _check(invocation, as_json) if check else _sync(invocation, as_json)


def _sync(invocation: Invocation, as_json: bool) -> int:
    from evalkit.registry import Project, sync
    from evalkit.store import open_store

    settings = invocation.settings()
    project = Project.of(settings)
    for kind in ("prompt", "model"):  # a broken file is said before anything is registered
        for name in project.files(kind):
            project.require(kind, name)
    with open_store(settings.store) as store:
        done = sync(project, store)
    if as_json:
        emit_json([views.registered_shape(version, is_new) for version, is_new in done])
        return 0
    fresh = [version for version, is_new in done if is_new]
    for version in fresh:
        click.echo(views.registered(version, True))
    click.echo(f"{count(len(done), 'file')}, {len(fresh):,} new to the store.")
    return 0


def _check(invocation: Invocation, as_json: bool) -> int:
    from evalkit.registry import standings

    with opened(invocation) as (project, store):
        found = standings(project, store)
    drifted = [one for one in found if one.drifted]
    if as_json:
        emit_json([views.standing_shape(one) for one in found])
        return int(bool(drifted))
    for one in drifted:
        click.echo(views.drift(one))
    files = sum(one.file is not None for one in found)
    if drifted:
        click.echo(f"{len(drifted):,} of {count(files, 'file')} not in the store as they are: evalkit sync")
    else:
        click.echo(f"{count(files, 'file')}, all in the store as they are.")
    return int(bool(drifted))


def _ahead(invocation: Invocation, alias: str, as_json: bool) -> int:
    from evalkit.registry import standings

    with opened(invocation) as (project, store):
        found = [one for one in standings(project, store) if one.file is not None and not _is_under(one, alias)]
    if as_json:
        emit_json([views.standing_shape(one) for one in found])
        return 0
    for one in found:
        click.echo(f"{one.kind}/{one.name}")
    return 0


def _is_under(one: Standing, alias: str) -> bool:
    pointed = next((found.version for found in one.registered if alias in found.aliases), None)
    return pointed is not None and one.file is not None and pointed.digest == one.file.digest
