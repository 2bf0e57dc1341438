"""How texts are made alike before they are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal

from evalkit_scorers.options import choice

Folding = Callable[[str], str]
Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def folding(scorer: str, *, ignore_case: bool, strip: bool, normalise: Form | None) -> Folding:
    """The function that prepares both sides: Unicode form first, then white space off the ends, then case folding.

    Raises `ScorerError` for a Unicode form that does not exist.
    """
    steps: list[Folding] = []
    if normalise is not None:
        choice(scorer, "normalise", normalise, FORMS)
        steps.append(lambda text: unicodedata.normalize(normalise, text))
    if strip:
        steps.append(str.strip)
    if ignore_case:
        steps.append(str.casefold)
    if not steps:
        return lambda text: text
    if len(steps) == 1:
        return steps[0]

    def fold(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return fold


def after_last(text: str, marker: str | None) -> str | None:
    """What follows the last `marker` in `text`; all of it without a marker, `None` where it does not occur."""
    if marker is None:
        return text
    _, found, rest = text.rpartition(marker)
    return rest if found else None
