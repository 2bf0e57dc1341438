"""Who somebody is: API tokens, the roles they give, and the name of the operating system's user without one."""

from __future__ import annotations

from evalkit.identity.acting import TOKEN, TOKEN_FILE, acting, job_url
from evalkit.identity.roles import ROLES, roles_of, words
from evalkit.identity.token import PREFIX, Token, digest_of, is_secret, new_secret

__all__ = [
    "PREFIX",
    "ROLES",
    "TOKEN",
    "TOKEN_FILE",
    "Token",
    "acting",
    "digest_of",
    "is_secret",
    "job_url",
    "new_secret",
    "roles_of",
    "words",
]
