"""Spans of time as people write them: `7d`, `72h`, `1d12h`."""

from __future__ import annotations

import re

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FORM = re.compile(r"(?:[0-9]{1,6}[dhms])+")
_PART = re.compile(r"([0-9]+)([dhms])")


def seconds_of(text: str) -> int | None:
    """The seconds that `text` stands for, such as 259200 for `72h`; `None` where it is no span of time."""
    written = text.replace(" ", "")
    if not _FORM.fullmatch(written):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(written))


def span(seconds: float) -> str:
    """The span in words, to two units: `3 days`, `1 day 12 hours`, `40 seconds`."""
    left = max(int(seconds), 0)
    parts: list[str] = []
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, left = divmod(left, size)
        if number or (parts and len(parts) < 2 and left):
            parts.append(f"{number:,} {name}{'' if number == 1 else 's'}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 ")) or "0 seconds"
