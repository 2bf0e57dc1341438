"""How every command on promotions goes: what it would do is said, then it is asked, then it is done and told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from evalkit.cli import promotionviews as views
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

_WAITING = ("requested", "pending_approval", "approved")


def exit_code(promotion: Promotion) -> int:
    """0 for a promotion that is applied, 1 for one that will not be, 3 where nothing is decided, 5 while it waits."""
    if promotion.state in ("applied", "superseded"):
        return APPLIED
    if promotion.state in _WAITING:
        return WAITING
    return INCONCLUSIVE if promotion.state == "blocked" and promotion.decision == "inconclusive" else BLOCKED


def done(_: Promotion) -> int:
    """0: what was asked is done, wherever that leaves the promotion."""
    return APPLIED


def done_unless_waiting(promotion: Promotion) -> int:
    """0 for what is done, 5 while more people must approve."""
    return WAITING if promotion.state == "pending_approval" else APPLIED


def requirements(promotion: Promotion) -> str:
    """How many must approve and who may, in words, by the policy that the promotion is judged by."""
    from evalkit.promotion.people import needed, selves
    from evalkit.promotion.policy import policy_of

    policy = policy_of(promotion.policy)
    who = ", ".join(policy.approvers)
    if not who:
        who = "whoever has the role approver" if policy.protected else "anybody"
    own = selves(promotion)
    but = (
        ""
        if policy.allow_self_approval
        else "; not " + ", not ".join(f"{name}, who {why}" for name, why in own.items())
    )
    return f"{count(needed(promotion, policy), 'approval')} by {who}{but}"


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
    will: Callable[[Promotion], str],
    code: Callable[[Promotion], int] = exit_code,
    whole: bool = False,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Call `do`, which takes whether it is a dry run: first dry, to say what it will do, then in earnest.

    `will` says it in a sentence. With `whole` all that the promotion rests on is shown first. Gives the exit code.
    """
    planned = do(True)
    assert planned.promotion is not None, "freezes go another way"
    paint, width = invocation.paint(), invocation.width
    if not as_json:
        versions = desk.versions(planned.promotion)
        shown = views.body if whole else views.brief
        for line in shown(planned.promotion, versions, width, paint):
            click.echo(line)
        click.echo("")
        for line in wrapped(clean(will(planned.promotion)), width):
            click.echo(line)
    if dry_run:
        if as_json:
            emit_json(acted_shape(desk, planned, None, code(planned.promotion)))
        else:
            click.echo("Nothing was done: this was a dry run.")
        return code(planned.promotion)
    if not (yes or as_json):
        ask()
    done = do(False)
    assert done.promotion is not None, "as in the dry run"
    promotion = done.promotion
    from evalkit.promoting import outlook

    look = outlook(desk.store, promotion.id, policies=desk.policies)
    if as_json:
        emit_json(acted_shape(desk, done, look, code(promotion)))
        return code(promotion)
    click.echo("")
    for line in told(look, width, paint):
        click.echo(line)
    return code(promotion)


def ask() -> None:
    """Ask whether to go on, where somebody sits at a terminal. Raises `click.Abort` for a no."""
    if sys.stdin is not None and sys.stdin.isatty():
        click.confirm("Go on?", abort=True)


def told(look: Outlook, width: int, paint: Paint) -> Iterator[str]:
    """Where a promotion stands, and what it still needs."""
    promotion = look.promotion
    yield paint(f"{views.noun(promotion)} {promotion.id}", "1")
    yield from views.state_lines(promotion, width, paint)
    for text in needs(look):
        yield from wrapped(clean(text), width)


def needs(look: Outlook) -> Iterator[str]:
    """What a promotion still needs, in sentences."""
    if look.promotion.state == "pending_approval":
        yield f"{look.given} of {count(look.needed, 'approval')}. Who may approve: {look.approvers}"
        if look.excluded:
            yield f"Not: {'; '.join(look.excluded)}"
    yield from (f"In the way: {freeze}" for freeze in look.frozen)
    for one in look.stale:
        yield " ".join(filter(None, (f"By now stale [{one.rule}]: {one.reason}", one.hint)))
    if look.ready_at is not None and look.promotion.state == "approved":
        yield f"It can be applied from {moment(look.ready_at)} on."
    if look.expires_at is not None:
        yield f"It expires at {moment(look.expires_at)}."
    if look.next:
        yield look.next


def actor_line(desk: Desk) -> str:
    """Who is acting, as a sentence begins."""
    return f"You are {views.who(desk.actor)}."
