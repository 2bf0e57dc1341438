"""Where the key of a model is: in an environment variable or a file, never in a configuration."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evalkit.errors import ConfigError

_LOOKS_SECRET = re.compile(
    r"\b(?:sk|pk|rk)-[\w-]{8,}|\bgh[pousr]_\w{16,}|\bglpat-[\w-]{12,}|\bxox[abposr]-[\w-]{8,}|\bAIza[\w-]{20,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bhf_\w{16,}|\bgsk_\w{16,}|(?i:\bbearer )\S{8,}"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeyReference:
    """Where to find a key: the environment variable `env`, or the first line of `file`."""

    env: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        return f"${self.env}" if self.env is not None else str(self.file)

    def find(self) -> str | None:
        """The key, `None` where there is none. Read anew each time, as keys are rotated."""
        if self.env is not None:
            return os.environ.get(self.env, "").strip() or None
        try:
            text = Path(str(self.file)).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        return text.strip().partition("\n")[0].strip() or None

    def require(self, name: str) -> str:
        """The key of the model `name`. Raises `ConfigError` that says which variable or file has none."""
        key = self.find()
        if key is not None:
            return key
        if self.env is not None:
            what = f"The model {name} needs a key in the environment variable {self.env}, which is not set."
            hint = f"Set it, for example: export {self.env}=…  Or name another with api_key: {{env: NAME}}."
        else:
            what = f"The model {name} needs a key in the file {self.file}, which is missing or empty."
            hint = "Write the key into it, alone on its first line, or use api_key: {env: NAME}."
        raise ConfigError(what, hint=hint)


def reference(given: Any, *, where: str | None = None) -> KeyReference:
    """The reference that `{"env": NAME}` or `{"file": PATH}` is. Raises `ConfigError` for anything else.

    A text is refused without being shown, as it may well be a key.
    """
    if isinstance(given, KeyReference):
        return given
    hint = "Write api_key: {env: NAME} or api_key: {file: PATH}."
    if isinstance(given, str):
        variable = _VARIABLE.fullmatch(given) and given.isupper() and not secrets_in(given)
        raise ConfigError(
            "`api_key` is a text; it says where the key is, it is not the key.",
            where=where,
            why="A key in a file ends up in git, in stores and in reports.",
            hint=f"Write api_key: {{env: {given}}}." if variable else hint,
        )
    if not isinstance(given, Mapping) or len(given) != 1 or next(iter(given)) not in ("env", "file"):
        raise ConfigError("`api_key` names one environment variable or one file.", where=where, hint=hint)
    (kind, value), *_ = given.items()
    if not isinstance(value, str) or not value.strip() or secrets_in(value):
        raise ConfigError(f"The `{kind}` of `api_key` is no name of one.", where=where, hint=hint)
    if kind == "env" and not _VARIABLE.fullmatch(value):
        raise ConfigError("`api_key` names no environment variable: that is letters, digits and _.", where=where)
    return KeyReference(**{kind: value})


def secrets_in(text: str) -> bool:
    """Whether a text looks as if it had a key in it."""
    return _LOOKS_SECRET.search(text) is not None


def places_of_secrets(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in plain data there are texts that look like keys."""
    if isinstance(value, str):
        if secrets_in(value):
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from places_of_secrets(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from places_of_secrets(item, (*path, index))
