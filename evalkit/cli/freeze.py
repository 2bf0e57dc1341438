"""`evalkit freeze`: a time in which an alias does not move."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from evalkit.cli import promotionviews as views
from evalkit.cli.desk import at_desk
from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, actor_line, ask
from evalkit.cli.promotionshapes import freeze_shape
from evalkit.cli.shapes import moment
from evalkit.errors import ConfigError
from evalkit.plaintext import clean, wrapped

if TYPE_CHECKING:
    from evalkit.promoting import Outcome

ANY = "*"


class _Freezing(HelpfulGroup):
    """`evalkit freeze SUBJECT` is `evalkit freeze add SUBJECT`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `add` before what is no command."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["add", *args]
        return super().parse_args(ctx, args)


@click.group(name="freeze", cls=_Freezing)
def command() -> None:
    """Keep an alias from moving for a time; rollbacks go on.

    `evalkit freeze SUBJECT …` is the same as `evalkit freeze add SUBJECT …`.
    """


@command.command(name="add", cls=CommonCommand)
@click.argument("subject", metavar="prompt/NAME|model/NAME|'*'")
@click.option("--alias", default=ANY, show_default=True, metavar="ALIAS", help="The alias that does not move.")
@click.option(
    "--until",
    metavar="TIME",
    help="When it ends: a date, a date and time (ISO 8601, UTC), or a span such as 3d; unset, when somebody lifts it.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why, for those who are kept waiting.")
@acting_options
@json_option
@pass_invocation
def add(
    invocation: Invocation,
    subject: str,
    alias: str,
    until: str | None,
    reason: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Let nothing be applied until a time, or until somebody lifts it. `'*'` is every prompt and model."""
    from evalkit.promoting import freeze

    with at_desk(invocation) as desk:
        if subject != ANY:
            kind, name = desk.subject(subject)
            subject = f"{kind}/{name}"
            alias = alias if alias == ANY else desk.alias(kind, name, alias)
        with desk.store.ledger() as ledger:
            now = ledger.now()
        end = None if until is None else moment_of(until, now=now)

        def do(dry: bool) -> Outcome:
            return freeze(
                desk.store,
                subject=subject,
                alias=alias,
                **desk.acting,
                reason=desk.kept(reason),
                until=end,
                dry_run=dry,
            )

        ends = "until somebody lifts it" if end is None else f"until {moment(end)}"
        will = f"{actor_line(desk)} This lets nothing move {alias} of {subject} {ends}."
        return _carry_out(invocation, do, will, now=now, yes=yes, dry_run=dry_run, as_json=as_json)


@command.command(name="lift", cls=CommonCommand)
@click.argument("freeze_id", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@acting_options
@json_option
@pass_invocation
def lift(invocation: Invocation, freeze_id: str, reason: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """End a freeze before its time; ID is its id or the beginning of it."""
    from evalkit.promoting import lift as end

    with at_desk(invocation) as desk:
        with desk.store.ledger() as ledger:
            now = ledger.now()

        def do(dry: bool) -> Outcome:
            return end(desk.store, freeze_id, **desk.acting, reason=desk.kept(reason), dry_run=dry)

        will = f"{actor_line(desk)} This lifts the freeze."
        return _carry_out(invocation, do, will, now=now, yes=yes, dry_run=dry_run, as_json=as_json)


@command.command(name="list", cls=CommonCommand)
@json_option
@pass_invocation
def listing(invocation: Invocation, as_json: bool) -> None:
    """List the freezes that were ever declared, the newest first. Windows of policies are in `evalkit policy show`."""
    with at_desk(invocation) as desk, desk.store.ledger() as ledger:
        found, now = list(reversed(ledger.freezes())), ledger.now()
    if as_json:
        emit_json([freeze_shape(one, now) for one in found])
        return
    if not found:
        click.echo("No freezes.")
    for line in views.freeze_lines(found, now, invocation.width, invocation.paint()):
        click.echo(line)


def _carry_out(
    invocation: Invocation,
    do: Callable[[bool], Outcome],
    will: str,
    *,
    now: dt.datetime,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    planned = do(True)
    if not as_json:
        for line in wrapped(clean(will), invocation.width):
            click.echo(line)
    if not dry_run:
        if not (yes or as_json):
            ask()
        planned = do(False)
    assert planned.freeze is not None, "it is about one"
    if as_json:
        emit_json(freeze_shape(planned.freeze, now) | {"dry_run": dry_run})
    elif dry_run:
        click.echo("Nothing was done: this was a dry run.")
    else:
        click.echo(f"freeze {planned.freeze.id} {'is lifted' if planned.freeze.lifted_at else 'is declared'}")
    return 0


def moment_of(text: str, *, now: dt.datetime) -> dt.datetime:
    """The time that `text` stands for: a date (its beginning), a date and time, or a span from `now` on, all in UTC.

    Raises `ConfigError` for anything else, and for a time that is over.
    """
    from evalkit.promotion.durations import seconds_of

    seconds = seconds_of(text)
    try:
        found = now + dt.timedelta(seconds=seconds) if seconds is not None else dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigError(
            f'"{text:.60}" is no time.', where="--until", hint="Write 2026-12-24, 2026-12-24T18:00 or 3d."
        ) from None
    found = found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
    if found <= now:
        raise ConfigError(f"{moment(found)} is over.", where="--until", hint="Name a time to come.")
    return found
