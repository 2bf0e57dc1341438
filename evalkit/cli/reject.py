"""`evalkit reject`: a person's recorded no to a promotion, which is final."""

from __future__ import annotations

import click

from evalkit.cli.desk import at_desk, promotion_of
from evalkit.cli.options import CommonCommand, Invocation, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, actor_line, carry_out, done


@click.command(name="reject", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why not.")
@acting_options
@json_option
@pass_invocation
def command(invocation: Invocation, promotion: str, reason: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Reject a promotion. That is final: whoever still wants it asks anew, with evidence of then."""
    from evalkit.promoting import reject

    with at_desk(invocation) as desk:
        found = promotion_of(desk.store, promotion)
        return carry_out(
            invocation,
            desk,
            lambda dry: reject(desk.store, found.id, **desk.acting, reason=desk.kept(reason), dry_run=dry),
            will=lambda _: f"{actor_line(desk)} This rejects the promotion, for good.",
            code=done,
            yes=yes,
            dry_run=dry_run,
            as_json=as_json,
        )
