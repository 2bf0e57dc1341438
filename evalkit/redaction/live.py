"""The redactor of this process: it knows the environment as it is now, and the secrets that were noted since."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.redaction.blotting import Redactor
from evalkit.redaction.secrets import is_secret, names_of_secrets, secrets_in

_noted: dict[str, str] = {}


def note(name: str, secret: str) -> None:
    """Blot out `secret` from now on, wherever it came from: a file, a vault, a header. `name` is said instead of it.

    One that is short, a plain word or a number is left alone, as `secrets_in` does.
    """
    secret = secret.strip()
    if is_secret(secret):
        _add(_noted, name, secret)


def _add(secrets: dict[str, str], name: str, secret: str) -> None:
    """Add one that is new, under its name, or that and a number where the name had another value."""
    if secret in secrets.values():
        return
    label, count = name, 1
    while label in secrets:
        count += 1
        label = f"{name} {count}"
    secrets[label] = secret


class Live:
    """A redactor that is made anew when variables came or went, one of a secret changed, or a secret was noted.

    A test that loads a `.env` file does so after the run has begun; its keys must not be kept either.
    """

    def __init__(self, patterns: Sequence[str], environ: Mapping[str, str]) -> None:
        self._patterns = tuple(patterns)
        self._environ = environ
        self._names: tuple[str, ...] = ()
        self._seen: tuple[Any, ...] = ()
        self._secrets: dict[str, str] = {}
        self._made = self.now

    @property
    def now(self) -> Redactor:
        """The redactor as it has to be at this moment."""
        if self._facts() != self._seen:
            # Those of before stay: a value that is gone may still stand in what is about to be kept.
            for name, secret in (*secrets_in(self._environ).items(), *_noted.items()):
                _add(self._secrets, name, secret)
            self._made = Redactor(self._secrets, self._patterns)
            self._names = names_of_secrets(self._environ)
            self._seen = self._facts()
        return self._made

    def _facts(self) -> tuple[Any, ...]:
        # Looking at all variables would take longer than redacting a short text.
        return len(self._environ), len(_noted), *map(self._environ.get, self._names)

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        return self.now(text)

    def data(self, value: Any) -> Any:
        """`value` without secrets; see `Redactor.data`."""
        return self.now.data(value)


def redactor(patterns: Sequence[str] = (), *, environ: Mapping[str, str] | None = None) -> Live:
    """What blots out the secrets of this process, and what fits the user's `patterns` (RE2).

    Raises `ConfigError` for a pattern that is none.
    """
    return Live(patterns, os.environ if environ is None else environ)
