"""`evalkit cancel`: a promotion taken back by who asked for it."""

from __future__ import annotations

import click

from evalkit.cli.desk import at_desk, promotion_of
from evalkit.cli.options import CommonCommand, Invocation, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, actor_line, carry_out, done


@click.command(name="cancel", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@acting_options
@json_option
@pass_invocation
def command(invocation: Invocation, promotion: str, reason: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Take a promotion back that is not applied yet; for who asked for it, and for admins."""
    from evalkit.promoting import cancel

    with at_desk(invocation) as desk:
        found = promotion_of(desk.store, promotion)
        return carry_out(
            invocation,
            desk,
            lambda dry: cancel(desk.store, found.id, **desk.acting, reason=desk.kept(reason), dry_run=dry),
            will=lambda _: f"{actor_line(desk)} This cancels the promotion, for good.",
            code=done,
            yes=yes,
            dry_run=dry_run,
            as_json=as_json,
        )
