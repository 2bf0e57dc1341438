"""Slices: the cases that share a tag or a metadata value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.case import Case

MOST_VALUES = 20
"""A metadata key with more distinct values than this makes no slices by itself; a gate may still name one."""

MOST_TAGS = 100
"""Of more tags than this, the most frequent make slices."""

TAG = "tag"

Slice = tuple[str, str]
"""A metadata key and its value as text, or `("tag", …)`."""


def text_of(value: Any) -> str | None:
    """A metadata value as a slice names it: text, `true`, `false` or a number; `None` for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def members(cases: Sequence[Case], key: str, value: str) -> list[int]:
    """The positions of the cases in that slice."""
    return [
        position
        for position, case in enumerate(cases)
        if (key in case.metadata and text_of(case.metadata[key]) == value) or (key == TAG and value in case.tags)
    ]


def all_slices(cases: Sequence[Case]) -> dict[Slice, list[int]]:
    """Every slice worth a line of its own, each with the positions of its cases.

    That is each tag, and each value of a metadata key that has at least two and at most `MOST_VALUES` scalar
    values which are shared by two cases on average. Keys stand in the order of their first case, values sorted.
    """
    tags = Counter(tag for case in cases for tag in dict.fromkeys(case.tags))
    slices: dict[Slice, list[int]] = {(TAG, tag): [] for tag, _ in tags.most_common(MOST_TAGS)}
    by_key: dict[str, dict[str, list[int]]] = {}
    crowded: set[str] = set()
    for position, case in enumerate(cases):
        for tag in dict.fromkeys(case.tags):
            if (TAG, tag) in slices:
                slices[TAG, tag].append(position)
        for key, value in case.metadata.items():
            _place(by_key, crowded, key, value, position)
    for key, values in by_key.items():
        if key in crowded or len(values) < 2 or 2 * len(values) > sum(map(len, values.values())):
            continue
        for value in sorted(values):
            together = set(slices.get((key, value), ())) | set(values[value])
            slices[key, value] = sorted(together)
    return slices


def _place(by_key: dict[str, dict[str, list[int]]], crowded: set[str], key: str, value: Any, position: int) -> None:
    if key in crowded or value is None:
        return
    text = text_of(value)
    values = by_key.setdefault(key, {})
    if text is None or (text not in values and len(values) == MOST_VALUES):
        crowded.add(key)
    else:
        values.setdefault(text, []).append(position)


def choices(cases: Sequence[Case]) -> Mapping[str, list[str]]:
    """Which keys the cases can be sliced by, each with its values as text; tags stand under `tag`."""
    found: dict[str, dict[str, None]] = {}
    for case in cases:
        for tag in case.tags:
            found.setdefault(TAG, {})[tag] = None
        for key, value in case.metadata.items():
            text = text_of(value)
            if text is not None:
                found.setdefault(key, {})[text] = None
    return {key: list(values) for key, values in found.items()}
