"""`evalkit prompts` and `evalkit models`: the files and the stored versions of both, by one set of commands."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli import subjectviews as views
from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.errors import ConfigError, NotFound, StoreReadOnly
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.prompts import Rendered
    from evalkit.registry import Project
    from evalkit.registry.syncing import Standing
    from evalkit.store import Registered, Store

FILE = "file"
"""The word for what a name's file says now, in the place of a version."""

_VERSION = "v2, the beginning of a digest, an alias, latest, or file for the file as it is now."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One prompt or model as a command looks at it."""

    project: Project
    standing: Standing

    def version(self, which: str | None) -> views.Shown:
        """The version that `which` names: the file's for `None` where there is one, else the newest stored.

        Raises `NotFound`.
        """
        kind, name, file = self.standing.kind, self.standing.name, self.standing.file
        if which == FILE or (which is None and file is not None):
            if file is None:
                raise NotFound(
                    f'The {kind} "{name}" has no file.', hint=f"Its stored versions: evalkit {kind}s history {name}"
                )
            stored = next((one for one in self.standing.registered if one.version.digest == file.digest), None)
            return views.Shown(version=file, stored=stored, is_file=True)
        found = self.project.stored(kind, name, which or "latest")
        return views.Shown(version=found.version, stored=found, is_file=False)


def group(kind: SubjectKind) -> click.Group:
    """The commands for prompts, or for models."""

    @click.group(
        name=f"{kind}s", cls=HelpfulGroup, help=f"Look at the {kind}s of the project: files and stored versions."
    )
    def command() -> None:
        pass

    command.add_command(_list(kind))
    command.add_command(_show(kind))
    command.add_command(_diff(kind))
    command.add_command(_add(kind))
    command.add_command(_history(kind))
    return command


def _list(kind: SubjectKind) -> click.Command:
    @click.command(name="list", cls=CommonCommand, help=f"List the {kind}s: what each file is, and what is stored.")
    @json_option
    @pass_invocation
    def command(invocation: Invocation, as_json: bool) -> None:
        from evalkit.registry import standings

        with opened(invocation) as (project, store):
            found = standings(project, store, kinds=[kind])
        if as_json:
            emit_json([views.standing_shape(one) for one in found])
            return
        if not found:
            folder = project.shown(project.prompts if kind == "prompt" else project.models)
            click.echo(f"No {kind}s yet: no file in {folder}, none in the store.")
        for line in views.listing(found, invocation.width, invocation.paint()):
            click.echo(line)

    return command


def _show(kind: SubjectKind) -> click.Command:
    def show(invocation: Invocation, name: str, version: str | None, as_json: bool, var: Sequence[str] = ()) -> None:
        with opened(invocation) as (project, store):
            shown = subject(project, store, kind, name).version(version)
        rendered = _rendered(project, shown, var) if var else None
        if as_json:
            emit_json(views.version_shape(shown, rendered))
            return
        for line in views.whole(shown, rendered, invocation.width, invocation.paint()):
            click.echo(line)

    text = f"Show one version of a {kind}: the file as it is now, where none is named.\n\nVERSION is {_VERSION}"
    command = pass_invocation(show)
    command = json_option(command)
    if kind == "prompt":
        option = click.option(
            "--var", metavar="NAME=VALUE", multiple=True, help="Fill in a variable, and show what a model would get."
        )
        command = option(command)
    command = click.argument("version", metavar="[VERSION]", required=False)(command)
    command = click.argument("name", metavar="NAME")(command)
    return click.command(name="show", cls=CommonCommand, help=text)(command)


def _diff(kind: SubjectKind) -> click.Command:
    text = (
        f"Show what differs between two versions of a {kind}: words, variables and settings.\n\n"
        "With one version, it is compared with the file; with none, the newest stored one is. "
        f"BEFORE and AFTER are {_VERSION}"
    )

    @click.command(name="diff", cls=CommonCommand, help=text)
    @click.argument("name", metavar="NAME")
    @click.argument("before", metavar="[BEFORE]", required=False)
    @click.argument("after", metavar="[AFTER]", required=False)
    @json_option
    @pass_invocation
    def command(invocation: Invocation, name: str, before: str | None, after: str | None, as_json: bool) -> None:
        from evalkit.registry import difference

        with opened(invocation) as (project, store):
            chosen = subject(project, store, kind, name)
            old, new = chosen.version(before or "latest"), chosen.version(after)
        changes = difference(old.version, new.version)
        if as_json:
            emit_json(views.changes_shape(old, new, changes))
            return
        for line in views.changed(old, new, changes, invocation.width, invocation.paint()):
            click.echo(line)

    return command


def _add(kind: SubjectKind) -> click.Command:
    text = (
        f"Register the {kind} files of these names in the store, as they are now.\n\n"
        "A run does this by itself for what it uses. What is stored already stays as it is; "
        "`evalkit sync` registers all files."
    )

    @click.command(name="add", cls=CommonCommand, help=text)
    @click.argument("names", metavar="NAME...", nargs=-1, required=True)
    @json_option
    @pass_invocation
    def command(invocation: Invocation, names: Sequence[str], as_json: bool) -> None:
        from evalkit.registry import Project, register
        from evalkit.store import open_store

        settings = invocation.settings()
        project = Project.of(settings)
        for name in names:  # all are read before the first is registered
            project.require(kind, name)
        with open_store(settings.store) as store:
            done = [register(project, store, kind, name) for name in names]
        if as_json:
            emit_json([views.registered_shape(version, is_new) for version, is_new in done])
            return
        for version, is_new in done:
            click.echo(views.registered(version, is_new))

    return command


def _history(kind: SubjectKind) -> click.Command:
    @click.command(name="history", cls=CommonCommand, help=f"List the stored versions of a {kind}, newest first.")
    @click.argument("name", metavar="NAME")
    @json_option
    @pass_invocation
    def command(invocation: Invocation, name: str, as_json: bool) -> None:
        with opened(invocation) as (project, store):
            found = subject(project, store, kind, name).standing
        versions: list[Registered] = list(reversed(found.registered))
        if as_json:
            emit_json([views.history_shape(one, found.file) for one in versions])
            return
        for line in views.history(found, invocation.width, invocation.paint()):
            click.echo(line)

    return command


@contextlib.contextmanager
def opened(invocation: Invocation) -> Iterator[tuple[Project, Store | None]]:
    """The project of the current folder, and its store to read from; `None` where there is none yet."""
    from evalkit.registry import Project
    from evalkit.store import open_store

    settings = invocation.settings()
    project = Project.of(settings)
    with contextlib.ExitStack() as stack:
        store: Store | None
        try:
            store = stack.enter_context(open_store(settings.store, create=False))
        except StoreReadOnly:
            store = stack.enter_context(open_store(settings.store, read_only=True))
        except NotFound:
            store = None
        yield project, store


def subject(project: Project, store: Store | None, kind: SubjectKind, name: str) -> Subject:
    """The prompt or model of that name. Raises `NotFound`, with near names, where it is neither a file nor stored."""
    from evalkit.registry import standing

    registered = store.versions(kind, name) if store is not None else []
    file = project.read(kind, name)
    if file is None and not registered:
        raise project.unknown(kind, name)
    return Subject(project=project, standing=standing(kind, name, None if file is None else file.version, registered))


def _rendered(project: Project, shown: views.Shown, variables: Sequence[str]) -> Rendered:
    from evalkit.prompts import prompt_of, read_prompt

    values: dict[str, Any] = {}
    for line in variables:
        name, found, value = line.partition("=")
        if not found or not name:
            raise ConfigError(f"--var {line!r:.60} gives no value.", hint="Write --var name=value.")
        values[name] = value
    path = project.files("prompt")[shown.version.name] if shown.is_file else None
    prompt = prompt_of(shown.version) if path is None else read_prompt(path, name=shown.version.name)
    return prompt.render(**values)
