"""Who somebody is: API tokens, the roles they give, and the name of the operating system's user without one."""

from __future__ import annotations

from evalkit.identity.token import PREFIX, Token, digest_of, new_secret

__all__ = ["PREFIX", "Token", "digest_of", "new_secret"]
