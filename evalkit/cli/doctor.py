"""`evalkit doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

import dataclasses

import click

from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import DOCTOR
from evalkit.figures import count
from evalkit.plaintext import clean

_COLOURS = {"ok": "32", "warn": "33", "problem": "31"}


@click.command(name="doctor", cls=CommonCommand)
@json_option
@pass_invocation
def command(invocation: Invocation, as_json: bool) -> int:
    """Look over the environment, the settings, the store and what waits beside it, prompts, models, keys, the clock.

    Nothing is changed, and no key is shown. Leaves with 1 where there is a problem; a warning is none.
    """
    from evalkit.cli.checkup import look

    findings = look(invocation)
    bad = [one for one in findings if one.level == "problem"]
    if as_json:
        shape = {"schema": DOCTOR, "ok": not bad, "findings": [dataclasses.asdict(one) for one in findings]}
        emit_json(shape)
        return int(bool(bad))
    paint = invocation.paint()
    for one in findings:
        click.echo(paint(f"{one.level:<8}", _COLOURS[one.level]) + clean(f"{one.area}: {one.what}"))
        if one.todo:
            click.echo(" " * 8 + clean(one.todo))
    warned = sum(one.level == "warn" for one in findings)
    summed = f"{count(len(bad), 'problem')}, {count(warned, 'warning')}."
    click.echo(summed if bad or warned else "All is well.")
    return int(bool(bad))
