"""Which values of the environment are secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

SHORTEST = 8
"""A value of fewer characters is not blotted out: it would be found in ordinary text as well."""

_NAMED = re.compile(
    r"(?:(?:^|_)(?:API|ACCESS|AUTH)?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|_PAT|CREDENTIALS?)(?:_?[0-9]{1,3})?$"
    r"|(?:^|_)(?:SECRET|PASSWORD|TOKEN|API_?KEY)_"
)
_WITH_PASSWORD = re.compile(r"://[^/@:\s]*:([^/@\s]+)@")
_WORD = re.compile(r"[A-Za-z]?[a-z]{7,19}|[A-Z]{8,20}")
_NUMBER = re.compile(r"[-+0-9.,:eE]{1,15}")


def names_of_secrets(names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that are what the variable of a secret is called, whatever its value."""
    return tuple(name for name in names if _NAMED.search(name.upper()))


def secrets_in(environ: Mapping[str, str]) -> dict[str, str]:
    """The secrets among the variables of `environ`, by the name of their variable.

    Those whose name ends like one of a key, a token, a secret or a password, and the passwords in URLs, such as that
    of a database. Left out are values that would blot out ordinary text: shorter than `SHORTEST`, one plain word,
    a number, and the path of a file that is there.
    """
    found: dict[str, str] = {}
    for name, value in environ.items():
        upper = name.upper()
        if _NAMED.search(upper):
            if is_secret(value):
                found[name] = value.strip()
        elif "://" in value:
            password = _WITH_PASSWORD.search(value)
            if password is not None and is_secret(password[1]):
                found[name] = password[1]
    return found


def is_secret(value: str) -> bool:
    """Whether `value`, which stands where a secret would, can be blotted out without spoiling ordinary text."""
    value = value.strip()
    if len(value) < SHORTEST or _WORD.fullmatch(value) or _NUMBER.fullmatch(value) or len(set(value)) == 1:
        return False
    return not _is_file(value)


def _is_file(value: str) -> bool:
    if len(value) > 1000 or (not value.startswith(("/", "~", ".", "\\")) and value[1:2] != ":"):
        return False
    try:
        return Path(value).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False
