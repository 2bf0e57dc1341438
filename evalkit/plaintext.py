"""Text for a terminal: how wide it is, cut to fit, padded, cleaned and coloured."""

from __future__ import annotations

import dataclasses
import re
import textwrap
import unicodedata
from functools import lru_cache

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """Colours text by ANSI codes such as `32` (green) where it is `on`, and leaves it alone where it is not."""

    on: bool

    def __call__(self, text: str, code: str) -> str:
        """The text in the colour of the code."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text


def clean(text: str) -> str:
    """The text on one line, without control characters: what a model wrote must not move the cursor."""
    return _UNPRINTABLE.sub(" ", text)


def cells(text: str) -> int:
    """How many columns a terminal gives the text: two for a wide character, none for one that joins another.

    Source: Unicode Standard Annex 11, with ambiguous characters counted as narrow.
    """
    return len(text) if text.isascii() else sum(map(_cells, text))


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text with spaces up to `width` columns, behind it or, with `right`, before it."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def fitted(text: str, width: int) -> str:
    """The text, cut with an ellipsis where it is wider than `width` columns."""
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 1:
        text = text[: max(0, min(len(text) - 1, width - 1))]
    return text + "…"


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, at least one.

    It is broken at spaces; only where a word is too long for a line is it broken at hyphens too, and last anywhere.
    """
    has_long_word = any(cells(word) > width for word in text.split())
    lines = textwrap.wrap(text, width, break_on_hyphens=has_long_word) or [""]
    if all(cells(line) <= width for line in lines):
        return lines
    return [piece for line in lines for piece in _split(line, width)]


def _split(line: str, width: int) -> list[str]:
    pieces: list[str] = [""]
    for character in line:
        if cells(pieces[-1]) + cells(character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
