"""`evalkit rollback`: an alias pointed back at a version that it was on before."""

from __future__ import annotations

import click

from evalkit.cli.desk import at_desk
from evalkit.cli.options import CommonCommand, Invocation, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, actor_line, carry_out


@click.command(name="rollback", cls=CommonCommand)
@click.argument("subject", metavar="prompt/NAME|model/NAME")
@click.option("--alias", metavar="ALIAS", required=True, help="The alias to move back.")
@click.option(
    "--to", "version", metavar="VERSION", help="A version that was applied under it before; unset, the one before."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@acting_options
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    subject: str,
    alias: str,
    version: str | None,
    reason: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Point an alias back at a version that was applied under it before, at once. It works during a freeze, too.

    It is a record of its own, and asks for no new evidence. Leaves with 0 when it is done, 1 when a rule does not
    allow it.
    """
    from evalkit.promoting import rollback

    with at_desk(invocation) as desk:
        kind, name = desk.subject(subject)
        alias = desk.alias(kind, name, alias)
        digest = None if version is None else desk.version(kind, name, version)
        return carry_out(
            invocation,
            desk,
            lambda dry: rollback(
                desk.store,
                kind=kind,
                name=name,
                alias=alias,
                **desk.acting,
                reason=desk.kept(reason),
                to=digest,
                dry_run=dry,
            ),
            will=lambda look: (
                f"{actor_line(desk)} This moves {look.promotion.alias} of {look.promotion.subject} back now."
            ),
            whole=True,
            yes=yes,
            dry_run=dry_run,
            as_json=as_json,
        )
