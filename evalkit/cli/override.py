"""`evalkit override`: a decision to go on with a blocked promotion in spite of rules that did not pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from evalkit.cli.desk import at_desk, promotion_of
from evalkit.cli.options import CommonCommand, Invocation, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, actor_line, carry_out

if TYPE_CHECKING:
    from evalkit.promoting import Outlook


@click.command(name="override", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@click.option(
    "--rule", "rules", metavar="RULE", multiple=True, help="The rule to go against; repeatable, all that did not pass."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@acting_options
@json_option
@pass_invocation
def command(
    invocation: Invocation, promotion: str, rules: Sequence[str], reason: str, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Go on with a blocked promotion in spite of rules that did not pass, where its policy lets you.

    It is recorded with your name and the reason, holds for a time only, and others must approve it.

    Leaves with 5 while they have to, and with 1 when a rule does not allow it.
    """
    from evalkit.promoting import override

    with at_desk(invocation) as desk:
        found = promotion_of(desk.store, promotion)

        def will(look: Outlook) -> str:
            after = look.promotion
            assert after.override is not None, "it was just made"
            return f"{actor_line(desk)} This overrides {', '.join(after.override.rules)}, on your name."

        return carry_out(
            invocation,
            desk,
            lambda dry: override(
                desk.store,
                found.id,
                **desk.acting,
                reason=desk.kept(reason),
                rules=rules,
                dry_run=dry,
            ),
            will=will,
            whole=True,
            yes=yes,
            dry_run=dry_run,
            as_json=as_json,
        )
