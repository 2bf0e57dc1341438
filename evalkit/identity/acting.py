"""Who is acting: the holder of the API token in the environment, or the operating system's user."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from evalkit.errors import ConfigError
from evalkit.identity.token import PREFIX, Token, digest_of, is_secret
from evalkit.promotion.records import Actor

TOKEN = "EVALKIT_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE = "EVALKIT_TOKEN_FILE"  # noqa: S105 - likewise
_LARGEST = 4096
_ASK = "Ask an admin for a new one: evalkit tokens create"


class Tokens(Protocol):
    """What knows tokens: a store."""

    def now(self) -> dt.datetime:
        """The time."""
        ...

    def token(self, sha256: str) -> Token | None:
        """The token of which `sha256` is the digest."""
        ...


def acting(tokens: Tokens, environ: Mapping[str, str] | None = None) -> Actor:
    """Who acts in this process: whose token `EVALKIT_TOKEN` holds, or the file that `EVALKIT_TOKEN_FILE` names.

    Without either it is the operating system's user, `asserted-local`, without roles. Raises `ConfigError` for a token
    that is malformed, unknown, expired or revoked: somebody who meant to be known is never taken for somebody else.
    """
    environ = os.environ if environ is None else environ
    secret, where = _secret(environ)
    ci = job_url(environ)
    if secret is None:
        return Actor(name=_local_user(), ci=ci)
    if not is_secret(secret):
        raise ConfigError(
            "This is no API token of evalkit.",
            where=where,
            why=f"One is {PREFIX} and 64 hex digits; this has {len(secret)} characters.",
            hint=_ASK,
        )
    token = tokens.token(digest_of(secret))
    if token is None:
        raise ConfigError("The store does not know this API token.", where=where, hint=_ASK)
    gone = token.why_not(tokens.now())
    if gone:
        raise ConfigError(f"The API token of {token.name} {gone}.", where=where, hint=_ASK)
    return token.actor(ci=ci)


def job_url(environ: Mapping[str, str]) -> str | None:
    """The URL of the CI job that this is, for GitHub Actions and GitLab; `None` elsewhere."""
    if environ.get("CI_JOB_URL"):
        return environ["CI_JOB_URL"]
    server, repository, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def _secret(environ: Mapping[str, str]) -> tuple[str | None, str]:
    inline, file = environ.get(TOKEN, "").strip(), environ.get(TOKEN_FILE, "").strip()
    if inline and file:
        raise ConfigError(f"Both {TOKEN} and {TOKEN_FILE} are set.", hint="Unset one of them.")
    if not file:
        return inline or None, f"${TOKEN}"
    path = Path(file).expanduser()
    try:
        with path.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_LARGEST).strip(), str(path)
    except OSError as error:
        raise ConfigError(f"The API token cannot be read: {error.strerror}.", where=str(path)) from None


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name for this uid, as in many containers
        return str(os.getuid()) if hasattr(os, "getuid") else ""
