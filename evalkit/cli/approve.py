"""`evalkit approve`: a person's recorded yes to a promotion, or that yes taken back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from evalkit.cli.desk import at_desk, promotion_of
from evalkit.cli.options import CommonCommand, Invocation, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, actor_line, carry_out, done_unless_waiting
from evalkit.errors import ConfigError

if TYPE_CHECKING:
    from evalkit.promoting import Outcome, Outlook
    from evalkit.promotion import Promotion

_FINGERPRINT = re.compile(r"[0-9a-f]{8,64}")


@click.command(name="approve", cls=CommonCommand)
@click.argument("promotion", metavar="ID")
@click.option("--comment", default="", metavar="TEXT", help="What you have to say of it.")
@click.option(
    "--fingerprint",
    metavar="HASH",
    help="Approve only evidence whose fingerprint this is, or begins so: that of what you saw elsewhere.",
)
@click.option("--withdraw", is_flag=True, help="Take your approval back; one that was enough to approve it ends it.")
@acting_options
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    promotion: str,
    comment: str,
    fingerprint: str | None,
    withdraw: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Approve a promotion, having seen its evidence; it is shown first. evalkit apply applies it then.

    ID is a promotion's id, the beginning of one, or prompt/NAME@ALIAS for the newest of that
    alias. The approval is bound to the evidence that was shown.

    Leaves with 0 when it is approved, 1 when a rule does not allow it, 5 when more people must approve.
    """
    from evalkit.promoting import approve
    from evalkit.promoting import withdraw as take_back

    if withdraw and (comment or fingerprint):
        raise ConfigError("--comment and --fingerprint are for an approval.", hint="Leave them out, or --withdraw.")
    if fingerprint is not None and not _FINGERPRINT.fullmatch(fingerprint):
        raise ConfigError(
            f'"{fingerprint:.80}" is no fingerprint.', hint="It has 64 hex digits; eight of them will do."
        )
    with at_desk(invocation) as desk:
        found = promotion_of(desk.store, promotion)
        seen = fingerprint or found.fingerprint  # what is shown first, whatever somebody does in the meantime

        def do(dry: bool) -> Outcome:
            if withdraw:
                return take_back(desk.store, found.id, **desk.acting, dry_run=dry)
            return approve(desk.store, found.id, **desk.acting, comment=desk.kept(comment), seen=seen, dry_run=dry)

        def will(look: Outlook) -> str:
            after = look.promotion
            if withdraw:
                return f"{actor_line(desk)} This takes your approval back; the promotion will be {_word(after)}."
            own = next((one for one in after.approvals if one.by.name == desk.actor.name and one.is_self), None)
            mine = " It is a SELF-APPROVAL, and will be shown as one." if own is not None else ""
            return (
                f"{actor_line(desk)} This approves the evidence above, fingerprint {after.fingerprint[:16]}….{mine} "
                f"The promotion will be {_word(after)}."
            )

        return carry_out(
            invocation,
            desk,
            do,
            will=will,
            code=done_unless_waiting,
            whole=not withdraw,
            yes=yes,
            dry_run=dry_run,
            as_json=as_json,
        )


def _word(promotion: Promotion) -> str:
    return "waiting for more approvals" if promotion.state == "pending_approval" else promotion.state.replace("_", " ")
