"""`evalkit promotions`: which there are, all that is known of one, and whether it still comes out the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from evalkit.cli import promotionviews as views
from evalkit.cli.desk import at_desk, parsed, promotion_of, versions_of
from evalkit.cli.options import CommonCommand, Invocation, ListingGroup, emit_json, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, carry_out, exit_code, needs
from evalkit.cli.promotionshapes import VERIFIED, outlook_shape, promotion_shape, verdict_shape
from evalkit.errors import NotFound, did_you_mean
from evalkit.figures import count
from evalkit.plaintext import clean, wrapped
from evalkit.promotion.records import State

if TYPE_CHECKING:
    from evalkit.promoting import Outcome, Outlook


@click.group(name="promotions", cls=ListingGroup)
def command() -> None:
    """Look at promotions: which there are, what one rests on, whether it still comes out the same.

    Without a command, it is list.
    """


@command.command(name="list", cls=CommonCommand)
@click.option(
    "--state",
    "states",
    type=click.Choice(get_args(State)),
    metavar="STATE",
    multiple=True,
    help="Only those in this state, such as pending_approval; repeatable.",
)
@click.option("--subject", metavar="prompt/NAME|model/NAME", help="Only those of this prompt or model.")
@click.option("--alias", metavar="ALIAS", help="Only those of this alias.")
@json_option
@pass_invocation
def listing(
    invocation: Invocation, states: Sequence[str], subject: str | None, alias: str | None, as_json: bool
) -> None:
    """List promotions, newest first. `evalkit promotions` alone does the same.

    One that has waited too long is shown as expired.
    """
    from evalkit.promoting import listed

    with invocation.open_store() as store:
        kind, name = None, None
        every = listed(store, alias=alias)
        if subject is not None:
            known = sorted({one.subject for one in listed(store)})
            kind, name = parsed(subject, known=known)
            if subject not in known:
                raise NotFound(f"There is no promotion of {subject}.{did_you_mean(subject, known)}")
            every = [one for one in every if one.subject == subject]
        if alias is not None and not every:
            known = sorted({one.alias for one in listed(store, kind=kind, name=name)})
            raise NotFound(f'There is no promotion under the alias "{alias:.100}".{did_you_mean(alias, known)}')
        found = [one for one in every if not states or one.state in states]
        versions = {key: versions_of(store, *key) for key in {(one.kind, one.name) for one in found}}
    if as_json:
        emit_json([promotion_shape(one, versions[one.kind, one.name]) for one in found])
        return
    if not found:
        click.echo("No promotions" + (" in this state." if every else " yet: evalkit promote --help"))
        return
    shown = [(one, versions[one.kind, one.name]) for one in found]
    for line in views.listing(shown, invocation.width, invocation.paint()):
        click.echo(line)


@command.command(name="show", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@json_option
@pass_invocation
def show(invocation: Invocation, promotion: str, as_json: bool) -> int:
    """Show a promotion: its evidence, its rules, what it changes, who said what, and what it still needs.

    ID is a promotion's id, the beginning of one, or prompt/NAME@ALIAS for the newest of that
    alias. Leaves with 0 when it is applied, 1 or 3 when it is blocked or came to nothing, 5 while it waits.
    """
    from evalkit.promoting import Policies
    from evalkit.promoting.outlooks import outlook

    policies = Policies.of(invocation.settings())
    with invocation.open_store() as store:
        found = promotion_of(store, promotion)
        look = outlook(store, found.id, policies=policies)
        versions = versions_of(store, found.kind, found.name)
    if as_json:
        emit_json(promotion_shape(look.promotion, versions) | {"outlook": outlook_shape(look)})
        return exit_code(look.promotion)
    for line in views.whole(look.promotion, versions, invocation.width, invocation.paint()):
        click.echo(line)
    for text in needs(look):
        for line in wrapped(clean(text), invocation.width):
            click.echo(line)
    return exit_code(look.promotion)


@command.command(name="verify", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@json_option
@pass_invocation
def verify(invocation: Invocation, promotion: str, as_json: bool) -> int:
    """Judge a promotion again from the stored evidence and its own policy; leaves with 1 where it differs.

    Rules about the day of the promotion, such as that nobody had moved the alias, are not judged again.
    """
    from evalkit.promoting import verify as judge_again

    with invocation.open_store() as store:
        made = judge_again(store, promotion_of(store, promotion).id)
    if as_json:
        emit_json(_verified(made))
        return int(not made.same)
    for line in views.rule_lines(made.verdicts, invocation.width, invocation.paint()):
        click.echo(line)
    click.echo("")
    if made.same:
        click.echo(f"The promotion {made.promotion.id} comes out the same.")
        return 0
    for text in made.differences:
        for line in wrapped(clean(text), invocation.width):
            click.echo(line)
    click.echo(
        f"The promotion {made.promotion.id} does not come out the same: {count(len(made.differences), 'difference')}."
    )
    return 1


@command.command(name="judge", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@click.option("--run", "runs", metavar="RUN", multiple=True, help="Other runs as evidence; unset, those it has.")
@click.option("--baseline", metavar="RUN", help="The run that gates against a baseline compare with.")
@acting_options
@json_option
@pass_invocation
def judge(
    invocation: Invocation,
    promotion: str,
    runs: Sequence[str],
    baseline: str | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Judge an open promotion again: on other runs, or under the policy as it is now.

    Approvals of what was judged before no longer count. Leaves with the codes of evalkit promote.
    """
    from evalkit.promoting import evaluate

    with at_desk(invocation) as desk:
        found = promotion_of(desk.store, promotion)

        def do(dry: bool) -> Outcome:
            return evaluate(
                desk.store,
                found.id,
                **desk.acting,
                runs=list(runs) or None,
                baseline=baseline,
                dry_run=dry,
            )

        def will(look: Outlook) -> str:
            after = look.promotion
            lost = sum(not one.dismissed for one in found.approvals) - sum(not one.dismissed for one in after.approvals)
            gone = f" {count(lost, 'approval')} will no longer count." if lost else ""
            return f"It will be {after.state.replace('_', ' ')}.{gone}"

        return carry_out(invocation, desk, do, will=will, whole=True, yes=yes, dry_run=dry_run, as_json=as_json)


def _verified(made: Any) -> dict[str, Any]:
    return {
        "schema": VERIFIED,
        "promotion": made.promotion.id,
        "same": made.same,
        "differences": list(made.differences),
        "verdicts": [verdict_shape(one) for one in made.verdicts],
    }
