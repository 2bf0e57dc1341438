"""What every command takes (`--store`, `--debug`, `--no-color`), and what it makes of them."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from evalkit.errors import StoreFull, StoreReadOnly, did_you_mean
from evalkit.plaintext import Paint

if TYPE_CHECKING:
    from evalkit.config import Settings
    from evalkit.runs import Run
    from evalkit.store import Store

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclasses.dataclass(slots=True, kw_only=True)
class Invocation:
    """One call of the command line: what the options common to all commands said.

    `color` is `None` where neither `--color` nor `--no-color` was given.
    """

    store: str | None = None
    debug: bool = False
    color: bool | None = None

    def settings(self) -> Settings:
        """The settings in force for the current folder's project, `--store` included."""
        from evalkit.config import find_root, load_settings

        return load_settings(find_root(Path.cwd()), flags={"store": self.store})

    def open_store(self) -> Store:
        """The store, to read from. Raises `NotFound` where there is none."""
        from evalkit.store import open_store

        url = self.settings().store
        try:
            return open_store(url, create=False)  # which brings an older file up to date
        except (StoreReadOnly, StoreFull):
            return open_store(url, read_only=True)

    def load(self, name: str, *, payload: bool) -> Run:
        """The run that `name` stands for, without traces; see `Store.load`."""
        with self.open_store() as store:
            return store.load(store.resolve(name), payload=payload, traces=False)

    def paint(self, stream: IO[Any] | None = None) -> Paint:
        """Colours for `stream` (stdout): as the options say, else as `NO_COLOR` and the terminal do."""
        stream = sys.stdout if stream is None else stream
        if self.color is not None:
            return Paint(on=self.color)
        if os.environ.get("NO_COLOR"):
            return Paint(on=False)
        return Paint(on=bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb"))

    @property
    def width(self) -> int:
        """The columns of the terminal; 100 where there is none, unless `COLUMNS` says."""
        return shutil.get_terminal_size((100, 24)).columns


def emit_json(value: Any) -> None:
    """Write `value` to stdout as JSON, indented, in UTF-8 as it is."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def common_options(function: Decorated) -> Decorated:
    """Add the options that every command takes."""
    for option in reversed(_COMMON):
        function = option(function)
    return function


class CommonCommand(click.Command):
    """A command with the common options, which it keeps in the `Invocation` and not among its own arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken = {name for parameter in self.params for name in parameter.opts}
        for option in _COMMON:
            holder = option(lambda: None)
            self.params.extend(p for p in holder.__click_params__ if not taken & set(p.opts))


class HelpfulGroup(click.Group):
    """A group that offers the nearest command for a misspelled one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with; see click. Raises `click.UsageError` with the nearest name."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            raise click.UsageError(f'There is no command "{args[0]}".{did_you_mean(args[0], known)}', ctx)
        return super().resolve_command(ctx, args)


class ListingGroup(HelpfulGroup):
    """A group that lists where no command is given: `evalkit promotions` alone is `evalkit promotions list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before options that are its own."""
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            setattr(ctx.ensure_object(Invocation), name, value)

    return callback


def _keep_color(ctx: click.Context, _: click.Parameter, value: bool | None) -> None:
    if value is not None:
        ctx.ensure_object(Invocation).color = value


_COMMON: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--store",
        metavar="URL",
        expose_value=False,
        callback=_keep("store"),
        help="The store: a path or a database URL, instead of the one in the settings.",
    ),
    click.option(
        "--debug", is_flag=True, expose_value=False, callback=_keep("debug"), help="Show the traceback of an error."
    ),
    click.option(
        "--color/--no-color",
        default=None,
        expose_value=False,
        callback=_keep_color,
        help="Colours, whether or not this is a terminal; NO_COLOR is honoured too.",
    ),
)

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md says what is in it.")
pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
