"""Who may make and revoke API tokens: anybody until there is an admin, and admins from then on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from evalkit.errors import Refusal
from evalkit.identity.roles import EVERYWHERE, words
from evalkit.identity.token import Token
from evalkit.promotion.people import holds
from evalkit.promotion.records import Actor, Role


def admins(tokens: Sequence[Token], now: dt.datetime) -> list[Token]:
    """The tokens of admins that work."""
    return [one for one in tokens if "admin" in one.roles and not one.why_not(now)]


def require_granter(
    actor: Actor, roles: Mapping[Role, tuple[str, ...]], tokens: Sequence[Token], now: dt.datetime
) -> None:
    """See that the actor may give `roles` away, or take them: an admin of every alias that they hold for.

    Until there is an admin's token that works, anybody may, since somebody has to make the first. Raises `Refusal`.
    """
    if not admins(tokens, now):
        return
    wanted = {alias for aliases in roles.values() for alias in aliases} or {EVERYWHERE}
    for alias in sorted(wanted):
        if not holds(actor, ("admin",), alias):
            where = "all aliases" if alias == EVERYWHERE else alias
            raise Refusal(
                "role",
                f"{actor.name} may not make or revoke a token with the roles {words(roles)}.",
                why=f"That takes the role admin for {where}.",
                hint="Use an admin's token, in EVALKIT_TOKEN, or ask one.",
            )
