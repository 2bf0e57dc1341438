"""`evalkit promote`: a request to move an alias to another version, judged on stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from evalkit.cli.desk import at_desk
from evalkit.cli.options import CommonCommand, Invocation, json_option, pass_invocation
from evalkit.cli.promotionacts import acting_options, carry_out, requirements

if TYPE_CHECKING:
    from evalkit.promoting import Outcome, Outlook


@click.command(name="promote", cls=CommonCommand)
@click.argument("subject", metavar="prompt/NAME|model/NAME")
@click.option("--to", "alias", metavar="ALIAS", required=True, help="The alias to move, such as production.")
@click.option(
    "--version",
    "version",
    metavar="VERSION",
    required=True,
    help="The version to move it to: v2, the beginning of a digest, another alias, or file for the file as it is now.",
)
@click.option(
    "--run", "runs", metavar="RUN", multiple=True, required=True, help="A run that is evidence for it; repeatable."
)
@click.option(
    "--baseline",
    metavar="RUN",
    help="The run that gates against a baseline compare with, instead of the one that the version in force rests on.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for those who approve.")
@acting_options
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    subject: str,
    alias: str,
    version: str,
    runs: Sequence[str],
    baseline: str | None,
    reason: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Ask for an alias to be moved to another version of a prompt or model, on the evidence of stored runs.

    It is judged by the policy of the alias. What passes, and needs nobody's approval, is applied at once; what needs
    approval waits; what does not pass is kept as blocked. A RUN is what it is for evalkit show.

    Leaves with 0 when it is applied, 1 when it is blocked or refused, 2 for a mistake in what was asked, 3 when its
    gates could not be decided, 5 when it waits.
    """
    from evalkit.promoting import request

    with at_desk(invocation) as desk:
        kind, name = desk.subject(subject)
        alias = desk.alias(kind, name, alias)
        digest = desk.version(kind, name, version)

        def do(dry: bool) -> Outcome:
            return request(
                desk.store,
                kind=kind,
                name=name,
                version=digest,
                alias=alias,
                runs=runs,
                **desk.acting,
                reason=desk.kept(reason),
                baseline=baseline,
                dry_run=dry,
            )

        return carry_out(invocation, desk, do, will=_will, whole=True, yes=yes, dry_run=dry_run, as_json=as_json)


def _will(look: Outlook) -> str:
    promotion, alias = look.promotion, look.promotion.alias
    if promotion.state == "blocked":
        failed = ", ".join(dict.fromkeys(one.rule for one in promotion.verdicts if one.decision != "pass"))
        return f"{alias} will not be moved, as not every rule passed ({failed}). The request is kept as blocked."
    if promotion.state == "applied":
        return f"Every rule passed and nobody has to approve: {alias} will be moved at once."
    if promotion.state == "approved":
        return f"Every rule passed. {alias} will not be moved yet. {look.next}"
    return f"Every rule passed. {alias} will not be moved before it is approved: {requirements(look)}."
