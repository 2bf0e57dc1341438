"""A webhook: where messages go, which ones, and with what secret they are signed."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from evalkit.errors import ConfigError, did_you_mean

_KEYS = ("url", "secret", "events", "timeout")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_SHORTEST = 24
_STANDARD = "whsec_"
_TIMEOUT = 10.0
_LONGEST = 60.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One receiver. `events` are patterns such as `promotion.*`; `timeout` is in seconds.

    `secret` says where the secret is: `env:NAME` or the path of a file; `None` sends unsigned.
    """

    name: str
    url: str
    events: tuple[str, ...] = ("promotion.*",)
    secret: str | None = None
    timeout: float = _TIMEOUT

    @property
    def host(self) -> str:
        """Where it is, as it may be shown: without user, path and query, which often hold a key."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")

    def key(self, environ: Mapping[str, str] | None = None) -> bytes | None:
        """The secret's bytes, `None` where none is configured. Raises `ConfigError` where it is missing or too short.

        What begins with `whsec_` is base64, as Standard Webhooks has it; anything else is taken as it is.
        """
        if self.secret is None:
            return None
        text, where = _found(self.secret, os.environ if environ is None else environ)
        if text.startswith(_STANDARD):
            try:
                made = base64.b64decode(text.removeprefix(_STANDARD), validate=True)
            except (binascii.Error, ValueError):
                raise ConfigError(
                    f"The secret of the webhook {self.name} begins with {_STANDARD} and is no base64.", where=where
                ) from None
        else:
            made = text.encode("utf-8")
        if len(made) < _SHORTEST:
            raise ConfigError(
                f"The secret of the webhook {self.name} has {len(made)} bytes; it needs {_SHORTEST}.",
                where=where,
                hint='Make one: python -c "import secrets; print(secrets.token_hex(32))"',
            )
        return made


def webhooks_of(tables: Mapping[str, Any], *, root: Path) -> tuple[Webhook, ...]:
    """The webhooks of `[tool.evalkit.webhooks]`, in their order; files of secrets are relative to `root`.

    Raises `ConfigError` for a key that is unknown or missing, and for an address that is not https; only this machine
    may be spoken to without.
    """
    return tuple(_webhook(name, table, root) for name, table in tables.items())


def listeners(tables: Mapping[str, Any], *, root: Path) -> dict[str, tuple[str, ...]]:
    """The events that each webhook listens to: what `open_store` takes as its `webhooks`."""
    return {webhook.name: webhook.events for webhook in webhooks_of(tables, root=root)}


def _webhook(name: str, table: Any, root: Path) -> Webhook:
    where = f"tool.evalkit.webhooks.{name}"
    if not isinstance(table, dict):
        raise ConfigError(f"The webhook is {table!r:.40}, not a table.", where=where, hint="Give it a url.")
    for key in table:
        if key not in _KEYS:
            raise ConfigError(
                f'A webhook has no "{key}".{did_you_mean(key, _KEYS)}', where=where, hint="It has " + ", ".join(_KEYS)
            )
    timeout = table.get("timeout", _TIMEOUT)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= _LONGEST:
        raise ConfigError(
            f"`timeout` is {timeout!r:.40}.", where=where, hint=f"Write seconds, more than 0 and at most {_LONGEST:g}."
        )
    return Webhook(
        name=name,
        url=_url(table.get("url"), where),
        events=_events(table.get("events", ["promotion.*"]), where),
        secret=_secret(table.get("secret"), where, root),
        timeout=float(timeout),
    )


def _url(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError("The webhook has no url.", where=where, hint='Write: url = "https://…"')
    parts = urlsplit(value.strip())
    try:
        known = parts.hostname, parts.port
    except ValueError:
        known = None, None
    if parts.scheme not in ("http", "https") or not known[0]:
        raise ConfigError("`url` is no address of a web server.", where=where, hint="It begins with https://")
    if parts.scheme == "http" and known[0] not in _LOCAL:
        raise ConfigError(
            f"`url` speaks to {known[0]} without encryption.",
            where=where,
            why="Anybody on the way could read and change what is sent.",
            hint="Use https; http is for this machine alone.",
        )
    return value.strip()


def _events(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one.strip() for one in value):
        raise ConfigError(
            f"`events` is {value!r:.60}.", where=where, hint='Write a list such as ["promotion.*", "alias.moved"].'
        )
    return tuple(one.strip() for one in value)


def _secret(value: Any, where: str, root: Path) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict) and len(value) == 1:
        [(kind, name)] = value.items()
        if isinstance(name, str) and name.strip():
            if kind == "env":
                return f"env:{name.strip()}"
            if kind == "file":
                return str(root / Path(name.strip()).expanduser())
    raise ConfigError(
        "`secret` says where the secret is; the secret itself has no place in a file of the project.",
        where=where,
        hint='Write secret = { env = "WEBHOOK_SECRET" } or secret = { file = "/run/secrets/webhook" }.',
    )


def _found(reference: str, environ: Mapping[str, str]) -> tuple[str, str]:
    if reference.startswith("env:"):
        name = reference.removeprefix("env:")
        text = environ.get(name, "").strip()
        if not text:
            raise ConfigError(f"The environment variable {name} has no secret.", hint="Set it, or unset the webhook.")
        return text, f"${name}"
    try:
        return Path(reference).read_text(encoding="utf-8").strip(), reference
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"The secret of a webhook cannot be read: {why}.", where=reference) from None
