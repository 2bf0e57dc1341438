"""Values as a line of little bars, one for each run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import IO, Any

from evalkit.trends import Step, stretches

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-:=+*#"
MOST = 24


def unicode_works(stream: IO[Any] | None = None) -> bool:
    """Whether `stream` (stdout) can write the bars; a pipe to a program in another encoding may not."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None) or "ascii"
    try:
        (BLOCKS + "┊●├┤│─◌").encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def spark(steps: Sequence[Step], *, fancy: bool) -> str:
    """The last runs as bars between the lowest and the highest value; a run without a value is a space.

    Where two neighbours cannot be compared a `┊` (`|`) stands between them: the heights on both sides of it are of
    other cases or by another scorer.
    """
    shown = list(steps)[-MOST:]
    values = [step.value for step in shown if step.value is not None]
    if not values:
        return ""
    low, high = min(values), max(values)
    bars = BLOCKS if fancy else PLAIN
    mark = "┊" if fancy else "|"

    def bar(value: float | None) -> str:
        if value is None:
            return " "
        return bars[3] if high <= low else bars[min(int((value - low) / (high - low) * len(bars)), len(bars) - 1)]

    return mark.join("".join(bar(step.value) for step in stretch) for stretch in stretches(shown))
