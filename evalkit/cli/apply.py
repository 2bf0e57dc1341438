"""`evalkit apply`: an approved promotion carried out."""

from __future__ import annotations

import click

from evalkit.cli.desk import at_desk, promotion_of
from evalkit.cli.options import CommonCommand, Invocation, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, actor_line, carry_out


@click.command(name="apply", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@acting_options
@json_option
@pass_invocation
def command(invocation: Invocation, promotion: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Move the alias of an approved promotion, if all that was judged is still so.

    Leaves with 0 when it is applied, and with 1 when a rule does not allow it: it is too early, there is a freeze, the
    evidence is no longer of what is there, or somebody else has moved the alias.
    """
    from evalkit.promoting import apply

    with at_desk(invocation) as desk:
        found = promotion_of(desk.store, promotion)
        return carry_out(
            invocation,
            desk,
            lambda dry: apply(desk.store, found.id, **desk.acting, dry_run=dry),
            will=lambda look: f"{actor_line(desk)} This moves {look.promotion.alias} of {look.promotion.subject} now.",
            yes=yes,
            dry_run=dry_run,
            as_json=as_json,
        )
