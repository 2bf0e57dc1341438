"""How every command on promotions goes: what it would do is said, then it is asked, then it is done and told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from evalkit.cli import promotionviews as views
from evalkit.cli.desk import WAITING as STATES
from evalkit.cli.desk import Desk
from evalkit.cli.options import Decorated, Invocation, emit_json
from evalkit.cli.promotionshapes import acted_shape
from evalkit.cli.shapes import moment
from evalkit.figures import count
from evalkit.plaintext import Paint, clean, wrapped

if TYPE_CHECKING:
    from evalkit.promoting import Outcome, Outlook
    from evalkit.promotion import Promotion

APPLIED, BLOCKED, INCONCLUSIVE, WAITING = 0, 1, 3, 5
"""The exit codes; 2 is a mistake in what was asked."""

SHORT = 13
"""How many digits of a promotion's id are enough to name it: those of its millisecond."""


def exit_code(promotion: Promotion) -> int:
    """0 for a promotion that is applied, 1 for one that will not be, 3 where nothing is decided, 5 while it waits."""
    if promotion.state in ("applied", "superseded"):
        return APPLIED
    if promotion.state in STATES:
        return WAITING
    return INCONCLUSIVE if promotion.state == "blocked" and promotion.decision == "inconclusive" else BLOCKED


def done(_: Promotion) -> int:
    """0: what was asked is done, wherever that leaves the promotion."""
    return APPLIED


def done_unless_waiting(promotion: Promotion) -> int:
    """0 for what is done, 5 while more people must approve."""
    return WAITING if promotion.state == "pending_approval" else APPLIED


def foreseen(desk: Desk, promotion: Promotion) -> Outlook:
    """What a promotion of a dry run would still need; it is not in the store."""
    from evalkit.promoting.outlooks import outlook_of
    from evalkit.promotion.facts import Facts

    there = desk.store.alias(promotion.kind, promotion.name, promotion.alias)
    facts = Facts(
        now=desk.store.now(),
        policy=desk.policies.find(promotion.kind, promotion.name, promotion.alias),
        position=None if there is None else (there.digest, there.generation),
        freezes=tuple(desk.store.freezes()),
    )
    return outlook_of(promotion, facts)


def requirements(look: Outlook) -> str:
    """How many must approve, who may and who may not, in words."""
    but = f"; not {', not '.join(look.excluded)}" if look.excluded else ""
    return f"{count(look.needed, 'approval')} by {look.approvers}{but}"


def acting_options(function: Decorated) -> Decorated:
    """The options of every command that changes something: `--yes` and `--dry-run`."""
    function = click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")(function)
    return click.option("--yes", is_flag=True, help="Do not ask; nothing is asked where stdin is no terminal.")(
        function
    )


def carry_out(
    invocation: Invocation,
    desk: Desk,
    do: Callable[[bool], Outcome],
    *,
    will: Callable[[Outlook], str],
    code: Callable[[Promotion], int] = exit_code,
    whole: bool = False,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Call `do`, which takes whether it is a dry run: first dry, to say what it will do, then in earnest.

    `will` says it in a sentence, of the promotion as it would be. With `whole` all that it rests on is shown first.
    Gives the exit code.
    """
    planned = do(True)
    assert planned.promotion is not None, "freezes go another way"
    expected = foreseen(desk, planned.promotion)
    paint, width = invocation.paint(), invocation.width
    if not as_json:
        versions = desk.versions(planned.promotion)
        shown = views.body if whole else views.brief
        for line in shown(planned.promotion, versions, width, paint):
            click.echo(line)
        click.echo("")
        for line in wrapped(clean(will(expected)), width):
            click.echo(line)
    if dry_run:
        if as_json:
            emit_json(acted_shape(desk, planned, expected, code(planned.promotion)))
        else:
            click.echo("Nothing was done: this was a dry run.")
        return code(planned.promotion)
    if not (yes or as_json):
        ask()
    done = do(False)
    assert done.promotion is not None, "as in the dry run"
    promotion = done.promotion
    from evalkit.promoting.outlooks import outlook

    look = outlook(desk.store, promotion.id, policies=desk.policies)
    if as_json:
        emit_json(acted_shape(desk, done, look, code(promotion)))
        return code(promotion)
    click.echo("")
    for line in told(look, width, paint):
        click.echo(line)
    click.echo(checkpoint_line(desk))
    return code(promotion)


def ask() -> None:
    """Ask whether to go on, where somebody sits at a terminal; leaves with 1 for a no."""
    if sys.stdin is not None and sys.stdin.isatty() and not click.confirm("Go on?"):
        click.echo("Nothing was done.")
        raise click.exceptions.Exit(BLOCKED)


def told(look: Outlook, width: int, paint: Paint) -> Iterator[str]:
    """Where a promotion stands, and what it still needs."""
    promotion = look.promotion
    yield paint(f"{views.noun(promotion)} {promotion.id}", "1")
    yield from views.state_lines(promotion, width, paint)
    for text in needs(look):
        yield from wrapped(clean(text), width)


def needs(look: Outlook) -> Iterator[str]:
    """What a promotion still needs, in sentences; the last is what to do."""
    if look.promotion.state == "pending_approval":
        for name, _, why in (one.partition(": ") for one in look.excluded):
            yield f"An approval by {name} would not count: {name} {why}."
    yield from (f"In the way: {freeze}." for freeze in look.frozen)
    for one in look.stale:
        yield f"It cannot be applied as it is [{one.rule}]: {one.reason}"
    if look.expires_at is not None:
        yield f"It expires at {moment(look.expires_at)}."
    if look.next and look.next != look.promotion.note:
        yield look.next
    short = look.promotion.id[:SHORT]
    if look.promotion.state == "pending_approval":
        yield f"Go on with: evalkit approve {short}"
    elif look.promotion.state == "approved" and not (look.frozen or look.stale):
        yield f"Go on with: evalkit apply {short}"


def checkpoint_line(desk: Desk) -> str:
    """Where the audit log stands, to be kept elsewhere: whoever has it can tell a log that was rewritten."""
    head = desk.store.checkpoint()
    return f"audit {head.seq} {head.hash}"


def actor_line(desk: Desk) -> str:
    """Who is acting, as a sentence begins."""
    return f"You are {views.who(desk.actor)}."
