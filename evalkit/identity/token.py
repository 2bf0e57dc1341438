"""API tokens: 256 random bits that are shown once, and of which only the SHA-256 is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Mapping

from evalkit.promotion.records import Actor, Role

PREFIX = "evk_"
"""What every token begins with, so that scanners for secrets, evalkit's own among them, know one when they see it."""

_BYTES = 32
_FORM = re.compile(r"evk_[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token: whose it is, what it allows, how long. The token itself is not among it.

    `roles` have the aliases that each holds for, `*` for all. `expires_at` is `None` for one that does not expire.
    """

    id: str
    name: str
    is_service: bool
    roles: Mapping[Role, tuple[str, ...]]
    created_at: dt.datetime
    created_by: Actor
    expires_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None
    revoked_by: Actor | None = None

    def why_not(self, now: dt.datetime) -> str:
        """Why it does not work at `now`, in words such as `was revoked on 2026-11-22`; empty where it does."""
        if self.revoked_at is not None:
            return f"was revoked on {self.revoked_at:%Y-%m-%d}"
        if self.expires_at is not None and now >= self.expires_at:
            return f"expired on {self.expires_at:%Y-%m-%d}"
        return ""

    def actor(self, *, ci: str | None = None) -> Actor:
        """Who acts with it."""
        return Actor(
            name=self.name,
            is_service=self.is_service,
            authentication="api-token",
            roles=self.roles,
            token=self.id,
            ci=ci,
        )


def new_secret() -> str:
    """A new token: `evk_` and 64 hex digits, 256 bits from the operating system."""
    return PREFIX + secrets.token_hex(_BYTES)


def is_secret(text: str) -> bool:
    """Whether `text` has the form of a token."""
    return _FORM.fullmatch(text) is not None


def digest_of(secret: str) -> str:
    """What is kept of a token: its SHA-256. 256 random bits need no slow hash: there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
