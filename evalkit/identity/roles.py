"""Roles as people write them: `approver` for every alias, `approver:production` for one."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence

from evalkit.errors import ConfigError, did_you_mean
from evalkit.promotion.records import Role

ROLES: tuple[Role, ...] = typing.get_args(Role)
"""All there are: viewer, runner, author, approver, admin."""

EVERYWHERE = "*"


def roles_of(texts: Sequence[str]) -> Mapping[Role, tuple[str, ...]]:
    """The aliases of each role in `texts`, such as `runner`, `approver:production` or `approver:production,staging`.

    Raises `ConfigError` for a role that there is not, with the nearest one, and for an alias without a name.
    """
    found: dict[Role, list[str]] = {}
    for text in texts:
        name, colon, rest = text.strip().partition(":")
        role = next((one for one in ROLES if one == name), None)
        if role is None:
            raise ConfigError(
                f'There is no role "{name}".{did_you_mean(name, ROLES)}', hint="The roles are " + ", ".join(ROLES) + "."
            )
        aliases = [alias.strip() for alias in rest.split(",")] if colon else [EVERYWHERE]
        if not all(aliases):
            raise ConfigError(f'"{text}" names an alias without a name.', hint=f"Write {role}, or {role}:production.")
        found.setdefault(role, []).extend(alias for alias in aliases if alias not in found.get(role, []))
    return {role: (EVERYWHERE,) if EVERYWHERE in aliases else tuple(aliases) for role, aliases in found.items()}


def words(roles: Mapping[Role, tuple[str, ...]]) -> str:
    """The roles as `roles_of` reads them, with commas between aliases and spaces between roles."""
    return " ".join(
        role if aliases == (EVERYWHERE,) else f"{role}:{','.join(aliases)}" for role, aliases in roles.items()
    )
