"""What a judge may say: up to five levels, each anchored by what it means."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.errors import ScorerError

UNKNOWN = "unknown"
"""What a judge says where it cannot tell; it is never one of the levels, and never a score."""

MOST = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One thing a judge may say: its label, what it is worth from 0 to 1, and what it means."""

    label: str
    value: float
    meaning: str


Scale = tuple[Level, ...]

BINARY: Scale = (
    Level(label="pass", value=1.0, meaning="The criterion is met."),
    Level(label="fail", value=0.0, meaning="The criterion is not met."),
)


def is_binary(scale: Scale) -> bool:
    """Whether the levels are a yes and a no; their scores are then assertions."""
    return len(scale) == 2 and {level.value for level in scale} == {0.0, 1.0}


def scale_of(given: Any, *, where: str | None = None) -> Scale:
    """The levels that `given` stands for: `"binary"`, or two to five, best first or last.

    Each is a `Level`, a mapping with `label`, `value` and `meaning`, or, in a mapping of label to meaning, spread
    evenly from 1 for the first to 0 for the last. Raises `ScorerError` for what is no such scale.
    """
    if given == "binary":
        return BINARY
    if isinstance(given, Mapping):
        count = max(len(given) - 1, 1)
        rows: list[Any] = [
            {"label": label, "value": 1 - place / count, "meaning": meaning}
            for place, (label, meaning) in enumerate(given.items())
        ]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        rows = list(given)
    else:
        raise _wrong(f"{given!r:.60} is no scale.", where)
    levels = tuple(_level(row, where) for row in rows)
    labels = [level.label for level in levels]
    if not 2 <= len(levels) <= MOST:
        raise _wrong(f"A scale has two to five levels, not {len(levels)}.", where)
    if len({label.casefold() for label in labels}) < len(labels):
        raise _wrong(f"Two levels have the same label: {', '.join(labels)}.", where)
    values = [level.value for level in levels]
    if len(set(values)) < len(values):
        raise _wrong("Two levels are worth the same.", where)
    return levels


def _level(row: Any, where: str | None) -> Level:
    if isinstance(row, Level):
        row = dataclasses.asdict(row)
    if not isinstance(row, Mapping) or not {"label", "value", "meaning"} == set(row):
        raise _wrong(f"A level has label, value and meaning, and nothing else: {row!r:.80}.", where)
    label, value, meaning = row["label"], row["value"], row["meaning"]
    if not isinstance(label, str) or not label.strip() or label.casefold() == UNKNOWN:
        raise _wrong(f'A label is a text other than "{UNKNOWN}", not {label!r:.40}.', where)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= 1:
        raise _wrong(f'The level "{label}" is worth a number from 0 to 1, not {value!r:.40}.', where)
    if not isinstance(meaning, str) or not meaning.strip():
        raise _wrong(f'The level "{label}" does not say what it means.', where)
    return Level(label=label.strip(), value=float(value), meaning=" ".join(meaning.split()))


def _wrong(what: str, where: str | None) -> ScorerError:
    return ScorerError(
        what,
        where=where,
        why="A judge that has to choose between levels without a meaning answers by taste.",
        hint='Write scale="binary", or scale={"good": "what that means", "fair": "…", "poor": "…"}.',
    )
