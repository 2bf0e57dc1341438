"""How much is said: less and less, until it fits where it is to be shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

COMMENT = 65_536
"""The most that GitHub takes as a comment, counted in bytes to be safe: it counts characters."""

STEP_SUMMARY = 1_048_576
"""The bytes that GitHub takes as the summary of one step."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How many rows of a table, lines of a diff, cases of a kind, sentences of a suite, characters of a sentence and
    suites are shown; the rest is counted. `suites` is `None` for all.
    """

    rows: int = 60
    lines: int = 120
    cases: int = 10
    sentences: int = 12
    length: int = 600
    suites: int | None = None


_LADDER = (
    Detail(),
    Detail(rows=40, lines=60, length=400),
    Detail(rows=30, lines=30, sentences=8, length=300),
    Detail(rows=20, lines=0, cases=5, sentences=5, length=200),
    Detail(rows=12, lines=0, cases=3, sentences=3, length=160),
)


def fitting(render: Callable[[Detail], str], limit: int, suites: int) -> str:
    """What `render` gives in the greatest detail that stays within `limit` bytes of UTF-8.

    Where the least detail of all suites is still too much, fewer suites are shown. With none of them `render` has to
    stay below 16 KiB on its own, whatever the run.
    """
    text = ""
    for detail in _LADDER:
        text = render(detail)
        if size(text) <= limit:
            return text
    shown = suites
    while shown and size(text) > limit:
        shown //= 2
        text = render(dataclasses.replace(_LADDER[-1], suites=shown))
    return text


def size(text: str) -> int:
    """The bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "backslashreplace"))
