"""What must not be kept is blotted out before it is kept: keys, tokens, passwords, and what the user names.

`redactor` gives the one of this process; it is called with a text, or asked for whole records. Names are loaded when
they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalkit.redaction.blotting import MARK, Redactor
    from evalkit.redaction.live import Live, note, redactor
    from evalkit.redaction.secrets import secrets_in

_HOMES = {
    "MARK": "blotting",
    "Live": "live",
    "Redactor": "blotting",
    "note": "live",
    "redactor": "live",
    "secrets_in": "secrets",
}

__all__ = ["MARK", "Live", "Redactor", "note", "redactor", "secrets_in"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'evalkit.redaction' has no attribute {name!r}")
    value = getattr(import_module(f"evalkit.redaction.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
