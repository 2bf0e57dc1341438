"""Marks around what is judged, so that a judge can tell the text from what speaks to it.

The code in the marks is a digest of the text between them. Whoever writes the text cannot put the code into it, as that
would change the code; and the same text always has the same marks, so that a recorded answer can be found again.
"""

from __future__ import annotations

from evalkit.canonical import digest


def fenced(name: str, text: str, *, salt: str = "") -> str:
    """`text` between two marks that it cannot forge. `salt` makes the marks of one judge other than another's."""
    code = code_of(name, text, salt=salt)
    return f"<{name} {code}>\n{text}\n</{name} {code}>"


def code_of(name: str, text: str, *, salt: str = "") -> str:
    """The code in the marks around `text`. A judge is told it first, so that no other marks pass for a part."""
    return digest([salt, name, text])[:16]
