"""`evalkit tokens`: API tokens, by which people and machines are known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.options import CommonCommand, Invocation, ListingGroup, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import moment
from evalkit.errors import ConfigError
from evalkit.plaintext import clean

if TYPE_CHECKING:
    from evalkit.identity import Token
    from evalkit.store import Store

TOKENS = "evalkit.tokens/1"
_NEVER = "never"


@click.group(name="tokens", cls=ListingGroup)
def command() -> None:
    """API tokens: who has which roles; make one, revoke one, say who you are.

    Without a command, it is list.
    """


@command.command(name="list", cls=CommonCommand)
@click.option("--all", "everything", is_flag=True, help="Those too that are revoked or have expired.")
@json_option
@pass_invocation
def listing(invocation: Invocation, everything: bool, as_json: bool) -> None:
    """List the tokens that work, the oldest first. The tokens themselves are not stored, and so not shown."""
    from evalkit import grid
    from evalkit.identity import words

    with invocation.open_store() as store:
        now, tokens = store.now(), store.tokens()
    shown = [one for one in tokens if everything or not one.why_not(now)]
    if as_json:
        emit_json([_shape(one, now) for one in shown])
        return
    if not shown:
        click.echo("There are no tokens." if not tokens else "No token works any more; see all of them with --all.")
        return
    columns = [
        grid.Column(title="id", texts=[one.id[:13] for one in shown]),
        grid.Column(title="name", texts=[clean(one.name) for one in shown], least=8),
        grid.Column(title="for", texts=["a service" if one.is_service else "a person" for one in shown]),
        grid.Column(title="roles", texts=[clean(words(one.roles)) for one in shown], least=12, wraps=True),
        grid.Column(title="until", texts=[one.why_not(now) or _until(one) for one in shown]),
    ]
    fitted = grid.fit([columns], invocation.width)
    click.echo(invocation.paint()(grid.header(fitted).rstrip(), "2"))
    for number in range(len(shown)):
        for line in grid.lines(fitted, number):
            click.echo(line)


@command.command(name="create", cls=CommonCommand)
@click.argument("name", metavar="NAME")
@click.option(
    "--role",
    "roles",
    metavar="ROLE[:ALIAS,…]",
    multiple=True,
    required=True,
    help="viewer, runner, author, approver or admin; for every alias, or for those behind the colon. Repeatable.",
)
@click.option("--service", is_flag=True, help="It is for a machine, which may request and apply, and never approve.")
@click.option(
    "--expires", default="90d", show_default=True, metavar="SPAN", help="When it stops working: 12h, 90d, or never."
)
@json_option
@pass_invocation
def create(invocation: Invocation, name: str, roles: Sequence[str], service: bool, expires: str, as_json: bool) -> None:
    """Make a token for NAME and show it, this once. It goes into EVALKIT_TOKEN of whoever it is for.

    Until there is an admin's token anybody may make one; from then on it takes an admin's.
    """
    from evalkit.canonical import new_id
    from evalkit.identity import Token, acting, digest_of, new_secret, roles_of, words
    from evalkit.identity.granting import admins, require_granter
    from evalkit.promotion.durations import seconds_of

    if not name.strip():
        raise ConfigError("A token is for somebody: its name is empty.")
    given = roles_of(roles)
    seconds = None if expires == _NEVER else seconds_of(expires)
    if expires != _NEVER and not seconds:
        raise ConfigError(f'"{expires:.40}" is no span of time.', hint="Write 12h, 90d, or never.")
    with _store(invocation) as store:
        now, actor = store.now(), acting(store)
        require_granter(actor, given, store.tokens(), now)
        secret = new_secret()
        token = Token(
            id=new_id(),
            name=name.strip(),
            is_service=service,
            roles=given,
            created_at=now,
            created_by=actor,
            expires_at=None if seconds is None else now + dt.timedelta(seconds=seconds),
        )
        store.add_token(token, digest_of(secret))
        is_open = not admins(store.tokens(), now)
    if as_json:
        emit_json({**_shape(token, now), "token": secret})
        return
    click.echo(secret)
    whom = "the service" if service else "the person"
    said = [f"A token for {whom} {token.name}: {words(given)}, {_until(token)}. It is not shown again."]
    if is_open:
        said.append("There is no admin yet, so anybody may make tokens: evalkit tokens create NAME --role admin")
    for line in said:
        click.echo(clean(line), err=True)


@command.command(name="revoke", cls=CommonCommand)
@click.argument("token", metavar="ID|NAME")
@json_option
@pass_invocation
def revoke(invocation: Invocation, token: str, as_json: bool) -> None:
    """Make a token stop working, at once and for good. Everybody may revoke their own."""
    from evalkit.identity import acting
    from evalkit.identity.granting import require_granter

    with _store(invocation) as store:
        now, actor = store.now(), acting(store)
        wanted = store.named_token(token)
        if actor.token != wanted.id:
            require_granter(actor, wanted.roles, store.tokens(), now)
        gone = store.revoke_token(wanted.id, by=actor)
    if as_json:
        emit_json(_shape(gone, now))
        return
    click.echo(clean(f"The token {gone.id[:13]} of {gone.name} {gone.why_not(now) or 'is revoked'}."))


@command.command(name="whoami", cls=CommonCommand)
@json_option
@pass_invocation
def whoami(invocation: Invocation, as_json: bool) -> None:
    """Say who you are to evalkit, how that is known, and which roles you have."""
    from evalkit.identity import acting, words

    with invocation.open_store() as store:
        actor = acting(store)
    if as_json:
        emit_json(
            {
                "schema": TOKENS,
                "name": actor.name,
                "service": actor.is_service,
                "authentication": actor.authentication,
                "roles": {role: list(aliases) for role, aliases in actor.roles.items()},
                "token": actor.token,
                "ci": actor.ci,
            }
        )
        return
    kind = "a service, " if actor.is_service else ""
    click.echo(clean(f"{actor.name} ({kind}{actor.authentication})"))
    if actor.authentication == "asserted-local":
        click.echo("The name is the operating system's: it proves nothing, and has no roles.")
    else:
        click.echo(clean(f"roles: {words(actor.roles) or 'none'}"))


def _store(invocation: Invocation) -> Store:
    from evalkit.delivering import listeners
    from evalkit.store import open_store

    settings = invocation.settings()
    return open_store(settings.store, webhooks=listeners(settings.webhooks, root=settings.root))


def _until(token: Token) -> str:
    return "for ever" if token.expires_at is None else f"until {token.expires_at:%Y-%m-%d}"


def _shape(token: Token, now: dt.datetime) -> dict[str, Any]:
    return {
        "schema": TOKENS,
        "id": token.id,
        "name": token.name,
        "service": token.is_service,
        "roles": {role: list(aliases) for role, aliases in token.roles.items()},
        "works": not token.why_not(now),
        "created_at": moment(token.created_at),
        "created_by": token.created_by.name,
        "expires_at": moment(token.expires_at),
        "revoked_at": moment(token.revoked_at),
        "revoked_by": None if token.revoked_by is None else token.revoked_by.name,
    }
