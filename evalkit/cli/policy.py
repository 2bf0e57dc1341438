"""`evalkit policy`: the rules that an alias is moved by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.promotionshapes import POLICY
from evalkit.errors import NotFound, did_you_mean
from evalkit.plaintext import Paint, clean, wrapped

if TYPE_CHECKING:
    from evalkit.promoting import Policies
    from evalkit.promotion.policy import Policy


@click.group(name="policy", cls=HelpfulGroup)
def command() -> None:
    """Look at policies: the rules that an alias is moved by."""


@command.command(name="check", cls=CommonCommand)
@json_option
@pass_invocation
def check(invocation: Invocation, as_json: bool) -> None:
    """Read all policies, and say each with its digest; a mistake is said with its file and line, and leaves with 2."""
    from evalkit.promoting import Policies

    policies = Policies.of(invocation.settings())
    if as_json:
        emit_json([_shape(policies, key, policy) for key, policy in policies.all.items()])
        return
    if not policies.all:
        click.echo("No policies: an alias moves where the gates of the suites pass, and nobody is asked.")
        return
    for key, policy in policies.all.items():
        place = policies.place(key)
        click.echo(clean(f"{key}  {policy.text.digest[:8]}" + (f"  {place}" if place else "")))
    click.echo(f"{'1 policy' if len(policies.all) == 1 else f'{len(policies.all)} policies'}, no mistakes found.")


@command.command(name="show", cls=CommonCommand)
@click.argument("alias", metavar="[ALIAS]", required=False)
@json_option
@pass_invocation
def show(invocation: Invocation, alias: str | None, as_json: bool) -> None:
    """Show every rule of the policies, defaults included; ALIAS is the key of one, such as production.

    For an alias without a policy of its own, default shows what holds.
    """
    from evalkit.promoting import Policies
    from evalkit.promoting.policies import DEFAULT

    policies = Policies.of(invocation.settings())
    every = {**policies.all, "default": policies.all.get("default", DEFAULT)}
    if alias is not None and alias not in every:
        raise NotFound(
            f'There is no policy "{alias:.100}".{did_you_mean(alias, every)}',
            hint="There are " + ", ".join(every) + "; an alias without one of its own has the rules of default.",
        )
    shown = every if alias is None else {alias: every[alias]}
    if as_json:
        emit_json([_shape(policies, key, policy) for key, policy in shown.items()])
        return
    for number, (key, policy) in enumerate(shown.items()):
        if number:
            click.echo("")
        for line in _lines(key, policy, invocation.width, invocation.paint()):
            click.echo(line)


def _lines(key: str, policy: Policy, width: int, paint: Paint) -> Iterator[str]:
    yield paint(f"policy {key} ({policy.text.digest[:8]})", "1")
    for name, value in policy.canonical().items():
        if name != "name":
            first, *more = wrapped(clean(f"{name} {_said(name, value)}"), width - 2)
            yield f"  {first}"
            yield from (f"    {line}" for line in more)


def _said(name: str, value: Any) -> str:
    from evalkit.promotion.durations import span

    if name in ("max_age", "wait", "pending_for", "approved_for", "good_for"):
        return span(value) if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ([], {}, 0):
        return "none" if value != 0 else "0"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_said(key, item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_said(name, item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shape(policies: Policies, key: str, policy: Policy) -> dict[str, Any]:
    return {
        "schema": POLICY,
        "policy": key,
        "digest": policy.text.digest,
        "place": policies.place(key) or None,
        "content": policy.canonical(),
    }
