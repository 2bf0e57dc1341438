"""What a value says as text, and the short sentences that explain a score."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from evalkit.score import Score

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def text_of(value: Any, scorer: str) -> str | None:
    """`value` as the text that a scorer looks at: text as it is, numbers and booleans as `str` gives them.

    `None` stays `None`: there is no text. Raises `TypeError` for anything else, a dict for example, because
    its text would be an accident of how Python prints it.
    """
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool | int | float | Decimal):
        return str(value)
    raise TypeError(
        f"{scorer} looks at text, and was given {type(value).__name__}: "
        f"return text, or score a part of it with on('field', {scorer}(...))"
    )


def references_of(expected: Any, scorer: str) -> list[str]:
    """`expected` as a list of accepted texts: one text, or a list of them. Empty for `None`."""
    if isinstance(expected, list | tuple | set | frozenset):
        texts = [text_of(item, scorer) for item in expected]
        return [text for text in texts if text is not None]
    text = text_of(expected, scorer)
    return [] if text is None else [text]


def shown(value: Any, limit: int = 60) -> str:
    """`value` in an explanation: on one line, cut to `limit` characters, text in double quotes."""
    if isinstance(value, str):
        quoted = json.dumps(_writable(value[:limit]), ensure_ascii=False)
        return quoted if len(value) <= limit else quoted[:-1] + '…"'
    said = _writable(str(value) if isinstance(value, Decimal) else _SHORT.repr(value))
    return said if len(said) <= limit else said[:limit] + "…"


def _writable(text: str) -> str:
    """`text` without lone surrogates, which no file takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def listed(values: Sequence[Any], limit: int = 5) -> str:
    """The first `limit` of `values`, shown and joined by commas, and how many more there are."""
    said = ", ".join(shown(value, 40) for value in values[:limit])
    return said if len(values) <= limit else f"{said} and {len(values) - limit} more"


def miss(explanation: str, *, label: str | None = None) -> Score:
    """The score of an output that is not as it should be: `False`, and why."""
    return Score(value=False, explanation=explanation, label=label)


def unscored(reason: str) -> Score:
    """The score where there is nothing to judge: no value, and why. It is not zero."""
    return Score(status="unscored", explanation=reason)


NO_OUTPUT = "there is no output"
NO_EXPECTED = "the case has no expected value"
