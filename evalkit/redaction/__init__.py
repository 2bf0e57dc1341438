"""What must not be kept is blotted out before it is kept: keys, tokens, passwords, and what the user names.

`redactor` gives the one of this process; it is called with a text, or asked for whole records. Names are loaded when
they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

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

__getattr__, __dir__ = contents(__name__, _HOMES)
