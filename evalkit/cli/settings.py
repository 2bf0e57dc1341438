"""`evalkit config`: the settings in force, and where each came from."""

from __future__ import annotations

from typing import Any

import click

from evalkit import grid
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import CONFIG
from evalkit.config import SETTINGS, Settings
from evalkit.plaintext import clean


@click.command(name="config", cls=CommonCommand)
@json_option
@pass_invocation
def command(invocation: Invocation, as_json: bool) -> None:
    """Show the settings in force and where each came from.

    `[tool.evalkit]` in pyproject.toml, then the environment, then flags: the later wins.
    """
    settings = invocation.settings()
    if as_json:
        emit_json(_shape(settings))
        return
    rows = [
        (setting.name, _shown(getattr(settings, setting.name)), settings.sources[setting.name]) for setting in SETTINGS
    ]
    rows[0] = ("store", shown_store(settings), rows[0][2])
    rows.extend(
        (f"gates.{suite}", _shown(gates), settings.sources["suite_gates"])
        for suite, gates in settings.suite_gates.items()
    )
    rows.extend((name, _shown(keys), source) for name, keys, source in _tables(settings))
    columns = [
        grid.Column(title="setting", texts=[clean(name) for name, _, _ in rows]),
        grid.Column(title="value", texts=[clean(value) for _, value, _ in rows], least=20, wraps=True),
        grid.Column(title="from", texts=[clean(source) for _, _, source in rows]),
    ]
    grid.fit([columns], invocation.width)
    click.echo(f"root {settings.root}")
    click.echo(invocation.paint()(grid.header(columns), "2"))
    for number in range(len(rows)):
        for line in grid.lines(columns, number):
            click.echo(line)


def shown_store(settings: Settings) -> str:
    """The store as it may be shown: without a password."""
    from evalkit.store.address import parse

    return parse(settings.store).shown


def _tables(settings: Settings) -> list[tuple[str, tuple[str, ...], str]]:
    """What is written in tables of its own: the name, what it has entries for, and where it stands."""
    policies = settings.policies
    found = {
        "policies": (policies,) if isinstance(policies, str) else tuple(policies),
        "prices": tuple(settings.prices),
        "signing_key": () if settings.signing_key is None else (settings.signing_key,),
        "webhooks": tuple(settings.webhooks),
    }
    return [(name, keys, settings.sources[name]) for name, keys in found.items() if keys]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " · ".join(value) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shape(settings: Settings) -> dict[str, Any]:
    values = {setting.name: getattr(settings, setting.name) for setting in SETTINGS}
    values["store"] = shown_store(settings)
    return {
        "schema": CONFIG,
        "root": str(settings.root),
        "settings": [
            {
                "name": setting.name,
                "value": list(values[setting.name])
                if isinstance(values[setting.name], tuple)
                else values[setting.name],
                "from": settings.sources[setting.name],
                "default": list(setting.default) if isinstance(setting.default, tuple) else setting.default,
                "flag": setting.flag,
                "env": setting.env,
            }
            for setting in SETTINGS
        ],
        "suite_gates": {suite: list(gates) for suite, gates in settings.suite_gates.items()},
        "tables": [{"name": name, "entries": list(keys), "from": source} for name, keys, source in _tables(settings)],
    }
