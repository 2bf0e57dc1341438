"""Marks around what is judged, so that a judge can tell the text from what speaks to it.

The code in the marks is a digest of the text between them. Whoever writes the text cannot put the code into it, as that
would change the code; and the same text always has the same marks, so that a recorded answer can be found again.
"""

from __future__ import annotations

from evalkit.canonical import digest


def fenced(name: str, text: str, *, salt: str = "") -> str:
    """`text` between two marks that it cannot forge. `salt` makes the marks of one judge other than another's."""
    code = digest([salt, name, text])[:16]
    return f"<{name} {code}>\n{text}\n</{name} {code}>"
