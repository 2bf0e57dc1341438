"""The reference of the command line as Markdown, made from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from evalkit.cli.app import COMMANDS, cli

COMMON = ("--store", "--debug", "--color", "--help", "--version")
"""Options that every command takes, told once."""


def markdown() -> str:
    """The commands, in the order of `evalkit --help`, each with what it does, its usage and its options."""
    return "\n".join(_all()).rstrip() + "\n"


def _all() -> Iterator[str]:
    context = click.Context(cli, info_name="evalkit")
    yield "Every command takes these options, before or behind its name:"
    yield ""
    yield from _options(cli.params)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _command(command, context, f"evalkit {name}")


def _command(command: click.Command, parent: click.Context, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path.split()[-1], parent=parent)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _command(inner, context, f"{path} {name}")
        return
    usage = " ".join([path, *(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")])
    yield f"### {path}"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    yield "```console"
    yield f"$ {usage}"
    yield "```"
    yield ""
    own = [param for param in command.params if isinstance(param, click.Option) and param.opts[0] not in COMMON]
    if own:
        yield from _options(own)


def _options(params: list[click.Option] | list[click.Parameter]) -> Iterator[str]:
    yield "| option | what it does |"
    yield "|---|---|"
    for param in params:
        assert isinstance(param, click.Option)
        if param.opts[0] == "--version":
            continue
        names = ", ".join([*param.opts, *param.secondary_opts])
        metavar = param.metavar or ("|".join(param.type.choices) if isinstance(param.type, click.Choice) else "")
        text = _cell(param.help or "")
        if param.show_default and param.default is not None:
            text += f" Default: `{param.default}`."
        yield f"| `{_cell(f'{names} {metavar}'.strip())}` | {text} |"
    yield ""


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
