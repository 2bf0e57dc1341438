"""A row as it was read: its values, and the place that errors about it name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from evalkit.errors import DatasetError

DEEPEST = 100
"""How many levels of lists and objects a value may have; canonical JSON takes 200, and a case adds a few."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a dataset before it becomes a case.

    `place` is where it stands in its file, such as `:17` for a line or ` row 3`, and goes behind the file's name.
    `texts` says that every value is text, as in a CSV file, where an empty cell means that nothing is given.
    """

    values: Mapping[str, Any]
    place: str
    texts: bool = False


def not_an_object(value: Any, where: str) -> DatasetError:
    """The error for a row that is a list, a number or a text, not an object with keys."""
    kinds = {list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    found = "null" if value is None else kinds.get(type(value), type(value).__name__)
    return DatasetError(
        f"A row is {found}, not an object with keys.",
        where=where,
        why="Each row of a dataset is one case.",
        hint='Write rows such as {"input": "…", "expected": "…"}.',
    )
