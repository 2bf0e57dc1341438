"""`evalkit outbox`: messages for webhooks, waiting, delivered, or given up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.options import CommonCommand, Invocation, ListingGroup, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import moment
from evalkit.plaintext import Paint, clean

if TYPE_CHECKING:
    from evalkit.delivering import Attempt
    from evalkit.store.outbox import Fate, Message

OUTBOX = "evalkit.outbox/1"
_COLOURS = {"waiting": "33", "delivered": "32", "dead": "31"}


@click.group(name="outbox", cls=ListingGroup)
def command() -> None:
    """Messages for webhooks: which there are, send those that are due, send one again.

    Without a command, it is list.
    """


@command.command(name="list", cls=CommonCommand)
@click.option(
    "--state", type=click.Choice(["waiting", "delivered", "dead"]), metavar="STATE", help="waiting, delivered or dead."
)
@json_option
@pass_invocation
def listing(invocation: Invocation, state: Fate | None, as_json: bool) -> None:
    """List the messages, the oldest first. Dead ones were given up; redeliver sends one again."""
    with invocation.open_store() as store:
        messages, now = store.outbox(state), store.now()
    if as_json:
        emit_json([_shape(one) for one in messages])
        return
    if not messages:
        click.echo("There are no messages." if state is None else f"No message is {state}.")
        return
    _show(invocation, messages, now)


@command.command(name="deliver", cls=CommonCommand)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Send at most so many.")
@json_option
@pass_invocation
def deliver(invocation: Invocation, limit: int | None, as_json: bool) -> int:
    """Send the messages that are due, oldest first. Run it every minute, by cron or in a job.

    Leaves with 1 where one could not be delivered; those are sent again later.
    """
    from evalkit.delivering import deliver as deliver_due
    from evalkit.delivering import webhooks_of
    from evalkit.store import open_store

    settings = invocation.settings()
    webhooks = webhooks_of(settings.webhooks, root=settings.root)
    paint, done = invocation.paint(), []
    with open_store(settings.store, create=False) as store:
        for attempt in deliver_due(store, webhooks, limit=limit):
            done.append(attempt)
            if not as_json:
                click.echo(_line(attempt, paint))
    if as_json:
        emit_json([_attempt(one) for one in done])
    elif not done:
        click.echo("Nothing is due.")
    return 0 if all(one.sent.is_taken for one in done) else 1


@command.command(name="redeliver", cls=CommonCommand)
@click.argument("message", metavar="ID")
@json_option
@pass_invocation
def redeliver(invocation: Invocation, message: str, as_json: bool) -> None:
    """Have a message sent again with the next deliver, delivered or dead; ID is its id or the beginning of it."""
    from evalkit.store import open_store

    with open_store(invocation.settings().store, create=False) as store:
        again = store.redeliver(message, now=store.now())
    if as_json:
        emit_json(_shape(again))
        return
    click.echo(clean(f"{again.id} is due for {again.target}. Send it: evalkit outbox deliver"))


def _show(invocation: Invocation, messages: list[Message], now: dt.datetime) -> None:
    from evalkit import grid

    columns = [
        grid.Column(title="id", texts=[one.id[:13] for one in messages]),
        grid.Column(title="entry", texts=[str(one.seq) for one in messages], right=True),
        grid.Column(title="event", texts=[clean(one.action) for one in messages], least=12),
        grid.Column(title="webhook", texts=[clean(one.target) for one in messages], least=8),
        grid.Column(title="state", texts=[_fate(one, now) for one in messages], least=12, wraps=True),
        grid.Column(title="tried", texts=[str(one.attempts) for one in messages], right=True),
    ]
    fitted = grid.fit([columns], invocation.width)
    paint = invocation.paint()
    click.echo(paint(grid.header(fitted).rstrip(), "2"))
    for number, one in enumerate(messages):
        for line in grid.lines(fitted, number):
            click.echo(line if one.state == "delivered" else paint(line, _COLOURS[one.state]))


def _fate(one: Message, now: dt.datetime) -> str:
    problem = f": {one.last_error}" if one.last_error and one.state != "delivered" else ""
    if one.state == "waiting":
        due = "due" if one.next_at <= now else f"again at {moment(one.next_at)}"
        return clean(f"{'being sent' if one.leased_by and one.next_at > now else due}{problem}")
    return clean(f"{one.state}{problem}")


def _line(attempt: Attempt, paint: Paint) -> str:
    one = attempt.message
    head = f"{one.id[:13]}  {one.action} to {one.target}: "
    if attempt.sent.is_taken:
        return clean(head) + paint("delivered", "32")
    later = f"again at {moment(attempt.again_at)}" if attempt.again_at else f"given up after attempt {one.attempts}"
    return clean(head) + paint(clean(f"{attempt.sent.error}; {later}"), "31")


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "schema": OUTBOX,
        "id": attempt.message.id,
        "target": attempt.message.target,
        "event": attempt.message.action,
        "delivered": attempt.sent.is_taken,
        "status": attempt.sent.status,
        "error": attempt.sent.error or None,
        "again_at": moment(attempt.again_at),
    }


def _shape(one: Message) -> dict[str, Any]:
    return {
        "schema": OUTBOX,
        "id": one.id,
        "target": one.target,
        "event": one.action,
        "entry": one.seq,
        "state": one.state,
        "attempts": one.attempts,
        "created_at": moment(one.created_at),
        "next_at": moment(one.next_at) if one.state == "waiting" else None,
        "delivered_at": moment(one.delivered_at),
        "status": one.last_status,
        "error": one.last_error,
    }
